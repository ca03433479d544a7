"""The reference code itself: against mpmath, differences in 60 digits, and limits that link it."""

import dataclasses
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.electrostatics.goldens.evaluate import Evaluation
from scc.electrostatics.goldens.numbers import (
    agreed_decimals,
    exact,
    exact_array,
    largest,
    working_precision,
)
from scc.electrostatics.goldens.polynomials import operators, solid_harmonic
from scc.electrostatics.goldens.system import System
from scc.errors import ConvergenceError

PERIODIC = (True, True, True)
SLAB = (True, True, False)
CELL = ((4.0, 0.5, 0.0), (-1.0, 5.0, 0.25), (0.5, -0.75, 4.5))
PLANE = ((4.0, 0.5, 0.0), (-1.0, 5.0, 0.0), (0.0, 0.0, 32.0))


@pytest.fixture(autouse=True)
def precision():
    with working_precision():
        yield


def system(positions, widths, l_max, multipoles, **others):
    return System("test", "", ("H",) * len(widths), positions, widths, l_max, multipoles, **others)


def dyadic(low, high, denominator=64):
    return st.integers(low * denominator, high * denominator).map(lambda n: n / denominator)


@st.composite
def pairs(draw, l_max=2):
    """Two sites at least 1/2 apart."""
    place = tuple(draw(st.tuples(*[dyadic(-2, 2)] * 3)))
    place = (place[0] + (2.5 if abs(place[0]) < 0.5 else 0.0), *place[1:])
    widths = tuple(draw(st.tuples(dyadic(0, 2, 4), dyadic(0, 2, 4))))
    row = st.tuples(*[dyadic(-1, 1, 16)] * (l_max + 1) ** 2)
    return system(((0.0, 0.0, 0.0), place), widths, l_max, (draw(row), draw(row)))


def test_solid_harmonics_are_those_of_the_documentation():
    def at(x, y, z, degree, order):
        terms = solid_harmonic(degree, order).items()
        return sum(value * x ** t[0] * y ** t[1] * z ** t[2] for t, value in terms)

    x, y, z = exact(0.5), exact(-1.25), exact(2.0)
    root, squared = exact(3.0).sqrt(), x * x + y * y + z * z
    written_out = {
        (1, -1): y,
        (1, 0): z,
        (1, 1): x,
        (2, -2): root * x * y,
        (2, -1): root * y * z,
        (2, 0): (3 * z * z - squared) / 2,
        (2, 1): root * x * z,
        (2, 2): root / 2 * (x * x - y * y),
    }
    for (degree, order), value in written_out.items():
        assert at(x, y, z, degree, order).overlaps(value)
    for degree in range(5):  # Racah: Σ_µ R² = r^{2λ}
        total = sum(at(x, y, z, degree, order) ** 2 for order in range(-degree, degree + 1))
        assert total.overlaps(squared**degree)


def test_a_unit_point_multipole_has_a_unit_multipole_moment():
    # Its potential must be R_λµ(x)/r^{2λ+1}, for every component up to λ = 4.
    point = (1.25, -0.5, 2.0)
    squared = exact(1.25) ** 2 + exact(0.5) ** 2 + exact(2.0) ** 2
    for index in range(25):
        degree = int(np.sqrt(index))
        row = tuple(float(index == other) for other in range(25))
        one = system(((0.0, 0.0, 0.0),), (0.0,), 4, (row,))
        value = Evaluation(one).potential_at(exact_array([point]))[0]
        terms = solid_harmonic(degree, index - degree * degree - degree).items()
        harmonic = sum(
            c * exact(1.25) ** t[0] * exact(-0.5) ** t[1] * exact(2.0) ** t[2] for t, c in terms
        )
        assert value.overlaps(harmonic / squared.sqrt() ** (2 * degree + 1))


