"""Training of the schemes by name, for ``scc fit TRAIN.xyz… --form NAME --out FILE``.

One command makes each file that ships, the same to the last bit on the same machine:

    for form in bpopnn 4g scfnn; do
        scc fit data/water/train_first.xyz data/water/train.xyz --form $form \
            --out scc/schemes/models/$form-water.json
    done
"""

from __future__ import annotations

from dataclasses import asdict, is_dataclass, replace
from typing import Any

from scc import __version__
from scc.ace.fit import FitSettings, Progress, Stages
from scc.ace.fit import fit as fit_model
from scc.ace.model import FittedModel
from scc.ace.reference_set import ReferenceSet
from scc.errors import InputError
from scc.schemes.bpopnn_fit import BpopnnSettings, fit_bpopnn
from scc.schemes.hdnnp_4g_fit import Settings4g, fit_4g
from scc.schemes.model_file import ChargeScheme
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
    stages: Stages | None = None,
) -> ChargeScheme | FittedModel:
    """The trained scheme, with its data and settings. Raises InputError as fits do.

    ``stages``: where finished stages of the SCFNN-like fit are kept; the others have but one.
    """
    made_from = {
        "data": {
            "sha256": training.digest(),
            "clusters": len(training),
            "molecules": sum(frame.n_molecules for frame in training.frames),
        },
        "settings": plain_settings(settings),
        "version": __version__,
    }
    if isinstance(settings, BpopnnSettings):
        return replace(fit_bpopnn(training, settings, progress), name=name, provenance=made_from)
    if isinstance(settings, Settings4g):
        return replace(fit_4g(training, settings, progress), name=name, provenance=made_from)
    fitted = fit_model(training, settings, SEED, stages, progress)
    return FittedModel(name, fitted.density, fitted.energy, made_from)


def plain_settings(settings: Settings) -> dict[str, Any]:
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
