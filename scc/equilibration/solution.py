"""What every equilibration returns, whatever closes v̂: a state, a status and what it cost."""

from dataclasses import dataclass, field
from typing import Any, Self

from scc.arrays import FloatArray
from scc.equilibration.work import Work
from scc.errors import ConvergenceError

CONVERGED = "converged"


@dataclass
class Solution:
    """A solution of the self-consistency, or an honest account of why not.

    Attributes
    ----------
    functional, state
        What was solved, and its state at the last (best) iterate.
    status
        ``converged``; ``stalled`` or ``diverged`` (no fixed point reached); ``unstable`` (a fixed
        point that the iteration of the physics would leave); others a subclass may add.
    residual
        The figure convergence is judged by, at that state.
    history
        The residual of every density build.
    """

    functional: Any
    state: Any
    status: str
    residual: float
    history: list[float]
    work: Work = field(default_factory=Work)

    @property
    def converged(self) -> bool:
        return self.status == CONVERGED

    def require_converged(self) -> Self:
        """Return self, or raise ConvergenceError saying the status and the residual."""
        if not self.converged:
            raise ConvergenceError(
                f"equilibration {self.status}: density residual {self.residual:.2e} "
                f"after {self.density_builds} density builds"
            )
        return self

    @property
    def density_builds(self) -> int:
        """Number of evaluations v̂ ↦ ρ."""
        return self.work.density_builds

    @property
    def response_applications(self) -> int:
        """Number of χ applications, those inside Krylov iterations included."""
        return self.work.response_applications

    @property
    def iterations(self) -> int:
        """Evaluations of the fixed-point map."""
        return len(self.history)

    @property
    def features(self) -> FloatArray:
        """v̂*."""
        features: FloatArray = self.state.features
        return features

    @property
    def density(self) -> FloatArray:
        """D at v̂*."""
        density: FloatArray = self.state.density
        return density

    @property
    def energy(self) -> float:
        """The functional's energy at v̂*, Hartree."""
        return float(self.state.energy)
