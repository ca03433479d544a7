r"""E(r, v̂) with internal variables v̂ of any kind, closed directly, eq. (1.5): QEq, CENT, BpopNN.

The local model gives site energies and the density D = ρ(r, v̂), coefficients of n = ρ − ν
(electrons in excess; for net charges v̂ = q it is D = −q); the terms give E_H and V = ∂E_H/∂D, what
an electron feels. With e the counter of electrons, Σ∫n = ⟨e, D⟩, and µ the multiplier of Σ∫n = −Q,

    E(r, v̂) = Σ_ℓ E_ℓ(r, v̂) + E_H[r, ρ(r, v̂)],          L = E − µ (⟨e, ρ(r, v̂)⟩ + Q),
    R(r, v̂, µ) = ∂L/∂v̂ = ∂_v̂ΣE_ℓ + (∂_v̂ρ)ᵀ(V − µe) = 0.

For charges R_ℓ = ∂E_ℓ/∂q_ℓ − V_ℓ + µ: every atom has the electronegativity −µ. The Hessian

    H dv̂ = ∂²_v̂ΣE_ℓ·dv̂ + (∂_v̂ρ)ᵀ J ∂_v̂ρ·dv̂ + ⟨∂²_v̂ρ[dv̂, ·], V − µe⟩

is symmetric, and a solution is a minimum iff H is positive definite on {dv̂ : c·dv̂ = 0},
c = (∂_v̂ρ)ᵀe. There dE/dr = ∂L/∂r at fixed v̂: forces need no adjoint.

*Equations of another model* (4G-HDNNP: charges of CENT, energy of a network that reads them): v̂
solves R = 0 of ``equations``, a functional of the same v̂; then with the adjoint λ, λ_µ

    H λ + c λ_µ = ∂E/∂v̂,   c·λ = 0:      dE/dr = ∂E/∂r − λ·∂R/∂r − λ_µ ∂⟨e, ρ⟩/∂r,

with R, H, c, ρ and µ of ``equations``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError
from scc.functional.closure import Direct, possible_charge
from scc.functional.terms import DensityTerm
from scc.models.direct_protocol import DirectLocalState, DirectModel


class DirectFunctional:
    """E(r, ·) at a fixed geometry.

    Args:
        model: a bound local model.
        total_charge: Q, elementary charges; 0 unless given.
        chemical_potential: µ of the electrons, Hartree, instead of Q; also for models that conserve
            charge by themselves (any value: it has no effect).
        terms: E_H; by default the electrostatics of the model. extra_terms: added to ``terms``.
        equations: whose residual v̂ is a solution of, if it is not the energy's; Q or µ are then
            those of the equations.
    Raises:
        InputError: a model that is not bound, or has electronic levels; both Q and µ, or one that
            is not a finite number; Q > ΣZ, more than all electrons; equations of another shape of
            v̂, or Q and µ besides equations.
    """

    def __init__(
        self,
        model: DirectModel,
        *,
        total_charge: float | None = None,
        chemical_potential: float | None = None,
        terms: Sequence[DensityTerm] | None = None,
        extra_terms: Sequence[DensityTerm] = (),
        equations: DirectFunctional | None = None,
    ) -> None:
        if hasattr(model, "neutral_electrons") or not hasattr(model, "feature_shape"):
            raise InputError(
                f"{type(model).__name__} is no bound model for the direct closure: prepare() binds "
                "a model of charges, and one with electronic levels goes to EnergyFunctional"
            )
        self.model, self.equations = model, equations
        chosen: Sequence[DensityTerm] = model.electrostatics if terms is None else terms
        self.terms: tuple[DensityTerm, ...] = (*chosen, *extra_terms)
        if equations is None:
            if total_charge is None and chemical_potential is None:
                total_charge = 0.0
            if total_charge is not None:
                total_charge = possible_charge(total_charge, model.configuration)
            weights = getattr(model, "electron_weights", None)
            self.closure = Direct(total_charge, chemical_potential, weights)
            return
        if total_charge is not None or chemical_potential is not None:
            raise InputError("the equations of another model have their own charge or µ")
        if tuple(equations.model.feature_shape) != tuple(model.feature_shape):
            raise InputError(
                f"the model has variables of shape {tuple(model.feature_shape)}, its equations "
                f"{tuple(equations.model.feature_shape)}"
            )
        self.closure = equations.closure

    @property
    def configuration(self) -> Configuration:
        return self.model.configuration

    @property
    def variational(self) -> bool:
        """Whether E itself is stationary at a solution."""
        return self.equations is None

    @property
    def affine(self) -> bool:
        """Whether R = 0 is one linear equation."""
        if self.equations is not None:
            return self.equations.affine
        return bool(getattr(self.model, "affine", False))

    @property
    def convex(self) -> bool:
        """Whether H ≻ 0 is certain at every v̂."""
        if self.equations is not None:
            return self.equations.convex
        local = bool(getattr(self.model, "convex", False))
        return local and all(term.convex for term in self.terms)

    def initial_features(self) -> FloatArray:
        """v̂ = 0, neutral atoms, or the ``guess`` of the model."""
        said = getattr(self.model, "guess", None)
        return np.zeros(self.model.feature_shape) if said is None else np.array(said)

    def evaluate(self, features: FloatArray, chemical_potential: float = 0.0) -> DirectState:
        """Everything at v̂ and µ (a given µ replaces the argument).

        Raises:
            InputError: v̂ of another shape, or not finite.
        """
        array = np.asarray(features, dtype=np.float64)
        if array.shape != tuple(self.model.feature_shape):
            raise InputError(
                f"variables have shape {array.shape}, expected {tuple(self.model.feature_shape)}"
            )
        if not np.all(np.isfinite(array)):
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise InputError(f"variable {index} is {array[index]}, must be finite")
        given = self.closure.chemical_potential
        mu = chemical_potential if given is None else given
        return DirectState(self, self.model.evaluate(array), mu)

    def counter(self, density: FloatArray) -> FloatArray:
        """e with Σ∫(ρ − ν) = ⟨e, D⟩, the shape of D."""
        if self.equations is None:
            return self.closure.counter(density)
        weights = getattr(self.model, "electron_weights", None)  # may differ from the equations'
        return Direct(0.0, electron_weights=weights).counter(density)

    def net_charges(self, density: FloatArray) -> FloatArray:
        """q (M,) of D: minus the electrons in excess of each atom."""
        counted = (self.counter(density) * density).reshape(len(density), -1)
        return np.asarray(-counted.sum(axis=1))

    def dipole_potentials(self, density: FloatArray) -> FloatArray:
        """x_a with ∫x_a(ρ − ν) = ⟨x_a, D⟩, (3, *shape of D), bohr: a unit field's potentials."""
        said = getattr(self.model, "dipole_potentials", None)
        if said is not None:
            return np.asarray(said(), dtype=np.float64)
        x = np.zeros((3, len(density), density.size // len(density)))
        x[:, :, 0] = self.configuration.positions.T
        if x.shape[2] >= 4:
            for axis, column in enumerate((3, 1, 2)):  # R_1 = (y, z, x)
                x[axis, :, column] = 1.0
        return x.reshape(3, *density.shape)

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """∂V/∂D·dD, the shape of D."""
        return sum((t.kernel(density, direction) for t in self.terms), np.zeros_like(density))


class DirectState:
    """E, L, R and their derivatives at one (v̂, µ); ``local`` is the model's state."""

    def __init__(
        self, functional: DirectFunctional, local: DirectLocalState, chemical_potential: float
    ) -> None:
        self.functional, self.local = functional, local
        self.chemical_potential = chemical_potential
        self.features, self.density = local.features, local.density

    def with_chemical_potential(self, chemical_potential: float) -> DirectState:
        """The same v̂ at another µ."""
        return DirectState(self.functional, self.local, chemical_potential)

    @cached_property
    def equations(self) -> DirectState:
        """The state of the functional whose residual is to vanish: this one, or another's."""
        other = self.functional.equations
        if other is None:
            return self
        return other.evaluate(self.features, self.chemical_potential)

    # The energy.

    @cached_property
    def energy(self) -> float:
        """E = ΣE_ℓ + E_H[ρ], Hartree (not L)."""
        return float(np.sum(self.local.site_energies)) + self.long_range_energy

    @property
    def long_range_energy(self) -> float:
        """E_H[ρ], Hartree."""
        return float(sum(term.energy(self.density) for term in self.functional.terms))

    @property
    def site_energies(self) -> FloatArray:
        """E_ℓ (M,), Hartree."""
        return self.local.site_energies

    @cached_property
    def potential(self) -> FloatArray:
        """V = ∂E_H/∂D, the shape of D."""
        parts = (term.potential(self.density) for term in self.functional.terms)
        return sum(parts, np.zeros_like(self.density))

    @cached_property
    def gradient(self) -> FloatArray:
        """∂E/∂v̂ = ∂ΣE_ℓ/∂v̂ + (∂_v̂ρ)ᵀV, the shape of v̂."""
        return self.local.feature_energy_vjp() + self.local.density_vjp(self.potential)

    @cached_property
    def position_gradient(self) -> FloatArray:
        """∂E/∂r at fixed v̂, (M, 3), Hartree/bohr."""
        return self._position_gradient(self.potential)

    # The equations, of L = E − µ(⟨e, ρ⟩ + Q). Those of another model are asked for at
    # :attr:`equations`; nothing below looks at the functional's own ``equations``.

    @cached_property
    def excess(self) -> float:
        """⟨e, ρ⟩ + Q: electrons too many (0 where µ is given)."""
        return self.functional.closure.excess(float(np.vdot(self._counter, self.density)))

    @cached_property
    def count_gradient(self) -> FloatArray:
        """c = (∂_v̂ρ)ᵀe, the shape of v̂."""
        return self.local.density_vjp(self._counter)

    @cached_property
    def residual(self) -> FloatArray:
        """R = ∂L/∂v̂, the shape of v̂."""
        return self.gradient - self.chemical_potential * self.count_gradient

    def hessian_vector_product(self, direction: FloatArray) -> FloatArray:
        """H dv̂ = ∂R/∂v̂·dv̂, the shape of v̂."""
        moved = self.functional.kernel(self.density, self.local.density_jvp(direction))
        return (
            self.local.density_vjp(moved)
            + self.local.density_second_vjp(direction, self._felt)
            + self.local.feature_energy_second_vjp(direction)
        )

    def residual_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂R/∂r·dr at fixed v̂ and µ, the shape of v̂."""
        response = self.local.density_position_jvp(displacement)
        moved = self.functional.kernel(self.density, response)
        for term in self.functional.terms:
            moved = moved + term.potential_position_jvp(self.density, displacement)
        return (
            self.local.density_vjp(moved)
            + self.local.density_second_position_vjp(displacement, self._felt)
            + self.local.feature_energy_second_position_vjp(displacement)
        )

    def excess_position_jvp(self, displacement: FloatArray) -> float:
        """∂⟨e, ρ⟩/∂r·dr at fixed v̂."""
        return float(np.vdot(self._counter, self.local.density_position_jvp(displacement)))

    @cached_property
    def lagrangian_position_gradient(self) -> FloatArray:
        """∂L/∂r at fixed v̂ and µ, (M, 3): dE/dr at a solution of this state's own equations."""
        return self._position_gradient(self._felt)

    def residual_position_vjp(self, cotangent: FloatArray, multiplier: float) -> FloatArray:
        """∂[⟨λ, R⟩ + λ_µ⟨e, ρ⟩]/∂r at fixed v̂ and µ, (M, 3): what the adjoint asks for.

        Terms must be quadratic in D, as all Coulomb terms are: their part is a difference of two
        gradients, exact for any step.
        """
        change = self.local.density_jvp(cotangent)
        moved = self.functional.kernel(self.density, change) + multiplier * self._counter
        result = (
            self.local.feature_energy_position_vjp_along(cotangent)
            + self.local.density_position_vjp_along(cotangent, self._felt)
            + self.local.density_position_vjp(moved)
        )
        size = float(np.max(np.abs(change), initial=0.0))
        if size == 0.0:
            return result
        step = max(float(np.max(np.abs(self.density))), 1e-3) / size  # alike: least cancellation
        for term in self.functional.terms:
            ahead = term.position_gradient(self.density + step * change)
            behind = term.position_gradient(self.density - step * change)
            result = result + (ahead - behind) / (2.0 * step)
        return result

    @cached_property
    def _counter(self) -> FloatArray:
        return self.functional.counter(self.density)

    @cached_property
    def _felt(self) -> FloatArray:
        """V − µe: what multiplies changes of the density in L."""
        return self.potential - self.chemical_potential * self._counter

    def _position_gradient(self, felt: FloatArray) -> FloatArray:
        gradient = self.local.feature_energy_position_vjp() + self.local.density_position_vjp(felt)
        for term in self.functional.terms:
            gradient = gradient + term.position_gradient(self.density)
        return gradient
