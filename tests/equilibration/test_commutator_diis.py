"""DIIS on density matrices: counts against other solvers and PySCF, and its two mixtures."""

import math
from collections import deque

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.gaussian_models import energy_size, relaxable_gaussians
from strategies.onsite import SPECIES
from strategies.pyscf_reference import diis_iterations, hartree_only, in_their_order

from scc.basis.three_centre import PotentialFunction
from scc.configuration import Configuration, chain
from scc.equilibration.commutator_diis import (
    CommutatorDIIS,
    _Entry,
    _least_energy,
    _least_mismatch,
    _mismatch,
)
from scc.equilibration.equilibrate import default_solver, equilibrate
from scc.equilibration.solvers import Anderson, NewtonKrylov, solver_by_name
from scc.errors import ConvergenceError, InputError
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical


def _molecule(species, positions):
    return Configuration(tuple(species.split()), np.array(positions, dtype=float))


def _diatomic(species, distance):
    return _molecule(species, [[0.0, 0.0, 0.0], [0.0, 0.0, distance]])


H2O = _molecule("O H H", [[0.0, 0.0, 0.0], [1.43, 0.0, 1.11], [-1.43, 0.0, 1.11]])
STRETCHED_H2O = _molecule("O H H", [[0.0, 0.0, 0.0], [2.4, 0.0, 1.9], [-2.4, 0.0, 1.9]])
# Structure and the density builds allowed; λ_max(ε) of LiH is 31 and its gap 0.003 Hartree.
PANEL = {
    "H10": (chain(10, 1.8, "H"), 12),
    "H14": (chain(14, 1.8, "H"), 14),
    "H20": (chain(20, 1.8, "H"), 16),
    "H20 dimerised": (chain(20, (1.4, 2.2), "H"), 13),
    "H10 stretched": (chain(10, 3.0, "H"), 14),
    "LiH": (_diatomic("Li H", 3.0), 24),
    "LiH stretched": (_diatomic("Li H", 5.0), 26),
    "LiF": (_diatomic("Li F", 2.95), 22),
    "H2O": (H2O, 9),
    "N2": (_diatomic("N N", 2.07), 7),
    "N2 stretched": (_diatomic("N N", 3.2), 9),
    "CO": (_diatomic("C O", 2.13), 14),
}


def _reduced(configuration, **options):
    return EnergyFunctional(GaussianTightBinding().prepare(configuration), **options)


# -- counts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [math.inf, 1000.0, 30.0])
@pytest.mark.parametrize("name", PANEL)
def test_builds_on_a_panel_of_molecules(name, beta):
    """1e-10 electrons by default, never later than Anderson; nothing counted is hidden."""
    configuration, allowed = PANEL[name]
    functional = _reduced(configuration, beta=beta)
    calls = []
    evaluate = functional.evaluate
    functional.evaluate = lambda features: calls.append(1) or evaluate(features)
    result = equilibrate(functional)
    assert result.status == "converged"
    assert result.residual <= 1e-10
    assert result.density_builds == len(calls) == len(result.history) <= allowed
    assert result.response_applications == 0
    other = equilibrate(functional, Anderson(), max_builds=allowed + 1)
    assert other.density_builds >= result.density_builds


@pytest.mark.parametrize("spacing", [1.4, 1.8, 2.4, (1.4, 2.2)])
@pytest.mark.parametrize("atoms", [10, 16])
def test_no_more_iterations_than_pyscf_on_hydrogen_chains(atoms, spacing):
    """Same start, same max |ΔD|; PySCF's DIIS crawls below 1e-8, so both sides of that."""
    configuration = chain(atoms, spacing, "H")
    functional = _reduced(configuration)
    start = in_their_order(functional.model.initial_density(), configuration)
    for tolerance in (1e-6, 1e-10):
        ours = equilibrate(functional, tolerance=tolerance)
        assert ours.converged
        theirs = diis_iterations(hartree_only(configuration), start, tolerance)
        assert theirs is None or ours.density_builds <= theirs


