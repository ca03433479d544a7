"""Clusters of growing size for remark 11: one polynomial for all, S applied without a matrix.

ε, S and δ depend on H(v*) and J alone, so v* is absorbed in H⁰ and the nuclear charges are those
that make v* = 0 the equilibrium: Z = p(0). Model B's hopping with levels ∓D/2 on the chain with
distances 1 and 1.3, the square lattice and rock salt with distance 1; J = erf(r)/r.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.linalg
from scipy.sparse.linalg import LinearOperator, gmres

from scc.arrays import FloatArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.claims._onsite_systems import SPECIES
from scc.configuration import Configuration, chain, lattice
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.errors import ConvergenceError
from scc.models.hopping import ExponentialHopping
from scc.models.model_systems import model_b
from scc.occupations.fermi_dirac import FermiDirac

CHAIN = (1.0, 1.3)
"""Alternating distances of the chain, bohr."""

ROUNDING = 1e-13
"""Of potentials J(p_N − p), Hartree: some tens of the last bits of populations, summed by J."""

_GMRES = 1e-9
_STEPS = 10


def geometry(dimension: int, length: int) -> Configuration:
    """Chain of ``length`` atoms, or ``length`` atoms along each axis."""
    if dimension == 1:
        return chain(length, CHAIN, SPECIES)
    if dimension == 2:
        return lattice("square", length, 1.0, SPECIES)
    return lattice("rock-salt", length, 1.0, SPECIES)


class Cluster:
    """H = H(v*) of one cluster with its levels, J, χ₀ and S."""

    def __init__(self, p: Mapping[str, Any], length: int) -> None:
        self.configuration = geometry(p["dimension"], length)
        hopping = ExponentialHopping(prefactor=-p["hopping"], decay=p["decay"])
        model = model_b(p["gap"], hopping=hopping)
        self.atoms = len(self.configuration)
        self.beta = float(p["beta"])
        self.margin = float(p["margin"])
        self.hamiltonian = model.hamiltonian(self.configuration).toarray()
        self.kernel = GaussianChargeCoulomb(self.configuration, model.width, 1.0).matrix
        self.levels, self.orbitals = scipy.linalg.eigh(self.hamiltonian, driver="evd")

    @property
    def filled(self) -> int:
        """Number of occupied orbitals, half of all."""
        return self.atoms // 2

    def density_response(self, exact: FermiDirac) -> Callable[[FloatArray], FloatArray]:
        """w ↦ χ₀w = 2 diag DF(H)[diag w]; at β = ∞ its occupied–empty block, twice."""
        if not math.isinf(self.beta):
            return _response(self.levels, self.orbitals, exact.divided_difference)
        left, right = np.split(self.orbitals, [self.filled], axis=1)
        low, high = np.split(self.levels, [self.filled])
        divided = exact.divided_difference(low[:, None], high[None, :])

        def apply(w: FloatArray) -> FloatArray:
            inner = divided * (left.T @ (w[:, None] * right))
            return np.asarray(4.0 * np.einsum("ij,ij->i", left @ inner, right))

        return apply

    def populations(self, occupation: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """2 diag O(H)."""
        return np.asarray(2.0 * (self.orbitals**2) @ occupation(self.levels))

    def screened(self, exact: FermiDirac, densities: Sequence[FloatArray]) -> list[FloatArray]:
        """S q for each q. Raises ConvergenceError."""
        respond = self.density_response(exact)
        return [self.solve(respond, self.kernel @ q) for q in densities]

    def solve(self, respond: Callable[[FloatArray], FloatArray], right: FloatArray) -> FloatArray:
        """(1 − Jχ)⁻¹ right by GMRES, χ = ``respond``. Raises ConvergenceError."""
        operator = LinearOperator(
            (self.atoms, self.atoms), lambda w: w - self.kernel @ respond(w), dtype=np.float64
        )
        x, _ = gmres(operator, right, rtol=_GMRES, atol=0.0, restart=100, maxiter=3)
        defect = np.linalg.norm(operator.matvec(x) - right) / np.linalg.norm(right)
        if not defect <= 10.0 * _GMRES:
            raise ConvergenceError(f"screened potential: relative residual {defect:.1e}")
        return np.asarray(x)

    def screened_norm(self, exact: FermiDirac) -> float:
        """s = ‖S‖_{ℓ∞→ℓ∞}, Hartree/electron, from dense χ₀ (4M⁴ operations)."""
        respond = self.density_response(exact)
        chi = np.stack([respond(unit) for unit in np.eye(self.atoms)], axis=1)
        S = scipy.linalg.solve(np.eye(self.atoms) - self.kernel @ chi, self.kernel)
        return float(np.max(np.sum(np.abs(S), axis=1)))

    def middle(self, values: FloatArray) -> float:
        """Mean over the four atoms in the middle of a chain."""
        return float(np.mean(values[self.atoms // 2 - 2 : self.atoms // 2 + 2]))

    def solution(
        self, exact: FermiDirac, polynomial: "PolynomialOccupation | Calibrated", neutral: bool
    ) -> FloatArray:
        """w = v*_N − v* in full, by Newton's method on w − J(p_N(w) − p(0)).

        ``neutral``: p_N less its excess over the exact count, spread evenly (E1). Raises
        ConvergenceError if ten steps do not do, or ‖w‖_∞ exceeds the margin of X.
        """
        reference = self.populations(exact.occupation)
        w = np.zeros(self.atoms)
        for _ in range(_STEPS):
            levels, orbitals = np.linalg.eigh(self.hamiltonian + np.diag(w))
            excess = 2.0 * (orbitals**2) @ polynomial.occupation(levels) - reference
            full = _response(levels, orbitals, polynomial.divided_difference)

            def respond(
                x: FloatArray, full: Callable[[FloatArray], FloatArray] = full
            ) -> FloatArray:
                change = full(x)
                return change - np.mean(change) if neutral else change

            if neutral:
                excess = excess - np.mean(excess)
            step = self.solve(respond, self.kernel @ excess - w)
            w = w + step
            size = float(np.max(np.abs(w)))
            if size > self.margin:
                break
            if float(np.max(np.abs(step))) <= max(1e-9 * size, ROUNDING):
                return w
        raise ConvergenceError(f"no solution of the polynomial model, |w| = {size:.2e} Ha")


def _response(
    levels: FloatArray,
    orbitals: FloatArray,
    divided_difference: Callable[[FloatArray, FloatArray], FloatArray],
) -> Callable[[FloatArray], FloatArray]:
    """w ↦ 2 diag DO(H)[diag w] from O[λ_i, λ_j]."""
    divided = divided_difference(levels[:, None], levels[None, :])

    def apply(w: FloatArray) -> FloatArray:
        inner = divided * (orbitals.T @ (w[:, None] * orbitals))
        return np.asarray(2.0 * np.einsum("ij,ij->i", orbitals @ inner, orbitals))

    return apply


def common_polynomial(
    clusters: Sequence[Cluster], degree: int, share: float
) -> tuple[PolynomialOccupation, FermiDirac]:
    """F_N on an X that reaches ``margin`` (Hartree) beyond all spectra, and F at the same µ.

    µ is at ``share`` of the gap of the largest cluster, β = ∞ or not; X has a gap at β = ∞ only.
    """
    margin = clusters[0].margin
    low = min(float(c.levels[0]) for c in clusters) - margin
    high = max(float(c.levels[-1]) for c in clusters) + margin
    below = max(float(c.levels[c.filled - 1]) for c in clusters)
    above = min(float(c.levels[c.filled]) for c in clusters)
    beta = clusters[0].beta
    mu = below + share * (above - below)
    X = SpectralSet(((low, high),))
    if math.isinf(beta):
        X = SpectralSet(((low, below + margin), (above - margin, high)))
    return PolynomialOccupation.interpolate(X, degree, beta, mu), FermiDirac(beta, mu)


class Calibrated:
    """E2: F_N + Σ_j c_j t^{P_j}, t the variable of X's hull, P = 0, 2, 3.

    Q(n) = Σ_j a_j n^j + const for clusters of n sites along each axis, up to exponentially small
    terms: the d constants c make Q equal for the d + 1 ``clusters``, so that only corners are left.
    t itself is left out: its trace is that of the levels, M times a constant, like that of 1.
    """

    def __init__(
        self, occupation: PolynomialOccupation, exact: FermiDirac, clusters: Sequence[Cluster]
    ) -> None:
        self.occupation_series = occupation
        X = occupation.spectral_set
        self._centre, self._half = 0.5 * (X.lower + X.upper), 0.5 * (X.upper - X.lower)
        self._powers = (0, 2, 3)[: len(clusters) - 1]
        traces = [[float(np.sum(q)) for q in self._terms(c.levels)] for c in clusters]
        charges = [
            float(np.sum(occupation.occupation(c.levels) - exact.occupation(c.levels)))
            for c in clusters
        ]
        self.coefficients = np.linalg.solve(np.diff(traces, axis=0), -np.diff(charges))

    def _terms(self, x: FloatArray) -> list[FloatArray]:
        t = (x - self._centre) / self._half
        return [t**power for power in self._powers]

    def occupation(self, x: FloatArray) -> FloatArray:
        """F̃_N(x)."""
        added = sum(c * q for c, q in zip(self.coefficients, self._terms(x), strict=True))
        return np.asarray(self.occupation_series.occupation(x) + added)

    def divided_difference(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """F̃_N[x, y], by t²[t,s] = t + s and t³[t,s] = t² + ts + s²."""
        t, s = (x - self._centre) / self._half, (y - self._centre) / self._half
        quotients: dict[int, FloatArray | float] = {0: 0.0, 2: t + s, 3: t * t + t * s + s * s}
        added = sum(
            c * quotients[power] for c, power in zip(self.coefficients, self._powers, strict=True)
        )
        return np.asarray(self.occupation_series.divided_difference(x, y) + added / self._half)


def growth_power(sizes: FloatArray, errors: FloatArray) -> float:
    """p of a + b M^p by least squares (p = 0: a + b ln M), p on a grid of 0.005 in [−1, 1.5]."""

    def misfit(power: float) -> float:
        x = np.log(sizes) if abs(power) < 1e-9 else (sizes**power - 1.0) / power
        columns = np.stack([np.ones_like(x), x], axis=1)
        fit = np.linalg.lstsq(columns, errors, rcond=None)[0]
        return float(np.sum((columns @ fit - errors) ** 2))

    grid = np.arange(-200, 301) * 0.005
    return float(grid[int(np.argmin([misfit(p) for p in grid]))])


def slope(sizes: FloatArray, errors: FloatArray) -> float:
    """Least-squares exponent of errors ~ M^p."""
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])
