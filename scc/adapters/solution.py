"""What an adapter returns: a structure solved by somebody else's code, in atomic units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import ConvergenceError, InputError


@dataclass
class Solution:
    """A self-consistent state of another code, or its admission that there is none.

    Attributes:
        configuration: the structure.
        converged: by the code's own criterion.
        residuals: what the code itself judges convergence of the density by, one number a density
            build, and only for those builds that it tells of.
        iterations: density builds, all of them.
        energy: Hartree; NaN where nothing converged.
        restart: what a later ``solve`` starts from; None where there is nothing.
        read: name → value; called once for each of ``forces``, ``charges``, ``dipole``.

    ``forces`` (M, 3) Hartree/bohr, ``charges`` (M,) e and ``dipole`` (3,) e·bohr raise
    ConvergenceError where nothing converged, NotImplementedError(why) where the code cannot.
    """

    configuration: Configuration
    converged: bool
    residuals: Sequence[float]
    iterations: int
    energy: float
    restart: Any
    read: Callable[[str], FloatArray]

    @cached_property
    def forces(self) -> FloatArray:
        """−dE/dr."""
        return self._asked("forces")

    @cached_property
    def charges(self) -> FloatArray:
        """Net atomic charges q = Z − electrons, as the code partitions them (Mulliken)."""
        return self._asked("charges")

    @cached_property
    def dipole(self) -> FloatArray:
        """Σ Z r − ∫ρ x, about the origin."""
        return self._asked("dipole")

    def _asked(self, name: str) -> FloatArray:
        if not self.converged:
            raise ConvergenceError(
                f"no {name}: the SCF did not converge in {self.iterations} iterations"
            )
        return np.asarray(self.read(name), dtype=np.float64)


def unsolved(configuration: Configuration, residuals: Sequence[float]) -> Solution:
    """Of an SCF that gave up without a state to start from, after these residuals."""

    def read(name: str) -> FloatArray:
        raise ConvergenceError(f"no {name}: nothing was solved")

    return Solution(configuration, False, residuals, len(residuals), math.nan, None, read)


Start: TypeAlias = "Solution | FloatArray | np.random.Generator | None"
"""Where an SCF begins: an earlier solution of as many atoms of the same species, charges or a
density in the code's own basis, a random start drawn by a generator, or the code's own."""


def restart_of(initial: Solution, configuration: Configuration) -> Any:
    """The restart data of an earlier solution, which must be of the same atoms elsewhere.

    Raises:
        InputError: other species; or that solution left nothing to start from.
    """
    if initial.configuration.species != configuration.species:
        raise InputError("the initial solution is of other atoms")
    if initial.restart is None:
        raise InputError("the initial solution left nothing to start from")
    return initial.restart


def require_open(configuration: Configuration, code: str) -> None:
    """InputError for periodic structures, which the adapter of ``code`` does not translate."""
    if any(configuration.periodic):
        raise InputError(f"the adapter of {code} knows open boundaries only: the cell is periodic")
