"""One point of a sweep to its row, wherever that happens: here, in a process, on a cluster."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache

from threadpoolctl import threadpool_limits

from scc.claims.claim import Claim
from scc.claims.parameters import Family, Value
from scc.claims.registry import all_claims, get_claim
from scc.claims.store import code_version
from scc.claims.tasks import failed, measure_system, one_line
from scc.errors import InputError
from scc.sweeps.table import Row


def sweepable() -> list[Claim]:
    """The claims that can be swept: those that declare a family of systems."""
    return [claim for claim in all_claims() if claim.family is not None]


def family_of(claim_id: str) -> Family:
    """The parameters of a claim.

    Raises:
        InputError: no such claim, or one that takes none; the message lists those that do.
    """
    if (family := get_claim(claim_id).family) is None:
        others = ", ".join(claim.id for claim in sweepable())
        raise InputError(f"claim {claim_id!r} takes no parameters; those that do: {others}")
    return family


def key_of(claim_id: str, version: str, values: Mapping[str, Value]) -> str:
    """Identifies a row: claim, parameters and the code that measured it."""
    identity = {"claim": claim_id, "version": version, "parameters": dict(values)}
    text = json.dumps(identity, sort_keys=True)  # inf is "Infinity": a digest needs no reader
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def measure_point(claim_id: str, values: Mapping[str, Value]) -> Row:
    """Measure one system; whatever goes wrong is a row with verdict ``error`` and a message.

    The version in the row is that of the code that ran, which on a cluster may be another.
    """
    _one_blas_thread()
    claim, family = get_claim(claim_id), family_of(claim_id)
    try:
        system = family.system(values)
    except Exception as error:
        return _row(claim_id, values, "error", {}, one_line(error))
    result = measure_system(claim.measure, system)
    numbers: Mapping[str, float] = {}
    if result.error is None:
        try:
            numbers = family.numbers(result)
        except Exception as error:
            result = failed(system, one_line(error))
    row = _row(claim_id, values, result.verdict, numbers, result.error or "")
    return row.measured_in(result.seconds)


def _row(
    claim_id: str,
    values: Mapping[str, Value],
    verdict: str,
    numbers: Mapping[str, float],
    message: str,
) -> Row:
    version = code_version()
    key = key_of(claim_id, version, values)
    return Row(claim_id, key, version, dict(values), dict(numbers), verdict, message)


@cache
def _one_blas_thread() -> None:
    """From now on in this process: the last bits of a product depend on the number of threads."""
    threadpool_limits(limits=1)
