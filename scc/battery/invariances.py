"""Invariances: moving, turning or renumbering the atoms changes nothing that should not change."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from scc.battery.bench import Bench, observables
from scc.battery.comparison import differences, draw_ratios, judged
from scc.battery.property import Finding, Property

SHIFT = (10.3, -7.1, 3.3)
"""bohr; no multiple of any grid spacing."""


def measure(bench: Bench) -> Finding:
    """Each symmetry on each structure: what is found against what was found, transformed."""
    rng = bench.random()
    cases: dict[str, dict[str, float]] = {}
    for structure in bench.structures:
        before = observables(bench.solution(structure))
        turn = Rotation.random(random_state=rng).as_matrix()
        order = rng.permutation(len(structure))
        if np.array_equal(order, np.arange(len(structure))):  # of few atoms: one in M!
            order = order[::-1]
        moved = {
            "translation": structure.translated(np.array(SHIFT)),
            "rotation": structure.rotated(turn),
            "permutation": structure.permuted(order),
        }
        for name, configuration in moved.items():
            expected = dict(before)
            if name == "rotation" and "forces" in before:
                expected["forces"] = before["forces"] @ turn.T
            if name == "permutation":
                expected |= {n: before[n][order] for n in ("charges", "forces") if n in before}
            found = differences(observables(bench.fresh(configuration)), expected)
            known = cases.setdefault(name, found)
            cases[name] = {n: max(known[n], value) for n, value in found.items()}
    return judged(bench, cases)


PROPERTY = Property(
    "invariances",
    "Energy and charges do not change under translation, rotation and permutation; forces turn.",
    "10 times the accuracy of the solutions, of charges and forces, and of energies.",
    measure,
    draw_ratios,
)
