r"""Sets of labelled water clusters: reading extended XYZ, plausibility of the whole, folds.

What one frame cannot tell, the set can. Two slopes that any first-principles method fixes within a
few percent are computed over all frames and refused when they are off by a unit or a sign:

    stretch    −d(F_H·u)/d|OH| over all O–H bonds, u along the bond: 49 eV/Å² (forces, energy unit)
    polarity   Σ ref_dipole·b / Σ b², b = Σ over molecules of (r_H + r_H' − 2 r_O): 0.37 e

Folds are over groups (trajectories), never over frames: frames 50 fs apart know each other.
"""

# mypy: disable-error-code="no-untyped-call"
# (ASE is only partly typed.)

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np

from scc.ace.reference_frame import FORCE, ReferenceFrame, reference_frame
from scc.arrays import FloatArray, IntArray
from scc.errors import InputError
from scc.units import ANGSTROM

STRETCH = (10.0, 200.0)
"""Plausible force constants of the O–H stretch, eV/Å²; Hartree/bohr would give 1, kcal/mol 1100."""

POLARITY = (0.15, 0.8)
"""Plausible dipole over Σ(r_H + r_H' − 2 r_O), e; a sign convention turned round gives −0.37."""

_ENOUGH = 0.01
"""Spread of bond lengths, Å, above which the stretch can be told from noise."""


