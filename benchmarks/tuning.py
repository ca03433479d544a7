"""Settings of the peers: the fastest that meet the accuracy for the very system that is timed.

Each search has the *actual* error in view, which a user has not: it flatters the peers, whose
timings stop just short of the error allowed, while this package is only told the tolerance.
"""

import math
import time
from collections.abc import Callable

import numpy as np
from codes import Code, TorchSettings, direct_code, pymatgen_code, torch_code
from water_boxes import ANGSTROM

from scc.arrays import FloatArray
from scc.configuration import Configuration

ForceError = Callable[[Code], float]


def best_p3m(configuration: Configuration, charges: FloatArray, error: ForceError) -> Code | None:
    """For each mesh and ratio the shortest cut-off within the accuracy; the fastest of them.

    Five nodes are the most that torch-pme has; with four it was not faster at 1e-5, nor in float32.
    """
    candidates = []
    for mesh in (2.0**n for n in range(4, 10)):
        spacing = _edge(configuration) / mesh
        if not 0.25 <= spacing / ANGSTROM <= 0.9:
            continue
        for ratio in (4.6, 4.9):

            def code(cutoff: float, nodes: float = mesh, widths: float = ratio) -> Code:
                return torch_code("P3M", TorchSettings(widths, cutoff, mesh=nodes))

            # such splines want a smearing of two to four spacings
            cutoff = _smallest(code, error, 1.6 * spacing * ratio, 4.5 * spacing * ratio)
            if cutoff is not None:
                candidates.append(code(cutoff))
    return _fastest(candidates, configuration, charges)


def best_ewald(configuration: Configuration, charges: FloatArray, error: ForceError) -> Code | None:
    """For some cut-offs the longest wavelength within the accuracy; the fastest of them."""
    candidates = []
    ratio = 4.7
    for cutoff in np.array([8.0, 11.0, 15.0]) * ANGSTROM:

        def code(largest: float, distance: float = cutoff) -> Code:
            return torch_code("Ewald", TorchSettings(ratio, distance, wavelength=1.0 / largest))

        # e^{−k²σ²/2} is 1e-5 at kσ = 4.8, but not all waves up to there are kept
        unit = ratio / (2.0 * math.pi * cutoff)
        largest = _smallest(code, error, 5.0 * unit, 12.0 * unit)
        if largest is not None:
            candidates.append(code(largest))
    return _fastest(candidates, configuration, charges)


def best_pymatgen(error: ForceError) -> Code | None:
    """The smallest ``acc_factor`` that will do."""
    for factor in (4.0, 4.5, 5.0, 6.0, 8.0, 10.0, 12.0):
        if error(pymatgen_code(factor)) <= 1.0:
            return pymatgen_code(factor)
    return None


def best_direct(error: ForceError, width: float, feature_widths: tuple[float, ...]) -> Code | None:
    """The smallest k_c that will do; e^{−k²σ²} is what cuts a sum over Gaussians off."""

    def code(cutoff: float) -> Code:
        return direct_code(cutoff, width, *feature_widths)

    cutoff = _smallest(code, error, 3.0 / width, 4.2 / width)
    return None if cutoff is None else code(cutoff)


def _smallest(
    code: Callable[[float], Code], error: ForceError, low: float, high: float
) -> float | None:
    """The smallest setting, to 3 %, with an error of at most 1 (error over error allowed)."""
    if error(code(high)) > 1.0:
        return None
    if error(code(low)) <= 1.0:
        return low
    while high / low > 1.03:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if error(code(middle)) <= 1.0 else (middle, high)
    return high


def _fastest(
    candidates: list[Code], configuration: Configuration, charges: FloatArray
) -> Code | None:
    """By the better of two timings each, in turns."""
    seconds = [math.inf] * len(candidates)
    for _ in range(2):
        for index, code in enumerate(candidates):
            start = time.process_time()
            code.prepare(configuration, charges)(charges)
            seconds[index] = min(seconds[index], time.process_time() - start)
    return candidates[int(np.argmin(seconds))] if candidates else None


def _edge(configuration: Configuration) -> float:
    assert configuration.cell is not None
    return float(configuration.cell[0, 0])
