"""Theorem 8 in Gaussian orbitals: the map, the constants, the conclusions by other code."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies.theory_systems import gaussian_recipes

from scc.basis.evaluate import evaluate
from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.bodyorder.explicit import ExplicitOccupation
from scc.configuration import chain
from scc.equilibration.equilibrate import equilibrate
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical
from scc.theory import theorem_8_gaussian
from scc.theory._best_approximation import mismatch
from scc.theory._explicit_divided_differences import divided_differences, evaluation_rounding
from scc.theory._joint_norms import as_map, joint_norm, square_norm, trace_norms
from scc.theory._newton_kantorovich import NewtonKantorovich
from scc.theory._stationary_gaussian import Spectral, StationaryMap
from scc.theory._theorem_8_gaussian_forms import Bounds, Sizes
from scc.theory._theorem_8_gaussian_measured import measure_complete, solve
from scc.theory.random_systems import Recipe, random_system
from scc.theory.statement import satisfied, violations
from scc.theory.system import TightBindingSystem

quick = settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
FEATURES, COMPLETE = "decided for the features of the system", "decided for complete features"


def _warm():
    return gaussian_recipes(largest=7, beta=st.floats(1.0, 15.0))


def _systems():
    betas = (1.0, 4.0, 10.0, 20.0, math.inf, math.inf)
    return [
        random_system(
            Recipe(
                model=("orthonormal", "loewdin")[seed % 2],
                atoms=6,
                dimension=1 + seed % 3,
                seed=seed,
                beta=beta,
                gap=0.3,
            )
        )
        for seed, beta in enumerate(betas)
    ]


def _small_systems():
    """Few atoms, where norms of products lose least."""
    return _systems() + [
        random_system(Recipe(model="loewdin", atoms=2 + seed % 3, seed=seed, beta=2.0 + seed))
        for seed in range(8)
    ]


def _precise(occupation, x):
    """F_N by the recurrence with 50 digits."""
    s = mpmath.mpf(x) - mpmath.mpf(occupation.chemical_potential)
    A, B = mpmath.mpf(occupation.outer), mpmath.mpf(occupation.inner)
    u = (s * s - (A * A + B * B) / 2) / ((A - B) * (A + B) / 2)
    previous, current = mpmath.mpf(1), u
    total = occupation.slope[0] + occupation.slope[1] * u
    for a in occupation.slope[2:]:
        previous, current = current, 2 * u * current - previous
        total += mpmath.mpf(float(a)) * current
    return (1 - s * total) / 2


@quick
@given(
    beta=st.one_of(st.floats(1.0, 40.0), st.just(math.inf)),
    degree=st.integers(4, 120),
    shares=st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=4, unique=True),
)
def test_divided_differences_lose_no_more_than_they_say(beta, degree, shares) -> None:
    occupation = ExplicitOccupation.construct(beta, 0.0, 0.2, 1.5, degree)
    levels = np.array([math.copysign(0.2 + 1.3 * abs(s), s) for s in shares])
    with mpmath.workdps(50):
        values = [_precise(occupation, x) for x in levels]
        expected = [
            [
                mpmath.diff(lambda x: _precise(occupation, x), mpmath.mpf(x))
                if x == y
                else (values[i] - values[j]) / (mpmath.mpf(x) - mpmath.mpf(y))
                for j, y in enumerate(levels)
            ]
            for i, x in enumerate(levels)
        ]
        expected = np.array(expected, dtype=np.float64)
    # Levels move by a few eps: F_N″ times that, sup|F_N″| by Markov from the coefficients.
    k = np.arange(len(occupation.slope))
    curvature = float(np.sum(np.abs(occupation.slope) * (1 + k) ** 4)) * 8.0
    allowed = evaluation_rounding(occupation)[1] + 4e-16 * curvature
    assert np.max(np.abs(divided_differences(occupation, levels) - expected)) <= allowed


@quick
@given(recipe=_warm(), seed=st.integers(0, 999))
def test_the_map_is_the_residual_of_the_energy_functional(recipe, seed) -> None:
    """T with the external potential taken away again is scc's own T, anywhere; T(v̂*) = 0."""
    system = random_system(recipe)
    S = StationaryMap.of(system)
    functional = EnergyFunctional(
        system.model, beta=system.beta, ensemble=GrandCanonical(system.mu)
    )
    external = -mismatch(system, functional.evaluate(system.features)) - S.mismatch
    w = np.random.default_rng(seed).uniform(-0.2, 0.2, len(S.perturbations))
    state = functional.evaluate(system.features + w.reshape(system.features.shape))
    there = S.at(S.exact.occupation, w)[0]
    without = S.value(S.exact.occupation, w) + S.contract(there.first(external))
    assert without == pytest.approx(state.residual.ravel(), abs=1e-11)
    assert np.max(np.abs(S.value(S.exact.occupation, 0.0 * w))) < 1e-11


