"""The basis: broken by a rotation, a reflection, a shift of the potential, an atom out of reach."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.water_like import (
    CUTOFF,
    FEATURE_SETS,
    basis_of,
    harmonic_rotation,
    small_boxes,
    small_specifications,
    turned_features,
    water_clusters,
)

from scc.ace.basis import Basis, BasisSpecification, TotalDegree
from scc.ace.features import FeatureSet
from scc.ace.water import density_specification, energy_specification
from scc.configuration import Configuration
from scc.errors import InputError

configurations = st.one_of(water_clusters(), small_boxes())


def values(basis, configuration, features):
    state = basis.prepare(configuration).evaluate(features)
    return {L: state.values(L) for L in basis.specification.l_out}


def assert_same(left, right, relative=1e-11):
    """Sums of up to a hundred neighbours, products of three: some 1e3 roundings of the largest."""
    for L in left:
        scale = np.max(np.abs(left[L]), initial=1.0)
        assert np.max(np.abs(left[L] - right[L]), initial=0.0) <= relative * scale


def random_features(basis, configuration, rng):
    return rng.normal(size=(len(configuration), basis.specification.features.n_features))


@given(small_specifications(), configurations, rotations(), generators())
def test_outputs_do_not_turn_with_the_system(specification, atoms, rotation, rng):
    basis = basis_of(specification)
    features = random_features(basis, atoms, rng)
    turned = turned_features(features, specification.features, rotation)
    expected = {
        L: np.einsum("mn,inf->imf", harmonic_rotation(L, rotation), value)
        for L, value in values(basis, atoms, features).items()
    }
    assert_same(values(basis, atoms.rotated(rotation), turned), expected)


@given(small_specifications(), configurations, generators())
def test_numbering_or_place_of_the_atoms_matters(specification, atoms, rng):
    basis = basis_of(specification)
    features = random_features(basis, atoms, rng)
    before = values(basis, atoms, features)
    order = rng.permutation(len(atoms))
    moved = atoms.permuted(order).translated(rng.uniform(-3.0, 3.0, size=3))
    after = values(basis, moved, features[order])
    assert_same(after, {L: value[order] for L, value in before.items()})


@given(small_specifications(), configurations, generators(), st.floats(-10.0, 10.0))
def test_constant_shift_of_the_potential_changes_something(specification, atoms, rng, shift):
    basis = basis_of(specification)
    features = random_features(basis, atoms, rng)
    shifted = np.array(features)
    for _, rank, start in specification.features.shells():
        if rank == 0:
            shifted[:, start] += shift
    assert_same(values(basis, atoms, features), values(basis, atoms, shifted), 1e-10)


@given(small_specifications(), water_clusters(max_molecules=2), generators(), st.booleans())
def test_atom_beyond_the_cutoff_is_seen(specification, atoms, rng, with_features):
    """Bit for bit: not its position, not its features, and no derivative."""
    basis = basis_of(specification)
    features = random_features(basis, atoms, rng)
    far = atoms.positions[0] + np.array([CUTOFF + 1e-9, 0.0, 0.0])
    others = np.linalg.norm(atoms.positions[1:] - far, axis=1) >= CUTOFF
    near = np.concatenate([[True], others])
    chosen = atoms.subset(np.flatnonzero(near))
    extended = Configuration((*chosen.species, "O"), np.concatenate([chosen.positions, far[None]]))
    extra = rng.normal(size=(1, features.shape[1])) if with_features else features[:1]
    joined = np.concatenate([features[near], extra])
    with_it = values(basis, extended, joined)
    without = values(basis, chosen, features[near])
    for L in with_it:
        assert np.array_equal(with_it[L][0], without[L][0])
    state = basis.prepare(extended).evaluate(joined)
    weights = {L: rng.normal(size=(2, basis.functions(L), 1)) for L in (0, 1, 2)}
    cotangents = {L: np.zeros((len(extended), 2 * L + 1, 1)) for L in (0, 1, 2)}
    for L in cotangents:
        cotangents[L][0] = 1.0
    positions, slopes = state.vjp(weights, cotangents)
    assert not np.any(positions[-1])
    assert not np.any(slopes[-1])


@given(small_specifications(), water_clusters(max_molecules=2), generators())
@settings(max_examples=10)
def test_neighbour_that_arrives_makes_a_jump(specification, atoms, rng):
    """A neighbour 1 % inside the cut-off changes values by no more than the switch, e^{−48}."""
    basis = basis_of(specification)
    state = []
    for distance in (0.99 * CUTOFF, 1.01 * CUTOFF):
        away = np.array([distance, 0.0, 0.0])
        pair = Configuration(("O", "H"), np.stack([np.zeros(3), away]))
        ones = np.ones((2, specification.features.n_features)) * np.array([[1.0], [2.0]])
        state.append(values(basis, pair, ones))
    assert_same(*state, relative=1e-18)


@given(small_specifications(), small_boxes(), generators())
@settings(max_examples=10)
def test_images_are_not_the_atoms_of_a_larger_cell(specification, atoms, rng):
    basis = basis_of(specification)
    features = random_features(basis, atoms, rng)
    doubled = Configuration(
        atoms.species * 2,
        np.concatenate([atoms.positions, atoms.positions + atoms.cell[0]]),
        atoms.cell * np.array([[2.0], [1.0], [1.0]]),
        atoms.periodic,
    )
    single = values(basis, atoms, features)
    double = values(basis, doubled, np.concatenate([features, features]))
    assert_same(double, {L: np.concatenate([value, value]) for L, value in single.items()})


@pytest.mark.parametrize("features", FEATURE_SETS, ids=lambda f: str(f.n_features))
@pytest.mark.parametrize("order", [1, 2, 3])
def test_lonely_atom_breaks_the_basis(order, features):
    """No neighbours: what is left are products of the centre's own features."""
    atom = Configuration(("H",), np.zeros((1, 3)))
    for specification in (
        density_specification(features, order),
        energy_specification(features, order),
    ):
        basis = basis_of(specification)
        v = np.arange(features.n_features, dtype=float)[None]
        state = basis.prepare(atom).evaluate(v)
        for L in specification.l_out:
            own = np.array(["A[" not in label for label in basis.labels(L)], dtype=bool)
            assert not np.any(state.values(L)[:, :, ~own])
            assert np.all(np.any(state.values(L)[:, :, own], axis=1))
        weights = {L: np.ones((2, basis.functions(L), 1)) for L in specification.l_out}
        outputs = state.contract(weights)
        positions, slopes = state.vjp(weights, outputs)
        assert not np.any(positions)
        for along_positions, along_features in state.summed_gradient():
            assert not np.any(along_positions)
            assert along_features.shape == (basis.functions(0), 1, features.n_features)
        for block in state.feature_jacobian(weights).values():
            assert len(block.blocks) == 0
        assert slopes.shape == v.shape


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"species": ()}, "species"),
        ({"species": ("H", "H")}, "species"),
        ({"cutoff": -1.0}, "cut-off"),
        ({"order": 4}, "order"),
        ({"feature_degree": 3}, "feature degree"),
        ({"l_out": (5,)}, "outputs"),
        ({"l_out": ()}, "outputs"),
    ],
)
def test_nonsense_specification_is_accepted(change, named):
    good = density_specification(FeatureSet((1.5,), 0), 2)
    fields = {name: getattr(good, name) for name in good.__dataclass_fields__}
    with pytest.raises(InputError, match=named):
        BasisSpecification(**(fields | change))


