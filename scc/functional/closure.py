r"""How the potential features v̂ are closed: what makes (r, v̂) self-consistent.

A local model takes v̂ to a density D. A closure goes back from the density to v̂. It is *explicit*
where v̂ is a function of D,

    conjugate    v̂ = V[D] = ∂E/∂D, complete features (2.26): v̂ is the potential itself;
    projection   v̂ = ∫ V ψ = K(r) D + v̂_ext, eq. (4.1): the potential seen by probe functions;

self-consistency is then the fixed point D = D(r, v̂[D]). Otherwise v̂ solves the Euler–Lagrange
equation ∂𝒢/∂v̂ = 0, and a fixed point needs a metric to go from a gradient to a step,

    expansion    V = Σ v̂ Ξ, eq. (2.19), (2.27): the metric is −K = −2⟨DF(H)[W], W⟩, so that the
                 step goes to the best approximation (2.25) of V from the span of Ξ.

Or v̂ are internal variables in which E(r, v̂) = ΣE_ℓ(r, v̂) + E_el[ρ(r, v̂)] itself is stationary,

    direct       ∂_v̂ ΣE_ℓ + (∂_v̂ρ)ᵀ(V − µ) = 0 under Σ∫ρ = N, eq. (1.5): charges of QEq, CENT, ….

*Conjugate*, *expansion* and *direct* make the energy stationary: forces are partial derivatives.
*Projection* does not (Remark 12: unless the probes are conjugate to the density, when K = J), and
needs an adjoint; so do energies whose v̂ solves the *direct* equations of another model.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Protocol

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.projection import ProjectionOperator
from scc.errors import InputError

if TYPE_CHECKING:
    from scc.functional.energy import FunctionalState

# Relative size below which eigenvalues of K count as redundancy of Ξ, not as response.
_REDUNDANT = 1e-11


class ExplicitClosure(Protocol):
    """v̂ as a function of the density D."""

    @property
    def variational(self) -> bool:
        """Whether the functional is stationary in v̂ at a solution."""
        ...

    def features(self, density: FloatArray) -> FloatArray:
        """v̂[D]."""
        ...

    def features_jvp(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """∂v̂/∂D · dD at D."""
        ...


class _Energy(Protocol):
    """The explicit energy of the density, as :class:`EnergyFunctional` offers it."""

    def potential(self, density: FloatArray) -> FloatArray: ...
    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray: ...


class Conjugate:
    """v̂ = ∂E[D]/∂D, of the shape of D."""

    variational = True

    def __init__(self, energy: _Energy) -> None:
        self._energy = energy

    def features(self, density: FloatArray) -> FloatArray:
        """V[D]."""
        return self._energy.potential(density)

    def features_jvp(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """K dD = ∂²E/∂D²·dD."""
        return self._energy.kernel(density, direction)


class Projection:
    """v̂ = K(r) p + v̂_ext, (M, F), for multipoles p (M, 9)."""

    variational = False

    def __init__(self, operator: ProjectionOperator) -> None:
        self.operator = operator

    def features(self, density: FloatArray) -> FloatArray:
        """K p + v̂_ext."""
        return self.operator.apply(density) + self.operator.external

    def features_jvp(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """K dp."""
        return self.operator.apply(direction)


class Expansion:
    """V = Σ v̂ Ξ with ∂𝒢/∂v̂ = 0; steps are K⁺ times a gradient, K = 2⟨DF(H)[W], W⟩ ≤ 0."""

    variational = True

    def steps(self, state: FunctionalState) -> Callable[[FloatArray], FloatArray]:
        """∂𝒢/∂v̂ ↦ K⁺ ∂𝒢/∂v̂ at a state, the null space of K truncated: a descent direction."""
        values, vectors = scipy.linalg.eigh(state.local.feature_response())
        keep = np.abs(values) > _REDUNDANT * np.max(np.abs(values))
        values, vectors = values[keep], vectors[:, keep]

        def step(gradient: FloatArray) -> FloatArray:
            inner = vectors.T @ gradient.ravel()
            return np.asarray((vectors @ (inner / values)).reshape(gradient.shape))

        return step


def finite_number(name: str, value: float) -> float:
    """The value; InputError unless it is one finite real number."""
    if not isinstance(value, Real) or not np.isfinite(float(value)):
        raise InputError(f"the {name} is {value}, must be one finite number")
    return float(value)


def possible_charge(charge: float, configuration: Configuration) -> float:
    """The charge; InputError unless it is finite and takes no more than all electrons, Q ≤ ΣZ."""
    charge = finite_number("total charge", charge)
    most = int(np.sum(configuration.atomic_numbers))
    if charge > most:
        raise InputError(
            f"a charge of {charge:g} e is more than all {most} electrons of the neutral atoms"
        )
    return charge


class Direct:
    r"""v̂ are variables of E(r, v̂) itself, eq. (1.5): E is stationary in v̂ at a given charge.

    Σ∫(ρ − ν) = −Q is the only constraint, µ its multiplier: L = E − µ (Σ∫(ρ − ν) + Q). µ is the
    chemical potential of the *electrons*, ∂E/∂N at equilibrium: minus the equalised
    electronegativity ∂E/∂q of the literature on charge equilibration. Q and µ change roles in the
    grand-canonical ensemble, where µ is given and nothing is constrained.

    Args:
        total_charge: Q, elementary charges. chemical_potential: µ, Hartree. One of them.
        electron_weights: e, the shape of D, with Σ∫(ρ − ν) = ⟨e, D⟩; by default D (M,) are charges
            and D (M, n) multipoles, λ = 0 first.
    Raises:
        InputError: both or none; a value that is not one finite number.
    """

    variational = True

    def __init__(
        self,
        total_charge: float | None = None,
        chemical_potential: float | None = None,
        electron_weights: FloatArray | None = None,
    ) -> None:
        if (total_charge is None) == (chemical_potential is None):
            raise InputError(
                "give a total charge or a chemical potential: found "
                f"total_charge={total_charge}, chemical_potential={chemical_potential}"
            )
        self.total_charge = self.chemical_potential = None
        if total_charge is not None:
            self.total_charge = finite_number("total charge", total_charge)
        if chemical_potential is not None:
            self.chemical_potential = finite_number("chemical potential", chemical_potential)
        self._weights = electron_weights

    @property
    def constrained(self) -> bool:
        """Whether Q is given and µ an unknown."""
        return self.chemical_potential is None

    def counter(self, density: FloatArray) -> FloatArray:
        """e with Σ∫(ρ − ν) = ⟨e, D⟩, the shape of D."""
        if self._weights is not None:
            return self._weights
        unit = np.ones_like(density)
        if density.ndim > 1:
            unit[:, 1:] = 0.0
        return unit

    def excess(self, electrons: float) -> float:
        """Σ∫(ρ − ν) + Q, electrons too many, for Σ∫(ρ − ν) = ``electrons``; 0 where µ is given."""
        return 0.0 if self.total_charge is None else electrons + self.total_charge
