"""As the system grows: exponentially at fixed v̂, algebraically with open ends, fast when periodic.

Three kinds of systems.

*Clusters* cut out of a larger system at fixed v̂ (:mod:`scc.claims._truncated_clusters`): E_ℓ and
p_ℓ of the central site converge exponentially in the radius, at twice the decay of Green's
function, below the bounds of :mod:`scc.theory.thermodynamic_limit`.

*Open* lattices at equilibrium (:mod:`scc.claims._ionic_lattices`): only Coulomb interactions
between the charges of the corners are left of the surface, and with them powers of the size n that
depend on the dimension: forces at the centre d + 1, charges d + 3 (d = 1, 2), the energy per cell
of a chain beyond its surface term 2, the energy per atom 1. In one and two dimensions the
coefficients are those of point charges.

*Periodic* crystals (:mod:`scc.claims._periodic_ionic_crystal`): energy per atom and forces converge
like e^{−γL}, once around the torus.
"""

from __future__ import annotations

from typing import Any

from scc.claims._ionic_lattices import measure_islands
from scc.claims._periodic_ionic_crystal import measure_crystal
from scc.claims._thermodynamic_limit_figure import draw
from scc.claims._truncated_clusters import measure_clusters
from scc.claims.claim import Claim, System, SystemResult


def systems(full: bool) -> list[System]:
    found = []
    for dimension, size in ((1, 80), (2, 33 if full else 25), (3, 11 if full else 9)):
        for beta in ("inf", 1.5 if dimension == 3 else 4.0):
            found.append(
                _system(
                    f"cluster in a {dimension}D lattice, fixed v, beta = {beta}",
                    kind="cluster",
                    dimension=dimension,
                    size=size,
                    gap=3.0 if dimension == 3 else 2.0,
                    beta=beta,
                    mu=0.6,
                    disorder=0.1,
                    seed=1,
                    radii=24 if dimension == 1 else 14,
                )
            )
    sizes = {
        1: [20, 40, 80, 160, 320, 640, *([1280, 2560] if full else [])],
        2: [8, 12, 16, 20, 24, 32, 40, 48] if full else [8, 12, 16, 24, 32],
        3: [4, 6, 8, 10, *([12, 14] if full else [])],
    }
    found += [
        _system(
            f"open {dimension}D ionic lattice, up to {sizes[dimension][-1] ** dimension} atoms",
            kind="open",
            dimension=dimension,
            sizes=sizes[dimension],
            gap=12.0 if dimension == 3 else 6.0,
            ionicity=0.4,
            beta="inf",
        )
        for dimension in (1, 2, 3)
    ]
    periodic: dict[str, Any] = {"kind": "periodic", "forces": False, "supercells": [4, 6]}
    insulator = {"gap": 3.0, "ionicity": 0.4, "beta": "inf", "forces": True}
    found += [
        _system(
            "periodic rock salt, insulator",
            **{**periodic, **insulator, "supercells": [2, 4, 6, 8, *([10] if full else [])]},
        ),
        _system(
            "periodic rock salt, beta = 4", **{**periodic, "gap": 1.0, "ionicity": 0.4, "beta": 4.0}
        ),
        _system(
            "periodic cubic metal, beta = 4",
            **{**periodic, "gap": 0.0, "ionicity": 0.0, "beta": 4.0},
        ),
    ]
    return found


def _system(description: str, **parameters: Any) -> System:
    return System(description, parameters)


def measure(system: System) -> SystemResult:
    """See the module docstring; parameters["kind"] says which of the three."""
    kinds = {"cluster": measure_clusters, "open": measure_islands, "periodic": measure_crystal}
    return kinds[system.parameters["kind"]](system)


CLAIM = Claim(
    id="thermodynamic-limit",
    statement=(
        "At fixed v̂ the site energy E_ℓ converges exponentially in the radius of a cluster around "
        "ℓ, at twice the decay of Green's function and below an explicit bound. At equilibrium "
        "open lattices of size n converge algebraically: forces at the centre with power d + 1, "
        "the energy per cell of a chain beyond its surface with 2, coefficients those of the "
        "corner charges; periodic crystals converge like e^(-γL)."
    ),
    source="Section 3.1, Theorem 4; Lemma 12",
    systems=systems,
    measure=measure,
    draw=draw,
)
