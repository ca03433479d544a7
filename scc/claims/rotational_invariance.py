r"""Energies and features of the multipole operator turn with the cluster; displaced charges do not.

The operator: random open clusters (and one crystal) of Gaussian and point multipoles λ ≤ 2 are
turned, multipoles along. The energy may change by rounding only, forces and features must turn
likewise: 1e-12 of ½Σ|p·V|, of the rms force, and of the largest feature of each λ and width.

Beside it the scheme that stands each dipole on charges displaced by a step h along three fixed axes
(:mod:`scc.claims._electrostatics_displaced`), on eight water molecules. Predicted from the
quadrupole (one-sided) or the third moments (central) that this adds: how much the energy changes
over a dozen rotations, power of h and prefactor, and how much the features do. At small h the
charges d/h are large and cancel: rounding grows like h^−2, so that no step is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.spatial.transform import Rotation

from scc.arrays import FloatArray
from scc.claims._electrostatics_displaced import (
    Dipoles,
    displaced_energy,
    displaced_features,
    leading_energy_error,
    leading_feature_error,
)
from scc.claims._electrostatics_rotation_figure import draw_rotations
from scc.claims._electrostatics_systems import (
    Drawn,
    draw_system,
    random_rotations,
    rotation_of_harmonics,
    water_cluster,
)
from scc.claims.claim import Claim, System, SystemResult
from scc.configuration import Configuration
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics
from scc.units import ANGSTROM, EV

TOLERANCE = 1e-12
"""Acceptance of the operator: change relative to ½Σ|p·V|, rms force, largest feature."""

_ROTATIONS = 12
_WIDTH, _PROBE = 1.0, 1.0  # angstrom
_STEPS_IN_USE = (0.02, 0.1)  # angstrom; energies, features
_MEV = 1e-3 * EV
# Where the leading power stands alone (angstrom): the next one is smaller by about h per bohr
# (one-sided) or its square (central), and rounding by more than 1e3.
_WINDOWS = {False: (1e-4, 4e-3), True: (5e-3, 4e-2)}
_ROUNDING_WINDOWS = {False: (1e-8, 1e-6), True: (1e-8, 1e-5)}
_POWER_TOLERANCE, _RATIO_TOLERANCE = 0.02, 0.02
_ROUNDING_TOLERANCE = 0.2  # maxima of few random numbers: a factor of two over two decades


def systems(full: bool) -> list[System]:
    found = [
        System(
            f"operator, open cluster of multipoles lambda <= 2, seed {seed}",
            {"kind": "operator", "boundary": "open", "seed": seed},
        )
        for seed in range(20 if full else 6)
    ]
    found += [
        System(
            f"operator, triclinic crystal of multipoles lambda <= 2, seed {seed}",
            {"kind": "operator", "boundary": "periodic", "seed": seed},
        )
        for seed in range(4 if full else 1)
    ]
    found.append(System("operator, eight water molecules", {"kind": "operator water"}))
    found += [
        System(
            f"displaced charges, {'central' if central else 'one-sided'}, eight water molecules",
            {"kind": "displaced", "central": central},
        )
        for central in (False, True)
    ]
    return found


def measure(system: System) -> SystemResult:
    if system.parameters["kind"] == "displaced":
        return _measure_displaced(system)
    return _measure_operator(system)


def _measure_operator(system: System) -> SystemResult:
    p = system.parameters
    if p["kind"] == "operator water":
        drawn, method = _drawn(water_cluster(_WIDTH * ANGSTROM)), "direct"
    else:
        drawn = draw_system(p["seed"], p["boundary"], neutral=False, sites=(4, 8), l_max=2)
        method = "direct" if p["boundary"] == "open" else "ewald"
    start = _Values(drawn, method)
    changes = np.zeros((_ROTATIONS, 3))
    energies = np.zeros(_ROTATIONS)
    for index, rotation in enumerate(random_rotations(_ROTATIONS, 1)):
        turned = _Values(drawn.turned(rotation), method)
        changes[index] = start.changes(turned, rotation)
        energies[index] = turned.energy
    worst = changes.max(axis=0)
    return system.result(
        hypotheses={},
        measured={
            "change of the energy over sum |p V|/2": worst[0],
            "change of the forces over their rms": worst[1],
            "change of the features over the largest": worst[2],
            "change of the energy [meV]": float(np.ptp(energies)) / _MEV,
        },
        predicted={
            "change of the energy over sum |p V|/2": f"<= {TOLERANCE:g}",
            "change of the forces over their rms": f"<= {TOLERANCE:g}",
            "change of the features over the largest": f"<= {TOLERANCE:g}",
        },
        holds=bool(np.all(worst <= TOLERANCE)),
    )


def _drawn(water: Dipoles) -> Drawn:
    number = len(water.charges)
    configuration = Configuration(("O", "H", "H") * (number // 3), water.positions)
    return Drawn(configuration, np.full(number, water.width), 1, water.multipoles)


class _Values:
    """Energy, forces and features of a system."""

    def __init__(self, drawn: Drawn, method: str) -> None:
        operator = MultipoleElectrostatics(
            drawn.configuration, drawn.widths, drawn.l_max, method=method, tolerance=1e-13
        )
        self.energy, self.potential, self.forces = operator.evaluate(drawn.multipoles)
        self.scale = 0.5 * float(np.sum(np.abs(drawn.multipoles * self.potential)))
        self.l_max = drawn.l_max
        # the probes' own width keeps features finite at point multipoles
        self.features = operator.features([0.5, 2.0], drawn.l_max)(drawn.multipoles)

    def changes(self, turned: _Values, rotation: FloatArray) -> FloatArray:
        """Relative change of energy, forces, features, the rotation undone."""
        forces = turned.forces @ rotation - self.forces
        size = float(np.sqrt(np.mean(np.sum(self.forces**2, axis=1))))
        back = rotation_of_harmonics(self.l_max, rotation.T)
        number, components = len(self.forces), len(back)
        before = self.features.reshape(number, -1, components)
        after = turned.features.reshape(number, -1, components) @ back.T
        worst = 0.0
        for degree in range(self.l_max + 1):
            block = slice(degree**2, (degree + 1) ** 2)
            change = np.abs(after - before)[:, :, block].max(axis=(0, 2))
            worst = max(worst, float(np.max(change / np.abs(before[:, :, block]).max(axis=(0, 2)))))
        return np.array(
            [
                abs(turned.energy - self.energy) / self.scale,
                float(np.sqrt(np.mean(np.sum(forces**2, axis=1)))) / size,
                worst,
            ]
        )


def _measure_displaced(system: System) -> SystemResult:
    central = bool(system.parameters["central"])
    power = 2 if central else 1
    water, probe = water_cluster(_WIDTH * ANGSTROM), _PROBE * ANGSTROM
    rotations = random_rotations(_ROTATIONS, 1)
    turned = [water.turned(rotation) for rotation in rotations]
    back = [rotation_of_harmonics(1, rotation.T) for rotation in rotations]
    steps = np.geomspace(1e-8, 1.0, 33)  # angstrom

    def spread(precision: type) -> FloatArray:
        energies = [
            [displaced_energy(one, h * ANGSTROM, central, precision) for one in turned]
            for h in steps
        ]
        return np.asarray(np.ptp(np.array(energies), axis=1) / _MEV)

    def turning(features: Sequence[FloatArray], size: float) -> float:
        """Largest λ = 1 difference to the first rotation's, both turned back."""
        undone = np.array([v @ D.T for v, D in zip(features, back, strict=True)])
        return float(np.max(np.abs(undone - undone[0])[:, :, 1:])) / size

    size = float(np.max(np.abs(displaced_features(turned[0], probe, 1e-3, True)[:, 1:])))
    features = np.array(
        [
            turning([displaced_features(w, probe, h * ANGSTROM, central) for w in turned], size)
            for h in steps
        ]
    )
    leading = np.ptp([leading_energy_error(one, central) for one in turned]) / _MEV
    prefactor = float(leading) * ANGSTROM**power
    feature_leading = turning([leading_feature_error(w, probe, central) for w in turned], size)
    feature_prefactor = feature_leading * ANGSTROM**power
    double, single = spread(np.float64), spread(np.float32)
    fits = {
        "energy": _fit(steps, double, _WINDOWS[central], power),
        "features": _fit(steps, features, _WINDOWS[central], power),
    }
    rounding, _ = _fit(steps, double, _ROUNDING_WINDOWS[central], -2)
    ratios = {
        "energy": fits["energy"][1] / prefactor,
        "features": fits["features"][1] / feature_prefactor,
    }
    used, angles = _STEPS_IN_USE[0], np.linspace(0.0, 360.0, 73)
    return system.result(
        hypotheses={"width of the Gaussians [angstrom]": _WIDTH},
        measured={
            "power of h, energy": fits["energy"][0],
            "power of h, features": fits["features"][0],
            "power of h, rounding of the energy": rounding,
            "energy, measured over predicted prefactor": ratios["energy"],
            "features, measured over predicted prefactor": ratios["features"],
            f"change of the energy at h = {used:g} angstrom [meV]": float(
                np.exp(np.interp(np.log(used), np.log(steps), np.log(double)))
            ),
            "smallest change of the energy at any h [meV]": float(double.min()),
            "the same in single precision [meV]": float(single.min()),
        },
        predicted={
            "power of h, energy": power,
            "power of h, features": power,
            "power of h, rounding of the energy": -2,
            "energy, measured over predicted prefactor": 1.0,
            "features, measured over predicted prefactor": 1.0,
            f"change of the energy at h = {used:g} angstrom [meV]": prefactor * used**power,
        },
        holds=all(abs(fit[0] - power) <= _POWER_TOLERANCE for fit in fits.values())
        and all(abs(ratio - 1.0) <= _RATIO_TOLERANCE for ratio in ratios.values())
        and abs(rounding + 2.0) <= _ROUNDING_TOLERANCE,
        series={
            "steps": steps,
            "energy": double,
            "energy in single precision": single,
            "predicted energy": prefactor * steps**power,
            "features": features,
            "predicted features": feature_prefactor * steps**power,
            "angles": angles,
            "energy about an axis": _about_an_axis(water, angles, used * ANGSTROM, central),
        },
    )


