"""Sweeps as they are run: killed, interrupted, in processes, on a cluster; one table for all."""

import csv
import os
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from strategies.commands import group_is_gone, running, wait_for

import scc.claims
import scc.sweeps.api
import scc.sweeps.measure
from scc.cli.main import cli
from scc.errors import InputError
from scc.sweeps import sweep
from scc.sweeps.measure import measure_point

HERE = Path(__file__).parent
GRID = {"M": [2, 3, 5, 8], "beta": [1.0, float("inf")]}
OVER = "M=2:3:5:8,beta=1:inf"


@pytest.fixture
def toys(monkeypatch, tmp_path):
    """The toy claims beside those of scc, a version that does not move, an empty folder."""
    path = [*scc.claims.__path__, str(HERE / "toys")]
    monkeypatch.setattr(scc.claims, "__path__", path)
    for module in (scc.sweeps.api, scc.sweeps.measure):
        monkeypatch.setattr(module, "code_version", lambda: "toy")
    for name in [name for name in sys.modules if name.startswith("scc.claims.toy_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def here(toys, monkeypatch):
    """Points are measured in this process: what the tests below look at is not the pool."""

    def inline(claim_id, points, workers):
        yield from (measure_point(claim_id, point) for point in points)

    monkeypatch.setattr(scc.sweeps.api, "with_joblib", inline)
    return toys


def scc_process(*arguments, folder):
    return running(
        HERE / "scc_in_front.py",
        *("sweep", "toy-growth"),
        *arguments,
        folder=folder,
        environment={"PYTHONPATH": str(HERE / "site")},
    )


def lines_of(path):
    return path.read_text().count("\n") if path.exists() else 0


def dicts(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("number", "whole_group", "status", "word"),
    [
        (signal.SIGKILL, False, -9, None),
        (signal.SIGINT, True, 130, "interrupted"),
        (signal.SIGTERM, False, 143, "terminated"),
    ],
)
def test_a_sweep_ended_in_the_middle_and_run_again_gives_the_table_of_one_that_was_not(
    here, number, whole_group, status, word
):
    """Systems with M ≥ 5 wait for a file, so that the first four rows are there, and no more."""
    options = ("--over", OVER + ",wait_from=5", "--workers", "2", "--out", "t.csv")
    journal = here / "t.journal.csv"
    with scc_process(*options, folder=here) as process:
        wait_for(lambda: lines_of(journal) == 5, process)
        (os.killpg if whole_group else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=120)
        wait_for(lambda: group_is_gone(process.pid))
    assert process.returncode == status, errors
    assert "Traceback" not in errors
    if word is not None:
        assert errors.splitlines()[-1].startswith(f"scc: error: {word}; finished rows are beside")
    assert not (here / "t.csv").exists()

    (here / "go").touch()
    with scc_process(*options, folder=here) as again:
        output, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    assert "4 of 8 rows are there already" in errors
    assert errors.count(" s)") == 4  # rows measured now
    assert "(8 rows)" in output
    sweep("toy-growth", {**GRID, "wait_from": [5]}, here / "whole.csv")  # in this process
    assert (here / "t.csv").read_bytes() == (here / "whole.csv").read_bytes()


def test_two_workers_of_a_dask_cluster_give_the_same_table(toys):
    distributed = pytest.importorskip("distributed")
    settings = {"distributed.scheduler.active-memory-manager.start": False}
    import dask

    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            host="127.0.0.1",
            protocol="tcp",
            dashboard_address=None,
        ) as cluster,
    ):
        seen = []
        rows = sweep(
            "toy-growth",
            GRID,
            toys / "dask.csv",
            scheduler=cluster.scheduler_address,
            progress=Seen(seen),
        )
    assert len(seen) == len(rows) == 8
    with scc_process("--over", OVER, "--workers", "2", "--out", "joblib.csv", folder=toys) as other:
        _, errors = other.communicate(timeout=300)
    assert other.returncode == 0, errors
    assert (toys / "dask.csv").read_bytes() == (toys / "joblib.csv").read_bytes()


class Seen:
    def __init__(self, rows):
        self.rows = rows

    def started(self, points, known, others):
        pass

    def finished(self, row):
        self.rows.append(row)


