"""Theorem 4 on random configurations: what decays is decided, and stays below a rigorous bound.

The bound is Combes–Thomas (Lemma 12) put into the Matsubara sum. With
max_ℓ Σ_k |H_ℓk| (e^{η r_ℓk} − 1) ≤ 𝔡/2 for 𝔡 = dist(z₀, σ(H)), z₀ = µ + iπ/β, every pole z_n has
|G_ℓk(z_n)| ≤ (2/𝔡_n) e^{−η r_ℓk}, 𝔡_n ≥ π|2n+1|/β, and Σ_n 𝔡_n^{−2} ≤ β²/4 gives for a change A
of H

    |∂p_ℓ| = |2β⁻¹ Σ_n [G(z_n) A G(z_n)]_ℓℓ| ≤ 2β [C |A| C]_ℓℓ,      C_ℓk = e^{−η r_ℓk}.

At β = ∞ the integral along z = E + iω through the gap, at distance d from the spectrum, gives
(4/d) [C |A| C]_ℓℓ with 𝔡 = d.
"""

import math

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from strategies.configurations import generators

from scc.claims import theorem_4
from scc.claims._gaussian_systems import random_gaussian_case
from scc.claims._local_derivatives import decided, distances_from, spread_atoms
from scc.claims._onsite_systems import random_case, random_configuration
from scc.claims.claim import System

seeds = st.integers(0, 2**31 - 1)
INCONCLUSIVE = 0.2


@st.composite
def onsite_systems(draw):
    """1D–3D, insulating or warm. In three dimensions a diameter is short: larger gaps, warmer."""
    dimension = draw(st.sampled_from([1, 2, 3]))
    low, high = {1: (60, 150), 2: (120, 220), 3: (240, 320)}[dimension]
    parameters = {
        "kind": "random",
        "model": "onsite",
        "dimension": dimension,
        "atoms": draw(st.integers(low, high)),
        "spacing": draw(st.floats(1.0, 1.6)),
        "disorder": draw(st.floats(0.0, 0.5)),
        "seed": draw(seeds),
    }
    if draw(st.booleans()):
        return {**parameters, "beta": "inf", "gap": draw(st.floats(2.0 + dimension, 10.0))}
    coldest = {1: 10.0, 2: 3.0, 3: 1.2}[dimension]
    return {**parameters, "beta": draw(st.floats(0.3, coldest)), "gap": draw(st.floats(0.0, 2.0))}


@st.composite
def gaussian_systems(draw):
    dimension = draw(st.sampled_from([1, 2, 3]))
    low, high = {1: (30, 60), 2: (60, 100), 3: (90, 130)}[dimension]
    parameters = {
        "kind": "random",
        "model": "gaussian",
        "dimension": dimension,
        "atoms": draw(st.integers(low, high)),
        "spacing": draw(st.floats(1.8, 2.4)),
        "exponent": draw(st.floats(0.55, 0.9)),
        "overlap": draw(st.sampled_from(["loewdin", "orthonormal"])),
        "disorder": draw(st.floats(0.0, 0.2)),
        "seed": draw(seeds),
    }
    if draw(st.booleans()):
        return {**parameters, "beta": "inf", "contrast": draw(st.floats(1.0 + dimension, 5.0))}
    coldest = {1: 8.0, 2: 5.0, 3: 3.0}[dimension]
    return {**parameters, "beta": draw(st.floats(0.5, coldest)), "contrast": 0.2}


def verdicts_of(strategy, examples):
    """Every system that is expected to decay measurably does; how many were not expected to."""
    verdicts = []

    @settings(max_examples=examples)
    @given(strategy)
    def each(parameters):
        result = theorem_4.measure(System("random", parameters))
        note(f"{dict(result.measured)} {dict(result.predicted)}")
        assert result.holds is not False
        verdicts.append(result.holds)

    each()
    return verdicts