def test_without_an_aufbau_solution_the_status_says_so():
    """Stretched H₂O at β = ∞: the minimiser of the reduced model occupies a level in part."""
    result = equilibrate(_reduced(STRETCHED_H2O), max_builds=60)
    assert result.status in {"stalled", "diverged"}
    assert result.residual > 1e-4
    with pytest.raises(ConvergenceError):
        result.require_converged()
    warm = equilibrate(_reduced(STRETCHED_H2O, beta=1000.0))
    assert warm.converged
    # Some occupation is neither 0 nor 1 though βg would be 10³ for a gap of one Hartree.
    f = warm.state.local.occupation.occupation(warm.state.local.eigenvalues)
    assert np.any((f > 0.01) & (f < 0.99))


# -- the same solution as other solvers --------------------------------------------------------


@settings(max_examples=15)
@given(case=relaxable_gaussians(xc="none", complete=True))
def test_finds_what_newton_finds(case):
    """E[ρ] convex: one ρ. Energies to rounding, densities to the residual times (ε†)⁻¹."""
    result = equilibrate(case.functional, tolerance=1e-11)
    assume(result.converged)
    other = equilibrate(
        case.functional, NewtonKrylov(), tolerance=1e-11, features=result.features, max_builds=400
    )
    cold = equilibrate(case.functional, Anderson(), tolerance=1e-11, max_builds=300)
    for found in (other, cold):
        if not found.converged:
            continue
        assert found.energy == pytest.approx(result.energy, abs=1e-13 * energy_size(result))
        # ‖ε⁻¹‖ ≤ 1 in the energy norm; the entries of D feel the conditioning of S.
        scale = _extraction_norm(case)
        np.testing.assert_allclose(found.density, result.density, atol=1e-8 * scale, rtol=0.0)


@pytest.mark.parametrize(("beta", "electrons"), [(math.inf, 10.0), (20.0, 10.0), (20.0, 8.3)])
def test_grand_canonical_and_canonical_agree(beta, electrons):
    """µ from a canonical solve gives back its density."""
    canonical = equilibrate(_reduced(H2O, beta=beta, ensemble=Canonical(electrons)))
    assert canonical.converged
    grand = equilibrate(
        _reduced(H2O, beta=beta, ensemble=GrandCanonical(canonical.fermi_level)), CommutatorDIIS()
    )
    assert grand.converged
    np.testing.assert_allclose(grand.density, canonical.density, atol=1e-8)


def test_charges_on_sites_work_too():
    """Asked for by name, DIIS also solves on-site models; their default stays Anderson."""
    model = OnsiteTightBinding(model_b(gap=1.0)).prepare(chain(12, (1.0, 1.3), SPECIES))
    functional = EnergyFunctional(model, beta=10.0)
    assert isinstance(default_solver(functional), Anderson)
    result = equilibrate(functional, solver_by_name("diis"), tolerance=1e-11)
    assert result.converged
    reference = equilibrate(functional, tolerance=1e-11)
    np.testing.assert_allclose(result.density, reference.density, atol=1e-9)


def test_density_matrices_get_diis_by_default():
    assert isinstance(default_solver(_reduced(H2O)), CommutatorDIIS)
    expansion = GaussianTightBinding(features=(PotentialFunction(0, 0.5),)).prepare(H2O)
    assert isinstance(default_solver(EnergyFunctional(expansion, beta=5.0)), Anderson)


# -- what is minimised -------------------------------------------------------------------------


def test_mismatch_at_zero_temperature_is_the_commutator():
    """[H[D], γ] of Pulay has the same entries up to sign: equal norms, and zero together."""
    functional = _reduced(H2O)
    state = functional.evaluate(functional.potential(functional.model.initial_density()))
    local, assembly = state.local, functional.model.assembly
    fock = assembly.free_hamiltonian + assembly.embed(state.potential)
    commutator = fock @ local.density_operator - local.density_operator @ fock
    mismatch = _mismatch(local, state.potential - state.features)
    assert np.linalg.norm(mismatch) == pytest.approx(np.linalg.norm(commutator), rel=1e-10)
    C = local.eigenvectors
    np.testing.assert_allclose(np.abs(C.T @ mismatch @ C), np.abs(C.T @ commutator @ C), atol=1e-12)