def test_nobody_at_the_address_of_the_scheduler_is_one_line(toys):
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:1"):
        sweep("toy-growth", GRID, toys / "t.csv", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(InputError, match="no Dask scheduler at nonsense"):
        sweep("toy-growth", GRID, toys / "t.csv", scheduler="nonsense://x")


def test_what_is_no_address_is_one_line_up_to_the_end_of_the_process(toys):
    """A client that could not begin is heard of when it is collected."""
    pytest.importorskip("distributed")
    options = ("--over", "M=2", "--out", "t.csv", "--scheduler", "hello")
    with scc_process(*options, folder=toys) as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors.startswith("scc: error: no Dask scheduler at hello: missing port")
    assert len(errors.splitlines()) == 1


def test_a_table_has_a_row_a_system_in_the_order_of_the_grid(here):
    rows = sweep("toy-growth", {**GRID, "kind": ["power", "raises"]}, here / "t.csv")
    read = dicts(here / "t.csv")
    expected = [
        (str(M), str(beta), kind)
        for M in GRID["M"]
        for beta in GRID["beta"]
        for kind in ("power", "raises")
    ]
    assert [(row["M"], row["beta"], row["kind"]) for row in read] == expected
    assert {row["wait_from"] for row in read} == {"1000"}
    for row, found in zip(read, rows, strict=True):
        if row["kind"] == "raises":
            assert row["verdict"] == "error"
            assert row["error"].startswith(f"ValueError: no system of {row['M']}, and a comma")
            assert row["measured"] == row["predicted"] == ""
        else:
            violated = row["beta"] == "inf"
            assert row["verdict"] == ("hypothesis violated: beta < inf" if violated else "holds")
            assert float(row["measured"]) == found.numbers["measured"]
            assert (row["predicted"], row["size"]) == ("300.0", f"{row['M']}.0")


def test_what_is_known_is_not_measured_again_and_a_grid_can_be_widened(here):
    sweep("toy-growth", {"M": [2, 3]}, here / "t.csv")
    first = (here / "t.csv").read_bytes()
    seen = []
    sweep("toy-growth", {"M": [3, 4, 2]}, here / "t.csv", progress=Seen(seen))
    assert [row.parameters["M"] for row in seen] == [4]
    sweep("toy-growth", {"M": [2, 3]}, here / "t.csv", progress=Seen(seen))
    assert len(seen) == 1
    assert (here / "t.csv").read_bytes() == first


def test_rows_of_other_code_are_measured_again_and_said_to_be_there(here, monkeypatch):
    sweep("toy-growth", {"M": [2, 3]}, here / "t.csv")
    for module in (scc.sweeps.api, scc.sweeps.measure):
        monkeypatch.setattr(module, "code_version", lambda: "later")
    outcome = CliRunner().invoke(cli, ["sweep", "toy-growth", "--over", "M=2:3", "--out", "t.csv"])
    assert outcome.exit_code == 0, outcome.output
    assert "2 other rows, of other parameters or other code, are left alone" in outcome.stderr
    assert [row["version"] for row in dicts(here / "t.csv")] == ["later", "later"]
    journal = dicts(here / "t.journal.csv")
    assert [row["version"] for row in journal] == ["toy", "toy", "later", "later"]


def test_a_worker_with_other_code_is_not_mixed_in(here, monkeypatch):
    monkeypatch.setattr(scc.sweeps.measure, "code_version", lambda: "older")
    with pytest.raises(InputError, match="a worker runs scc older, this is toy"):
        sweep("toy-growth", {"M": [2]}, here / "t.csv")
    assert lines_of(here / "t.journal.csv") == 1  # the header


def test_the_exit_status_says_whether_a_system_fails(here):
    run = CliRunner().invoke
    command = ["sweep", "toy-growth", "--out", "t.csv", "--over"]
    assert run(cli, [*command, "M=2:3"]).exit_code == 0
    failing = run(cli, [*command, "M=119"])
    assert failing.exit_code == 1
    assert "1 fails" in failing.output
    assert run(cli, [*command, "M=2,kind=raises"]).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such"], "no claim 'no-such'"),
        ([], "give a CLAIM"),
        (["toy-growth"], "give --over NAME=VALUES; toy-growth has the parameters M, beta, kind"),
        (["toy-fixed", "--over", "n=1"], "takes no parameters; those that do: corollary-14"),
        (["toy-growth", "--over", "N=1"], "no parameter 'N'; there are M (1…1000)"),
        (["toy-growth", "--over", "M=1", "--over", "M=2"], "M is there twice"),
        (["toy-growth", "--over", "M=1", "--out", "t.parquet"], "a .csv file, not t.parquet"),
        (["toy-growth", "--over", "M=1", "--out", "no/t.csv"], "cannot write no/t.csv"),
        (["toy-growth", "--over", "M=1", "--workers", "0"], "--workers"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(here, arguments, words):
    outcome = CliRunner().invoke(cli, ["sweep", *arguments])
    assert outcome.exit_code == 2
    assert words in outcome.stderr.splitlines()[-1]


def test_it_can_be_asked_what_there_is_to_sweep(here):
    one = CliRunner().invoke(cli, ["sweep", "toy-growth", "--parameters"])
    assert one.exit_code == 0
    assert "toy-growth: an eigenvalue (measured <= predicted)" in one.output
    assert "M          1…1000" in one.output
    assert one.output.splitlines()[-1] == "  further columns: size"
    every = CliRunner().invoke(cli, ["sweep", "--parameters"]).output
    assert "theorem-4:" in every
    assert "toy-fixed" not in every


def test_a_table_is_drawn_and_anything_else_is_not(here):
    run = CliRunner().invoke
    sweep("toy-growth", {**GRID, "kind": ["power", "raises"]}, here / "t.csv")
    drawn = run(cli, ["figure", "sweep", "--from", "t.csv", "--out", "f"])
    assert drawn.exit_code == 0, drawn.output
    assert (here / "f" / "t.png").stat().st_size > 10_000
    (here / "other.csv").write_text("a,b\n1,2\n")
    for arguments, words in (
        (["sweep", "--from", "other.csv"], "other.csv is not the table of a sweep"),
        (["sweep", "--from", "absent.csv"], "absent.csv"),
        (["1", "--from", "t.csv"], "drawn from its own data"),
        (["sweep", "1", "--from", "t.csv"], "--from goes with one figure"),
    ):
        refused = run(cli, ["figure", *arguments])
        assert refused.exit_code == 2
        assert words in refused.stderr.splitlines()[-1]
