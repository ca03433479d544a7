"""The constants of Theorem 8 about T_N, about Φ_N and about ε⁻¹Φ_N, for explicit polynomials.

*About T_N = ½χ_NΦ_N* (β < ∞): with p_j = 2(ℓ_j + m_j) ≥ ‖D^jp_N‖ on the ball, j = ‖J‖_∞,
c_stab = 2‖ε⁻¹χ₀⁻¹‖_∞ and f = 2jm₀ + (1 + jp₁)δ ≥ ‖Φ_N‖ there, the product rule gives

    ε_N = ½p₁·2jm₀,   κ = ½p₂·2jm₀ + ½(2m₁(1 + 2jℓ₁) + p₁·2jm₁),
    L = ½p₃f + p₂(1 + jp₁) + ½p₁jp₂.

*About Φ_N*: ε_N = 2jm₀ (times √M in ℓ²), κ = 2jm₁, L = jp₂, c = ‖ε⁻¹‖. *About ε⁻¹Φ_N*: the same
with c = 1 and j = ‖S‖, S = ε⁻¹J.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.theory._explicit_errors import Errors, Geometry
from scc.theory._newton_kantorovich import NewtonKantorovich
from scc.theory._screened import ScreenedInteraction, max_norm
from scc.theory.system import TightBindingSystem

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Bounds:
    """The theorem in five forms, one entry a degree.

    stationary: about T_N in ℓ^∞, with c_stab of (3.12); ∞ where χ₀ is singular, β = ∞ above all.
    largest, euclidean: about Φ_N in ℓ^∞ and ℓ², constants c, ‖J‖.
    screened_largest, screened_euclidean: about ε⁻¹Φ_N, constants 1, ‖S‖.
    """

    errors: Errors
    stationary: NewtonKantorovich
    largest: NewtonKantorovich
    euclidean: NewtonKantorovich
    screened_largest: NewtonKantorovich
    screened_euclidean: NewtonKantorovich

    @property
    def paper(self) -> FloatArray:
        """Bound of ‖v*_N − v*‖_∞ by 2c_Nε_N about T_N or Φ_N, Hartree; ∞ where none applies."""
        about_defect = np.minimum(self.largest.distance, self.euclidean.distance)
        return np.minimum(self.stationary.distance, about_defect)

    @property
    def sharper(self) -> FloatArray:
        """Bound of ‖v*_N − v*‖_∞ by the best of all, majorant's root, Hartree."""
        largest = np.minimum(self.largest.sharper_distance, self.screened_largest.sharper_distance)
        return np.minimum(largest, self._euclidean)

    def spread(self, atoms: int) -> FloatArray:
        """Bound of ‖v*_N − v*‖_2, Hartree."""
        return np.minimum(self._euclidean, math.sqrt(atoms) * self.sharper)

    @property
    def _euclidean(self) -> FloatArray:
        return np.minimum(self.euclidean.sharper_distance, self.screened_euclidean.sharper_distance)


def bound(
    system: TightBindingSystem, degrees: ArrayLike, screened: ScreenedInteraction | None = None
) -> Bounds:
    """Errors and the theorem in its five forms for explicit polynomials of even degrees N."""
    screened = ScreenedInteraction.of(system) if screened is None else screened
    geometry = Geometry.of(system)
    errors = Errors.of(geometry, np.asarray(degrees, dtype=np.float64))
    slack = 1.0 + screened.rounding
    J, S, inverse = screened.kernel, screened.screened, screened.inverse_dielectric

    def largest(c: float, kernel: float) -> NewtonKantorovich:
        return NewtonKantorovich(
            c * slack,
            2.0 * kernel * slack * errors.value,
            2.0 * kernel * slack * errors.first,
            2.0 * kernel * slack * (errors.second_constant + errors.second),
            geometry.radius,
        )

    def euclidean(c: float, kernel: float) -> NewtonKantorovich:
        return NewtonKantorovich(
            c * slack,
            2.0 * kernel * slack * math.sqrt(system.atoms) * errors.value,
            2.0 * kernel * slack * errors.first,
            2.0 * kernel * slack * (errors.frobenius_second_constant + errors.second),
            geometry.radius,
        )

    return Bounds(
        errors,
        _stationary(screened, errors, geometry),
        largest(max_norm(inverse), max_norm(J)),
        euclidean(float(np.linalg.norm(inverse, 2)), float(np.linalg.norm(J, 2))),
        largest(1.0, max_norm(S)),
        euclidean(1.0, float(np.linalg.norm(S, 2))),
    )


def stability_constant(screened: ScreenedInteraction) -> float:
    """c_stab = ‖DT(v*)⁻¹‖_∞ = 2‖ε⁻¹χ₀⁻¹‖_∞ of (3.12), Hartree/electron; ∞ for a singular χ₀."""
    inverse = screened.inverse_response
    if inverse is None:
        return math.inf
    relative = len(inverse) * _EPS * max_norm(screened.response) * max_norm(inverse)
    product = max_norm(screened.inverse_dielectric @ inverse)
    slack = (1.0 + screened.rounding) / (1.0 - relative) if relative < 0.5 else math.inf
    return 2.0 * product * slack


def _stationary(
    screened: ScreenedInteraction, errors: Errors, geometry: Geometry
) -> NewtonKantorovich:
    j = max_norm(screened.kernel)
    p1 = 2.0 * (errors.first_constant + errors.first)
    p2 = 2.0 * (errors.second_constant + errors.second)
    p3 = 2.0 * (errors.third_constant + errors.third)
    defect = 2.0 * j * errors.value
    dielectric = 1.0 + 2.0 * j * errors.first_constant
    return NewtonKantorovich(
        stability_constant(screened),
        0.5 * p1 * defect,
        0.5 * p2 * defect + errors.first * dielectric + p1 * j * errors.first,
        0.5 * p3 * (defect + (1.0 + j * p1) * geometry.radius)
        + p2 * (1.0 + j * p1)
        + 0.5 * p1 * j * p2,
        geometry.radius,
    )
