"""Validation errors of variational fits: ``python -m scc.ace.variational_selection TRAIN.xyz…``.

Options ``--folds K`` and ``--only N`` as in :mod:`.selection`, whose table this prints;
``--width``, ``--response-order``, ``--channels`` and ``--joint-steps`` choose the form.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from scc.ace.evaluation import errors, outcomes, self_consistent, teacher_forced
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.ace.selection import COLUMNS, Validation, row
from scc.ace.variational_training import VariationalSettings, fit_variational
from scc.ace.variational_water import WIDTH, water_variational_settings


def cross_validate_variational(
    training: ReferenceSet,
    settings: VariationalSettings,
    folds: int = 4,
    only: int | None = None,
    seed: int = 0,
) -> Validation:
    """Fit without each fold in turn (the first ``only`` of them) and judge on it."""
    found = Validation([], [], [])
    for fold in training.folds(folds, seed)[:only]:
        start = time.monotonic()
        model = fit_variational(training.without(fold), settings, seed)
        found.seconds.append(time.monotonic() - start)
        left_out = training.subset(fold).frames
        found.self_consistent.append(errors(outcomes(model, left_out, self_consistent)))
        found.teacher_forced.append(errors(outcomes(model, left_out, teacher_forced)))
    return found


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
    names = [*COLUMNS, "iterations", "unconverged", "s"]
    print("| | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|", flush=True)
    training = read_reference_set(options.train)
    found = cross_validate_variational(training, settings, options.folds, options.only)
    name = f"σ {options.width:g}, order {options.response_order}, n_k {tuple(options.channels)}"
    print(row(f"{name}, joint {options.joint_steps}", found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
