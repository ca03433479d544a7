"""Populations with F and with F_N about a given v*, and the solution v*_N next to it. On-site."""

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.explicit import ExplicitOccupation
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory.system import TightBindingSystem

_STEPS = 80
_EPS = float(np.finfo(np.float64).eps)


def occupation_rounding(
    occupation: ExplicitOccupation, system: TightBindingSystem, lipschitz: float
) -> float:
    """Rounding of a population 2F_N(H)_ℓℓ by the closed form, electrons.

    Backward errors of eigh and of x − µ through the slope of F_N, which is that of F up to the
    derivative of what was cut off, no larger than that of F itself once F_N is of any use; the
    angles, a few eps kφ ≤ eps kπ in cos kφ; and the coefficients, whose error in the mean square
    is a few eps log n of their own (fast transforms are normwise stable).
    """
    a = np.abs(occupation.slope)
    count = len(a)
    terms = float(np.sum(a * (1.0 + np.pi * np.arange(count))))
    transform = np.log2(4.0 * count + 64.0) * np.sqrt(count) * float(np.linalg.norm(a))
    evaluated = 0.5 * occupation.outer * 4.0 * _EPS * (terms + transform)
    return float(2.0 * (2.0 * lipschitz * system.rounding_unit + evaluated))


class Populations:
    """p and p_N about v* = v̂ of the system, as functions of w = v − v*."""

    def __init__(
        self,
        system: TightBindingSystem,
        occupation: PolynomialOccupation | ExplicitOccupation,
    ) -> None:
        self.system, self.occupation = system, occupation
        self.exact = FermiDirac(system.beta, system.mu)
        self.reference = system.state.populations
        self.rounding = self._rounding(occupation)

    def _rounding(self, occupation: PolynomialOccupation | ExplicitOccupation) -> float:
        """Of a population, electrons: eigh through the slope of F_N, and evaluation of F_N."""
        if isinstance(occupation, ExplicitOccupation):
            return occupation_rounding(occupation, self.system, self._exact_lipschitz())
        size = 0.5 * (occupation.spectral_set.upper - occupation.spectral_set.lower)
        k = np.arange(len(occupation.occupation_coefficients))
        c = np.abs(occupation.occupation_coefficients)
        # Backward error of eigh through the Lipschitz constant of F_N, and Clenshaw's recurrence.
        lipschitz = float(np.sum(c * k**2)) / size + self._exact_lipschitz()
        clenshaw = 8.0 * len(k) * np.finfo(np.float64).eps * (1.0 + float(np.sum(c)))
        return 2.0 * (lipschitz * self.system.rounding_unit + clenshaw)

    def _exact_lipschitz(self) -> float:
        if not self.system.zero_temperature:
            return 0.25 * self.system.beta
        return 1.0 / min(self.system.gap_below, self.system.gap_above)

    def at(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(levels, squares of orbitals summed over each atom (M, n)) of H(v* + w)."""
        levels, vectors = np.linalg.eigh(self.system.hamiltonian + np.diag(w[self.system.owner]))
        squares = np.zeros((self.system.atoms, len(levels)))
        np.add.at(squares, self.system.owner, vectors**2)
        return levels, squares

    def polynomial(self, w: FloatArray) -> FloatArray:
        """p_N(v* + w)."""
        levels, squares = self.at(w)
        return 2.0 * squares @ self.occupation.occupation(levels)

    def error(self, w: FloatArray) -> FloatArray:
        """δ(v* + w) = p_N − p."""
        levels, squares = self.at(w)
        difference = self.occupation.occupation(levels) - self.exact.occupation(levels)
        return 2.0 * squares @ difference

    def grand_potential_change(self, w: FloatArray) -> float:
        """2Tr G_N(H + w) − 2Tr G(H), Hartree."""
        here, _ = self.at(w)
        exact = self.exact.grand_potential(self.system.levels)
        return 2.0 * float(np.sum(self.occupation.grand_potential(here) - exact))


def solve(
    populations: Populations, S: FloatArray, R: FloatArray, margin: float
) -> tuple[FloatArray, float] | None:
    """(w, last step): a zero v* + w of T_N by v ↦ v* + S[p_N(v) − p(v*) + R(v − v*)], R = −χ₀(v*).

    None if 80 steps do not converge to 1e-10 relatively, or leave ‖w‖_∞ ≤ ``margin``, beyond which
    the polynomial is not one of F any more.
    """
    w = np.zeros(len(S))
    for _ in range(_STEPS):
        following = S @ (populations.polynomial(w) - populations.reference + R @ w)
        step = float(np.max(np.abs(following - w)))
        w = following
        if float(np.max(np.abs(w))) > margin:
            return None
        if step <= 1e-14 + 1e-10 * float(np.max(np.abs(w))):
            return w, step
    return None
