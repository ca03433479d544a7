"""Claims of Lemmas 12 and 13: they hold, their figures can be drawn, and they can fail."""

import math

import pytest

from scc.claims import lemma_12, lemma_13
from scc.claims._theorem_4_chains import hopping_system
from scc.theory import lemma_12 as statement
from scc.theory._interpolation_error import Contour


def test_resolvent_above_its_bound_passes(monkeypatch):
    chain = hopping_system(4.0, 0.5, 0.0, 40)
    result = lemma_12.measure(chain)
    assert result.holds is True
    assert result.predicted["exponent, sharp"] > 1.9 * result.predicted["exponent, paper"]
    original = statement.bound
    monkeypatch.setattr(statement, "bound", lambda *a: 0.5 * original(*a))
    assert lemma_12.measure(chain).holds is False


@pytest.mark.parametrize("index", [0, 2])
def test_constants_that_do_not_fall_with_the_degree_pass(monkeypatch, index):
    system = lemma_13.systems(False)[index]
    assert lemma_13.measure(system).holds is True
    original = lemma_13.contour_around

    def stale(case, polynomial, share):
        """The contour integral of the lowest degree, for all of them."""
        lowest = lemma_13.interpolant(case, lemma_13.DEGREES[0])
        found = original(case, polynomial, share)
        occupation = original(case, lowest, share).occupation
        return Contour(found.grand_potential, occupation, found.norms, found.denominators)

    monkeypatch.setattr(lemma_13, "contour_around", stale)
    assert lemma_13.measure(system).holds is False


def test_figures_of_the_resolvent_cannot_be_drawn():
    chain = hopping_system(math.inf, 0.0, 1.6, 40)
    results = [lemma_12.measure(chain), lemma_12.measure(lemma_12.systems(False)[2])]
    assert len(lemma_12.draw(results).axes) == 3
    first, *_, last = lemma_13.systems(False)
    results = [lemma_13.measure(first), lemma_13.measure(last)]
    assert len(lemma_13.draw(results).axes) == 4
