"""Theorem 5: body-order contributions U_nN of a polynomial of a Hamiltonian by inclusion-exclusion.

'Sub-cluster' means the Hamiltonian assembled anew from those atoms and their v̂ alone: the
three-centre terms of absent atoms are gone. It is not a sub-matrix of the full Hamiltonian.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError

Subcluster = tuple[int, ...]


class SubclusterBlocks:
    """[P(H of a sub-cluster)]_ℓk for any sub-cluster, each matrix computed once and kept.

    hamiltonian: sorted tuple of atom indices → H of these atoms alone, Hartree, square, the
    orbitals of each atom contiguous and the atoms in the order given.
    matrix_function: H → P(H), for example ``PolynomialOccupation.matrix_function``.
    orbitals: number of orbitals of each atom of the full configuration.

    Raises InputError when a Hamiltonian has not the size that its atoms imply.
    """

    def __init__(
        self,
        hamiltonian: Callable[[Subcluster], FloatArray],
        matrix_function: Callable[[FloatArray], FloatArray],
        orbitals: Sequence[int],
    ) -> None:
        self._hamiltonian = hamiltonian
        self._matrix_function = matrix_function
        self._orbitals = tuple(int(number) for number in orbitals)
        self._known: dict[Subcluster, FloatArray] = {}

    def matrix(self, atoms: Subcluster) -> FloatArray:
        """P(H of these atoms), atoms sorted."""
        if atoms not in self._known:
            hamiltonian = self._hamiltonian(atoms)
            size = sum(self._orbitals[atom] for atom in atoms)
            if hamiltonian.shape != (size, size):
                raise InputError(
                    f"Hamiltonian of atoms {atoms} has shape {hamiltonian.shape}, "
                    f"their orbitals need ({size}, {size})"
                )
            self._known[atoms] = self._matrix_function(hamiltonian)
        return self._known[atoms]

    def block(self, ell: int, k: int) -> Callable[[Subcluster], FloatArray]:
        """atoms ↦ the block of P(H of these atoms) between atoms ell and k."""

        def matrix_element(atoms: Subcluster) -> FloatArray:
            return self.matrix(atoms)[self._rows(atoms, ell), self._rows(atoms, k)]

        return matrix_element

    def _rows(self, atoms: Subcluster, atom: int) -> slice:
        before = sum(self._orbitals[other] for other in atoms[: atoms.index(atom)])
        return slice(before, before + self._orbitals[atom])


def cluster_contribution(
    matrix_element_of_subcluster: Callable[[Subcluster], FloatArray],
    ell: int,
    k: int,
    others: Sequence[int],
) -> FloatArray:
    """U_nN(u_ℓ,u_k; u_{k₁},…,u_{k_n}) = Σ_{K⊆others} (−1)^{n−|K|} [P_N(H of {ℓ,k}∪K)]_ℓk.

    matrix_element_of_subcluster: sorted tuple of atom indices → the block ℓk, (N_b, N_b') in the
    unit of P_N; called once for each of the 2ⁿ subsets. Zero for n ≥ 2N if H is three-body and
    for n ≥ N if it is two-body, N the degree of P_N (Theorem 5).

    Raises InputError when others repeats an atom or contains ell or k.
    """
    atoms = [int(atom) for atom in others]
    if len({*atoms, ell, k}) != len(atoms) + len({ell, k}):
        raise InputError(f"atoms {atoms} must be distinct and differ from {ell} and {k}")
    total: FloatArray | None = None
    for size in range(len(atoms) + 1):
        sign = -1.0 if (len(atoms) - size) % 2 else 1.0
        for chosen in combinations(atoms, size):
            subcluster = tuple(sorted({ell, k, *chosen}))
            term = sign * np.asarray(matrix_element_of_subcluster(subcluster), dtype=np.float64)
            total = term if total is None else total + term
    assert total is not None  # size 0 contributes the pair itself
    return total
