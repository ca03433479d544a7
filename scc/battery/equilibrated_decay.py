r"""Decay after equilibration: a charge answers to a distant displacement no slower than Coulomb.

With v̂ following the atoms, locality is lost, and only Coulomb's law is left to limit what arrives:
a displaced atom with a Born charge is a dipole, its potential at distance r falls like r⁻², and
charges that answer to the potential at their own site and its differences follow that power or a
faster one. Charge that flows freely over the whole system decays slower.

On copies side by side: one atom at the end is displaced along x, y, z; |∂q_ℓ/∂r_m| against r_ℓm, by
the subject's own response, else by central differences.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.arrays import FloatArray
from scc.battery.bench import Bench, charges_of, described
from scc.battery.decay_figure import draw_decay
from scc.battery.property import Finding, Property
from scc.battery.subject import TellsResponse, UnsupportedError, unsupported_is_said
from scc.configuration import Configuration
from scc.locality import decide

ATOMS = 90
POWER = 2.0
UNCERTAINTY = 0.5
"""Of a power that passes: half of what lies between one power of Coulomb's and the next."""

ROUNDING = 1e-12
"""e/bohr: an analytic response no larger than this, on site included, is none at all."""

STEP = 0.1
"""bohr, of central differences: off by STEP²/6 times the third derivative, a hundredth, where a
power is measured over decades; and noise is divided by it."""


def measure(bench: Bench) -> Finding:
    """|∂q_ℓ/∂r_m| on copies of the smallest structure."""
    grown = bench.grown(ATOMS)
    source = int(np.argmin(grown.positions[:, 0]))
    values, floor = response(bench, grown, source)
    if not float(np.max(values)) > (ROUNDING if floor is None else floor):
        raise UnsupportedError("no charge answers to a displacement: there is nothing to decay")
    distance = grown.distances()[source]
    decay = decide(distance, values, floor=floor)
    series = {"distance": distance, "|dq/dr|": values}
    numbers = {
        "structure": described(grown),
        "kind": decay.kind,
        "power": decay.power,
        "power: standard deviation": decay.uncertainty,
        "rate [1/bohr]": decay.rate,
        "reason": decay.reason,
    }
    if decay.kind in ("finite", "exponential"):
        words = f"exp(-{decay.rate:.3g} r)" if decay.kind == "exponential" else "of finite range"
        return Finding(True, f"dq/dr {words}", numbers, series)
    fit = decay.algebraic
    if fit is None:
        raise UnsupportedError(f"too little range to tell: {decay.reason}")
    power, sigma = fit.power, fit.power_uncertainty
    numbers |= {"power": power, "power: standard deviation": sigma}
    holds = power + 2.0 * sigma >= POWER
    if holds and not sigma <= UNCERTAINTY:
        raise UnsupportedError(f"too little range to tell: a power of {power:.1f} ± {sigma:.1f}")
    sign = ">=" if holds else "<"
    return Finding(
        holds, f"dq/dr ~ r^-{power:.2f}±{sigma:.2f} {sign} r^-{POWER:g}", numbers, series
    )


def response(
    bench: Bench, configuration: Configuration, source: int
) -> tuple[FloatArray, float | None]:
    """Largest |∂q_ℓ/∂r_m| over the components of r_m, (M,), and its noise floor if differenced."""
    subject, atoms = bench.subject, len(configuration)
    found = np.zeros(atoms)
    solved = bench.solution(configuration)
    charges_of(solved)
    analytic = isinstance(subject, TellsResponse)
    for axis in range(3):
        displacement = np.zeros((atoms, 3))
        displacement[source, axis] = 1.0
        if isinstance(subject, TellsResponse):
            with unsupported_is_said():
                change = subject.charge_response(solved, displacement)
        else:
            ahead = charges_of(bench.fresh(configuration.displaced(STEP * displacement)))
            behind = charges_of(bench.fresh(configuration.displaced(-STEP * displacement)))
            change = (ahead - behind) / (2.0 * STEP)
        np.maximum(found, np.abs(change), out=found)
    return found, None if analytic else bench.subject.accuracy / STEP


def draw(axes: Axes, finding: Finding) -> None:
    """|∂q_ℓ/∂r_m| and the power of the threshold."""
    draw_decay(axes, finding, r"$|\partial q_\ell/\partial r_m|$ [e/bohr]")
    distance, values = finding.series["distance"], finding.series["|dq/dr|"]
    far = distance > 0.0
    if np.any(values[far] > 0.0):
        r = np.sort(distance[far])
        level = float(np.max(values[far] * distance[far] ** POWER))
        axes.plot(r, level * r**-POWER, "k:", lw=0.8, label=f"r^-{POWER:g}")
        axes.legend(fontsize="small")


PROPERTY = Property(
    "equilibrated decay",
    "Once v follows the atoms, charges answer to a distant displacement no slower than r^-2.",
    f"power >= {POWER:g} within two standard deviations (or exponential, or of finite range): the "
    "potential of the dipole that a displaced charge makes.",
    measure,
    draw,
)
