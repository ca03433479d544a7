"""The runner: verdicts on disk, failures that stay where they are, parallel runs, resuming."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scc.claims
from scc.claims import registry, store
from scc.claims.claim import Claim, System
from scc.claims.runner import verify
from scc.claims.store import Store
from scc.claims.tasks import measure_system
from scc.errors import InputError

TOYS = Path(__file__).parent / "toys"


@pytest.fixture
def toys(monkeypatch):
    """``toys(name)`` is a claim of the folder toys, importable by workers as well."""
    monkeypatch.syspath_prepend(str(TOYS))
    return lambda name: importlib.import_module(name).CLAIM


@pytest.fixture
def toy_path(monkeypatch):
    """The registry finds the toys among the claims of scc."""

    def use(folder):
        monkeypatch.setattr(scc.claims, "__path__", [*scc.claims.__path__, str(folder)])

    return use


def claims_of(out):
    def refuse(constant):
        raise AssertionError(f"{constant} in claims.json")

    return json.loads((out / "claims.json").read_text(), parse_constant=refuse)["claims"]


def timeless(results):
    return [
        replace(
            result,
            seconds=0.0,
            systems=tuple(replace(system, seconds=0.0, series={}) for system in result.systems),
        )
        for result in results
    ]


def test_claims_json_has_exactly_the_documented_entries(toys, tmp_path):
    results = verify([toys("toy_holds"), toys("toy_fails")], out=tmp_path)
    document = claims_of(tmp_path)
    assert set(json.loads((tmp_path / "claims.json").read_text())) == {"claims"}
    assert [claim["id"] for claim in document] == ["toy-holds", "toy-fails"]
    assert [claim["holds"] for claim in document] == [True, False] == [r.holds for r in results]
    for claim in document:
        assert set(claim) == {"id", "statement", "source", "holds", "seconds", "systems"}
        assert claim["seconds"] >= 0
        for system in claim["systems"]:
            assert set(system) == {
                "description",
                "parameters",
                "hypotheses",
                "measured",
                "predicted",
                "holds",
            }
    holds, fails = document
    assert [system["holds"] for system in holds["systems"]] == [None, True, True]
    assert holds["systems"][0]["hypotheses"]["n is positive"] is False
    assert holds["systems"][1]["measured"]["sum"] == 9
    assert [system["holds"] for system in fails["systems"]] == [True, False, True]
    assert fails["systems"][0]["measured"]["not measured is null"] == "not a number"


def test_figures_and_report_of_every_claim_are_there_and_self_contained(toys, tmp_path):
    verify([toys("toy_holds"), toys("toy_fails")], out=tmp_path)
    page = (tmp_path / "report.html").read_text()
    for claim_id in ("toy-holds", "toy-fails"):
        assert (tmp_path / "figures" / f"{claim_id}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "figures" / f"{claim_id}.pdf").read_bytes().startswith(b"%PDF")
        assert f'id="{claim_id}"' in page
    assert page.count("data:image/png;base64,") == 2
    assert "http" not in page
    assert "n = 3 &lt;odd &amp; sum&gt;" in page
    assert "<odd" not in page
    assert "hypothesis violated: n is positive" in page


def test_a_raising_system_fails_its_claim_and_leaves_the_others_alone(toys, tmp_path):
    raises, holds = verify([toys("toy_raises"), toys("toy_holds")], out=tmp_path)
    errors = {system.description: system.error for system in raises.systems}
    assert errors["input"] == "beta must be positive, got -1"
    assert errors["defect"].startswith("ZeroDivisionError: division by zero (toy_raises.py:")
    assert "JSON" in errors["not json"]
    assert "float, not a SystemResult" in errors["wrong type"]
    assert "'x' is not an array" in errors["objects"]
    assert errors["fine"] is None
    assert not raises.holds
    assert holds.holds
    assert claims_of(tmp_path)[0]["systems"][0]["measured"] == {"error": errors["input"]}
    assert claims_of(tmp_path)[0]["systems"][0]["holds"] is False


def test_parallel_results_are_the_serial_ones(toys, tmp_path):
    claims = [toys("toy_fails"), toys("toy_holds")]
    serial = verify(claims, out=tmp_path / "1", full=True, workers=1)
    parallel = verify(claims, out=tmp_path / "2", full=True, workers=2)
    assert timeless(serial) == timeless(parallel)
    for one, other in zip(serial, parallel, strict=True):
        for system, same in zip(one.systems, other.systems, strict=True):
            assert list(system.series) == list(same.series)
            for name in system.series:
                np.testing.assert_array_equal(system.series[name], same.series[name])


def test_a_dying_process_costs_only_its_own_system(toys, tmp_path):
    raises, holds = verify(
        [toys("toy_raises"), toys("toy_holds")], out=tmp_path, full=True, workers=2
    )
    errors = {system.description: system.error for system in raises.systems}
    assert "process measuring it died" in errors["dies"]
    assert errors["input"] == "beta must be positive, got -1"
    assert errors["fine"] is None
    assert holds.holds


def test_resuming_measures_only_what_is_missing(toys, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setenv("SCC_TOY_LOG", str(log))
    claim = toys("toy_holds")
    first = verify([claim], out=tmp_path / "out")
    again = verify([claim], out=tmp_path / "out", resume=True)
    assert log.read_text().split() == ["0", "3", "10"]
    assert first[0] == replace(again[0], systems=first[0].systems)
    for system, same in zip(first[0].systems, again[0].systems, strict=True):
        assert replace(system, series={}) == replace(same, series={})
        np.testing.assert_array_equal(system.series["dE/dv"], same.series["dE/dv"])
    verify([claim], out=tmp_path / "out", full=True, resume=True)
    assert log.read_text().split() == ["0", "3", "10", "20", "40"]
    verify([claim], out=tmp_path / "out")
    assert log.read_text().split()[5:] == ["0", "3", "10"]  # without resume everything is measured


def test_results_of_other_code_errors_and_broken_files_are_not_reused(toys, tmp_path):
    system = System("s", {"n": 3, "beta": float("inf")})
    result = measure_system(toys("toy_holds").measure, system)
    kept = Store(tmp_path, "1.0+abc")
    kept.save("toy-holds", system, result)
    assert kept.load("toy-holds", system) is not None
    assert kept.load("toy-holds", replace(system, description="renamed")) is not None
    assert Store(tmp_path, "1.0+abd").load("toy-holds", system) is None
    assert kept.load("toy-fails", system) is None
    assert kept.load("toy-holds", System("s", {"n": 4, "beta": float("inf")})) is None
    assert kept.load("toy-holds", replace(system, counterexample=True)) is None

    (archive,) = tmp_path.glob("toy-holds/*.npz")
    archive.write_bytes(archive.read_bytes()[:-10])
    assert kept.load("toy-holds", system) is None
    kept.save("toy-holds", system, result)
    (record,) = tmp_path.glob("toy-holds/*.json")
    record.write_text(record.read_text()[:50])
    assert kept.load("toy-holds", system) is None
    kept.save("toy-holds", system, replace(result, error="no memory", holds=False))
    assert kept.load("toy-holds", system) is None


def test_the_version_of_stored_results_changes_with_the_code(tmp_path, monkeypatch):
    monkeypatch.setattr(store.importlib.util, "find_spec", lambda name: FakeSpec(tmp_path))
    (tmp_path / "a.py").write_text("x = 1\n")
    versions = set()
    for code in ("x = 1\n", "x = 2\n"):
        (tmp_path / "a.py").write_text(code)
        versions.add(store.code_version.__wrapped__())
    assert len(versions) == 2


class FakeSpec:
    def __init__(self, folder):
        self.submodule_search_locations = [str(folder)]


def test_a_claim_that_cannot_list_its_systems_or_draw_fails_with_the_reason(toys, tmp_path):
    def no_list(full):
        raise InputError("no such lattice")

    def no_drawing(results):
        raise KeyError("rate")

    holds = toys("toy_holds")
    listless = Claim("toy-list", "s", "s", no_list, holds.measure)
    undrawn = replace(holds, draw=no_drawing)
    stale = tmp_path / "figures" / "toy-holds.png"
    stale.parent.mkdir()
    stale.write_bytes(b"of an earlier run")
    first, second = verify([listless, undrawn], out=tmp_path)
    assert not first.holds
    assert first.systems[0].error == "no such lattice"
    assert second.holds
    assert second.figure_error.startswith("KeyError: 'rate'")
    assert not stale.exists()
    assert "KeyError" in (tmp_path / "report.html").read_text()


def test_a_claim_without_systems_or_with_open_ones_only_does_not_hold(toys, tmp_path):
    holds = toys("toy_holds")
    empty = replace(holds, id="toy-empty", systems=lambda full: [])
    unsure = replace(holds, id="toy-open", systems=lambda full: holds.systems(full)[:1])
    assert [result.holds for result in verify([empty, unsure], out=tmp_path)] == [False, False]


def test_draw_gets_the_series_of_the_systems_that_did_not_raise(toys, tmp_path):
    from matplotlib.figure import Figure

    seen = []

    def draw(results):
        seen.extend(results)
        return Figure()

    raises = replace(toys("toy_raises"), draw=draw)
    holds = replace(toys("toy_holds"), draw=draw)
    verify([raises, holds], out=tmp_path)
    assert [system.description for system in seen[:1]] == ["fine"]
    np.testing.assert_array_equal(seen[2].series["file"], [1, 4, 9])


def test_wrong_arguments(toys, tmp_path):
    holds = toys("toy_holds")
    with pytest.raises(InputError, match="no claims"):
        verify([], out=tmp_path)
    with pytest.raises(InputError, match="'toy-holds' is there twice"):
        verify([holds, holds], out=tmp_path)
    with pytest.raises(InputError, match="workers must be at least 1, got 0"):
        verify([holds], out=tmp_path, workers=0)


def test_the_registry_finds_every_file_and_names_what_it_does_not_know(toy_path):
    toy_path(TOYS)
    known = registry.known_ids()
    assert {"toy-holds", "toy-fails", "toy-raises"} <= set(known)
    assert not {"claim", "runner", "json-values", "tasks"} & set(known)
    assert registry.get_claim("toy-holds").id == "toy-holds"
    with pytest.raises(InputError, match=r"no claim 'toy_holds'; known claims: .*toy-holds"):
        registry.get_claim("toy_holds")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("CLAIM = 3", "wrong_one defines no CLAIM"),
        ("from scc.claims.toy_holds import CLAIM", "'toy-holds', which is another file's"),
    ],
)
def test_two_files_with_one_id_or_a_file_without_a_claim(toy_path, tmp_path, code, message):
    (tmp_path / "wrong_one.py").write_text(code + "\n")
    toy_path(TOYS)
    toy_path(tmp_path)
    importlib.invalidate_caches()
    sys.modules.pop("scc.claims.wrong_one", None)
    with pytest.raises(InputError, match=message):
        registry.get_claim("wrong-one")


def test_every_shipped_claim_is_well_formed():
    for claim in registry.all_claims():
        assert claim.statement
        assert claim.source
        for full in (False, True):
            descriptions = [system.description for system in claim.systems(full)]
            assert descriptions, claim.id
            assert len(set(descriptions)) == len(descriptions), f"{claim.id}: {descriptions}"
        # A worker finds the function by its name.
        module = importlib.import_module(claim.measure.__module__)
        assert getattr(module, claim.measure.__qualname__) is claim.measure
