"""The Coulomb operator of Gaussian charges, open and periodic, and the terms beside it."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.charges import open_charges, periodic_charges
from strategies.configurations import generators, rotations

from scc.configuration import Configuration, lattice
from scc.electrostatics.ewald_charges import EwaldInteraction
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.electrostatics.radial import coulomb_radial, coulomb_radial_slope
from scc.electrostatics.site_terms import ExternalPotential, OnsiteHubbard
from scc.errors import InputError

EPSILON = np.finfo(float).eps
FIVE_POINT = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))

lengths = st.floats(-9.0, 6.0).map(lambda exponent: 10.0**exponent)
any_charges = st.one_of(open_charges(), periodic_charges())


def coulomb(charges, shift=0.0):
    moved = charges.configuration.displaced(shift * charges.displacement)
    return GaussianChargeCoulomb(moved, charges.widths, charges.nuclear_charges)


def derivative(function, step):
    """Five-point central difference; truncation step⁴/30 times the fifth derivative."""
    return sum(weight * function(n * step) for n, weight in FIVE_POINT) / step


def difference_step(charges):
    """5 % of the smallest length in a Gaussian over the largest displacement.

    e^{-x²/4σ²} has fifth derivative below 2/σ⁵, so the truncation error is below 1e-6 of the
    largest slope; rounding is 1e-15/step.
    """
    return 0.02 * charges.widths.min() / max(1.0, np.abs(charges.displacement).max())


@given(lengths, st.floats(-2.0, 1.0).map(lambda exponent: 10.0**exponent))
def test_radial_functions_cancel_or_overflow(distance, tau):
    with mpmath.workdps(60):
        r, t = mpmath.mpf(distance), mpmath.mpf(tau)
        x = min(t * r, mpmath.mpf(12))  # erfc(12) = 1e-64
        value = mpmath.erf(x) / r
        slope = (2 * t / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(x**2)) - value) / r**2
        assert abs(coulomb_radial(distance, tau) / value - 1) < 4 * EPSILON
        # the closed form of F_1 loses one bit, its parts are accurate to an ulp or two each
        assert abs(coulomb_radial_slope(distance, tau) / slope - 1) < 16 * EPSILON


def test_radial_functions_at_the_origin_and_far_away():
    assert coulomb_radial(0.0, 1.5) == 3.0 / np.sqrt(np.pi)
    assert coulomb_radial_slope(0.0, 1.5) == pytest.approx(-(1.5**3) * 4 / 3 / np.sqrt(np.pi))
    assert coulomb_radial(1e4, 1.0) == 1e-4
    assert coulomb_radial_slope(1e4, 1.0) == pytest.approx(-1e-12, rel=4 * EPSILON)


@given(st.floats(0.1, 3.0), st.floats(0.1, 3.0), st.floats(0.0, 8.0))
def test_pair_interaction_uses_another_tau_than_its_fourier_integral(one, other, distance):
    """J = (2/π) ∫ e^{-k²(σ₁²+σ₂²)/2} sin(kr)/(kr) dk, from the Fourier transforms alone."""
    positions = np.array([[0.0, 0.0, 0.0], [distance, 0.0, 0.0]])
    assume(distance > 1e-3)
    term = GaussianChargeCoulomb(Configuration(("H", "H"), positions), np.array([one, other]), 1.0)
    total = one**2 + other**2
    # Trapezoidal rule: exponentially accurate for this even, analytic, decaying integrand.
    k, step = np.linspace(0.0, 9.0 / np.sqrt(total), 2001, retstep=True)
    integrand = np.exp(-0.5 * total * k**2) * np.sinc(k * distance / np.pi)
    integral = 2.0 / np.pi * step * (np.sum(integrand) - 0.5 * integrand[0])
    assert term.matrix[0, 1] == pytest.approx(integral, abs=1e-13)
    assert term.matrix[0, 0] == pytest.approx(1.0 / (one * np.sqrt(np.pi)), rel=4 * EPSILON)


@given(st.floats(0.01, 50.0))
def test_model_b_is_not_width_one_half(distance):
    pair = Configuration(("Na", "Cl"), np.array([[0.0, 0.0, 0.0], [0.0, distance, 0.0]]))
    matrix = GaussianChargeCoulomb(pair, 0.5, 1.0).matrix
    assert matrix[0, 1] == pytest.approx(float(mpmath.erf(distance)) / distance, rel=4 * EPSILON)
    assert matrix[0, 0] == pytest.approx(2.0 / np.sqrt(np.pi), rel=2 * EPSILON)


@given(open_charges())
def test_bare_nuclei_have_another_energy_than_their_repulsion(charges):
    """E(p = 0) must be Σ_{ℓ<k} Z_ℓ Z_k J_ℓk: no self-interaction, every pair once."""
    term = coulomb(charges)
    z = charges.nuclear_charges
    pairs = np.triu(np.outer(z, z) * term.matrix, 1).sum()
    scale = np.abs(np.outer(z, z) * term.matrix).sum()
    assert abs(term.energy(np.zeros_like(z)) - pairs) <= 1e-14 * scale


@given(any_charges)
def test_potential_is_not_the_derivative_of_the_energy(charges):
    """E is quadratic: the central difference is exact up to rounding, whatever the step."""
    term, p = coulomb(charges), charges.populations
    direction = charges.displacement[:, 0]
    difference = 0.5 * (term.energy(p + direction) - term.energy(p - direction))
    scale = np.abs(term.matrix).sum() * 100.0
    assert abs(difference - term.potential(p) @ direction) < 1e-14 * scale
    change = term.potential(p + direction) - term.potential(p)
    assert np.allclose(term.kernel(p, direction), change, rtol=0.0, atol=1e-14 * scale)


@given(any_charges)
def test_position_derivatives_miss_a_term(charges):
    term, p, step = coulomb(charges), charges.populations, difference_step(charges)
    slopes = np.abs(coulomb_radial_slope(charges.widths.min(), 0.5 / charges.widths.min()))
    scale = slopes * charges.widths.min() * np.abs(charges.displacement).max() * 8.0 * len(p)
    energy = derivative(lambda s: coulomb(charges, s).energy(p), step)
    gradient = np.sum(term.position_gradient(p) * charges.displacement)
    assert abs(energy - gradient) < 1e-6 * 8.0 * len(p) * scale
    potential = derivative(lambda s: coulomb(charges, s).potential(p), step)
    response = term.potential_position_jvp(p, charges.displacement)
    assert np.abs(potential - response).max() < 1e-6 * scale


@given(any_charges, generators())
def test_contraction_and_perturbation_are_not_adjoint(charges, generator):
    """aᵀ (dJ·dr) b computed two ways, to rounding."""
    interaction = coulomb(charges).interaction
    a, b = generator.normal(size=(2, len(charges.widths)))
    one = np.sum(interaction.position_contract(a, b) * charges.displacement)
    other = a @ interaction.position_jvp(b, charges.displacement)
    rms = np.abs(interaction.matrix).max() / charges.widths.min()
    size = rms * len(a) * np.linalg.norm(charges.displacement) * np.linalg.norm(a)
    assert abs(one - other) < 1e-13 * size * np.linalg.norm(b)


@given(any_charges)
def test_interaction_loses_symmetry_or_positivity(charges):
    matrix = coulomb(charges).matrix
    assert np.array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-13 * np.abs(matrix).sum(axis=1).max()


@given(any_charges, rotations(), st.randoms(use_true_random=False))
def test_energy_depends_on_origin_axes_or_order(charges, rotation, random):
    configuration, p, z = charges.configuration, charges.populations, charges.nuclear_charges
    order = list(range(len(configuration)))
    random.shuffle(order)
    moved = configuration.translated(np.array([3.0, -5.0, 0.7])).rotated(rotation).permuted(order)
    before = GaussianChargeCoulomb(configuration, charges.widths, z)
    after = GaussianChargeCoulomb(moved, charges.widths[order], z[order])
    scale = 64.0 * np.abs(before.matrix).sum()
    # 1e-13: positions of up to 100 bohr round at 1e-14
    assert abs(before.energy(p) - after.energy(p[order])) < 1e-13 * scale
    gradient = before.position_gradient(p)
    scale /= charges.widths.min()
    assert np.abs(gradient.sum(axis=0)).max() < 1e-12 * scale
    turned = (gradient @ rotation.T)[order]
    assert np.abs(after.position_gradient(p[order]) - turned).max() < 1e-12 * scale


# ---------------------------------------------------------------------------------- periodic cells


@given(periodic_charges(), st.floats(0.5, 2.0))
def test_ewald_sum_depends_on_the_splitting(charges, ratio):
    configuration, widths = charges.configuration, charges.widths
    automatic = EwaldInteraction(configuration, widths)
    other = EwaldInteraction(configuration, widths, automatic._splitting * ratio)
    scale = np.abs(automatic.matrix).max()
    assert np.abs(automatic.matrix - other.matrix).max() < 1e-13 * max(1.0, scale)
    p, z = charges.populations, charges.nuclear_charges
    gradients = [e.position_contract(p - z, p) for e in (automatic, other)]
    size = 64.0 * len(p) * max(1.0, scale) / widths.min()
    assert np.abs(gradients[0] - gradients[1]).max() < 1e-12 * size


@given(periodic_charges(max_atoms=3))
def test_ewald_sum_is_not_its_definition(charges):
    """(4π/Ω) Σ_{k≠0} e^{-k²/4τ²} cos k·(r_ℓ - r_k)/k², summed as it stands for wide charges."""
    configuration = charges.configuration
    volume = abs(np.linalg.det(configuration.cell))
    widths = np.maximum(charges.widths, 0.25 * volume ** (1.0 / 3.0))
    longest = 6.3 / widths.min()
    bound = (longest * np.linalg.norm(configuration.cell, axis=1) / (2 * np.pi)).astype(int) + 1
    assume(np.prod(2 * bound + 1) < 2e5)
    grids = np.meshgrid(*[np.arange(-n, n + 1) for n in bound], indexing="ij")
    integers = np.stack([g.ravel() for g in grids], axis=1)
    k = 2 * np.pi * integers[np.any(integers != 0, axis=1)] @ np.linalg.inv(configuration.cell).T
    squared = np.sum(k**2, axis=1)
    difference = configuration.positions[:, None, :] - configuration.positions[None, :, :]
    spread = 0.5 * (widths[:, None] ** 2 + widths[None, :] ** 2)
    terms = np.exp(-squared * spread[..., None]) * np.cos(difference @ k.T) / squared
    direct = 4 * np.pi / volume * terms.sum(axis=-1)
    matrix = EwaldInteraction(configuration, widths).matrix
    assert np.abs(matrix - direct).max() < 1e-12 * max(1.0, np.abs(direct).max())


MADELUNG_ROCK_SALT = 1.747564594633182190636212035544397403  # OEIS A085469
MADELUNG_CAESIUM_CHLORIDE = 1.762674773070988397935722  # D. Borwein, J. Borwein, K. Taylor 1985
WIGNER_SIMPLE_CUBIC = 2.837297479480619476665912  # G. Makov, M. C. Payne, PRB 51 (1995) 4014


@given(st.floats(0.5, 20.0))
def test_madelung_constants_are_wrong(spacing):
    """Charges so narrow (σ = spacing/20) that they meet as points: overlap e^{-100}."""
    salt = lattice("rock-salt", 2, spacing, periodic=True)
    caesium = Configuration(
        ("Cs", "Cl"),
        spacing / np.sqrt(3.0) * np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]),
        2.0 * spacing / np.sqrt(3.0) * np.eye(3),
        (True, True, True),
    )
    for crystal, constant in ((salt, MADELUNG_ROCK_SALT), (caesium, MADELUNG_CAESIUM_CHLORIDE)):
        sign = np.where(np.array(crystal.species) == crystal.species[0], 1.0, -1.0)
        width = spacing / 20.0
        matrix = GaussianChargeCoulomb(crystal, width, 0.0).matrix
        potential = matrix @ sign - sign / (width * np.sqrt(np.pi))
        # 1e-13: the self-interaction taken away is ten times larger
        assert np.allclose(-potential * sign * spacing, constant, rtol=1e-13, atol=0.0)


@given(st.floats(1.0, 20.0), st.floats(0.01, 0.04))
def test_charged_cell_has_another_background(edge, ratio):
    """One charge in its cubic cell: -2.8372…/L, plus 4πσ²/Ω because a Gaussian's own potential
    has a cell average smaller by that than a point's."""
    width = ratio * edge
    single = Configuration(("H",), np.zeros((1, 3)), edge * np.eye(3), (True, True, True))
    value = GaussianChargeCoulomb(single, width, 1.0).matrix[0, 0]
    background = value - 1.0 / (width * np.sqrt(np.pi)) - 4.0 * np.pi * width**2 / edge**3
    assert background * edge == pytest.approx(-WIGNER_SIMPLE_CUBIC, rel=1e-12)


