"""Couplings: not equivariant, incomplete, dependent, or unlike the products of harmonics."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.water_like import harmonic_rotation
from sympy.physics.wigner import clebsch_gordan as exact

from scc.ace.coupling import clebsch_gordan, coupling
from scc.basis.solid_harmonics import solid_harmonics

LARGEST = 4

triples = st.tuples(st.integers(0, LARGEST), st.integers(0, LARGEST)).flatmap(
    lambda pair: st.tuples(
        st.just(pair[0]), st.just(pair[1]), st.integers(abs(pair[0] - pair[1]), sum(pair))
    )
)


@st.composite
def factors(draw):
    """(ranks, equal labels) of two or three factors."""
    number = draw(st.integers(1, 3))
    equal = tuple(draw(st.integers(0, k)) for k in range(number))
    equal = tuple(equal.index(label) for label in equal)
    ranks = [draw(st.integers(0, 3)) for _ in range(number)]
    return tuple(ranks[label] for label in equal), equal


@given(triples, rotations())
def test_coupling_of_two_does_not_turn_with_them(triple, rotation):
    """Reflections too: odd l₁+l₂+L is a pseudo-tensor and takes another sign."""
    l1, l2, total = triple
    if total > LARGEST:
        return
    turn = {rank: harmonic_rotation(rank, rotation) for rank in triple}
    table = clebsch_gordan(*triple)
    turned = np.einsum("am,bn,abc->mnc", turn[l1], turn[l2], table)
    sign = np.linalg.det(rotation) if sum(triple) % 2 else 1.0
    assert np.allclose(turned, sign * np.einsum("mnd,cd->mnc", table, turn[total]), atol=1e-12)


@pytest.mark.parametrize(("l1", "l2"), list(itertools.product(range(LARGEST + 1), repeat=2)))
def test_couplings_of_two_are_not_a_complete_orthonormal_set(l1, l2):
    tables = [clebsch_gordan(l1, l2, total) for total in range(abs(l1 - l2), l1 + l2 + 1)]
    matrix = np.concatenate(tables, axis=2).reshape((2 * l1 + 1) * (2 * l2 + 1), -1)
    assert np.allclose(matrix.T @ matrix, np.eye(matrix.shape[0]), atol=1e-14)


@given(triples, generators())
def test_coupled_harmonics_of_one_direction_are_not_a_harmonic(triple, rng):
    """[Y_l₁ ⊗ Y_l₂]_L(r̂) = ⟨l₁0 l₂0|L0⟩ Y_L(r̂) in Racah normalisation."""
    l1, l2, total = triple
    point = rng.normal(size=3)
    harmonics = solid_harmonics(2 * LARGEST, point / np.linalg.norm(point))
    one, two, both = (harmonics[rank**2 : (rank + 1) ** 2] for rank in triple)
    coupled = np.einsum("a,b,abc->c", one, two, clebsch_gordan(*triple))
    assert np.allclose(coupled, float(exact(l1, l2, total, 0, 0, 0)) * both, atol=1e-12)


def _multiplicity(ranks, equal, total):
    """How often L is in the product of symmetric powers: states of M = L less those of L + 1."""
    weights = Counter({0: 1})
    for label, number in Counter(equal).items():
        rank = ranks[equal.index(label)]
        states = Counter(
            sum(chosen)
            for chosen in itertools.combinations_with_replacement(range(-rank, rank + 1), number)
        )
        joined = Counter()
        for (one, n), (two, m) in itertools.product(weights.items(), states.items()):
            joined[one + two] += n * m
        weights = joined
    return weights[total] - weights[total + 1]


@pytest.mark.parametrize(
    "equal", [(0,), (0, 0), (0, 1), (0, 0, 0), (0, 0, 2), (0, 1, 1), (0, 1, 2)]
)
def test_number_of_couplings_is_not_the_multiplicity(equal):
    """All ranks up to 3 and 4: a threshold that drops couplings, or keeps dependent ones, shows."""
    largest = 4 if len(equal) < 3 else 3
    for ranks in itertools.combinations_with_replacement(range(largest + 1), len(equal)):
        if any(ranks[k] != ranks[label] for k, label in enumerate(equal)):
            continue
        for total in range(4):
            expected = 0 if (sum(ranks) + total) % 2 else _multiplicity(ranks, equal, total)
            assert len(coupling(ranks, equal, total)) == expected


@given(factors(), st.integers(0, 3), rotations())
def test_couplings_are_not_orthonormal_symmetric_tensors(case, total, rotation):
    ranks, equal = case
    tensors = coupling(ranks, equal, total)
    turns = [harmonic_rotation(rank, rotation) for rank in ranks]
    for q, tensor in enumerate(tensors):
        for other, partner in enumerate(tensors):
            overlap = np.tensordot(tensor, partner, axes=(range(len(ranks)), range(len(ranks))))
            assert np.allclose(overlap, (q == other) * np.eye(2 * total + 1), atol=1e-11)
        for i, j in itertools.combinations(range(len(ranks)), 2):
            if equal[i] == equal[j]:
                assert np.allclose(tensor, np.swapaxes(tensor, i, j), atol=1e-14)
        turned = tensor
        for axis, turn in enumerate(turns):
            turned = np.moveaxis(np.tensordot(turn, turned, axes=(0, axis)), 0, axis)
        expected = np.einsum("...d,cd->...c", tensor, harmonic_rotation(total, rotation))
        assert np.allclose(turned, expected, atol=1e-11)
