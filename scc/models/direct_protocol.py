"""The contract of a local model for the direct closure (1.5): (r, v̂) ↦ E_ℓ, ρ_ℓ, v̂ of any kind.

Like :mod:`scc.models.protocol`, without occupations: v̂ are internal variables in which the energy
is stationary, charges most often. A model is three objects: parameters with ``prepare``, a
:class:`DirectModel` at one geometry, a :class:`DirectLocalState` at one v̂.
"""

from typing import Any, Protocol

from scc.arrays import FloatArray
from scc.configuration import Configuration


class DirectLocalState(Protocol):
    """Everything at one (r, v̂), with derivative products.

    v̂ and dv̂ of one shape, D and A of another, dr (M, 3), weights a (M,). Energies Hartree.
    :class:`.charge_state.ChargeState` has all of it for v̂ = q but the energies.
    """

    @property
    def features(self) -> FloatArray: ...
    @property
    def density(self) -> FloatArray: ...
    @property
    def site_energies(self) -> FloatArray: ...

    # Derivatives of the density.
    def density_jvp(self, direction: FloatArray) -> FloatArray: ...
    def density_vjp(self, potential: FloatArray) -> FloatArray: ...
    def density_position_jvp(self, displacement: FloatArray) -> FloatArray: ...
    def density_position_vjp(self, potential: FloatArray) -> FloatArray: ...
    def density_second_vjp(self, direction: FloatArray, potential: FloatArray) -> FloatArray: ...
    def density_second_position_vjp(
        self, displacement: FloatArray, potential: FloatArray
    ) -> FloatArray: ...

    # Derivatives of Σ E_ℓ.
    def feature_energy_vjp(self) -> FloatArray: ...
    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray: ...
    def feature_energy_position_vjp(self) -> FloatArray: ...
    def feature_energy_second_position_vjp(self, displacement: FloatArray) -> FloatArray: ...

    # Derivatives along dv̂ of the two products with ∂/∂r, (M, 3): for adjoints only.
    def feature_energy_position_vjp_along(self, direction: FloatArray) -> FloatArray: ...
    def density_position_vjp_along(
        self, direction: FloatArray, potential: FloatArray
    ) -> FloatArray: ...

    # Derivatives of the site energies: what locality is measured by.
    def site_energies_jvp(self, direction: FloatArray) -> FloatArray: ...
    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray: ...


class DirectModel(Protocol):
    """A bound local model for the direct closure.

    More attributes may be there. ``affine`` (default False): ΣE_ℓ is quadratic and ρ affine in
    v̂, so that R = 0 is one linear equation. ``convex`` (default False): ΣE_ℓ is strictly convex and
    ρ affine in v̂, whatever v̂; with convex terms that certifies stability. ``curvature`` > 0, the
    shape of v̂: about the diagonal of H, for preconditioning. ``guess``: the v̂ that solvers start
    from, by default 0. ``electron_weights`` e, the shape of D: Σ∫(ρ − ν) = ⟨e, D⟩; by default
    D (M,) are charges and D (M, n) multipoles, λ = 0 first.
    ``dipole_potentials`` (3, *shape of D): ∫x(ρ − ν) = ⟨x, D⟩, likewise.
    """

    @property
    def configuration(self) -> Configuration: ...
    @property
    def feature_shape(self) -> tuple[int, ...]: ...
    @property
    def electrostatics(self) -> tuple[Any, ...]:
        """Density terms of E_H on D."""
        ...

    def evaluate(self, features: FloatArray) -> DirectLocalState: ...