@quick
@given(recipe=_warm(), seed=st.integers(0, 999), degree=st.integers(8, 40))
def test_jacobians_and_energies_are_derivatives_of_each_other(recipe, seed, degree) -> None:
    """Central differences of 𝒢_N give −2T_N and of T_N give DT_N, for F and for F_N."""
    system = random_system(recipe)
    S = StationaryMap.of(system)
    rng = np.random.default_rng(seed)
    w = rng.uniform(-0.003, 0.003, len(S.perturbations))
    d = rng.uniform(-1.0, 1.0, len(w))
    h = 1e-3 / max(1.0, system.beta)
    for occupation in (S.exact.occupation, theorem_8_gaussian.polynomial(system, degree)):
        T = [S.value(occupation, w + s * h * d) for s in (-2, -1, 1, 2)]
        slope = (T[0] - 8 * T[1] + 8 * T[2] - T[3]) / (12 * h)
        exact = S.jacobian(occupation, w) @ d
        assert slope == pytest.approx(exact, abs=1e-6 * (1.0 + np.max(np.abs(exact))))
        G = [S.energy_change(occupation, w + s * h * d) for s in (-2, -1, 1, 2)]
        slope = (G[0] - 8 * G[1] + 8 * G[2] - G[3]) / (12 * h)
        assert slope == pytest.approx(-2.0 * S.value(occupation, w) @ d, abs=1e-7)


@quick
@given(recipe=_warm(), seed=st.integers(0, 999))
def test_the_kernel_is_largest_at_the_identity(recipe, seed) -> None:
    S = StationaryMap.of(random_system(recipe))
    n = len(S.hamiltonian)
    norm = np.linalg.norm(S.potential(np.eye(n)), 2)
    rng = np.random.default_rng(seed)
    for _ in range(10):
        A = rng.normal(size=(n, n))
        A = (A + A.T) / np.linalg.norm(A + A.T, 2)
        assert np.linalg.norm(S.potential(A), 2) <= norm * (1 + 1e-12)


@given(seed=st.integers(0, 9999), n=st.integers(1, 5), count=st.integers(1, 6))
def test_families_of_matrices_stay_below_their_norms(seed, n, count) -> None:
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(count, n, n))
    W = W + np.swapaxes(W, 1, 2)
    for _ in range(5):
        d = rng.uniform(-1.0, 1.0, count)
        v = np.tensordot(d, W, 1)
        assert np.linalg.norm(v, 2) <= joint_norm(W) * np.max(np.abs(d)) * (1 + 1e-12)
        assert np.linalg.norm(v, 2) <= square_norm(W) * np.linalg.norm(d) * (1 + 1e-12)
        assert np.linalg.norm(v) <= as_map(W) * np.linalg.norm(d) * (1 + 1e-12)
        X = v / np.linalg.norm(v, 2)
        paired = np.abs(np.tensordot(W, X, ((1, 2), (0, 1))))
        assert np.all(paired <= trace_norms(W) * (1 + 1e-12))
    positive = W @ np.swapaxes(W, 1, 2)
    together = np.linalg.norm(np.sum(positive, axis=0), 2)
    assert joint_norm(positive) == pytest.approx(together)


def test_moderate_temperatures_are_decided_and_nothing_is_violated() -> None:
    for system in _systems():
        found = theorem_8_gaussian.hypotheses(system)
        assert satisfied(found)
        assert found[COMPLETE] == "yes"
        if not system.zero_temperature:
            assert found[FEATURES] == "yes"
        assert violations(theorem_8_gaussian.checks(system)) == []


def test_what_cannot_be_decided_is_said() -> None:
    """Two orbitals at β = ∞: F(H) has one degree of freedom, DT is singular. On-site: not ours."""
    recipe = Recipe(model="loewdin", atoms=2, beta=math.inf, gap=0.3)
    found = theorem_8_gaussian.hypotheses(random_system(recipe))
    assert found[FEATURES].startswith("no")
    assert found[COMPLETE] == "yes"
    assert not satisfied(theorem_8_gaussian.hypotheses(random_system(Recipe(atoms=5))))


def _lines(systems, degrees):
    return [
        line
        for system, pair in zip(systems, degrees, strict=True)
        for line in _with_degrees(system, pair)
    ]


def _with_degrees(system, pair):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theorem_8_gaussian, "sufficient_degrees", lambda *_: pair)
        return violations(theorem_8_gaussian.checks(system))


def _best(systems, quantity):
    checks = [c for system in systems for c in theorem_8_gaussian.checks(system)]
    return max(c.worst for c in checks if c.quantity.startswith(quantity))