def test_decay_that_cannot_be_told_or_is_no_exponential_on_site():
    verdicts = verdicts_of(onsite_systems(), settings().max_examples)
    assert verdicts.count(None) <= INCONCLUSIVE * len(verdicts)


def test_decay_that_cannot_be_told_or_is_no_exponential_in_gaussian_orbitals():
    verdicts = verdicts_of(gaussian_systems(), max(settings().max_examples // 2, 1))
    assert verdicts.count(None) <= INCONCLUSIVE * len(verdicts)


@settings(max_examples=100)
@given(
    rng=generators(),
    dimension=st.sampled_from([1, 2, 3]),
    power=st.floats(0.5, 6.0),
    scatter=st.floats(0.0, 1.5),
    prefactor=st.sampled_from([0.0, 1.0, 2.0, 2.5]),
)
def test_a_scattered_power_taken_for_an_exponential(rng, dimension, power, scatter, prefactor):
    configuration = random_configuration(dimension, 120, 1.2, rng)
    atoms = spread_atoms(configuration, 12)
    r = distances_from(configuration, atoms)
    values = np.exp(scatter * rng.normal(size=r.shape)) * np.maximum(r, 0.5) ** -power
    assert decided(r, values, prefactor).kind != "exponential"


def combes_thomas_exponent(hamiltonian, distance, gap_to_spectrum):
    """The largest η with max_ℓ Σ_k |H_ℓk| (e^{η r_ℓk} − 1) ≤ 𝔡/2 (the diagonal does not count)."""

    def excess(eta):
        rows = np.abs(hamiltonian) * np.expm1(eta * distance)
        return float(np.max(np.sum(rows, axis=1))) - 0.5 * gap_to_spectrum

    high = 1.0
    while excess(high) < 0.0:
        high *= 2.0
    return brentq(excess, 0.0, high)


@pytest.mark.parametrize("model", ["onsite", "gaussian"])
@given(st.data())
def test_population_response_above_its_combes_thomas_bound(model, data):
    parameters = data.draw(onsite_systems() if model == "onsite" else gaussian_systems())
    parameters |= {"atoms": min(parameters["atoms"], 60)}
    case = (random_case if model == "onsite" else random_gaussian_case)(parameters)
    state, configuration = case.state, case.model.configuration
    beta, mu = float(parameters["beta"]), state.chemical_potential
    to_spectrum = float(np.min(np.abs(state.eigenvalues - mu)))
    at_infinity = math.isinf(beta)
    gap = to_spectrum if at_infinity else math.hypot(to_spectrum, math.pi / beta)
    constant = 4.0 / gap if at_infinity else 2.0 * beta

    positions = configuration.positions
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    hamiltonian = case.model.hamiltonian(state.features)
    eta = combes_thomas_exponent(hamiltonian, distance, gap)
    decay = np.exp(-eta * distance)

    atom = data.draw(st.integers(0, len(configuration) - 1))
    feature = np.zeros(state.features.shape)
    feature[atom] = 1.0
    displacement = np.zeros((len(configuration), 3))
    displacement[atom] = np.ones(3) / math.sqrt(3.0)
    by_potential = state.assembly.feature_matrix(feature)
    if by_potential.ndim == 1:
        by_potential = np.diag(by_potential)
    free, potential = state.assembly.hamiltonian_perturb(displacement, state.features)
    for change, response in (
        (by_potential, state.populations_jvp(feature)),
        (free + potential, state.populations_position_jvp(displacement)),
    ):
        bound = constant * np.einsum("ij,jk,ki->i", decay, np.abs(change), decay, optimize=True)
        # Rounding of eigenvectors, relative to the largest response.
        slack = 1e-12 * max(1.0, float(np.max(np.abs(response))))
        assert np.all(np.abs(response) <= bound + slack)
        # A constant half as large would be violated somewhere, or the bound says nothing at all.
        assert np.max(np.abs(response)) <= np.max(bound)
