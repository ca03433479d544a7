"""Two fragments far apart: counterpoise-corrected interaction energies and induced dipoles.

``python far_field.py [--workers N]`` computes what is missing of far_field.xyz: head-to-tail dimers
at 6–14 Å between the oxygens (both dipoles along the line), and pairs of thermal fragments, turned
at random, 7–12 Å apart. Same method as the training set; each fragment also alone in the basis of
both, so that

    E_int = E(AB) − E(A in AB) − E(B in AB),      µ_ind = µ(AB) − µ(A in AB) − µ(B in AB)

(S. F. Boys, F. Bernardi, Mol. Phys. 19, 553 (1970)). Finished points are kept: run again to go on.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.io import read, write
from geometries import place_apart, single_molecule, trajectory
from numpy.typing import NDArray
from reference import atomic_multipoles, solved

FILE = Path(__file__).resolve().parent / "far_field.xyz"
CURVE = (6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0)
PAIRS = (((1, 1), 8), ((1, 2), 3), ((2, 2), 2))
_SEED = 12000


def points() -> list[str]:
    """Names of all points."""
    curve = [f"head-to-tail-{distance:g}" for distance in CURVE]
    return curve + [f"pair-{a}{b}-{k}" for (a, b), number in PAIRS for k in range(number)]


def fragments(name: str) -> tuple[Atoms, Atoms, float]:
    """Both fragments, placed, and their distance in Å (oxygens, or nearest atoms of a pair)."""
    if name.startswith("head-to-tail-"):
        distance = float(name.removeprefix("head-to-tail-"))
        first = single_molecule()
        # The molecule's axis is y: turn it to x, the line between the two.
        first.positions = first.positions[:, [1, 0, 2]]
        second = first.copy()
        second.positions[:, 0] += distance
        return first, second, distance
    _, label, number = name.split("-")
    a, b = int(label[0]), int(label[1])
    rng = np.random.default_rng([_SEED, a, b, int(number)])
    first, second = (trajectory(size, rng, 0) for size in (a, b))
    distance = place_apart(first, second, (7.0, 12.0), rng)
    return first, second, distance


def compute(name: str) -> Atoms:
    """The labelled pair."""
    first, second, distance = fragments(name)
    both = first + second
    size = len(first)
    energy, dipole, moments = _solve(both, np.zeros(len(both), bool))
    first_energy, first_dipole, _ = _solve(both, np.arange(len(both)) >= size)
    second_energy, second_dipole, _ = _solve(both, np.arange(len(both)) < size)
    labelled = Atoms(both.get_chemical_symbols(), both.positions)
    labelled.info.update(
        name=name,
        distance_A=round(distance, 6),
        first_fragment=size,
        ref_energy=energy * units.Hartree,
        ref_interaction_energy=(energy - first_energy - second_energy) * units.Hartree,
        ref_dipole=dipole,
        ref_first_dipole=first_dipole,
        ref_second_dipole=second_dipole,
    )
    labelled.arrays["ref_charge"] = moments[0]
    labelled.arrays["ref_atomic_dipole"] = moments[1]
    labelled.arrays["ref_atomic_quadrupole"] = moments[2].reshape(len(both), 9)
    return labelled


def _solve(
    atoms: Atoms, ghost: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64], tuple[NDArray[np.float64], ...]]:
    """(energy, dipole, atomic multipoles) with the atoms of ``ghost`` reduced to their basis."""
    symbols = [
        f"ghost-{symbol}" if hidden else symbol
        for symbol, hidden in zip(atoms.get_chemical_symbols(), ghost, strict=True)
    ]
    molecule, field = solved(symbols, atoms.positions)
    moments: tuple[NDArray[np.float64], ...] = ()
    if not ghost.any():
        moments = atomic_multipoles(molecule, field, field.make_rdm1())
    return float(field.e_tot), np.asarray(field.dip_moment(unit="au", verbose=0)), moments


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    found = {a.info["name"]: a for a in (read(FILE, ":") if FILE.exists() else [])}
    missing = [name for name in points() if name not in found]
    print(f"{len(missing)} of {len(points())} points to compute", flush=True)
    with ProcessPoolExecutor(options.workers) as pool:
        running = {pool.submit(compute, name): name for name in missing}
        for future in as_completed(running):
            found[running[future]] = future.result()
            partial = FILE.with_name(".far_field.partial.xyz")
            write(partial, [found[n] for n in points() if n in found], format="extxyz")
            partial.replace(FILE)
            print(running[future], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
