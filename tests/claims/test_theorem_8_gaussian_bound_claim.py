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


def test_constants_on_chains_do_not_grow_but_for_the_kernel() -> None:
    """Doubling M changes c_stab and w by less than a tenth; ‖J(1)‖ grows as a Coulomb sum."""
    results = [
        claim.measure(s) for s in claim.systems(False) if s.parameters.get("kind") == "chain"
    ]
    assert all(result.holds for result in results)
    half, whole = results[-2].measured, results[-1].measured
    for name in ("c_stab [Ha/electron]", "norm of sum |W|"):
        assert whole[name] < 1.1 * half[name]
    growth = whole["norm of J(1) [Ha/electron]"] / half["norm of J(1) [Ha/electron]"]
    assert 1.1 < growth < 1.5


def test_the_figure_shows_curves_and_shares() -> None:
    systems = claim.systems(False)
    drawn = claim.draw([claim.measure(s) for s in [*systems[:6], systems[-1]]])
    errors, _, shares, constants = drawn.axes
    assert len(constants.lines) == 5
    assert len(errors.lines) == 7
    assert len(shares.patches) == 12