@settings(max_examples=5)
@given(st.floats(2.0, 20.0), st.floats(0.1, 1.0), generators())
def test_potential_has_a_cell_average(edge, ratio, generator):
    """A wide probe on a grid: the trapezoidal rule is exact for what a Gaussian lets through."""
    cell = edge * (np.eye(3) + generator.uniform(-0.2, 0.2, (3, 3)))
    n = 5
    grid = np.stack(np.unravel_index(np.arange(n**3), (n, n, n)), axis=1) / n
    probes = (grid + generator.uniform(0.001, 0.01, 3)) @ cell
    # The first aliased vector has |k| ≥ 2πn/1.3L, so the probe damps it by e^{-k²σ²/2} = 4e-12.
    widths = 0.3 * edge * np.array([ratio, 1.0])
    potential = np.zeros(len(probes))
    for index, probe in enumerate(probes):
        pair = Configuration(("H", "H"), np.array([np.zeros(3), probe]), cell, (True, True, True))
        potential[index] = EwaldInteraction(pair, widths).matrix[0, 1]
    assert abs(potential.mean()) < 1e-10 * np.abs(potential).max()


def test_lone_narrow_charge_in_a_wide_cell_breaks_derivatives():
    """No image lies within the short range: sums over no pairs must still be real arrays."""
    single = Configuration(("H",), np.ones((1, 3)), 15.0 * np.eye(3), (True, True, True))
    interaction = EwaldInteraction(single, np.array([0.2]))
    one = np.ones(1)
    assert np.abs(interaction.position_jvp(one, np.ones((1, 3)))).max() < 1e-14
    assert np.abs(interaction.position_contract(one, one)).max() < 1e-14


