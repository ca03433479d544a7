"""CENT with the EEQ-2019 parameters: droplets against tad-multicharge, crystals by themselves.

    python benchmarks/charges.py [--atoms 3000] [--threads 1 2] [--turns 3]
    python benchmarks/charges.py --crystal 3000 24000 100000

The first needs tad-multicharge (``pip install tad-multicharge==0.7.0``, which brings torch) in the
environment of scc; both codes take turns in one process, with as many threads for BLAS, torch and
the blocks of scc as asked. Charges alone, and energy with forces, each from positions, both warmed
up first. Differences of charges and forces show that the same thing is computed.

The second solves boxes of water with at least so many atoms (32 × 32 × 33 molecules, 101 376 atoms,
for 10⁵), periodic in all directions, each in a fresh process of one thread: charges, energy and
forces on the mesh.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from measure import own_peak
from threadpoolctl import threadpool_limits
from water_boxes import edge_of, edges_for, water_box

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.equilibration.linear_charges import linear_charges
from scc.models.cent import CENT

Task = Callable[[], FloatArray]


def droplet(atoms: int) -> Configuration:
    """As many atoms as asked, or two fewer: the molecules of a box of water nearest its centre."""
    box = water_box(edge_of(atoms) + 4)
    molecules = box.positions.reshape(-1, 3, 3)
    centre = molecules.mean(axis=(0, 1))
    order = np.argsort(np.linalg.norm(molecules[:, 0] - centre, axis=1))[: atoms // 3]
    positions = molecules[order].reshape(-1, 3)
    return Configuration(("O", "H", "H") * len(order), positions)


def ours(configuration: Configuration) -> tuple[Task, Task]:
    """Charges; forces (with energy)."""
    model = CENT()
    return (
        lambda: linear_charges(model.prepare(configuration)).charges,
        lambda: linear_charges(model.prepare(configuration)).forces,
    )


def peers(configuration: Configuration) -> tuple[Task, Task]:
    """The same by tad-multicharge: forces by automatic differentiation."""
    import torch
    from tad_mctc.io.structure import Structure
    from tad_multicharge import eeq

    numbers = torch.tensor(configuration.atomic_numbers)
    positions = torch.tensor(np.array(configuration.positions))

    def charges() -> FloatArray:
        return np.asarray(eeq.get_charges(Structure(numbers=numbers, positions=positions)))

    def forces() -> FloatArray:
        place = positions.clone().requires_grad_(True)
        energy = eeq.get_energy(Structure(numbers=numbers, positions=place)).sum()
        energy.backward()
        return -np.asarray(place.grad)

    return charges, forces


def timed(task: Task) -> tuple[FloatArray, float, float]:
    """Result, wall time, CPU time."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = task()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def compare(configuration: Configuration, threads: int, turns: int) -> None:
    """Two lines: charges, energy and forces."""
    import torch

    torch.set_num_threads(threads)
    with threadpool_limits(threads):
        tasks = zip(ours(configuration), peers(configuration), strict=True)
        for name, (own, other) in zip(("charges", "energy+forces"), tasks, strict=True):
            own(), other()
            rows = [(timed(own), timed(other)) for _ in range(turns)]
            wall = [(a[1], b[1]) for a, b in rows]
            cpu = [(a[2], b[2]) for a, b in rows]
            (mine, _, _), (theirs, _, _) = rows[0]
            print(
                f"{name:14} {len(configuration):6d} {threads:7d} "
                f"{median(a for a, _ in wall):8.3f} {median(b for _, b in wall):8.3f} "
                f"{median(b / a for a, b in wall):8.1f} "
                f"{median(a for a, _ in cpu):8.3f} {median(b for _, b in cpu):8.3f} "
                f"{median(b / a for a, b in cpu):8.1f} {np.max(np.abs(mine - theirs)):10.1e}",
                flush=True,
            )


def crystal(atoms: int) -> None:
    """One line for a periodic box of at least so many atoms, in this process."""
    configuration = water_box(edges_for(atoms))
    cpu, wall = time.process_time(), time.perf_counter()
    found = linear_charges(CENT().prepare(configuration))
    solved, solved_cpu = time.perf_counter() - wall, time.process_time() - cpu
    forces = found.forces
    total, total_cpu = time.perf_counter() - wall, time.process_time() - cpu
    drift = float(np.max(np.abs(forces.sum(axis=0))))
    print(
        f"{len(configuration):8d} {found.iterations:10d} {solved:9.1f} {solved_cpu:9.1f} "
        f"{total:9.1f} {total_cpu:9.1f} {own_peak():8.2f} {found.residual:10.1e} {drift:10.1e}",
        flush=True,
    )


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=3000)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--crystal", type=int, nargs="+")
    parser.add_argument("--one-crystal", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one_crystal:
        crystal(chosen.one_crystal)
        return
    if chosen.crystal:
        print(
            f"{'atoms':>8} {'J applied':>10} {'charges/s':>9} {'CPU/s':>9} {'+forces/s':>9} "
            f"{'CPU/s':>9} {'peak/GB':>8} {'residual':>10} {'sum of F':>10}"
        )
        alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        for atoms in chosen.crystal:
            command = [sys.executable, str(Path(__file__)), "--one-crystal", str(atoms)]
            subprocess.run(command, check=True, env=alone)
        return
    if importlib.util.find_spec("tad_multicharge") is None:
        sys.exit("tad-multicharge is not installed: pip install tad-multicharge==0.7.0")
    print(
        f"{'':14} {'atoms':>6} {'threads':>7} {'scc/s':>8} {'peer/s':>8} {'ratio':>8} "
        f"{'scc CPU':>8} {'peer CPU':>8} {'ratio':>8} {'difference':>10}"
    )
    for threads in chosen.threads:
        compare(droplet(chosen.atoms), threads, chosen.turns)


if __name__ == "__main__":
    main()
