"""Droplets of water for the timings: liquid density, relaxed a little by a classical force field.

Molecules stand on a jittered lattice, turned at random, inside a sphere; L-BFGS steps then bend
hydrogen bonds into place. The force field is flexible: charges of SPC (H. J. C. Berendsen et al.,
1981) and its Lennard-Jones oxygen, harmonic bonds and angle with the force constants of SPC/Fw
(Y. Wu, H. L. Tepper, G. A. Voth, J. Chem. Phys. 124, 024503 (2006)) about the bond and angle of
liquid water. It only has to be sane: the codes that are timed all get the same atoms.
"""

import math

import numpy as np
from scipy.optimize import minimize

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.units import ANGSTROM

_KCAL = 1.0 / 627.5094740631  # Hartree
_DENSITY = 0.0334 / ANGSTROM**3  # molecules in a cubic bohr, at 300 K
_JITTER = 0.15 * ANGSTROM
_BOND, _ANGLE = 0.97 * ANGSTROM, math.radians(105.0)
_STRETCH = 1059.162 * _KCAL / ANGSTROM**2
_BEND = 75.90 * _KCAL
_SIGMA, _EPSILON = 3.166 * ANGSTROM, 0.1554 * _KCAL
_CHARGES = np.array([-0.82, 0.41, 0.41])
_STEPS = 100


def droplet(molecules: int, seed: int = 0, steps: int = _STEPS) -> Configuration:
    """That many molecules (O, H, H, …), open boundaries; the same for the same seed.

    Args:
        steps: of the relaxation.
    """
    rng = np.random.default_rng(seed)
    spacing = _DENSITY ** (-1.0 / 3.0)
    reach = math.ceil(molecules ** (1.0 / 3.0))
    lattice = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1.0)] * 3), axis=-1).reshape(-1, 3)
    near = np.argsort(np.linalg.norm(lattice + np.array([0.1, 0.2, 0.3]), axis=1), kind="stable")
    oxygen = lattice[near[:molecules]] * spacing
    oxygen = oxygen + rng.normal(scale=_JITTER, size=oxygen.shape)
    turn, _ = np.linalg.qr(rng.normal(size=(molecules, 3, 3)))
    half = np.array([math.sin(_ANGLE / 2), math.cos(_ANGLE / 2), 0.0]) * _BOND
    bonds = np.array([[0.0, 0.0, 0.0], half, half * [-1.0, 1.0, 1.0]])
    start = oxygen[:, None] + np.einsum("mij,hj->mhi", turn, bonds)

    def objective(flat: FloatArray) -> tuple[float, FloatArray]:
        energy, gradient = energy_and_gradient(flat.reshape(-1, 3, 3))
        return energy, gradient.ravel()

    found = minimize(
        objective, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": steps}
    )
    return Configuration(("O", "H", "H") * molecules, found.x.reshape(-1, 3))


def energy_and_gradient(positions: FloatArray) -> tuple[float, FloatArray]:
    """Of the force field, for positions (molecules, OHH, 3): Hartree, Hartree/bohr."""
    gradient = np.zeros_like(positions)
    energy = _within(positions, gradient) + _between(positions, gradient)
    return energy, gradient


def _within(positions: FloatArray, gradient: FloatArray) -> float:
    """Bonds and angles; adds to the gradient."""
    arms = positions[:, 1:] - positions[:, :1]
    lengths = np.linalg.norm(arms, axis=2)
    units = arms / lengths[..., None]
    stretched = lengths - _BOND
    cosine = np.clip(np.einsum("mi,mi->m", units[:, 0], units[:, 1]), -1.0, 1.0)
    bent = np.arccos(cosine) - _ANGLE
    energy = 0.5 * _STRETCH * np.sum(stretched**2) + 0.5 * _BEND * np.sum(bent**2)
    slope = -_BEND * bent / np.sqrt(np.maximum(1.0 - cosine**2, 1e-12))
    pull = _STRETCH * stretched[..., None] * units
    turned = (units[:, ::-1] - cosine[:, None, None] * units) / lengths[..., None]
    pull += slope[:, None, None] * turned
    gradient[:, 1:] += pull
    gradient[:, 0] -= pull.sum(axis=1)
    return float(energy)


def _between(positions: FloatArray, gradient: FloatArray) -> float:
    """Charges of different molecules, and their oxygens; adds to the gradient."""
    molecules = len(positions)
    number = np.repeat(np.arange(molecules), 3)
    flat = positions.reshape(-1, 3)
    apart = flat[:, None] - flat
    squared = np.einsum("abi,abi->ab", apart, apart)
    same = number[:, None] == number
    squared[same] = 1.0
    charges = np.tile(_CHARGES, molecules)
    coulomb = np.where(same, 0.0, np.outer(charges, charges) / np.sqrt(squared))
    slope = -coulomb / squared
    oxygens = slice(0, None, 3)
    sixth = np.where(same, 0.0, _SIGMA**6 / squared**3)[oxygens, oxygens]
    slope[oxygens, oxygens] -= (
        24.0 * _EPSILON * (2.0 * sixth**2 - sixth) / squared[oxygens, oxygens]
    )
    gradient += np.einsum("ab,abi->ai", slope, apart).reshape(gradient.shape)
    lennard_jones = 4.0 * _EPSILON * np.sum(sixth**2 - sixth)
    return float(0.5 * np.sum(coulomb) + 0.5 * lennard_jones)
