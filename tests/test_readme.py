"""The README says nothing that does not run."""

import math
import re
from pathlib import Path

import pytest

from scc.claims.registry import get_claim, known_ids

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


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
