"""Geometries of water clusters from GFN2-xTB Langevin dynamics, and what stands beside them.

Ångström, as in ASE.
"""

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.optimize import FIRE
from numpy.typing import NDArray
from plan import FRAMES_PER_TRAJECTORY, Frame
from tblite.ase import TBLite

_STEP = 0.5 * units.fs
_BETWEEN = 100
"""Steps between frames: 50 fs."""
_EQUILIBRATION = 600
_FIELD = 0.015
"""Largest field, Hartree per elementary charge and bohr."""
_FAR = 300.0
"""Distance in bohr of the two charges that make a nearly uniform field."""


def geometry(frame: Frame) -> tuple[Atoms, NDArray[np.float64]]:
    """(atoms, external charges (K, 4): x, y, z in Å and q in e) of a frame; K = 0 for most."""
    rng = np.random.default_rng(frame.trajectory)
    if frame.kind == "pair":
        return _pair(frame, rng), np.zeros((0, 4))
    atoms = trajectory(frame.molecules[0], rng, frame.frame)
    if frame.kind == "field":
        return atoms, _field(atoms, rng)
    if frame.kind == "charges":
        return atoms, _charges(atoms, rng)
    return atoms, np.zeros((0, 4))


def single_molecule() -> Atoms:
    angle = np.deg2rad(104.5) / 2.0
    positions = 0.9572 * np.array(
        [[0.0, 0.0, 0.0], [np.sin(angle), np.cos(angle), 0.0], [-np.sin(angle), np.cos(angle), 0.0]]
    )
    return Atoms("OHH", positions)


def _rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


def _packed(molecules: int, rng: np.random.Generator) -> Atoms:
    """Molecules at random, oxygens at least 2.8 Å apart, in a ball that fits them."""
    radius = 2.0 * molecules ** (1.0 / 3.0)
    centres: list[NDArray[np.float64]] = []
    while len(centres) < molecules:
        trial = rng.uniform(-radius, radius, 3)
        if np.linalg.norm(trial) <= radius and all(
            np.linalg.norm(trial - other) > 2.8 for other in centres
        ):
            centres.append(trial)
        radius *= 1.002
    cluster = Atoms()
    for centre in centres:
        one = single_molecule()
        one.positions = one.positions @ _rotation(rng).T + centre
        cluster += one
    return cluster


def trajectory(molecules: int, rng: np.random.Generator, frame: int) -> Atoms:
    """Frame number ``frame`` of the trajectory that this generator starts (250-500 K)."""
    assert 0 <= frame < FRAMES_PER_TRAJECTORY
    atoms = _packed(molecules, rng)
    temperature = float(rng.uniform(250.0, 500.0))
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    FIRE(atoms, logfile=None).run(fmax=0.3, steps=60)
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
    dynamics = Langevin(
        atoms, _STEP, temperature_K=temperature, friction=0.02 / units.fs, rng=rng, fixcm=False
    )
    dynamics.run(_EQUILIBRATION + _BETWEEN * frame)
    still = Atoms(atoms.get_chemical_symbols(), atoms.positions - atoms.get_center_of_mass())
    still.info["temperature_K"] = round(temperature, 1)
    return still


def _pair(frame: Frame, rng: np.random.Generator) -> Atoms:
    """Two fragments, turned at random, their nearest atoms 5-12 Å apart."""
    first, second = (trajectory(size, rng, 0) for size in frame.molecules)
    distance = place_apart(first, second, (5.0, 12.0), rng)
    both = first + second
    both.info = {"temperature_K": first.info["temperature_K"], "distance_A": round(distance, 3)}
    return both


def place_apart(
    first: Atoms, second: Atoms, distances: tuple[float, float], rng: np.random.Generator
) -> float:
    """Turn both at random, move the second along x: nearest atoms at the distance drawn (Å)."""
    for fragment in (first, second):
        fragment.positions = fragment.positions @ _rotation(rng).T
    distance = float(rng.uniform(*distances))
    low, high = 0.0, 60.0
    along = np.array([1.0, 0.0, 0.0])
    for _ in range(60):
        middle = 0.5 * (low + high)
        apart = first.positions[:, None] - (second.positions + middle * along)[None, :]
        nearest = float(np.min(np.linalg.norm(apart, axis=-1)))
        low, high = (low, middle) if nearest > distance else (middle, high)
    second.positions = second.positions + high * along
    return distance


def _field(atoms: Atoms, rng: np.random.Generator) -> NDArray[np.float64]:
    """Two opposite charges far away on a random axis: 2q/R² = field, uniform to (r/R)²."""
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    strength = float(rng.uniform(0.2, 1.0)) * _FIELD
    charge = 0.5 * strength * _FAR**2
    place = _FAR * units.Bohr * axis
    return np.array([[*(-place), charge], [*place, -charge]])


def _charges(atoms: Atoms, rng: np.random.Generator) -> NDArray[np.float64]:
    """One to three charges of ±0.3…1 e, 4.5 to 9 Å from the nearest atom."""
    found: list[list[float]] = []
    number = int(rng.integers(1, 4))
    while len(found) < number:
        place = rng.uniform(-14.0, 14.0, 3)
        nearest = float(np.min(np.linalg.norm(atoms.positions - place, axis=1)))
        if 4.5 < nearest < 9.0:
            charge = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 1.0))
            found.append([*place, charge])
    return np.array(found)
