"""What every property works with: a subject, the structures it accepts, and their solutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from scc.arrays import FloatArray
from scc.battery.arrangements import side_by_side
from scc.battery.subject import Solved, Subject, UnsupportedError, unsupported_is_said
from scc.configuration import Configuration
from scc.errors import InputError

SEED = 20240615
"""Of every random direction, rotation and start: a battery that is run twice measures the same."""

SLACK = 10.0
"""Two solutions of one state differ by this many times the accuracy at most: each is off by one
accuracy in its charges; the rest is for the stiffness of energies and forces."""

_ROUNDING = 1e-13
"""Of an energy: sums of some thousand terms of either sign lose this much."""


@dataclass
class Bench:
    """A subject on its structures (bohr), those it refuses left out.

    Attributes:
        refused: index of a structure that was left out → why.
    """

    subject: Subject
    structures: list[Configuration]
    refused: dict[int, str] = field(default_factory=dict)
    _solved: dict[int, tuple[Configuration, Solved]] = field(default_factory=dict)
    _grown: dict[int, Configuration] = field(default_factory=dict)

    @classmethod
    def of(cls, subject: Subject, structures: Sequence[Configuration]) -> Bench:
        """Sort out the structures with elements the subject does not know, or that it refuses.

        A subject that was made for some structures only refuses others by its ``require``.

        Raises:
            InputError: no structure is left; the line has the reason of the first.
        """
        bench = cls(subject, [])
        for index, structure in enumerate(structures):
            reason = _unknown_elements(subject, structure)
            if reason is None:
                try:
                    require = getattr(subject, "require", None)
                    if require is not None:
                        require(structure)
                    bench.solve(structure)
                except InputError as error:
                    reason = str(error)
            if reason is None:
                bench.structures.append(structure)
            else:
                bench.refused[index] = reason
        if not bench.structures:
            why = next(iter(bench.refused.values()), "none was given")
            raise InputError(f"no structure that {subject.name} accepts: {why}")
        return bench

    @property
    def smallest(self) -> Configuration:
        """The structure with the fewest atoms."""
        return min(self.structures, key=len)

    @property
    def tolerance(self) -> float:
        """e and Hartree/bohr: what charges and forces of one state may differ by."""
        return SLACK * self.subject.accuracy

    @property
    def energy_accuracy(self) -> float:
        """Of the subject's energies, Hartree, those of its terms' rounding included."""
        accuracy = self.subject.accuracy
        told = float(getattr(self.subject, "energy_accuracy", accuracy**2))
        return told + _ROUNDING * abs(self.solve(self.smallest).energy)

    @property
    def energy_tolerance(self) -> float:
        """Hartree: what energies of one state may differ by."""
        return SLACK * self.energy_accuracy

    def random(self) -> np.random.Generator:
        """The generator every property starts with."""
        return np.random.default_rng(SEED)

    def solve(self, configuration: Configuration) -> Solved:
        """The subject's own solution, converged or not, found once."""
        known = self._solved.get(id(configuration))
        if known is None:
            known = (configuration, self.subject.solve(configuration))
            self._solved[id(configuration)] = known
        return known[1]

    def solution(self, configuration: Configuration) -> Solved:
        """As :meth:`solve`. Raises UnsupportedError where it did not converge."""
        solved = self.solve(configuration)
        if not solved.converged:
            raise UnsupportedError(f"no converged solution for {described(configuration)}")
        return solved

    def fresh(self, configuration: Configuration) -> Solved:
        """As :meth:`solution`, for a configuration that no other property will ask for again."""
        solved = self.subject.solve(configuration)
        if not solved.converged:
            raise UnsupportedError(f"no converged solution for {described(configuration)}")
        return solved

    def grown(self, atoms: int) -> Configuration:
        """Copies of the smallest structure side by side, up to ``atoms`` or the subject's largest.

        Raises:
            UnsupportedError: a periodic structure, or no room for a second copy.
        """
        unit = self.smallest
        copies = min(atoms, self.subject.largest) // len(unit)
        if copies < 2:
            raise UnsupportedError(
                f"{self.subject.name} is too costly for two copies of {described(unit)} "
                f"(largest: {self.subject.largest} atoms)"
            )
        if copies not in self._grown:  # the same object: its solution is found once
            self._grown[copies] = side_by_side(unit, copies)
        return self._grown[copies]


def charges_of(solved: Solved) -> FloatArray:
    """Net charges (M,), e. Raises UnsupportedError(why) where the subject has none."""
    with unsupported_is_said():
        return np.asarray(solved.charges, dtype=np.float64)


def forces_of(solved: Solved) -> FloatArray:
    """Forces (M, 3), Hartree/bohr. Raises UnsupportedError(why) where the subject has none."""
    with unsupported_is_said():
        return np.asarray(solved.forces, dtype=np.float64)


def observables(solved: Solved) -> dict[str, FloatArray]:
    """Energy (1,), and charges (M,) and forces (M, 3) where the subject has them."""
    found = {"energy": np.array([solved.energy])}
    for name, of in (("charges", charges_of), ("forces", forces_of)):
        try:
            found[name] = of(solved)
        except UnsupportedError:
            continue
    return found


def described(configuration: Configuration) -> str:
    """``H4O2 (6 atoms)``."""
    symbols = sorted(set(configuration.species))
    counts = [(s, configuration.species.count(s)) for s in symbols]
    formula = "".join(s if n == 1 else f"{s}{n}" for s, n in counts)
    return f"{formula} ({len(configuration)} atom{'s' * (len(configuration) > 1)})"


def _unknown_elements(subject: Subject, structure: Configuration) -> str | None:
    if subject.elements is None:
        return None
    unknown = sorted(set(structure.species) - subject.elements)
    return f"element {unknown[0]} is unknown to {subject.name}" if unknown else None
