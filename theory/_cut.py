"""A cluster around a site of an on-site system, and what couples it to the rest.

Letters are those of :mod:`scc.theory.thermodynamic_limit`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scc.arrays import BoolArray, FloatArray, IntArray
from scc.theory._subsystem import subsystem
from scc.theory.system import TightBindingSystem


@dataclass(frozen=True)
class Cut:
    """A system, a site ℓ and a radius R in bohr; Λ_R must leave some atoms outside."""

    system: TightBindingSystem
    site: int
    radius: float

    @cached_property
    def atoms(self) -> IntArray:
        """Λ_R, ascending."""
        return np.flatnonzero(self.system.distances[self.site] <= self.radius)

    @cached_property
    def cluster(self) -> TightBindingSystem:
        """The system assembled from Λ_R alone, at the same v̂, β and µ."""
        return subsystem(self.system, self.atoms.tolist())

    @cached_property
    def inside(self) -> BoolArray:
        """Which orbitals belong to Λ_R."""
        return np.isin(self.system.owner, self.atoms)

    @cached_property
    def coupling(self) -> FloatArray:
        """W, (orbitals outside, orbitals inside)."""
        return self.system.hamiltonian[~self.inside][:, self.inside]

    @cached_property
    def own(self) -> IntArray:
        """The orbitals of ℓ among those of Λ_R."""
        return np.flatnonzero(self.atoms[self.cluster.owner] == self.site)

    @cached_property
    def gap_below(self) -> float:
        """Distance from µ down to the nearest level of H or H_R, Hartree."""
        return min(self.system.gap_below, self.cluster.gap_below)

    @cached_property
    def gap_above(self) -> float:
        """Distance from µ up to the nearest level of either."""
        return min(self.system.gap_above, self.cluster.gap_above)

    @property
    def beta(self) -> float:
        return self.system.beta

    @property
    def mu(self) -> float:
        return self.system.mu

    @property
    def zero_temperature(self) -> bool:
        return self.system.zero_temperature

    def level_distance(self, energy: float) -> float:
        """dist(E, σ(H)), less the error of the eigenvalues, Hartree."""
        nearest = float(np.min(np.abs(self.system.levels - energy)))
        return max(nearest - self.system.rounding_unit, 0.0)

    def measured(self) -> tuple[float, float]:
        """(|p_ℓ(Λ) − p_ℓ(Λ_R)|, |E_ℓ(Λ) − E_ℓ(Λ_R)|), electrons and Hartree; E_ℓ of the electrons:
        pair repulsion is left out, what it loses is a sum over the pairs cut."""
        values = []
        for system, place in ((self.system, self.site), (self.cluster, self._place)):
            repulsion = system.assembly.repulsion_energies()[place]
            values.append(
                (system.state.populations[place], system.state.site_energies[place] - repulsion)
            )
        (p, energy), (p_cluster, energy_cluster) = values
        return abs(float(p - p_cluster)), abs(float(energy - energy_cluster))

    @property
    def _place(self) -> int:
        """ℓ in Λ_R."""
        return int(np.searchsorted(self.atoms, self.site))

    def reach(self, rates: FloatArray) -> FloatArray:
        """Bounds of ‖W e^{−ηφ}‖ at the rates η (K,), Hartree."""
        cluster = self.cluster
        weight = np.exp(-np.outer(cluster.distances[self._place][cluster.owner], rates))
        entries = np.abs(self.coupling)[..., None] * weight
        rows, columns = entries.sum(axis=1), entries.sum(axis=0)
        return np.asarray(np.sqrt(rows.max(axis=0, initial=0.0) * columns.max(axis=0, initial=0.0)))
