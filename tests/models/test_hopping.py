"""Switch, neighbours, hopping functions and the s-only model systems."""

import numpy as np
import pytest
from ase.geometry import complete_cell
from ase.neighborlist import primitive_neighbor_list
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import chains, clusters, generators, periodic_configurations

from scc.configuration import Configuration, chain
from scc.configuration.neighbours import neighbour_pairs
from scc.errors import InputError
from scc.models.hopping import ExponentialHopping, NearestNeighbourHopping
from scc.models.model_systems import ModelSystem, model_b, nearest_neighbour_chain
from scc.models.switching import SmoothSwitch

FIVE_POINT = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


def derivative(function, step):
    """Five-point central difference: error step⁴/30 times the fifth derivative."""
    return sum(weight * function(n * step) for n, weight in FIVE_POINT) / step


# ----------------------------------------------------------------------------------------- switch


@given(st.floats(0.0, 50.0), st.floats(0.05, 10.0))
def test_switch_leaves_its_interval_or_turns_back(start, width):
    switch = SmoothSwitch(start, start + width)
    r = np.linspace(max(0.0, start - 1.0), start + width + 1.0, 4001)
    values = switch(r)
    assert np.all(values[r <= start] == 1.0)
    assert np.all(values[r >= start + width] == 0.0)
    assert np.all(np.diff(values) <= 0.0)
    assert switch(np.array(start + 0.5 * width)) == pytest.approx(0.5, abs=1e-12)


@given(st.floats(0.0, 50.0), st.floats(0.05, 10.0), st.floats(-0.5, 1.5))
def test_switch_slope_is_not_its_derivative(start, width, fraction):
    switch, r = SmoothSwitch(start, start + width), start + fraction * width
    # fifth derivatives reach 2e4/width⁵: 1e-3⁴/30 · 2e4 = 7e-10, and rounding 1e-13
    numerical = derivative(lambda s: switch(np.array(r + s)), 1e-3 * width)
    assert abs(numerical - switch.derivative(np.array(r))) * width < 1e-8


def test_switch_has_a_kink_of_some_order():
    """All derivatives vanish at the ends: near them s differs from 0 and 1 by about e^{-1/x}."""
    switch = SmoothSwitch(1.0, 2.0)
    x = np.array([0.01, 0.02, 0.04])
    assert np.allclose(np.log(switch(2.0 - x)), -1.0 / x + 1.0 / (1.0 - x), rtol=1e-10)
    assert np.all(1.0 - switch(1.0 + x) < np.exp(1.1 - 1.0 / x) + 1e-15)


@pytest.mark.parametrize("interval", [(2.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (0.0, np.inf)])
def test_impossible_switch_is_accepted(interval):
    with pytest.raises(InputError, match="0 <= start < stop"):
        SmoothSwitch(*interval)


# ------------------------------------------------------------------------------------- neighbours


@given(st.one_of(clusters(), periodic_configurations()), st.floats(0.5, 12.0))
def test_neighbours_differ_from_ase(configuration, cutoff):
    cell = np.zeros((3, 3)) if configuration.cell is None else configuration.cell
    i, j, shift = primitive_neighbor_list(
        "ijS", configuration.periodic, complete_cell(cell), configuration.positions, cutoff
    )
    pairs = neighbour_pairs(configuration, cutoff)
    expected = sorted(zip(i.tolist(), j.tolist(), map(tuple, shift.tolist()), strict=True))
    columns = (pairs.first, pairs.second, map(tuple, pairs.shift.tolist()))
    found = list(zip(*columns, strict=True))
    assert found == expected
    displacement = configuration.positions[pairs.second] - configuration.positions[pairs.first]
    assert np.allclose(pairs.displacement, displacement + pairs.shift @ cell, atol=1e-12)
    assert np.allclose(pairs.distance, np.linalg.norm(pairs.displacement, axis=1))
    half = pairs.half()
    assert 2 * len(half) == len(pairs)
    both = {
        (a, b, *s) for a, b, s in zip(half.first, half.second, half.shift.tolist(), strict=True)
    }
    back = {(b, a, *(-n for n in s)) for a, b, *s in both}
    assert not both & back


# ---------------------------------------------------------------------------------------- hopping


@given(st.floats(0.0, 5.0))
def test_model_b_hopping_is_not_the_published_one(distance):
    hopping = ExponentialHopping()
    if distance <= 4.0:
        assert hopping(np.array(distance)) == pytest.approx(-np.exp(1.0 - distance), rel=1e-15)
    if distance >= 4.5:
        assert hopping(np.array(distance)) == 0.0
        assert hopping.derivative(np.array(distance)) == 0.0
    numerical = derivative(lambda s: hopping(np.array(distance + s)), 5e-4)
    assert abs(numerical - hopping.derivative(np.array(distance))) < 1e-8


def test_nearest_neighbour_hopping_has_a_slope_or_reaches_too_far():
    hopping = NearestNeighbourHopping(0.7, 1.2)
    r = np.array([0.1, 1.19, 1.2, 3.0])
    assert np.array_equal(hopping(r), [-0.7, -0.7, 0.0, 0.0])
    assert not np.any(hopping.derivative(r))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExponentialHopping(decay=np.nan),
        lambda: ExponentialHopping(prefactor=np.inf),
        lambda: ExponentialHopping(switch=(4.0, 4.0)),
        lambda: NearestNeighbourHopping(np.nan),
        lambda: NearestNeighbourHopping(1.0, 0.0),
    ],
)
def test_impossible_hopping_is_accepted(make):
    with pytest.raises(InputError):
        make()


