r"""Energy, potentials, features, forces and strain derivative of a system, by one splitting.

U_a^t = ∂_y^t of the potential at site a, summed over pairs with :func:`.pair_sum.lattice_pair`, is
all there is: V_aA = Σ_t D_A,t U_a^t is conjugate to the multipole p_aA, E = ½ Σ p V, the force on a
site is −Σ p_aA Σ_t D_A,t U_a^{t+e}, and features are the same with the widths of the projections.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import flint
import numpy as np

from scc.electrostatics.goldens.free_space import FreeSpace
from scc.electrostatics.goldens.numbers import ExactArray, Real, exact, exact_array, zeros
from scc.electrostatics.goldens.pair_sum import Lattice, lattice_pair
from scc.electrostatics.goldens.periodic import PeriodicCell
from scc.electrostatics.goldens.polynomials import (
    UNITS,
    moments,
    monomials,
    operators,
    plus,
    position,
    product,
    reflected,
)
from scc.electrostatics.goldens.slab import SlabCell
from scc.electrostatics.goldens.system import Feature, System


@dataclass(frozen=True)
class Source:
    """One site as a source: D-contracted moments of degree ``order``."""

    position: ExactArray
    variance: Real
    moments: ExactArray
    order: int


class Evaluation:
    """A system at one splitting (which open systems do not have).

    Args:
        splitting: √s over its balanced value.
    """

    def __init__(self, system: System, splitting: float = 1.0) -> None:
        self.system = system
        self.positions = exact_array(system.positions)
        self.variances = exact_array(system.widths) ** 2
        self.multipoles = exact_array(system.multipoles)
        self.lattice = _lattice(system, splitting)
        self.sources = [
            Source(r, w, moments(p, system.l_max), system.l_max)
            for r, w, p in zip(self.positions, self.variances, self.multipoles, strict=True)
        ]
        self._known: dict[tuple[int, int, float, int, bool], ExactArray] = {}
        self.outside = [
            Source(exact_array(place), exact(0.0), exact_array([charge]), 0)
            for place, charge in system.external_charges
        ]

    @cached_property
    def internal(self) -> ExactArray:
        """U_a^t of the system itself, |t| ≤ l_max + 1: (N, monomials). Without points' own."""
        self._sum_pairs()
        return self._internal

    @cached_property
    def external(self) -> ExactArray:
        """U_a^t of what acts from outside."""
        order = self.system.l_max + 1
        result = zeros(len(self.sources), len(monomials(order)))
        for a, (place, variance) in enumerate(zip(self.positions, self.variances, strict=True)):
            result[a] = self._from_outside(place, variance, order)
        return result

    @property
    def energy(self) -> Real:
        """½ Σ p V of the system itself plus Σ p V of what acts from outside."""
        internal = (self.multipoles * self.components(self.internal)).sum() / 2
        return internal + self.external_energy

    @property
    def external_energy(self) -> Real:
        """Σ p V of what acts from outside."""
        return (self.multipoles * self.components(self.external)).sum()

    @cached_property
    def self_energy(self) -> Real:
        """Part of the energy that sites with a width have with themselves, images not counted."""
        result = exact(0.0)
        free = FreeSpace(self.system.screening)
        for source in self.sources:
            if source.variance > 0:
                polynomial = product(
                    source.moments,
                    source.order,
                    reflected(source.moments, source.order),
                    source.order,
                )
                pair = lattice_pair(free, zeros(3), 2 * source.variance, 2 * source.order)
                result += polynomial @ pair.tensor / 2
        return result

    @property
    def measure(self) -> Real:
        """Volume of the cell (periodic) or area (slab); 1 in open boundaries."""
        if isinstance(self.lattice, PeriodicCell):
            return self.lattice.volume
        return self.lattice.area if isinstance(self.lattice, SlabCell) else exact(1.0)

    @property
    def potential(self) -> ExactArray:
        """V (N, (l_max+1)²)."""
        return self.components(self.internal + self.external)

    @property
    def forces(self) -> ExactArray:
        """−∂E/∂r at fixed multipoles: (N, 3)."""
        tensor = self.internal + self.external
        place = position(self.system.l_max + 1)
        result = zeros(len(self.sources), 3)
        for a, source in enumerate(self.sources):
            for t, value in zip(monomials(source.order), source.moments, strict=True):
                for axis, unit in enumerate(UNITS):
                    result[a, axis] -= value * tensor[a, place[plus(t, unit)]]
        return result

    @cached_property
    def strain(self) -> ExactArray:
        """∂E/∂ε_ij at fixed multipole components, nothing acting from outside: (3, 3)."""
        self._sum_pairs()
        return self._strain

    def potential_at(self, points: ExactArray) -> ExactArray:
        """Potential (n,), of everything."""
        result = zeros(len(points))
        for index, point in enumerate(points):
            result[index] = self._from_outside(point, exact(0.0), 0)[0]
            for source in self.sources:
                result[index] += self._action(source, point, exact(0.0), 0)[0]
            result[index] += self._surface(point, 0)[0]
        return result

    def features(self, wanted: Feature) -> ExactArray:
        """(N, (l_max+1)²)."""
        variance, order = exact(wanted.width) ** 2, wanted.l_max
        tensor = zeros(len(self.sources), len(monomials(order)))
        for a, place in enumerate(self.positions):
            tensor[a] = self._from_outside(place, variance, order) + self._surface(place, order)
            for k, source in enumerate(self.sources):
                own = a == k and not wanted.self_interaction
                key = (a, k, wanted.width, order, own)  # with and without self differ in a = k only
                if key not in self._known:
                    self._known[key] = self._action(source, place, variance, order, own)
                tensor[a] += self._known[key]
        return self.components(tensor, order)

    def components(self, tensor: ExactArray, l_max: int | None = None) -> ExactArray:
        """Σ_t D_A,t U^t over the last axis."""
        known = operators(self.system.l_max if l_max is None else l_max)
        place = position(self.system.l_max + 1)  # lower orders stand first
        place = place if l_max is None else position(l_max)
        result = zeros(*tensor.shape[:-1], len(known))
        for index, operator in enumerate(known):
            for t, value in operator.items():
                result[..., index] += value * tensor[..., place[t]]
        return result

    def _sum_pairs(self) -> None:
        order = self.system.l_max + 1
        number = len(self.sources)
        self._internal = zeros(number, len(monomials(order)))
        self._strain = zeros(3, 3)
        for a in range(number):
            for k in range(a, number):
                self._add_pair(a, k, order)
        for a, place in enumerate(self.positions):
            self._internal[a] += self._surface(place, order)
        self._strain = self._strain + self._surface_strain()

    def _add_pair(self, a: int, k: int, order: int) -> None:
        left, right = self.sources[a], self.sources[k]
        mirrored = reflected(right.moments, right.order)
        pair = lattice_pair(
            self.lattice,
            left.position - right.position,
            left.variance + right.variance,
            2 * order - 1,
            own_excluded=a == k and left.variance == 0,
            polynomial=product(left.moments, left.order, mirrored, right.order),
        )
        self._internal[a] += _acting(pair.tensor, right, order)
        if a == k:
            self._strain = self._strain + pair.strain / 2
            return
        self._internal[k] += _acting(reflected(pair.tensor, 2 * order - 1), left, order)
        self._strain = self._strain + pair.strain

    def _action(
        self, source: Source, target: ExactArray, variance: Real, order: int, own: bool = False
    ) -> ExactArray:
        pair = lattice_pair(
            self.lattice,
            target - source.position,
            source.variance + variance,
            order + source.order,
            own_excluded=own,
        )
        return _acting(pair.tensor, source, order)

    def _from_outside(self, target: ExactArray, variance: Real, order: int) -> ExactArray:
        result = zeros(len(monomials(order)))
        for source in self.outside:
            result = result + self._action(source, target, variance, order)
        if self.system.external_field is not None:
            applied = exact_array(self.system.external_field)
            result[0] -= applied @ target
            if order > 0:
                result[1:4] -= applied
        return result

    @cached_property
    def _dipole(self) -> ExactArray:
        """Σ (q r + d), positions as given."""
        charges = self.multipoles[:, 0]
        result = charges @ self.positions
        if self.system.l_max > 0:
            result = result + self.multipoles[:, [3, 1, 2]].sum(axis=0)
        return np.asarray(result)

    @cached_property
    def _surface_factor(self) -> Real:
        permittivity = self.system.surface_permittivity
        if permittivity is None or not isinstance(self.lattice, PeriodicCell):
            return exact(0.0)
        return 4 * flint.arb.pi() / ((2 * exact(permittivity) + 1) * self.lattice.volume)

    def _surface(self, target: ExactArray, order: int) -> ExactArray:
        """The surface term acts like a uniform field: 4π/((2ε'+1)Ω) M·x."""
        result = zeros(len(monomials(order)))
        result[0] = self._surface_factor * (self._dipole @ target)
        if order > 0:
            result[1:4] = self._surface_factor * self._dipole
        return result

    def _surface_strain(self) -> ExactArray:
        """Of 2π M²/((2ε'+1)Ω): M changes by ε Σ q r."""
        charged = self.multipoles[:, 0] @ self.positions
        result = zeros(3, 3)
        for i in range(3):
            result[i, i] -= self._surface_factor * (self._dipole @ self._dipole) / 2
            for j in range(3):
                result[i, j] += self._surface_factor * self._dipole[i] * charged[j]
        return result


def _lattice(system: System, splitting: float) -> Lattice:
    if system.cell is None:
        return FreeSpace(system.screening)
    cell = exact_array(system.cell)
    if system.kind == "slab":
        return SlabCell(cell[:2], splitting)
    return PeriodicCell(cell, system.screening, splitting)


def _acting(tensor: ExactArray, source: Source, order: int) -> ExactArray:
    """∂_y^t of the potential of the source, |t| ≤ order, from ∂^t G."""
    place = position(order + source.order)
    signed = reflected(source.moments, source.order)  # ∂_r = −∂_X
    result = zeros(len(monomials(order)))
    for index, t in enumerate(monomials(order)):
        for u, value in zip(monomials(source.order), signed, strict=True):
            result[index] += value * tensor[place[plus(t, u)]]
    return result
