"""Ball integrals: against libcint, against scc's own floats, and against mpmath to 25 digits."""

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.basis import basis_sets, matrices, pyscf_molecule, pyscf_order, reorder
from strategies.configurations import generators

from scc.basis.overlap import kinetic, overlap
from scc.basis.shells import BasisSet, Shell
from scc.certify.gaussian.boys import boys
from scc.certify.gaussian.integrals import GaussianIntegrals, pair_number
from scc.electrostatics.pair_density import PairDensityCoulomb

BITS = 128
EPS = np.finfo(np.float64).eps


@pytest.fixture(autouse=True)
def _precision():
    with flint.ctx.workprec(BITS):
        yield


def floats(matrix):
    """Midpoints as float64."""
    return np.array([[float(x.mid()) for x in row] for row in matrix.tolist()])


def radii(matrix):
    """Largest radius."""
    return max(float(x.rad()) for x in matrix.entries())


def as_matrix(array):
    return flint.arb_mat(array.tolist())


def four_index(integrals):
    """(ab|cd) (n, n, n, n) from pairs by pairs."""
    n, values = integrals.n, floats(integrals.repulsion)
    index = np.array([[pair_number(a, b) for b in range(n)] for a in range(n)])
    return values[index[:, :, None, None], index[None, None]]


def contains(ball, value, digits):
    """Whether a ball holds an mpmath number known to ``digits`` significant digits."""
    text = mpmath.nstr(value, digits + 5)
    uncertainty = flint.arb(0, abs(flint.arb(text)) * flint.arb(10) ** -digits + 1e-300)
    return bool(ball.overlaps(flint.arb(text) + uncertainty))


# -- Boys ----------------------------------------------------------------------------------------


@given(order=st.integers(0, 9), argument=st.one_of(st.floats(0.0, 2.0), st.floats(0.0, 2000.0)))
def test_boys_functions_that_miss_the_true_value(order, argument):
    with mpmath.workdps(60):
        t = mpmath.mpf(argument)
        for n, value in enumerate(boys(order, flint.arb(argument))):
            a = n + mpmath.mpf(1) / 2
            true = (
                mpmath.gammainc(a, 0, t) / (2 * t**a)
                if argument > 0
                else mpmath.mpf(1) / (2 * n + 1)
            )
            assert contains(value, true, 40)
            assert value.rel_accuracy_bits() > 100


def test_boys_function_of_a_ball_about_zero():
    """Concentric charges: T is a ball that reaches below zero."""
    width = flint.arb(2) ** -100
    for n, value in enumerate(boys(4, flint.arb(0, width))):
        assert value.contains(flint.arb(1) / (2 * n + 1))
        assert value.rad() < 4 * width


# -- against other codes in floats ----------------------------------------------------------------


@settings(max_examples=15)
@given(basis=basis_sets(largest_l=1, most_atoms=2), rng=generators())
def test_integrals_that_differ_from_libcint(basis, rng):
    molecule, order = pyscf_molecule(basis), pyscf_order(basis)
    charges = rng.uniform(0.5, 3.0, len(basis))
    ours = GaussianIntegrals(basis, charges, np.full(len(basis), 5.0))
    for name, matrix in (("int1e_ovlp", ours.overlap), ("int1e_kin", ours.kinetic)):
        reference = reorder(molecule.intor(name), order)
        np.testing.assert_allclose(
            floats(matrix), reference, atol=1e-12 * (1 + np.max(np.abs(reference)))
        )
        assert radii(matrix) < 1e-30
    repulsion = reorder(molecule.intor("int2e"), order, axes=(0, 1, 2, 3))
    scale = 1 + np.max(np.abs(repulsion))
    np.testing.assert_allclose(four_index(ours), repulsion, atol=1e-12 * scale)
    assert radii(ours.repulsion) < 1e-30 * scale
    attraction = np.zeros_like(reference)
    for position, charge in zip(basis.positions, charges, strict=True):
        with molecule.with_rinv_origin(position):
            molecule.set_rinv_zeta(5.0)
            attraction -= charge * molecule.intor("int1e_rinv")
            molecule.set_rinv_zeta(0.0)
    reference = reorder(attraction, order)
    np.testing.assert_allclose(
        floats(ours.nuclear), reference, atol=1e-12 * (1 + np.max(np.abs(reference)))
    )


@settings(max_examples=15)
@given(data=st.data(), point=st.booleans())
def test_integrals_and_forces_that_differ_from_the_floats(data, point):
    """Every matrix, the nuclei's energy, and ∂/∂r at random D and W."""
    basis = data.draw(basis_sets(largest_l=1, most_atoms=2))
    gap = np.array([[0.0, 0.0, 0.0], [0.7, 0.3, -0.2]])[: len(basis)]
    basis = BasisSet(basis.positions + gap, basis.shells)  # nuclei apart
    n = basis.n_functions
    charges = data.draw(generators()).uniform(0.5, 3.0, len(basis))
    exponents = None if point else np.full(len(basis), 2.0)
    ours = GaussianIntegrals(basis, charges, exponents)
    theirs = PairDensityCoulomb(basis, charges, exponents)
    s, t = overlap(basis), kinetic(basis)
    for a, b in ((ours.overlap, s), (ours.kinetic, t)):
        np.testing.assert_allclose(floats(a), b.matrix, atol=1e-12 * (1 + np.abs(b.matrix).max()))
    v = theirs.nuclear_potential
    np.testing.assert_allclose(floats(ours.nuclear), v, atol=1e-11 * (1 + np.abs(v).max()))
    assert abs(float(ours.nuclear_energy.mid()) - theirs.nuclear_energy) <= 1e-12 * (
        1 + theirs.nuclear_energy
    )
    density, weighted = data.draw(matrices(n, n)), data.draw(matrices(n, n))
    density, weighted = density + density.T, weighted + weighted.T
    expected = (
        theirs.position_gradient(density)
        + t.position_contract(density)
        - s.position_contract(weighted)
    )
    gradient = ours.energy_gradient(as_matrix(density), as_matrix(weighted))
    assert max(float(x.rad()) for row in gradient for x in row) < 1e-24
    # Gradients of tight functions (a ≤ 80 bohr⁻²): 10³ terms of √a times the integrals.
    scale = 1.0 + np.abs(density).max() ** 2 * np.abs(t.gradient).max()
    np.testing.assert_allclose(floats(flint.arb_mat(gradient)), expected, atol=1e-11 * scale)


