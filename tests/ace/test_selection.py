"""Cross-validation: what is judged was not seen, and tables say what was measured."""

import numpy as np
import pytest

from scc.ace import selection
from scc.ace.density_fit import DensityWeights
from scc.ace.energy_fit import EnergyWeights
from scc.ace.fit import FitSettings
from scc.ace.reference_set import read_reference_set
from scc.ace.selection import TABLES, cross_validate, row
from tests.strategies.water_training import WATER, small_energy, small_form, small_set

SETTINGS = FitSettings(
    small_form(), small_energy(), DensityWeights(steps=1), EnergyWeights(ridge=1e-2)
)


def test_clusters_that_are_judged_were_not_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By trajectory, in every fold of the real set; the fit itself replaced by a notebook."""
    whole = read_reference_set([WATER / "train_first.xyz", WATER / "train.xyz"])
    fitted, judged = [], []

    class Nothing:
        density = energy = None

    def fit(used, settings, seed):
        fitted.append({frame.group for frame in used.frames})
        return Nothing()

    def outcomes(model, frames, mode):
        judged.append({frame.group for frame in frames})
        return []

    monkeypatch.setattr(selection, "fit", fit)
    monkeypatch.setattr(selection, "outcomes", outcomes)
    monkeypatch.setattr(selection, "errors", lambda found: {})
    monkeypatch.setattr(selection, "FittedModel", lambda *parts: None)
    for _, variant in TABLES["learning"]():
        cross_validate(whole, variant, folds=4)
    assert len(fitted) == 12
    for index, groups in enumerate(fitted):
        assert not groups & (judged[2 * index] | judged[2 * index + 1])


def test_errors_are_those_of_the_left_out_clusters() -> None:
    whole = small_set(6)
    found = cross_validate(whole, lambda used: (used, SETTINGS), folds=3, only=1)
    assert len(found.self_consistent) == len(found.teacher_forced) == len(found.seconds) == 1
    assert all(np.isfinite(list(found.self_consistent[0].values())))
    line = row("name", found)
    assert line.count("|") == len(selection.COLUMNS) + 5
    assert f"{found.self_consistent[0]['force_rmse_mev_per_angstrom']:.1f}" in line


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_valid_settings(table: str) -> None:
    whole = small_set(6)
    for name, variant in TABLES[table]():
        used, settings = variant(whole)
        assert name
        assert 0 < len(used) <= len(whole)
        assert isinstance(settings, FitSettings)
