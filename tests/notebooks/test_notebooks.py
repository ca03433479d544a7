"""Every notebook runs, in reduced form, and keeps no outputs in the repository."""

import importlib.util
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "paper-notebooks"
SECTIONS = {
    "section_2_models",
    "section_3_1_locality",
    "section_3_2_body_order",
    "section_3_3_convergence",
    "section_4_practical_scheme",
    "section_6_proofs",
    "remarks",
    "real_codes",
}
_spec = importlib.util.spec_from_file_location("execute_notebooks", FOLDER / "execute.py")
assert _spec is not None
assert _spec.loader is not None
execute_notebooks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(execute_notebooks)


def test_no_section_is_without_its_notebook() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == SECTIONS


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_notebook_runs_from_top_to_bottom(name: str) -> None:
    executed = execute_notebooks.execute(FOLDER / f"{name}.ipynb", reduced=True)
    figures = [
        output
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert figures


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_notebook_is_stored_without_outputs(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert all(cell.get("execution_count") is None for cell in notebook.cells)


def test_failing_cell_fails_the_run(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(metadata={"scc": {"reduced": "a = 1"}})
    cell = nbformat.v4.new_code_cell("a = 2", metadata={"tags": ["parameters"]})
    notebook.cells = [cell, nbformat.v4.new_code_cell("assert a == 2")]
    nbformat.write(notebook, tmp_path / "toy.ipynb")
    execute_notebooks.execute(tmp_path / "toy.ipynb", reduced=False)
    with pytest.raises(execute_notebooks.CellExecutionError):
        execute_notebooks.execute(tmp_path / "toy.ipynb", reduced=True)
