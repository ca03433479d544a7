"""``certify(equilibrium)``: a proof about the exact solution next to the computed one."""

from __future__ import annotations

from scc.certify.certificate import Certificate
from scc.certify.failure import CertificationError
from scc.certify.registry import PROVERS, Progress, find
from scc.equilibration.equilibrium import Equilibrium
from scc.errors import InputError
from scc.models.gaussian import GaussianAssembly
from scc.models.onsite import OnsiteAssembly
from scc.models.tight_binding import BoundTightBinding


def certify(
    equilibrium: Equilibrium, degree: int | None = None, progress: Progress | None = None
) -> Certificate:
    """Prove that an exact v̂* exists near the computed one, with enclosures of what follows from it.

    degree: N; then also v̂*_N of the polynomial occupation F_N = G_N', and ‖v̂*_N − v̂*‖.

    Raises CertificationError naming the condition that fails (the equilibrium is not converged, a
    gap closes, …), InputError for a model, terms or a cell that certificates do not cover.
    """
    if degree is not None and degree < 2:
        raise InputError(f"polynomial degree must be >= 2, got {degree}")
    if equilibrium.status == "unstable":
        raise CertificationError(
            "the equilibrium is unstable: smallest eigenvalue of the dielectric operator "
            f"{equilibrium.lambda_min:.4g}, must be above 0"
        )
    if not equilibrium.converged:
        raise CertificationError(
            f"nothing to certify: the equilibration is {equilibrium.status}, "
            f"residual {equilibrium.residual:.2e} electrons"
        )
    if not equilibrium.functional.has_exact_occupation:
        raise InputError("certify the equilibrium of exact occupations; degree adds the polynomial")
    prove = find(PROVERS, _model_name(equilibrium))
    certificate: Certificate = prove(equilibrium, degree, progress or (lambda _: None))
    return certificate


def _model_name(equilibrium: Equilibrium) -> str:
    model = equilibrium.functional.model
    if isinstance(model, BoundTightBinding):
        if isinstance(model.assembly, OnsiteAssembly):
            return "onsite"
        if isinstance(model.assembly, GaussianAssembly):
            return "gaussian"
    raise InputError(f"no certificates for a {type(model).__name__} model")
