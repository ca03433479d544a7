"""Verifying claims: measure every system, keep what is finished on disk, tell what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from scc.claims.claim import Claim, ClaimResult, System, SystemResult
from scc.claims.drawing import draw_claim
from scc.claims.report import write_claims_json, write_report
from scc.claims.store import Store
from scc.claims.tasks import failed, measure_all, one_line
from scc.errors import InputError


class Progress(Protocol):
    """Told what happens during :func:`verify`; the command line draws bars from it."""

    def started(self, systems: Mapping[str, int]) -> None:
        """The run begins: claim id -> number of systems."""

    def system_finished(self, claim_id: str, result: SystemResult, *, resumed: bool) -> None:
        """A system was measured, or (``resumed``) its stored result was found."""

    def claim_finished(self, result: ClaimResult) -> None:
        """The last system of a claim is done and its figure is drawn."""


class Silent:
    """A :class:`Progress` that says nothing."""

    def started(self, systems: Mapping[str, int]) -> None:
        """Nothing."""

    def system_finished(self, claim_id: str, result: SystemResult, *, resumed: bool) -> None:
        """Nothing."""

    def claim_finished(self, result: ClaimResult) -> None:
        """Nothing."""


def verify(
    claims: Sequence[Claim],
    *,
    out: Path,
    full: bool = False,
    workers: int = 1,
    resume: bool = False,
    progress: Progress | None = None,
) -> list[ClaimResult]:
    """Measure all systems of the claims; write ``claims.json``, ``figures/``, ``report.html``.

    Files are complete or absent at any time: each system's result goes to ``out/data`` when it is
    measured, the rest is rewritten when a claim is finished, so an interrupted run keeps what it
    has. The results do not depend on ``workers`` (their ``seconds`` do).

    Args:
        claims: what to verify, in the order of the results.
        out: folder for everything written; made if missing.
        full: also the systems that take long.
        workers: number of processes; 1 measures in this one.
        resume: reuse results in ``out/data`` of the same parameters and the same code.
        progress: told what happens.

    Returns:
        One result a claim. A system that raises fails its claim (its message is in the result).

    Raises:
        InputError: no claims, one twice, ``workers`` < 1, or ``out`` cannot be written.
        OSError: ``out`` cannot be made.
    """
    ids = [claim.id for claim in claims]
    if not ids:
        raise InputError("no claims to verify")
    if twice := sorted({claim_id for claim_id in ids if ids.count(claim_id) > 1}):
        raise InputError(f"claim {twice[0]!r} is there twice")
    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    progress = Silent() if progress is None else progress
    run = _Run(claims, Path(out), full, progress)
    run.write_summary()  # finds an unwritable folder now, and removes the summary of an earlier run

    progress.started({claim.id: len(run.systems[claim.id]) for claim in claims})
    pending = run.collect_known(resume)
    tasks = [(run.claims[claim_id].measure, system) for claim_id, _, system in pending]
    with closing(measure_all(tasks, workers)) as finished:
        for index, result in finished:
            claim_id, position, system = pending[index]
            run.store.save(claim_id, system, result)
            run.add(claim_id, position, result)
    return run.finished()


class _Run:
    """What is known so far of one call of :func:`verify`."""

    def __init__(self, claims: Sequence[Claim], out: Path, full: bool, progress: Progress) -> None:
        self.out = out
        self.progress = progress
        self.store = Store(out / "data")
        self.claims = {claim.id: claim for claim in claims}
        self.systems: dict[str, list[System]] = {}
        self.results: dict[str, dict[int, SystemResult]] = {claim.id: {} for claim in claims}
        self.complete: dict[str, ClaimResult] = {}
        self.broken: dict[str, SystemResult] = {}
        for claim in claims:
            try:
                self.systems[claim.id] = list(claim.systems(full))
            except Exception as error:
                system = System("the list of systems", {})
                self.systems[claim.id] = [system]
                self.broken[claim.id] = failed(system, one_line(error))

    def collect_known(self, resume: bool) -> list[tuple[str, int, System]]:
        """Add all results that need no measuring; return the systems that do."""
        pending = []
        for claim_id, systems in self.systems.items():
            if claim_id in self.broken:
                self.add(claim_id, 0, self.broken[claim_id])
                continue
            for position, system in enumerate(systems):
                stored = self.store.load(claim_id, system) if resume else None
                if stored is None:
                    pending.append((claim_id, position, system))
                else:
                    self.add(claim_id, position, stored, resumed=True)
            if not systems:
                self.finish(claim_id)
        return pending

    def add(
        self, claim_id: str, position: int, result: SystemResult, *, resumed: bool = False
    ) -> None:
        """Take one system's result; the last one of a claim finishes the claim."""
        self.results[claim_id][position] = result
        self.progress.system_finished(claim_id, result, resumed=resumed)
        if len(self.results[claim_id]) == len(self.systems[claim_id]):
            self.finish(claim_id)

    def finish(self, claim_id: str) -> None:
        """Draw the claim's figure and rewrite the summary."""
        claim = self.claims[claim_id]
        by_position = self.results[claim_id]
        systems = tuple(by_position[position] for position in sorted(by_position))
        try:
            draw_claim(claim, systems, self.out / "figures")
            figure_error = None
        except Exception as error:
            figure_error = one_line(error)
        self.complete[claim_id] = ClaimResult(
            id=claim.id,
            statement=claim.statement,
            source=claim.source,
            seconds=round(sum(system.seconds for system in systems), 4),
            systems=systems,
            figure_error=figure_error,
        )
        self.write_summary()
        self.progress.claim_finished(self.complete[claim_id])

    def finished(self) -> list[ClaimResult]:
        """Results of the finished claims in the order they were asked for."""
        return [self.complete[claim_id] for claim_id in self.claims if claim_id in self.complete]

    def write_summary(self) -> None:
        """``claims.json`` and ``report.html`` of what is finished."""
        for folder in (self.out, self.out / "figures", self.out / "data"):
            folder.mkdir(parents=True, exist_ok=True)
        results = self.finished()
        write_claims_json(self.out / "claims.json", results)
        pending = [claim_id for claim_id in self.claims if claim_id not in self.complete]
        write_report(self.out / "report.html", results, self.out / "figures", pending)
