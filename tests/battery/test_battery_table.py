"""The table: rows are kept and found again, cells are measurements, columns have their tests."""

import json
from pathlib import Path

import pytest

from scc.battery.models import known_names
from scc.battery.properties import PROPERTIES
from scc.battery.table import SIGNS, markdown, module_of, rows, verdicts_of, write_table

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "figures" / "battery_table.json"
QUICK = {"eem", "cent", "qeq", "4g-water", "scfnn-water"}


def verdicts(row):
    return dict(verdicts_of(row)) or row


def measured(folder, names, **options):
    settings = {"workers": 1, "resume": False, "version": "test"} | options
    return {row["model"]: row for row in rows(names, folder, **settings)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("table")
    found = measured(made, ["eem", "no-such-model"])
    write_table(made, list(found.values()))
    return made


def test_a_model_that_cannot_be_checked_is_a_row_with_the_reason(folder):
    table = json.loads((folder / "table.json").read_text())
    assert table[1]["error"].startswith("no model 'no-such-model'")
    assert "not checked: no model 'no-such-model'" in (folder / "table.md").read_text()
    assert len(table[0]["properties"]) == len(PROPERTIES)


def test_finished_rows_of_the_same_code_are_not_measured_again(folder):
    kept = folder / "eem" / "verdicts.json"
    document = json.loads(kept.read_text())
    document["properties"][0]["summary"] = "kept from the first run"
    kept.write_text(json.dumps(document))
    again = measured(folder, ["eem"], resume=True)["eem"]
    assert again["properties"][0]["summary"] == "kept from the first run"
    other = measured(folder, ["eem"], resume=True, version="of other code")["eem"]
    assert other["properties"][0]["summary"] != "kept from the first run"


def test_a_truncated_row_is_measured_again(folder):
    kept = folder / "eem" / "verdicts.json"
    kept.write_text(kept.read_text()[:200])
    row = measured(folder, ["eem"], resume=True)["eem"]
    assert len(row["properties"]) == len(PROPERTIES)


def test_markdown_has_every_cell_and_every_reason():
    entries = [
        {"id": one.id, "verdict": verdict, "summary": f"because {one.id}"}
        for one, verdict in zip(PROPERTIES, ["pass", "fail", "unsupported"] * 4, strict=True)
    ]
    text = markdown([{"model": "mine", "properties": entries}])
    cells = text.splitlines()[2].split("|")[2:-1]
    assert [cell.strip() for cell in cells] == [SIGNS[e["verdict"]] for e in entries]
    for entry in entries:
        assert (f"because {entry['id']}" in text) == (entry["verdict"] != "pass")


@pytest.mark.parametrize("one", PROPERTIES, ids=lambda one: one.id)
def test_every_column_has_its_module_and_its_test(one):
    module = module_of(one)
    assert (ROOT / "scc" / "battery" / f"{module}.py").is_file()
    tests = (ROOT / "tests" / "battery" / f"test_battery_{module}.py").read_text()
    # A subject that passes, and one that is broken in it.
    assert '"pass"' in tests
    assert '"fail"' in tests


def kept_rows():
    return {row["model"]: row for row in json.loads(KEPT.read_text(encoding="utf-8"))}


def test_the_kept_table_has_shipped_models_and_every_property():
    found = kept_rows()
    assert set(found) <= set(known_names())
    assert len(found) >= 8
    for row in found.values():
        assert list(verdicts_of(row)) == [one.id for one in PROPERTIES], row["model"]


def _quick_or_slow(name):
    return name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [_quick_or_slow(name) for name in kept_rows()])
def test_every_cell_of_the_kept_table_is_measured_again(name, tmp_path):
    row = measured(tmp_path, [name])[name]
    if "error" in row and "pip install" in row["error"]:
        pytest.skip(row["error"])
    assert verdicts(row) == verdicts(kept_rows()[name])
