"""What the claim theorem-8-gaussian-bound would not notice, if it measured badly."""

import pytest

from scc.claims import theorem_8_gaussian_bound as claim
from scc.theory._newton_kantorovich import NewtonKantorovich


@pytest.mark.parametrize("index", [0, 1])
def test_a_distance_below_the_measured_is_not_noticed(monkeypatch, index) -> None:
    system = claim.systems(False)[index]
    result = claim.measure(system)
    assert result.holds is True
    best = result.measured["largest measured / bound"]
    whole = NewtonKantorovich.sharper_distance.fget
    monkeypatch.setattr(
        NewtonKantorovich, "sharper_distance", property(lambda s: 0.3 * best * whole(s))
    )
    assert claim.measure(system).holds is False


def test_the_figure_shows_curves_and_shares() -> None:
    systems = claim.systems(False)
    drawn = claim.draw([claim.measure(s) for s in [*systems[:4], systems[-1]]])
    errors, _, shares = drawn.axes
    assert len(errors.lines) == 7
    assert len(shares.patches) == 12
