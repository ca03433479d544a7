"""Models a name can call: name → one line, and name → model."""

from collections.abc import Callable

from scc.errors import InputError
from scc.models.protocol import LocalModel


def _onsite() -> LocalModel:
    from scc.models.extended_huckel import sourced_parameters
    from scc.models.onsite import OnsiteTightBinding

    return OnsiteTightBinding(sourced_parameters())


def _gaussian() -> LocalModel:
    from scc.models.gaussian import GaussianTightBinding

    return GaussianTightBinding()


MODELS: dict[str, str] = {
    "onsite": "on-site tight binding with self-consistent charges, H = H⁰ + diag(v̂), H–Ar",
    "gaussian": "tight binding in STO-3G, Löwdin-orthogonalised, V complete in the basis, H–Ar",
}

_FACTORIES: dict[str, Callable[[], LocalModel]] = {"onsite": _onsite, "gaussian": _gaussian}


def model_by_name(name: str) -> LocalModel:
    """A shipped model with its default parameters; InputError lists the known names."""
    if name not in _FACTORIES:
        raise InputError(f"no model {name!r}; known models: {', '.join(MODELS)}")
    return _FACTORIES[name]()
