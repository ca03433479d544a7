"""Three-centre overlaps W: against libcint, mpmath quadrature and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscf import df
from strategies.basis import (
    assert_close,
    basis_sets,
    exponents,
    matrices,
    positions,
    pyscf_molecule,
    pyscf_order,
    reorder,
    softened,
)
from strategies.finite_differences import derivative
from strategies.gaussian_quadrature import primitive, product_integral

from scc.basis.shells import BasisSet, Shell, solid_harmonic_norm
from scc.basis.solid_harmonics import solid_harmonic_coefficients
from scc.basis.three_centre import PotentialFunction, ThreeCentreOverlap
from scc.errors import InputError

function_lists = st.lists(
    st.builds(PotentialFunction, st.integers(0, 2), exponents, st.floats(0.5, 2.0)),
    min_size=1,
    max_size=3,
)


def largest_value(function):
    """A bound on |Ξ|: max r^l e^{−ar²} = (l/2ea)^{l/2}, and |R_lµ| ≤ r^l."""
    l = function.angular_momentum  # noqa: E741
    return function.prefactor * (max(l, 1e-300) / (2 * np.e * function.exponent)) ** (l / 2)


@given(basis_sets(), function_lists)
def test_integrals_agree_with_libcint(basis, functions):
    ours = ThreeCentreOverlap(basis, functions).full()
    auxiliary = BasisSet(
        basis.positions,
        [[Shell(f.angular_momentum, (f.exponent,), (1.0,)) for f in functions]] * len(basis),
    )
    scales = np.concatenate(
        [
            np.full(
                2 * f.angular_momentum + 1,
                f.prefactor * np.sqrt(solid_harmonic_norm(f.angular_momentum, 2 * f.exponent)),
            )
            for f in functions
        ]
    )
    reference = df.incore.aux_e2(
        pyscf_molecule(basis), pyscf_molecule(auxiliary), "int3c1e"
    ).transpose(2, 0, 1)
    reference = reorder(reference, pyscf_order(basis))[pyscf_order(auxiliary)]
    reference = reference.reshape(len(basis), len(scales), *reference.shape[1:])
    reference = reference * scales[:, None, None]
    # |W| ≤ max|Ξ|. Far below that an integral is small by symmetry or distance, and what libcint
    # returns is the rounding ε|P|√a of the centres P.
    component = 0
    for f in functions:
        these = slice(component, component := component + 2 * f.angular_momentum + 1)
        floor = 0.1 * largest_value(f)
        scale = max(floor, np.abs(reference[:, these]).max())
        assert_close(ours[:, these], reference[:, these], scale=scale)


@settings(max_examples=10)
@given(st.data())
def test_primitives_agree_with_mpmath_quadrature(data):
    centres = data.draw(positions(3))
    momenta = [data.draw(st.integers(0, 1)) for _ in range(2)]
    shells = [Shell(l, (data.draw(exponents),), (1.0,)) for l in momenta]  # noqa: E741
    basis = BasisSet(centres, [[shells[0]], [shells[1]], []])
    feature = PotentialFunction(data.draw(st.integers(0, 2)), data.draw(exponents), 1.3)
    i, j, c = (data.draw(st.integers(0, 2 * k)) for k in (*momenta, feature.angular_momentum))
    angular = solid_harmonic_coefficients(feature.angular_momentum)[c]
    reference = product_integral(
        [
            primitive(shells[0], i, centres[0]),
            primitive(shells[1], j, centres[1]),
            (1.3 * angular, feature.angular_momentum, feature.exponent, centres[2]),
        ]
    )
    ours = ThreeCentreOverlap(basis, [feature]).full()
    scale = largest_value(feature)  # φφ has at most unit integral, so |W| ≤ max|Ξ|
    assert ours[2, c, i, 2 * momenta[0] + 1 + j] == pytest.approx(reference, abs=1e-12 * scale)


@settings(max_examples=12)
@given(st.data(), basis_sets(), function_lists)
def test_contractions_and_derivatives_are_those_of_the_full_array(data, basis, functions):
    basis = softened(basis, 2.0)
    functions = [f._replace(exponent=min(f.exponent, 2.0)) for f in functions]
    n, m = basis.n_functions, len(basis)
    integrals = ThreeCentreOverlap(basis, functions)
    w = integrals.full()
    features = data.draw(matrices(m, integrals.n_features))
    weights = data.draw(matrices(n, n))
    dr = data.draw(matrices(m, 3))
    scale = max(1.0, np.abs(w).max()) * n

    assert_close(
        integrals.feature_matrix(features), np.einsum("mc,mcab->ab", features, w), scale=scale
    )
    assert_close(
        integrals.feature_contract(weights), np.einsum("ab,mcab->mc", weights, w), scale=scale
    )

    slope = derivative(
        lambda h: ThreeCentreOverlap(
            basis.with_positions(basis.positions + h * dr), functions
        ).full(),
        5e-3,
    )[0]
    moved = np.einsum("kimcab,ki->mcab", integrals.full_position_derivative(), dr)
    # Features of f no finer than 0.2 in h: truncation below 1e-11, rounding 1e-13.
    assert_close(moved, slope, tolerance=1e-9, scale=scale)
    assert_close(
        integrals.position_perturb(dr, features),
        np.einsum("mc,mcab->ab", features, moved),
        scale=scale,
    )
    assert_close(
        integrals.feature_position_jvp(weights, dr),
        np.einsum("ab,mcab->mc", weights, moved),
        scale=scale,
    )
    assert_close(
        np.sum(integrals.position_contract(weights, features) * dr),
        np.einsum("ab,mc,mcab->", weights, features, moved),
        scale=scale * n,
    )


@given(basis_sets())
def test_a_very_flat_potential_function_gives_the_overlap(basis):
    # Ξ → 1: the error is a·x² with |x| ≤ 70 bohr.
    from scc.basis.overlap import overlap

    w = ThreeCentreOverlap(basis, [PotentialFunction(0, 1e-16)]).full()
    for one in w[:, 0]:
        assert_close(one, overlap(basis).matrix)


def test_impossible_potential_functions_and_features_are_refused():
    basis = BasisSet(np.zeros((1, 3)), [[Shell(0, (1.0,), (1.0,))]])
    with pytest.raises(InputError, match="exponent -1"):
        ThreeCentreOverlap(basis, [PotentialFunction(0, -1.0)])
    with pytest.raises(InputError, match="angular momentum -2"):
        ThreeCentreOverlap(basis, [PotentialFunction(-2, 1.0)])
    with pytest.raises(InputError, match=r"shape \(2, 1\), not \(1, 1\)"):
        ThreeCentreOverlap(basis, [PotentialFunction(0, 1.0)]).feature_matrix(np.zeros((2, 1)))
