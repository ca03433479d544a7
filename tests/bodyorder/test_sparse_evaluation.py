"""The sparse recurrence against the dense spectral evaluation of the same polynomials."""

import math

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.polynomial.chebyshev import chebder
from strategies.theory_systems import built, onsite_recipes

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.sparse_evaluation import (
    evaluate_sparse,
    gershgorin_interval,
    sparse_hamiltonian,
)
from scc.bodyorder.spectral_set import SpectralSet
from scc.configuration import Configuration, chain, lattice
from scc.errors import InputError
from scc.models.extended_huckel import sourced_parameters
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.theory.random_systems import random_system

EPS = np.finfo(np.float64).eps


def fitted(assembly, features, degree, beta, mu, levels=None):
    """G_N on Gershgorin's interval of H, at β = ∞ without the gap between the levels at µ."""
    low, high = gershgorin_interval(sparse_hamiltonian(assembly, features))
    low, high = low - 1e-6, high + 1e-6
    intervals = ((low, high),)
    if math.isinf(beta):
        below, above = levels[levels < mu].max(), levels[levels > mu].min()
        if below - low < 1e-3 or high - above < 1e-3:
            reject()
        intervals = ((low, float(below)), (float(above), high))
    return PolynomialOccupation.interpolate(SpectralSet(intervals), degree, beta, mu)


def allowances(model, features, occupation):
    """Rounding of F_N, G_N − vF_N, DF_N[v] and of the position gradient, entry by entry.

    Recurrence and eigensolver perturb A by (row length + n) eps at most. On [−1, 1] |T_k'| ≤ k²
    and |T_k''| ≤ k⁴/3 (Markov), so T_k(A) moves by k² of that and DT_k[V] by k⁴ ‖V‖.
    """
    H = sparse_hamiltonian(model.assembly, features)
    half = 0.5 * (occupation.spectral_set.upper - occupation.spectral_set.lower)
    unit = EPS * (np.max(np.diff(H.indptr)) + H.shape[0])
    grand = np.abs(occupation.coefficients)
    occupied = np.abs(chebder(occupation.coefficients, scl=1.0 / half))
    k = np.maximum(np.arange(len(grand)), 1.0)
    v = np.max(np.abs(features))
    f = unit * float(occupied @ k[:-1] ** 2)
    derivative = unit * float(occupied @ k[:-1] ** 4) * v / half
    energy = unit * float(grand @ k**2) + v * f
    slopes = np.zeros(len(features))
    for axis in range(3):
        for atom in range(len(features)):
            unit_move = np.zeros((len(features), 3))
            unit_move[atom, axis] = 1.0
            moved = model.assembly.hamiltonian_perturb(unit_move, features)[0]
            slopes[atom] = max(slopes[atom], np.abs(moved).sum())
    return f, energy, derivative, (f + derivative) * slopes[:, None]


def assert_dense(model, features, occupation, block):
    found = evaluate_sparse(model.assembly, features, occupation, block)
    dense = model.evaluate(features, occupation)
    f, energy, derivative, gradient = allowances(model, features, occupation)
    orbitals = np.bincount(model.assembly.atom_of_orbital)
    assert np.all(np.abs(found.populations - dense.populations) <= 2.0 * orbitals * f)
    assert np.all(np.abs(found.site_energies - dense.site_energies) <= 2.0 * orbitals * energy)
    response = np.abs(found.feature_gradient - dense.feature_energy_vjp())
    assert np.all(response <= 2.0 * orbitals * derivative)
    forces = np.abs(found.position_gradient - dense.feature_energy_position_vjp())
    assert np.all(forces <= 2.0 * gradient + EPS * np.abs(found.position_gradient))


@settings(max_examples=40)
@given(onsite_recipes(largest=40), st.integers(1, 40), st.integers(1, 60))
def test_sparse_differs_from_dense(recipe, degree, block):
    system = built(recipe)
    levels = system.levels
    occupation = fitted(system.assembly, system.features, degree, system.beta, system.mu, levels)
    assert_dense(system.model, system.features, occupation, block)


