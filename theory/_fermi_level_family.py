"""µ ↦ (G_{N,µ}, F_{N,µ}): interpolants of G_µ in the same Leja points of X, for Remark 10."""

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebval
from scipy.optimize import brentq

from scc.arrays import FloatArray
from scc.bodyorder.ball_functions import occupation_ball
from scc.bodyorder.interpolation import chebyshev_interpolants
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError


class FermiLevelFamily:
    """All F_{N,µ} at one X, degree and β. At β = ∞ µ is in the gap of X, or anywhere by linearity.

    X: spectral set, Hartree; degree: N of G_N; beta: 1/Hartree.
    """

    def __init__(self, X: SpectralSet, degree: int, beta: float) -> None:
        self.X, self.degree, self.beta = X, degree, beta
        self._nodes = leja_points(X, degree + 1)

    def at(self, mu: float) -> PolynomialOccupation:
        """(G_{N,µ}, F_{N,µ}). At β = ∞ InputError for µ outside the gap."""
        return PolynomialOccupation.interpolate(self.X, self.degree, self.beta, mu)

    def indicator(self, mu: float) -> FloatArray:
        """Chebyshev coefficients of P_N[F_µ] = −∂_µ G_{N,µ} on the hull of X; B_N at β = ∞."""
        function = occupation_ball(self.X, self.beta, mu)
        lower, upper = self.X.lower, self.X.upper
        return chebyshev_interpolants(function, self._nodes, lower, upper, [self.degree])[0]

    def indicator_value(self, coefficients: FloatArray, x: FloatArray) -> FloatArray:
        """P_N[F_µ](x)."""
        return np.asarray(chebval(self._scaled(x), coefficients))

    def indicator_slope(self, coefficients: FloatArray, x: FloatArray) -> FloatArray:
        """(P_N[F_µ])′(x) = −∂_µ F_{N,µ}(x), 1/Hartree."""
        derivative = chebder(coefficients, scl=2.0 / (self.X.upper - self.X.lower))
        return np.asarray(chebval(self._scaled(x), derivative))

    def _scaled(self, x: FloatArray) -> FloatArray:
        half = 0.5 * (self.X.upper - self.X.lower)
        return np.asarray((x - 0.5 * (self.X.upper + self.X.lower)) / half)

    def count(self, levels: FloatArray, mu: float) -> float:
        """n_N(µ) = 2Tr F_{N,µ}(H), electrons."""
        return 2.0 * float(np.sum(self.at(mu).occupation(levels)))

    def _count_rounding(self, size: int, mu: float, electrons: float) -> float:
        """Of n_N − N: Clenshaw's recurrence at each level, their sum, and N itself."""
        series = np.abs(self.at(mu).occupation_coefficients)
        unit = 8.0 * float(np.finfo(np.float64).eps)
        value = unit * len(series) * (1.0 + float(np.sum(series)))
        return 2.0 * size * value + unit * size * (1.0 + electrons)

    def fermi_level(self, levels: FloatArray, electrons: float, low: float, high: float) -> float:
        """ε_{F,N} in [low, high] with n_N(ε_{F,N}) = ``electrons``, β < ∞.

        Where n_N − N has the same sign at both ends, one end, if it vanishes there to rounding: an
        interval may be narrower than what n_N can tell apart. Raises InputError otherwise.
        """
        at_ends = [self.count(levels, mu) - electrons for mu in (low, high)]
        if at_ends[0] * at_ends[1] > 0.0:
            nearer = low if abs(at_ends[0]) <= abs(at_ends[1]) else high
            if min(map(abs, at_ends)) <= self._count_rounding(len(levels), nearer, electrons):
                return nearer
            raise InputError(
                f"no Fermi level of the polynomial between {low:.9g} and {high:.9g} Hartree: "
                f"{at_ends[0]:.3g} and {at_ends[1]:.3g} electrons too many"
            )
        return float(
            brentq(lambda mu: self.count(levels, mu) - electrons, low, high, xtol=1e-15, rtol=1e-14)
        )

    def zero_temperature_level(self, levels: FloatArray, electrons: float, mu: float) -> float:
        """ε_{F,N} = µ − (n_N(µ) − N)/n_N′ at β = ∞, where n_N is linear; ±∞ if it is constant.

        mu: any in the gap; the result need not be in it.
        """
        slope = -2.0 * float(np.sum(self.indicator_slope(self.indicator(mu), levels)))
        excess = self.count(levels, mu) - electrons
        with np.errstate(divide="ignore"):
            return float(mu - np.float64(excess) / np.float64(slope))
