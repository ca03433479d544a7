"""Electrostatics side by side with its peers: time, memory and actual error in one run.

    python benchmarks/electrostatics.py [atoms ...]

Periodic water, one thread. Point charges at the numbers of atoms given: up to 20000 against
torch-pme (P3M; Ewald to 2000) and pymatgen (to 300), where installed, each with the settings that
are its fastest within a relative rms force error of 1e-5; larger boxes alone, for the power of N.
Gaussian charges and dipoles with eight features an atom, 1536 atoms, against a direct sum in k.

*First* is everything from positions to energy and forces (parameters, neighbours, meshes), *second*
the next application at the same positions. Times are CPU seconds, so that other users of the
machine do not count, and codes take turns, so that they disturb all alike: medians, and medians of
each turn's ratio. Memory is the peak of a fresh process, interpreter and libraries included. Errors
are actual: of the forces relative to their rms, of the energy relative to ½Σ|p·V|, against this
package at a tolerance of 1e-10 (1e-7 above 20000 atoms), which pymatgen and the direct sum confirm
independently.
"""

import math
import os
import sys

import numpy as np
from codes import Code, available, code_of, gaussian_code, scc_code
from measure import Line, compare, heading, own_peak, peak_of
from tuning import best_direct, best_ewald, best_p3m, best_pymatgen
from water_boxes import ANGSTROM, edge_of, water_box, water_charges, water_multipoles

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics

ACCURACY = 1e-5
DEFAULT = [192, 1536, 5184, 12288, 24000, 52728, 98304]
WITH_PEERS, WITH_EWALD, WITH_PYMATGEN = 20000, 2000, 300  # largest numbers of atoms
GAUSSIANS = ((1.0, (1.0, 2.0)), (0.6, (0.6, 1.2)))  # Å: width, feature widths
GAUSSIAN_ATOMS = 1536


def main(sizes: list[int]) -> None:
    """All tables, then the figures of merit."""
    print(f"an empty process with all of scc's imports: {peak_of(()):.2f} GB")
    missing = [
        name
        for name, modules in (
            ("torch-pme", ("torch", "torchpme", "vesin")),
            ("pymatgen", ("pymatgen",)),
        )
        if not available(*modules)
    ]
    for name in missing:
        print(f"{name}: not installed, left out")
    warm_up()
    tables = {}
    for atoms in sizes:
        configuration = water_box(edge_of(atoms))
        tables[len(configuration)] = point_charges(configuration, missing)
    gaussians = [gaussian_multipoles(width, features) for width, features in GAUSSIANS]
    figures_of_merit(tables, gaussians, other_tolerances())


def point_charges(configuration: Configuration, missing: list[str]) -> list[Line]:
    """One table."""
    atoms, charges = len(configuration), water_charges(configuration)
    exact = Reference(configuration, charges)
    codes: list[Code | None] = [scc_code("auto", ACCURACY)]
    if atoms <= WITH_PEERS and "torch-pme" not in missing:
        codes.append(best_p3m(configuration, charges, exact.excess))
    if atoms <= WITH_EWALD:
        codes.append(scc_code("ewald", ACCURACY))
        if "torch-pme" not in missing:
            codes.append(best_ewald(configuration, charges, exact.excess))
    if atoms <= WITH_PYMATGEN and "pymatgen" not in missing:
        codes.append(best_pymatgen(exact.excess))
    print(f"\npoint charges, {atoms} atoms, errors of 1e-5")
    return run([code for code in codes if code is not None], exact)


def gaussian_multipoles(width: float, features: tuple[float, ...]) -> list[Line]:
    """One table; widths in Å."""
    configuration = water_box(edge_of(GAUSSIAN_ATOMS))
    widths = tuple(sigma * ANGSTROM for sigma in (width, *features))
    exact = Reference(configuration, water_multipoles(configuration), widths)
    direct = best_direct(exact.excess, widths[0], widths[1:])
    assert direct is not None
    print(
        f"\nGaussian charges and dipoles of width {width} Å with features of widths "
        f"{' and '.join(map(str, features))} Å, λ ≤ 1, {len(configuration)} atoms, errors of 1e-5"
    )
    return run([gaussian_code(ACCURACY, *widths), direct], exact)


def run(codes: list[Code], exact: "Reference") -> list[Line]:
    """Time, print, return."""
    print(heading(), flush=True)
    turns = 7 if len(exact.configuration) < 3000 else 5 if len(exact.configuration) < 30000 else 3
    lines = compare(codes, exact.configuration, exact.multipoles, exact.errors, turns)
    for line in lines:
        print(line, flush=True)
    return lines


def other_tolerances() -> list[tuple[float, Line]]:
    """Asked and actual errors from loose to tight."""
    configuration = water_box(edge_of(1536))
    exact = Reference(configuration, water_charges(configuration))
    print(f"\nasked and actual errors, point charges, {len(configuration)} atoms\n{heading()}")
    found = []
    for tolerance in (1e-3, 1e-6, 1e-9):
        for method in ("auto", "ewald"):
            code = scc_code(method, tolerance)
            (line,) = compare([code], configuration, exact.multipoles, exact.errors, 3)
            print(f"{line}, for {tolerance:g}", flush=True)
            found.append((tolerance, line))
    return found