@settings(max_examples=15)
@given(st.integers(1, 12), st.integers(1, 30), st.floats(1.0, 20.0), st.integers(0, 2**32 - 1))
def test_several_orbitals_an_atom_are_mixed_up(degree, block, beta, seed):
    # C and O on the x axis: s-p_y of H⁰ vanishes, its derivative does not, nor does F there.
    rng = np.random.default_rng(seed)
    line = np.array([[2.3 * i, 0.0, 0.0] for i in range(4)])
    bent = line + rng.uniform(-0.3, 0.3, (4, 3)) * np.array([[0], [0], [1], [1]])
    for positions in (line, bent):
        configuration = Configuration(tuple("COHC"), positions)
        model = OnsiteTightBinding(sourced_parameters()).prepare(configuration)
        features = rng.uniform(-0.2, 0.2, 4)
        occupation = fitted(model.assembly, features, degree, beta, -0.3)
        assert_dense(model, features, occupation, block)


@pytest.mark.parametrize("kind", ["cubic", "square"])
def test_periodic_images_are_lost(kind):
    rng = np.random.default_rng(1)
    configuration = lattice(kind, 4, 1.4, "Na", periodic=True, jitter=0.2, rng=rng)
    model = OnsiteTightBinding(model_b(gap=0.5)).prepare(configuration)
    features = rng.uniform(-0.3, 0.3, len(configuration))
    occupation = fitted(model.assembly, features, 14, 4.0, -0.2)
    assert_dense(model, features, occupation, 10)


@given(st.integers(1, 12), st.integers(0, 40), st.integers(1, 13))
def test_news_arrives_from_beyond_its_body_order(degree, moved, block):
    # G_N(H)_ll sees N hops of one site each, i.e. round trips of N/2; vF_N and forces no more.
    atoms = 41
    model = OnsiteTightBinding(model_b(gap=0.5)).prepare(chain(atoms, 3.0, ("Na", "Cl")))
    features = np.linspace(-0.2, 0.3, atoms)
    changed = features.copy()
    changed[moved] += 0.1
    low, high = gershgorin_interval(sparse_hamiltonian(model.assembly, features))
    X = SpectralSet(((low - 0.2, high + 0.2),))
    occupation = PolynomialOccupation.interpolate(X, degree, 5.0, 0.0)
    before, after = (
        evaluate_sparse(model.assembly, values, occupation, block) for values in (features, changed)
    )
    far = np.abs(np.arange(atoms) - moved) > degree // 2
    assert np.array_equal(before.site_energies[far], after.site_energies[far])
    assert np.array_equal(before.populations[far], after.populations[far])
    if degree > 1:  # G_1 is linear: H_ll − v_l = H⁰_ll
        assert before.site_energies[moved] != after.site_energies[moved]


@given(st.integers(2, 40), st.integers(1, 40))
def test_work_for_a_column_grows_with_the_system(degree, block):
    def work(atoms):
        model = OnsiteTightBinding(model_b()).prepare(chain(atoms, 3.0, ("Na", "Cl")))
        X = SpectralSet(((-3.0, 3.0),))
        occupation = PolynomialOccupation.interpolate(X, degree, 5.0, 0.0)
        return evaluate_sparse(model.assembly, np.zeros(atoms), occupation, block).multiplications

    # Nearest neighbours: 3 entries a row, at most block + 2·N/2 rows, N products, two
    # halves, one more multiplication by V.
    assert work(150) <= 150 * degree * 7 * (block + degree)


@given(onsite_recipes(largest=30, beta=st.just(5.0)))
def test_an_eigenvalue_escapes_the_discs(recipe):
    system = random_system(recipe)
    low, high = gershgorin_interval(sparse.csr_array(system.hamiltonian))
    assert low - system.rounding_unit <= system.levels[0]
    assert system.levels[-1] <= high + system.rounding_unit


def test_errors_name_the_value():
    model = OnsiteTightBinding(model_b()).prepare(chain(4, 1.5, ("Na", "Cl")))
    X = SpectralSet(((-6.0, 6.0),))
    occupation = PolynomialOccupation.interpolate(X, 6, 5.0, 0.0)
    with pytest.raises(InputError, match=r"\(3,\)"):
        evaluate_sparse(model.assembly, np.zeros(3), occupation)
    with pytest.raises(InputError, match="NaN"):
        evaluate_sparse(model.assembly, np.full(4, np.nan), occupation)
    with pytest.raises(InputError, match="got 0"):
        evaluate_sparse(model.assembly, np.zeros(4), occupation, block=0)
    with pytest.raises(InputError, match="Gershgorin"):
        evaluate_sparse(model.assembly, np.full(4, 5.0), occupation)
