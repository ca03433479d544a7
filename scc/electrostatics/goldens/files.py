"""Golden files: written whole or not at all, read back checked."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import written_atomically
from scc.electrostatics.goldens.decimal_json import dumps, loads
from scc.electrostatics.goldens.reference import FORMAT, VERSION, compute, inputs
from scc.electrostatics.goldens.schema import README
from scc.electrostatics.goldens.system import System
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class GoldenFeature:
    """∫ V φ_λµ(x − r_a; width): (N, (l_max+1)²)."""

    width: float
    l_max: int
    self_interaction: bool
    values: FloatArray


@dataclass(frozen=True, eq=False)
class GoldenSystem:
    """A golden file in float64; units and conventions: :mod:`scc.electrostatics.goldens.schema`.

    ``surface_permittivity`` is inf where there is no surface term; ``strain_derivative``,
    ``stress`` and the Madelung constants are None where they do not exist.
    """

    name: str
    description: str
    kind: str
    cell: FloatArray | None
    periodic: tuple[bool, bool, bool]
    screening: float
    surface_permittivity: float
    external_field: FloatArray | None
    external_positions: FloatArray
    external_charges: FloatArray
    species: tuple[str, ...]
    positions: FloatArray
    widths: FloatArray
    l_max: int
    multipoles: FloatArray
    energy: float
    external_energy: float
    self_energy: float
    potential: FloatArray
    features: tuple[GoldenFeature, ...]
    points: FloatArray
    potential_at: FloatArray
    forces: FloatArray
    strain_derivative: FloatArray | None
    stress: FloatArray | None
    madelung: float | None
    madelung_wigner_seitz: float | None
    digits: int
    references: tuple[str, ...]


def write(name: str, folder: Path) -> Path:
    """Compute a system and write ``<name>.json`` into an existing folder.

    Raises:
        InputError: unknown name, or the file cannot be written.
    """
    path = folder / f"{name}.json"
    text = dumps(compute(name)) + "\n"
    with written_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def write_readme(folder: Path) -> None:
    """Write the description of the files beside them."""
    with written_atomically(folder / "README.md") as temporary:
        temporary.write_text(README, encoding="utf-8")


def is_complete(path: Path, system: System) -> bool:
    """Whether the file is whole and holds this very system."""
    try:
        load(path)
    except InputError:
        return False
    document = loads(path.read_text(encoding="utf-8"))
    expected = inputs(system)
    results = document["results"]
    features = [(f["width"], f["l_max"], f["self_interaction"]) for f in results["features"]]
    return (
        all(document.get(key) == value for key, value in expected.items())
        and features == [(f.width, f.l_max, f.self_interaction) for f in system.features]
        and results["potential_at"]["points"] == [list(point) for point in system.points]
        and ("madelung" in document) == (system.madelung is not None)
    )


def load(path: str | os.PathLike[str]) -> GoldenSystem:
    """Read a golden file.

    Raises:
        InputError: no such file, not JSON (truncated), not a golden file, a missing entry, a wrong
            shape, a number that is not finite.
    """
    try:
        document = loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"cannot read {path}: not a text file") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"cannot read {path}: not whole JSON: {error.msg} at line {error.lineno}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    reader = _Reader(path, document, "")
    if reader.value("format", str) != FORMAT or reader.value("version", int) != VERSION:
        raise InputError(f"cannot read {path}: not version {VERSION} of {FORMAT!r}")
    return _system(reader)


def _system(reader: _Reader) -> GoldenSystem:
    boundary, external = reader.part("boundary"), reader.part("external")
    results = reader.part("results")
    species = tuple(map(str, reader.value("species", list)))
    number, l_max = len(species), reader.value("l_max", int)
    shape = (number, (l_max + 1) ** 2)
    charges = external.parts("charges")
    periodic = boundary.value("periodic", list)
    kind = boundary.value("kind", str)
    flags = {"open": 0, "slab": 2, "periodic": 3}
    if len(periodic) != 3 or set(periodic) - {True, False} or flags.get(kind) != sum(periodic):
        raise InputError(
            f"cannot read {reader.path}: boundary.kind is {kind!r}, boundary.periodic is {periodic}"
        )
    permittivity = boundary.optional("surface_permittivity", ())
    features = tuple(_feature(part, number) for part in results.parts("features"))
    at = results.part("potential_at")
    points = at.rows("points")
    return GoldenSystem(
        name=reader.value("name", str),
        description=reader.value("description", str),
        kind=kind,
        cell=boundary.optional("cell", (3, 3))
        if kind == "open"
        else boundary.array("cell", (3, 3)),
        periodic=(periodic[0], periodic[1], periodic[2]),
        screening=boundary.number("screening"),
        surface_permittivity=float("inf") if permittivity is None else float(permittivity),
        external_field=external.optional("field", (3,)),
        external_positions=np.array([part.array("position", (3,)) for part in charges]).reshape(
            -1, 3
        ),
        external_charges=np.array([part.number("charge") for part in charges]),
        species=species,
        positions=reader.array("positions", (number, 3)),
        widths=reader.array("widths", (number,)),
        l_max=l_max,
        multipoles=reader.array("multipoles", shape),
        energy=results.number("energy"),
        external_energy=results.number("external_energy"),
        self_energy=results.number("self_energy"),
        potential=results.array("potential", shape),
        features=features,
        points=points,
        potential_at=at.array("values", (len(points),)),
        forces=results.array("forces", (number, 3)),
        strain_derivative=results.optional("strain_derivative", (3, 3)),
        stress=results.optional("stress", (3, 3)),
        madelung=_scalar(reader, "madelung"),
        madelung_wigner_seitz=_scalar(reader, "madelung_wigner_seitz"),
        digits=reader.value("digits", int),
        references=tuple(map(str, reader.value("references", list))),
    )


def _feature(reader: _Reader, number: int) -> GoldenFeature:
    l_max = reader.value("l_max", int)
    return GoldenFeature(
        reader.number("width"),
        l_max,
        reader.value("self_interaction", bool),
        reader.array("values", (number, (l_max + 1) ** 2)),
    )


def _scalar(reader: _Reader, key: str) -> float | None:
    return reader.number(key) if key in reader.content else None


class _Reader:
    """Entries of one JSON object by name, each of the type and shape asked for."""

    def __init__(self, path: str | os.PathLike[str], content: Any, place: str) -> None:
        self.path, self.place = path, place
        if not isinstance(content, dict):
            raise InputError(f"cannot read {path}: {place or 'the document'} is not an object")
        self.content = content

    def value(self, key: str, kind: type) -> Any:
        if key not in self.content:
            raise InputError(f"cannot read {self.path}: {self.place}{key} is missing")
        value = self.content[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InputError(
                f"cannot read {self.path}: {self.place}{key} is no {kind.__name__}: {value!r:.60}"
            )
        return value

    def part(self, key: str) -> _Reader:
        return _Reader(self.path, self.value(key, dict), f"{self.place}{key}.")

    def parts(self, key: str) -> list[_Reader]:
        entries = self.value(key, list)
        return [
            _Reader(self.path, entry, f"{self.place}{key}[{index}].")
            for index, entry in enumerate(entries)
        ]

    def number(self, key: str) -> float:
        return float(self.array(key, ()))

    def rows(self, key: str) -> FloatArray:
        return self.array(key, (len(self.value(key, list)), 3))

    def optional(self, key: str, shape: tuple[int, ...]) -> FloatArray | None:
        if key in self.content and self.content[key] is None:
            return None
        return self.array(key, shape)

    def array(self, key: str, shape: tuple[int, ...]) -> FloatArray:
        value = self.value(key, object)
        try:
            array = np.asarray(value, dtype=object)
            result = array.astype(np.float64)
        except (TypeError, ValueError):
            raise InputError(
                f"cannot read {self.path}: {self.place}{key} holds something else than numbers"
            ) from None
        if 0 in shape and result.size == 0:
            result = result.reshape(shape)
        if result.shape != shape:
            raise InputError(
                f"cannot read {self.path}: {self.place}{key} has shape {result.shape}, "
                f"expected {shape}"
            )
        if not np.all(np.isfinite(result)):
            raise InputError(f"cannot read {self.path}: {self.place}{key} is not finite")
        return result
