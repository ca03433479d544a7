"""Finding the claims: every module of ``scc/claims`` that is neither framework nor private is one
claim."""

from __future__ import annotations

import importlib
import pkgutil

import scc.claims
from scc.claims.claim import Claim
from scc.errors import InputError

_FRAMEWORK = frozenset(
    {"claim", "drawing", "parameters", "registry", "report", "runner", "store", "tasks"}
)


def known_ids() -> list[str]:
    """Ids of all claims, sorted, from the file names alone (nothing is imported): ``theorem_4.py``
    is ``theorem-4``. Modules whose name starts with an underscore are helpers of claims, not
    claims."""
    modules = {module.name for module in pkgutil.iter_modules(scc.claims.__path__)}
    return sorted(
        name.replace("_", "-") for name in modules - _FRAMEWORK if not name.startswith("_")
    )


def get_claim(claim_id: str) -> Claim:
    """The claim with this id.

    Raises:
        InputError: no such claim (the message lists the known ids), or the file defines no
            ``CLAIM``, or one whose id is not that of its file: two files with one id are found
            here.
    """
    if claim_id not in (known := known_ids()):
        raise InputError(f"no claim {claim_id!r}; known claims: {', '.join(known) or 'none'}")
    module = importlib.import_module(f"scc.claims.{claim_id.replace('-', '_')}")
    claim = getattr(module, "CLAIM", None)
    if not isinstance(claim, Claim):
        raise InputError(f"{module.__name__} defines no CLAIM = Claim(…)")
    if claim.id != claim_id:
        owner = ", which is another file's" if claim.id in known else ""
        raise InputError(
            f"{module.__name__} has the claim id {claim.id!r}{owner}; its file says {claim_id!r}"
        )
    return claim


def all_claims() -> list[Claim]:
    """All claims, sorted by id. Errors as in :func:`get_claim`."""
    return [get_claim(claim_id) for claim_id in known_ids()]
