"""Add responses to a uniform field to frames of train_first.xyz: ``python polarise.py``.

Coupled-perturbed Kohn-Sham at the level of ``reference.py``, at zero field: for field component b

    ref_charge_response            dq/dE_b      (3 numbers, b = x, y, z)
    ref_atomic_dipole_response     dµ_a/dE_b    (9, b running fastest)
    ref_atomic_quadrupole_response dθ_ac/dE_b   (27, b running fastest)

in atomic units, E the field's force on positive charges. One potential per geometry leaves the
response of a density to potentials undetermined; these rows are what determines it. Resumable: each
finished frame is a file in frames/; the frames done are put into train_first.xyz at the end and on
every later run.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from numpy.typing import NDArray
from pyscf import dft, gto
from pyscf.scf import cphf
from reference import electron_multipoles, solved

FOLDER = Path(__file__).resolve().parent
FRAMES = FOLDER / "frames"
TARGET = FOLDER / "train_first.xyz"


def responses(atoms: Atoms) -> dict[str, NDArray[np.float64]]:
    """dq/dE (M, 3), dµ/dE (M, 3, 3) and dθ/dE (M, 3, 3, 3), the field's component last."""
    molecule, field = solved(atoms.get_chemical_symbols(), atoms.positions)
    changes = [
        electron_multipoles(molecule, field, change)
        for change in density_responses(molecule, field)
    ]
    charge, dipole, quadrupole = (np.stack(part, axis=-1) for part in zip(*changes, strict=True))
    return {"dq": charge, "dmu": dipole, "dth": quadrupole}


def density_responses(molecule: gto.Mole, field: dft.rks.RKS) -> NDArray[np.float64]:
    """Change of the density matrix with each component of the field: (3, n, n)."""
    occupied = field.mo_occ > 0
    orbitals, virtuals = field.mo_coeff[:, occupied], field.mo_coeff[:, ~occupied]
    shape = (-1, virtuals.shape[1], orbitals.shape[1])
    respond = field.gen_response(hermi=1)

    def matrix(amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
        half = 2.0 * np.einsum("pa,xai,qi->xpq", virtuals, amplitudes.reshape(shape), orbitals)
        return half + half.transpose(0, 2, 1)

    def induced(amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
        potential = respond(matrix(amplitudes))
        return np.einsum("pa,xpq,qi->xai", virtuals, potential, orbitals).ravel()

    # An electron in the field feels +E x.
    with molecule.with_common_orig((0.0, 0.0, 0.0)):
        perturbation = molecule.intor("int1e_r")
    bare = np.einsum("pa,xpq,qi->xai", virtuals, perturbation, orbitals)
    amplitudes, _ = cphf.solve(induced, field.mo_energy, field.mo_occ, bare, max_cycle=50, tol=1e-8)
    return matrix(amplitudes)


def order(frames: list[Atoms], largest: int) -> list[int]:
    """One frame of each trajectory first, then the second of each, …; small clusters first."""
    trajectories: dict[tuple[int, float], list[int]] = {}
    for index, atoms in enumerate(frames):
        key = (int(atoms.info["n_molecules"]), float(atoms.info["temperature_K"]))
        if key[0] <= largest:
            trajectories.setdefault(key, []).append(index)
    found = [
        (k, number, temperature, members[k])
        for (number, temperature), members in trajectories.items()
        for k in range(len(members))
    ]
    return [index for *_, index in sorted(found)]


def assemble(frames: list[Atoms]) -> int:
    """Put the responses that are there into the file; how many frames have them."""
    count = 0
    for index, atoms in enumerate(frames):
        path = FRAMES / f"response-{index}.npz"
        if path.exists():
            with np.load(path) as found:
                for name, key in (
                    ("ref_charge_response", "dq"),
                    ("ref_atomic_dipole_response", "dmu"),
                    ("ref_atomic_quadrupole_response", "dth"),
                ):
                    atoms.arrays[name] = found[key].reshape(len(atoms), -1)
        count += "ref_charge_response" in atoms.arrays
    partial = FOLDER / ".train_first.partial.xyz"
    write(partial, frames, format="extxyz")
    partial.replace(TARGET)
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=3, help="most molecules of a frame")
    parser.add_argument("--limit", type=int, help="at most this many frames now")
    options = parser.parse_args()
    FRAMES.mkdir(exist_ok=True)
    frames = read(TARGET, ":")
    missing = [
        index
        for index in order(frames, options.largest)
        if "ref_charge_response" not in frames[index].arrays
        and not (FRAMES / f"response-{index}.npz").exists()
    ]
    for index in missing[: options.limit]:
        start = time.perf_counter()
        partial = FRAMES / f".response-{index}.{os.getpid()}.npz"
        np.savez(partial, **responses(frames[index]))
        partial.replace(FRAMES / f"response-{index}.npz")
        print(f"frame {index}: {time.perf_counter() - start:.0f} s", flush=True)
    print(f"{assemble(frames)} of {len(frames)} frames have responses")
    return 0


if __name__ == "__main__":
    sys.exit(main())
