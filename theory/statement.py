"""What a statement of the paper is once its constants are known: hypotheses, bounds, checks.

Every file of this folder that restates a numbered statement offers

* ``derivation() -> dict[str, bool]``: the steps of the proof as running sympy or mpmath, each True
  when it holds;
* ``hypotheses(system) -> dict[str, bool | float | str]``: the assumptions, checked by code;
* ``bound(system, …)``: the right-hand side with explicit constants, computed *for that system*;
* ``checks(system) -> list[Check]``: what the statement bounds, measured, next to the bound.

A statement says nothing about a system that violates a hypothesis: ``checks`` is then not asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray


@dataclass(frozen=True)
class Check:
    """A measured quantity against its bound: measured ≤ bound + rounding, entry by entry.

    Attributes
    ----------
    quantity:
        What is bounded, with its unit: ``"|dE_l/dv_m| [electrons]"``.
    measured, bound:
        Same shape (or scalars), non-negative.
    rounding:
        Error of the *measurement* by rounding, estimated before it is looked at (backward-error
        bounds of the algorithms used, not a fitted tolerance). Scalar or the same shape.
    rates:
        (measured, bound) exponential rates where the statement is about one, for the looseness
        report; bounds of rates are checked through ``measured`` and ``bound`` all the same.
    """

    quantity: str
    measured: FloatArray
    bound: FloatArray
    rounding: FloatArray
    rates: tuple[float, float] | None = None

    @classmethod
    def of(
        cls,
        quantity: str,
        measured: ArrayLike,
        bound: ArrayLike,
        rounding: ArrayLike = 0.0,
        rates: tuple[float, float] | None = None,
    ) -> "Check":
        """A check of anything array-like; bound and rounding are broadcast to the measured shape.

        Raises ValueError if the bound is NaN or the measurement is not finite: a bound that is
        infinite is one that says nothing, and holds; a measurement that is NaN is a broken one.
        So is an allowance that is negative, or infinite next to a finite bound: nothing would fail.
        """
        measured = np.abs(np.asarray(measured, dtype=np.float64))
        bound = np.broadcast_to(np.asarray(bound, dtype=np.float64), measured.shape)
        rounding = np.broadcast_to(np.asarray(rounding, dtype=np.float64), measured.shape)
        if not np.all(np.isfinite(measured)):
            raise ValueError(f"{quantity}: the measurement is not finite")
        if np.any(np.isnan(bound)) or np.any(np.isnan(rounding)):
            raise ValueError(f"{quantity}: the bound is NaN")
        if np.any(np.isinf(rounding) & np.isfinite(bound)) or np.any(rounding < 0.0):
            raise ValueError(
                f"{quantity}: the rounding beside a finite bound is not a finite number >= 0"
            )
        return cls(quantity, measured, bound, rounding, rates)

    @property
    def holds(self) -> bool:
        """No entry exceeds its bound by more than the rounding of its measurement."""
        return bool(np.all(self.measured <= self.bound + self.rounding))

    @property
    def worst(self) -> float:
        """Largest measured/(bound + rounding); above one means a violation."""
        allowed = self.bound + self.rounding
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(allowed > 0.0, self.measured / allowed, np.inf)
        ratio = np.where(self.measured == 0.0, 0.0, ratio)
        return float(np.max(ratio, initial=0.0))

    @property
    def looseness(self) -> float:
        """Smallest bound/measured over entries that stand clear of rounding (NaN if none does)."""
        clear = self.measured > 10.0 * self.rounding
        clear &= self.measured > 0.0
        if not np.any(clear):
            return float("nan")
        with np.errstate(over="ignore"):  # against measurements near the smallest numbers there are
            return float(np.min(self.bound[clear] / self.measured[clear]))


def joined(parts: Mapping[str, Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]]]) -> list[Check]:
    """One check for each quantity, of all its (measured, bound, rounding) put together.

    In each triple bound and rounding are broadcast to the shape of the measured; the whole is flat.
    """
    checks = []
    for quantity, triples in parts.items():
        each = [Check.of(quantity, *triple) for triple in triples]
        measured, bound, rounding = (
            np.concatenate([np.ravel(part) for part in column])
            for column in zip(*((c.measured, c.bound, c.rounding) for c in each), strict=True)
        )
        checks.append(Check.of(quantity, measured, bound, rounding))
    return checks


def violations(checks: list[Check]) -> list[str]:
    """One line for each check that does not hold."""
    return [
        f"{check.quantity}: measured is {check.worst:.6g} times what is allowed"
        for check in checks
        if not check.holds
    ]


def satisfied(hypotheses: Mapping[str, bool | float | str]) -> bool:
    """No hypothesis is False."""
    return all(value is not False for value in hypotheses.values())
