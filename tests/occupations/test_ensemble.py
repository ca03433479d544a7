"""The Fermi level: right electron number, right place inside a gap, clear refusals."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies.spectra import inverse_temperatures, powers_of_ten

from scc.errors import InputError
from scc.occupations.ensemble import Canonical, GrandCanonical, fermi_level
from scc.occupations.fermi_dirac import FermiDirac

EPS = np.finfo(np.float64).eps

eigenvalue_lists = st.builds(
    lambda values, scale: np.array(values) * scale,
    st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=30),
    powers_of_ten(-3.0, 2.0),
)


@given(eigenvalue_lists, st.floats(0.0, 1.0), st.booleans(), inverse_temperatures(-2.0, 6.0))
def test_electron_number_at_the_fermi_level_is_wrong(eigenvalues, filling, whole, beta):
    electrons = 2 * eigenvalues.size * filling
    if whole:
        electrons = round(electrons)
    assume(0.0 < electrons < 2 * eigenvalues.size)
    mu = fermi_level(eigenvalues, electrons, beta)
    count = 2.0 * FermiDirac(beta, mu).occupation(eigenvalues).sum()
    # A rounding of µ or λ moves each occupation by up to ε|λ|β/4; µ itself has |µ| < max|λ| + 40/β.
    tolerance = 8 * EPS * eigenvalues.size * (50.0 + beta * np.abs(eigenvalues).max())
    assert abs(count - electrons) <= tolerance


@given(
    st.integers(1, 8),
    st.integers(1, 8),
    st.floats(-5.0, 5.0),
    powers_of_ten(-1.0, 1.0),
    powers_of_ten(2.0, 6.0),
)
def test_fermi_level_drifts_inside_a_wide_gap(filled, empty, top, gap, reduced_gap):
    # Filled levels at one energy, empty ones at another: ε_F = middle + ln(filled/empty)/(2β),
    # though the electron number is flat to e^{-βgap/2} around it.
    beta = reduced_gap / gap
    eigenvalues = np.concatenate([np.full(empty, top + gap), np.full(filled, top)])
    mu = fermi_level(eigenvalues, 2 * filled, beta)
    exact = 0.5 * (top + (top + gap)) + math.log(filled / empty) / (2 * beta)
    correction = math.exp(-0.5 * reduced_gap) * 10.0 / beta
    assert abs(mu - exact) <= correction + 16 * EPS * (abs(top) + gap)


@given(st.integers(1, 8), st.integers(1, 8), powers_of_ten(-12.0, -3.0), st.booleans())
def test_few_holes_or_electrons_do_not_fix_the_level(filled, empty, few, doped):
    # δ pairs missing below a gap of 200/β: filled·(1−F) = δ, so ε_F = top + ln(filled/δ)/β up to
    # a relative δ; and δ pairs too many: the mirror image.
    beta, top, gap = 100.0, -0.3, 2.0
    eigenvalues = np.concatenate([np.full(filled, top), np.full(empty, top + gap)])
    electrons = 2 * filled + (2 * few if doped else -2 * few)
    # What is left of δ in the floating-point number of electrons.
    few = abs(electrons - 2 * filled) / 2
    mu = fermi_level(eigenvalues, electrons, beta)
    if doped:
        exact = top + gap - math.log(empty / few) / beta
    else:
        exact = top + math.log(filled / few) / beta
    assert abs(mu - exact) <= 2 * few / beta + 1e-13


@given(eigenvalue_lists, st.floats(0.0, 1.0))
def test_zero_temperature_level_is_not_in_the_gap(eigenvalues, filling):
    pairs = round(filling * eigenvalues.size)
    ordered = np.sort(eigenvalues)
    inside = 0 < pairs < ordered.size
    if inside and ordered[pairs] - ordered[pairs - 1] < 1e-9:
        ordered[pairs:] += 0.1
        eigenvalues = ordered
    mu = fermi_level(eigenvalues, 2 * pairs, math.inf)
    assert 2.0 * FermiDirac(math.inf, mu).occupation(eigenvalues).sum() == 2 * pairs
    if inside:
        assert mu == pytest.approx(0.5 * (ordered[pairs] + ordered[pairs - 1]), abs=1e-12)


def test_almost_empty_and_almost_full_bands_have_no_level():
    eigenvalues = np.linspace(-1.0, 1.0, 7)
    for electrons in (1e-12, 14.0 - 1e-12):
        mu = fermi_level(eigenvalues, electrons, 10.0)
        occupation = FermiDirac(10.0, mu)
        holes = 2.0 * FermiDirac(10.0, -mu).occupation(-eigenvalues).sum()
        few = 2.0 * occupation.occupation(eigenvalues).sum() if electrons < 1 else holes
        # The few electrons or holes are right, as far as the float 14−1e-12 says how few.
        assert few == pytest.approx(min(electrons, 14.0 - electrons), rel=1e-9)


@pytest.mark.parametrize(
    ("electrons", "beta", "message"),
    [
        (-1, 1.0, "must be >= 0, got -1"),
        (math.nan, 1.0, "must be >= 0, got nan"),
        (7, 1.0, "7 electrons do not fit in 3 states"),
        (8, math.inf, "8 electrons do not fit in 3 states"),
        (0, 1.0, "0 electrons in 3 states have no Fermi level"),
        (6, 1.0, "6 electrons in 3 states have no Fermi level"),
        (3, math.inf, "pairs are required at beta = inf, got 3"),
        (1.5, math.inf, "pairs are required at beta = inf, got 1.5"),
        (2, math.inf, "coincide at -0.5"),
        (2, 0.0, "beta must be in .* got 0.0"),
    ],
)
def test_impossible_filling_is_accepted(electrons, beta, message):
    with pytest.raises(InputError, match=message):
        fermi_level([-0.5, 1.0, -0.5], electrons, beta)


@pytest.mark.parametrize("eigenvalues", [[], [0.0, math.nan], [math.inf]])
def test_bad_eigenvalues_are_accepted(eigenvalues):
    with pytest.raises(InputError, match="finite eigenvalues"):
        fermi_level(eigenvalues, 1.0, 1.0)


def test_ensembles_accept_impossible_values():
    assert Canonical(4).electrons == 4
    assert GrandCanonical(-0.2).chemical_potential == -0.2
    with pytest.raises(InputError, match="got -2"):
        Canonical(-2)
    with pytest.raises(InputError, match="got inf"):
        Canonical(math.inf)
    with pytest.raises(InputError, match="got nan"):
        GrandCanonical(math.nan)
