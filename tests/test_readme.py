"""The README says nothing that does not run."""

import re
from pathlib import Path

import pytest

from scc.claims.registry import known_ids

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_examples_run_as_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    equilibration, electrostatics = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(equilibration, "README.md", "exec"), namespace)
    assert namespace["equilibrium"].converged  # type: ignore[attr-defined]
    namespace = {}
    exec(compile(electrostatics, "README.md", "exec"), namespace)
    assert namespace["v"].shape == (64, 8)  # type: ignore[attr-defined]


def test_table_names_every_claim_and_no_other() -> None:
    assert set(re.findall(r"^\| `([a-z0-9-]+)`", README, re.MULTILINE)) == set(known_ids())


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
