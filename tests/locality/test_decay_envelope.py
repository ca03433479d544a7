"""Failures hunted: maxima missed or moved, noise kept as signal, bad input let through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.decay import exponentials, powers

from scc.errors import InputError
from scc.locality import envelope

samples = st.one_of(exponentials(max_atoms=100), powers(max_atoms=100))


@given(samples, st.one_of(st.none(), st.integers(1, 1000)))
def test_envelope_has_points_that_are_no_data_or_no_maxima(sample, bins):
    found = envelope(sample.r, sample.a, bins)
    pairs = set(zip(sample.r.ravel(), np.abs(sample.a).ravel(), strict=True))
    assert all(point in pairs for point in zip(found.distance, found.magnitude, strict=True))
    assert (np.diff(found.distance) > 0.0).all()
    assert (found.magnitude > found.floor).all()
    # The overall maximum of the pairs at r > 0 is there, and so is the last value above the floor.
    off_site = sample.r > 0.0
    assert found.magnitude.max() == np.abs(sample.a[off_site]).max()
    reach = sample.r[off_site & (np.abs(sample.a) > found.floor)].max()
    count = 400 if bins is None else bins
    assert found.distance[-1] > reach * (1.0 - 1.0 / count) * (1.0 - 1e-12)
    if found.ends_in_noise:
        assert found.next_distance > reach
    else:
        assert reach == found.largest_distance == sample.diameter


@given(samples, st.integers(1, 200))
def test_a_pair_sticks_out_above_the_maximum_of_its_bin(sample, bins):
    found = envelope(sample.r, sample.a, bins)
    reach = sample.r[(sample.r > 0.0) & (np.abs(sample.a) > found.floor)].max()
    width = reach / bins
    for distance, magnitude in zip(found.distance, found.magnitude, strict=True):
        lower = (np.ceil(distance / width * (1.0 - 1e-12)) - 1.0) * width
        inside = (sample.r > lower * (1.0 + 1e-9)) & (sample.r < (lower + width) * (1.0 - 1e-9))
        assert magnitude >= np.abs(sample.a[inside]).max(initial=0.0)


@given(samples, generators())
def test_order_sign_or_shape_of_the_pairs_matters(sample, rng):
    found = envelope(sample.r, sample.a)
    order = rng.permutation(sample.r.size)
    signs = rng.choice([-1.0, 1.0], size=sample.r.size)
    other = envelope(sample.r.ravel()[order], (sample.a.ravel() * signs)[order])
    assert (found.distance == other.distance).all()
    assert (found.magnitude == other.magnitude).all()


@given(samples, st.sampled_from((1e-12, 1e-6, 1e-2)))
def test_value_below_the_given_floor_is_kept(sample, floor):
    found = envelope(sample.r, sample.a, floor=floor)
    assert (found.magnitude > floor).all()
    assert found.floor == floor
    assert (
        found.ends_in_noise == (np.abs(sample.a[sample.r >= found.largest_distance]) <= floor).all()
    )


@given(exponentials(min_atoms=100, max_atoms=200, geometries=("chain",), scatters=(0.0,), least=60))
def test_rounding_noise_is_taken_for_signal(sample):
    """e^{−60} is far below rounding: the envelope must end where the true law meets the floor."""
    found = envelope(sample.r, sample.a)
    assert found.ends_in_noise
    assert np.exp(-sample.rate * found.distance[-1]) * found.distance[-1] ** -sample.power > (
        0.9 * found.floor
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, 2.0], [1.0]), "(2,) distances but (1,) magnitudes"),
        (([], []), "at least one pair"),
        (([0.0], [1.0]), "positive distance"),
        (([1.0, np.nan], [1.0, 1.0]), "pair 1: distance = nan"),
        (([1.0, 2.0], [1.0, np.inf]), "pair 1: magnitude = inf"),
        (([1.0, -2.0], [1.0, 1.0]), "pair 1: negative distance -2.0"),
        (([1.0], [1.0], 0), "number of bins must be positive"),
        (([1.0], [1.0], [1.0, 1.0]), "two increasing numbers"),
        (([1.0], [1.0], [1.0]), "two increasing numbers"),
        (([1.0], [1.0], None, np.nan), "noise floor"),
        (([1.0], [1.0], None, -1.0), "noise floor"),
    ],
)
def test_malformed_pairs_are_let_through_or_crash(arguments, words):
    with pytest.raises(InputError) as caught:
        envelope(*arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_explicit_edges_are_ignored():
    r, a = np.arange(1.0, 11.0), np.exp(-np.arange(1.0, 11.0))
    found = envelope(r, a, bins=np.array([1.5, 4.5, 8.5]))
    assert found.distance.tolist() == [2.0, 5.0]