@pytest.mark.parametrize(
    ("name", "quantity"),
    [("residual", "|T_N|"), ("defect", "norm of DT_N"), ("lipschitz", "second difference")],
)
def test_half_the_best_constant_is_caught(monkeypatch, name, quantity) -> None:
    systems = _systems()[:4]
    best = _best(systems, quantity)
    assert best > 0.01
    degrees = [theorem_8_gaussian.sufficient_degrees(s, StationaryMap.of(s)) for s in systems]
    whole = Sizes.on_ball

    def halved(self, errors, shift):
        found = whole(self, errors, shift)
        return NewtonKantorovich(**{**vars(found), name: 0.5 * best * getattr(found, name)})

    monkeypatch.setattr(Sizes, "on_ball", halved)
    assert any(quantity in line for line in _lines(systems, degrees))


@pytest.mark.parametrize(
    ("owner", "name", "quantity"),
    [
        (Bounds, "paper", "|v_N - v*|, 2 c_stab eps_N"),
        (Bounds, "sharper", "|v_N - v*|, screened"),
        (Bounds, "spread", "Euclidean"),
        (Bounds, "energy", "|G_N(v_N)"),
        (Bounds, "complete_spread", "complete: |v_N - v*|, screened"),
        (Bounds, "complete_energy", "complete: |G_N(v_N)"),
        (NewtonKantorovich, "distance", "complete: |v_N - v*|, 2 c eps_N"),
    ],
)
def test_half_the_best_conclusion_is_caught(monkeypatch, owner, name, quantity) -> None:
    systems = _small_systems()
    best = _best(systems, quantity)
    assert best > 0.01
    degrees = [theorem_8_gaussian.sufficient_degrees(s, StationaryMap.of(s)) for s in systems]
    whole = getattr(owner, name).fget
    monkeypatch.setattr(owner, name, property(lambda s: 0.5 * best * whole(s)))
    assert any(line.startswith(quantity) for line in _lines(systems, degrees))


def test_a_wrong_critical_point_is_noticed(monkeypatch) -> None:
    """Without the external potential v̂ is none, and |T_N| there is beyond ε_N."""
    system = _systems()[1]
    whole = StationaryMap.of

    def shifted(system):
        found = whole(system)
        phi = found.mismatch + found.operator(np.full(len(found.perturbations), 0.05))
        return StationaryMap(found.hamiltonian, found.perturbations, found.kernel, phi, found.exact)

    degrees = theorem_8_gaussian.sufficient_degrees(system, whole(system))
    later = ([degrees[0][-1] + 12], degrees[1])
    assert _with_degrees(system, later) == []
    monkeypatch.setattr(StationaryMap, "of", shifted)
    assert theorem_8_gaussian.checks(system)[0].rounding[0] > 1e-4  # T(v̂*) ≠ 0 is not overlooked


def test_the_zero_is_unique_in_its_ball() -> None:
    system = _systems()[2]
    S = StationaryMap.of(system)
    degree = theorem_8_gaussian.sufficient_degrees(system, S)[0][0]
    occupation = theorem_8_gaussian.polynomial(system, degree)
    radius = float(theorem_8_gaussian.bound(system, [degree], S).sharper[0])
    expected, _ = solve(S, occupation)
    rng = np.random.default_rng(1)
    for _ in range(4):
        w = radius * rng.uniform(-1.0, 1.0, len(expected))
        for _ in range(30):
            w = w - np.linalg.solve(S.jacobian(occupation, w), S.value(occupation, w))
        assert np.max(np.abs(w - expected)) < 1e-9 * radius + 1e-11


def _model(overlap, features=None):
    return GaussianTightBinding(
        basis=lambda c: single_gaussian(c, 0.8),
        features=features,
        overlap=overlap,
        nuclear_charges={"Na": 1.3, "Cl": 0.7},
        nuclear_exponent=2.0,
    ).prepare(chain(6, (1.6, 3.0), ("Na", "Cl")))


@pytest.mark.parametrize(
    ("beta", "overlap"), [(6.0, "orthonormal"), (6.0, "loewdin"), (math.inf, "loewdin")]
)
def test_production_equilibria_obey_the_theorem(beta, overlap) -> None:
    """Complete Ξ: v̂* by the canonical solver, v̂*_N by it on the body-ordered functional."""
    model = _model(overlap)
    exact = equilibrate(
        EnergyFunctional(model, beta=beta, ensemble=Canonical(6.0)), tolerance=1e-11, throw=True
    )
    mu = exact.fermi_level
    system = TightBindingSystem(model, exact.features, beta, mu)
    S = StationaryMap.of(system)
    degrees = theorem_8_gaussian.sufficient_degrees(system, S)[1]
    bounds = theorem_8_gaussian.bound(system, degrees, S)
    for index, degree in enumerate(degrees):
        occupation = theorem_8_gaussian.polynomial(system, degree)
        functional = EnergyFunctional(model, ensemble=GrandCanonical(mu), occupation=occupation)
        found = equilibrate(functional, features=exact.features, tolerance=1e-11, throw=True)
        v = system.assembly.feature_matrix(found.features - exact.features)
        moved = float(np.linalg.norm(v))
        slack = 1e-8  # both solves, ten times the tolerance times ‖ε⁻¹‖‖J‖
        assert moved <= bounds.complete.distance[index] + slack
        assert moved > slack
        own = measure_complete(system, bounds, index, occupation)["moved"]
        assert own == pytest.approx(moved, abs=slack)


