"""The border to ASE and to files: ångström outside, bohr inside.

Whatever goes wrong in a file ends as one :class:`~scc.errors.InputError` line with the path.
"""

# mypy: disable-error-code="no-untyped-call"
# (ASE is only partly typed.)

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import ase
import ase.io
import numpy as np
from ase.io.formats import UnknownFileTypeError, filetype

from scc.configuration.configuration import Configuration
from scc.errors import InputError
from scc.units import ANGSTROM


def from_ase(atoms: ase.Atoms) -> Configuration:
    """Configuration of an ``ase.Atoms`` (positions and cell in Å); an all-zero cell becomes None.

    Raises InputError for anything :class:`Configuration` refuses.
    """
    cell = np.array(atoms.cell.array)
    return Configuration(
        tuple(atoms.get_chemical_symbols()),
        atoms.positions * ANGSTROM,
        cell * ANGSTROM if cell.any() else None,
        tuple(bool(flag) for flag in atoms.pbc),  # type: ignore[arg-type]
    )


def to_ase(configuration: Configuration) -> ase.Atoms:
    """``ase.Atoms`` (Å) of a configuration; inverse of :func:`from_ase` to rounding."""
    cell = None if configuration.cell is None else configuration.cell / ANGSTROM
    return ase.Atoms(
        symbols=list(configuration.species),
        positions=configuration.positions / ANGSTROM,
        cell=cell,
        pbc=configuration.periodic,
    )


def read(
    path: str | os.PathLike[str], index: int = -1, charge: float | None = None
) -> Configuration:
    """One frame of any structure file ASE reads, the last by default.

    ``charge``, e, is the total charge that the frame will be used with; a configuration has none
    of its own, so that what a file states would be lost in silence. None: whatever it states.

    Raises InputError, with the path and a one-line reason, for a file that is missing, empty,
    truncated, of unknown type or otherwise unreadable, for a frame that is not there, for contents
    that :class:`Configuration` refuses, and for one that states another charge.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"cannot read {path}: no such file")
    if not path.is_file():
        raise InputError(f"cannot read {path}: not a file")
    try:
        if path.stat().st_size == 0:
            raise InputError("the file is empty")
        # Whatever a reader of one of ASE's hundred formats raises on a broken file, the reason is
        # the file: hence the broad except.
        with warnings.catch_warnings(record=True) as caught:
            atoms = ase.io.read(path, index=int(index), do_not_split_by_at_sign=True)
        if not isinstance(atoms, ase.Atoms):
            raise InputError("not a single structure")
        if charge is not None:
            _check_charge(atoms, charge)
        configuration = from_ase(atoms)
    except UnknownFileTypeError:
        raise InputError(f"cannot read {path}: not a structure file of a type ASE knows") from None
    except StopIteration:  # how ASE's readers of many frames say it
        raise InputError(f"cannot read {path}: it has no frame {index}") from None
    except Exception as error:
        raise InputError(f"cannot read {path}: {_one_line(error)}") from None
    # A refused file ends in one line; a reader's warnings are passed on only when it succeeded.
    for warning in caught:
        warnings.warn(str(warning.message), warning.category, stacklevel=2)
    return configuration


def write(
    path: str | os.PathLike[str],
    configuration: Configuration,
    arrays: Mapping[str, object] | None = None,
    info: Mapping[str, object] | None = None,
) -> None:
    """Write a structure file, its format told by the name, complete or not at all.

    ``arrays`` (one row an atom) and ``info`` (one value a structure) are written where the format
    can hold them, as extended XYZ does; their units are the caller's to convert (ASE reads the
    names "charge", "forces" and "energy" back as results of a calculator, in e, eV/Å and eV).

    Raises InputError, with the path and a one-line reason, when the file cannot be written.
    """
    path = Path(path)
    atoms = to_ase(configuration)
    try:
        for name, values in (arrays or {}).items():
            atoms.set_array(name, np.asarray(values))
        atoms.info.update(info or {})
        # From the name alone: an existing file of that name is about to be replaced.
        file_format = filetype(path.name, read=False)
        with written_atomically(path) as temporary:
            ase.io.write(temporary, atoms, format=file_format)
    except UnknownFileTypeError:
        raise InputError(f"cannot write {path}: no file type of that name known to ASE") from None
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"cannot write {path}: {_one_line(error)}") from None


@contextmanager
def written_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary path in the same folder; rename it to ``path`` if the block succeeds.

    Readers see the old file or the whole new one, never half of it; if the block fails the
    temporary file is removed and ``path`` is untouched. OSError becomes InputError.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {_one_line(error)}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _check_charge(atoms: ase.Atoms, charge: float) -> None:
    for name in ("charge", "total_charge"):
        stated = atoms.info.get(name)
        if stated is None:
            continue
        if isinstance(stated, bool | str) or np.ndim(stated) or not np.isreal(stated):
            raise InputError(f"{name}={stated} in it is not a number")
        if not abs(float(stated) - charge) <= 1e-9:
            raise InputError(f"it states {name}={stated:g}, and a charge of {charge:g} e is asked")


def _one_line(error: BaseException) -> str:
    """The reason in one line: the system's words for OSError, else the first line of the text."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError) and error.args:  # ASE looks symbols up in a dictionary
        return f"unknown chemical symbol or missing key {error.args[0]!r}"
    lines = str(error).strip().splitlines()
    if isinstance(error, InputError) and lines:
        return lines[0]
    return f"{lines[0].strip()} ({type(error).__name__})" if lines else type(error).__name__
