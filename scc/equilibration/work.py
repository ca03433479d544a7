"""The currency in which solvers are compared: density builds and χ₀ applications."""

from dataclasses import dataclass


@dataclass
class Work:
    """Counters, shared by everything that touches one equilibration.

    ``density_builds``: v̂ ↦ ρ, each one diagonalisation. ``response_applications``: A ↦ χ₀A, those
    inside Krylov iterations included.
    """

    density_builds: int = 0
    response_applications: int = 0
