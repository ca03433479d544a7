"""Make the water set: ``make data``. Resumable: each finished frame is a file, written atomically.

``python generate.py [--workers N] [--limit K]`` computes what is missing, then assembles train.xyz
and test.xyz from what is there. Frames that are in those two files already count as finished.
"""

import argparse
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from ase.units import Bohr
from geometries import geometry
from plan import Frame, frames
from reference import label

FOLDER = Path(__file__).resolve().parent
FRAMES = FOLDER / "frames"


def compute(frame: Frame) -> float:
    """One frame; seconds it took."""
    start = time.perf_counter()
    atoms, charges = geometry(frame)
    labelled = label(atoms, charges)
    labelled.info.update(atoms.info)
    labelled.info.update(
        name=frame.name,
        kind=frame.kind,
        n_molecules=len(atoms) // 3,
        trajectory=frame.trajectory,
    )
    if len(charges):
        # Row by row: x, y, z in Å and the charge in e.
        labelled.info["external_charges"] = charges.ravel()
    target = FRAMES / f"{frame.name}.xyz"
    partial = FRAMES / f".{frame.name}.{os.getpid()}.xyz"
    write(partial, labelled, format="extxyz")
    partial.replace(target)
    return time.perf_counter() - start


def restore() -> None:
    """Take the sets apart into the files of their frames, where these are not there."""
    for split in ("train", "test"):
        path = FOLDER / f"{split}.xyz"
        for atoms in read(path, ":") if path.exists() else []:
            target = FRAMES / f"{atoms.info['name']}.xyz"
            if not target.exists():
                write(target, atoms, format="extxyz")


def assemble() -> dict[str, int]:
    """train.xyz and test.xyz from the finished frames, in the order of the plan."""
    counts = {}
    for split in ("train", "test"):
        found: list[Atoms] = []
        for frame in frames():
            path = FRAMES / f"{frame.name}.xyz"
            if frame.split == split and path.exists():
                found.append(_checked(read(path), path))
        if found:
            partial = FOLDER / f".{split}.partial.xyz"
            write(partial, found, format="extxyz")
            partial.replace(FOLDER / f"{split}.xyz")
        counts[split] = len(found)
    return counts


def _checked(atoms: Atoms, path: Path) -> Atoms:
    """Charges add up to zero and moments to the dipole, to the accuracy of the grid."""
    charge = atoms.arrays["ref_charge"]
    moments = charge[:, None] * atoms.positions / Bohr + atoms.arrays["ref_atomic_dipole"]
    if abs(np.sum(charge)) > 2e-4:
        raise SystemExit(f"{path.name}: charges add up to {np.sum(charge):.2e} e")
    off = float(np.max(np.abs(moments.sum(axis=0) - atoms.info["ref_dipole"])))
    if off > 1e-3:
        raise SystemExit(f"{path.name}: atomic moments miss the dipole by {off:.2e} e bohr")
    return atoms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, help="at most this many frames now")
    options = parser.parse_args()
    FRAMES.mkdir(exist_ok=True)
    restore()
    missing = [f for f in frames() if not (FRAMES / f"{f.name}.xyz").exists()]
    missing = missing[: options.limit] if options.limit is not None else missing
    print(f"{len(missing)} of {len(frames())} frames to compute", flush=True)
    failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    pool = ProcessPoolExecutor(options.workers)
    try:
        running = {pool.submit(compute, frame): frame for frame in missing}
        for done, future in enumerate(as_completed(running), start=1):
            name = running[future].name
            try:
                print(f"{done}/{len(missing)} {name}: {future.result():.0f} s", flush=True)
            except Exception as error:  # one bad frame must not stop the others
                failed += 1
                print(f"{done}/{len(missing)} {name}: {error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; run again to continue", file=sys.stderr)
        pool.shutdown(cancel_futures=True)
        return 130
    print(assemble())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
