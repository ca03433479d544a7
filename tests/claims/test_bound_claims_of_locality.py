"""What the claims of Lemmas 9 and 10, Theorem 5 and the orthogonalisation would not notice."""

import numpy as np
import pytest

from scc.claims import lemma_9, lemma_10, orthogonalisation, theorem_5_bound
from scc.claims.tasks import measure_system
from scc.theory import lemma_9 as lemma_9_bounds
from scc.theory._orthogonalised_expansion import OrthogonalisedExpansion


@pytest.mark.parametrize("module", [lemma_9, lemma_10, theorem_5_bound])
def test_figure_needs_all_systems(module) -> None:
    systems = module.CLAIM.systems(False)
    results = [measure_system(module.CLAIM.measure, system) for system in systems[2:4]]
    for result in results:
        assert result.holds is True, result.error or result.measured
    for chosen in (results, []):
        assert module.CLAIM.draw(chosen).axes


def test_a_violated_bound_holds(monkeypatch) -> None:
    monkeypatch.setattr(lemma_9_bounds, "sum_bound", lambda *_: np.array(1e-30))
    assert lemma_9.measure(lemma_9.CLAIM.systems(False)[0]).holds is False


def _cases(kind, spacing):
    return [
        system
        for system in orthogonalisation.CLAIM.systems(False)
        if system.parameters["kind"] == kind and system.parameters["spacing"] == spacing
    ]


def test_orthogonalised_terms_end(monkeypatch) -> None:
    """The claim resolves them beyond n = 2N, and a bound a hundred times smaller fails."""
    system = _cases("body order", 2.6)[0]
    small = type(system)(system.description, {**system.parameters, "atoms": 7})
    result = orthogonalisation.measure(small)
    assert result.holds is True
    series = result.series
    assert np.all(series["largest"][1:] > 10.0 * series["rounding"][1:])
    true = OrthogonalisedExpansion.bound
    monkeypatch.setattr(
        OrthogonalisedExpansion, "bound", lambda self, *args: 0.01 * true(self, *args)
    )
    assert orthogonalisation.measure(small).holds is False


def test_rates_of_another_spacing_hold(monkeypatch) -> None:
    system = _cases("locality", 2.4)[0]
    small = type(system)(system.description, {**system.parameters, "atoms": 40})
    result = orthogonalisation.measure(small)
    assert result.holds is True, result.measured
    assert orthogonalisation.draw([result]).axes
    original = orthogonalisation.inverse_root_rate
    monkeypatch.setattr(
        orthogonalisation, "inverse_root_rate", lambda *args: 1.05 * original(*args)
    )
    assert orthogonalisation.measure(small).holds is False
