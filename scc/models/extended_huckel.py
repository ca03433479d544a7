r"""Extended Hückel hopping between s and p orbitals with sourced parameters, H–Ar.

The Wolfsberg–Helmholz Hamiltonian between orbitals a on ℓ and b on k ≠ ℓ, with overlap S_ab, is
K ½(ε_a + ε_b) S_ab (J. Chem. Phys. 20 (1952) 837).  The on-site model is *orthonormal by
assumption*, so what it needs is the Hamiltonian between orthogonalised orbitals.  Löwdin's
S^{-1/2} H S^{-1/2} is, to first order in the overlap,

    H⁰_ab = K ½(ε_a + ε_b) S_ab - ½ (ε_a S_ab + S_ab ε_b) = (K_ll' - 1) ½(ε_a + ε_b) S_ab ,

which keeps H⁰ two-body and strictly local, as the theorems assume.  It is multiplied by a C^∞
switch, by default 1 below 10 bohr and 0 beyond 14 bohr: overlaps of the most diffuse shells (Li,
Na) are not small there, so the cut-off is part of the model's definition.  Diagonal: the levels.
Periodic images are folded at the Γ point.

This is a demonstration-grade Hückel model, self-consistent in the atomic populations.  It runs on
any structure of H–Ar, is smooth, and has the right chemistry of electronegativity; bond energies
and geometries are not to be trusted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy.sparse

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.configuration.neighbours import NeighbourPairs, neighbour_pairs
from scc.models.half_matrix import symmetric_from_half
from scc.models.onsite_parameters import ElementParameters, ElementTable, gfn1_table
from scc.models.repulsion import PairRepulsion
from scc.models.slater_koster import RadialFactor, SlaterShell, overlap_blocks
from scc.models.switching import SmoothSwitch

_PAIRS_AT_ONCE = 32768  # bounds the memory of gradient blocks at some tens of MB


class _PlacedShell(NamedTuple):
    """A shell of an element: its first orbital on the atom, and its level in Hartree."""

    start: int
    shell: SlaterShell
    level: float


@dataclass(frozen=True)
class _Block:
    """Matrix elements between one shell of many first atoms and one shell of second atoms."""

    first: IntArray  # (P,) atoms
    second: IntArray
    rows: IntArray  # (P, n₁, n₂) orbitals
    columns: IntArray
    values: FloatArray  # (P, n₁, n₂), Hartree
    gradients: FloatArray | None  # (P, n₁, n₂, 3) in the displacement, Hartree/bohr


@dataclass(frozen=True)
class ExtendedHuckel:
    """Parameters of the on-site model from an element table; see the module docstring.

    Every method raises InputError for an element without parameters, naming the atom.

    Attributes:
        table: levels, shells, hardness, repulsion by element.
        switch: interval in bohr on which hopping and repulsion are switched off.
    """

    table: ElementTable = field(default_factory=gfn1_table)
    switch: tuple[float, float] = (10.0, 14.0)

    @cached_property
    def _switch(self) -> SmoothSwitch:
        return SmoothSwitch(*self.switch)

    def orbitals(self, configuration: Configuration) -> list[tuple[int, ...]]:
        """Angular momenta of the shells of each atom, for instance (0, 1) for carbon."""
        return [tuple(s.l for s in element.shells) for element in self.table.of(configuration)]

    def atom_of_orbital(self, configuration: Configuration) -> IntArray:
        """The atom each orbital sits on, shape (n,); order s, then p in the order y, z, x."""
        sizes = [element.size for element in self.table.of(configuration)]
        return np.repeat(np.arange(len(configuration), dtype=np.int64), sizes)

    def onsite_energies(self, configuration: Configuration) -> FloatArray:
        """Level of each orbital, shape (n,), Hartree."""
        levels = [
            np.repeat(element.levels, [shell.size for shell in element.shells])
            for element in self.table.of(configuration)
        ]
        return np.concatenate(levels)

    def nuclear_charges(self, configuration: Configuration) -> FloatArray:
        """Valence charges Z_ℓ, shape (M,)."""
        return np.array([element.valence_charge for element in self.table.of(configuration)])

    def widths(self, configuration: Configuration) -> FloatArray:
        """σ_ℓ = 1/(U_ℓ√π), shape (M,), bohr, so that J_ℓℓ is the hardness U_ℓ."""
        return np.array([element.width for element in self.table.of(configuration)])

    def hamiltonian(self, configuration: Configuration) -> scipy.sparse.csr_matrix:
        """H⁰ (n, n), Hartree, exactly symmetric."""
        levels = self.onsite_energies(configuration)
        blocks = list(self._blocks(configuration, gradient=False))
        hopping = _assembled(blocks, [block.values for block in blocks], len(levels))
        return scipy.sparse.csr_matrix(hopping + scipy.sparse.diags_array(levels))

    def position_perturb(
        self, configuration: Configuration, displacement: FloatArray
    ) -> scipy.sparse.csr_matrix:
        """∂H⁰/∂r · dr (n, n) for dr (M, 3)."""
        blocks, values = [], []
        for block in self._blocks(configuration, gradient=True):
            assert block.gradients is not None
            change = displacement[block.second] - displacement[block.first]
            values.append(np.einsum("pabx,px->pab", block.gradients, change))
            blocks.append(block)
        return _assembled(blocks, values, len(self.onsite_energies(configuration)))

    def position_contract(self, configuration: Configuration, matrix: FloatArray) -> FloatArray:
        """Σ_ab A_ab ∂H⁰_ab/∂r_m, shape (M, 3), for any square A (n, n)."""
        gradient = np.zeros((len(configuration), 3))
        for block in self._blocks(configuration, gradient=True):
            assert block.gradients is not None
            weight = matrix[block.rows, block.columns] + matrix[block.columns, block.rows]
            push = np.einsum("pab,pabx->px", weight, block.gradients)
            np.add.at(gradient, block.second, push)
            np.subtract.at(gradient, block.first, push)
        return gradient

    def repulsion_energies(self, configuration: Configuration) -> FloatArray:
        """Half of each pair repulsion, by atom, shape (M,), Hartree."""
        return self._repulsion(configuration).site_energies(configuration)

    def repulsion_gradient(self, configuration: Configuration) -> FloatArray:
        """Gradient of the whole repulsion, shape (M, 3), Hartree/bohr."""
        return self.repulsion_site_contract(configuration, np.ones(len(configuration)))

    def repulsion_site_contract(
        self, configuration: Configuration, weights: FloatArray
    ) -> FloatArray:
        """∂(Σ_ℓ a_ℓ e_ℓ)/∂r of the atomic repulsion energies, shape (M, 3), for a (M,)."""
        return self._repulsion(configuration).site_contract(configuration, weights)

    def repulsion_site_jvp(
        self, configuration: Configuration, displacement: FloatArray
    ) -> FloatArray:
        """∂e_ℓ/∂r · dr of the repulsion per site, shape (M,), Hartree."""
        return self._repulsion(configuration).site_jvp(configuration, displacement)

    def _repulsion(self, configuration: Configuration) -> PairRepulsion:
        elements = self.table.of(configuration)
        return PairRepulsion(
            charges=np.array([element.repulsion_charge for element in elements]),
            alpha=np.array([element.repulsion_alpha for element in elements]),
            exponent=self.table.repulsion_distance_exponent,
            switch=self._switch,
        )

    def _blocks(self, configuration: Configuration, gradient: bool) -> Iterator[_Block]:
        """Shell blocks of all undirected pairs, grouped by the two elements."""
        elements = self.table.of(configuration)
        sizes = np.array([element.size for element in elements])
        offset = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        pairs = neighbour_pairs(configuration, self._switch.stop).half()
        symbols, kind = np.unique(np.array(configuration.species), return_inverse=True)
        group = kind[pairs.first] * len(symbols) + kind[pairs.second]
        for which in np.unique(group):
            members = np.flatnonzero(group == which)
            for start in range(0, len(members), _PAIRS_AT_ONCE):
                some = pairs.select(members[start : start + _PAIRS_AT_ONCE])
                for one in _shells(elements[some.first[0]]):
                    for two in _shells(elements[some.second[0]]):
                        yield self._block(some, offset, one, two, gradient)

    def _block(
        self,
        pairs: NeighbourPairs,
        offset: IntArray,
        one: _PlacedShell,
        two: _PlacedShell,
        gradient: bool,
    ) -> _Block:
        constant = self.table.wolfsberg_helmholz[one.shell.l, two.shell.l]
        strength = (constant - 1.0) * 0.5 * (one.level + two.level)
        values, gradients = overlap_blocks(
            one.shell, two.shell, pairs.displacement, self._factor, gradient
        )
        rows = (offset[pairs.first] + one.start)[:, None, None] + np.arange(one.shell.size)[:, None]
        columns = (offset[pairs.second] + two.start)[:, None, None] + np.arange(two.shell.size)
        return _Block(
            pairs.first,
            pairs.second,
            np.broadcast_to(rows, values.shape),
            np.broadcast_to(columns, values.shape),
            strength * values,
            None if gradients is None else strength * gradients,
        )

    def _factor(self, distance: FloatArray) -> RadialFactor:
        return self._switch(distance), self._switch.derivative(distance) / distance


def sourced_parameters(switch: tuple[float, float] = (10.0, 14.0)) -> ExtendedHuckel:
    """The extended Hückel model with the GFN1-xTB atomic parameters of H–Ar."""
    return ExtendedHuckel(gfn1_table(), switch)


def _shells(element: ElementParameters) -> Iterator[_PlacedShell]:
    start = 0
    for shell, level in zip(element.shells, element.levels, strict=True):
        yield _PlacedShell(start, shell, level)
        start += shell.size


def _assembled(
    blocks: list[_Block], values: list[FloatArray], size: int
) -> scipy.sparse.csr_matrix:
    empty_index, empty = np.zeros(0, dtype=np.int64), np.zeros(0)
    return symmetric_from_half(
        np.concatenate([empty_index, *(block.rows.ravel() for block in blocks)]),
        np.concatenate([empty_index, *(block.columns.ravel() for block in blocks)]),
        np.concatenate([empty, *(v.ravel() for v in values)]),
        size,
    )
