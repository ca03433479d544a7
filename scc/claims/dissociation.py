r"""Charge equilibration dissociates to fractional charges: the known defect, predicted.

QEq and EEM (1.2) give far fragments the charge Q∞ that equalises electronegativities, for two atoms
without hydrogen Q∞ = (χ_B − χ_A)/(J_A + J_B), approached as 1/R; the energy is lower than that of
the neutral fragments by (χ_B − χ_A)²/2(J_A + J_B), so that it is not size-consistent. In truth
the fragments are neutral, since moving a whole electron from A to B costs the ionisation potential
of A minus the affinity of B, I_A − A_B > 0 (χ + J/2 and χ − J/2 of the model's own parameters).

Which hypothesis this breaks. E_ℓ and ρ_ℓ depend on q_ℓ alone: Theorem 4 holds at fixed v̂. What is
lost is the *gap*. At a given µ a lone atom has the charge q = −(χ + µ)/J, whatever µ: it has the
local density of states 1/J at every energy, g₋ = g₊ = 0, as a metal has; in truth its charge is an
integer, the same for all µ within −I < µ < −A, a gap of J. And the ensemble is canonical with one µ
for all, through which, at a finite density of states, a change reaches any distance (Remark 8): a
potential on A changes the charge of B by 1/(η_A + η_B), however far B is.

The control has both hypotheses: on-site tight binding at β = ∞, µ in the gap, of the same
molecules. There each fragment is neutral, and a potential on one leaves the charge of the other
alone. (Not every dissociation is like that: a model with a gap may close it as bonds are broken.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scc.claims._dissociation_figure import draw
from scc.claims._far_fragments import (
    answer_at_distance,
    atom_in_qeq,
    charge_at,
    fragment,
    fragment_charge,
    molecule_in,
    solve,
    together,
)
from scc.claims.claim import Claim, System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result
from scc.configuration import Configuration
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.response import LinearResponse
from scc.functional.energy import EnergyFunctional
from scc.models.qeq import published_elements
from scc.models.registry import model_by_name
from scc.units import EV

_DISTANCES = (12.0, 1e4)  # bohr
_POINTS = 13
_FAR = 1e4
# At R = 1e4 bohr the next terms are 2/((η_A + η_B)R) ≈ 4e-4 of the leading one, dipoles of the
# fragments (a bohr or two) over R likewise.
_RELATIVE = 2e-3
# The energy is stationary in Q: left out is (2/((η_A + η_B)R))² ≈ 2e-7 of Q∞²(η_A + η_B)/2.
_SECOND = 1e-6
# Q∞ itself: brentq to 1e-15, molecules converged to 1e-14, charges of a sum over atoms.
_LIMIT = 1e-9
_DIFFERENT = 1e-3  # e at infinity: below, relative errors of the approach say nothing
_NEUTRAL = 1e-8  # e: the control's density residual is 1e-10


def systems(full: bool) -> list[System]:
    pairs: list[tuple[str, str, str]] = [
        ("qeq", "Na", "Cl"),
        ("qeq", "Li", "F"),
        ("qeq", "H", "F"),
        ("qeq", "H2O", "CH4"),
        ("qeq", "H2O", "CO2"),
        ("eem", "H2O", "CO2"),
    ]
    if full:
        atoms = ("Li", "Na", "K", "Rb", "Cs")
        pairs += [("qeq", a, b) for a in atoms for b in ("F", "Cl", "Br", "I")][1:]
    found = [
        System(f"{model}, {one} and {other}", {"model": model, "one": one, "other": other})
        for model, one, other in dict.fromkeys(pairs)
    ]
    found.append(
        System(
            "control with a gap: onsite, H2O and CH4",
            {"model": "onsite", "one": "H2O", "other": "CH4"},
        )
    )
    return found


def measure(system: System) -> SystemResult:
    p = system.parameters
    one, other = fragment(p["one"]), fragment(p["other"])
    distances = np.geomspace(*_DISTANCES, _POINTS)
    if p["model"] == "onsite":
        return _control(system, one, other, distances)
    atoms = len(one)
    charges = np.array(
        [fragment_charge(solve(p["model"], together(one, other, r)), atoms) for r in distances]
    )
    far = solve(p["model"], together(one, other, _FAR))
    closed = atoms == 1 and len(other) == 1
    a, b = (
        atom_in_qeq(c.species[0]) if closed else molecule_in(p["model"], c) for c in (one, other)
    )
    limit = charge_at(a, b)
    hardness = a.hardness(limit) + b.hardness(-limit)
    slope = 2.0 * limit / hardness
    # Q(R) is known but for dipoles (molecules): the limit is measured by taking its approach away.
    reached = charge_at(a, b, 1.0 / _FAR)
    approach = (fragment_charge(far, atoms) - limit) * _FAR
    error = far.energy - a.energy(0.0) - b.energy(0.0)
    wrong = a.energy(limit) + b.energy(-limit) - a.energy(0.0) - b.energy(0.0) - limit**2 / _FAR
    answer = answer_at_distance(far, atoms)
    measured = {
        "charge at 1e4 bohr [e]": fragment_charge(far, atoms),
        "R (Q - Q_infinity) at 1e4 bohr [e bohr]": approach,
        "error of size-consistency [Ha]": error,
        "answer of B to a potential on A at 1e4 bohr [1/Ha]": answer,
        "charge at infinity [e]": limit,
    }
    predicted = {
        "charge at 1e4 bohr [e]": reached,
        "R (Q - Q_infinity) at 1e4 bohr [e bohr]": slope,
        "error of size-consistency [Ha]": wrong,
        "answer of B to a potential on A at 1e4 bohr [1/Ha]": 1.0 / hardness,
        "charge at infinity [e]": "not 0, as the fragments in truth",
    }
    # A dipole d sees the other's charge: Q changes by d/((η_A + η_B)R²), d about 1 e bohr.
    dipolar = 0.0 if closed else 3.0 / (hardness * _FAR**2)
    holds = (
        abs(fragment_charge(far, atoms) - reached) <= _LIMIT + dipolar
        and _near(approach, slope)
        and abs(error - wrong) <= _SECOND * abs(wrong)
        and _near(answer, 1.0 / hardness)
    )
    return system.result(
        hypotheses=_hypotheses(p["one"], p["other"], closed, hardness)
        | {"the fragments differ in electronegativity": abs(limit) > _DIFFERENT},
        measured=measured,
        predicted=predicted,
        holds=bool(holds),
        series={
            "distances": distances,
            "charges": charges,
            "limit": np.array(limit),
            "slope": np.array(slope),
        },
    )


def _near(measured: float, predicted: float) -> bool:
    return abs(measured - predicted) <= _RELATIVE * abs(predicted)


def _hypotheses(one: str, other: str, closed: bool, hardness: float) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "gap at the common mu [Ha]": 0.0,
        "charge of A per shift of mu between the fragments [1/Ha]": 1.0 / hardness,
    }
    if closed:
        table = published_elements()
        cost = min(
            (table[a].chi + table[a].hardness / 2 - table[b].chi + table[b].hardness / 2) * EV
            for a, b in ((one, other), (other, one))
        )
        facts["neutral fragments are lower than ions (I - A > 0)"] = cost > 0.0
        facts["I - A [Ha]"] = cost
    return facts


def _control(
    system: System, one: Configuration, other: Configuration, distances: Any
) -> SystemResult:
    """Fragment charges and their answer where there is a gap."""
    atoms = len(one)
    charges, answers, gaps = [], [], []
    for distance in distances:
        bound = model_by_name("onsite").prepare(together(one, other, distance))
        result = equilibrate(EnergyFunctional(bound, beta=np.inf), throw=True)
        potential = np.zeros_like(result.density)
        potential[:atoms] = 1.0
        change = LinearResponse(result).to_potential(potential)
        charges.append(fragment_charge(result, atoms))
        answers.append(float(np.sum(change.charges[atoms:])))
        gaps.append(result.gap)
    charge, answer = abs(charges[-1]), abs(answers[-1])
    return system.result(
        hypotheses={"gap at mu [Ha]": min(gaps), "there is a gap": min(gaps) > 1e-3},
        measured={
            "charge at 1e4 bohr [e]": charge,
            "answer of B to a potential on A at 1e4 bohr [1/Ha]": answer,
        },
        predicted={
            "charge at 1e4 bohr [e]": 0.0,
            "answer of B to a potential on A at 1e4 bohr [1/Ha]": 0.0,
        },
        holds=charge <= _NEUTRAL and answer <= _NEUTRAL,
        series={
            "distances": np.asarray(distances),
            "charges": np.array(charges),
            "limit": np.array(0.0),
            "slope": np.array(0.0),
        },
    )


def _family_system(values: Mapping[str, Any]) -> System:
    one, other = values["A"], values["B"]
    return System(f"qeq, {one} and {other}", {"model": "qeq", "one": one, "other": other})


# Without hydrogen: a hydride far from a metal has no minimum in QEq (J_H falls with its charge).
_ATOMS = tuple(symbol for symbol in published_elements() if symbol != "H")

FAMILY = Family(
    (
        Parameter("A", "Na", "first atom", choices=_ATOMS),
        Parameter("B", "Cl", "second atom", choices=_ATOMS),
    ),
    _family_system,
    "charge of A at 1e4 bohr, e, to 1e-9",
    "~",
    of_result(
        "charge at 1e4 bohr [e]",
        "charge at 1e4 bohr [e]",
        energy_error="error of size-consistency [Ha]",
        answer="answer of B to a potential on A at 1e4 bohr [1/Ha]",
    ),
    ("energy_error", "answer"),
)


CLAIM = Claim(
    id="dissociation",
    statement=(
        "Charge equilibration (QEq, EEM) gives fragments at infinite distance the charge that "
        "equalises their electronegativities instead of none, approaches it as 1/R, is not "
        "size-consistent, and lets a potential on one change the charge of the other at any "
        "distance: it has no gap. Where there is a gap nothing of this happens."
    ),
    source="Eq. (1.2), Remark 8; hypotheses of Theorem 4",
    systems=systems,
    measure=measure,
    draw=draw,
    family=FAMILY,
)