@given(periodic_charges(), st.integers(0, 2))
def test_supercell_or_image_changes_the_energy(charges, axis):
    configuration, widths = charges.configuration, charges.widths
    p, z = charges.populations, charges.nuclear_charges
    energy = GaussianChargeCoulomb(configuration, widths, z).energy(p)
    scale = 64.0 * len(p) ** 2 * np.abs(EwaldInteraction(configuration, widths).matrix).max()
    vectors = configuration.cell
    shifted = configuration.positions.copy()
    shifted[0] += vectors[axis]
    image = Configuration(configuration.species, shifted, vectors, (True, True, True))
    assert abs(GaussianChargeCoulomb(image, widths, z).energy(p) - energy) < 1e-13 * scale
    doubled = vectors.copy()
    doubled[axis] *= 2.0
    twice = Configuration(
        configuration.species * 2,
        np.vstack([configuration.positions, configuration.positions + vectors[axis]]),
        doubled,
        (True, True, True),
    )
    double = GaussianChargeCoulomb(twice, np.tile(widths, 2), np.tile(z, 2)).energy(np.tile(p, 2))
    # The background is part of the density, so this holds for charged cells too.
    assert abs(double - 2.0 * energy) < 1e-13 * scale


# ------------------------------------------------------------------------------------ other terms


