"""Body orders one off, terms that reach beyond their bound, parts that are no sub-clusters."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators

from scc.theory import _cluster_expansion, theorem_5
from scc.theory import _presence as presence
from scc.theory._cluster_expansion import last_order, shortest_way
from scc.theory._subsystem import subsystem
from scc.theory.random_systems import Recipe, random_system
from scc.theory.statement import satisfied, violations
from scc.theory.theorem_5 import expansion, expansion_checks

DENSE = {"splitting": 0.6, "disorder": 0.4, "spacing": 0.9, "decay": 0.7, "beta": 5.0}


def system(model, dimension=2, atoms=11, seed=1):
    return random_system(Recipe(model=model, dimension=dimension, atoms=atoms, seed=seed, **DENSE))


CASES = [("onsite", 2), ("onsite", 4), ("orthonormal", 1), ("orthonormal", 2)]


@pytest.mark.parametrize(("model", "degree"), [*CASES, ("orthonormal", 3), ("onsite", 5)])
def test_terms_at_the_last_order_vanish_to_rounding(model, degree) -> None:
    """The order is the last one, not just beyond it: U_n there is far above its rounding."""
    found = expansion(system(model), degree)
    for quantity, k in (("G", 0), ("G", 1), ("F", 1), ("site energy", 0)):
        last = last_order(quantity, degree, found.three_centre)
        terms = [v for chosen, v in found.contributions(quantity, k) if len(chosen) == last]
        assert max(terms) > 30.0 * found.rounding(quantity, last) or (quantity, degree) == ("F", 1)


@pytest.mark.parametrize(("model", "degree"), CASES)
def test_a_smaller_body_order_passes(monkeypatch, model, degree) -> None:
    found = expansion(system(model), degree)
    assert violations(expansion_checks(found)) == []

    def lower(*args):
        return max(last_order(*args) - 1, 0)

    monkeypatch.setattr(_cluster_expansion, "last_order", lower)
    monkeypatch.setattr(theorem_5, "last_order", lower)
    assert violations(expansion_checks(found)) != []


@pytest.mark.parametrize(("model", "degree"), CASES)
def test_half_of_the_best_bound_passes(monkeypatch, model, degree) -> None:
    found = expansion(system(model), degree)
    ratio = max(check.worst for check in expansion_checks(found))
    true = _cluster_expansion.ClusterExpansion.bound
    monkeypatch.setattr(
        _cluster_expansion.ClusterExpansion,
        "bound",
        lambda self, *args: 0.5 * ratio * true(self, *args),
    )
    assert violations(expansion_checks(found)) != []


def test_loewdin_counts_as_orthonormal() -> None:
    case = system("loewdin")
    assert not satisfied(theorem_5.hypotheses(case))
    assert violations(expansion_checks(expansion(case, 1))) != []


def test_submatrices_count_as_sub_clusters() -> None:
    """Third centres of absent atoms must be gone from the Hamiltonian of a part."""
    case = system("orthonormal")
    part = subsystem(case, [0, 3, 4])
    rows = np.ix_([0, 3, 4], [0, 3, 4])
    assert np.max(np.abs(part.hamiltonian - case.hamiltonian[rows])) > 1e-3
    alone = case.assembly.free_hamiltonian[rows]
    assert np.allclose(part.assembly.free_hamiltonian, alone, atol=1e-14)
    onsite = system("onsite")
    part = subsystem(onsite, [5, 2])
    assert np.array_equal(part.hamiltonian, onsite.hamiltonian[np.ix_([5, 2], [5, 2])])


@given(generators(), st.integers(0, 5), st.booleans())
def test_shortest_way_misses_a_permutation(rng, through, diagonal) -> None:
    points = rng.normal(size=(8, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    end = 0 if diagonal else 7
    inner = list(range(1, through + 1))
    lengths = [
        sum(distances[a, b] for a, b in zip([0, *order], [*order, end], strict=True))
        for order in permutations(inner)
    ]
    assert np.isclose(shortest_way(distances, 0, end, inner), min(lengths), rtol=1e-12)


@given(generators(), st.integers(1, 4), st.integers(1, 3))
def test_presence_algebra_differs_from_numbers(rng, size, degree) -> None:
    """p(t·A·t) evaluated at every set of present atoms, both ways, in exact arithmetic."""
    entries = rng.integers(-5, 6, (size, size))
    matrix = [
        [{frozenset({i, k}): presence.Fraction(int(entries[i, k]))} for k in range(size)]
        for i in range(size)
    ]
    coefficients = [int(c) for c in rng.integers(-4, 5, degree + 1)]
    start = [{frozenset({0}): presence.Fraction(1)}, *({} for _ in range(size - 1))]
    row = presence.apply_polynomial(start, matrix, coefficients)
    for mask in range(1 << size):
        chosen = [atom for atom in range(size) if mask >> atom & 1]
        t = np.array([int(atom in chosen) for atom in range(size)])
        A = (t[:, None] * entries * t).astype(object)
        power = np.array([t[0], *[0] * (size - 1)], dtype=object)
        total = 0 * power
        for c in coefficients:
            total = total + c * power
            power = power @ A
        assert [presence.present(entry, chosen) for entry in row] == list(total)
