"""The result of an equilibration: state, status, and what can be asked of it on demand."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.equilibration.dielectric import DielectricOperator
from scc.equilibration.solution import Solution
from scc.functional.closure import Conjugate
from scc.functional.energy import EnergyFunctional, FunctionalState


@dataclass
class Equilibrium(Solution):
    """v̂*(r) with T(v̂*) = 0, or an honest account of why not.

    Attributes
    ----------
    status
        ``converged``; ``stalled`` or ``diverged`` (no fixed point reached); ``unstable`` (a fixed
        point with λ_min(ε) ≤ 0, not a minimiser); ``wrong electron number`` (β = ∞,
        grand-canonical: the fixed point found holds a number of electrons that µ does not select).
    residual
        Largest |ρ_out − ρ_in| coefficient (complete features) or |∂𝒢/∂v̂| (expansion), electrons.
    history
        The residual of every density build.
    energy
        𝒢(r, v̂*), or 𝒢 + µN in the canonical ensemble, Hartree.
    """

    functional: EnergyFunctional
    state: FunctionalState

    @property
    def charges(self) -> FloatArray:
        """q_ℓ = Z_ℓ − 2 tr F(H)_ℓℓ, net atomic charges in the orthonormal orbitals, (M,)."""
        return self.functional.model.nuclear_charges - self.state.local.populations

    @property
    def gap(self) -> float:
        """Distance between the eigenvalues next to µ, Hartree."""
        return self.state.local.gap

    @property
    def fermi_level(self) -> float:
        """µ, Hartree: given (grand-canonical) or following from the electron count."""
        return self.state.chemical_potential

    @cached_property
    def forces(self) -> FloatArray:
        """−∂𝒢/∂r at fixed v̂* (Hellmann–Feynman with Pulay terms), (M, 3), Hartree/Bohr."""
        return -self.state.position_gradient

    @cached_property
    def dielectric(self) -> DielectricOperator:
        """ε = 1 − Kχ₀ at v̂*."""
        return DielectricOperator(self.state, self.work)

    @cached_property
    def extreme_eigenvalues(self) -> tuple[float, float]:
        """(λ_min, λ_max) of ε; in the expansion form of (−K)⁻¹∂²𝒢 on the range of K."""
        if isinstance(self.functional.closure, Conjugate):
            return self.dielectric.extreme_eigenvalues()
        curvature, response = self.hessian, -self.state.local.feature_response()
        values, vectors = scipy.linalg.eigh(response)
        if values[-1] <= 1e-14:  # all orbitals full or empty: nothing responds, ε = 1
            return 1.0, 1.0
        keep = values > 1e-10 * values[-1]
        basis = vectors[:, keep] / np.sqrt(values[keep])
        spectrum = scipy.linalg.eigvalsh(basis.T @ curvature @ basis)
        return float(spectrum[0]), float(spectrum[-1])

    @property
    def lambda_min(self) -> float:
        """Smallest eigenvalue of ε: stable iff positive.

        At least 1 when E[ρ] is convex and the features are complete; an expansion also sees the
        curvature of 𝒢 from V − v ≠ 0, of either sign.
        """
        return self.extreme_eigenvalues[0]

    @property
    def lambda_max(self) -> float:
        """Largest eigenvalue of ε: damped iteration converges for α < 2/λ_max."""
        return self.extreme_eigenvalues[1]

    @property
    def stable(self) -> bool:
        """A converged fixed point with λ_min(ε) > 0; False for anything unconverged."""
        return self.converged and self.lambda_min > 0.0

    @cached_property
    def hessian(self) -> FloatArray:
        """∂²𝒢/∂v̂² on flattened features, dense (small systems); DT(v̂*) is −½ of it."""
        size = self.features.size
        columns = np.empty((size, size))
        for k, unit in enumerate(np.eye(size)):
            direction = unit.reshape(self.features.shape)
            columns[:, k] = self.state.hessian_vector_product(direction).ravel()
        return 0.5 * (columns + columns.T)

    def stability_constant(self) -> float:
        """c_stab = ‖DT(v̂*)⁻¹‖_{ℓ∞→ℓ∞}, eq. (3.12), dense.

        Infinite where some direction of v̂ does nothing: constants at β = ∞, redundant Ξ, and
        complete matrix-valued features, whose antisymmetric part is not seen. Such states are
        judged by ``dielectric.inverse_norm()``, the gauge-free form.
        """
        values, vectors = scipy.linalg.eigh(-0.5 * self.hessian)
        if np.min(np.abs(values)) <= 1e-13 * np.max(np.abs(values)):
            return float("inf")
        inverse = (vectors / values) @ vectors.T
        return float(np.max(np.sum(np.abs(inverse), axis=1)))
