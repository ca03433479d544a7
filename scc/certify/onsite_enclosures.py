"""Energy, charges, levels, gap and forces at the exact solution, from a ball about the centre."""

from __future__ import annotations

from typing import Any

import flint

from scc.certify import decimals
from scc.certify.ball_occupations import FermiDiracBall, FrozenOccupation
from scc.certify.failure import CertificationError
from scc.certify.norms import frobenius, widened
from scc.certify.onsite_state import OnsiteState

SLACK = flint.arb("1e-30")
"""Added to radii, so that who verifies them need not be as precise as who states them."""

ENERGY_SLACK = flint.arb("1e-18")
"""The same for the energy at β < ∞, which float64 vectors give to second order."""

LEVEL_SLACK = flint.arb("1e-11")
"""The same for single levels, relative to max(1, ‖H‖): they are verified from float64 vectors."""


def enclosures(
    state: OnsiteState, radius: flint.arb, inverse: flint.arb, below: int | None = None
) -> tuple[dict[str, str], dict[str, Any]]:
    """(constants, enclosures) of a solution within ``radius`` (2-norm) of the state's v̂.

    inverse: a bound of ‖J‖₂; below: levels below the gap, where the occupation does not know.
    Formulas: :mod:`scc.certify.onsite`. Raises CertificationError where the occupation has no
    Lipschitz constant on the whole ball.
    """
    matrices, occupation = state.matrices, state.occupation
    levels = state.system.enclosed(radius)
    coarse = LEVEL_SLACK * max(flint.arb(1), _largest(levels))
    slope = occupation.lipschitz(levels)
    if isinstance(occupation, FrozenOccupation):
        # Who verifies 1/gap knows the gap between the stated levels.
        slope = occupation.lipschitz([level + flint.arb(0, 2 * coarse) for level in levels])
    if not slope.is_finite():
        raise CertificationError(
            f"the occupation has no Lipschitz constant within {float(radius):.3g} of the centre"
        )
    orbitals = flint.arb(matrices.most_orbitals)
    lipschitz = (2 * orbitals * slope * (1 + flint.arb("1e-9"))).upper()
    moved = lipschitz * radius
    stated_p = [p + flint.arb(0, moved.upper()) for p in state.populations]
    shift = orbitals.sqrt() * radius
    if isinstance(occupation, FermiDiracBall) and occupation.electrons is not None:
        shift += flint.arb(len(levels)).sqrt() * radius  # µ follows
    density = widened(state.density, slope * shift)
    excess = [p - z for p, z in zip(stated_p, matrices.nuclear_charges, strict=True)]
    largest = frobenius(state.residual) + (1 + inverse * lipschitz) * radius
    energy = state.energy + flint.arb(0, (moved * largest).upper())
    found: dict[str, Any] = {
        "energy": decimals.enclosure(energy, energy.rad() + ENERGY_SLACK),
        "charges": [_stated(-q) for q in excess],
        "electrons": _stated(sum(stated_p, flint.arb(0))),
        "eigenvalues": decimals.enclosures(levels, coarse),
        "gap": _gap(state, levels, coarse, below),
        "forces": [[_stated(f) for f in row] for row in matrices.forces(density, excess)],
    }
    if isinstance(occupation, FermiDiracBall) and occupation.electrons is not None:
        found["chemical_potential"] = _stated(occupation.mu + flint.arb(0, radius))
    return {"lipschitz": decimals.upper(lipschitz, 12)}, found


def _stated(value: flint.arb) -> decimals.Enclosure:
    return decimals.enclosure(value, value.rad() + SLACK)


def _gap(
    state: OnsiteState, levels: list[flint.arb], coarse: flint.arb, below: int | None
) -> decimals.Enclosure | None:
    """Distance of the two levels next to µ; None where µ has none on one side, or is not certainly
    off every level."""
    occupation = state.occupation
    if isinstance(occupation, FrozenOccupation):
        below = occupation.filled
    elif isinstance(occupation, FermiDiracBall):
        below = sum(bool(level < occupation.mu) for level in levels)
        if below + sum(bool(level > occupation.mu) for level in levels) < len(levels):
            return None
    if below is None or not 0 < below < len(levels):
        return None
    return decimals.enclosure(levels[below] - levels[below - 1], 2 * coarse)


def _largest(levels: list[flint.arb]) -> flint.arb:
    return max(abs(levels[0]).upper(), abs(levels[-1]).upper())
