"""The tutorial does what it says: every block of code and every command, in its order."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from scc.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|console)\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)

STATUS = {"check": 1}
"""What commands end with that do not end with 0: the text says so."""


def test_every_block_runs_in_the_order_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "examples"))
    namespace: dict[str, object] = {}
    for kind, text in BLOCKS:
        if kind == "python":
            exec(compile(text, "tutorial.md", "exec"), namespace)
            continue
        for line in text.splitlines():
            prompt, command, *arguments = line.split()
            assert (prompt, command) == ("$", "scc")
            outcome = CliRunner().invoke(cli, arguments)
            assert outcome.exit_code == STATUS.get(arguments[0], 0), outcome.output
    assert (tmp_path / "locality.png").stat().st_size > 10_000
    assert (tmp_path / "figures" / "stability.png").exists()
    assert json.loads((tmp_path / "out" / "claims.json").read_text())["claims"][0]["holds"]
    verdicts = json.loads((tmp_path / "verdicts" / "verdicts.json").read_text())["properties"]
    failed = {entry["id"] for entry in verdicts if entry["verdict"] == "fail"}
    assert failed == {"equilibrated decay", "size consistency"}
    assert len(verdicts) == 12


def test_there_is_a_block_of_everything_the_page_is_about() -> None:
    """A fence that is spelt differently would not be run, and nobody would see it."""
    kinds = [kind for kind, _ in BLOCKS]
    assert kinds.count("python") >= 8
    assert kinds.count("console") >= 3
    fences = len(re.findall(r"^```", TUTORIAL, re.MULTILINE))
    shown = TUTORIAL.count("```{literalinclude}")
    assert fences == 2 * (len(BLOCKS) + shown)
