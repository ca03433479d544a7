"""How every ``scc equilibrate`` ends, whatever model it was: told, refused, written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from scc.cli.atoms_table import write_result
from scc.cli.errors import CommandError

if TYPE_CHECKING:
    from scc.arrays import FloatArray
    from scc.configuration import Configuration


class Result(Protocol):
    """Of a converged and stable one: atomic units."""

    @property
    def charges(self) -> FloatArray: ...

    @property
    def forces(self) -> FloatArray: ...

    @property
    def energy(self) -> float: ...


def conclude(
    configuration: Configuration,
    result: Result,
    outcome: Mapping[str, Any],
    physics: Callable[[], Mapping[str, Any]],
    failure: Callable[[], str],
    show: Callable[[], None],
    out: Path | None,
    as_json: bool,
) -> None:
    """``outcome["stable"]`` decides: physics and a file, or the failure.

    Args:
        outcome: settings and how it went, for JSON, printed in both cases.
        physics: what may be looked at only when the result is converged and stable.
        failure: one line.
        show: prints the result, where it is not JSON.

    Raises:
        CommandError: unconverged or unstable, with status 1. InputError: cannot write.
    """
    stable = outcome["stable"]
    if as_json:
        from scc.json_values import plain

        document = plain({**outcome, **(physics() if stable else {})})
        click.echo(json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False))
    if not stable:
        raise CommandError(failure(), 1)
    if not as_json:
        show()
    if out is not None:
        write_result(out, configuration, result.charges, result.forces, result.energy)
