"""Errors of all trained models beside each other: ``python -m scc.schemes.table TEST.xyz --out F``.

Writes the figures of ``water`` and of every scheme as JSON and prints them as a Markdown table, the
one in this package's README; a test holds the two together and against the models.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scc.ace.reference_set import read_reference_set
from scc.errors import InputError
from scc.output import check_writable, write_text
from scc.schemes.evaluation import figures, outcomes
from scc.schemes.registry import SUBJECTS, trained_model

MODELS = ("water", *SUBJECTS)

COLUMNS = {
    "training_clusters": ("training clusters", "{:d}"),
    "energy_rmse_mev_per_molecule": ("energy, meV per molecule", "{:.2f}"),
    "force_rmse_mev_per_angstrom": ("forces, meV/Å", "{:.1f}"),
    "charge_rmse_percent": ("charges, %", "{:.1f}"),
    "dipole_rmse_percent": ("dipoles, %", "{:.1f}"),
    "quadrupole_rmse_percent": ("quadrupoles, %", "{:.1f}"),
    "total_dipole_rmse_e_bohr": ("total dipole, e·bohr", "{:.3f}"),
    "scf_iterations_max": ("most iterations", "{:d}"),
    "scf_unconverged": ("unconverged", "{:d}"),
}

Figures = Mapping[str, float | int | None]


def measured(test: Path) -> dict[str, dict[str, float | int | None]]:
    """Figures of every model on a labelled file; None for what a model does not have."""
    frames = read_reference_set([test]).frames
    table: dict[str, dict[str, float | int | None]] = {}
    for name in MODELS:
        model = trained_model(name)
        found = figures(model, outcomes(model, frames))
        clusters = int(model.provenance["data"]["clusters"])
        table[name] = {"training_clusters": clusters} | {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in found.items()
        }
    return table


def markdown(table: Mapping[str, Figures]) -> str:
    """One row a model; "—" where there is nothing."""
    titles = [title for title, _ in COLUMNS.values()]
    lines = ["| | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    for name, row in table.items():
        cells = []
        for key, (_, form) in COLUMNS.items():
            value = row[key]
            cells.append("—" if value is None else form.format(value))
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="python -m scc.schemes.table", description=__doc__)
    parser.add_argument("test", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args(arguments)
    try:
        check_writable(options.out)
        table = measured(options.test)
        write_text(options.out, json.dumps(table, indent=1, allow_nan=False) + "\n")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(markdown(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
