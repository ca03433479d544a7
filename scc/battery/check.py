"""``check(model, structures)``: every property of one model, with a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scc.battery.bench import Bench
from scc.battery.models import subject_of
from scc.battery.properties import PROPERTIES
from scc.battery.property import Property, Verdict
from scc.battery.subject import UnsupportedError
from scc.configuration import Configuration
from scc.errors import ConvergenceError, InputError


@dataclass(frozen=True, eq=False)
class Checked:
    """A model that was checked.

    Attributes:
        name: of the model.
        structures: those it accepts, as given.
        refused: why it does not accept others: position in what was given → reason.
    """

    name: str
    structures: Sequence[Configuration]
    refused: dict[int, str]
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether every property that is supported holds, and one is."""
        found = [verdict.judgement for verdict in self.verdicts]
        return "fail" not in found and "pass" in found

    def verdict(self, property_id: str) -> Verdict:
        """The verdict on one property. InputError for an unknown name."""
        for verdict in self.verdicts:
            if verdict.property.id == property_id:
                return verdict
        known = ", ".join(verdict.property.id for verdict in self.verdicts)
        raise InputError(f"no verdict on {property_id!r}; there are: {known}")


def check(
    model: Any,
    structures: Sequence[Configuration],
    *,
    properties: Sequence[Property] = PROPERTIES,
    progress: Callable[[Verdict], None] | None = None,
) -> Checked:
    """Measure the properties of a model on structures.

    Args:
        model: a name, a file, ``module:object``, a LocalModel, an ASE calculator, a subject: see
            :func:`scc.battery.models.subject_of`.
        structures: those the model does not accept are left out, with the reason.
        progress: told each verdict as it arrives.
    Raises:
        InputError: no such model; no structure that it accepts.
    """
    bench = Bench.of(subject_of(model, structures), structures)
    verdicts = []
    for verdict in judged(bench, properties):
        verdicts.append(verdict)
        if progress is not None:
            progress(verdict)
    return Checked(bench.subject.name, tuple(bench.structures), bench.refused, tuple(verdicts))


def judged(bench: Bench, properties: Sequence[Property]) -> Iterator[Verdict]:
    """One verdict after the other.

    A structure that a property makes and the model refuses, and a linear equation without solution,
    leave that property unsupported, with the reason: nothing was measured. Whatever else a model
    raises fails the property, and stops nothing.
    """
    for one in properties:
        start = time.perf_counter()
        try:
            finding = one.measure(bench)
        except (UnsupportedError, InputError, ConvergenceError) as error:
            seconds = time.perf_counter() - start
            yield Verdict(one, "unsupported", str(error), seconds)
            continue
        except Exception as error:
            seconds = time.perf_counter() - start
            yield Verdict(one, "fail", f"raises {type(error).__name__}: {error}", seconds)
            continue
        seconds = time.perf_counter() - start
        yield Verdict(one, "pass" if finding.holds else "fail", finding.summary, seconds, finding)
