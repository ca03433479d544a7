"""Populations, site energies and forces of the body-ordered on-site model in time linear in M.

At fixed (r, v̂, µ) and degree N the model (3.7) needs no eigenvalues, only a few entries of
polynomials of a sparse matrix:

    p_ℓ = 2 F_N(H)_ℓℓ,    E_ℓ = 2 [G_N(H) − v F_N(H)]_ℓℓ,
    ∂(Σ_ℓ E_ℓ)/∂v̂_m = −2 [DF_N(H)[v]]_mm,
    ∂(Σ_ℓ E_ℓ)/∂r = 2 ⟨F_N(H) − DF_N(H)[v], ∂H⁰/∂r⟩                              (F_N = G_N′),

on the diagonal and where H⁰ has entries. DF_N(H)[v] is the corner of F_N of a block matrix,

    F_N [H v]   [F_N(H)  DF_N(H)[v]]
        [0 H] = [  0       F_N(H)  ],

so the Chebyshev recurrence T_{k+1} = 2A T_k − T_{k−1}, A = (H − centre)/half-width, is carried for
the pair (T_k, DT_k): DT_{k+1} = 2A DT_k + 2V T_k − DT_{k−1}, V = v/half-width.

Columns are taken a block of neighbouring atoms at a time. k hops fill T_k(A) e_ℓ out to graph
distance k, and of T_k only what the hops still to come bring back is asked for: to ℓ itself by G_N,
of degree N, and next to it by F_N, of degree N − 1; both from min(k, N − k) hops. Nothing is
truncated; the result is that of the dense evaluation to rounding. The number of multiplications a
column depends on N and on the surroundings within N/2 hops, not on M.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import scipy.sparse as sparse
from numpy.polynomial.chebyshev import chebder
from numpy.typing import ArrayLike

from scc.arrays import FloatArray, IntArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.errors import InputError
from scc.models.onsite import OnsiteAssembly

BLOCK = 128
"""Columns at a time: memory is that of 6 dense arrays (atoms within reach, BLOCK)."""


@dataclass(frozen=True)
class SparseEvaluation:
    """What the recurrence gives at fixed (r, v̂, µ). Hartree, Bohr.

    Attributes
    ----------
    populations: p_ℓ, (M,) electrons.
    site_energies: E_ℓ of (3.7), (M,), pair repulsion included.
    feature_gradient: ∂(Σ E_ℓ)/∂v̂ at fixed r, (M,) electrons.
    position_gradient: ∂(Σ E_ℓ)/∂r at fixed v̂, (M, 3); forces are minus this.
    multiplications: of two numbers in all sparse products, the deterministic measure of the cost.
    """

    populations: FloatArray
    site_energies: FloatArray
    feature_gradient: FloatArray
    position_gradient: FloatArray
    multiplications: int


def gershgorin_interval(hamiltonian: Any) -> tuple[float, float]:
    """(low, high) ⊃ σ(H) by Gershgorin's discs, in Hartree; H a SciPy sparse array."""
    diagonal = hamiltonian.diagonal()
    radius = np.asarray(abs(hamiltonian).sum(axis=1)).ravel() - np.abs(diagonal)
    return float(np.min(diagonal - radius)), float(np.max(diagonal + radius))


def sparse_hamiltonian(assembly: OnsiteAssembly, features: ArrayLike) -> Any:
    """H(r, v̂) = H⁰ + diag(v̂), a CSR array (n, n), Hartree.

    Raises InputError for features that are not finite or not of shape (M,).
    """
    features = np.asarray(features, dtype=np.float64)
    if features.shape != assembly.feature_shape:
        raise InputError(
            f"features have shape {features.shape}, the model expects {assembly.feature_shape}"
        )
    if not np.all(np.isfinite(features)):
        raise InputError("features contain NaN or infinity")
    free = sparse.csr_array(assembly.sparse_hamiltonian)
    return sparse.csr_array(free + sparse.diags_array(assembly.feature_matrix(features)))


