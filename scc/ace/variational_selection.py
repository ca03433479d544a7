"""Validation errors of variational fits: ``python -m scc.ace.variational_selection TRAIN.xyz…``.

Options ``--folds K`` and ``--only N`` as in :mod:`.selection`, whose table this prints;
``--width``, ``--response-order``, ``--channels`` and ``--joint-steps`` choose the form.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from scc.ace.reference_set import read_reference_set
from scc.ace.selection import header, row, validate
from scc.ace.variational_training import fit_variational
from scc.ace.variational_water import WIDTH, water_variational_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m scc.ace.variational_selection", description=__doc__
    )
    parser.add_argument("train", nargs="+")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--only", type=int)
    parser.add_argument("--width", type=float, default=WIDTH)
    parser.add_argument("--response-order", type=int, default=1)
    parser.add_argument("--channels", type=int, nargs=3, default=(1, 2, 1))
    parser.add_argument("--joint-steps", type=int, default=0)
    options = parser.parse_args(arguments)
    settings = water_variational_settings(
        options.width, options.response_order, tuple(options.channels), options.joint_steps
    )
    print(header(), flush=True)
    training = read_reference_set(options.train)
    found = validate(
        training, lambda frames: fit_variational(frames, settings), options.folds, options.only
    )
    name = f"σ {options.width:g}, order {options.response_order}, n_k {tuple(options.channels)}"
    print(row(f"{name}, joint {options.joint_steps}", found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
