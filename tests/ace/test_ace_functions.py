"""The functions: not those of the formula, of too high body order, dependent, not nested."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.legendre import Legendre
from strategies.configurations import generators
from strategies.water_like import (
    CUTOFF,
    FEATURE_SETS,
    WIDTHS,
    basis_of,
    limits,
    small_specifications,
    water_box,
    water_clusters,
)

from scc.ace.basis import BasisSpecification, TotalDegree
from scc.ace.features import FeatureSet
from scc.ace.radial import RadialBasis
from scc.ace.water import density_specification, energy_specification
from scc.configuration import Configuration


def specification(order, feature_degree, features, **degree):
    return BasisSpecification(
        ("H", "O"),
        CUTOFF,
        order,
        TotalDegree(limits(order, feature_degree), **degree),
        features,
        feature_degree,
        (0, 1, 2),
    )


def function(basis, L, label):
    return basis.labels(L).index(label)


@given(water_clusters(max_molecules=2), generators(), st.integers(0, 2), st.integers(0, 3))
def test_pair_of_neighbours_is_not_a_legendre_polynomial_of_their_angle(atoms, rng, n, rank):
    """A_l·A_l = (−1)^l/√(2l+1) Σ_jk R(r_j) R(r_k) P_l(cos θ_jk), over pairs of neighbours."""
    basis = basis_of(
        BasisSpecification(
            ("H", "O"), CUTOFF, 2, TotalDegree(((-1.0,), (10.0,))), FeatureSet(), 0, (0,)
        )
    )
    values = basis.prepare(atoms).evaluate(np.zeros((len(atoms), 0))).values(0)
    column = function(basis, 0, f"A[H,{n},{rank}] A[O,1,{rank}]")
    radial = RadialBasis(CUTOFF, 3)
    expected = np.zeros(len(atoms))
    for i, j, k in itertools.product(range(len(atoms)), repeat=3):
        if atoms.species[j] != "H" or atoms.species[k] != "O" or i in (j, k):
            continue
        one, two = atoms.positions[j] - atoms.positions[i], atoms.positions[k] - atoms.positions[i]
        r, s = np.linalg.norm(one), np.linalg.norm(two)
        angle = Legendre.basis(rank)(one @ two / (r * s))
        product = radial(np.array([r]))[0][0, n] * radial(np.array([s]))[0][0, 1]
        expected[i] += (-1.0) ** rank / np.sqrt(2 * rank + 1) * product * angle
    assert np.allclose(values[:, 0, column], expected, rtol=0.0, atol=1e-9)


@given(water_clusters(max_molecules=2), generators())
def test_features_of_neighbours_are_not_coupled_as_written(atoms, rng):
    """Potential differences and fields of neighbours and centre, from the formulas by hand."""
    basis = basis_of(specification(2, 1, FEATURE_SETS[2], neighbour=1.0))
    v = rng.normal(size=(len(atoms), 8))
    state = basis.prepare(atoms).evaluate(v)
    radial = RadialBasis(CUTOFF, 1)
    difference, along, vector = (np.zeros((len(atoms), 3)) for _ in range(3))
    for i, j in itertools.permutations(range(len(atoms)), 2):
        if atoms.species[j] != "O":
            continue
        d = atoms.positions[j] - atoms.positions[i]
        r = np.linalg.norm(d)
        weight, unit = radial(np.array([r]))[0][0, 0], d[[1, 2, 0]] / r  # harmonics: y, z, x
        difference[i, 0] += weight * (v[j, 4] - v[i, 0])
        along[i, 0] += -weight * (unit @ v[j, 5:8]) / np.sqrt(3.0)
        vector[i] += weight * unit * (v[j, 0] - v[i, 0])
    scalars = state.values(0)[:, 0]
    column = function(basis, 0, "A[O,0,(0,v20)→0]")
    assert np.allclose(scalars[:, column], difference[:, 0], rtol=0.0, atol=1e-10)
    column = function(basis, 0, "A[O,0,(1,v21)→0]")
    assert np.allclose(scalars[:, column], along[:, 0], rtol=0.0, atol=1e-10)
    vectors = state.values(1)
    column = function(basis, 1, "A[O,0,(1,v10)→1]")
    assert np.allclose(vectors[:, :, column], vector, rtol=0.0, atol=1e-10)
    assert np.array_equal(vectors[:, :, function(basis, 1, "v21")], v[:, 5:8])
    column = function(basis, 0, "v20")
    assert np.allclose(scalars[:, column], v[:, 4] - v[:, 0], rtol=0.0, atol=1e-12)


@given(small_specifications(), generators())
@settings(max_examples=15)
def test_body_order_is_higher_than_the_number_of_factors(specification, rng):
    """Inclusion–exclusion over ν+1 neighbours of an atom vanishes for functions of ν factors, and
    over ν neighbours it does not (products of A⁰ alone)."""
    basis = basis_of(specification)
    order = specification.order
    directions = rng.normal(size=(order + 1, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    neighbours = directions * rng.uniform(2.0, 5.0, size=(order + 1, 1))
    features = rng.normal(size=(order + 2, specification.features.n_features))
    species = ("O", *rng.choice(["H", "O"], size=order + 1))
    for number in range(1, order + 2):
        for L in (0, 1, 2):
            total, largest = 0.0, 1.0
            for chosen in itertools.product([False, True], repeat=number):
                picked = np.flatnonzero([True, *chosen])
                atoms = Configuration(
                    tuple(species[k] for k in picked),
                    np.concatenate([np.zeros((1, 3)), neighbours])[picked],
                )
                state = basis.prepare(atoms).evaluate(features[picked])
                value = state.values(L)[0]
                total = total + (-1.0) ** (number - sum(chosen)) * value
                largest = max(largest, float(np.max(np.abs(value), initial=0.0)))
            low = basis.orders(L) < number
            assert np.max(np.abs(total[:, low]), initial=0.0) <= 1e-12 * largest
            just = (basis.orders(L) == number) & (basis.feature_degrees(L) == 0)
            assert not np.any(just) or np.max(np.abs(total[:, just])) > 1e-6


def smallest_gram_eigenvalue(made, rng):
    """{L: smallest eigenvalue of the Gram matrix of the normalised functions}, over random atoms.

    Twice as many surroundings as functions, each of 21 atoms all over the cut-off sphere.
    """
    basis = basis_of(made)
    values = {L: [] for L in made.l_out}
    while any(
        sum(map(len, found)) < 2 * basis.functions(L) for L, found in values.items()
    ) or not all(values.values()):
        positions = rng.normal(size=(22, 3))
        positions *= (rng.uniform(1.0, 7.0, size=22) / np.linalg.norm(positions, axis=1))[:, None]
        atoms = Configuration(tuple(rng.choice(["H", "O"], size=22)), positions)
        state = basis.prepare(atoms).evaluate(rng.normal(size=(22, made.features.n_features)))
        for L, found in values.items():
            found.append(state.values(L).reshape(-1, basis.functions(L)))
    result = {}
    for L, found in values.items():
        matrix = np.concatenate(found)
        matrix = rng.permutation(matrix)[: 2 * basis.functions(L) + 20]
        norms = np.linalg.norm(matrix, axis=0)
        matrix /= np.where(norms > 0.0, norms, 1.0)
        result[L] = np.linalg.eigvalsh(matrix.T @ matrix)[0]
    return result


# Neighbouring polynomials are alike on the distances that occur, so the smallest eigenvalue is
# small; but a dependent function leaves rounding, ε times the largest eigenvalue, some hundred.
INDEPENDENT = 1e-11


@pytest.mark.parametrize("features", FEATURE_SETS[1:], ids=lambda f: str(f.n_features))
@pytest.mark.parametrize("order", [1, 2, 3])
def test_functions_are_linearly_dependent(order, features):
    rng = np.random.default_rng(order)
    found = smallest_gram_eigenvalue(specification(order, 2, features), rng)
    assert min(found.values()) > INDEPENDENT


def test_products_of_equal_factors_are_linearly_dependent():
    """Few radial functions and many l: equal factors couple to the same L in several ways."""
    weights = TotalDegree(((-1.0,), (-1.0,), (2.5,)), angular=0.4)
    made = BasisSpecification(("H", "O"), CUTOFF, 3, weights, FeatureSet(), 0, (0, 1, 2, 3))
    basis = basis_of(made)
    several = [label for L in made.l_out for label in basis.labels(L) if label.endswith("#1")]
    assert any(len(set(label.split()[:3])) < 3 for label in several)
    found = smallest_gram_eigenvalue(made, np.random.default_rng(0))
    assert min(found.values()) > INDEPENDENT


@pytest.mark.slow
@pytest.mark.parametrize("make", [density_specification, energy_specification])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_functions_for_water_are_linearly_dependent(make, order):
    found = smallest_gram_eigenvalue(make(FEATURE_SETS[-1], order), np.random.default_rng(order))
    assert min(found.values()) > INDEPENDENT


def named_values(specification, atoms, v):
    basis = basis_of(specification)
    state = basis.prepare(atoms).evaluate(v)
    return {
        (L, label): value
        for L in specification.l_out
        for label, value in zip(basis.labels(L), np.moveaxis(state.values(L), 2, 0), strict=True)
    }


def assert_nested(small, large):
    assert set(small) <= set(large)
    for label, value in small.items():
        scale = max(1.0, np.max(np.abs(value)))
        # Gram–Schmidt of more radial functions rounds differently.
        assert np.max(np.abs(value - large[label])) <= 1e-9 * scale


@pytest.mark.parametrize("make", [density_specification, energy_specification])
def test_water_bases_do_not_nest_in_order_or_features(make):
    rng = np.random.default_rng(0)
    atoms = water_box(2, rng, periodic=False).subset(range(7))
    all_features = rng.normal(size=(7, 3, 9))
    table = {}
    for (row, features), order in itertools.product(enumerate(FEATURE_SETS), (1, 2, 3)):
        v = all_features[:, : len(features.widths), : features.n_components]
        table[row, order] = named_values(make(features, order), atoms, v.reshape(7, -1))
    for row, order in table:
        if row < 3:
            assert_nested(table[row, order], table[row + 1, order])
        if order < 3:
            assert_nested(table[row, order], table[row, order + 1])


@given(water_clusters(max_molecules=1), generators(), st.integers(1, 3))
@settings(max_examples=5)
def test_larger_degree_or_feature_degree_loses_functions(atoms, rng, order):
    features = FeatureSet(WIDTHS[:2], 1)
    v = rng.normal(size=(len(atoms), 8))
    small = named_values(specification(order, 1, features), atoms, v)
    assert_nested(small, named_values(specification(order, 2, features), atoms, v))
    more = tuple(tuple(limit + 1.0 for limit in row) for row in limits(order, 1))
    larger = BasisSpecification(
        ("H", "O"), CUTOFF, order, TotalDegree(more), features, 1, (0, 1, 2)
    )
    assert_nested(small, named_values(larger, atoms, v))


@pytest.mark.parametrize("features", FEATURE_SETS, ids=lambda f: str(f.n_features))
@pytest.mark.parametrize("order", [1, 2, 3])
def test_labels_repeat_or_sets_outgrow_the_data(order, features):
    """At most as many functions as the two thousand oxygens of the reference set have numbers."""
    for made in (density_specification(features, order), energy_specification(features, order)):
        basis = basis_of(made)
        for L in made.l_out:
            assert len(set(basis.labels(L))) == basis.functions(L) <= 2000
            assert np.all(np.diff(basis.orders(L)) >= 0)
            assert np.max(basis.feature_degrees(L)) <= made.feature_degree