@given(open_charges())
def test_hubbard_term_is_inconsistent(charges):
    p, z = charges.populations, charges.nuclear_charges
    u, dp = charges.displacement[:, 0], charges.displacement[:, 1]
    term = OnsiteHubbard(u, z)
    assert term.energy(p) == pytest.approx(0.5 * np.sum(u * (p - z) ** 2), rel=1e-12, abs=1e-12)
    difference = 0.5 * (term.energy(p + dp) - term.energy(p - dp))
    assert difference == pytest.approx(term.potential(p) @ dp, rel=1e-10, abs=1e-10)
    assert np.allclose(term.kernel(p, dp), term.potential(p + dp) - term.potential(p), atol=1e-12)
    assert term.convex == bool(np.all(u >= 0))
    sites = 0.5 * (term.site_energies(p + dp) - term.site_energies(p - dp))
    assert np.allclose(term.site_energies_jvp(p, dp), sites, atol=1e-10)
    assert np.allclose(term.site_potential(p, u) @ dp, u @ term.site_energies_jvp(p, dp))


@given(open_charges(), st.tuples(*[st.floats(-1.0, 1.0)] * 3))
def test_field_pushes_electrons_the_wrong_way_or_misses_forces(charges, field):
    field = np.array(field)
    p, z, dr = charges.populations, charges.nuclear_charges, charges.displacement

    def term(shift):
        moved = charges.configuration.displaced(shift * dr)
        return ExternalPotential.uniform_field(moved, field, z)

    dipole = (z - p) @ charges.configuration.positions
    assert term(0.0).energy(p) == pytest.approx(-dipole @ field, rel=1e-9, abs=1e-9)
    # linear in r: any step is exact up to rounding
    energy = 0.5 * (term(1.0).energy(p) - term(-1.0).energy(p))
    assert energy == pytest.approx(np.sum(term(0.0).position_gradient(p) * dr), rel=1e-9, abs=1e-9)
    potential = 0.5 * (term(1.0).potential(p) - term(-1.0).potential(p))
    assert np.allclose(term(0.0).potential_position_jvp(p, dr), potential, atol=1e-12)
    assert not np.any(term(0.0).kernel(p, p))


