"""The installed command in a process of its own: entry point, pipes, signals, workers."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from strategies.commands import group_is_gone, running, wait_for

TOYS = Path(__file__).parent / "scc_with_toys.py"
SCC = Path(sys.executable).with_name("scc")


def scc_with_toys(*arguments, folder):
    return running(TOYS, *arguments, folder=folder)


def test_the_entry_point_reports_its_version_and_bad_usage(tmp_path):
    command = [str(SCC)] if SCC.exists() else [sys.executable, "-m", "scc.cli.main"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("scc ")
    wrong = subprocess.run(
        [*command, "verify", "no-such-claim"], capture_output=True, text=True, cwd=tmp_path
    )
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("scc: error: no claim 'no-such-claim'")
    assert len(wrong.stderr.splitlines()) == 1


def test_a_failing_claim_is_status_1_with_workers_too(tmp_path):
    options = ("verify", "toy-holds", "toy-fails", "--workers", "2", "--out", "o")
    with scc_with_toys(*options, folder=tmp_path) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors
    assert "1 of 2 claims hold" in output
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("number", "whole_group", "status", "word"),
    [(signal.SIGINT, True, 130, "interrupted"), (signal.SIGTERM, False, 143, "terminated")],
)
def test_an_interrupted_run_keeps_what_is_finished_and_resumes(
    tmp_path, number, whole_group, status, word
):
    options = ("verify", "toy-holds", "toy-slow", "--workers", "2", "--out", "o")
    data, summary = tmp_path / "o" / "data", tmp_path / "o" / "claims.json"

    def one_claim_and_two_systems():
        # A claim is finished when its figure is drawn and the summary rewritten, not before.
        return len([*data.glob("toy-slow/*.json")]) == 2 and "toy-holds" in summary.read_text()

    with scc_with_toys(*options, folder=tmp_path) as process:
        wait_for(one_claim_and_two_systems)
        # Ctrl-C reaches every process of the terminal's group, kill only the one named.
        (os.killpg if whole_group else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=60)
        wait_for(lambda: group_is_gone(process.pid))
    assert process.returncode == status, errors
    lines = errors.splitlines()
    assert lines[-1].startswith(f"scc: error: {word}")
    assert "--resume" in lines[-1]
    assert "Traceback" not in errors
    claims = json.loads(summary.read_text())["claims"]
    assert [claim["id"] for claim in claims] == ["toy-holds"]
    assert "not finished" in (tmp_path / "o" / "report.html").read_text()
    assert [path for path in (tmp_path / "o").rglob("*") if path.name.startswith(".")] == []
    for path in data.rglob("*.json"):
        json.loads(path.read_text())

    (tmp_path / "go").touch()
    with scc_with_toys(*options, "--resume", folder=tmp_path) as again:
        output, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert errors.count("(resumed)") == 5
    assert "2 of 2 claims hold" in output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_or_a_closed_pipe_is_no_traceback(tmp_path):
    with open("/dev/full", "w") as full:
        broken = subprocess.run(
            [sys.executable, str(TOYS), "list"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert broken.returncode == 2
    assert broken.stderr.startswith("scc: error: ")
    assert len(broken.stderr.splitlines()) == 1
    reader, writer = os.pipe()
    os.close(reader)
    closed = subprocess.run(
        [sys.executable, str(TOYS), "list"], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert closed.returncode == 0
    assert closed.stderr == ""
