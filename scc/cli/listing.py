"""``scc list``: what there is to verify and to equilibrate with."""

from __future__ import annotations

import click


@click.command("list")
def list_command() -> None:
    """Claims and models, one line each."""
    from scc.ace.registry import fitted_names
    from scc.claims.registry import all_claims
    from scc.models.registry import MODELS

    _section("claims", {claim.id: f"{claim.source}. {claim.statement}" for claim in all_claims()})
    fitted = {name: f"fitted model; scc evaluate {name} TEST.xyz" for name in fitted_names()}
    _section("models", MODELS | fitted)


def _section(title: str, lines: dict[str, str]) -> None:
    click.echo(f"{title}:")
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        click.echo(f"  {name:{width}}  {' '.join(text.split())}")