def evaluate_sparse(
    assembly: OnsiteAssembly,
    features: FloatArray,
    occupation: PolynomialOccupation,
    block: int = BLOCK,
) -> SparseEvaluation:
    """Evaluate (3.7) at v̂ (M,) without diagonalising.

    Raises InputError for features of another shape or not finite, block < 1, and where Gershgorin's
    discs of H leave the hull of the spectral set: enclosing σ(H) is what can be checked in linear
    time, a gap of H at µ is the caller's hypothesis.
    """
    if block < 1:
        raise InputError(f"block must be at least 1 column, got {block}")
    hamiltonian = sparse_hamiltonian(assembly, features)
    low, high = gershgorin_interval(hamiltonian)
    X = occupation.spectral_set
    slack = 1e-8 * (X.upper - X.lower)
    if low < X.lower - slack or high > X.upper + slack:
        raise InputError(
            f"Gershgorin's discs of H reach [{low:.9g}, {high:.9g}], outside the hull "
            f"[{X.lower:.9g}, {X.upper:.9g}] of the polynomial"
        )
    v = assembly.feature_matrix(features)
    work = _Recurrence(assembly, hamiltonian, v, occupation)
    for here in _spatial_blocks(assembly.configuration.positions, assembly.atom_of_orbital, block):
        work.add(here)

    site = np.zeros((3, len(assembly.configuration)))
    for row, values in enumerate((work.occupied, work.grand - v * work.occupied, work.response)):
        site[row] = 2.0 * assembly.feature_contract(values)
    gradient = 2.0 * assembly.parameters.position_contract(
        assembly.configuration, cast(FloatArray, work.weights())
    )
    ones = np.ones(len(assembly.configuration))
    return SparseEvaluation(
        populations=site[0],
        site_energies=site[1] + assembly.repulsion_energies(),
        feature_gradient=-site[2],
        position_gradient=gradient + assembly.repulsion_contract(ones),
        multiplications=work.multiplications,
    )


