"""The claim on dissociation: it holds, and each of its predictions can fail."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scc.claims import dissociation
from scc.claims._far_fragments import Fragment, atom_in_qeq, charge_at
from scc.models.qeq import published_elements
from scc.units import EV

SYSTEMS = {system.description: system for system in dissociation.systems(False)}
QUICK = ("qeq, Na and Cl", "qeq, H and F", "eem, H2O and CO2")


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_speaks_against_the_claim(name):
    assert dissociation.measure(SYSTEMS[name]).holds is True


@pytest.mark.parametrize(("one", "other"), [("Na", "Cl"), ("Li", "F"), ("Cs", "I")])
def test_the_charge_at_infinity_is_not_the_textbook_one(one, other):
    """(χ_B − χ_A)/(J_A + J_B), and Q(R) = Q∞/(1 − 2/((J_A + J_B)R)) where only charges count."""
    a, b = published_elements()[one], published_elements()[other]
    hardness = (a.hardness + b.hardness) * EV
    limit = (b.chi - a.chi) * EV / hardness
    atoms = atom_in_qeq(one), atom_in_qeq(other)
    assert charge_at(*atoms) == pytest.approx(limit, abs=1e-13)
    assert charge_at(*atoms, 0.01) == pytest.approx(limit / (1.0 - 0.02 / hardness), abs=1e-12)


@pytest.mark.parametrize("factor", [0.5, 1.01])
def test_a_wrong_hardness_is_not_noticed(factor, monkeypatch):
    """The prediction of a model with another hardness: only the approach and the answer tell."""

    def wrong(symbol):
        true = atom_in_qeq(symbol)
        return Fragment(true.potential, lambda q: factor * true.hardness(q), true.energy)

    monkeypatch.setattr(dissociation, "atom_in_qeq", wrong)
    assert dissociation.measure(SYSTEMS["qeq, Na and Cl"]).holds is False


def test_a_wrong_limit_is_not_noticed(monkeypatch):
    monkeypatch.setattr(dissociation, "charge_at", lambda *arguments: charge_at(*arguments) + 1e-6)
    assert dissociation.measure(SYSTEMS["qeq, Li and F"]).holds is False


def test_the_control_holds_without_a_gap(monkeypatch):
    """At finite temperature far fragments of the control exchange charge as well."""
    original = dissociation.EnergyFunctional
    monkeypatch.setattr(
        dissociation, "EnergyFunctional", lambda bound, beta: original(bound, beta=20.0)
    )
    result = dissociation.measure(SYSTEMS["control with a gap: onsite, H2O and CH4"])
    assert abs(result.series["charges"][-1]) > 1e-6
    assert result.holds is not True


def test_the_figure_cannot_be_drawn():
    results = [dissociation.measure(SYSTEMS[name]) for name in QUICK]
    assert isinstance(dissociation.CLAIM.draw(results), Figure)
    assert all(np.all(np.isfinite(result.series["charges"])) for result in results)


def test_the_full_run_forgets_a_halide():
    assert len(dissociation.systems(True)) == 5 * 4 + len(SYSTEMS) - 2


@pytest.mark.parametrize(("one", "other"), [("K", "Br"), ("C", "S"), ("O", "O")])
def test_a_point_of_the_family_speaks_against_the_claim(one, other):
    family = dissociation.CLAIM.family
    result = dissociation.measure(family.system({"A": one, "B": other}))
    if one == other:
        assert result.holds is None
        assert result.violated == ["the fragments differ in electronegativity"]
        return
    assert result.holds is True
    row = family.numbers(result)
    assert row["measured"] == pytest.approx(row["predicted"], abs=1e-9)
    assert row["energy_error"] < 0.0 < row["answer"]
