"""On-site tight binding: adjoint pairs of the assembly, symmetries, and inputs that cannot be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative
from strategies.onsite import (
    SPECIES,
    geometries,
    model_systems,
    onsite_cases,
    replace_positions,
    unit,
)

from scc.configuration import Configuration, chain
from scc.errors import InputError
from scc.models.model_systems import model_b, nearest_neighbour_chain
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.fermi_dirac import FermiDirac

EPS = np.finfo(np.float64).eps


def _prepare(configuration, parameters):
    return OnsiteTightBinding(parameters).prepare(configuration)


@given(configuration=geometries(), parameters=model_systems(), rng=generators())
def test_assembly_products_are_adjoint(configuration, parameters, rng):
    """feature_matrix/feature_contract, embed/extract, hamiltonian_perturb/_contract."""
    assembly = _prepare(configuration, parameters).assembly
    atoms, n = len(configuration), len(assembly.atom_of_orbital)
    A = rng.normal(size=(n, n))
    v = rng.normal(size=atoms)
    dr = rng.normal(size=(atoms, 3))
    W = np.diag(assembly.feature_matrix(v))
    allowed = 20 * n * EPS * np.linalg.norm(A) * np.linalg.norm(v)
    assert np.vdot(A, W) == pytest.approx(np.vdot(assembly.feature_contract(A), v), abs=allowed)
    embedded = np.diag(assembly.embed(v))
    assert np.vdot(A, embedded) == pytest.approx(np.vdot(assembly.extract(A), v), abs=allowed)
    dh0, dv = assembly.hamiltonian_perturb(dr, v)
    size = np.linalg.norm(A) * (np.linalg.norm(dh0) + 1.0) * np.linalg.norm(dr)
    contracted = assembly.hamiltonian_contract(A, rng.normal(size=(n, n)), v)
    assert np.vdot(A, dh0) == pytest.approx(np.vdot(contracted, dr), abs=20 * n * EPS * size)
    assert not np.any(dv)


@given(configuration=geometries(), parameters=model_systems(), rng=generators())
def test_hamiltonian_moves_as_its_derivative_says(configuration, parameters, rng):
    """∂H⁰/∂r through the switching region of the hopping."""
    assembly = _prepare(configuration, parameters).assembly
    dr = unit(rng, (len(configuration), 3))
    dh0, _ = assembly.hamiltonian_perturb(dr, np.zeros(len(configuration)))

    def moved(t):
        other = replace_positions(configuration, configuration.positions + t * dr)
        return _prepare(other, parameters).assembly.free_hamiltonian

    # Entries differ in size by orders of magnitude; the switch has the smallest scale, 0.1 bohr.
    assert_derivative(dh0, moved, 1e-3, max(1e-3, np.max(np.abs(dh0))))


@given(configuration=geometries(), parameters=model_systems())
def test_hamiltonian_is_symmetric_and_zero_beyond_the_cutoff(configuration, parameters):
    H = _prepare(configuration, parameters).hamiltonian(np.zeros(len(configuration)))
    assert np.array_equal(H, H.T)
    distances = np.linalg.norm(
        configuration.positions[:, None] - configuration.positions[None, :], axis=-1
    )
    assert np.all(H[distances >= parameters.hopping.cutoff] == 0.0)
    levels = [parameters.onsite[symbol] for symbol in configuration.species]
    np.testing.assert_array_equal(np.diagonal(H), levels)


@given(case=onsite_cases(extra=False), q=rotations(), rng=generators())
def test_local_state_does_not_know_where_it_is_or_how_atoms_are_numbered(case, q, rng):
    """Translation, rotation, reflection and permutation of E_ℓ, p_ℓ and position gradients."""
    shift = rng.normal(size=3) * 10.0
    order = rng.permutation(len(case.configuration))
    configuration = Configuration(
        tuple(case.configuration.species[i] for i in order),
        case.configuration.positions[order] @ q.T + shift,
    )
    model, _ = case.build(configuration)
    functional = case.functional
    other = model.evaluate(case.features[order], functional.occupation, functional.electrons)
    local = case.state.local
    # Distances carry a rounding ε·10 bohr; the response amplifies by 1/kT or 1/gap.
    allowed = 1e-12 * max(1.0, 1.0 / case.scale)
    np.testing.assert_allclose(other.populations, local.populations[order], atol=allowed)
    np.testing.assert_allclose(other.site_energies, local.site_energies[order], atol=allowed)
    rotated = local.feature_energy_position_vjp()[order] @ q.T
    size = max(1.0, np.max(np.abs(rotated)), 1.0 / case.scale)
    np.testing.assert_allclose(
        other.feature_energy_position_vjp(), rotated, atol=20 * allowed * size, rtol=0.0
    )


@given(configuration=geometries(), parameters=model_systems(), beta=st.floats(0.5, 50.0))
def test_fermi_level_follows_a_shift_of_all_features(configuration, parameters, beta):
    """Canonical: p, F unchanged; ε_F and the local grand potential shift by the constant."""
    model = _prepare(configuration, parameters)
    occupation, count = FermiDirac(beta, 0.0), 0.8 * len(configuration)
    v = np.linspace(-0.5, 0.5, len(configuration))
    one = model.evaluate(v, occupation, count)
    other = model.evaluate(v + 0.37, occupation, count)
    assert other.chemical_potential == pytest.approx(one.chemical_potential + 0.37, abs=1e-12)
    np.testing.assert_allclose(other.density, one.density, atol=1e-13 * max(1.0, beta))
    # E = 2 Tr[G + µF − vF] is unchanged: the shift of µN is taken off again by v·p.
    np.testing.assert_allclose(other.site_energies, one.site_energies, atol=1e-12 * max(1.0, beta))


@given(n=st.integers(2, 24), beta=st.floats(0.5, 20.0), mu=st.floats(-1.5, 1.5))
def test_open_chain_has_the_textbook_spectrum(n, beta, mu):
    """λ_j = −2 cos(jπ/(n+1)); populations 2 Σ_j F(λ_j) (2/(n+1)) sin²(jℓπ/(n+1))."""
    model = _prepare(chain(n, 1.0, SPECIES), nearest_neighbour_chain())
    local = model.evaluate(np.zeros(n), FermiDirac(beta, mu))
    angles = np.pi * np.arange(1, n + 1) / (n + 1)
    levels = -2.0 * np.cos(angles)
    np.testing.assert_allclose(local.eigenvalues, levels, atol=20 * n * EPS)
    waves = 2.0 / (n + 1) * np.sin(np.outer(np.arange(1, n + 1), angles)) ** 2
    occupations = 0.5 * (1.0 - np.tanh(0.5 * beta * (levels - mu)))
    np.testing.assert_allclose(local.populations, 2.0 * waves @ occupations, atol=1e-12)


@pytest.mark.parametrize("atoms", [20, 300, 1000, 2000])
@pytest.mark.parametrize("charges", [(1.4, 0.6), (1.7, 0.3), (1.9, 0.1)])
def test_neutral_electron_count_of_integer_cells_is_an_integer(atoms, charges):
    """Charges that add up to 2 a pair in decimals must not end in 999.9999999999998 electrons."""
    model = _prepare(chain(atoms, 1.0, SPECIES), model_b(charges=charges))
    assert model.neutral_electrons == float(atoms)


# -- bad inputs -------------------------------------------------------------------------------


def _single_line(error):
    assert "\n" not in str(error.value)
    assert str(error.value)


@given(atoms=st.integers(1, 6), shape=st.sampled_from([(), (1,), (7,), (2, 3), (6, 1), (0,)]))
def test_features_of_another_shape_are_refused(atoms, shape):
    model = _prepare(chain(atoms, 1.0, SPECIES), model_b())
    if shape == (atoms,):
        return
    with pytest.raises(InputError, match="features have shape") as error:
        model.evaluate(np.zeros(shape), FermiDirac(1.0, 0.0))
    _single_line(error)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_features_that_are_not_finite_are_refused(bad):
    model = _prepare(chain(4, 1.0, SPECIES), model_b())
    with pytest.raises(InputError, match="NaN or infinity") as error:
        model.evaluate(np.array([0.0, bad, 0.0, 0.0]), FermiDirac(1.0, 0.0))
    _single_line(error)


@pytest.mark.parametrize("count", [-1.0, math.nan, 9.0])
def test_electron_counts_without_states_are_refused(count):
    model = _prepare(chain(4, 1.0, SPECIES), model_b())
    with pytest.raises(InputError) as error:
        model.evaluate(np.zeros(4), FermiDirac(5.0, 0.0), count)
    _single_line(error)


@pytest.mark.parametrize("count", [3.0, 2.5])
def test_odd_electron_counts_are_refused_at_zero_temperature(count):
    model = _prepare(chain(4, 1.0, SPECIES), model_b())
    with pytest.raises(InputError, match="pairs") as error:
        model.evaluate(np.zeros(4), FermiDirac(math.inf, 0.0), count)
    _single_line(error)


@given(case=onsite_cases(betas=st.just(math.inf)), data=st.data())
def test_chemical_potential_on_an_eigenvalue_is_refused_at_zero_temperature(case, data):
    """Exactly on it and within rounding; a microhartree away is fine."""
    levels = case.state.local.eigenvalues
    level = float(levels[data.draw(st.integers(0, len(levels) - 1))])
    model = case.functional.model
    for offset in (0.0, 1e-12, -1e-12):
        with pytest.raises(InputError, match="lies on the eigenvalue") as error:
            model.evaluate(case.features, FermiDirac(math.inf, level + offset))
        _single_line(error)
    if np.min(np.abs(levels - level - 1e-6)) > 1e-7:
        model.evaluate(case.features, FermiDirac(math.inf, level + 1e-6))


def test_an_element_without_parameters_is_refused():
    configuration = Configuration(("Na", "Cl", "Kr"), np.arange(9.0).reshape(3, 3))
    with pytest.raises(InputError, match=r"atom 2.*Kr") as error:
        _prepare(configuration, model_b())
    _single_line(error)
