"""The contract of a subject: what the battery asks of anybody's self-consistent model.

A :class:`Subject` solves structures. That alone – energy, forces, charges, iterations – is enough
for most properties. What only some models can tell is a method more, each with its own protocol
below; a subject without that method, or one that raises NotImplementedError("why not"), is
*unsupported* in the properties that need it, and the verdict carries the reason.

Nothing has to be imported or subclassed: packages below this one fit by structure alone. Such a
package offers its subjects by name in ``registry.py``: ``SUBJECTS: dict[str, str]`` (name → one
line) and ``subject_by_name(name)``; local models by name are in :mod:`scc.models.registry` instead.

Hartree, bohr, e; net charges q = Z − electrons; V is felt by an electron.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration


class UnsupportedError(Exception):
    """A property that cannot be measured on this subject, or not on these structures; str: why."""


class Solved(Protocol):
    """A structure at self-consistency. ``forces``, ``charges`` and ``dipole`` may raise
    NotImplementedError(why); ``dipole`` may be absent."""

    @property
    def converged(self) -> bool:
        """False also where the code behind gave up; the rest then means nothing."""
        ...

    @property
    def iterations(self) -> int | None:
        """Density builds (and applications of its derivative) to get there; None: not told."""
        ...

    @property
    def energy(self) -> float:
        """Hartree."""
        ...

    @property
    def forces(self) -> FloatArray:
        """−dE/dr (M, 3), Hartree/bohr."""
        ...

    @property
    def charges(self) -> FloatArray:
        """Net atomic charges (M,), e."""
        ...


Start: TypeAlias = Solved | np.random.Generator | None


Require: TypeAlias = Callable[[Configuration], object]


class Subject(Protocol):
    """A model with everything it needs to be solved: closure, temperature, solver, tolerance.

    Attributes:
        name: one word or two, as in the table.
        elements: chemical symbols it knows; None where it does not say.
        accuracy: bound on the error of charges (e) that its own convergence threshold leaves;
            tolerances of the battery that have to do with convergence are multiples of it.
        energy_accuracy: optional; the same of energies, Hartree. Without it, accuracy² (times one
            Hartree/e², a hardness): energies are taken to be stationary in the charges.
        largest: number of atoms up to which a solution takes a second or so; the battery grows
            systems up to here.
        total_charge: the total charge every solution is meant to have, e.
        require: optional; None, or a function that raises InputError for a structure that the model
            was not made for. Given structures are held to it, those made of them are not: they
            stretch and break molecules.
    """

    @property
    def name(self) -> str: ...
    @property
    def elements(self) -> frozenset[str] | None: ...
    @property
    def accuracy(self) -> float: ...
    @property
    def largest(self) -> int: ...
    @property
    def total_charge(self) -> float: ...

    def solve(self, configuration: Configuration, initial: Start = None) -> Solved:
        """Solve from the subject's own start, from an earlier solution of as many atoms of the same
        species (:class:`Solved` of this subject), or from a random start drawn by a Generator.

        Raises:
            InputError: not a structure for this model (the line says why).
            NotImplementedError: it cannot start from ``initial``.
        """
        ...


class Extremes(NamedTuple):
    """The spectrum that decides stability.

    Attributes:
        smallest: smallest real part; the solution is stable iff it is positive.
        largest: largest modulus.
        operator: of what, in one line: "ε = 1 − Kχ₀", "1 − Kχ", "∂²E/∂q² on Σ dq = 0", ….
    """

    smallest: float
    largest: float
    operator: str


@runtime_checkable
class TellsStability(Protocol):
    """A subject with a stability operator."""

    def stability(self, solved: Solved) -> Extremes:
        """Extremes of the spectrum at a solution."""
        ...


@runtime_checkable
class TellsResponse(Protocol):
    """A subject that differentiates its charges; others are differenced."""

    def charge_response(self, solved: Solved, displacement: FloatArray) -> FloatArray:
        """dq (M,) for a displacement dr (M, 3), v̂ following the atoms."""
        ...


class LocalDerivatives(Protocol):
    """Derivatives of E_ℓ(r, v̂) and of the charges of ρ_ℓ(r, v̂) at one (r, v̂), eq. (3.3).

    ``displacement`` is (M, 3), ``direction`` has the shape of v̂. Each method returns (M,), or
    (M, n) where ρ_ℓ has more moments than a charge.
    """

    def feature_directions(self, atom: int) -> Sequence[FloatArray]:
        """Unit directions of the features v̂_m of one atom, each of the shape of v̂."""
        ...

    def energies_by_positions(self, displacement: FloatArray) -> FloatArray: ...
    def energies_by_features(self, direction: FloatArray) -> FloatArray: ...
    def densities_by_positions(self, displacement: FloatArray) -> FloatArray: ...
    def densities_by_features(self, direction: FloatArray) -> FloatArray: ...


@runtime_checkable
class TellsLocal(Protocol):
    """A subject made of local functions of (r, v̂)."""

    def local(self, solved: Solved) -> LocalDerivatives:
        """Their derivatives at a solution, v̂ kept fixed."""
        ...


@runtime_checkable
class TakesConstantPotential(Protocol):
    """A subject that can be solved in a constant external potential."""

    def solve_shifted(self, configuration: Configuration, shift: float) -> Solved:
        """Every electron feels ``shift`` (Hartree) more, every nucleus of charge Z −Z·shift."""
        ...


@contextmanager
def unsupported_is_said() -> Iterator[None]:
    """Turn NotImplementedError(why) of a subject into :class:`UnsupportedError`."""
    try:
        yield
    except NotImplementedError as error:
        raise UnsupportedError(str(error) or "the subject does not implement it") from error