class Reference:
    """Energy, forces and features to compare with.

    Args:
        widths: of the multipoles and of the features, bohr; none for points.
    """

    def __init__(
        self, configuration: Configuration, multipoles: FloatArray, widths: tuple[float, ...] = ()
    ) -> None:
        self.configuration, self.multipoles = configuration, multipoles
        operator = MultipoleElectrostatics(
            configuration,
            widths[0] if widths else 0.0,
            l_max=1 if widths else 0,
            method="mesh",
            tolerance=1e-10 if len(configuration) <= WITH_PEERS else 1e-7,
            reference=multipoles,
        )
        self._exact = operator.evaluate(multipoles)
        self._features = operator.features(widths[1:], 1)(multipoles) if widths else None
        potential = self._exact.potential.reshape(multipoles.shape)
        self._scale = 0.5 * float(np.sum(np.abs(multipoles * potential)))

    def errors(self, code: Code) -> tuple[float, float, float]:
        """Relative errors of forces, energy and features."""
        found = code.prepare(self.configuration, self.multipoles)(self.multipoles)
        features = math.nan
        if found.features is not None and self._features is not None:
            features = _relative(found.features, self._features)
        force = _relative(found.forces, self._exact.forces)
        return force, abs(found.energy - self._exact.energy) / self._scale, features

    def excess(self, code: Code) -> float:
        """Error of the forces over the error allowed."""
        return self.errors(code)[0] / ACCURACY


def _relative(found: FloatArray, exact: FloatArray) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def warm_up() -> None:
    """Imports and whatever is tabulated once in a process."""
    configuration = water_box(2)
    scc_code("auto", ACCURACY).prepare(configuration, water_charges(configuration))
    gaussian_code(ACCURACY, 1.0, 1.0).prepare(configuration, water_multipoles(configuration))


def figures_of_merit(
    tables: dict[int, list[Line]],
    gaussians: list[list[Line]],
    tolerances: list[tuple[float, Line]],
) -> None:
    """What was asked for and what was found."""
    print(f"\n{'':64} {'asked':>8} {'found':>8}")

    def say(what: str, asked: float, found: float, at_least: bool = False) -> None:
        holds = found >= asked if at_least else found <= asked
        sign = "≥" if at_least else "≤"
        note = "" if holds else "  missed"
        print(f"{what:64} {sign + f'{asked:g}':>8} {found:8.3g}{note}")

    for atoms, lines in tables.items():
        for line in lines[1:]:
            if line.name == "torch-pme P3M" and atoms >= 1500:
                say(f"time over torch-pme P3M's, {atoms} atoms", 1.0, line.ratio)
        own = lines[0]
        if atoms >= 1500:
            say(f"second application over the first, {atoms} atoms", 0.4, own.second / own.first)
        if 12000 <= atoms <= 13000:
            say(f"memory/GB, {atoms} atoms", 1.0, own.peak)
        say(f"actual over asked error, {atoms} atoms", 1.0, own.worst / ACCURACY)
    large = [(atoms, lines[0].first) for atoms, lines in tables.items() if atoms >= 5000]
    if len(large) >= 3:
        size, seconds = np.log(np.array(large)).T
        power = float(np.polyfit(size, seconds, 1)[0])
        say(f"power of N, {large[0][0]} to {large[-1][0]} atoms", 1.15, power)
    for tolerance, line in tolerances:
        say(f"{line.name}: actual over asked error, {tolerance:g}", 1.0, line.worst / tolerance)
        if tolerance == 1e-3:
            say(f"{line.name}: asked over actual error, {tolerance:g}", 100.0, 1e-3 / line.worst)
    for (width, _), lines in zip(GAUSSIANS, gaussians, strict=True):
        name = f"Gaussians of {width} Å"
        say(f"{name}: times as fast as direct k-space, first", 10.0, 1.0 / lines[1].ratio, True)
        print(f"{f'{name}: the same, second':64} {'-':>8} {lines[1].second / lines[0].second:8.3g}")
        say(f"{name}: seconds", 0.5, lines[0].first)


def measure_peak(words: tuple[str, ...], atoms: int) -> None:
    """In a fresh process: prepare and apply twice, print the peak memory in GB."""
    if words:
        configuration = water_box(edge_of(atoms))
        gaussian = words[0] in ("scc-gaussian", "k-space")
        values = (water_multipoles if gaussian else water_charges)(configuration)
        prepared = code_of(words).prepare(configuration, values)
        prepared(values)
        prepared(1.1 * values)
    print(own_peak())


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":
        # libraries look at it when they are loaded, so that it is too late for this process
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **one})
    if sys.argv[1:2] == ["--peak"]:
        measure_peak(tuple(sys.argv[3:]), int(sys.argv[2]))
    else:
        main([int(argument) for argument in sys.argv[1:]] or DEFAULT)
