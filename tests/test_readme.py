"""The README says nothing that does not run."""

import json
import math
import re
from pathlib import Path

import pytest

from scc.ace.evaluation import errors, self_consistent, teacher_forced
from scc.ace.reference_set import read_reference_set
from scc.ace.registry import fitted_model
from scc.claims.registry import get_claim, known_ids

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_examples_run_as_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    equilibration, electrostatics, water = blocks
    namespace: dict[str, object] = {}
    exec(compile(equilibration, "README.md", "exec"), namespace)
    assert namespace["equilibrium"].converged  # type: ignore[attr-defined]
    namespace = {}
    exec(compile(electrostatics, "README.md", "exec"), namespace)
    assert namespace["v"].shape == (64, 8)  # type: ignore[attr-defined]
    namespace = {}
    exec(compile(water, "README.md", "exec"), namespace)
    assert namespace["atoms"].calc.prediction.stable  # type: ignore[attr-defined]


def test_errors_of_the_water_model_are_those_printed() -> None:
    frames = read_reference_set([ROOT / "data" / "water" / "test.xyz"]).frames
    assert f"{len(frames)} test clusters" in README
    model = fitted_model("water")
    columns = [errors(way(model, frame) for frame in frames) for way in _WAYS]
    for row, keys in _ERRORS_OF_WATER.items():
        printed = re.search(rf"^\| {re.escape(row)} \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
        assert printed is not None, row
        for cell, found in zip(printed.groups(), columns, strict=True):
            for text, key in zip(cell.split(", "), keys, strict=True):
                # Half a unit of the last digit that is printed, and a little for other libraries.
                unit = 10.0 ** -len(text.partition(".")[2])
                assert text == "–" or abs(float(text) - found[key]) <= 0.6 * unit, (row, found[key])


def test_table_names_every_claim_and_no_other() -> None:
    assert set(re.findall(r"^\| `([a-z0-9-]+)`", README, re.MULTILINE)) == set(known_ids())


_WAYS = (teacher_forced, self_consistent)
_ERRORS_OF_WATER = {
    "energy, meV per molecule": ["energy_rmse_mev_per_molecule"],
    "forces, meV/Å": ["force_rmse_mev_per_angstrom"],
    "charges, dipoles, quadrupoles, % of their spread": [
        f"{name}_rmse_percent" for name in ("charge", "dipole", "quadrupole")
    ],
    "total dipole, e·bohr": ["total_dipole_rmse_e_bohr"],
    "most density builds and linearised applications, to 1e-8": ["scf_iterations_max"],
}

_ROW = r"^\| `([a-z0-9-]+)` \| [^|]* \| ([0-9.]+) \| ([0-9.e]+) \|$"
LOOSENESS = re.findall(_ROW, README, re.MULTILINE)


def test_looseness_is_read_from_the_table() -> None:
    assert len(LOOSENESS) == 20


@pytest.mark.parametrize(("claim_id", "tightest", "loosest"), LOOSENESS)
def test_looseness_is_another(claim_id: str, tightest: str, loosest: str) -> None:
    """Of the tightest quantity to its two digits; of the loosest, whose smallest ratio may be where
    a measurement just stands clear of its rounding, within a factor of 1.5."""
    claim = get_claim(claim_id)
    ratios: dict[str, float] = {}
    for system in claim.systems(False):
        for quantity, ratio in claim.measure(system).measured.get("bound / measured", {}).items():
            ratios[quantity] = min(ratio, ratios.get(quantity, math.inf))
    assert float(tightest) == pytest.approx(min(ratios.values()), rel=0.05)
    assert 1.0 / 1.5 <= float(loosest) / max(ratios.values()) <= 1.5


def test_forces_of_the_trained_schemes_are_those_kept() -> None:
    kept = json.loads((ROOT / "scc" / "schemes" / "errors.json").read_text(encoding="utf-8"))
    pattern = (
        r"forces off by (\d+) \(BpopNN-like\), (\d+) \(4G-HDNNP-like\), (\d+) .* and (\d+) meV"
    )
    found = re.search(pattern, README)
    assert found is not None
    names = ("bpopnn-water", "4g-water", "scfnn-water", "water")
    for name, printed in zip(names, found.groups(), strict=True):
        assert round(kept[name]["force_rmse_mev_per_angstrom"]) == int(printed), name


def test_water_clusters_are_counted() -> None:
    files = [ROOT / "data" / "water" / f"{name}.xyz" for name in ("train_first", "train", "test")]
    count = len(read_reference_set(files).frames)
    assert f"multipoles of {count} water clusters" in README


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