@pytest.mark.parametrize("overlap", ["orthonormal", "loewdin"])
def test_production_equilibria_with_incomplete_features_obey_the_theorem(overlap) -> None:
    """No external potential: v̂* minimises 𝒢, v − V ≠ 0; v̂*_N by Newton on the production code."""
    model = _model(overlap, (PotentialFunction(0, 0.4),))
    beta = 6.0
    near = equilibrate(EnergyFunctional(model, beta=beta, ensemble=Canonical(6.0)), throw=True)
    exact = equilibrate(
        EnergyFunctional(model, beta=beta, ensemble=GrandCanonical(near.fermi_level)),
        features=near.features,
        tolerance=1e-11,
        throw=True,
    )
    system = TightBindingSystem(model, exact.features, beta, exact.fermi_level)
    S = StationaryMap.of(system)
    external = mismatch(system, exact.state) + S.mismatch
    assert np.max(np.abs(external)) < 1e-7  # it is a critical point as it stands
    assert np.linalg.norm(S.mismatch) > 1e-3
    degrees = theorem_8_gaussian.sufficient_degrees(system, S)[0]
    bounds = theorem_8_gaussian.bound(system, degrees, S)
    for index, degree in enumerate(degrees):
        functional = EnergyFunctional(
            model,
            ensemble=GrandCanonical(system.mu),
            occupation=theorem_8_gaussian.polynomial(system, degree),
        )
        v = exact.features
        for _ in range(6):
            units = np.eye(v.size).reshape(-1, *v.shape)
            state = functional.evaluate(v)
            hessian = np.array([state.hessian_vector_product(u).ravel() for u in units])
            v = v - np.linalg.solve(hessian, state.gradient.ravel()).reshape(v.shape)
        moved = float(np.max(np.abs(v - exact.features)))
        slack = 20.0 * bounds.largest.inverse * 1e-11  # v̂* is as good as its tolerance
        assert moved <= bounds.paper[index] + slack
        assert moved <= bounds.sharper[index] + slack
        assert moved > slack


def test_the_density_is_within_its_envelope_everywhere() -> None:
    """|ρ_N(x) − ρ(x)| ≤ 2g|φ(x)|², φ orthonormal, from the nuclei to 10 bohr outside."""
    system = _small_systems()[6]
    S = StationaryMap.of(system)
    degree = theorem_8_gaussian.sufficient_degrees(system, S)[0][0]
    bounds = theorem_8_gaussian.bound(system, [degree], S)
    w, _ = solve(S, theorem_8_gaussian.polynomial(system, degree))
    there = Spectral.of(
        theorem_8_gaussian.polynomial(system, degree), S.hamiltonian + S.operator(w)
    )
    change = 2.0 * system.assembly.extract(there.value - S.exact.value)
    basis = system.assembly.basis
    rng = np.random.default_rng(0)
    points = rng.choice([1.0, 10.0], (400, 1)) * rng.uniform(-1.0, 1.0, (400, 3)) + rng.choice(
        basis.positions, 400
    )
    raw = np.asarray(evaluate(basis, points)[0])
    if raw.shape[0] != len(points):
        raw = raw.T
    size = 2.0 * (
        bounds.errors.value[0]
        + (bounds.errors.first_constant + bounds.errors.first[0]) * bounds.fold * bounds.sharper[0]
    )
    n = len(S.hamiltonian)
    metric = system.assembly.extract(np.eye(n))  # |Xφ|² = φᵀX²φ
    densities = np.einsum("xa,ab,xb->x", raw, change, raw)
    envelope = np.einsum("xa,ab,xb->x", raw, metric, raw)
    assert np.all(np.abs(densities) <= size * envelope)
    assert np.max(np.abs(densities) / (size * envelope)) > 1e-3


@pytest.mark.slow
@settings(max_examples=500, suppress_health_check=list(HealthCheck), deadline=None)
@given(recipe=gaussian_recipes(beta=st.floats(1.0, 30.0)))
def test_no_warm_system_exceeds_its_bounds(recipe) -> None:
    system = random_system(recipe)
    if satisfied(theorem_8_gaussian.hypotheses(system)):
        assert violations(theorem_8_gaussian.checks(system)) == []
