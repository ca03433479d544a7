"""Falsehoods that are no changed number: other words, other keys, other orders, other JSON."""

import copy
import json
import math
from functools import cache

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import gaussian_certificates as made
from strategies.certificates import Small

from scc.certify import RefusedError, certify, load
from scc.certify.certificate import Certificate, checksum
from scc.certify.check_algebra import ArbMat, fermi, row_norm
from scc.certify.check_solution import Spectrum
from scc.certify.decimals import ball
from scc.certify.gaussian.check_interaction import boys
from scc.certify.gaussian.check_solution import norm
from scc.certify.gaussian.check_spectrum import Diagonal
from scc.errors import InputError


@cache
def onsite(beta=math.inf, degree=None):
    return certify(Small(1, 4, 1, 1.0, 0.2, 0.5, 1.0, beta, None, False).equilibrium(), degree)


@cache
def gaussian():
    return made.certificate(made.hydrogen_chain(2), degree=16, beta=5.0)


def changed(certificate, path, value):
    """With ``value`` at ``path``, and a checksum that belongs to it."""
    document = copy.deepcopy(certificate.document)
    node = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return Certificate({**document, "checksum": checksum(document)})


@pytest.mark.parametrize("beta", [20.0, math.inf])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("distance",), {"infinity": ["77", "0"], "2": ["77", "0"]}),  # without a polynomial
        (("conventions",), ["Rydberg units; forces are the derivative of the energy."]),
        (("input", "cell"), [["9", "0", "0"], ["0", "9", "0"], ["0", "0", "9"]]),
        (("input", "species"), "NaCl"),
        (("input", "ensemble", "spin"), "1"),
        (("input", "parameters", "field"), ["1", "0", "0"]),
        (("input", "parameters", "hamiltonian", "overlap"), "1"),
        (("input", "parameters", "hamiltonian", "levels"), "0000"),
        (("input", "parameters", "hamiltonian", "levels"), ["-0.5", "0.5", "-0.5", "0.5", "0.5"]),
        (("input", "parameters", "hamiltonian", "hopping", "formula"), "0"),
        (("input", "parameters", "hamiltonian", "hopping", "angle"), "0"),
        (("input", "positions", 0), "000"),
        (("exact", "centre"), "0000"),
    ],
)
def test_what_would_mean_another_problem_is_refused_on_site(beta, path, value):
    with pytest.raises(RefusedError):
        changed(onsite(beta), path, value).check()


def test_a_distance_in_a_norm_nobody_computed_is_refused():
    certificate = onsite(20.0, 24)
    certificate.check()
    with pytest.raises(RefusedError, match="norms"):
        changed(certificate, ("distance", "1"), ["77", "0"]).check()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("input", "parameters", "shells_of_atom"), [0, -1]),
        (("input", "parameters", "shells_of_atom"), [0, False]),
        (("input", "parameters", "nuclear_charges"), "11"),
        (("input", "positions", 0), "000"),
        (("input", "species"), "HH"),
    ],
)
def test_inputs_that_python_alone_can_read_are_refused(path, value):
    gaussian().check()
    with pytest.raises(RefusedError, match=r"list|shells_of_atom"):
        changed(gaussian(), path, value).check()


def all_filled(levels):
    """Atoms without hopping and without charge: v = 0, and the levels are the given ones."""
    sites, document = len(levels), copy.deepcopy(onsite().document)
    hopping = {"kind": "constant", "formula": "-t for r < cutoff, else 0", "t": "1", "cutoff": "2"}
    document["input"] |= {
        "species": ["Na"] * sites,
        "positions": [[str(3 * k), "0", "0"] for k in range(sites)],
        "ensemble": {"kind": "canonical", "electrons": str(2 * sites)},
        "parameters": {
            "widths": ["0.5"] * sites,
            "nuclear_charges": ["2"] * sites,
            "hamiltonian": {"kind": "s orbitals", "levels": levels, "hopping": hopping},
        },
    }
    with flint.ctx.workprec(300):
        own = 4 / (flint.arb("0.5") * flint.arb.pi().sqrt())
        energy = sum((2 * ball(level) - own / 2 for level in levels), flint.arb(0))
        middle = energy.str(60, radius=False)
    nothing = ["0", "1e-40"]
    document["exact"] |= {
        "centre": ["0"] * sites,
        "existence_radius": "1e-60",
        "constants": {"inverse": "4", "lipschitz": "0"},
        "enclosures": {
            "energy": [middle, "1e-40"],
            "charges": [nothing] * sites,
            "electrons": [str(2 * sites), "1e-40"],
            "eigenvalues": [[level, "1e-40"] for level in levels],
            "gap": None,
            "forces": [[nothing] * 3] * sites,
        },
    }
    return Certificate(document)


