"""``scc list``: what there is to verify and to equilibrate with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scc.claims.claim import Claim


@click.command("list")
def list_command() -> None:
    """Claims and models, one line each."""
    from scc.ace.registry import fitted_names
    from scc.battery.models import known_names
    from scc.claims.registry import all_claims
    from scc.models.registry import MODELS

    _section("claims", {claim.id: _claim_line(claim) for claim in all_claims()})
    fitted = {name: f"fitted model; scc evaluate {name} TEST.xyz" for name in fitted_names()}
    _section("models", MODELS | fitted)
    known = known_names()
    others = {name: known[name] for name in known if name not in MODELS | fitted}
    _section("schemes and codes, for scc check", others)


def _claim_line(claim: Claim) -> str:
    names = "" if claim.family is None else ", ".join(p.name for p in claim.family.parameters)
    return f"{claim.source}. {claim.statement}" + (f" [scc sweep over {names}]" if names else "")


def _section(title: str, lines: dict[str, str]) -> None:
    click.echo(f"{title}:")
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        click.echo(f"  {name:{width}}  {' '.join(text.split())}")
