"""Times of several codes in turns, peak memory in fresh processes, a line of a table for each.

Times are CPU seconds of a process of one thread: what a clock would show on an idle machine.
"""

import gc
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from codes import Code

from scc.arrays import FloatArray
from scc.configuration import Configuration


class Line(NamedTuple):
    """One code at one system; ``ratio`` is the first code's time over this one's."""

    name: str
    first: float
    second: float
    peak: float
    force: float
    energy: float
    features: float
    ratio: float
    settings: str

    @property
    def worst(self) -> float:
        """The larger error of forces and energy."""
        return max(self.force, self.energy)

    def __str__(self) -> str:
        second = "-" if math.isnan(self.second) else f"{self.second:.4f}"
        features = "-" if math.isnan(self.features) else f"{self.features:.1e}"
        return (
            f"{self.name:16} {self.first:8.4f} {second:>8} {self.peak:8.2f} {self.force:8.1e} "
            f"{self.energy:8.1e} {features:>8} {self.ratio:8.2f}  {self.settings}"
        )


def heading() -> str:
    """Of the table."""
    return (
        f"{'code':16} {'first/s':>8} {'second/s':>8} {'peak/GB':>8} {'forces':>8} {'energy':>8} "
        f"{'features':>8} {'scc/this':>8}  settings"
    )


def compare(
    codes: list[Code],
    configuration: Configuration,
    multipoles: FloatArray,
    errors: Callable[[Code], tuple[float, float, float]],
    turns: int,
) -> list[Line]:
    """A line for each code."""
    firsts: list[list[float]] = [[] for _ in codes]
    seconds: list[list[float]] = [[] for _ in codes]
    settings = [""] * len(codes)
    for _ in range(turns):
        for index, code in enumerate(codes):
            gc.collect()
            start = time.process_time()
            prepared = code.prepare(configuration, multipoles)
            prepared(multipoles)
            middle = time.process_time()
            if code.keeps:
                # other multipoles, so that no result can be kept
                prepared(1.1 * multipoles)
            end = time.process_time()
            firsts[index].append(middle - start)
            seconds[index].append(end - middle if code.keeps else math.nan)
            settings[index] = prepared.settings()
            del prepared
    lines = []
    for code, first, second, words in zip(codes, firsts, seconds, settings, strict=True):
        ratio = median(own / other for own, other in zip(firsts[0], first, strict=True))
        lines.append(
            Line(
                code.name,
                median(first),
                median(second),
                peak_of(code.words, len(configuration)),
                *errors(code),
                ratio,
                words,
            )
        )
    return lines


def peak_of(words: tuple[str, ...], atoms: int = 0) -> float:
    """Peak memory, GB, of a fresh process that prepares and applies a code twice."""
    script = Path(__file__).with_name("electrostatics.py")
    command = [sys.executable, str(script), "--peak", str(atoms), *words]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(found.stdout)


def own_peak() -> float:
    """Peak memory of this process, GB."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss of a child starts from what its parent held when it was forked
        (line,) = [row for row in status.read_text().splitlines() if row.startswith("VmHWM")]
        return float(line.split()[1]) / 1e6
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
