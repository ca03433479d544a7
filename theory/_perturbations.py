"""One derivative of a tight-binding model: ∂/∂v̂_mc or ∂/∂r_m as matrices, and what it does to
p_ℓ and E_ℓ by the model's own derivative products."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.theory.statement import Check, joined
from scc.theory.system import TightBindingSystem


@dataclass(frozen=True, eq=False)
class Perturbation:
    """∂/∂v̂_mc, or ∂/∂(r_m)_axis at fixed v̂.

    Attributes
    ----------
    atom: m.
    name: ``v̂`` or ``r``.
    direction: the unit vector in v̂ (its shape), or in r (M, 3).
    change, potential: A = ∂H and B = ∂v, (n, n).
    repulsion: ∂ of the short-range repulsion in E_ℓ, (M,): part of the model, bounded by itself.
    """

    atom: int
    name: str
    direction: FloatArray
    change: FloatArray
    potential: FloatArray
    repulsion: FloatArray


def by_feature(system: TightBindingSystem, atom: int, feature: int = 0) -> Perturbation:
    """∂/∂v̂_mc."""
    unit = np.zeros(system.features.size)
    unit[atom * (system.features.size // system.atoms) + feature] = 1.0
    w = system.assembly.feature_matrix(unit.reshape(system.features.shape))
    matrix = np.diag(w) if w.ndim == 1 else w
    return Perturbation(
        atom, "v̂", unit.reshape(system.features.shape), matrix, matrix, np.zeros(system.atoms)
    )


def by_position(system: TightBindingSystem, atom: int, axis: int) -> Perturbation:
    """∂/∂(r_m)_axis at fixed v̂."""
    displacement = np.zeros((system.atoms, 3))
    displacement[atom, axis] = 1.0
    free, potential = system.assembly.hamiltonian_perturb(displacement, system.features)
    repulsion = system.assembly.repulsion_jvp(displacement)
    return Perturbation(atom, "r", displacement, free + potential, potential, repulsion)


def sampled_atoms(system: TightBindingSystem, number: int) -> list[int]:
    """Up to ``number`` atoms spread evenly over the list, first and last among them."""
    number = min(number, system.atoms)
    return sorted({int(i) for i in np.linspace(0, system.atoms - 1, number).round()})


def sampled(system: TightBindingSystem, number: int) -> Iterator[Perturbation]:
    """∂/∂v̂_m and ∂/∂r_m along one axis for each of the :func:`sampled_atoms` m."""
    for atom in sampled_atoms(system, number):
        yield by_feature(system, atom)
        yield by_position(system, atom, atom % 3)


def compared(
    system: TightBindingSystem,
    number: int,
    quantity: str,
    compare: Callable[[Perturbation], tuple[ArrayLike, ArrayLike, ArrayLike]],
) -> list[Check]:
    """One check by v̂ and one by r of ``compare`` → (measured, bound, rounding) on all that are
    :func:`sampled`; the variable replaces {} in ``quantity``."""
    found: dict[str, list[tuple[ArrayLike, ArrayLike, ArrayLike]]] = {}
    for perturbation in sampled(system, number):
        name = quantity.format(perturbation.name)
        found.setdefault(name, []).append(compare(perturbation))
    return joined(found)


def measured(system: TightBindingSystem, perturbation: Perturbation) -> tuple[FloatArray, ...]:
    """(∂p_ℓ, ∂E_ℓ), (M,) each, by the derivative products of the model itself."""
    state, direction = system.state, perturbation.direction
    if perturbation.name == "v̂":
        return state.populations_jvp(direction), state.site_energies_jvp(direction)
    return (
        state.populations_position_jvp(direction),
        state.site_energies_position_jvp(direction),
    )