def test_attached_potential_moves_with_its_atoms():
    term = ExternalPotential(np.array([0.5, -0.25]), np.array([1.0, 1.0]))
    assert term.energy(np.array([2.0, 1.0])) == 0.5
    assert not np.any(term.position_gradient(np.array([2.0, 1.0])))


PAIR = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]))


@pytest.mark.parametrize(
    ("widths", "charges", "message"),
    [
        (0.0, 1.0, "width of the charge on atom 0 is 0.0"),
        (np.array([1.0, -2.0]), 1.0, "atom 1 is -2.0"),
        (np.array([1.0, np.nan]), 1.0, "width of atom 1 is nan"),
        (1.0, np.array([np.inf, 1.0]), "nuclear charge of atom 0 is inf"),
        (np.ones(3), 1.0, r"widths have shape \(3,\), expected \(2,\)"),
    ],
)
def test_impossible_charges_are_accepted(widths, charges, message):
    with pytest.raises(InputError, match=message):
        GaussianChargeCoulomb(PAIR, widths, charges)


@pytest.mark.parametrize("periodic", [(True, False, False), (True, True, False)])
def test_partly_periodic_cell_is_accepted(periodic):
    slab = Configuration(PAIR.species, PAIR.positions, 6.0 * np.eye(3), periodic)
    with pytest.raises(InputError, match="all three directions periodic or none"):
        GaussianChargeCoulomb(slab, 1.0, 1.0)
    with pytest.raises(InputError, match="needs all three directions"):
        EwaldInteraction(slab, np.ones(2))


def test_impossible_terms_are_accepted():
    crystal = Configuration(PAIR.species, PAIR.positions, 6.0 * np.eye(3), (True, True, True))
    with pytest.raises(InputError, match="no periodic potential"):
        ExternalPotential.uniform_field(crystal, np.ones(3), np.ones(2))
    with pytest.raises(InputError, match="three components"):
        ExternalPotential.uniform_field(PAIR, np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="external potential 1 is nan"):
        ExternalPotential(np.array([0.0, np.nan]), np.ones(2))
    with pytest.raises(InputError, match="2 Hubbard parameters for 3 charges"):
        OnsiteHubbard(np.ones(2), np.ones(3))
    with pytest.raises(InputError, match="splitting is 0"):
        EwaldInteraction(crystal, np.ones(2), 0.0)
