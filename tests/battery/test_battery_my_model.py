"""The example model of a new user passes and fails the right properties."""

from pathlib import Path

import pytest
from strategies.battery import DIMER

from scc.battery.check import check
from scc.battery.models import subject_of
from scc.battery.structures import water

FILE = Path(__file__).resolve().parents[2] / "examples" / "my_model.py"

EQUALISING = {"equilibrated decay", "size consistency"}
"""What every charge equilibration fails: charge flows over any distance."""


@pytest.mark.parametrize(
    ("name", "fails"), [("MyModel", EQUALISING), ("abrupt", EQUALISING | {"smoothness"})]
)
def test_passes_and_fails_the_right_properties(name, fails):
    checked = check(f"{FILE}:{name}", [water(1), DIMER])
    found = {v.property.id: v.judgement for v in checked.verdicts}
    expected = {one: "fail" if one in fails else "pass" for one in found}
    assert found == expected
    assert len(found) == 12


def test_is_about_forty_lines_of_code():
    lines = FILE.read_text().split('"""', 2)[2].splitlines()
    code = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    assert len(code) <= 50


def test_its_gradients_are_transposes_of_each_other():
    import numpy as np

    bound = subject_of(f"{FILE}:MyModel", [DIMER]).model.prepare(DIMER)
    rng = np.random.default_rng(0)
    weights, displacement = rng.normal(size=6), rng.normal(size=(6, 3))
    forwards = weights @ bound.environment.jvp(displacement)
    backwards = np.vdot(bound.environment.vjp(weights), displacement)
    assert forwards == pytest.approx(backwards, rel=1e-12)
