r"""Locality at fixed v̂: E_ℓ(r, v̂) and ρ_ℓ(r, v̂) forget what is far away, Theorem 4, eq. (3.3).

On copies of the smallest structure side by side, at its own v̂*: the largest |∂E_ℓ/∂(r_m, v̂_m)| and
|∂ρ_ℓ/∂(r_m, v̂_m)| over components, of three sources m and all ℓ, against r_ℓm. Then
:func:`scc.locality.decide` says from the data alone whether that is exponential, algebraic, or zero
beyond a cut-off; the property wants the first or the last.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.arrays import FloatArray
from scc.battery.bench import Bench, described
from scc.battery.decay_figure import draw_decay
from scc.battery.property import Finding, Property
from scc.battery.subject import LocalDerivatives, TellsLocal, UnsupportedError, unsupported_is_said
from scc.configuration import Configuration
from scc.locality import Decay, Envelope, decide

ATOMS = 90
STEEP = 6.0
"""A tail that falls faster than r⁻⁶, where ``decide`` leaves it open, is none of Coulomb's: 1/r
between quadrupoles is r⁻⁵, and its derivative r⁻⁶."""

_SOURCES = 3


def measure_energies(bench: Bench) -> Finding:
    """Of E_ℓ."""
    return _measure(bench, "E")


def measure_densities(bench: Bench) -> Finding:
    """Of ρ_ℓ."""
    return _measure(bench, "rho")


def _measure(bench: Bench, of: str) -> Finding:
    subject = bench.subject
    if not isinstance(subject, TellsLocal):
        raise UnsupportedError("does not tell its E_l and rho_l at fixed features")
    grown = bench.grown(ATOMS)
    with unsupported_is_said():
        local = subject.local(bench.solution(grown))
        distance, by_position, by_feature = derivatives(local, grown, of)
    numbers: dict[str, object] = {"structure": described(grown)}
    parts: list[str] = []
    open_questions: list[str] = []
    holds, series = True, {"distance": distance}
    for name, values in (("r", by_position), ("v", by_feature)):
        decay = decide(distance, values)
        label = f"d{of}/d{name}"
        try:
            local_enough, words = judge(decay)
        except UnsupportedError as error:
            open_questions.append(f"{label}: {error}")
        else:
            holds = holds and local_enough
            parts.append(f"{label} {words}")
        numbers |= {
            f"{label}: kind": decay.kind,
            f"{label}: rate [1/bohr]": decay.rate,
            f"{label}: power": decay.power,
            f"{label}: reason": decay.reason,
        }
        series[label] = values
    if holds and open_questions:  # one that decays too slowly is enough to fail
        raise UnsupportedError("; ".join(open_questions))
    return Finding(holds, "; ".join(parts), numbers, series)


def derivatives(
    local: LocalDerivatives, configuration: Configuration, of: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """r_ℓm, and the largest |derivative by r_m| and |by v̂_m|, each (sources, M)."""
    if of == "E":
        by_position, by_feature = local.energies_by_positions, local.energies_by_features
    else:
        by_position, by_feature = local.densities_by_positions, local.densities_by_features
    atoms = len(configuration)
    # From one end, where the distances are the largest; several, for one may stand on a node.
    sources = np.argsort(configuration.positions[:, 0], kind="stable")[: min(_SOURCES, atoms)]
    found = np.zeros((2, len(sources), atoms))
    for row, source in enumerate(sources):
        for axis in range(3):
            displacement = np.zeros((atoms, 3))
            displacement[source, axis] = 1.0
            _raise_to(found[0, row], by_position(displacement))
        for direction in local.feature_directions(int(source)):
            _raise_to(found[1, row], by_feature(direction))
    return configuration.distances()[sources], found[0], found[1]


def judge(decay: Decay) -> tuple[bool, str]:
    """Whether a decay is that of a local function, and in words."""
    if decay.kind == "finite":
        reach = decay.r_range[1]
        return True, f"zero beyond {reach:.3g} bohr" if reach > 0.0 else "zero off site"
    if decay.kind == "exponential":
        return True, f"exp(-{decay.rate:.3g} r)"
    if decay.kind == "algebraic":
        return False, f"r^-{decay.power:.2g}"
    power = decay.algebraic.power if decay.algebraic is not None else _mean_power(decay.envelope)
    if power > STEEP:
        return True, f"faster than r^-{STEEP:g} (r^-{power:.3g})"
    raise UnsupportedError(f"too little range to tell: {decay.reason}")


def _mean_power(data: Envelope) -> float:
    """Of the fall from the first distance to the one where nothing rises above rounding."""
    if len(data) == 0 or not data.ends_in_noise or data.floor == 0.0:
        return float("nan")
    fall = np.log(float(data.magnitude.max()) / data.floor)
    return float(fall / np.log(data.next_distance / data.distance[0]))


def _raise_to(largest: FloatArray, values: FloatArray) -> None:
    magnitude = np.abs(values)
    if magnitude.ndim > 1:
        magnitude = magnitude.reshape(len(magnitude), -1).max(axis=1)
    np.maximum(largest, magnitude, out=largest)


def draw_energies(axes: Axes, finding: Finding) -> None:
    """|∂E_ℓ| against distance."""
    draw_decay(axes, finding, "|derivative| of $E_\\ell$ [Hartree/…]")


def draw_densities(axes: Axes, finding: Finding) -> None:
    """|∂ρ_ℓ| against distance."""
    draw_decay(axes, finding, "|derivative| of $\\rho_\\ell$ [e/…]")


_THRESHOLD = (
    "exponential, or exactly zero beyond a distance: eq. (3.3). Decided from the data by the share "
    "of the exponential factor in the fall (scc.locality.decide); where that leaves it open, a "
    f"power above {STEEP:g}, more than Coulomb's law makes between multipoles."
)

ENERGY = Property(
    "locality E",
    "E_l(r, v) at fixed v depends on r_m and v_m of distant atoms exponentially little, or not.",
    _THRESHOLD,
    measure_energies,
    draw_energies,
)

DENSITY = Property(
    "locality rho",
    "rho_l(r, v) at fixed v depends on r_m and v_m of distant atoms exponentially little, or not.",
    _THRESHOLD,
    measure_densities,
    draw_densities,
)
