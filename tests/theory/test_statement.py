"""A check can fail: for one entry above its bound; numbers that mean nothing are refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.theory.statement import Check, joined, satisfied, violations

sizes = st.floats(1e-12, 1e6)


@given(bound=sizes, excess=st.floats(1.0 + 1e-9, 1e3), others=st.integers(0, 5))
def test_one_entry_above_its_bound_is_a_violation(bound, excess, others) -> None:
    measured = np.append(np.full(others, 0.5 * bound), excess * bound)
    check = Check.of("x", measured, bound)
    assert not check.holds
    assert check.worst == pytest.approx(excess)
    assert len(violations([Check.of("y", 0.0, 0.0), check])) == 1


@given(measured=sizes, share=st.floats(0.0, 1.0))
def test_rounding_is_allowed_and_no_more(measured, share) -> None:
    bound = share * measured
    assert Check.of("x", measured, bound, 1.000001 * (measured - bound) + 1e-300).holds
    if share < 0.99:
        assert not Check.of("x", measured, bound, 0.9 * (measured - bound)).holds


def test_numbers_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="measurement is not finite"):
        Check.of("x", [1.0, math.nan], 2.0)
    with pytest.raises(ValueError, match="bound is NaN"):
        Check.of("x", 1.0, math.nan)
    with pytest.raises(ValueError, match="rounding"):
        Check.of("x", [1.0, 2.0], [math.inf, 3.0], math.inf)
    with pytest.raises(ValueError, match="rounding"):
        Check.of("x", 1.0, 2.0, -1e-9)
    assert Check.of("x", 1.0, math.inf, math.inf).holds


@given(parts=st.lists(st.tuples(st.lists(sizes, min_size=1, max_size=4), sizes, sizes), min_size=1))
def test_putting_parts_together_loses_no_entry_and_mixes_none(parts) -> None:
    """The whole is violated where a part is, and each entry keeps its own bound and rounding."""
    (whole,) = joined({"x": [(np.array(values), b, r) for values, b, r in parts]})
    assert whole.holds == all(Check.of("x", *part).holds for part in parts)
    assert whole.worst == max(Check.of("x", *part).worst for part in parts)
    assert whole.measured.shape == (sum(len(values) for values, _, _ in parts),)


def test_an_infinite_bound_holds_and_says_nothing() -> None:
    check = Check.of("x", 3.0, math.inf)
    assert check.holds
    assert check.worst == 0.0


def test_looseness_looks_at_entries_clear_of_rounding_only() -> None:
    assert Check.of("x", [1e-16, 2.0], [1.0, 5.0], 1e-15).looseness == 2.5
    assert math.isnan(Check.of("x", 1e-16, 1.0, 1e-15).looseness)
    assert Check.of("x", 5e-324, 1.0).looseness == math.inf


def test_a_number_is_a_fact_and_only_false_a_violation() -> None:
    assert satisfied({"gap": 0.0, "is a chain": True})
    assert not satisfied({"gap": 0.1, "is a chain": False})