@dataclass(frozen=True, eq=False)
class ReferenceSet:
    """Labelled clusters in the order of their files."""

    frames: tuple[ReferenceFrame, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def subset(self, indices: Iterable[int]) -> ReferenceSet:
        """The frames with these indices, in this order."""
        return ReferenceSet(tuple(self.frames[int(index)] for index in indices))

    def folds(self, number: int, seed: int = 0) -> tuple[IntArray, ...]:
        """Indices of the frames of ``number`` validation folds; no group is in two of them.

        Groups are dealt out kind by kind and size by size, at random within each, so that folds
        resemble each other.

        Raises
        ------
        InputError: fewer than 2 folds, or fewer groups than folds.
        """
        members: dict[str, list[int]] = {}
        for index, frame in enumerate(self.frames):
            members.setdefault(frame.group, []).append(index)
        if not 2 <= number <= len(members):
            raise InputError(
                f"{number} folds of {len(members)} trajectories: choose from 2 to that number"
            )
        rng = np.random.default_rng(seed)
        order = {group: float(rng.uniform()) for group in members}

        def place(group: str) -> tuple[str, int, float]:
            first = self.frames[members[group][0]]
            return first.kind, first.n_molecules, order[group]

        folds: list[list[int]] = [[] for _ in range(number)]
        for position, group in enumerate(sorted(members, key=place)):
            folds[position % number].extend(members[group])
        return tuple(np.array(sorted(fold), dtype=np.int64) for fold in folds)

    def without(self, indices: Iterable[int]) -> ReferenceSet:
        """The frames that a fold leaves for training."""
        left_out = {int(index) for index in indices}
        return self.subset(i for i in range(len(self)) if i not in left_out)

    def digest(self) -> str:
        """SHA-256 of everything a fit sees: equal sets, equal digests, whatever the file names."""
        seen = hashlib.sha256()
        for frame in self.frames:
            seen.update(" ".join(frame.configuration.species).encode())
            arrays = [frame.configuration.positions, frame.forces, frame.multipoles]
            if frame.external is not None:
                arrays += [frame.external.positions, frame.external.charges]
            if frame.polarisation is not None:
                arrays.append(frame.polarisation)
            for array in (np.array([frame.energy]), *arrays):
                seen.update(str(array.shape).encode())
                seen.update(np.ascontiguousarray(array).tobytes())
        return seen.hexdigest()


def read_reference_set(
    paths: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
) -> ReferenceSet:
    """All frames of one or several labelled extended-XYZ files (eV, Å, e·bohr^λ outside).

    Raises
    ------
    InputError
        One line that names file, frame and value: file missing, empty, truncated or not extended
        XYZ; a column or label missing, not numeric or NaN; another element than H and O, atoms that
        are not water molecules; periodic; charged; labels whose units or signs contradict each
        other (see :mod:`.reference_frame` and above); the same frame twice.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    frames: list[ReferenceFrame] = []
    for path in map(Path, paths):
        found = _read_file(path)
        _check_slopes(found, path)
        frames.extend(found)
    if not frames:
        raise InputError("no reference files given")
    _check_repeated(frames)
    return ReferenceSet(tuple(frames))


def _read_file(path: Path) -> list[ReferenceFrame]:
    if not path.is_file():
        raise InputError(f"cannot read {path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"cannot read {path}: the file is empty")
    frames: list[ReferenceFrame] = []
    stream = ase.io.iread(path, ":", format="extxyz", do_not_split_by_at_sign=True)
    while True:
        name = f"{path}, frame {len(frames)}"
        # Whatever ASE's reader raises or warns of in a broken file, the reason is the file.
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                atoms = next(stream, None)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(f"{name}: cannot be read as extended XYZ: {reason}") from None
        if atoms is None:
            break
        frames.append(reference_frame(atoms, name, str(path)))
    if not frames:
        raise InputError(f"cannot read {path}: it has no frames")
    return frames


def _check_slopes(frames: Sequence[ReferenceFrame], path: Path) -> None:
    bonds, pulls, arms, dipoles = [], [], [], []
    for frame in frames:
        lengths, along = _stretches(frame)
        bonds.append(lengths)
        pulls.append(along)
        if frame.external is None:
            arms.append(_arm(frame))
            dipoles.append(-frame.dipole)
    length, pull = np.concatenate(bonds) / ANGSTROM, np.concatenate(pulls) / FORCE
    if len(length) >= 4 and np.std(length) > _ENOUGH:
        spread = length - np.mean(length)
        stretch = -float(spread @ pull / (spread @ spread))
        if not STRETCH[0] <= stretch <= STRETCH[1]:
            raise InputError(
                f"{path}: the forces stretch O–H bonds with {stretch:.4g} eV/Å², expected about "
                "50: ref_forces are not in eV/Å, or are gradients"
            )
    if arms:
        arm, dipole = np.concatenate(arms), np.concatenate(dipoles)
        polarity = float(arm @ dipole / (arm @ arm))
        if not POLARITY[0] <= polarity <= POLARITY[1]:
            raise InputError(
                f"{path}: dipoles are {polarity:.4g} e times (r_H + r_H - 2 r_O), expected about "
                "0.37: moments are not those of nuclei minus electrons in e bohr"
            )


def _stretches(frame: ReferenceFrame) -> tuple[FloatArray, FloatArray]:
    """Lengths of the O–H bonds, bohr, and the force on H along them, Hartree/bohr."""
    positions = frame.configuration.positions
    hydrogens, oxygens = _bonds(frame)
    along = positions[hydrogens] - positions[oxygens]
    length = np.linalg.norm(along, axis=1)
    return length, np.sum(frame.forces[hydrogens] * along, axis=1) / length


def _arm(frame: ReferenceFrame) -> FloatArray:
    """Σ over molecules of r_H + r_H' − 2 r_O, (3,), bohr."""
    hydrogens, oxygens = _bonds(frame)
    positions = frame.configuration.positions
    return np.asarray(np.sum(positions[hydrogens] - positions[oxygens], axis=0))


def _bonds(frame: ReferenceFrame) -> tuple[IntArray, IntArray]:
    """Every H, and the O of its molecule."""
    symbols = np.array(frame.configuration.species)
    oxygens, hydrogens = np.flatnonzero(symbols == "O"), np.flatnonzero(symbols == "H")
    owner = np.empty(frame.n_molecules, dtype=np.int64)
    owner[frame.molecules[oxygens]] = oxygens
    return hydrogens, owner[frame.molecules[hydrogens]]


def _check_repeated(frames: Sequence[ReferenceFrame]) -> None:
    seen: dict[tuple[bytes, float], str] = {}
    for frame in frames:
        key = frame.configuration.positions.tobytes(), frame.energy
        if key in seen:
            raise InputError(f"{frame.name}: the same frame as {seen[key]}")
        seen[key] = frame.name
