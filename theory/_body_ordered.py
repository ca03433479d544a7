"""Populations with F and with F_N about a given v*, and the solution v*_N next to it. On-site."""

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory.system import TightBindingSystem

_STEPS = 80


class Populations:
    """p and p_N about v* = v̂ of the system, as functions of w = v − v*."""

    def __init__(self, system: TightBindingSystem, occupation: PolynomialOccupation) -> None:
        self.system, self.occupation = system, occupation
        self.exact = FermiDirac(system.beta, system.mu)
        self.reference = system.state.populations
        size = 0.5 * (occupation.spectral_set.upper - occupation.spectral_set.lower)
        k = np.arange(len(occupation.occupation_coefficients))
        c = np.abs(occupation.occupation_coefficients)
        # Backward error of eigh through the Lipschitz constant of F_N, and Clenshaw's recurrence.
        lipschitz = float(np.sum(c * k**2)) / size + self._exact_lipschitz()
        clenshaw = 8.0 * len(k) * np.finfo(np.float64).eps * (1.0 + float(np.sum(c)))
        self.rounding = 2.0 * (lipschitz * system.rounding_unit + clenshaw)

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
    populations: Populations, S: FloatArray, X: FloatArray, margin: float
) -> tuple[FloatArray, float] | None:
    """(w, last step): a zero v* + w of T_N by v ↦ v* + S[p_N(v) − p(v*) + X(v − v*)].

    None if 80 steps do not converge to 1e-10 relatively, or leave ‖w‖_∞ ≤ ``margin``, beyond which
    the polynomial is not one of F any more.
    """
    w = np.zeros(len(S))
    for _ in range(_STEPS):
        following = S @ (populations.polynomial(w) - populations.reference + X @ w)
        step = float(np.max(np.abs(following - w)))
        w = following
        if float(np.max(np.abs(w))) > margin:
            return None
        if step <= 1e-14 + 1e-10 * float(np.max(np.abs(w))):
            return w, step
    return None
