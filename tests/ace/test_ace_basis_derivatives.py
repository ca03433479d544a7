"""The basis: is a derivative in r or v̂ wrong, do its forms disagree, are the pieces affine?"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.water_like import basis_of, small_boxes, small_specifications, water_clusters

from scc.ace.feature_jacobian import block_rows

configurations = st.one_of(water_clusters(), small_boxes())


def random_coefficients(basis, rng, outputs=2):
    """Of size one over the root of their number: sums stay of the size of the functions."""
    return {
        L: rng.normal(size=(2, basis.functions(L), outputs)) / np.sqrt(basis.functions(L) + 1)
        for L in basis.specification.l_out
    }


def random_features(basis, configuration, rng):
    return rng.normal(size=(len(configuration), basis.specification.features.n_features))


def flat(outputs):
    return np.concatenate([outputs[L].ravel() for L in sorted(outputs)])


def agree(left, right, terms):
    """Two orders of summation of ``terms`` numbers: 100 ε of the largest partial sums."""
    scale = max(np.max(np.abs(left), initial=0.0), np.max(np.abs(right), initial=0.0), terms)
    return np.max(np.abs(left - right), initial=0.0) <= 1e-13 * scale


@given(small_specifications(), configurations, generators())
def test_derivative_along_a_path_in_positions_and_features_is_wrong(specification, atoms, rng):
    basis = basis_of(specification)
    coefficients, features = random_coefficients(basis, rng), random_features(basis, atoms, rng)
    dr, dv = rng.uniform(-1, 1, size=(len(atoms), 3)), rng.uniform(-1, 1, size=features.shape)

    def along(t):
        bound = basis.prepare(atoms.displaced(t * dr))
        return flat(bound.evaluate(features + t * dv).contract(coefficients))

    analytic = flat(basis.prepare(atoms).evaluate(features).jvp(coefficients, dr, dv))
    # The switch 1/(1 + e^{−u(r)}) of width 3.8 bohr has poles 0.6 bohr off the real axis: with
    # pairs moving at most 3.5 bohr a unit of t, h = 1/600 is a hundredth of the radius.
    size = np.max(np.abs(analytic)) + np.max(np.abs(along(0.0)))
    assert_derivative(analytic, along, 1.0 / 600.0, size, relative=1e-8)


@given(small_specifications(), configurations, generators())
def test_vjp_is_not_the_transpose_of_jvp(specification, atoms, rng):
    basis = basis_of(specification)
    coefficients, features = random_coefficients(basis, rng), random_features(basis, atoms, rng)
    state = basis.prepare(atoms).evaluate(features)
    dr, dv = rng.normal(size=(len(atoms), 3)), rng.normal(size=features.shape)
    changed = state.jvp(coefficients, dr, dv)
    cotangents = {L: rng.normal(size=out.shape) for L, out in changed.items()}
    positions, slopes = state.vjp(coefficients, cotangents)
    forward = sum(np.sum(changed[L] * cotangents[L]) for L in changed)
    backward = np.sum(positions * dr) + np.sum(slopes * dv)
    terms = np.sum(np.abs(positions * dr)) + np.sum(np.abs(slopes * dv))
    assert abs(forward - backward) <= 1e-12 * (terms + 1.0)
    assert np.max(np.abs(positions.sum(axis=0))) <= 1e-12 * (np.sum(np.abs(positions)) + 1.0)


@given(small_specifications(), configurations, generators())
def test_compiled_coefficients_are_stale_or_of_another_element(specification, atoms, rng):
    """Kept from call to call, all outputs and some: the same bits as coefficients by themselves."""
    basis = basis_of(specification)
    coefficients, features = random_coefficients(basis, rng), random_features(basis, atoms, rng)
    compiled = basis.compile(coefficients)
    state = basis.prepare(atoms).evaluate(features)
    out = state.contract(coefficients)
    assert np.array_equal(flat(state.contract(compiled)), flat(out))
    for wanted in (list(out), list(out)[-1:], list(out)[::-1]):
        cotangents = {L: rng.normal(size=out[L].shape) for L in wanted}
        plain = state.vjp(coefficients, cotangents)
        for one, other in zip(state.vjp(compiled, cotangents), plain, strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(
            flat(state.contract(compiled.only(wanted))),
            flat(state.contract({L: coefficients[L] for L in wanted})),
        )


@given(small_specifications(), configurations, generators())
def test_contraction_is_not_that_of_the_values(specification, atoms, rng):
    basis = basis_of(specification)
    coefficients, features = random_coefficients(basis, rng), random_features(basis, atoms, rng)
    bound = basis.prepare(atoms)
    state = bound.evaluate(features)
    outputs = state.contract(coefficients)
    for L, out in outputs.items():
        values = state.values(L)
        assert values.shape == (len(atoms), 2 * L + 1, basis.functions(L))
        expected = np.einsum("imf,ifo->imo", values, coefficients[L][bound.kind])
        assert agree(out, expected, np.max(np.abs(values), initial=0.0))


@given(small_specifications(), configurations, generators())
@settings(max_examples=10)
def test_gradients_summed_over_a_species_are_not_the_pulled_back_ones(specification, atoms, rng):
    basis = basis_of(specification)
    features = random_features(basis, atoms, rng)
    state = basis.prepare(atoms).evaluate(features)
    weights = rng.normal(size=(2, basis.functions(0), 1))
    found = state.summed_gradient()
    ones = {0: np.ones((len(atoms), 1, 1))}
    for kind in (0, 1):
        only = {0: np.where(np.arange(2)[:, None, None] == kind, weights, 0.0)}
        positions, slopes = state.vjp(only, ones)
        summed = [np.einsum("f,fia->ia", weights[kind, :, 0], part) for part in found[kind]]
        assert agree(summed[0], positions, np.max(np.abs(found[kind][0]), initial=0.0))
        assert agree(summed[1], slopes, np.max(np.abs(found[kind][1]), initial=0.0))


@given(small_specifications(), configurations, generators())
@settings(max_examples=10)
def test_feature_jacobian_is_not_the_derivative(specification, atoms, rng):
    basis = basis_of(specification)
    coefficients, features = random_coefficients(basis, rng), random_features(basis, atoms, rng)
    state = basis.prepare(atoms).evaluate(features)
    direction = rng.normal(size=features.shape)
    changed = state.jvp(coefficients, None, direction)
    blocks = state.feature_jacobian(coefficients)
    for L in changed:
        if direction.size:
            matrix = blocks[L].sparse()
            scale = np.max(np.abs(matrix.data), initial=0.0) * direction.size
            assert agree(matrix @ direction.ravel(), changed[L].ravel(), scale)
        scale = max(direction.size, 1)
        every = np.einsum("imfjc,jc->imf", state.feature_slopes(L), direction)
        kind = basis.prepare(atoms).kind
        assert agree(np.einsum("imf,ifo->imo", every, coefficients[L][kind]), changed[L], scale)


@given(small_specifications(feature_degrees=(0, 1)), configurations, generators())
@settings(max_examples=10)
def test_affine_bases_are_not_constant_plus_slope(specification, atoms, rng):
    basis = basis_of(specification)
    features = random_features(basis, atoms, rng)
    bound = basis.prepare(atoms)
    for L in (0, 1, 2):
        zero = bound.evaluate(np.zeros_like(features))
        constant, slopes = zero.values(L), zero.feature_slopes(L)
        expected = constant + np.einsum("imfjc,jc->imf", slopes, features)
        values = bound.evaluate(features).values(L)
        assert agree(values, expected, np.max(np.abs(slopes), initial=0.0) * features.size)
        assert not np.any(constant[:, :, basis.feature_degrees(L) == 1])


@given(small_specifications(), configurations, generators())
@settings(max_examples=10)
def test_rows_of_an_atom_are_not_those_of_its_outputs(specification, atoms, rng):
    """Jacobians of all L in one matrix, an atom's rows together."""
    basis = basis_of(specification)
    coefficients, features = random_coefficients(basis, rng), random_features(basis, atoms, rng)
    if features.size == 0:
        return
    state = basis.prepare(atoms).evaluate(features)
    blocks = state.feature_jacobian(coefficients)
    rows = block_rows([blocks[L] for L in blocks]).toarray().reshape(len(atoms), -1, features.size)
    each = [blocks[L].sparse().toarray().reshape(len(atoms), -1, features.size) for L in blocks]
    assert np.array_equal(rows, np.concatenate(each, axis=1))


@given(small_specifications(feature_degrees=(2,)), configurations, generators())
@settings(max_examples=10)
def test_functions_are_not_homogeneous_in_the_features(specification, atoms, rng):
    basis = basis_of(specification)
    bound = basis.prepare(atoms)
    features = random_features(basis, atoms, rng)
    for L in (0, 1, 2):
        scaled = bound.evaluate(-2.0 * features).values(L)
        expected = bound.evaluate(features).values(L) * (-2.0) ** basis.feature_degrees(L)
        assert agree(scaled, expected, 0.0)
