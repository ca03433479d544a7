"""Polynomials G_N and F_N = G_N' in place of the grand potential and Fermi-Dirac functions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import scipy.sparse as sparse
from numpy.polynomial.chebyshev import chebder
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.bodyorder.ball_functions import grand_potential_ball
from scc.bodyorder.chebyshev import (
    series_divided_difference,
    series_of_matrix,
    series_second_divided_difference,
    series_value,
)
from scc.bodyorder.interpolation import chebyshev_interpolants
from scc.bodyorder.leja import leja_points
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class PolynomialOccupation:
    """G_N of degree N interpolating G in N+1 Leja points of X, and F_N := G_N' (Lemma 7).

    G is interpolated, never F: on two intervals the integral of an interpolant of F has unrelated
    constants on the two sides. F_N has degree N−1, and that is the degree that enters the body
    order of the density; the body order of the energy has N.

    spectral_set: X, Hartree; degree: N; beta: 1/Hartree in (0, ∞]; chemical_potential: Hartree;
    coefficients: (N+1,) Chebyshev coefficients of G_N on the convex hull of X, Hartree. Arguments
    of all methods are energies in Hartree, any broadcastable shapes. G_N resembles G only on X; in
    the gap it stays bounded at β = ∞ and where θ ≥ g(c) (g Green's function, c its critical point),
    and may grow like e^{N(g(c)−θ)} otherwise. −DF_N is not definite: some F_N[x,y] are positive.

    Make one with :meth:`interpolate`.
    """

    spectral_set: SpectralSet
    degree: int
    beta: float
    chemical_potential: float
    coefficients: FloatArray
    _occupation_series: FloatArray = field(init=False, repr=False)
    _derivative_series: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        derivative = chebder(self.coefficients, scl=1.0 / self._half_width)
        second = chebder(derivative, scl=1.0 / self._half_width)
        object.__setattr__(self, "_occupation_series", derivative)
        object.__setattr__(self, "_derivative_series", second)
        for series in (self.coefficients, derivative, second):
            series.flags.writeable = False

    @classmethod
    def interpolate(cls, X: SpectralSet, degree: int, beta: float, mu: float) -> Self:
        """Interpolate G_{β,µ} in the first degree+1 Leja points of X.

        Raises InputError for degree < 1, β ≤ 0, and at β = ∞ for µ inside an interval of X.
        """
        return cls.sequence(X, [degree], beta, mu)[0]

    @classmethod
    def sequence(cls, X: SpectralSet, degrees: Sequence[int], beta: float, mu: float) -> list[Self]:
        """Interpolants of several degrees, at the cost of the highest. Raises as interpolate."""
        if len(degrees) == 0 or min(degrees) < 1:
            raise InputError(f"polynomial degree must be >= 1, got {list(degrees)}")
        function = grand_potential_ball(X, beta, mu)
        nodes = leja_points(X, max(degrees) + 1)
        series = chebyshev_interpolants(function, nodes, X.lower, X.upper, degrees)
        return [
            cls(X, degree, beta, mu, coefficients)
            for degree, coefficients in zip(degrees, series, strict=True)
        ]

    def with_chemical_potential(self, chemical_potential: float) -> Self:
        """Itself at the same µ; InputError at another, whose G_N is another interpolant."""
        if chemical_potential != self.chemical_potential:
            raise InputError(
                f"the polynomial was fitted at chemical potential {self.chemical_potential}, "
                f"not {chemical_potential}: interpolate anew"
            )
        return self

    @property
    def occupation_coefficients(self) -> FloatArray:
        """(N,) Chebyshev coefficients of F_N on the hull, those of G_N′ rounded to float64."""
        return self._occupation_series

    def grand_potential(self, x: ArrayLike) -> FloatArray:
        """G_N(x) in Hartree."""
        return series_value(self.coefficients, self._scaled(x))

    def occupation(self, x: ArrayLike) -> FloatArray:
        """F_N(x) = G_N'(x)."""
        return series_value(self._occupation_series, self._scaled(x))

    def derivative(self, x: ArrayLike) -> FloatArray:
        """F_N'(x) in 1/Hartree."""
        return series_value(self._derivative_series, self._scaled(x))

    def divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """F_N[x, y] in 1/Hartree."""
        difference = series_divided_difference(
            self._occupation_series, self._scaled(x), self._scaled(y)
        )
        return np.asarray(difference / self._half_width)

    def grand_potential_divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """G_N[x, y]."""
        difference = series_divided_difference(self.coefficients, self._scaled(x), self._scaled(y))
        return np.asarray(difference / self._half_width)

    def second_divided_difference(self, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> FloatArray:
        """F_N[x, y, z] in 1/Hartree²."""
        difference = series_second_divided_difference(
            self._occupation_series, self._scaled(x), self._scaled(y), self._scaled(z)
        )
        return np.asarray(difference / self._half_width**2)

    def matrix_function(self, H: Any, which: Literal["F", "G"] = "F") -> Any:
        """F_N(H) or G_N(H) by matrix products, no diagonalisation: the object of Theorem 5.

        H: symmetric (n, n) in Hartree, dense or a SciPy sparse array (then the result is sparse).
        The spectrum must lie in the hull of X, see :meth:`check_spectrum`. Raises InputError when
        ``which`` is neither F nor G.
        """
        if which not in ("F", "G"):
            raise InputError(f"matrix function must be 'F' or 'G', got {which!r}")
        series = self._occupation_series if which == "F" else self.coefficients
        if sparse.issparse(H):
            identity = sparse.eye_array(H.shape[0], format="csr")
        else:
            identity = np.eye(H.shape[0])
        scaled = (H - self._centre * identity) / self._half_width
        return series_of_matrix(series, scaled, identity)

    def check_spectrum(
        self, eigenvalues: ArrayLike, slack: float = 1e-8, whole_hull: bool = True
    ) -> None:
        """Raise InputError, naming the value, when an eigenvalue leaves X by more than slack.

        slack: Hartree. Off the hull G_N grows like e^{N(g(x)−θ)} (g Green's function).
        whole_hull=False forbids the gap as well, where G_N is not close to G.
        """
        X = self.spectral_set
        values = np.asarray(eigenvalues, dtype=np.float64).ravel()
        domain = SpectralSet(((X.lower, X.upper),)) if whole_hull else X
        distance = domain.distance(values)
        if not np.all(distance <= slack):
            worst = int(np.argmax(np.where(np.isnan(distance), np.inf, distance)))
            raise InputError(
                f"eigenvalue {values[worst]:.9g} lies outside the spectral set "
                f"{domain.intervals} of the polynomial by more than {slack:g}"
            )

    @property
    def _centre(self) -> float:
        return 0.5 * (self.spectral_set.lower + self.spectral_set.upper)

    @property
    def _half_width(self) -> float:
        return 0.5 * (self.spectral_set.upper - self.spectral_set.lower)

    def _scaled(self, x: ArrayLike) -> FloatArray:
        return np.asarray((np.asarray(x, dtype=np.float64) - self._centre) / self._half_width)
