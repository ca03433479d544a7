"""What the claims suprema and theorem-8-bound would not notice, if they measured badly."""

import dataclasses

import pytest

from scc.bodyorder.suprema import PolynomialErrors, Supremum
from scc.claims import suprema, theorem_8_bound
from scc.claims.claim import System
from scc.theory._newton_kantorovich import NewtonKantorovich


def _small(beta="10", edges=(-1.0, 1.0, 0.1, 0.0, 0.0)):
    return System("a test", {"set": list(edges), "beta": beta, "degrees": [10, 30]})


@pytest.mark.parametrize("factor", [0.95, 1.2])
def test_a_bound_below_the_samples_or_far_above_is_not_noticed(monkeypatch, factor) -> None:
    assert suprema.measure(_small()).holds is True
    whole = suprema.polynomial_errors

    def scaled(polynomial):
        errors = whole(polynomial)
        upper = factor * errors.occupation.upper
        return PolynomialErrors(Supremum(errors.occupation.lower, upper), errors.grand_potential)

    monkeypatch.setattr(suprema, "polynomial_errors", scaled)
    assert suprema.measure(_small()).holds is False


def _chain(beta, gap, spacing):
    parameters = {"kind": "chain", "atoms": 12, "gap": gap, "spacing": spacing, "beta": beta}
    return System("a chain", parameters)


@pytest.mark.parametrize(("beta", "gap", "spacing"), [("6", 0.0, [1.0]), ("inf", 2.0, [1.0, 1.3])])
def test_a_distance_below_the_measured_is_not_noticed(monkeypatch, beta, gap, spacing) -> None:
    system = _chain(beta, gap, spacing)
    result = theorem_8_bound.measure(system)
    assert result.holds is True
    assert result.violated == []
    best = result.measured["largest measured / bound, screened"]
    assert best > 0.01
    whole = NewtonKantorovich.sharper_distance.fget
    monkeypatch.setattr(
        NewtonKantorovich, "sharper_distance", property(lambda s: 0.5 * best * whole(s))
    )
    assert theorem_8_bound.measure(system).holds is False


def test_figures_are_drawn_of_what_is_measured() -> None:
    drawn = suprema.draw([suprema.measure(_small())])
    assert len(drawn.axes) == 2
    chain = theorem_8_bound.measure(_chain("inf", 2.0, [1.0, 1.3]))
    named = dataclasses.replace(chain, description="chain, insulator, beta = inf, M = 80")
    assert len(theorem_8_bound.draw([named]).axes) == 3
