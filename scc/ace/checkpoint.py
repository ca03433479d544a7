"""Stages of a long calculation, each kept in a file as soon as it is finished.

    stages = Checkpoint(folder, key, resume=True)
    found = stages.run("density", lambda: {"theta": …})

A stage takes what it computes from earlier stages and from what ``key`` describes, nothing else: a
calculation killed at any moment and resumed then ends with the same bits. Files are NumPy archives
without pickles, written whole or not at all; a damaged one is computed again.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.configuration.files import written_atomically
from scc.errors import InputError

_KEY = "key.json"


class Checkpoint:
    """Finished stages in a folder.

    Args:
        folder: made here, and removed by :meth:`finish`.
        key: JSON values that say what is calculated: data, options, version.
        resume: keep finished stages that are there; else they are removed.
        report: called with the name of each stage and whether it was found.
    Raises:
        InputError: resuming what has another key or is no such folder; a folder of that name that
            is not a checkpoint; a folder that cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        key: Mapping[str, Any],
        resume: bool = False,
        report: Callable[[str, bool], None] = lambda name, found: None,
    ) -> None:
        self.folder, self._report = folder, report
        text = json.dumps(dict(key), sort_keys=True, allow_nan=False, indent=1)
        there = folder.exists()
        if there and not (folder / _KEY).is_file():
            raise InputError(f"{folder} exists and is not a checkpoint of scc")
        if resume and there:
            self._check(text)
            return
        try:
            if there:
                shutil.rmtree(folder)
            folder.mkdir()
        except OSError as error:
            raise InputError(f"cannot write {folder}: {error.strerror}") from None
        with written_atomically(folder / _KEY) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def run(
        self, name: str, compute: Callable[[], Mapping[str, FloatArray]]
    ) -> dict[str, FloatArray]:
        """The arrays of a stage, from its file if it is finished."""
        path = self.folder / f"{name}.npz"
        kept = self._load(path)
        self._report(name, kept is not None)
        if kept is not None:
            return kept
        arrays = {key: np.asarray(value, dtype=np.float64) for key, value in compute().items()}
        with written_atomically(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        return arrays

    def finish(self) -> None:
        """Remove the folder: everything is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self, text: str) -> None:
        path = self.folder / _KEY
        try:
            found = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {path}: {error}") from None
        if found != text:
            raise InputError(
                f"{self.folder} is the checkpoint of another fit (other data, options or version); "
                "start again without --resume"
            )

    @staticmethod
    def _load(path: Path) -> dict[str, FloatArray] | None:
        try:
            content = io.BytesIO(path.read_bytes())
            with np.load(content, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
            return None
