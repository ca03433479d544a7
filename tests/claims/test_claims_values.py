"""Verdicts and JSON values of claims."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.json_like import mappings

from scc.claims.claim import ClaimResult, System
from scc.json_values import plain

flags = st.sampled_from([True, False, np.True_, np.False_])


def nulls_and_reasons(value, inside=0):
    """(number of nulls, number of entries that explain one) anywhere in a JSON value."""
    if isinstance(value, dict):
        pairs = [nulls_and_reasons(entry) for entry in value.values()]
        explained = sum(f"{name} is null" in value for name in value)
        return sum(p[0] for p in pairs), explained + sum(p[1] for p in pairs)
    if isinstance(value, list):
        pairs = [nulls_and_reasons(entry) for entry in value]
        return sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    return int(value is None), 0


@given(mappings)
def test_any_values_are_json_without_nan_and_survive_the_round_trip(mapping):
    converted = plain(mapping)
    text = json.dumps(converted, allow_nan=False)
    assert json.loads(text) == converted
    assert plain(converted) == converted  # what comes back from disk is left alone


@given(st.lists(st.floats(), min_size=1, max_size=9))
def test_a_null_without_its_reason(numbers):
    converted = plain({"x": numbers, "deep": {"y": tuple(numbers)}})
    bad = sum(not math.isfinite(number) for number in numbers)
    for value, name in ((converted, "x"), (converted["deep"], "y")):
        assert value[name].count(None) == bad
        assert (f"{name} is null" in value) == (bad > 0)
        kept = [number for number in value[name] if number is not None]
        assert kept == [number for number in numbers if math.isfinite(number)]


def test_reasons_name_the_number_and_its_place():
    converted = plain({"beta": math.inf, "rates": np.array([1.0, math.nan, -math.inf])})
    assert converted["beta"] is None
    assert converted["beta is null"] == "infinity"
    assert converted["rates is null"] == "[1] not a number, [2] -infinity"


@pytest.mark.parametrize("value", [object(), 1j, {1, 2}, b"bytes", np.array([None])])
def test_a_value_json_cannot_hold_is_named(value):
    if isinstance(value, np.ndarray):
        assert plain({"x": value}) == {"x": [None]}  # None is JSON's null
        return
    with pytest.raises(TypeError, match=r"rate\[1\] is a "):
        plain({"rate": [0.5, value]})


@given(st.dictionaries(st.text(max_size=3), flags | st.text() | st.floats()), flags, flags)
def test_a_violated_hypothesis_counts_only_for_a_counterexample(hypotheses, holds, counterexample):
    system = System("s", {}, counterexample=bool(counterexample))
    result = system.result(hypotheses=hypotheses, measured={}, predicted={}, holds=holds)
    violated = [
        name
        for name, value in hypotheses.items()
        if isinstance(value, bool | np.bool_) and not value
    ]
    assert result.violated == violated
    assert result.holds is (None if violated and not counterexample else bool(holds))
    assert ("violated" in result.verdict) == (result.holds is None)


@given(st.lists(st.sampled_from([True, False, None]), max_size=6))
def test_a_claim_holds_when_something_speaks_for_it_and_nothing_against(verdicts):
    systems = tuple(
        System("s", {}).result(hypotheses={}, measured={}, predicted={}, holds=verdict)
        for verdict in verdicts
    )
    claim = ClaimResult("id", "statement", "source", 0.0, systems)
    assert claim.holds == (
        any(v is True for v in verdicts) and all(v is not False for v in verdicts)
    )
