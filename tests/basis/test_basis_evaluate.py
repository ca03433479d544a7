"""Orbital values and derivatives on grids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.basis import (
    assert_close,
    basis_sets,
    matrices,
    pyscf_molecule,
    pyscf_order,
    reorder,
)
from strategies.finite_differences import derivative

from scc.basis.evaluate import evaluate
from scc.basis.shells import BasisSet, Shell
from scc.errors import InputError


@given(st.data(), basis_sets())
def test_values_and_derivatives_agree_with_pyscf(data, basis):
    # At the centres φ or ∇φ is of order one, so the scale is not what PySCF screens away.
    points = np.vstack([basis.positions[0] + 2 * data.draw(matrices(12, 3)), basis.positions])
    reference = pyscf_molecule(basis).eval_gto("GTOval_sph_deriv2", points)
    reference = reorder(reference, pyscf_order(basis), axes=(-1,))
    value, gradient, hessian = evaluate(basis, points, 2)
    # PySCF drops what is far below 1e-20, so that is the least scale it can be compared at.
    size = max(np.abs(reference[0]).max(), 1e-20)
    assert_close(value, reference[0], scale=size)
    steepest = max(np.abs(reference[1:4]).max(), size)
    assert_close(gradient, reference[1:4], scale=steepest)
    xx, xy, xz, yy, yz, zz = reference[4:]
    curved = max(np.abs(reference[4:]).max(), size)
    assert_close(hessian, np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]), scale=curved)


@given(st.data(), basis_sets(largest_l=3))
def test_derivatives_are_the_slopes_of_the_values(data, basis):
    points = basis.positions[0] + data.draw(matrices(5, 3))
    direction = data.draw(matrices(5, 3))
    largest = max(max(s.exponents) for atom in basis.shells for s in atom)
    # A Gaussian e^{−ax²} has no feature finer than 1/√a: h⁸f⁽⁹⁾/630 ~ 1e-12 of f', rounding 1e-13.
    step = 1e-2 / np.sqrt(largest)
    scales = [max(np.abs(x).max(), 1e-200) for x in evaluate(basis, points, 2)]
    for order in (0, 1):
        slope, _ = derivative(
            lambda h, order=order: evaluate(basis, points + h * direction, order)[order], step
        )
        gradient = evaluate(basis, points, order + 1)[order + 1]
        along = np.einsum("pi,i...pn->...pn", direction, gradient)
        scale = max(scales[order + 1], scales[order] * np.sqrt(largest))
        assert_close(along, slope, tolerance=1e-9, scale=scale * np.abs(direction).max())


def test_lower_orders_are_the_first_part_of_higher_ones():
    basis = BasisSet(np.zeros((1, 3)), [[Shell(1, (0.7,), (1.0,))]])
    points = np.array([[0.3, 0.1, -0.2]])
    assert [len(evaluate(basis, points, d)) for d in (0, 1, 2)] == [1, 2, 3]
    np.testing.assert_array_equal(evaluate(basis, points, 2)[0], evaluate(basis, points)[0])
    with pytest.raises(InputError, match="not 3"):
        evaluate(basis, points, 3)
