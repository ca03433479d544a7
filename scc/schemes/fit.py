"""Training of the schemes by name: ``python -m scc.schemes.fit NAME TRAIN.xyz… --out FILE``.

One command makes each file that ships, the same to the last bit on the same machine:

    for name in bpopnn-water 4g-water scfnn-water; do
        python -m scc.schemes.fit $name data/water/train_first.xyz data/water/train.xyz \
            --out scc/schemes/models/$name.json
    done
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any

from scc import __version__
from scc.ace.fit import FitSettings, Progress
from scc.ace.fit import fit as fit_model
from scc.ace.model import FittedModel
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.errors import InputError
from scc.output import check_writable
from scc.schemes.bpopnn_fit import BpopnnSettings, fit_bpopnn
from scc.schemes.hdnnp_4g_fit import Settings4g, fit_4g
from scc.schemes.model_file import ChargeScheme, save_scheme
from scc.schemes.reference_charges import KINDS
from scc.schemes.registry import SUBJECTS
from scc.schemes.scfnn import scfnn_settings
from scc.schemes.settings import settings_4g, settings_bpopnn

Settings = BpopnnSettings | Settings4g | FitSettings

SEED = 0
"""Of the noise of the SCFNN-like fit; the others draw one per cluster."""


def settings_of(name: str, charges: str = KINDS[0]) -> Settings:
    """What a scheme's fit depends on besides data.

    Args:
        name: a key of ``SUBJECTS``. charges: kind of reference charges, for schemes of charges.
    Raises:
        InputError: another name.
    """
    if name == "bpopnn-water":
        return settings_bpopnn(charges)
    if name == "4g-water":
        return settings_4g(charges)
    if name == "scfnn-water":
        return scfnn_settings()
    raise InputError(f"no scheme {name!r}: choose from {', '.join(SUBJECTS)}")


def fit_scheme(
    name: str,
    training: ReferenceSet,
    settings: Settings,
    progress: Progress = lambda message: None,
) -> ChargeScheme | FittedModel:
    """The trained scheme, with its data and settings. Raises InputError as fits do."""
    made_from = {
        "data": {
            "sha256": training.digest(),
            "clusters": len(training),
            "molecules": sum(frame.n_molecules for frame in training.frames),
        },
        "settings": _plain(settings),
        "version": __version__,
    }
    if isinstance(settings, BpopnnSettings):
        return replace(fit_bpopnn(training, settings, progress), name=name, provenance=made_from)
    if isinstance(settings, Settings4g):
        return replace(fit_4g(training, settings, progress), name=name, provenance=made_from)
    fitted = fit_model(training, settings, SEED, progress=progress)
    return FittedModel(name, fitted.density, fitted.energy, made_from)


def _plain(settings: Settings) -> dict[str, Any]:
    """JSON values of settings."""
    if isinstance(settings, FitSettings):
        return settings.as_dict()
    names = settings.__dataclass_fields__
    values = {name: getattr(settings, name) for name in names}
    return {
        name: value.as_dict()
        if hasattr(value, "as_dict")
        else asdict(value)
        if is_dataclass(value) and not isinstance(value, type)
        else value
        for name, value in values.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit one scheme and write its file."""
    parser = argparse.ArgumentParser(prog="python -m scc.schemes.fit", description=__doc__)
    parser.add_argument("name", choices=tuple(SUBJECTS))
    parser.add_argument("train", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--charges", choices=KINDS, default=KINDS[0])
    options = parser.parse_args(arguments)
    start = time.monotonic()

    def progress(message: str) -> None:
        print(f"[{time.monotonic() - start:7.1f} s] {message}", file=sys.stderr, flush=True)

    try:
        check_writable(options.out)
        training = read_reference_set(options.train)
        settings = settings_of(options.name, options.charges)
        save_scheme(fit_scheme(options.name, training, settings, progress), options.out)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {options.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
