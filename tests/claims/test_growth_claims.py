"""Claims remark-10 and remark-11 on systems small enough for a test, and made to fail."""

from dataclasses import replace

import numpy as np
import pytest

from scc.claims import remark_10, remark_11
from scc.claims.claim import System


def _small(system: System, **changes) -> System:
    return replace(system, parameters={**system.parameters, **changes})


def _find(claim, words: str) -> System:
    (found,) = [s for s in claim.systems(False) if words in s.description]
    return found


@pytest.fixture(scope="module")
def chain():
    system = _find(remark_11.CLAIM, "on-site, insulating chain")
    return _small(system, lengths=[20, 40, 80, 160, 320], solved=[20])


def test_insulating_chain_grows_like_its_line_charge(chain) -> None:
    result = remark_11.CLAIM.measure(chain)
    assert result.holds
    name = "growth of v in the middle per ln M [Ha]"
    assert result.measured[name] == pytest.approx(result.predicted[name], rel=0.02)
    # The calibrated polynomial is what the plain one is not.
    assert result.measured["exponent of |v_N - v*| ~ M^p"]["E2"] < 0.02
    assert result.measured["exponent of |v_N - v*| ~ M^p"]["plain"] > 0.15


def test_a_wrong_law_of_growth_fails_the_claim(chain, monkeypatch) -> None:
    monkeypatch.setattr(remark_11, "PREDICTED", {1: 0.5, 2: 1.0, 3: 1.0})
    assert remark_11.CLAIM.measure(chain).holds is False


def test_growth_of_an_insulator_fails_the_claim_of_no_growth() -> None:
    """β = 5 on a chain with a gap of 40/β: F_N's charge is hardly screened."""
    system = _find(remark_11.CLAIM, "metallic chain")
    system = _small(system, gap=8.0, lengths=[20, 40, 80, 160], solved=[], degree=20)
    result = remark_11.CLAIM.measure(system)
    assert result.measured["exponent of |v_N - v*| ~ M^p"]["plain"] > remark_11.EXPONENT
    assert result.holds is False


def test_the_figures_are_drawn_from_whatever_was_measured(chain) -> None:
    result = remark_11.CLAIM.measure(chain)
    assert len(remark_11.draw([result]).axes) == 3
    body = remark_10.CLAIM.measure(_find(remark_10.CLAIM, "body order"))
    assert len(remark_10.draw([body]).axes) == 1


def test_body_order_of_the_fermi_level_has_no_end() -> None:
    result = remark_10.CLAIM.measure(_find(remark_10.CLAIM, "body order"))
    assert result.holds
    last = result.hypotheses["degree of F_N"]
    assert np.all(result.series["fixed"][last:] < 1e-12)
    assert np.all(result.series["canonical"][last:] > 1e-3)
