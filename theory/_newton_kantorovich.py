"""Newton–Kantorovich about an exact zero of a nearby map, with all constants given."""

from dataclasses import dataclass

import numpy as np

from scc.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class NewtonKantorovich:
    """The theorem's constants in one norm, one entry a degree; Hartree and electrons.

    inverse: c; residual: ε_N; defect: κ; lipschitz: L; radius: δ, one or one a degree.
    """

    inverse: float
    residual: FloatArray
    defect: FloatArray
    lipschitz: FloatArray
    radius: float | FloatArray

    @property
    def stability(self) -> FloatArray:
        """c_N = c/(1 − cκ), ∞ where cκ ≥ 1."""
        if not np.isfinite(self.inverse):
            return np.full_like(self.defect, np.inf)
        left = 1.0 - self.inverse * self.defect
        return np.where(left > 0.0, self.inverse / np.where(left > 0.0, left, 1.0), np.inf)

    @property
    def holds(self) -> BoolArray:
        """2c_N²ε_N L < 1 and 2c_Nε_N < δ (Boolean)."""
        c = self.stability
        with np.errstate(invalid="ignore", over="ignore"):
            condition = 2.0 * c**2 * self.residual * self.lipschitz
            return np.asarray((condition < 1.0) & (2.0 * c * self.residual < self.radius))

    @property
    def distance(self) -> FloatArray:
        """2c_Nε_N ≥ ‖v*_N − v*‖, ∞ where the theorem does not apply."""
        c = np.where(self.holds, self.stability, 1.0)
        return np.where(self.holds, 2.0 * c * self.residual, np.inf)

    @property
    def sharper_distance(self) -> FloatArray:
        """(1 − √(1 − 2c_N²ε_N L))/(c_N L): between c_Nε_N and 2c_Nε_N."""
        c = np.where(self.holds, self.stability, 1.0)
        condition = np.where(self.holds, 2.0 * c**2 * self.residual * self.lipschitz, 0.0)
        root = 2.0 * c * self.residual / (1.0 + np.sqrt(1.0 - condition))
        return np.where(self.holds, root, np.inf)
