"""Envelopes below the functions they bound, and bases the random systems do not have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.basis import shells
from strategies.configurations import generators

from scc.basis.evaluate import evaluate
from scc.basis.overlap import kinetic, overlap
from scc.basis.shells import BasisSet, Shell
from scc.basis.three_centre import PotentialFunction, ThreeCentreOverlap
from scc.configuration import Configuration
from scc.models.gaussian import GaussianTightBinding
from scc.models.hopping import ExponentialHopping, NearestNeighbourHopping
from scc.theory import lemma_10
from scc.theory._gaussian_products import equal_exponent, feature_peaks, kinetic_peaks
from scc.theory._hamiltonian_decay import paper_bound, sharp_bound
from scc.theory._hopping_envelope import hopping_envelope
from scc.theory._orbital_envelope import shell_envelope
from scc.theory.packing import packings
from scc.theory.statement import violations
from scc.theory.system import TightBindingSystem


@given(
    st.floats(0.3, 2.0),
    st.floats(0.0, 3.0),
    st.floats(0.1, 2.0),
    st.floats(0.0, 6.0),
    st.floats(0.3, 5.0),
)
def test_hopping_leaves_its_envelope(decay, start, width, eta, nearest) -> None:
    hopping = ExponentialHopping(-1.3, decay, 1.0, (start, start + width))
    value, slope = hopping_envelope(hopping, eta, nearest)
    r = np.linspace(nearest, max(start + width, nearest) + 0.1, 20001)
    sampled = [np.abs(f(r)) * np.exp(eta * r) for f in (hopping, hopping.derivative)]
    assert np.max(sampled[0]) <= value * (1.0 + 1e-12)
    assert np.max(sampled[1]) <= slope * (1.0 + 1e-12)
    # And no looser than its cells: 2000 of them, steep where the switch is narrow.
    assert value <= 1.02 * np.max(sampled[0]) + 1e-10
    assert slope <= 3.0 * np.max(sampled[1]) + 1e-6


def test_constant_hopping_leaves_its_envelope() -> None:
    hopping = NearestNeighbourHopping(0.7, 1.5)
    assert hopping_envelope(hopping, 2.0, 1.0) == (0.7 * np.exp(3.0), 0.0)
    assert hopping_envelope(hopping, 2.0, 1.6) == (0.0, 0.0)


@given(shells(largest_l=3), st.floats(0.1, 4.0), generators())
def test_orbital_leaves_its_envelope(shell, alpha, rng) -> None:
    """φ, ∇φ and ∇∇φ at random points of all sizes."""
    basis = BasisSet(np.zeros((1, 3)), [[shell]])
    directions = rng.normal(size=(400, 3))
    scale = (np.sqrt(alpha * alpha + 20.0 * min(shell.exponents)) + alpha) / min(shell.exponents)
    radii = rng.uniform(0.0, 1.0, (400, 1)) ** 2 * scale
    points = radii * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    found = shell_envelope(shell, alpha)
    for order, limit in enumerate(found):
        values = evaluate(basis, points, order)[order]
        size = np.sqrt(np.sum(values**2, axis=tuple(range(order))))
        assert np.max(size * np.exp(alpha * radii)) <= limit * (1.0 + 1e-12)


def test_envelope_of_one_s_gaussian_is_its_supremum() -> None:
    shell = Shell(0, (0.4,), (1.0,))
    r = np.linspace(0.0, 12.0, 400001)
    exact = shell.radial_coefficients[0] * np.max(np.exp(1.3 * r - 0.4 * r * r))
    assert np.isclose(shell_envelope(shell, 1.3).value, exact, rtol=1e-9)


@given(st.floats(0.2, 1.5), st.floats(0.2, 1.5), st.floats(-2.0, 2.0), generators())
def test_product_theorem_constants_are_those_of_other_integrals(a, b, prefactor, rng) -> None:
    """T, T′ and W of pairs and triples of atoms anywhere against the integral code."""
    positions = rng.normal(size=(3, 3)) * rng.uniform(0.7, 3.0)
    basis = BasisSet(positions, [[Shell(0, (a,), (1.0,))]] * 3)
    assert equal_exponent(basis) == a
    function = PotentialFunction(0, b, prefactor)
    r = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    nearest = float(np.min(r[r > 0]))
    found = packings(positions)
    table, w = kinetic(basis), np.abs(ThreeCentreOverlap(basis, (function,)).full()[:, 0])
    moved = np.linalg.norm(table.position_derivative(), axis=1)
    for eta in (0.3, 1.0, 2.5):
        at_site, bond, slope = kinetic_peaks(a, eta, nearest)
        away = r > 0
        assert np.isclose(at_site, table.matrix[0, 0])
        assert np.max((np.abs(table.matrix) * np.exp(eta * r))[away]) <= bond * (1 + 1e-9)
        pair = np.exp(eta * (r[:, :, None] + r[:, None, :]))
        assert np.max(moved * pair) <= slope * (1 + 1e-9)
        total, single, change = feature_peaks(a, function, eta, found)
        assert np.max(w * pair) <= single * (1 + 1e-9)
        assert np.max(np.sum(w, axis=0) * np.exp(eta * r)) <= total * (1 + 1e-9)
        v = rng.choice([-1.0, 1.0], (3, 1))
        every = np.array(
            [
                ThreeCentreOverlap(basis, (function,)).position_perturb(step.reshape(3, 3), v)
                for step in np.eye(9)
            ]
        ).reshape(3, 3, 3, 3)
        assert np.max(np.linalg.norm(every, axis=1) * pair) <= change * (1 + 1e-9)


def sp_system(rng, treatment, features):
    """Five atoms with s and p shells and several functions Ξ on each: no closed form is known."""
    positions = np.zeros((5, 3))
    positions[:, 0] = 1.9 * np.arange(5)
    positions += rng.uniform(-0.3, 0.3, (5, 3))
    shell = [Shell(0, (0.5, 1.1), (0.7, 0.4)), Shell(1, (0.6,), (1.0,))]
    model = GaussianTightBinding(
        basis=lambda c: BasisSet(c.positions, [shell] * len(c)),
        features=features,
        overlap=treatment,
        nuclear_charges={"Na": 1.0},
    ).prepare(Configuration(("Na",) * 5, positions))
    return TightBindingSystem(model, rng.uniform(-1.0, 1.0, model.feature_shape), 5.0, 0.0)


@settings(max_examples=6)
@given(generators(), st.sampled_from(("orthonormal", "loewdin")))
def test_s_and_p_orbitals_exceed_their_bounds(rng, treatment) -> None:
    features = (PotentialFunction(0, 0.4), PotentialFunction(1, 0.5, 0.8))
    system = sp_system(rng, treatment, features)
    assert all(value is not False for value in lemma_10.hypotheses(system).values())
    assert sharp_bound(system, 0.5) is None
    if treatment == "orthonormal":
        assert lemma_10.bound(system, 0.5) == paper_bound(system, 0.5)
    assert violations(lemma_10.checks(system)) == []


def test_smaller_features_have_larger_constants() -> None:
    """c₀ + c₁‖v̂‖: linear in the features, and above |H| for a hundred times larger ones."""
    rng = np.random.default_rng(8)
    system = sp_system(rng, "orthonormal", (PotentialFunction(0, 0.4),))
    large = TightBindingSystem(system.model, 100.0 * system.features, 5.0, 0.0)
    small_bound, large_bound = (paper_bound(s, 0.5) for s in (system, large))
    assert small_bound.free == large_bound.free
    assert small_bound.potential == large_bound.potential
    assert np.isclose(
        large_bound.value - large_bound.free, 100.0 * (small_bound.value - small_bound.free)
    )
    assert violations(lemma_10.checks(large)) == []


@pytest.mark.parametrize("moved", [0.5, 2.0])
def test_overlaps_count_as_orthonormal(moved) -> None:
    """Constants of the raw orbitals at a rate above Löwdin's largest do not bound Löwdin's H."""
    rng = np.random.default_rng(2)
    raw = sp_system(rng, "orthonormal", (PotentialFunction(0, 0.4),))
    rng = np.random.default_rng(2)
    orthogonalised = sp_system(rng, "loewdin", (PotentialFunction(0, 0.4),))
    r = raw.orbital_distances
    far = r > 5.0
    eta = moved * lemma_10.largest_rate(overlap(raw.assembly.basis).matrix, r)
    found = lemma_10.bound(orthogonalised, eta)
    assert (found is None) == (moved > 1.0)
    assert np.max(np.abs(orthogonalised.hamiltonian[far])) > 3.0 * np.max(
        np.abs(raw.hamiltonian[far])
    )
