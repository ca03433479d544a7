"""Remark 8's claim: the common shift of the Fermi level, on systems the claim does not draw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators

from scc.claims import remark_8
from scc.claims._gaussian_systems import random_gaussian_case
from scc.claims._onsite_systems import random_case
from scc.claims.claim import System


def random_system(model, rng, beta):
    size = {"dimension": int(rng.integers(1, 4)), "atoms": 14, "seed": int(rng.integers(2**31))}
    if model == "onsite":
        parameters = {"spacing": 1.2, "gap": 1.0, "beta": beta, "disorder": 0.4}
        return random_case({**size, **parameters})
    parameters = {"spacing": 2.0, "contrast": 0.5, "beta": beta, "disorder": 0.2}
    overlap = ["loewdin", "orthonormal"][rng.integers(2)]
    return random_gaussian_case({**size, **parameters, "exponent": 0.6, "overlap": overlap})


@pytest.mark.parametrize("model", ["onsite", "gaussian"])
@given(rng=generators(), beta=st.floats(0.5, 8.0))
def test_shift_not_the_difference_of_the_two_ensembles(model, rng, beta):
    case = random_system(model, rng, beta)
    features, occupation = case.state.features, case.state.occupation
    electrons = case.state.electrons
    canonical = case.model.evaluate(features, occupation, electrons)
    assert canonical.chemical_potential == pytest.approx(case.state.chemical_potential, abs=1e-9)
    unit = np.zeros(features.shape)
    unit[int(rng.integers(len(features)))] = 1.0
    shift = remark_8.common_shift(case, unit)
    local = case.state.populations_jvp(unit)

    difference = canonical.populations_jvp(unit) - local
    assert difference == pytest.approx(shift, abs=1e-8 * np.max(np.abs(shift)) + 1e-13)
    quotient = remark_8._difference_quotient(case.model, features, beta, electrons, unit)
    # Difference quotients: third derivatives are of order β³, the step is 1e-3/β.
    assert quotient - local == pytest.approx(shift, abs=2e-6 * max(1.0, beta))
    assert np.sum(shift + local) == pytest.approx(0.0, abs=1e-11)  # no electron is lost


@pytest.mark.parametrize("model", ["onsite", "gaussian"])
def test_claim_holds_on_short_chains(model):
    parameters = {"model": model, "beta": 4.0, "atoms": [50, 100], "seed": 7, "disorder": 0.05}
    if model == "gaussian":
        parameters |= {"exponent": 0.4, "overlap": "orthonormal"}
    result = remark_8.measure(System("short", parameters))
    assert result.holds, (result.measured, result.predicted)


@pytest.mark.parametrize("factor", [0.5, 0.999, -1.0])
def test_a_wrong_shift_passing(factor, monkeypatch):
    right = remark_8.common_shift
    monkeypatch.setattr(remark_8, "common_shift", lambda *a: factor * right(*a))
    parameters = {"model": "onsite", "beta": 4.0, "atoms": [50, 100], "seed": 7, "disorder": 0.1}
    assert remark_8.measure(System("wrong", parameters)).holds is False


def test_zero_temperature_is_another_statement():
    """At β = ∞ with a gap the ensembles agree; the hypothesis is checked before anything else."""
    parameters = {"model": "onsite", "beta": "inf", "atoms": [20, 40], "seed": 7, "disorder": 0.1}
    result = remark_8.measure(System("cold", parameters))
    assert result.holds is None
    assert result.violated == ["beta < inf"]


def test_figure():
    parameters = {"model": "onsite", "beta": 4.0, "atoms": [50, 100], "seed": 7, "disorder": 0.1}
    result = remark_8.measure(System("short", parameters))
    assert len(remark_8.CLAIM.draw([result]).axes) == 2
    assert len(remark_8.CLAIM.draw([]).axes) == 2