def test_mismatch_sees_occupations_that_a_commutator_cannot():
    """H₂ at finite β: both orbitals are given by symmetry, [H[D], γ] = 0 whatever F."""
    functional = _reduced(_diatomic("H H", 2.0), beta=4.0)
    features = np.array([[0.3, 0.1], [0.1, 0.3]])
    state = functional.evaluate(features)
    local, assembly = state.local, functional.model.assembly
    fock = assembly.free_hamiltonian + assembly.embed(state.potential)
    commutator = fock @ local.density_operator - local.density_operator @ fock
    assert np.max(np.abs(commutator)) < 1e-14
    change = state.potential - state.features
    assert np.max(np.abs(local.potential_response(change))) > 1e-2
    assert np.max(np.abs(_mismatch(local, change))) > 1e-2


@settings(max_examples=15)
@given(case=relaxable_gaussians(complete=True))
def test_mismatch_vanishes_exactly_at_self_consistency(case):
    """R = 0 where χ₀(V − v̂) = 0 and nowhere else; at most four times ΔV itself."""
    result = equilibrate(case.functional, tolerance=1e-11)
    assume(result.converged)
    embed = case.functional.model.assembly.embed
    start = case.functional.evaluate(case.features)
    for state, solved in ((result.state, True), (start, False)):
        change = state.potential - state.features
        mismatch = _mismatch(state.local, change)
        # −F[x, y](|x − y| + 4/β) ≤ 2: |F(x) − F(y)| ≤ 1 and −F[x, y] ≤ β/4; Π at most doubles.
        assert np.linalg.norm(mismatch) <= 4.0 * np.linalg.norm(embed(change)) + 1e-14
        if solved:
            assert np.max(np.abs(mismatch)) <= 1e-9
        # χ₀ ΔV = 2 extract(DF[ΠΔV]) and −DF ≤ β/4, or 1/g at β = ∞: R bounds it from above.
        steepest = 1.0 / state.local.gap if math.isinf(case.beta) else 0.25 * case.beta
        first_order = state.local.potential_response(change)
        assert (
            np.linalg.norm(first_order)
            <= 2.0 * steepest * np.linalg.norm(mismatch) * _extraction_norm(case) + 1e-12
        )


def _extraction_norm(case):
    """Largest factor by which D = X P X exceeds P."""
    loewdin = case.functional.model.assembly.loewdin
    return 1.0 if loewdin is None else 1.0 / loewdin.eigenvalues[0]


def _history(rng, n, size=4, convex=True):
    """Densities and potentials with E quadratic: V_i = K D_i + const, K symmetric."""
    K = rng.normal(size=(size, size))
    K = K @ K.T if convex else K + K.T
    densities = rng.normal(size=(n, size))
    linear = rng.normal(size=n)
    energies = [e + 0.5 * d @ K @ d for e, d in zip(linear, densities, strict=True)]
    entries = [
        _Entry(d, K @ d, rng.normal(size=(3, 3)), float(e))
        for d, e in zip(densities, energies, strict=True)
    ]
    return deque(entries), lambda c: c @ linear + 0.5 * (c @ densities) @ K @ (c @ densities)