# ---------------------------------------------------------------------------------- model systems


@given(
    chains(min_atoms=2, symbols=("Na", "Cl")),
    st.floats(-3.0, 3.0),
    st.floats(0.0, 2.0),
)
def test_model_b_hamiltonian_differs_from_its_definition(configuration, gap, excess):
    model = model_b(gap, (1.0 + excess, 1.0 - excess))
    matrix = model.hamiltonian(configuration).toarray()
    assert np.array_equal(matrix, matrix.T)
    distance = configuration.distances()
    hopping = ExponentialHopping()
    sodium = np.array([symbol == "Na" for symbol in configuration.species])
    off_diagonal = np.where(np.eye(len(sodium), dtype=bool), 0.0, hopping(distance))
    expected = off_diagonal + np.diag(np.where(sodium, -0.5 * gap, 0.5 * gap))
    assert np.allclose(matrix, expected, rtol=0.0, atol=1e-14)
    assert np.array_equal(model.onsite_energies(configuration), np.diag(matrix))
    charges = np.where(sodium, 1.0 + excess, 1.0 - excess)
    assert np.array_equal(model.nuclear_charges(configuration), charges)
    assert np.all(model.widths(configuration) == 0.5)
    assert not np.any(model.repulsion_energies(configuration))


@given(st.integers(2, 60), st.floats(0.1, 3.0), st.floats(0.0, 3.0))
def test_nearest_neighbour_chain_has_another_spectrum(number, t, gap):
    """Closed forms: open chain 2t cos(πk/(M+1)); alternating levels ±√(gap²/4 + that²)."""
    model = nearest_neighbour_chain(t, gap)
    band = 2.0 * t * np.cos(np.pi * np.arange(1, number + 1) / (number + 1))
    uniform = chain(number, 1.0, "Na")
    levels = np.linalg.eigvalsh(model.hamiltonian(uniform).toarray())
    assert np.allclose(levels, np.sort(band) - 0.5 * gap, atol=1e-13 * (t + gap) * number)
    if number % 2 == 0:
        alternating = model.hamiltonian(chain(number, 1.0, ("Na", "Cl"))).toarray()
        half = band[: number // 2]
        split = np.sqrt(0.25 * gap**2 + half**2)
        expected = np.sort(np.concatenate([-split, split]))
        found = np.linalg.eigvalsh(alternating)
        assert np.allclose(found, expected, atol=1e-12 * (t + gap) * number)


@given(st.one_of(clusters(min_spacing=0.8), periodic_configurations(max_atoms=8)), generators())
def test_model_system_position_derivatives_miss_a_term(configuration, generator):
    model = ModelSystem(
        ExponentialHopping(-0.7, 0.8, 1.5, (3.0, 6.0)),
        dict.fromkeys(set(configuration.species), 0.1),
        0.5,
        dict.fromkeys(set(configuration.species), 1.0),
    )
    number = len(configuration)
    dr = generator.normal(size=(number, 3)) / np.sqrt(number)
    weights = generator.normal(size=(number, number))

    def matrix(shift):
        return model.hamiltonian(configuration.displaced(shift * dr)).toarray()

    numerical = derivative(matrix, 1e-3)
    analytic = model.position_perturb(configuration, dr).toarray()
    assert np.array_equal(analytic, analytic.T)
    # several images may add up in one entry
    scale = max(1.0, np.abs(analytic).max(), np.abs(matrix(0.0)).max())
    assert np.abs(numerical - analytic).max() < 1e-8 * scale
    contracted = np.sum(model.position_contract(configuration, weights) * dr)
    terms = np.sum(np.abs(weights) * np.abs(analytic)) + scale
    assert abs(contracted - np.sum(weights * analytic)) < 1e-12 * terms


@given(periodic_configurations(max_atoms=5), st.integers(2, 3))
def test_folding_at_gamma_loses_images(configuration, repeats):
    """Row sums are those of a supercell: every neighbour is counted once, wherever it is folded."""
    model = ModelSystem(ExponentialHopping(switch=(6.0, 8.0)), {"H": 0.3}, 0.5, {"H": 1.0})
    rows = np.asarray(model.hamiltonian(configuration).sum(axis=1)).ravel()
    axes = np.flatnonzero(configuration.periodic)
    cell, positions = configuration.cell.copy(), configuration.positions
    for axis in axes:
        shifts = np.arange(repeats)[:, None, None] * configuration.cell[axis]
        positions = (positions[None, :, :] + shifts).reshape(-1, 3)
        cell[axis] *= repeats
    larger = Configuration(("H",) * len(positions), positions, cell, configuration.periodic)
    rows_of_larger = np.asarray(model.hamiltonian(larger).sum(axis=1)).ravel()
    expected = np.tile(rows, repeats ** len(axes))
    assert np.allclose(rows_of_larger, expected, rtol=1e-12, atol=1e-12)


def test_unknown_species_is_not_named():
    configuration = Configuration(("Na", "H"), np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    with pytest.raises(InputError, match="atom 1: no on-site energy for element H"):
        model_b().hamiltonian(configuration)
    with pytest.raises(InputError, match="atom 1: no nuclear charge for element H"):
        model_b().nuclear_charges(configuration)
