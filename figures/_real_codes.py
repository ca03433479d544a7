"""Measurements on other people's codes, shared by the figure ``real_codes`` and its notebook."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from scc.adapters.solution import Solution
from scc.configuration import Configuration, chain
from scc.units import ANGSTROM

# O–H 0.9572 Å, 104.52°: examples/README.md.
WATER = Configuration(
    ("O", "H", "H"),
    np.array([[0.0, 0.0, 0.0], [0.756950, 0.0, 0.585882], [-0.756950, 0.0, 0.585882]]) * ANGSTROM,
)
SODIUM = 7.0
"""Distance of neighbours in the chains of sodium, bohr: 3.70 Å; 3.66 Å in bulk sodium."""

ACCURACY = 0.01
"""tblite's ``accuracy``, whatever the battery asks of it: residual 2e-7 in charges and moments."""


def xtb(name: str) -> Any:
    """``gfn1`` or ``gfn2`` to :data:`ACCURACY`."""
    from scc.adapters.tblite import TBLiteSubject

    return TBLiteSubject(f"{name.upper()}-xTB", name=name, threshold=ACCURACY)


def versions() -> str:
    """Of what is measured, one line."""
    return ", ".join(f"{package} {version(package)}" for package in ("tblite", "pyscf", "numpy"))


def sodium_chains(subject: Any, sizes: Sequence[int]) -> list[Solution]:
    """Solutions of chains of that many atoms, each from the code's own start."""
    return [subject.solve(chain(size, SODIUM, "Na")) for size in sizes]


def stretched(subject: Any, pair: tuple[str, str], distances: Sequence[float]) -> list[Solution]:
    """A diatomic molecule at these distances (Å), each from the last converged one."""
    found: list[Solution] = []
    last: Solution | None = None
    for distance in distances:
        positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, distance * ANGSTROM]])
        solved = subject.solve(Configuration(pair, positions), last)
        found.append(solved)
        last = solved if solved.converged else last
    return found


def rotated_energies(subject: Any, rotations: int, seed: int = 0) -> np.ndarray:
    """Energies of one water molecule in random orientations, Hartree, (rotations,)."""
    matrices = Rotation.random(rotations, random_state=seed).as_matrix()
    energies = [
        subject.solve(Configuration(WATER.species, WATER.positions @ matrix.T)).energy
        for matrix in matrices
    ]
    return np.array(energies)


def net_force(solution: Solution) -> float:
    """Largest component of Σ forces, Hartree/bohr: 0 where energies see distances alone."""
    return float(np.max(np.abs(np.sum(solution.forces, axis=0))))


def told(solutions: Sequence[Solution]) -> str:
    """Charge of the first atom and iterations of each, on one line."""
    return ", ".join(
        f"{s.charges[0]:.3f} ({s.iterations})" if s.converged else f"none in {s.iterations}"
        for s in solutions
    )