def mpmath_energy(pair, screening):
    """The pair's mutual energy from numerical differentiation of the radial function in mpmath."""
    left, right = (mpmath.mpf(width) ** 2 for width in pair.widths)
    w, kappa = left + right, mpmath.mpf(screening)

    def interaction(x, y, z):
        r = mpmath.sqrt(x * x + y * y + z * z)
        if w == 0:
            return mpmath.exp(-kappa * r) / r
        a, b = kappa * mpmath.sqrt(w / 2), r / mpmath.sqrt(2 * w)
        inner = mpmath.exp(-kappa * r) * mpmath.erfc(a - b)
        inner -= mpmath.exp(kappa * r) * mpmath.erfc(a + b)
        return mpmath.exp(a * a) * inner / (2 * r)

    separation = [a - b for a, b in zip(*pair.positions, strict=True)]
    polynomial = {}
    known = [
        {t: mpmath.mpf(value.str(40, radius=False)) for t, value in operator.items()}
        for operator in operators(pair.l_max)
    ]
    for p, first in zip(pair.multipoles[0], known, strict=True):
        for q, second in zip(pair.multipoles[1], known, strict=True):
            for t, a in first.items():
                for u, b in second.items():
                    key = tuple(i + j for i, j in zip(t, u, strict=True))
                    value = mpmath.mpf(p) * q * a * b * (-1) ** sum(u)
                    polynomial[key] = polynomial.get(key, 0) + value
    return mpmath.fsum(
        value * mpmath.diff(interaction, tuple(separation), order)
        for order, value in polynomial.items()
        if value
    )


@settings(max_examples=5)
@given(pairs(), st.sampled_from([0.0, 0.75]))
def test_pairs_in_open_boundaries_agree_with_differentiation_in_mpmath(pair, screening):
    own = Evaluation(dataclasses.replace(pair, screening=screening))
    with mpmath.workdps(36):
        expected = mpmath_energy(pair, screening)
        found = mpmath.mpf((own.energy - own.self_energy).str(40, radius=False))
        scale = max(abs(expected), mpmath.mpf(largest(own.potential).str(20, radius=False)))
        # mpmath differentiates with steps sized for the precision it works in, 36 digits;
        # up to the fourth order, small numbers come from large ones.
        assert abs(found - expected) <= mpmath.mpf("1e-24") * max(scale, 1)


def test_self_energy_is_the_closed_form_of_the_documentation():
    for degree in range(5):
        row = tuple(float(index == degree * (degree + 1)) for index in range(25))
        one = Evaluation(system(((0.0, 0.0, 0.0),), (0.75,), 4, (row,)))
        a = 1 / (4 * exact(0.75) ** 2)
        odd = int(np.prod(np.arange(2 * degree - 1, 0, -2)))
        own = (2 * a) ** degree * 2 * (a / flint.arb.pi()).sqrt() / ((2 * degree + 1) * odd)
        assert one.potential[0, degree * (degree + 1)].overlaps(own)
        assert one.self_energy.overlaps(own / 2)
        assert one.energy.overlaps(own / 2)


MIXED = system(
    ((0.25, 0.5, 0.125), (2.25, 1.0, 2.0)),
    (0.5, 1.0),
    1,
    ((0.5, -0.25, 0.75, 0.125), (-0.5, 0.375, 0.25, -1.0)),
)
STEP = 2.0**-20
# Central differences of order 4: their error is STEP⁴/30 times a fifth derivative, 3e-26 × (that of
# Gaussians of width 1/2 and their dipoles, below 1e4).
STENCIL = {1: Fraction(2, 3), 2: Fraction(-1, 12)}
PUSH = np.array([[0.5, -1.0, 0.25], [0.75, 0.5, 1.0]])
PULL = np.array([[1.0, 0.5, -0.75], [-0.5, 0.25, 1.0], [0.75, -1.0, 0.5]])

BOUNDARIES = {
    "open": {},
    "screened": {"screening": 0.75},
    "periodic": {"cell": CELL, "periodic": PERIODIC},
    "charged": {
        "cell": CELL,
        "periodic": PERIODIC,
        "multipoles": ((1.0, 0, 0, 0.5), (0.5, 0, 1.0, 0)),
    },
    "surface": {"cell": CELL, "periodic": PERIODIC, "surface_permittivity": 1.0},
    "screened periodic": {"cell": CELL, "periodic": PERIODIC, "screening": 0.5},
    "slab": {"cell": PLANE, "periodic": SLAB},
}


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_forces_and_strain_are_the_derivative_of_the_energy(boundary):
    # Along a direction in which every atom moves and every entry of the strain takes part.
    start = dataclasses.replace(MIXED, **BOUNDARIES[boundary])
    pull = PULL.copy()
    if start.kind == "slab":
        pull[2, :2] = 0.0  # tilts the plane: held by the independence of the splitting below
    found = Evaluation(start, 0.6)
    result = -(exact_array(PUSH) * found.forces).sum() + (exact_array(pull) * found.strain).sum()
    differences = flint.arb(0)
    for n, weight in STENCIL.items():
        for sign in (1, -1):
            step = sign * n * STEP
            matrix = np.eye(3) + step * pull  # all of this is exact in binary
            positions = np.array(start.positions) @ matrix.T + step * PUSH
            cell = None if start.cell is None else tuple(np.array(start.cell) @ matrix.T)
            moved = dataclasses.replace(start, positions=tuple(positions), cell=cell)
            scaled = flint.arb(sign * weight.numerator) / weight.denominator
            differences += scaled * Evaluation(moved, 0.6).energy
    assert abs(result - differences / exact(STEP)) < 1e-20