def _fit(
    steps: FloatArray, values: FloatArray, window: tuple[float, float], power: int
) -> tuple[float, float]:
    """The power over a window of steps, and the prefactor of the given one (geometric mean)."""
    inside = (steps >= window[0]) & (steps <= window[1])
    x, y = np.log(steps[inside]), np.log(values[inside])
    return float(np.polyfit(x, y, 1)[0]), float(np.exp(np.mean(y - power * x)))


def _about_an_axis(water: Dipoles, angles: FloatArray, step: float, central: bool) -> FloatArray:
    """Energy (meV) against the angle about z, less the mean."""
    turns = Rotation.from_rotvec(np.deg2rad(angles)[:, None] * np.array([0.0, 0.0, 1.0]))
    energies = [
        displaced_energy(water.turned(rotation), step, central) for rotation in turns.as_matrix()
    ]
    return np.asarray((np.array(energies) - np.mean(energies[:-1])) / _MEV)


CLAIM = Claim(
    id="rotational-invariance",
    statement=(
        "Turned with its multipoles, a system keeps its energy, and forces and features turn "
        f"along, to {TOLERANCE:g} of their natural scales. Dipoles made of charges displaced by h "
        "along fixed axes change the energy and the features in proportion to h (one-sided) or "
        "h^2 (central) with the prefactor of the multipoles that the displacement adds, and "
        "rounding grows like h^-2."
    ),
    source="eqs. (4.1), (4.3): multipoles and features transform under rotations",
    systems=systems,
    measure=measure,
    draw=partial(draw_rotations, steps_in_use=_STEPS_IN_USE),
)
