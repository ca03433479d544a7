"""``scc fit``: a model from labelled water clusters, resumable to the same bits."""

from __future__ import annotations

import time
from pathlib import Path

import click

from scc.errors import InputError

_SUFFIX = ".checkpoint"


@click.command()
@click.argument(
    "train", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TRAIN.xyz…"
)
@click.option(
    "--features",
    default="3,2",
    show_default=True,
    metavar="N,λ",
    help="Potential features: widths and largest λ; 0,0 is none.",
)
@click.option(
    "--order", default=2, show_default=True, help="Factors of the longest products, 1 to 3."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="File of the model (JSON)."
)
@click.option("--seed", default=0, show_default=True, help="Of the noise on the inputs.")
@click.option("--resume", is_flag=True, help="Continue a fit of the same that was interrupted.")
def fit(
    train: tuple[Path, ...], features: str, order: int, out: Path, seed: int, resume: bool
) -> None:
    """Fit density and energy to labelled clusters.

    Finished stages are kept in OUT.checkpoint until the model is written. A fit that was killed and
    resumed gives the same file, to the last bit, as one that was not.

    Exit status: 0 done, 2 bad usage or input.
    """
    widths, l_max = _feature_set(features)
    if not 1 <= order <= 3:
        raise InputError(f"--order is {order}, allowed are 1 to 3")
    if seed < 0:
        raise InputError(f"--seed must not be negative, got {seed}")

    from scc import __version__
    from scc.ace.checkpoint import Checkpoint
    from scc.ace.fit import fit as fit_model
    from scc.ace.model import FittedModel
    from scc.ace.model_file import save_model
    from scc.ace.reference_set import read_reference_set
    from scc.ace.water_fit import water_settings
    from scc.claims.store import code_version
    from scc.output import check_writable

    check_writable(out)
    training = read_reference_set(train)
    settings = water_settings(widths, l_max, order)
    made_from = {
        "data": {
            "sha256": training.digest(),
            "clusters": len(training),
            "molecules": sum(frame.n_molecules for frame in training.frames),
        },
        "settings": settings.as_dict(),
        "seed": seed,
        "version": __version__,
    }
    start = time.monotonic()

    def progress(message: str) -> None:
        click.echo(f"[{time.monotonic() - start:7.1f} s] {message}", err=True)

    def report(name: str, found: bool) -> None:
        if found:
            progress(f"{name}: resumed")

    folder = out.with_name(out.name + _SUFFIX)
    stages = Checkpoint(folder, made_from | {"code": code_version()}, resume, report)
    progress(f"{len(training)} clusters, features ({features}), order {order}")
    fitted = fit_model(training, settings, seed, stages, progress)
    name = f"water ({widths},{l_max}), order {order}"
    save_model(FittedModel(name, fitted.density, fitted.energy, made_from), out)
    stages.finish()
    click.echo(f"{out}: {out.stat().st_size} bytes")


def _feature_set(text: str) -> tuple[int, int]:
    """(n_max, λ_max) of "3,2". InputError for anything else."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise InputError(f"--features is two numbers like 3,2, not {text!r}")
    n_max, l_max = (int(part) for part in parts)
    if n_max > 3 or l_max > 2 or (n_max == 0 and l_max > 0):
        raise InputError(f"--features {text}: up to 3 widths and λ up to 2, or 0,0")
    return n_max, l_max