def test_levels_out_of_order_below_float64_are_refused():
    """The lowest level is not 1 + 1e-25 where another one is 1."""
    near, one, two = "1.0000000000000000000000001", "1", "2"
    all_filled([one, near, two]).check()
    with pytest.raises(RefusedError, match="eigenvalues 0"):
        all_filled([near, one, two]).check()


@given(st.permutations(range(6)), st.integers(60, 90))
def test_levels_that_differ_below_float64_ascend_in_both_checkers(order, places):
    with flint.ctx.workprec(256):
        tiny = flint.arb(2) ** -places
        H = ArbMat([[1 + order[i] * tiny if i == j else 0 for j in range(6)] for i in range(6)])
        for levels in (Spectrum(H).levels, Diagonal(H).levels):
            for k, level in enumerate(levels):
                assert abs(level - 1 - k * tiny) < tiny / 4


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=6), st.data())
def test_ascending_levels_lie_in_the_balls_of_a_diagonal_matrix(middles, data):
    """A wide ball next to a narrow one: which of the two levels is the lower one is not known."""
    radii = data.draw(st.lists(st.floats(0.0, 2.0), min_size=len(middles), max_size=len(middles)))
    signs = data.draw(st.lists(st.floats(-1.0, 1.0), min_size=len(middles), max_size=len(middles)))
    n = range(len(middles))
    H = ArbMat([[flint.arb(middles[i], radii[i]) if i == j else 0 for j in n] for i in n])
    true = np.sort(np.array(middles) + np.array(radii) * np.array(signs))
    found = Diagonal(H)
    for level, value in zip(found.levels, true, strict=True):
        assert abs(level - float(value)).lower() <= found.error + 1e-15


@given(st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(0.0, 1.0)), max_size=4))
def test_the_distance_of_two_solutions_holds_at_every_point_of_the_balls(parts):
    found = norm([flint.arb(middle, radius) for middle, radius in parts])
    for sign in (-1.0, 0.0, 1.0):
        length = math.hypot(*(middle + sign * radius for middle, radius in parts))
        assert found.lower() - 1e-15 <= length <= found.upper() + 1e-15


def test_radii_on_the_diagonal_widen_the_trace():
    """2 Σ G(x) of a diagonal matrix moves to first order in x: by 2F(x) δ."""
    delta = 1e-9
    H = ArbMat([[flint.arb(-50.0, delta), 0], [0, flint.arb(-49.0, delta)]])
    assert Spectrum(H).trace_error(flint.arb(0)) >= 4 * delta


def test_no_norm_is_found_where_a_row_is_not_a_number():
    for bad in (flint.arb("nan"), flint.arb("inf")):
        with pytest.raises(RefusedError, match="finite"):
            row_norm(ArbMat([[1, 0], [0, bad]]))
    with pytest.raises(RefusedError, match="finite"):  # no endless halving
        fermi(ArbMat([[flint.arb(0, "inf")]]), flint.arb(1), flint.arb(0))


def test_an_integral_of_a_wide_argument_is_refused_and_not_summed_for_ever():
    with pytest.raises(RefusedError, match="hardly known"):
        boys(2, flint.arb(1, "1e300"))
    for exponent in ("1e390", "-1e390"):
        with pytest.raises(RefusedError):
            changed(gaussian(), ("input", "positions", 0, 0), exponent).check()


def test_a_key_given_twice_is_refused(tmp_path):
    """Readers disagree which of the two counts; the checksum is of the last one."""
    path = tmp_path / "cert.json"
    text = json.dumps(onsite().document)
    path.write_text(text.replace('"energy":', '"energy": ["-77", "0"], "energy":', 1))
    with pytest.raises(InputError, match="'energy' is there twice"):
        load(path)


@pytest.mark.parametrize("text", ["1_0", "١٢", " 1", "1\n", "1e401", "1e-401", "Infinity", "sNaN"])
def test_decimals_that_others_would_not_read_are_refused(text):
    with pytest.raises(InputError):
        ball(text)


@pytest.mark.parametrize("make", [onsite, gaussian])
def test_unknown_keys_are_named_in_one_line(make):
    for path in ((), ("exact",), ("input",), ("exact", "enclosures")):
        with pytest.raises(RefusedError) as refused:
            changed(make(), (*path, "a\nb\ud800"), "1").check()
        assert "\n" not in str(refused.value)
        assert str(refused.value).isprintable()
