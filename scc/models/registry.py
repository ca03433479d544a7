"""Models a name can call: name → one line, and name → model."""

from collections.abc import Callable
from typing import Any

from scc.errors import InputError
from scc.models.protocol import LocalModel


def _onsite() -> LocalModel:
    from scc.models.extended_huckel import sourced_parameters
    from scc.models.onsite import OnsiteTightBinding

    return OnsiteTightBinding(sourced_parameters())


def _gaussian() -> LocalModel:
    from scc.models.gaussian import GaussianTightBinding

    return GaussianTightBinding()


def _qeq() -> Any:
    from scc.models.qeq import QEq

    return QEq()


def _eem() -> Any:
    from scc.models.eem import EEM

    return EEM()


def _cent() -> Any:
    from scc.models.cent import CENT

    return CENT()


CHARGE_MODELS: dict[str, str] = {
    "qeq": "QEq (Rappé–Goddard 1991), Slater charges, charge-dependent hydrogen; 16 elements",
    "eem": "EEM (Mortier 1986), point charges; H, C, N, O, F, Al, Si, P",
    "cent": "CENT (Ghasemi 2015) with EEQ-2019 of DFT-D4, Gaussian charges; H–Rn",
}
"""Models of charges, v̂ = q, closed directly at a given total charge."""

MODELS: dict[str, str] = {
    "onsite": "on-site tight binding with self-consistent charges, H = H⁰ + diag(v̂), H–Ar",
    "gaussian": "tight binding in STO-3G, Löwdin-orthogonalised, V complete in the basis, H–Ar",
    **CHARGE_MODELS,
}

_FACTORIES: dict[str, Callable[[], Any]] = {
    "onsite": _onsite,
    "gaussian": _gaussian,
    "qeq": _qeq,
    "eem": _eem,
    "cent": _cent,
}


def charge_model_by_name(name: str) -> Any:
    """A model of charges with its published parameters; InputError lists the known names."""
    if name not in CHARGE_MODELS:
        raise InputError(f"no model of charges {name!r}; known: {', '.join(CHARGE_MODELS)}")
    return _FACTORIES[name]()


def model_by_name(name: str) -> Any:
    """A shipped model with its default parameters; InputError lists the known names.

    A :class:`.protocol.LocalModel`, but for those of ``CHARGE_MODELS``, which are closed directly.
    """
    if name not in _FACTORIES:
        raise InputError(f"no model {name!r}; known models: {', '.join(MODELS)}")
    return _FACTORIES[name]()
