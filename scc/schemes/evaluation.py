r"""Errors of trained schemes on labelled clusters, in the columns of :mod:`scc.ace.evaluation`.

Self-consistent from no field (projection), from neutral atoms (4G-HDNNP-like) or from the mean
charges of the elements (BpopNN-like). A scheme of charges has no atomic dipoles and quadrupoles:
those columns are NaN, its total dipole is Σ q r, and its charges are compared with those it was
trained on (:mod:`.reference_charges`), not with those of the reference's cells. Iterations count
evaluations and applications of derivatives alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from scc.ace.evaluation import Outcome, errors, self_consistent
from scc.ace.model import FittedModel
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.variational_model import VariationalModel
from scc.arrays import FloatArray
from scc.equilibration.equilibrate import equilibrate
from scc.errors import InputError
from scc.schemes.model_file import AnyModel, ChargeScheme
from scc.schemes.reference_charges import KINDS, reference_charges

TOLERANCE = 1e-8
"""Largest change of a charge at convergence, e."""

_MAX_BUILDS = 200


def outcome(model: AnyModel, frame: ReferenceFrame) -> Outcome:
    """From zero to convergence; see :class:`scc.ace.evaluation.Outcome`.

    Of a scheme of charges ``multipoles`` are charges, with nothing in λ ≥ 1.
    """
    if isinstance(model, FittedModel | VariationalModel):
        return self_consistent(model, frame)
    external = () if frame.external is None else (frame.external,)
    functional = model.functional(frame.configuration, external)
    found = equilibrate(functional, tolerance=TOLERANCE, max_builds=_MAX_BUILDS)
    iterations = found.density_builds + found.response_applications
    if not (found.converged and found.stable):
        nothing = np.full_like(frame.forces, math.nan)
        return Outcome(frame, math.nan, nothing, frame.multipoles, iterations, False)
    multipoles = _charges_alone(found.charges)
    return Outcome(frame, found.energy, found.forces, multipoles, iterations, True)


def outcomes(
    model: AnyModel, frames: Sequence[ReferenceFrame], progress: Callable[[], None] = lambda: None
) -> list[Outcome]:
    """One a frame; ``progress`` is called after each."""
    found = []
    for frame in frames:
        found.append(outcome(model, frame))
        progress()
    return found


def figures(model: AnyModel, found: Iterable[Outcome]) -> dict[str, float | int]:
    """The eight figures of :func:`scc.ace.evaluation.errors`, NaN where the model has nothing."""
    everything = list(found)
    values = errors(everything)
    if isinstance(model, FittedModel | VariationalModel):
        return values
    kind = charges_of(model)
    own = [_with_charges(one, kind) for one in everything]
    values["charge_rmse_percent"] = errors(own)["charge_rmse_percent"]
    return values | {"dipole_rmse_percent": math.nan, "quadrupole_rmse_percent": math.nan}


def charges_of(model: ChargeScheme) -> str:
    """The kind of reference charges a scheme was trained on, from its provenance."""
    settings = model.provenance.get("settings")
    kind = settings.get("charges", KINDS[0]) if isinstance(settings, dict) else KINDS[0]
    if kind not in KINDS:
        raise InputError(f"{model.name} was trained on charges of the unknown kind {kind!r}")
    return str(kind)


def _with_charges(one: Outcome, kind: str) -> Outcome:
    """Against the charges of that kind instead of the reference's multipoles."""
    reference = _charges_alone(reference_charges(one.frame, kind))
    return replace(one, frame=replace(one.frame, multipoles=reference))


def _charges_alone(charges: FloatArray) -> FloatArray:
    multipoles = np.zeros((len(charges), 9))
    multipoles[:, 0] = -charges
    return multipoles