def test_d_functions_that_differ_from_libcint():
    positions = np.array([[0.0, 0.1, 0.2], [0.5, -0.4, 0.9]])
    shells = [[Shell(2, (0.8,), (1.0,))], [Shell(0, (1.3,), (1.0,)), Shell(1, (0.6,), (1.0,))]]
    basis = BasisSet(positions, shells)
    molecule, order = pyscf_molecule(basis), pyscf_order(basis)
    ours = GaussianIntegrals(basis, np.ones(2))
    reference = reorder(molecule.intor("int2e"), order, axes=(0, 1, 2, 3))
    np.testing.assert_allclose(four_index(ours), reference, atol=1e-13)
    kinetic_reference = reorder(molecule.intor("int1e_kin"), order)
    np.testing.assert_allclose(floats(ours.kinetic), kinetic_reference, atol=1e-13)


# -- against mpmath, to digits no float has -------------------------------------------------------

A, B, C, D = 0.9, 0.5, 1.7, 0.3
POINTS = np.array([[0.0, 0.25, -0.5], [0.75, -0.5, 0.125], [-0.25, 1.0, 0.5], [1.5, 0.0, -1.0]])


def _unit(momentum, exponent):
    """Normalisation of s, and of x e^{−ax²}."""
    a = mpmath.mpf(exponent)
    s = (2 * a / mpmath.pi) ** (mpmath.mpf(3) / 4)
    return s if momentum == 0 else 2 * mpmath.sqrt(a) * s


def _repulsion_of_s(points, charges=(A, B, C, D)):
    """(ab|cd) of e^{−a|x−A|²}: 2π^{5/2}/(pq√(p+q)) e^{…} F₀, the textbook formula."""
    a, b, c, d = (mpmath.mpf(x) for x in charges)
    r = [[mpmath.mpf(x) for x in row] for row in points]
    p, q = a + b, c + d

    def squared(u, v):
        return sum((x - y) ** 2 for x, y in zip(u, v, strict=True))

    first = [(a * x + b * y) / p for x, y in zip(r[0], r[1], strict=True)]
    second = [(c * x + d * y) / q for x, y in zip(r[2], r[3], strict=True)]
    t = p * q / (p + q) * squared(first, second)
    f0 = mpmath.sqrt(mpmath.pi / t) * mpmath.erf(mpmath.sqrt(t)) / 2
    size = mpmath.exp(-a * b / p * squared(r[0], r[1]) - c * d / q * squared(r[2], r[3]))
    return 2 * mpmath.pi ** (mpmath.mpf(5) / 2) / (p * q * mpmath.sqrt(p + q)) * size * f0


def test_repulsion_integrals_against_mpmath_with_p_functions_as_derivatives_of_s():
    """A p function is (1/2a)∂_A of an s function: (p_y s|p_z s) by numerical differentiation."""
    shells = [
        [Shell(1, (A,), (1.0,))],
        [Shell(0, (B,), (1.0,))],
        [Shell(1, (C,), (1.0,))],
        [Shell(0, (D,), (1.0,))],
    ]
    ours = GaussianIntegrals(BasisSet(POINTS, shells), np.ones(4))
    with mpmath.workdps(60):

        def moved(y, z):
            points = [list(map(mpmath.mpf, row)) for row in POINTS.tolist()]
            points[0][1] += y
            points[2][2] += z
            return _repulsion_of_s(points)

        bare = mpmath.diff(moved, (0, 0), (1, 1)) / (4 * mpmath.mpf(A) * mpmath.mpf(C))
        norm = _unit(1, A) * _unit(0, B) * _unit(1, C) * _unit(0, D)
        # p functions are y, z, x: 0 is y of the first atom, 5 is z of the third, after one s.
        value = ours.repulsion[pair_number(0, 3), pair_number(5, 7)]
        assert contains(value, bare * norm, 25)
        assert value.rad() < 1e-33
        assert not contains(value, bare * norm * (1 + mpmath.mpf(10) ** -24), 25)


def test_smeared_attraction_against_mpmath():
    """A nucleus (Z (α/π)^{3/2} e^{−α…}) is a pair of s functions on one centre."""
    shells = [[Shell(0, (A,), (1.0,))], [Shell(0, (B,), (1.0,))]]
    ours = GaussianIntegrals(BasisSet(POINTS[:2], shells), np.array([0.0, 1.5]), [1.0, 2.5])
    with mpmath.workdps(60):
        points = [POINTS[0], POINTS[1], POINTS[1] + 0, POINTS[1] + 0]
        bare = _repulsion_of_s(points, (A, B, 1.25, 1.25))
        smear = (mpmath.mpf(2.5) / mpmath.pi) ** (mpmath.mpf(3) / 2)
        value = -mpmath.mpf(1.5) * smear * bare * _unit(0, A) * _unit(0, B)
        assert contains(ours.nuclear[1, 0], value, 30)
