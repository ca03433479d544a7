"""Charge flows: does net charge leak, does anything beyond the cut-off count, are slopes right?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative

from scc.ace.charge_flow import ChargeFlow
from scc.configuration import Configuration

CUTOFF = 5.0
N_RADIAL = 3


def radial(r):
    """(1 − (r/c)²)³ (r/c)^n and its derivative."""
    x = r[:, None] / CUTOFF
    n = np.arange(N_RADIAL)
    inside = x < 1.0
    envelope = np.where(inside, (1.0 - x**2) ** 3, 0.0)
    slope = np.where(inside, -6.0 * x * (1.0 - x**2) ** 2, 0.0)
    rising = np.where(n > 0, n * x ** np.maximum(n - 1, 0), 0.0)
    return envelope * x**n, (slope * x**n + envelope * rising) / CUTOFF


@st.composite
def systems(draw):
    generator = draw(generators())
    number = draw(st.integers(2, 7))
    grid = generator.permutation(np.array(list(np.ndindex(3, 3, 3))))[:number]
    positions = 2.4 * grid + generator.uniform(-0.4, 0.4, (number, 3))
    species = tuple(generator.choice(["H", "O"], size=number))
    return Configuration(species, positions), generator


def flow_of(configuration):
    return ChargeFlow(configuration, ("H", "O"), CUTOFF, radial)


def site_charges(flow, strengths):
    """(M, M): what each site (row) puts on each atom (column)."""
    alone = np.eye(flow.n_atoms)[:, :, None] * strengths
    return np.array([flow.charges(one) for one in alone])


@given(systems())
def test_no_net_charge_leaks_and_the_sites_add_up(system):
    configuration, generator = system
    flow = flow_of(configuration)
    strengths = generator.normal(size=(flow.n_atoms, flow.n_channels))
    charges = flow.charges(strengths)
    sites = site_charges(flow, strengths)
    scale = 1e-14 * np.sum(np.abs(sites))
    assert abs(np.sum(charges)) <= scale
    assert np.max(np.abs(np.sum(sites, axis=1))) <= scale
    assert np.allclose(np.sum(sites, axis=0), charges, rtol=0.0, atol=scale)


@given(systems())
def test_flows_are_those_of_the_formula(system):
    configuration, generator = system
    flow = flow_of(configuration)
    strengths = generator.normal(size=(flow.n_atoms, flow.n_channels))
    expected = np.zeros(flow.n_atoms)
    for i in range(flow.n_atoms):
        for j in range(flow.n_atoms):
            r = np.linalg.norm(configuration.positions[i] - configuration.positions[j])
            if i == j or r >= CUTOFF:
                continue
            table = strengths[i].reshape(N_RADIAL, 2)
            kind = ("H", "O").index(configuration.species[j])
            amount = float(radial(np.array([r]))[0][0] @ table[:, kind])
            expected[j] += amount
            expected[i] -= amount
    assert np.allclose(flow.charges(strengths), expected, rtol=1e-12, atol=1e-12)


@given(systems())
def test_products_are_adjoint_and_slopes_are_derivatives(system):
    configuration, generator = system
    flow = flow_of(configuration)
    strengths = generator.normal(size=(flow.n_atoms, flow.n_channels))
    weights = generator.normal(size=flow.n_atoms)
    displacement = generator.normal(size=(flow.n_atoms, 3))
    assert np.vdot(weights, flow.charges(strengths)) == pytest.approx(
        np.vdot(flow.strengths_vjp(weights), strengths), rel=1e-11, abs=1e-11
    )
    change = flow.position_jvp(strengths, displacement)
    assert np.vdot(weights, change) == pytest.approx(
        np.vdot(flow.position_vjp(strengths, weights), displacement), rel=1e-11, abs=1e-11
    )

    def moved(step):
        positions = configuration.positions + step * displacement
        return flow_of(Configuration(configuration.species, positions)).charges(strengths)

    # An atom crossing the cut-off on the way sees the kink in R̃'''.
    assert_derivative(change, moved, 1e-4, 1.0 + np.max(np.abs(change)), relative=1e-7)


def test_an_atom_beyond_the_cut_off_receives_exactly_nothing():
    species, positions = ("O", "H", "H"), np.array([[0.0, 0, 0], [1.8, 0, 0], [5.0, 0.1, 0]])
    flow = flow_of(Configuration(species, positions))
    sites = site_charges(flow, np.ones((3, flow.n_channels)))
    assert sites[0, 2] == 0.0
    assert sites[2, 0] == 0.0
    assert sites[0, 1] != 0.0