@given(rng=generators(), n=st.integers(1, 12))
def test_least_energy_mixture_is_the_minimum_on_the_simplex(rng, n):
    """Karush–Kuhn–Tucker: equal slopes where c > 0, none lower where c = 0; sampled as well."""
    history, energy = _history(rng, n)
    c = _least_energy(history)
    assert np.all(c >= 0.0)
    assert np.sum(c) == pytest.approx(1.0, abs=1e-12)
    best = energy(c)
    size = 1.0 + max(abs(entry.energy) for entry in history)
    for weights in rng.dirichlet(np.full(n, 0.5), size=50):
        assert energy(weights) >= best - 1e-9 * size
    for vertex in np.eye(n):
        assert energy(vertex) >= best - 1e-12 * size
        for step in (1e-3, 1e-2, 0.1):
            assert energy((1 - step) * c + step * vertex) >= best - 1e-9 * size


@given(rng=generators(), n=st.integers(1, 12))
def test_least_energy_mixture_of_a_concave_energy_is_still_a_mixture(rng, n):
    """ε_xc is concave: c must stay on the simplex and not above the best iterate."""
    history, energy = _history(rng, n, convex=False)
    c = _least_energy(history)
    assert np.all(c >= 0.0)
    assert np.sum(c) == pytest.approx(1.0, abs=1e-12)
    size = 1.0 + max(abs(entry.energy) for entry in history)
    assert energy(c) <= min(entry.energy for entry in history) + 1e-12 * size


@given(rng=generators(), n=st.integers(1, 12), shrink=st.floats(0.05, 1.0))
def test_least_mismatch_is_orthogonal_to_all_differences(rng, n, shrink):
    """Normal equations of min |Σ c R|, Σ c = 1, with R falling over many orders of magnitude."""
    history, _ = _history(rng, n)
    history = deque(e._replace(mismatch=e.mismatch * shrink**k) for k, e in enumerate(history))
    c = _least_mismatch(history)
    assert np.sum(c) == pytest.approx(1.0, abs=1e-8 * (1.0 + np.max(np.abs(c))))
    minimal = sum(ci * e.mismatch for ci, e in zip(c, history, strict=True))
    assert np.linalg.norm(minimal) <= np.linalg.norm(history[-1].mismatch) * (1.0 + 1e-12)
    for entry in history:
        difference = entry.mismatch - history[-1].mismatch
        assert abs(np.vdot(difference, minimal)) <= 1e-10 * np.linalg.norm(
            difference
        ) * np.linalg.norm(history[-1].mismatch)


def test_energy_bound_is_exact_for_mixtures_at_zero_temperature():
    """E[Σ c γ] of real iterates = Σ c E − ¼ Σ c c ⟨ΔD, ΔV⟩: the formula and its ¼."""
    functional = _reduced(H2O)
    rng = np.random.default_rng(3)
    V = functional.potential(functional.model.initial_density())
    states = [functional.evaluate(V + 0.3 * k * np.diag(rng.normal(size=7))) for k in range(3)]
    c = np.array([0.5, 0.3, 0.2])
    mixed = sum(ci * s.density for ci, s in zip(c, states, strict=True))
    local = sum(ci * s.local.feature_energy for ci, s in zip(c, states, strict=True))
    bound = sum(ci * s.energy for ci, s in zip(c, states, strict=True))
    for ci, a in zip(c, states, strict=True):
        for cj, b in zip(c, states, strict=True):
            bound -= 0.25 * ci * cj * np.vdot(a.density - b.density, a.potential - b.potential)
    assert local + functional.density_energy(mixed) == pytest.approx(bound, abs=1e-11)


# -- inputs that cannot be ---------------------------------------------------------------------


@pytest.mark.parametrize("bad", [{"depth": 0}, {"near": 0.0}, {"near": 0.2}, {"far": math.nan}])
def test_impossible_settings_are_refused(bad):
    with pytest.raises(InputError) as error:
        CommutatorDIIS(**bad)
    assert "\n" not in str(error.value)


def test_expansions_are_refused_in_one_line():
    model = GaussianTightBinding(features=(PotentialFunction(0, 0.5),)).prepare(H2O)
    with pytest.raises(InputError, match="complete features") as error:
        equilibrate(EnergyFunctional(model, beta=5.0), CommutatorDIIS())
    assert "\n" not in str(error.value)
