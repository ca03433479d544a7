"""Theorem 5 on synthetic Hamiltonians: where the body-order expansion ends, and that it sums up."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.bodyorder.cluster_expansion import SubclusterBlocks, cluster_contribution
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

EPS = np.finfo(np.float64).eps
X = SpectralSet(((-1.0, 1.0),))


class SyntheticCluster:
    """H_ℓk = Σ_m h(ℓ,k,m), or h(ℓ,k) alone when two_body; all blocks random, H symmetric.

    The most general such Hamiltonian, orthonormal orbitals assumed, scaled so that every
    sub-cluster has its spectrum in [−1, 1] (the row sums of all terms bound it).
    """

    def __init__(self, seed, atoms, max_orbitals, two_body=False):
        rng = np.random.default_rng(seed)
        self.orbitals = rng.integers(1, max_orbitals + 1, size=atoms).tolist()
        size = sum(self.orbitals)
        self.starts = np.concatenate([[0], np.cumsum(self.orbitals)])
        # Entries with magnitudes around one: no chain of hops is accidentally absent.
        terms = rng.uniform(0.5, 1.0, (atoms, size, size)) * rng.choice(
            [-1, 1], (atoms, size, size)
        )
        terms = terms + terms.transpose(0, 2, 1)
        if two_body:
            terms = np.broadcast_to(terms[:1] / atoms, terms.shape)
        self.two_body = two_body
        self.terms = terms / np.abs(terms).sum(axis=(0, 2)).max()
        self.assembled = []

    def hamiltonian(self, atoms):
        self.assembled.append(atoms)
        rows = np.concatenate([np.arange(self.starts[a], self.starts[a + 1]) for a in atoms])
        third = range(len(self.terms)) if self.two_body else atoms
        return sum(self.terms[m] for m in third)[np.ix_(rows, rows)]

    def blocks(self, function):
        return SubclusterBlocks(self.hamiltonian, function, self.orbitals)


def polynomial_of(degree, which):
    """A polynomial matrix function of exactly this degree: G_N, or F_{N+1}, of degree N."""
    fitted = PolynomialOccupation.interpolate(X, degree + (which == "F"), 4.0, 0.15)
    return lambda hamiltonian: fitted.matrix_function(hamiltonian, which)


def rounding(n, blocks, atoms):
    """2ⁿ terms, each off by ten roundings of the largest element of P_N."""
    return 2**n * 10 * EPS * np.abs(blocks.matrix(tuple(range(atoms)))).max()


@settings(max_examples=12)
@given(
    st.integers(0, 2**31), st.integers(1, 3), st.sampled_from("FG"), st.booleans(), st.booleans()
)
def test_expansion_ends_too_early_or_too_late(seed, degree, which, diagonal, two_body):
    last = degree - 1 if two_body else 2 * degree - 1
    atoms = last + 4
    cluster = SyntheticCluster(seed, atoms, 2, two_body)
    blocks = cluster.blocks(polynomial_of(degree, which))
    ell, k = 1, 1 if diagonal else 3
    element = blocks.block(ell, k)
    others = [atom for atom in range(atoms) if atom not in (ell, k)]
    for n in (last + 1, last + 2):
        contribution = cluster_contribution(element, ell, k, others[:n])
        assert contribution.shape == (cluster.orbitals[ell], cluster.orbitals[k])
        assert np.abs(contribution).max() <= rounding(n, blocks, atoms)
    if diagonal and two_body and degree == 1:
        return  # H_ℓℓ of a two-body Hamiltonian is the pair itself: U_0 and nothing else.
    contributions = [
        np.abs(cluster_contribution(element, ell, k, chosen)).max()
        for chosen in combinations(others, last)
    ]
    assert max(contributions) >= 1e4 * rounding(last, blocks, atoms)


@settings(max_examples=10)
@given(st.integers(0, 2**31), st.integers(1, 2), st.booleans())
def test_truncated_expansion_does_not_sum_to_the_matrix_element(seed, degree, diagonal):
    atoms = 6
    cluster = SyntheticCluster(seed, atoms, 3)
    blocks = cluster.blocks(polynomial_of(degree, "G"))
    ell, k = 0, 0 if diagonal else 4
    element = blocks.block(ell, k)
    others = [atom for atom in range(atoms) if atom not in (ell, k)]
    total = sum(
        cluster_contribution(element, ell, k, chosen)
        for n in range(2 * degree)
        for chosen in combinations(others, n)
    )
    full = element(tuple(range(atoms)))
    np.testing.assert_allclose(total, full, atol=3**atoms * rounding(0, blocks, atoms), rtol=0)


def test_submatrices_would_do_instead_of_subclusters():
    # With sub-matrices of the full H the three-centre terms of absent atoms stay: the expansion
    # then ends as for a two-body Hamiltonian, at another place than the paper's.
    degree, atoms = 2, 7
    cluster = SyntheticCluster(3, atoms, 1)
    blocks = cluster.blocks(polynomial_of(degree, "G"))
    element = blocks.block(0, 1)
    rebuilt = cluster_contribution(element, 0, 1, [2, 3, 4])
    full = cluster.hamiltonian(tuple(range(atoms)))
    submatrices = SubclusterBlocks(
        lambda chosen: full[np.ix_(chosen, chosen)], polynomial_of(degree, "G"), cluster.orbitals
    )
    wrong = cluster_contribution(submatrices.block(0, 1), 0, 1, [2, 3, 4])
    assert np.abs(wrong).max() <= rounding(3, blocks, atoms)
    assert np.abs(rebuilt).max() >= 1e4 * rounding(3, blocks, atoms)


def test_subclusters_are_assembled_more_than_once():
    cluster = SyntheticCluster(0, 6, 1)
    blocks = cluster.blocks(polynomial_of(2, "G"))
    for ell, k in ((0, 1), (0, 1), (1, 0), (0, 0)):
        others = [atom for atom in range(6) if atom not in (ell, k)]
        cluster_contribution(blocks.block(ell, k), ell, k, others)
    assert len(cluster.assembled) == len(set(cluster.assembled))
    assert all(list(atoms) == sorted(atoms) for atoms in cluster.assembled)


@pytest.mark.parametrize("others", [[2, 2], [0, 2], [1]])
def test_repeated_atoms_are_accepted(others):
    with pytest.raises(InputError, match="must be distinct"):
        cluster_contribution(lambda atoms: np.zeros((1, 1)), 0, 1, others)


def test_wrong_hamiltonian_size_is_accepted():
    blocks = SubclusterBlocks(lambda atoms: np.eye(3), lambda matrix: matrix, [1, 1])
    with pytest.raises(InputError, match=r"shape \(3, 3\)"):
        blocks.matrix((0, 1))
