"""Run the notebooks: in full, rendered to HTML (``make notebooks``), or reduced (the test-suite).

A notebook has one cell tagged ``parameters``. Its metadata hold ``scc.reduced``, assignments that
replace some of them by smaller ones: these are put into a cell of their own right after it.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parent


def notebooks() -> list[Path]:
    """All notebooks, by name."""
    return sorted(FOLDER.glob("*.ipynb"))


def execute(path: Path, reduced: bool, timeout: float = 600.0) -> nbformat.NotebookNode:
    """The notebook with its outputs. Raises nbclient's CellExecutionError if a cell does."""
    notebook = nbformat.read(path, as_version=4)
    if reduced:
        position = _parameters(notebook, path)
        source = notebook.metadata["scc"]["reduced"]
        notebook.cells.insert(position + 1, nbformat.v4.new_code_cell(source))
    # Figures belong into the notebook, whatever backend the surroundings ask for.
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    client = NotebookClient(notebook, timeout=timeout, kernel_name="python3")
    client.execute(cwd=str(FOLDER), env=environment)
    return notebook


def render(notebook: nbformat.NotebookNode, target: Path) -> None:
    """Write the executed notebook as HTML."""
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter().from_notebook_node(notebook)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_text(body, encoding="utf-8")
    partial.replace(target)


def _parameters(notebook: nbformat.NotebookNode, path: Path) -> int:
    tagged = [
        index
        for index, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", ())
    ]
    if len(tagged) != 1:
        raise ValueError(f"{path.name} has {len(tagged)} cells tagged 'parameters', not one")
    return tagged[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="notebooks without .ipynb; all by default")
    parser.add_argument("--reduced", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("out/notebooks"))
    options = parser.parse_args()
    chosen = [path for path in notebooks() if not options.names or path.stem in options.names]
    unknown = set(options.names) - {path.stem for path in chosen}
    if unknown:
        print(f"no notebook {sorted(unknown)[0]!r}", file=sys.stderr)
        return 2
    failed = 0
    for path in chosen:
        start = time.perf_counter()
        try:
            render(execute(path, options.reduced), options.out / f"{path.stem}.html")
        except CellExecutionError as error:
            failed = 1
            print(f"{path.stem}: {error.ename}: {error.evalue}", file=sys.stderr)
        else:
            print(f"{path.stem}: {time.perf_counter() - start:.1f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