def test_nonsense_input_is_accepted():
    basis = Basis(density_specification(FeatureSet((1.5,), 0), 1))
    with pytest.raises(InputError, match="atom 1 is C; this basis knows H, O"):
        basis.prepare(Configuration(("H", "C"), np.array([[0.0, 0, 0], [2.0, 0, 0]])))
    bound = basis.prepare(Configuration(("H",), np.zeros((1, 3))))
    with pytest.raises(InputError, match="shape"):
        bound.evaluate(np.zeros((1, 2)))
    with pytest.raises(InputError, match="features of atom 0"):
        bound.evaluate(np.array([[np.nan]]))
    state = bound.evaluate(np.zeros((1, 1)))
    with pytest.raises(InputError, match="coefficients of L = 1"):
        state.contract({1: np.zeros((2, 3, 1))})
    with pytest.raises(InputError, match="cotangent of L = 0"):
        state.vjp({0: np.zeros((2, basis.functions(0), 1))}, {0: np.zeros((1, 1, 4))})
    with pytest.raises(InputError, match="L = 3"):
        basis.functions(3)
    for bad in ({"angular": -1.0}, {"l_max": 9}, {"limits": ((np.nan,),)}):
        with pytest.raises(InputError):
            TotalDegree(**({"limits": ((3.0,),)} | bad))
    for widths, l_max in (((0.0,), 0), ((1.0, 1.0), 0), ((), 1), ((1.0,), -1)):
        with pytest.raises(InputError):
            FeatureSet(widths, l_max)


@given(small_specifications())
def test_specification_is_not_restored_from_plain_numbers(specification):
    plain = specification.as_dict()
    assert BasisSpecification.from_dict(plain) == specification
    plain.pop("cutoff")
    with pytest.raises(InputError, match="cutoff"):
        BasisSpecification.from_dict(plain)
