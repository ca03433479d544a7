"""Failures hunted: exponential taken for algebraic and the reverse, by noise, oscillation, edges,
near fields, floors and finite range; and 'inconclusive' where the data do tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.decay import Sample, exponentials, powers

from scc.configuration import chain, cluster
from scc.errors import InputError
from scc.locality import decide

CHAINS = ("chain", "dimer", "jitter", "1d")


@given(exponentials())
def test_exponential_decay_is_called_algebraic_or_finite(sample):
    """Envelopes scattered by a factor 3 to 10, oscillating, prefactors r^0 … r^−2."""
    assert decide(sample.r, sample.a).kind in ("exponential", "inconclusive")


@given(powers(min_atoms=100))
def test_algebraic_decay_is_called_exponential_or_finite(sample):
    """From 100 atoms on: a verdict at two standard deviations may err on a handful of distances."""
    assert decide(sample.r, sample.a).kind in ("algebraic", "inconclusive")


@given(
    exponentials(
        oscillation=False, scatters=(0.0, 0.1), prefactor_powers=(0.0, 0.5, 1.0), min_atoms=100
    )
)
def test_clear_exponential_decay_is_left_inconclusive(sample):
    verdict = decide(sample.r, sample.a, sample.power)
    assert verdict.kind == "exponential"
    assert verdict.rate == pytest.approx(sample.rate, rel=0.1)
    assert np.isnan(verdict.power)


@given(
    powers(CHAINS, min_atoms=200, scatters=(0.0, 0.1), oscillation=False, min_power=2.0, edge=0.5)
)
def test_clear_algebraic_decay_is_left_inconclusive(sample):
    """Power 2 … 7, near fields, and edges that halve or double it at 3/4 of the diameter."""
    verdict = decide(sample.r, sample.a)
    assert verdict.kind == "algebraic"
    # −d ln (1 − r/D)^q / d ln r = q (r/D) / (1 − r/D): 1/2 on average over the window for q = 1/2.
    assert verdict.power == pytest.approx(sample.power, abs=0.5)
    assert np.isnan(verdict.rate)


def test_inconclusive_is_used_too_often():
    """Fixed draws of everything the strategies vary: at most a fifth, as the claims allow."""
    verdicts = []
    for seed in range(45):
        rng = np.random.default_rng(seed)
        dimension = 1 + seed % 3
        r = cluster((80, 160, 320)[seed % 3], 1.0, rng, dimension=dimension).distances()
        lowest = 10.0 / r.max()
        rate = lowest * (3.0 / lowest) ** rng.uniform()
        a = np.exp(-rate * r + rng.choice([0.1, 0.5, 1.0]) * rng.normal(size=r.shape))
        if seed % 2:
            wave_number = rng.uniform(max(0.25, 4 * np.pi / min(r.max(), 29 / rate)), 3.0)
            a *= np.cos(wave_number * r + rng.uniform(0.0, np.pi)) ** 2
        verdicts.append(decide(r, a).kind)
    assert set(verdicts) <= {"exponential", "inconclusive"}
    assert verdicts.count("inconclusive") <= 9


@given(st.floats(1.0, 6.0), generators(), st.booleans())
def test_alternation_of_species_hides_a_power(power, rng, dimerised):
    """Born charges of the two species differ; r^−1 … r^−6."""
    r = chain(200, (1.0, 1.3) if dimerised else 1.0).distances()
    weight = np.where(np.arange(200) % 2, 1.0, rng.uniform(0.05, 1.0))
    a = np.where(r > 0.0, r, 1.0) ** -power * weight[:, None] * np.sqrt(weight)[None, :]
    verdict = decide(r, a)
    assert verdict.kind == "algebraic"
    assert verdict.power == pytest.approx(power, abs=0.05)


@given(st.floats(0.6, 3.0), st.floats(2.0, 4.0), st.floats(-8.0, 0.0))
def test_algebraic_tail_hides_behind_an_exponential_near_field(rate, power, exponent):
    """What equilibration does: e^{−ηr} at short range, a weak r^−p beyond."""
    r = chain(600).distances()[:1]
    weak = 10.0**exponent
    a = np.exp(-rate * r) + weak * np.where(r > 0.0, r, 1.0) ** -power
    verdict = decide(r, a)
    # The last window tried starts at 1/8 of the range above the noise: the tail must prevail there.
    start = min(0.75 * r.max(), (weak / 3e-14) ** (1.0 / power)) / 8.0
    prevails = np.exp(-rate * start) < 0.03 * weak * start**-power
    assert verdict.kind == "algebraic" if prevails else verdict.kind != "finite"
    if prevails:
        assert verdict.power == pytest.approx(power, abs=0.05)


@given(st.floats(0.6, 3.0), st.floats(1e-5, 1e-3))
def test_constant_plateau_is_called_exponential(rate, plateau):
    """Remark 8: a common shift of the Fermi level reaches every atom; power 0."""
    r = chain(400).distances()[:1]
    verdict = decide(r, np.exp(-rate * r) + plateau)
    assert verdict.kind == "algebraic"
    assert verdict.power == pytest.approx(0.0, abs=0.05)


@given(st.floats(0.5, 3.0), st.floats(-12.5, -8.0), generators())
def test_solver_noise_above_the_floor_is_called_algebraic(rate, exponent, rng):
    """A tolerance the caller forgot to pass leaves a flat tail, which is no decay law."""
    r = chain(300).distances()[:20]
    a = np.exp(-rate * r) + 10.0**exponent * rng.normal(size=r.shape)
    assert decide(r, a).kind in ("inconclusive", "exponential")
    told = decide(r, a, floor=10.0 ** (exponent + 1.0))
    assert told.kind == "exponential" or (told.kind == "inconclusive" and rate > 1.0)


@given(
    st.floats(0.5, 30.0),
    st.sampled_from((0.0, 0.05, 0.3)),
    st.sampled_from((0.0, 1.0, 3.0)),
    st.sampled_from((0.0, 1e-17)),
    generators(),
)
def test_strictly_finite_range_is_called_anything_else(cutoff, rate, power, noise, rng):
    r = chain(60).distances()
    a = np.where(r < cutoff, np.where(r > 0, r, 1.0) ** -power * np.exp(-rate * r), 0.0)
    verdict = decide(r, a + noise * rng.normal(size=r.shape))
    assert verdict.kind == "finite"
    assert verdict.rate == np.inf
    assert verdict.uncertainty == 0.0
    assert verdict.r_range[1] == (np.ceil(cutoff) - 1.0 if cutoff > 1.0 else 0.0)


@given(exponentials(max_atoms=100), st.integers(-100, 100), st.integers(-10, 10))
def test_verdict_depends_on_units(sample, unit, length):
    """Powers of two, so that changing the unit is exact and no pair changes its bin."""
    unit, length = 2.0**unit, 2.0**length
    one, two = decide(sample.r, sample.a), decide(length * sample.r, unit * sample.a)
    assert one.kind == two.kind
    if one.kind == "exponential":
        assert two.rate * length == pytest.approx(one.rate, rel=1e-9)


@given(st.integers(1, 5), st.floats(0.1, 2.0))
def test_few_distances_give_a_verdict(atoms, rate):
    """Fewer than six distances tell nothing about a law."""
    r = chain(atoms + 1).distances()
    assert decide(r, np.exp(-rate * r)).kind == "inconclusive"


@given(exponentials(("chain",), min_atoms=100, max_atoms=100, oscillation=False, scatters=(0.0,)))
def test_given_window_is_not_used(sample):
    verdict = decide(sample.r, sample.a, sample.power, r_range=(2.0, 9.0))
    assert verdict.r_range[0] >= 2.0
    assert verdict.r_range[1] <= 9.0


def test_bad_window_is_let_through():
    r = chain(20).distances()
    for window in ((3.0, 3.0), (-1.0, 3.0), (4.0, 2.0), (np.nan, 2.0)):
        with pytest.raises(InputError, match="r_range"):
            decide(r, np.exp(-r), r_range=window)


def _response(hamiltonian, beta):
    """∂ρ_ℓ/∂v_m = 2 Σ_ij F[λ_i,λ_j] ψ_i(ℓ)ψ_j(ℓ)ψ_i(m)ψ_j(m) at µ = 0, straight from the sum."""
    energies, states = np.linalg.eigh(hamiltonian)
    occupation = (energies < 0) if np.isinf(beta) else 1 / (1 + np.exp(beta * energies))
    gap = np.subtract.outer(energies, energies)
    close = np.abs(gap) < 1e-9
    slope = 0.0 if np.isinf(beta) else -beta * occupation * (1 - occupation)
    divided = np.subtract.outer(occupation * 1.0, occupation * 1.0) / np.where(close, 1.0, gap)
    divided = np.where(close, np.broadcast_to(slope, energies.shape)[:, None], divided)
    pairs = np.einsum("li,lj->lij", states, states).reshape(len(energies), -1)
    return 2 * (pairs * divided.ravel()) @ pairs.T


@pytest.mark.parametrize("beta", [2.0, 4.0, 8.0])
def test_rate_of_a_metallic_chain_differs_from_the_exact_one(beta):
    """Nearest-neighbour chain t = 1 at µ = 0: rate 2 arcsinh(π/2β), within the claim's 0.5 %."""
    size = 120
    hopping = -(np.eye(size, k=1) + np.eye(size, k=-1))
    r = chain(size).distances()
    # Differences of occupations over small gaps: rounding up to β·epsilon, hence the floor.
    verdict = decide(r, _response(hopping, beta), floor=1e-12)
    assert verdict.kind == "exponential"
    assert verdict.rate == pytest.approx(2 * np.arcsinh(np.pi / (2 * beta)), rel=5e-3)


@pytest.mark.parametrize("gap", [0.8, 1.6, 3.2])
def test_rate_of_an_insulating_chain_differs_from_the_exact_one(gap):
    """On-site ±D/2 at β = ∞: 2 arcsinh(D/4) with the prefactor r^{−1/2} fixed, within 3 %."""
    size = 120
    hamiltonian = -(np.eye(size, k=1) + np.eye(size, k=-1))
    hamiltonian += np.diag(0.5 * gap * (-1.0) ** np.arange(size))
    r = chain(size).distances()
    verdict = decide(r, _response(hamiltonian, np.inf), prefactor_power=0.5)
    assert verdict.kind == "exponential"
    assert verdict.rate == pytest.approx(2 * np.arcsinh(gap / 4), rel=0.03)


def test_sample_strategy_makes_something_else_than_it_says():
    """Guards the strategies: an undisturbed sample is its law."""
    r = chain(5).distances()
    assert Sample(r, np.exp(-r), "chain").diameter == 4.0
    assert (Sample(r, r, "chain").safe_r.diagonal() == 1.0).all()
