"""What a claim can be swept over: named parameters with ranges, and what one system says.

A claim of :mod:`scc.claims` is tried on a fixed list of systems. Where its statement is about a
family of systems, its file also declares a :class:`Family`: any point of the parameters is a
:class:`~scc.claims.claim.System` of the claim, measured by the claim's own ``measure``, and
:meth:`Family.numbers` is the one line of a table that comes out: measured, predicted, and a few
numbers beside. :mod:`scc.sweeps` runs many points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from scc.errors import InputError

if TYPE_CHECKING:
    from scc.claims.claim import System, SystemResult

Value = int | float | str
"""A value of a parameter. Infinity is the float."""

Relation = Literal["=", "<=", ">=", "~"]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a family.

    Attributes:
        name: as on the command line: ``M``, ``beta``.
        default: its value where a sweep does not name it; its type (int, float, str) is that of
            all values.
        meaning: in words, with the unit.
        low, high: smallest and largest value, both allowed; of numbers.
        choices: the values of a text.
    """

    name: str
    default: Value
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        """``20…2000``, ``onsite, gaussian``."""
        if self.choices:
            return ", ".join(self.choices)
        return f"{self.low:.10g}…{self.high:.10g}"

    def read(self, text: str) -> Value:
        """The value that ``text`` is.

        Raises:
            InputError: it is no number, none of the choices, or out of range.
        """
        if isinstance(self.default, str):
            if text not in self.choices:
                raise InputError(f"{self.name}: {text!r} is none of {self.range}")
            return text
        whole = isinstance(self.default, int)
        try:
            number = float(text)
            value: Value = int(number) if whole else number
        except (ValueError, OverflowError):
            raise InputError(f"{self.name}: {text!r} is not a number") from None
        if whole and number != value:
            raise InputError(f"{self.name}: {text!r} is not a whole number")
        if not self.low <= number <= self.high:  # NaN included
            raise InputError(f"{self.name}: {text} is not in {self.range}")
        return value


@dataclass(frozen=True)
class Family:
    """The systems a claim can be swept over.

    Attributes:
        parameters: in the order of the columns of a table.
        system: ``system(values) -> System``, a value for every parameter; cheap, and of the form
            that the claim's ``measure`` takes.
        quantity: what ``measured`` and ``predicted`` are, in words, with the unit.
        relation: how ``measured`` stands to ``predicted`` if the claim holds; ``~``: within what
            ``quantity`` says.
        numbers: ``numbers(result) -> {"measured": …, "predicted": …, …}`` of a measured system;
            NaN where the system decides nothing.
        beside: names of the further numbers of ``numbers``, in the order of the columns.
    """

    parameters: tuple[Parameter, ...]
    system: Callable[[Mapping[str, Any]], System]
    quantity: str
    relation: Relation
    numbers: Callable[[SystemResult], Mapping[str, float]]
    beside: tuple[str, ...] = ()

    def values(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """All values, the defaults for what is not given, in the order of the parameters."""
        return {p.name: given.get(p.name, p.default) for p in self.parameters}

    def parameter(self, name: str) -> Parameter:
        """The parameter of this name.

        Raises:
            InputError: there is none; the message lists those there are, with their ranges.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(f"{p.name} ({p.range})" for p in self.parameters)
        raise InputError(f"no parameter {name!r}; there are {known}")


def of_result(
    measured: str, predicted: str | float, **beside: str
) -> Callable[[SystemResult], dict[str, float]]:
    """:attr:`Family.numbers` by the names that the claim's results use.

    Args:
        measured: name in ``result.measured``.
        predicted: name in ``result.predicted``, or the number itself.
        beside: column -> name in ``result.hypotheses``, ``result.predicted`` or
            ``result.measured``, in this order.
    """

    def numbers(result: SystemResult) -> dict[str, float]:
        nowhere = math.nan
        bound = (
            result.predicted.get(predicted, nowhere) if isinstance(predicted, str) else predicted
        )
        found = {"measured": result.measured.get(measured, nowhere), "predicted": bound}
        known = {**result.measured, **result.predicted, **result.hypotheses}
        found |= {column: known.get(name, nowhere) for column, name in beside.items()}
        return {name: number(value) for name, value in found.items()}

    return numbers


def number(value: Any) -> float:
    """A float; NaN for what is no number."""
    return float(value) if isinstance(value, int | float) else math.nan
