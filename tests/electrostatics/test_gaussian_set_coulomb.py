"""Concentric Gaussians on atoms: the split sum against the plain one, open and periodic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.charges import open_charges, periodic_charges
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative

from scc.configuration import Configuration, cluster
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.electrostatics.gaussian_set_coulomb import GaussianSetCoulomb
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.radial import coulomb_radial
from scc.errors import InputError

CELL = np.array([[9.0, 0.0, 0.0], [1.0, 8.0, 0.0], [0.0, 2.0, 10.0]])


def crystal(rng, atoms=3):
    fractional = (np.arange(atoms)[:, None] + rng.uniform(0.1, 0.5, size=(atoms, 3))) / atoms
    return Configuration(("H",) * atoms, fractional @ CELL, CELL, (True, True, True))


def sets(configuration, rng, size=3, reach=20.0, **options):
    widths = rng.uniform(0.3, 1.5, size=(len(configuration), size))
    density = rng.normal(size=widths.shape)
    return GaussianSetCoulomb(configuration, widths, reach, **options), widths, density


@given(st.integers(1, 6), generators())
def test_open_sums_are_not_the_plain_ones(atoms, rng):
    configuration = cluster(atoms, 2.0, rng, species=["H"])
    term, widths, density = sets(configuration, rng)
    plain = np.zeros_like(density)
    r = configuration.distances()
    for i in range(atoms):
        for j in range(atoms):
            if i != j:
                tau = 1.0 / np.sqrt(2.0 * (widths[i][:, None] ** 2 + widths[j] ** 2))
                plain[i] += coulomb_radial(np.full_like(tau, r[i, j]), tau) @ density[j]
    assert np.allclose(term.potential(density), plain, rtol=0.0, atol=1e-12)
    assert np.allclose(term.kernel(density, density), plain, rtol=0.0, atol=1e-12)
    assert term.energy(density) == pytest.approx(0.5 * np.sum(density * plain), abs=1e-12)


@given(generators())
@settings(max_examples=3)
def test_one_gaussian_an_atom_is_not_the_ewald_sum(rng):
    """Images and the zero of the potential included; an atom's own Gaussian left out."""
    configuration = crystal(rng)
    term, widths, density = sets(configuration, rng, 1)
    reference = MultipoleCoulomb(configuration, widths[:, 0])
    own = reference.own * density[:, 0]
    expected = reference.potential(density[:, 0]) - own
    assert np.allclose(term.potential(density)[:, 0], expected, rtol=0.0, atol=1e-8)
    energy = reference.energy(density[:, 0]) - 0.5 * own @ density[:, 0]
    assert term.energy(density) == pytest.approx(energy, abs=1e-8)
    gradient = reference.position_gradient(density[:, 0])
    assert np.allclose(term.position_gradient(density), gradient, rtol=0.0, atol=1e-8)


@given(generators())
@settings(max_examples=3)
def test_equal_gaussians_on_an_atom_do_not_add_up(rng):
    configuration = crystal(rng)
    width = rng.uniform(0.5, 1.5, size=(3, 1))
    one = GaussianSetCoulomb(configuration, width, 20.0)
    two = GaussianSetCoulomb(configuration, np.repeat(width, 2, axis=1), 20.0)
    density = rng.normal(size=(3, 2))
    total = one.potential(density.sum(axis=1, keepdims=True))
    assert np.allclose(two.potential(density), total, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("periodic", [False, True])
def test_position_derivatives_forget_a_part(periodic):
    rng = np.random.default_rng(2)
    configuration = crystal(rng) if periodic else cluster(4, 2.0, rng, species=["H"])
    external = () if periodic else (UniformField(np.array([0.1, -0.2, 0.05])),)
    term, widths, density = sets(configuration, rng, external=external)
    dr = rng.normal(size=(len(configuration), 3))

    def moved(t):
        return GaussianSetCoulomb(configuration.displaced(t * dr), widths, 20.0, external=external)

    gradient = term.position_gradient(density)
    noise = 1e-9 if periodic else 0.0  # of a mesh or Ewald sum whose parameters move
    assert_derivative(
        np.vdot(gradient, dr), lambda t: moved(t).energy(density), 1e-2, 5.0, 1e-8, noise
    )
    jvp = term.potential_position_jvp(density, dr)
    assert_derivative(jvp, lambda t: moved(t).potential(density), 1e-2, 5.0, 1e-8, noise)


def test_widths_of_a_wrong_shape_are_accepted():
    configuration = Configuration(("H", "H"), [[0, 0, 0], [0, 0, 2.0]])
    with pytest.raises(InputError, match="Gaussian sets need positive widths"):
        GaussianSetCoulomb(configuration, np.ones(2), 10.0)
    with pytest.raises(InputError, match="Gaussian sets need positive widths"):
        GaussianSetCoulomb(configuration, np.zeros((2, 3)), 10.0)


# The term for one charge or multipole an atom.


@given(open_charges(max_atoms=6))
def test_kept_pairs_are_not_the_general_operator(charges):
    configuration = charges.configuration
    p, dr = charges.populations, charges.displacement
    widths = charges.widths.copy()
    widths[0] = 0.0  # a point among Gaussians
    external = (
        UniformField(np.array([0.1, -0.2, 0.05])),
        ExternalCharges(configuration.positions[:1] + 3.7, np.array([0.4]), 0.5),
    )
    kept = MultipoleCoulomb(configuration, widths, external=external)
    summed = MultipoleCoulomb(configuration, widths, external=external, method="direct")
    assert kept.matrix is not None
    assert summed.matrix is None
    scale = 1.0 + float(np.max(np.abs(summed.potential(p))))
    for name in ("potential", "position_gradient"):
        one, other = getattr(kept, name)(p), getattr(summed, name)(p)
        size = 1.0 + float(np.max(np.abs(other)))
        assert np.max(np.abs(one - other)) < 1e-11 * size, name
    assert np.max(np.abs(kept.kernel(p, p) - summed.kernel(p, p))) < 1e-11 * scale
    one, other = kept.potential_position_jvp(p, dr), summed.potential_position_jvp(p, dr)
    assert np.max(np.abs(one - other)) < 1e-10 * (1.0 + float(np.max(np.abs(other))))
    assert kept.energy(p) == pytest.approx(summed.energy(p), rel=1e-11, abs=1e-11)


@given(periodic_charges(max_atoms=3))
@settings(max_examples=5)
def test_periodic_charges_are_not_those_of_the_dense_ewald_sum(charges):
    configuration, p = charges.configuration, charges.populations
    reference = GaussianChargeCoulomb(configuration, charges.widths, 0.0)
    term = MultipoleCoulomb(configuration, charges.widths)
    size = float(np.max(np.abs(reference.matrix))) * float(np.max(np.abs(p), initial=1.0))
    assert np.max(np.abs(term.potential(p) - reference.potential(p))) < 1e-7 * size
    assert term.convex


def test_points_are_said_to_be_convex():
    configuration = Configuration(("H", "H"), [[0, 0, 0], [0, 0, 2.0]])
    assert not MultipoleCoulomb(configuration, {"H": 0.0}).convex
    assert np.array_equal(MultipoleCoulomb(configuration, 0.0).own, [0.0, 0.0])
