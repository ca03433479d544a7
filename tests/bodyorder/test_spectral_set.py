"""Spectral sets: endpoints, distances, and refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.spectra import spectral_sets

from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.errors import InputError


@given(st.integers(1, 2).flatmap(spectral_sets), st.integers(2, 50))
def test_sample_leaves_the_set_or_misses_endpoints(X, points):
    sample = X.sample(points)
    assert sample.size == points * len(X.intervals)
    assert np.all(X.distance(sample) == 0.0)
    assert {endpoint for interval in X.intervals for endpoint in interval} <= set(sample)


@given(spectral_sets(2), st.floats(-20.0, 20.0))
def test_distance_ignores_the_gap(X, x):
    endpoints = [abs(x - endpoint) for interval in X.intervals for endpoint in interval]
    inside = any(low <= x <= high for low, high in X.intervals)
    assert X.distance(x) == (0.0 if inside else min(endpoints))


def test_gaps_around_the_chemical_potential_are_swapped():
    X = spectral_set(-2.0, 3.0, 0.5, gap_below=0.25, gap_above=0.75)
    assert X.intervals == ((-2.0, 0.25), (1.25, 3.0))
    assert X.gap == (0.25, 1.25)
    assert (X.lower, X.upper) == (-2.0, 3.0)
    assert spectral_set(-2.0, 3.0, 0.5).intervals == ((-2.0, 3.0),)
    assert spectral_set(-2.0, 3.0, 0.5).gap is None


@pytest.mark.parametrize(
    "intervals",
    [
        (),
        ((0.0, 0.0),),
        ((1.0, 0.0),),
        ((0.0, math.nan),),
        ((0.0, math.inf),),
        ((0.0, 1.0), (1.0, 2.0)),
        ((0.0, 1.0), (0.5, 2.0)),
        ((0.0, 1.0), (2.0, 3.0), (4.0, 5.0)),
    ],
)
def test_impossible_set_is_accepted(intervals):
    with pytest.raises(InputError):
        SpectralSet(intervals)


def test_impossible_gap_is_accepted():
    with pytest.raises(InputError, match=r"got -0\.1 and 0\.2"):
        spectral_set(-1.0, 1.0, 0.0, -0.1, 0.2)
    with pytest.raises(InputError, match="increasing"):
        spectral_set(-1.0, 1.0, -0.9, 0.2, 0.2)
