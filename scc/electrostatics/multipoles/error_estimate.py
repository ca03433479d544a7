r"""The error that a plan's parameters leave, estimated for given multipoles in O(N).

Expected are the mean square errors of :mod:`.squared_errors`. Correlation mostly helps (molecules
are neutral); where it does not, and in small systems, in which little averages out,
:func:`force_safety` and ``ENERGY_SAFETY`` are for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.error_tables import GRID
from scc.electrostatics.multipoles.mesh_tables import SPACINGS
from scc.electrostatics.multipoles.natural_scale import NaturalScale, natural_scale
from scc.electrostatics.multipoles.site_powers import Powers, degree_squares
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.space import Space
from scc.electrostatics.multipoles.squared_errors import (
    SquaredErrors,
    mesh_errors,
    pair_errors,
    wave_errors,
)

if TYPE_CHECKING:
    from scc.electrostatics.multipoles.plan import Plan

SMALLEST_TOLERANCE = 1e-13
# An energy error is one number, of normal distribution at best: beyond 3.5 times its expected size
# once in two thousand times. Below a dozen sites two in a hundred are larger, up to nine times; but
# their forces ask for more than their energies.
ENERGY_SAFETY = 3.5


class ErrorEstimate(NamedTuple):
    """Errors, the expected ones times a safety factor. Hartree and bohr.

    Attributes:
        force: root mean square over the sites of the force error.
        energy: error of ½ p·V.
        potential: rms error of a component of U, one number for each λ of the targets.
        force_floor, energy_floor: rounding of the largest terms that were added: no result is
            better than that, and forces that vanish by symmetry are only this close to zero.
    """

    force: float
    energy: float
    potential: FloatArray
    force_floor: float
    energy_floor: float


def force_safety(number: int) -> float:
    """1.4 + 2.5/√N.

    The rms over N sites fluctuates the less the more there are. In two thousand random systems
    (every boundary and method without screening, N to 200) the largest ratio of actual to
    expected error was 2.5 for N < 6, 1.7 above; the median 0.7, about one in a hundred above 1.5.
    """
    return 1.4 + 2.5 / math.sqrt(max(number, 1))


def error_estimate(
    plan: Plan, boundary: Boundary, targets: Sites, sources: Sites, multipoles: FloatArray
) -> ErrorEstimate:
    """Errors to expect from ``plan`` for multipoles (N, (l_max+1)²) on the sources.

    Force and energy are those of the sources in their own field and need ``targets`` to be
    ``sources``; for other targets they are zero, and only ``potential`` says something.
    """
    there = Powers.of(sources, multipoles, boundary.screening)
    scale = natural_scale(plan.surroundings(boundary, sources), degree_squares(multipoles))
    if plan.method == "direct" or not np.any(multipoles):
        floors = SMALLEST_TOLERANCE * scale.force, SMALLEST_TOLERANCE * scale.energy
        return ErrorEstimate(0.0, 0.0, np.zeros(targets.l_max + 1), *floors)
    space = plan.space(boundary, targets, sources)
    floors = _floors(scale, space, plan.smooth_variance, sources, multipoles)
    here = there
    if targets is not sources:
        here = Powers.of(targets, np.zeros((len(targets), targets.n_components)))
    s = plan.smooth_variance
    root = math.sqrt(s)
    parts = [pair_errors(here, there, space, s).at(GRID, plan.real_cutoff / root)]
    if plan.method == "ewald":
        assert plan.reciprocal_cutoff is not None
        waves = wave_errors(here, there, space, s)
        parts.append(waves.before(GRID, plan.reciprocal_cutoff * root))
    else:
        assert plan.mesh_shape is not None
        assert plan.spline_order is not None
        mesh = mesh_errors(here, there, space, s, plan.spline_order)
        spacing = np.linalg.norm(space.cell, axis=1) / np.array(plan.mesh_shape)
        for h in spacing:  # each axis has a third of the cubic mesh's aliases
            third = mesh.at(SPACINGS, float(h) / root)
            parts.append(SquaredErrors(*(part / 3.0 for part in third)))
    total = [np.sqrt(np.sum(part, axis=0)) for part in zip(*parts, strict=True)]
    safety = force_safety(len(sources))
    return ErrorEstimate(
        safety * float(total[0]), ENERGY_SAFETY * float(total[1]), safety * total[2], *floors
    )


def _floors(
    scale: NaturalScale, space: Space, s: float, sources: Sites, multipoles: FloatArray
) -> tuple[float, float]:
    """Rounding of forces and energies, also that of smooth potentials: each site's own one, with
    waves up to 5/√W, and the constant one G(0)Σq. Neither has a part in forces.
    """
    w = np.maximum(2.0 * sources.variances, s)
    powers = w[:, None] ** (-0.5 - np.arange(sources.l_max + 1))
    own = np.sum(degree_squares(multipoles) * powers, axis=1)
    constant = abs(float(space.kernel.values(np.zeros(3)))) * abs(float(np.sum(multipoles[:, 0])))
    force = scale.force + 5.0 * math.sqrt(float(np.mean(own**2 / w)))
    force += constant * math.sqrt(float(np.mean(multipoles[:, 0] ** 2 / w)))
    energy = scale.energy + 0.5 * float(np.sum(own))
    return SMALLEST_TOLERANCE * force, SMALLEST_TOLERANCE * energy
