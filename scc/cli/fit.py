"""``scc fit``: a model from labelled water clusters, resumable to the same bits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from scc.errors import InputError

if TYPE_CHECKING:
    from scc.ace.fit import Progress, Stages
    from scc.ace.model import FittedModel
    from scc.ace.reference_set import ReferenceSet
    from scc.ace.variational_model import VariationalModel
    from scc.schemes.model_file import AnyModel

    Train = Callable[[ReferenceSet, Stages, Progress, dict[str, Any]], AnyModel]

_SUFFIX = ".checkpoint"
_SCHEMES = ("bpopnn", "4g", "scfnn")
# What only some forms have.
_OPTIONS_OF = {
    "features": ("direct",),
    "order": ("direct",),
    "charges": ("bpopnn", "4g"),
    "seed": ("direct", "variational"),
}


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
    "--form",
    type=click.Choice(["direct", "variational", *_SCHEMES]),
    default="direct",
    show_default=True,
    help="direct: density and energy each on their own. variational: both from one concave grand "
    "potential. Or an older scheme: BpopNN-, 4G-HDNNP- or SCFNN-like.",
)
@click.option(
    "--charges",
    type=click.Choice(["dipole", "partition"]),
    default="dipole",
    show_default=True,
    help="Of bpopnn and 4g: charges with the dipole of the molecules, or those of the data.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="File of the model (JSON)."
)
@click.option("--seed", default=0, show_default=True, help="Of the noise on the inputs.")
@click.option("--resume", is_flag=True, help="Continue a fit of the same that was interrupted.")
@click.pass_context
def fit(
    context: click.Context,
    train: tuple[Path, ...],
    features: str,
    order: int,
    form: str,
    charges: str,
    out: Path,
    seed: int,
    resume: bool,
) -> None:
    """Fit density and energy to labelled clusters.

    Finished stages are kept in OUT.checkpoint until the model is written. A fit that was killed and
    resumed gives the same file, to the last bit, as one that was not.

    Exit status: 0 done, 2 bad usage or input.
    """
    if seed < 0:
        raise InputError(f"--seed must not be negative, got {seed}")
    for option, forms in _OPTIONS_OF.items():
        given = context.get_parameter_source(option) is not ParameterSource.DEFAULT
        if given and form not in forms:
            raise InputError(f"--{option} is of the form {' or '.join(forms)}, not of {form}")
    if form == "variational":
        what, settings, train_model = _variational(seed)
    elif form in _SCHEMES:
        what, settings, train_model = _scheme(form, charges)
    else:
        what, settings, train_model = _direct(*_feature_set(features), order, seed)

    from scc import __version__
    from scc.ace.checkpoint import Checkpoint
    from scc.ace.reference_set import read_reference_set
    from scc.claims.store import code_version
    from scc.output import check_writable
    from scc.schemes.model_file import save_scheme

    check_writable(out)
    training = read_reference_set(train)
    made_from = {
        "data": {
            "sha256": training.digest(),
            "clusters": len(training),
            "molecules": sum(frame.n_molecules for frame in training.frames),
        },
        "settings": settings,
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
    progress(f"{len(training)} clusters, {what}")
    save_scheme(train_model(training, stages, progress, made_from), out)
    stages.finish()
    click.echo(f"{out}: {out.stat().st_size} bytes")


def _direct(widths: int, l_max: int, order: int, seed: int) -> tuple[str, dict[str, Any], Train]:
    """What is fitted, its settings as JSON values, and the fit."""
    if not 1 <= order <= 3:
        raise InputError(f"--order is {order}, allowed are 1 to 3")

    from scc.ace.fit import fit as fit_model
    from scc.ace.model import FittedModel
    from scc.ace.water_fit import water_settings

    settings = water_settings(widths, l_max, order)

    def train(
        training: ReferenceSet, stages: Stages, progress: Progress, made_from: dict[str, Any]
    ) -> FittedModel:
        fitted = fit_model(training, settings, seed, stages, progress)
        name = f"water ({widths},{l_max}), order {order}"
        return FittedModel(name, fitted.density, fitted.energy, made_from)

    return f"features ({widths},{l_max}), order {order}", settings.as_dict(), train


def _variational(seed: int) -> tuple[str, dict[str, Any], Train]:
    """The same for the variational form."""
    from scc.ace.variational_training import fit_variational
    from scc.ace.variational_water import water_variational_settings

    settings = water_variational_settings()

    def train(
        training: ReferenceSet, stages: Stages, progress: Progress, made_from: dict[str, Any]
    ) -> VariationalModel:
        model = fit_variational(training, settings, seed, stages, progress, "water, variational")
        return replace(model, provenance=made_from)

    return "variational form", settings.as_dict(), train


def _scheme(form: str, charges: str) -> tuple[str, dict[str, Any], Train]:
    """The same for an older scheme, whose file says by itself what it is made from."""
    from scc.schemes.fit import fit_scheme, plain_settings, settings_of

    name = f"{form}-water"
    settings = settings_of(name, charges)

    def train(
        training: ReferenceSet, stages: Stages, progress: Progress, made_from: dict[str, Any]
    ) -> AnyModel:
        return fit_scheme(name, training, settings, progress, stages)

    return f"{form}-like scheme", plain_settings(settings), train


def _feature_set(text: str) -> tuple[int, int]:
    """(n_max, λ_max) of "3,2". InputError for anything else."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise InputError(f"--features is two numbers like 3,2, not {text!r}")
    n_max, l_max = (int(part) for part in parts)
    if n_max > 3 or l_max > 2 or (n_max == 0 and l_max > 0):
        raise InputError(f"--features {text}: up to 3 widths and λ up to 2, or 0,0")
    return n_max, l_max