class _Recurrence:
    """Diagonals of F_N, G_N and DF_N[v], and F_N − DF_N[v] between neighbours, block by block."""

    def __init__(
        self,
        assembly: OnsiteAssembly,
        hamiltonian: Any,
        v: FloatArray,
        occupation: PolynomialOccupation,
    ) -> None:
        X = occupation.spectral_set
        half = 0.5 * (X.upper - X.lower)
        identity = sparse.eye_array(len(v), format="csr")
        self._scaled = (hamiltonian - 0.5 * (X.upper + X.lower) * identity).tocsr() / half
        self._v = v / half
        self._grand_series = occupation.coefficients
        # F_N has degree N − 1: padded to go along with G_N.
        self._occupied_series = np.append(chebder(self._grand_series, scl=1.0 / half), 0.0)
        self._pattern = _neighbouring_orbitals(hamiltonian, assembly.atom_of_orbital)
        # Where each orbital stands in the order of the present block; beyond all others if nowhere.
        self._place = np.full(len(v), len(v), dtype=np.int64)
        self._entries: list[tuple[IntArray, IntArray, FloatArray]] = []
        self.occupied, self.grand, self.response = np.zeros((3, len(v)))
        self.multiplications = 0

    def add(self, here: IntArray) -> None:
        """The columns of the orbitals ``here``."""
        degree, columns = len(self._grand_series) - 1, len(here)
        shells = _shells(self._pattern, here, degree // 2)
        order = np.concatenate(shells)
        reach = np.cumsum([len(shell) for shell in shells])  # rows within 0, 1, 2, … hops
        self._place[order] = np.arange(len(order))
        local, v = self._among(self._scaled[order], len(order)), self._v[order, None]
        near = int(reach[min(1, len(reach) - 1)])
        # Left half of the columns: T_k, right half: its derivative along v. Rows not reached are 0.
        previous, current = np.zeros((2, len(order), 2 * columns))
        current[:columns, :columns] = np.eye(columns)
        occupied = self._occupied_series[0] * current[:near]
        grand = np.full(columns, self._grand_series[0])
        outer = columns
        for k in range(1, degree + 1):
            inner = int(reach[min(k, degree - k, len(reach) - 1)])
            matrix = local[:inner, :outer]
            following = matrix @ current[:outer]
            following[:, columns:] += v[:inner] * current[:inner, :columns]
            self.multiplications += columns * (2 * matrix.nnz + inner)
            previous[:inner] = following if k == 1 else 2.0 * following - previous[:inner]
            previous, current, outer = current, previous, inner
            occupied += self._occupied_series[k] * current[:near]
            grand += self._grand_series[k] * np.diagonal(current[:columns, :columns])
        self.occupied[here] = np.diagonal(occupied[:columns, :columns])
        self.response[here] = np.diagonal(occupied[:columns, columns:])
        self.grand[here] = grand
        between = self._among(self._pattern[here], near).tocoo()
        difference = occupied[:, :columns] - occupied[:, columns:]
        self._entries.append(
            (order[between.col], here[between.row], difference[between.col, between.row])
        )
        self._place[order] = len(self._place)

    def _among(self, rows: Any, count: int) -> Any:
        """Some rows of a sparse matrix, of the columns the first ``count`` of the present order.

        SciPy's own selection of columns takes a time proportional to their whole number.
        """
        columns = self._place[rows.indices]
        kept = columns < count
        ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
        return sparse.csr_array((rows.data[kept], columns[kept], ends), (rows.shape[0], count))

    def weights(self) -> "_Entries":
        """F_N − DF_N[v] between orbitals of the same atom or of neighbours."""
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        return _Entries(len(self._v), rows, columns, values)


class _Entries:
    """Some entries of a square matrix, looked up by index arrays as a dense one is; others are 0.

    ∂H⁰ vanishes with H⁰ beyond the cut-off, so what is not there is multiplied by zero.
    """

    def __init__(self, size: int, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        keys = rows * size + columns
        order = np.argsort(keys)
        self._size, self._keys, self._values = size, keys[order], values[order]

    def __getitem__(self, index: tuple[IntArray, IntArray]) -> FloatArray:
        wanted = np.asarray(index[0] * self._size + index[1])
        place = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[place] == wanted, self._values[place], 0.0)


def _neighbouring_orbitals(hamiltonian: Any, owner: IntArray) -> Any:
    """Pattern of all orbital pairs on one atom or on two atoms that H couples, CSR, symmetric.

    Whole blocks: an entry of H that vanishes by symmetry may have a derivative that does not.
    """
    size = len(owner)
    member = sparse.csr_array(
        (np.ones(size), (np.arange(size), owner)), shape=(size, int(owner.max()) + 1)
    )
    stored = sparse.csr_array(
        (np.ones(hamiltonian.nnz), hamiltonian.indices, hamiltonian.indptr), hamiltonian.shape
    )
    atoms = member.T @ stored @ member + sparse.eye_array(member.shape[1])
    return sparse.csr_array(member @ atoms @ member.T)


def _shells(pattern: Any, start: IntArray, hops: int) -> list[IntArray]:
    """Orbitals at graph distance 0, 1, …, ``hops`` from ``start``; fewer if the graph ends."""
    shells, known = [start], start
    for _ in range(hops):
        shell = np.setdiff1d(pattern[shells[-1]].indices, known)
        if len(shell) == 0:
            break
        shells.append(shell.astype(np.int64))
        known = np.concatenate([known, shell])
    return shells


def _spatial_blocks(positions: FloatArray, owner: IntArray, size: int) -> Iterator[IntArray]:
    """Orbitals of neighbouring atoms, at most ``size`` a block unless one atom has more.

    Cut along the longest extent, in two as equal parts as whole blocks allow: compact blocks share
    their surroundings, full ones share the most.
    """
    waiting = [np.arange(len(positions), dtype=np.int64)]
    orbitals = np.bincount(owner, minlength=len(positions))
    first = np.concatenate([[0], np.cumsum(orbitals)])
    by_atom = np.argsort(owner, kind="stable")
    while waiting:
        atoms = waiting.pop()
        if len(atoms) == 1 or orbitals[atoms].sum() <= size:
            yield np.concatenate([by_atom[first[a] : first[a + 1]] for a in atoms])
            continue
        axis = int(np.argmax(np.ptp(positions[atoms], axis=0)))
        ranked = atoms[np.argsort(positions[atoms, axis], kind="stable")]
        blocks = -(-int(orbitals[atoms].sum()) // size)
        cut = max(len(ranked) * (blocks // 2) // blocks, 1)
        waiting += [ranked[cut:], ranked[:cut]]
