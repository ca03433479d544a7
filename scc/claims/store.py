"""Results of systems on disk, one pair of files each, so that a run can be resumed and redrawn.

``DIR/data/<claim id>/<key>.json`` holds the result, ``<key>.npz`` its series; the key is a digest
of the parameters. The JSON file is written last: where it exists, the result is complete.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from scc import __version__
from scc.claims.claim import System, SystemResult
from scc.configuration.files import written_atomically
from scc.json_values import plain
from scc.output import write_text


@cache
def code_version() -> str:
    """The version and a digest of the source of scc: results of changed code are not reused.

    During development the version number stays while the code moves; the digest does not.
    """
    digest = hashlib.sha256()
    for package in ("scc", "scc.theory"):
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for source in sorted(Path(folder).rglob("*.py")):
                digest.update(str(source.relative_to(folder)).encode())
                digest.update(source.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


class Store:
    """The results under ``directory``.

    Attributes:
        directory: ``DIR/data``.
        version: written into each result; only results of the same version are found again.
    """

    def __init__(self, directory: Path, version: str | None = None) -> None:
        self.directory = directory
        self.version = code_version() if version is None else version

    def save(self, claim_id: str, system: System, result: SystemResult) -> None:
        """Keep a result of :func:`scc.claims.tasks.measure_system` (its entries are plain JSON).

        Raises:
            InputError: the directory cannot be written.
        """
        path = self._path(claim_id, system)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_atomically(path.with_suffix(".npz")) as temporary:
            np.savez_compressed(temporary, **_as_arguments(result.series))  # type: ignore[arg-type]
        record = {
            "version": self.version,
            "description": result.description,
            "parameters": result.parameters,
            "hypotheses": result.hypotheses,
            "measured": result.measured,
            "predicted": result.predicted,
            "holds": result.holds,
            "series": list(result.series),
            "seconds": result.seconds,
            "error": result.error,
        }
        write_text(path, json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n")

    def load(self, claim_id: str, system: System) -> SystemResult | None:
        """The stored result of this system; ``None`` if there is none, if it is of another version,
        unreadable, or an error (which is worth another try)."""
        path = self._path(claim_id, system)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["version"] != self.version or record["error"] is not None:
                return None
            with (
                path.with_suffix(".npz").open("rb") as file,  # np.load leaves a broken one open
                np.load(file, allow_pickle=False) as arrays,
            ):
                series = {name: arrays[f"{index}"] for index, name in enumerate(record["series"])}
            return SystemResult(
                description=system.description,
                parameters=record["parameters"],
                hypotheses=record["hypotheses"],
                measured=record["measured"],
                predicted=record["predicted"],
                holds=record["holds"],
                series=series,
                seconds=record["seconds"],
            )
        except (OSError, ValueError, KeyError, TypeError, BadZipFile):
            return None

    def _path(self, claim_id: str, system: System) -> Path:
        identity = {
            "parameters": plain(system.parameters),
            "counterexample": system.counterexample,
        }
        text = json.dumps(identity, sort_keys=True, allow_nan=False)
        return self.directory / claim_id / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def _as_arguments(series: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    # Names of arrays are free text ("dE/dv", even "file"); in the archive they are numbered.
    return {f"{index}": array for index, array in enumerate(series.values())}
