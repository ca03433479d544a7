"""Overlap, kinetic energy, dipole: against libcint, mpmath quadrature and finite differences.

Tolerances are relative to the largest element of the matrix compared: entries of a matrix are used
together, and an entry much smaller than its neighbours is their rounding error.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
from strategies.gaussian_quadrature import differentiated, primitive, product_integral

from scc.basis.overlap import dipole, kinetic, overlap, uniform_field
from scc.basis.shells import BasisSet, Shell

# Exponents up to 2 and displacements of a few bohr: features no finer than 0.2 in the parameter of
# the differences, so the eighth-order formula is off by less than 1e-11 and rounding by 1e-13.
STEP = 5e-3


def integral_kinds(basis):
    x, y, z = dipole(basis)
    return {"overlap": overlap(basis), "kinetic": kinetic(basis), "x": x, "y": y, "z": z}


@given(basis_sets())
def test_matrices_agree_with_libcint(basis):
    molecule, order = pyscf_molecule(basis), pyscf_order(basis)
    ours = integral_kinds(basis)
    assert_close(ours["overlap"].matrix, reorder(molecule.intor("int1e_ovlp"), order))
    assert_close(ours["kinetic"].matrix, reorder(molecule.intor("int1e_kin"), order))
    reference = reorder(molecule.intor("int1e_r"), order)
    # Moments about a distant origin are small differences at this scale.
    scale = max(1.0, np.abs(basis.positions).max())
    assert_close([ours[k].matrix for k in "xyz"], reference, scale=scale)


@given(basis_sets())
def test_gradients_agree_with_libcint(basis):
    molecule, order = pyscf_molecule(basis), pyscf_order(basis)
    largest = max(max(s.exponents) for atom in basis.shells for s in atom)
    for ours, name in ((overlap(basis), "int1e_ipovlp"), (kinetic(basis), "int1e_ipkin")):
        reference = reorder(molecule.intor(name), order)
        # A gradient may vanish by symmetry; its scale is √a times that of the matrix.
        scale = max(np.abs(reference).max(), np.sqrt(largest) * np.abs(ours.matrix).max())
        assert_close(ours.gradient, reference, scale=scale)


@settings(max_examples=12)
@given(st.data())
def test_primitives_agree_with_mpmath_quadrature(data):
    centres = data.draw(positions(2))
    momenta = [data.draw(st.integers(0, 2)) for _ in range(2)]
    shells = [Shell(l, (data.draw(exponents),), (1.0,)) for l in momenta]  # noqa: E741
    basis = BasisSet(centres, [[s] for s in shells])
    i, j = (data.draw(st.integers(0, 2 * l)) for l in momenta)  # noqa: E741
    f, g = primitive(shells[0], i, centres[0]), primitive(shells[1], j, centres[1])
    b = 2 * momenta[0] + 1 + j
    ours = integral_kinds(basis)
    # Schwarz: |S_ab| ≤ √(S_aa S_bb) = 1, and so for the others.
    assert ours["overlap"].matrix[i, b] == pytest.approx(product_integral([f, g]), abs=1e-13)
    reference = sum(
        product_integral([differentiated(f, axis), differentiated(g, axis)]) for axis in range(3)
    )
    t = ours["kinetic"].matrix
    assert t[i, b] == pytest.approx(reference / 2, abs=1e-12 * np.sqrt(t[i, i] * t[b, b]))
    reference = product_integral([f, g], (0, 1, 0))
    assert ours["y"].matrix[i, b] == pytest.approx(
        reference, abs=1e-12 * max(1.0, np.abs(centres).max())
    )


@given(st.data(), basis_sets())
@settings(max_examples=12)
def test_position_derivatives_are_the_slopes(data, basis):
    basis = softened(basis, 2.0)
    dr = data.draw(matrices(len(basis), 3))
    weights = data.draw(matrices(basis.n_functions, basis.n_functions))
    slopes = derivative(
        lambda h: np.array(
            [
                i.matrix
                for i in integral_kinds(basis.with_positions(basis.positions + h * dr)).values()
            ]
        ),
        STEP,
    )[0]
    for slope, integral in zip(slopes, integral_kinds(basis).values(), strict=True):
        perturbed = integral.position_perturb(dr)
        scale = max(1.0, np.abs(integral.matrix).max())
        assert_close(perturbed, slope, tolerance=1e-9, scale=scale)
        contracted = np.sum(integral.position_contract(weights) * dr)
        assert contracted == pytest.approx(np.sum(weights * perturbed), abs=1e-11 * scale)
        full = np.einsum("kiab,ki->ab", integral.position_derivative(), dr)
        assert_close(full, perturbed, scale=scale)


@given(st.data(), basis_sets())
def test_rigid_translation_changes_only_the_dipole_and_that_by_overlap(data, basis):
    shift = np.array(data.draw(st.tuples(*[st.floats(-1, 1)] * 3)))
    dr = np.tile(shift, (len(basis), 1))
    largest = max(max(s.exponents) for atom in basis.shells for s in atom)
    s, t = overlap(basis), kinetic(basis)
    scale = np.sqrt(largest)
    assert_close(s.position_perturb(dr), 0, scale=scale)
    assert_close(t.position_perturb(dr), 0, scale=scale * np.abs(t.matrix).max())
    for axis, x in enumerate(dipole(basis)):
        assert_close(
            x.position_perturb(dr),
            shift[axis] * s.matrix,
            scale=scale * max(1.0, np.abs(basis.positions).max()),
        )


@given(basis_sets())
def test_overlap_and_kinetic_are_positive(basis):
    for integral in (overlap(basis), kinetic(basis)):
        eigenvalues = np.linalg.eigvalsh(integral.matrix)
        assert eigenvalues[0] >= -1e-13 * eigenvalues[-1] * basis.n_functions


@given(basis_sets())
def test_uniform_field_is_the_same_combination_of_dipoles(basis):
    field = np.array([0.3, -0.2, 0.5])
    ours = uniform_field(basis, field)
    parts = dipole(basis)
    scale = max(1.0, np.abs(basis.positions).max())
    expected = sum(e * x.matrix for e, x in zip(field, parts, strict=True))
    assert_close(ours.matrix, expected, 1e-14, scale)
    dr = np.arange(3.0 * len(basis)).reshape(-1, 3)
    expected = sum(e * x.position_perturb(dr) for e, x in zip(field, parts, strict=True))
    assert_close(ours.position_perturb(dr), expected, 1e-13, max(scale, np.abs(expected).max()))
