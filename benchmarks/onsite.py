"""On-site tight binding, dense: time and memory of equilibration and forces against one eigh.

    python benchmarks/onsite.py [M ...]

Prints, for the insulator and the metal of model B, wall time, peak memory of the process so far,
and the ratio to one symmetric eigenproblem of the same size by NumPy in the same run: the floor
that no dense self-consistency can go below once per density build.
"""

import math
import resource
import sys
import time

import numpy as np

from scc.configuration import chain
from scc.equilibration import equilibrate
from scc.functional import EnergyFunctional
from scc.models import OnsiteTightBinding, model_b

CASES = {"insulator": (2.0, (1.4, 0.6), math.inf), "metal": (0.0, (1.2, 0.8), 10.0)}


def main(sizes: list[int]) -> None:
    """Run all cases at the given numbers of atoms."""
    print(f"{'case':10} {'M':>5} {'eigh/s':>8} {'SCF/s':>8} {'forces/s':>8} {'builds':>6} ", end="")
    print(f"{'SCF/(builds eigh)':>18} {'peak/GB':>8}")
    for atoms in sizes:
        configuration = chain(atoms, (1.0, 1.3), ("Na", "Cl"))
        for name, (gap, charges, beta) in CASES.items():
            bound = OnsiteTightBinding(model_b(gap=gap, charges=charges)).prepare(configuration)
            functional = EnergyFunctional(bound, beta=beta)
            start = time.perf_counter()
            np.linalg.eigh(bound.hamiltonian(functional.initial_features()))
            eigh = time.perf_counter() - start
            start = time.perf_counter()
            found = equilibrate(functional, throw=True)
            scf = time.perf_counter() - start
            start = time.perf_counter()
            assert np.all(np.isfinite(found.forces))
            forces = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            builds = found.density_builds
            print(f"{name:10} {atoms:5d} {eigh:8.2f} {scf:8.2f} {forces:8.2f} {builds:6d} ", end="")
            print(f"{scf / (builds * eigh):18.2f} {peak:8.2f}", flush=True)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [500, 1000, 2000])