@pytest.mark.parametrize("boundary", ["charged", "surface", "screened periodic", "slab"])
def test_nothing_depends_on_the_splitting(boundary):
    start = dataclasses.replace(MIXED, **BOUNDARIES[boundary])
    first, second = Evaluation(start, 0.6), Evaluation(start, 0.95)
    for name in ("energy", "potential", "forces", "strain"):
        difference = largest(np.asarray(getattr(first, name) - getattr(second, name)))
        assert difference < 1e-28


def test_weak_screening_of_a_charged_cell_leads_to_the_background():
    # E(κ) − 2πQ²/Ωκ² = E(0) + O(κ²): the zero average of the potentials, from another sum over k.
    charged = dataclasses.replace(MIXED, **BOUNDARIES["charged"])
    limit = Evaluation(charged, 0.6)
    net = sum(row[0] for row in charged.multipoles)
    off = []
    for kappa in (2.0**-12, 2.0**-13):
        energy = Evaluation(dataclasses.replace(charged, screening=kappa), 0.6).energy
        uniform = 2 * flint.arb.pi() * exact(net) ** 2 / (limit.measure * exact(kappa) ** 2)
        off.append(energy - uniform - limit.energy)
    assert abs(off[0]) < 1e-6
    assert abs(off[0] / off[1] - 4) < 1e-6


def test_a_slab_is_a_tall_cell_with_its_dipole_taken_off():
    # Yeh, Berkowitz, J. Chem. Phys. 111, 3155 (1999): E = E_3D + 2πM_z²/V up to e^{−k(L−D)}, here
    # k ≥ 2π/5.1, L = 64, D ≈ 2 plus the tails of the Gaussians (e^{k²σ²}): 1e-33.
    slab = dataclasses.replace(MIXED, cell=PLANE, periodic=SLAB)
    tall = dataclasses.replace(MIXED, cell=(*PLANE[:2], (0.0, 0.0, 64.0)), periodic=PERIODIC)
    flat, high = Evaluation(slab, 0.6), Evaluation(tall, 0.5)
    moment = sum(
        exact(p[0]) * exact(r[2]) + exact(p[2])
        for p, r in zip(MIXED.multipoles, MIXED.positions, strict=True)
    )
    expected = high.energy + 2 * flint.arb.pi() * moment**2 / high.measure
    assert abs(flat.energy - expected) < 1e-25


def test_narrow_gaussians_differ_from_points_by_what_the_documentation_says():
    charges = ((1.0,), (-0.25,))
    points = system(MIXED.positions, (0.0, 0.0), 0, charges, cell=CELL, periodic=PERIODIC)
    narrow = dataclasses.replace(points, widths=(0.125, 0.0625))  # erfc(√8/0.14) < 1e-170
    first, second = Evaluation(narrow, 0.6), Evaluation(points, 0.6)
    spread = sum(
        exact(q) * exact(width) ** 2 for (q,), width in zip(charges, narrow.widths, strict=True)
    )
    shift = 2 * flint.arb.pi() / first.measure * exact(0.75) * spread
    assert abs(first.energy - first.self_energy - second.energy - shift) < 1e-28
    probe = exact_array([(1.0, 3.0, 3.5)])
    lifted = first.potential_at(probe)[0] - second.potential_at(probe)[0]
    assert abs(lifted - 2 * flint.arb.pi() / first.measure * spread) < 1e-28


def test_disagreement_and_lost_digits_are_refused():
    one = exact_array([1.0, 2.0])
    with pytest.raises(ConvergenceError, match="energy: two splittings differ"):
        agreed_decimals("energy", one, one * (1 + exact(2.0**-80)), exact(1.0))
    uncertain = np.array([flint.arb(1, 1e-20)], dtype=object)
    with pytest.raises(ConvergenceError):
        agreed_decimals("energy", uncertain, uncertain, exact(1.0))
