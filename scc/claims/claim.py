"""What a claim is: a numbered statement, the systems it is tried on, what is measured, what is
predicted.

A claim file ``scc/claims/theorem_4.py`` ends in ``CLAIM = Claim(id="theorem-4", …)``. The unit of
work is one :class:`System`: measured independently of every other, perhaps in another process,
perhaps never because the result of an earlier run is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from scc.claims.parameters import Family

Series = Mapping[str, NDArray[Any]]
"""Named arrays behind a figure: a decay curve, an error against the degree."""


@dataclass(frozen=True)
class System:
    """One system a claim is tried on.

    Attributes:
        description: one line, unique within the claim, e.g. ``"metallic chain, M = 400, beta =
            8"``.
        parameters: everything :attr:`Claim.measure` needs, as plain numbers, strings, lists and
            dicts (it is pickled to a worker, written to ``claims.json``, and identifies the system
            when a run is resumed). Random systems carry their seed here.
        counterexample: the system violates a hypothesis on purpose and its verdict counts all the
            same (it shows that the hypothesis is needed). Otherwise a violated hypothesis leaves
            the verdict open.
    """

    description: str
    parameters: Mapping[str, Any]
    counterexample: bool = False

    def result(
        self,
        *,
        hypotheses: Mapping[str, bool | str | float],
        measured: Mapping[str, Any],
        predicted: Mapping[str, Any],
        holds: bool | None,
        series: Series | None = None,
    ) -> SystemResult:
        """The result of measuring this system; the arguments are the attributes of
        :class:`SystemResult`.

        A hypothesis whose value is ``False`` opens the verdict (``holds = None``) unless this is a
        :attr:`counterexample`.
        """
        checked = {
            name: bool(value) if isinstance(value, np.bool_) else value
            for name, value in hypotheses.items()
        }
        violated = any(value is False for value in checked.values())
        verdict = None if holds is None or (violated and not self.counterexample) else bool(holds)
        return SystemResult(
            description=self.description,
            parameters=self.parameters,
            hypotheses=checked,
            measured=measured,
            predicted=predicted,
            holds=verdict,
            series={} if series is None else series,
        )


@dataclass(frozen=True)
class SystemResult:
    """What came out of one system.

    Attributes:
        description, parameters: copied from the :class:`System`.
        hypotheses: each hypothesis of the statement, *checked by code*: ``True``, ``False``
            (violated), or a string or number where the hypothesis is a fact rather than a condition
            (``"gap": 0.31``).
        measured: name -> number, string, list or dict of those. Units belong in the names or the
            statement.
        predicted: the same names where there is something to compare with, the bound or the value.
        holds: ``True``, ``False``, or ``None`` when the system decides nothing: a hypothesis is
            violated, or the measurement is inconclusive. ``None`` counts neither for nor against
            the claim.
        series: arrays for the figure, kept in ``DIR/data``, not in ``claims.json``.
        seconds: wall time of the measurement [s].
        error: the one-line message if the measurement raised; then ``holds`` is ``False``.
    """

    description: str
    parameters: Mapping[str, Any]
    hypotheses: Mapping[str, Any]
    measured: Mapping[str, Any]
    predicted: Mapping[str, Any]
    holds: bool | None
    series: Series = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None

    @property
    def violated(self) -> list[str]:
        """Names of the hypotheses that this system violates."""
        return [name for name, value in self.hypotheses.items() if value is False]

    @property
    def verdict(self) -> str:
        """``holds``, ``fails``, ``error``, ``hypothesis violated: …`` or ``inconclusive``."""
        if self.error is not None:
            return "error"
        if self.holds is not None:
            return "holds" if self.holds else "fails"
        return (
            f"hypothesis violated: {', '.join(self.violated)}" if self.violated else "inconclusive"
        )


@dataclass(frozen=True)
class Claim:
    """One executable statement.

    Attributes:
        id: as on the command line, ``"theorem-4"``; the file is ``scc/claims/theorem_4.py``.
        statement: the claim in words, one or two sentences, with what ``measured`` and
            ``predicted`` mean.
        source: where it is stated, ``"Theorem 4, eq. (3.3)"``.
        systems: ``systems(full) -> systems``; ``full=False`` is the set of ``make reproduce``,
            ``full=True`` adds the long ones. Cheap: no measuring here.
        measure: ``measure(system) -> SystemResult``, best through :meth:`System.result`. A
            module-level function (it is pickled by name). Deterministic: random numbers from a seed
            in the parameters.
        draw: ``draw(results) -> Figure`` from the measured systems alone (their ``series``); it
            gets the systems that did not raise, in order. ``None``: measured against predicted is
            drawn.
        family: parameters it can be swept over (``scc sweep``); ``None``: only its own systems.
    """

    id: str
    statement: str
    source: str
    systems: Callable[[bool], Sequence[System]]
    measure: Callable[[System], SystemResult]
    draw: Callable[[Sequence[SystemResult]], Figure] | None = None
    family: Family | None = None


@dataclass(frozen=True)
class ClaimResult:
    """A claim after the measurement of all its systems.

    Attributes:
        id, statement, source: copied from the :class:`Claim`.
        systems: results in the order of the systems.
        seconds: sum of the wall times of the systems [s], however many ran at the same time.
        figure_error: the one-line message if the figure could not be drawn.
    """

    id: str
    statement: str
    source: str
    seconds: float
    systems: tuple[SystemResult, ...]
    figure_error: str | None = None

    @property
    def holds(self) -> bool:
        """No system speaks against the claim and at least one speaks for it."""
        verdicts = [system.holds for system in self.systems]
        return True in verdicts and False not in verdicts
