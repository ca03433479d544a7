"""Water for the claims on the fitted model: data of a checkout, and droplets no fit has seen."""

# mypy: disable-error-code="no-untyped-call"
# (ASE is only partly typed.)

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ase.io
import numpy as np

import scc
from scc.ace.registry import fitted_model
from scc.arrays import FloatArray
from scc.configuration import Configuration, from_ase
from scc.electrostatics.multipoles.moments import total_dipole
from scc.errors import InputError
from scc.units import ANGSTROM, EV

MODEL = "water"
"""The fitted model that ships with the package."""

DATA = Path(scc.__file__).resolve().parents[1] / "data" / "water"
"""The reference data of a checkout."""

model_of = cache(fitted_model)
"""The model of that name, or in that file, read once a process."""

_BOND, _ANGLE = 0.9572 * ANGSTROM, math.radians(104.52)
_CHARGES = np.array([-0.834, 0.417, 0.417])
_EPSILON, _SIGMA = 0.1521 / 627.5095, 3.1507 * ANGSTROM  # TIP3P: kcal/mol → Hartree, Å → bohr
_SPACING = 3.1 * ANGSTROM
_TEMPERATURE = 300.0 * 3.166811563e-6  # K → Hartree
_SWEEPS = 100
_SHAKE = 0.03 * ANGSTROM


@dataclass(frozen=True, eq=False)
class FarPoint:
    """Two fragments far apart, with their counterpoise-corrected reference.

    Attributes
    ----------
    pair: both fragments; the first has the atoms before ``size``.
    distance: bohr, between oxygens (head-to-tail) or nearest atoms.
    energy: of interaction, Hartree.
    dipoles: of the fragments alone in the basis of the pair, (2, 3), e·bohr.
    induced: what the other fragment adds to each, (2, 3), e·bohr: Σ(q r + µ) over the atoms of a
        fragment in the pair, r from its centre, less its dipole alone. Each, not only the sum of
        both, in which they may cancel.
    """

    name: str
    pair: Configuration
    size: int
    distance: float
    energy: float
    dipoles: FloatArray
    induced: FloatArray


@cache
def far_points() -> dict[str, FarPoint]:
    """All of far_field.xyz by name; nothing where the data are not installed."""
    path = DATA / "far_field.xyz"
    found = {}
    for atoms in ase.io.read(path, ":") if path.is_file() else []:
        info, size, pair = atoms.info, int(atoms.info["first_fragment"]), from_ase(atoms)
        alone = np.array([info["ref_first_dipole"], info["ref_second_dipole"]])
        moments = np.column_stack(
            [atoms.arrays["ref_charge"], atoms.arrays["ref_atomic_dipole"][:, [1, 2, 0]]]
        )
        found[info["name"]] = FarPoint(
            info["name"],
            pair,
            size,
            float(info["distance_A"]) * ANGSTROM,
            float(info["ref_interaction_energy"]) * EV,
            alone,
            fragment_dipoles(pair.positions, moments, size) - alone,
        )
    return found


def fragment_dipoles(positions: FloatArray, moments: FloatArray, size: int) -> FloatArray:
    """Dipole of the first ``size`` atoms and of the others about their centres, (2, 3), x y z.

    ``moments`` (M, ≥ 4): charges and dipoles in the order y, z, x. A fragment keeps its charge to
    some 1e-5 e, so that the origin hardly matters, but it does if it is far away.
    """
    found = np.empty((2, 3))
    for index, own in enumerate((slice(size), slice(size, None))):
        found[index] = total_dipole(positions[own] - positions[own].mean(axis=0), moments[own])
    return found


def fragments(pair: Configuration, size: int) -> tuple[Configuration, Configuration]:
    """The first ``size`` atoms, and the others."""
    return part(pair, slice(size)), part(pair, slice(size, None))


def part(whole: Configuration, atoms: slice) -> Configuration:
    """Some atoms alone."""
    return Configuration(whole.species[atoms], whole.positions[atoms])


def molecule() -> FloatArray:
    """O, H, H of a water molecule with its dipole along x, (3, 3), bohr."""
    along, across = math.cos(_ANGLE / 2.0) * _BOND, math.sin(_ANGLE / 2.0) * _BOND
    return np.array([[0.0, 0.0, 0.0], [along, across, 0.0], [along, -across, 0.0]])


def head_to_tail(distance: float) -> Configuration:
    """Two molecules with both dipoles along the line between the oxygens, bohr."""
    second = molecule() + np.array([distance, 0.0, 0.0])
    return Configuration(("O", "H", "H") * 2, np.concatenate([molecule(), second]))


def droplet(number: int, seed: int) -> Configuration:
    """A droplet of liquid: rigid molecules at 300 K by Monte Carlo, hydrogens shaken by 0.03 Å.

    From a lattice of 3.1 Å, turned at random, with the pair potential TIP3P (W. L. Jorgensen et
    al., J. Chem. Phys. 79, 926 (1983)): only a source of geometries that look like water.

    Raises InputError for fewer than one molecule.
    """
    if number < 1:
        raise InputError(f"a droplet has at least one molecule, not {number}")
    rng = np.random.default_rng(seed)
    side = math.ceil(number ** (1.0 / 3.0)) + 1
    lattice = np.indices((side, side, side)).reshape(3, -1).T - 0.5 * (side - 1)
    nearest = np.argsort(np.sum(lattice**2, axis=1), kind="stable")[:number]
    places = _SPACING * lattice[nearest]
    positions = np.array([place + molecule() @ _turn(rng).T for place in places])
    for _ in range(_SWEEPS):
        for index in range(number):
            trial = _moved(positions[index], rng)
            change = _energy_change(positions, index, trial)
            if change <= 0.0 or rng.uniform() < math.exp(-change / _TEMPERATURE):
                positions[index] = trial
    positions[:, 1:] += rng.normal(scale=_SHAKE, size=(number, 2, 3))
    return Configuration(("O", "H", "H") * number, positions.reshape(-1, 3))


def _turn(rng: np.random.Generator) -> FloatArray:
    turn, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.diag(upper))
    return np.asarray(turn * np.linalg.det(turn))


def _moved(atoms: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A molecule shifted by up to 0.15 Å and turned about its oxygen by up to some 20°."""
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    angle = rng.uniform(-0.35, 0.35)
    arms = atoms - atoms[0]
    turned = (
        math.cos(angle) * arms
        + math.sin(angle) * np.cross(axis, arms)
        + (1.0 - math.cos(angle)) * np.outer(arms @ axis, axis)
    )
    return np.asarray(atoms[0] + rng.uniform(-0.15, 0.15, 3) * ANGSTROM + turned)


def _energy_change(positions: FloatArray, index: int, trial: FloatArray) -> float:
    """TIP3P energy of moving a molecule to ``trial`` (3, 3), Hartree."""
    both = np.stack([positions[index], trial])
    others = np.delete(positions, index, axis=0)
    difference = both[:, None, :, None] - others[None, :, None]
    apart = np.sqrt(np.einsum("tnijx,tnijx->tnij", difference, difference))
    sixth = (_SIGMA / apart[:, :, 0, 0]) ** 6
    coulomb = np.einsum("tnij,ij->t", 1.0 / apart, np.outer(_CHARGES, _CHARGES))
    energy = coulomb + 4.0 * _EPSILON * np.sum(sixth**2 - sixth, axis=1)
    return float(energy[1] - energy[0])
