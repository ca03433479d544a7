"""J, χ₀ and what they make at one v̂: ε = 1 − Jχ₀ and the screened interaction S = ε⁻¹J. On-site.

With R = −χ₀ ≥ 0 (Lemma 11) and J > 0, S = (J⁻¹ + R)⁻¹ is symmetric, 0 < S ≤ J, and where R is
invertible also S = R⁻¹ − ε⁻¹R⁻¹. Matrices (M, M); J, S in Hartree/electron, R in electrons/Hartree.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.models.onsite import OnsiteAssembly
from scc.theory.system import TightBindingSystem

_EPS = float(np.finfo(np.float64).eps)


def max_norm(matrix: FloatArray) -> float:
    """‖A‖_{ℓ∞→ℓ∞}, the largest absolute row sum."""
    return float(np.max(np.sum(np.abs(matrix), axis=1)))


@dataclass(frozen=True)
class ScreenedInteraction:
    """J and R = −χ₀ of one state."""

    kernel: FloatArray
    response: FloatArray

    @classmethod
    def of(cls, system: TightBindingSystem) -> "ScreenedInteraction":
        """At the v̂ of a system with on-site features."""
        assembly = system.assembly
        assert isinstance(assembly, OnsiteAssembly)
        (coulomb,) = assembly.electrostatics
        return cls(coulomb.matrix, -system.state.feature_response())

    @cached_property
    def dielectric(self) -> FloatArray:
        """ε = 1 + JR."""
        return np.asarray(np.eye(len(self.kernel)) + self.kernel @ self.response)

    @cached_property
    def inverse_dielectric(self) -> FloatArray:
        """ε⁻¹."""
        return np.asarray(scipy.linalg.inv(self.dielectric))

    @cached_property
    def screened(self) -> FloatArray:
        """S = ε⁻¹J, symmetrised."""
        found = scipy.linalg.solve(self.dielectric, self.kernel)
        return np.asarray(0.5 * (found + found.T))

    @property
    def norm(self) -> float:
        """s = ‖S‖_{ℓ∞→ℓ∞}, Hartree/electron."""
        return max_norm(self.screened)

    @cached_property
    def softest(self) -> float:
        """λ_min(R), electrons/Hartree (rounding can make a zero slightly negative)."""
        return float(scipy.linalg.eigvalsh(self.response)[0])

    @cached_property
    def inverse_response(self) -> FloatArray | None:
        """R⁻¹; None where R is singular to working precision (constants at β = ∞)."""
        largest = max_norm(self.response)
        if self.softest <= 1e3 * len(self.response) * _EPS * largest:
            return None
        return np.asarray(scipy.linalg.inv(self.response))

    @cached_property
    def rounding(self) -> float:
        """Relative error of S, n · eps · cond_∞(ε), and of R's own n · eps · ‖J‖‖R‖ behind it."""
        condition = max_norm(self.dielectric) * max_norm(self.inverse_dielectric)
        return len(self.kernel) * _EPS * condition * (1.0 + max_norm(self.inverse_dielectric))

    def inverse_response_bound(self, distances: FloatArray) -> float:
        """Bound of ‖R⁻¹‖_∞ by the decay of R (Combes–Thomas), ∞ where λ_min(R) is not above 0.

        If max_ℓ Σ_k |R_ℓk|(e^{γr_ℓk} − 1) ≤ λ/2, λ = λ_min(R), the tilted e^{γr}Re^{−γr} has an
        inverse with norm ≤ 2/λ, so |R⁻¹_ℓk| ≤ (2/λ)e^{−γr_ℓk}. γ is the largest such rate, by
        bisection; Lemma 9 bounds the sum of e^{−γr} by the spacing alone.
        """
        least = self.softest - len(self.response) * _EPS * max_norm(self.response)
        if least <= 0.0:
            return np.inf
        entries = np.abs(self.response)

        def excess(rate: float) -> float:
            return float(np.max(np.sum(entries * np.expm1(rate * distances), axis=1))) - 0.5 * least

        low, high = 0.0, 1.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if excess(middle) <= 0.0 else (low, middle)
        return 2.0 / least * float(np.max(np.sum(np.exp(-low * distances), axis=1)))
