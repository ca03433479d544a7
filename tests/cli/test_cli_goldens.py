"""``scc goldens``: what is written, skipped, continued and refused."""

import json

import pytest
from click.testing import CliRunner

from scc.cli.main import cli
from scc.electrostatics.goldens import SYSTEMS, files, load


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, ["goldens", *map(str, arguments)])


def assert_one_line(outcome, status, *words):
    assert outcome.exit_code == status, outcome.output
    assert "Traceback" not in outcome.output
    last = outcome.stderr.splitlines()[-1]
    assert last.startswith("scc: error: ")
    for word in words:
        assert word in last


def test_the_list_names_every_system_and_writes_nothing(run, tmp_path):
    outcome = run("--list")
    assert outcome.exit_code == 0
    assert [line.split()[0] for line in outcome.stdout.splitlines()] == list(SYSTEMS)
    assert not list(tmp_path.iterdir())


def test_a_system_is_written_with_its_documentation(run, tmp_path):
    outcome = run("--out", "new/folder", "--only", "wigner_sc", "--only", "uniform_field")
    assert outcome.exit_code == 0, outcome.output
    assert "2 systems in new/folder" in outcome.stdout
    assert "[ 1/2] wigner_sc: " in outcome.stderr
    folder = tmp_path / "new" / "folder"
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "wigner_sc.json", "uniform_field.json"}
    golden = load(folder / "wigner_sc.json")
    assert golden.name == "wigner_sc"
    # Somebody else's reader: plain JSON, no scc.
    document = json.loads((folder / "wigner_sc.json").read_text())
    assert document["results"]["energy"] == pytest.approx(-1.4186487397403098, abs=1e-15)
    readme = (folder / "README.md").read_text()
    for entry in document["results"]:
        assert f"- {entry}:" in readme
    for word in ("zero cell average", "racah", "self_interaction", "boundary.kind", "hartree"):
        assert word in readme.lower()


def test_complete_files_are_kept_and_incomplete_ones_computed_again(run, tmp_path):
    arguments = ("--out", "g", "--only", "wigner_sc", "--only", "wigner_bcc")
    assert run(*arguments).exit_code == 0
    kept, broken = tmp_path / "g" / "wigner_sc.json", tmp_path / "g" / "wigner_bcc.json"
    before, text = kept.stat().st_mtime_ns, broken.read_text()
    broken.write_text(text[: len(text) // 2])
    outcome = run(*arguments)
    assert outcome.exit_code == 0
    assert "wigner_sc: already there" in outcome.stderr
    assert "wigner_bcc: already there" not in outcome.stderr
    assert kept.stat().st_mtime_ns == before
    assert broken.read_text() == text
    forced = run(*arguments, "--force")
    assert "already there" not in forced.stderr
    assert kept.stat().st_mtime_ns > before


def test_an_interrupt_leaves_what_is_finished_and_no_half_file(run, tmp_path, monkeypatch):
    compute = files.compute

    def interrupted(name):
        if name == "wigner_bcc":
            raise KeyboardInterrupt
        return compute(name)

    monkeypatch.setattr(files, "compute", interrupted)
    outcome = run("--out", "g", "--only", "wigner_sc", "--only", "wigner_bcc")
    assert_one_line(outcome, 130, "interrupted", "the same command continues")
    assert {path.name for path in (tmp_path / "g").iterdir()} == {"README.md", "wigner_sc.json"}
    load(tmp_path / "g" / "wigner_sc.json")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--out"]),
        (["--out", "g", "--only", "kcl"], ["no golden system 'kcl'", "nacl"]),
        (["--list", "--only", "kcl"], ["kcl"]),
        (["--out", "file"], ["file", "File exists"]),
        (["--out", "file/inside"], ["file", "Not a directory"]),
        (["--out", "/proc/none/out"], ["/proc/none"]),
        (["--frobnicate"], ["--frobnicate"]),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(run, tmp_path, arguments, words):
    (tmp_path / "file").write_text("mine")
    assert_one_line(run(*arguments), 2, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_file_that_cannot_be_replaced_is_one_line(run, tmp_path):
    (tmp_path / "g" / "wigner_sc.json").mkdir(parents=True)
    assert_one_line(run("--out", "g", "--only", "wigner_sc"), 2, "wigner_sc.json", "folder")
