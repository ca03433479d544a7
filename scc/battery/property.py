"""What a property is, and the verdict on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from matplotlib.axes import Axes

from scc.arrays import FloatArray
from scc.battery.bench import Bench

Judgement: TypeAlias = Literal["pass", "fail", "unsupported"]


@dataclass(frozen=True, eq=False)
class Finding:
    """What a measurement found.

    Attributes:
        holds: whether the property does.
        summary: one line, the figure that decides against its threshold.
        numbers: name (with unit) → number, string, or list or mapping of those.
        series: arrays behind the figure.
    """

    holds: bool
    summary: str
    numbers: Mapping[str, Any]
    series: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Property:
    """One property of a self-consistent model: one file of this package.

    Attributes:
        id: short, as in the table.
        statement: what a model with the property does, in one sentence.
        threshold: where the line between pass and fail lies, and why there.
        measure: raises UnsupportedError(why) where there is nothing to measure.
        draw: the figure of a finding.
    """

    id: str
    statement: str
    threshold: str
    measure: Callable[[Bench], Finding]
    draw: Callable[[Axes, Finding], None]


@dataclass(frozen=True, eq=False)
class Verdict:
    """The outcome of one property: ``summary`` is the reason where it is unsupported."""

    property: Property
    judgement: Judgement
    summary: str
    seconds: float
    finding: Finding | None = None
