"""The grammar of --over: what it stands for, and one line for everything that is not of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.claims.parameters import Family, Parameter
from scc.errors import InputError
from scc.sweeps.grid import grid, parse

FAMILY = Family(
    parameters=(
        Parameter("M", 20, "atoms", 1, 5000),
        Parameter("beta", math.inf, "1/Hartree", 1e-3, math.inf),
        Parameter("gap", 1.0, "Hartree", -10.0, 10.0),
        Parameter("model", "onsite", "orbitals", choices=("onsite", "loewdin")),
    ),
    system=None,
    quantity="none",
    relation="=",
    numbers=None,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M=20:40:80", {"M": [20, 40, 80]}),
        ("M = 20 : 40 , gap = 1", {"M": [20, 40], "gap": [1.0]}),
        ("M=1..4", {"M": [1, 2, 3, 4]}),
        ("M=1..9+4:20", {"M": [1, 5, 9, 20]}),
        ("M=10..45+10", {"M": [10, 20, 30, 40]}),
        ("beta=1..20*2:inf", {"beta": [1.0, 2.0, 4.0, 8.0, 16.0, math.inf]}),
        ("gap=0.1..0.5+0.1", {"gap": [0.1, 0.2, 0.3, 0.4, 0.5]}),
        ("gap=-0.2..0.2+0.2", {"gap": [-0.2, 0.0, 0.2]}),
        ("gap=1e-2..1*10", {"gap": [0.01, 0.1, 1.0]}),
        ("model=loewdin:onsite", {"model": ["loewdin", "onsite"]}),
    ],
)
def test_lists_and_ranges_stand_for_exactly_these_values(text, expected):
    found = parse(text, FAMILY)
    assert found == expected
    for values in found.values():
        assert [type(value) for value in values] == [type(values[0])] * len(values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("N=3", ["'N'", "M (1…5000)", "model (onsite, loewdin)"]),
        ("M", ["'M'", "NAME=VALUES"]),
        ("M=", ["'M='"]),
        ("", ["''", "NAME=VALUES"]),
        ("M=1,M=2", ["M is there twice"]),
        ("M=3:1..4", ["M: 3 is there twice"]),
        ("beta=2:2.0", ["beta: 2.0 is there twice"]),
        ("M=4..1", ["M: 4..1", "empty"]),
        ("M=1..4+0", ["1..4+0", "never"]),
        ("gap=1..4+-1", ["1..4+-1", "never"]),
        ("gap=1..4*1", ["1..4*1", "never"]),
        ("gap=-1..4*2", ["-1..4*2", "never"]),
        ("beta=1..inf", ["'inf'", "finite"]),
        ("beta=1..nan", ["'nan'", "finite"]),
        ("beta=nan", ["nan", "0.001…inf"]),
        ("gap=1..2+x", ["'x'"]),
        ("M=2.5", ["'2.5'", "whole"]),
        ("M=1..3+0.5", ["'1.5'", "whole"]),
        ("M=0", ["0", "1…5000"]),
        ("M=inf", ["'inf'"]),
        ("gap=11", ["11", "-10…10"]),
        ("gap=1:", ["''"]),
        ("model=pyscf", ["'pyscf'", "onsite, loewdin"]),
        ("gap=0..9+1e-6", ["more than 1000000"]),
    ],
)
def test_what_is_not_of_the_grammar_is_one_line_that_names_it(text, words):
    with pytest.raises(InputError) as caught:
        parse(text, FAMILY)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@given(
    first=st.integers(-5000, 5000),
    step=st.integers(1, 500),
    steps=st.integers(0, 40),
    beyond=st.floats(0.0, 0.99),
    scale=st.integers(0, 6),
)
def test_a_decimal_range_holds_each_step_as_it_would_be_typed_and_nothing_beyond(
    first, step, steps, beyond, scale
):
    """first + k step in decimal, 10^-scale the unit; the end need not be met."""

    def typed(integer):
        sign, digits = "-" * (integer < 0), f"{abs(integer):0{scale + 1}d}"
        return sign + (f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits)

    last = first + steps * step + int(beyond * step)
    family = Family((Parameter("x", 0.0, ""),), None, "", "=", None)
    found = parse(f"x={typed(first)}..{typed(last)}+{typed(step)}", family)
    assert found == {"x": [float(typed(first + k * step)) for k in range(steps + 1)]}


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_a_grid_is_every_combination_once_with_defaults_for_the_rest(sizes):
    names = ["M", "beta", "gap"][: len(sizes)]
    over = {
        name: [1 + k if name == "M" else 1.0 + k for k in range(size)]
        for name, size in zip(names, sizes, strict=True)
    }
    points = grid(over, FAMILY)
    assert len({tuple(point.items()) for point in points}) == len(points) == math.prod(sizes)
    for point in points:
        assert list(point) == ["M", "beta", "gap", "model"]
        assert point["model"] == "onsite"
        assert all(point[name] in over[name] for name in names)


def test_more_systems_than_a_sweep_takes_are_refused_before_they_are_made():
    over = {"M": range(1, 5000), "gap": [0.001 * k for k in range(1000)]}
    with pytest.raises(InputError, match="4999000 systems"):
        grid(over, FAMILY)
