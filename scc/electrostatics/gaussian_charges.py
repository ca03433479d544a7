r"""Coulomb interaction of atom-centred Gaussian charges: the operator J of on-site tight binding.

Atom ℓ carries p_ℓ electrons and Z_ℓ nuclear charges, both spread as the normalised Gaussian

    m_ℓ(x) = (2π σ_ℓ²)^{-3/2} e^{-|x - r_ℓ|² / 2σ_ℓ²},       ρ - ν = Σ_ℓ (p_ℓ - Z_ℓ) m_ℓ .

Their mutual Coulomb energy is (two Gaussians of widths σ_ℓ, σ_k convolve to one of σ_ℓ² + σ_k²)

    J_ℓk = ∬ m_ℓ(x) m_k(y) / |x - y| = erf(τ_ℓk r_ℓk) / r_ℓk,    τ_ℓk = 1 / √(2 (σ_ℓ² + σ_k²)),
    J_ℓℓ = 2 τ_ℓℓ / √π = 1 / (σ_ℓ √π).

Which energy this is.  Equation (2.2) with smeared nuclei reads, with q' = p - Z (electrons minus
nuclei, the *negative* of the net charge),

    E_el[ρ] = ½ q'ᵀ J q' - ½ Zᵀ J Z .

The last term does not depend on ρ but does depend on the positions: without the nucleus–nucleus
energy ½ Σ_{ℓ≠k} Z_ℓ Z_k J_ℓk = ½ Zᵀ J Z - ½ Σ_ℓ Z_ℓ² J_ℓℓ forces would be unphysical.  The sum is

    E(p) = ½ (p - Z)ᵀ J (p - Z) - ½ Σ_ℓ Z_ℓ² / (σ_ℓ √π) ,     V = ∂E/∂p = J (p - Z) ,

V being the potential felt by an electron.  The last sum is the self-interaction of the smeared
nuclei, a constant, taken out also in a periodic cell (an image of a nucleus is another nucleus).

In a cell periodic in all three directions J is that of :mod:`scc.electrostatics.ewald_charges`.
"""

from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.spatial.distance import cdist

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.ewald_charges import EwaldInteraction
from scc.electrostatics.radial import coulomb_radial, coulomb_radial_slope, pair_tau
from scc.errors import InputError


class ChargeInteraction(Protocol):
    """J for one geometry, with the two derivative products everything else is made of."""

    @property
    def matrix(self) -> FloatArray:
        """J (M, M), Hartree, symmetric positive semi-definite."""

    def position_contract(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Σ_ℓk a_ℓ b_k ∂J_ℓk/∂r_m, shape (M, 3), Hartree/bohr, for a = left, b = right (M,)."""

    def position_jvp(self, charges: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k (∂J_ℓk/∂r · dr) c_k, shape (M,), for charges c (M,) and displacement dr (M, 3)."""


class OpenInteraction:
    """J_ℓk = erf(τ_ℓk r_ℓk)/r_ℓk in free space, dense; positions (M, 3), widths σ (M,), bohr."""

    def __init__(self, positions: FloatArray, widths: FloatArray) -> None:
        self._positions = positions
        self._tau = pair_tau(widths)

    @cached_property
    def _distances(self) -> FloatArray:
        return np.asarray(cdist(self._positions, self._positions))

    @cached_property
    def matrix(self) -> FloatArray:
        """J (M, M), Hartree."""
        return coulomb_radial(self._distances, self._tau)

    @cached_property
    def _slope(self) -> FloatArray:
        # ∂J_ℓk/∂r_ℓ = slope_ℓk (r_ℓ - r_k)
        return coulomb_radial_slope(self._distances, self._tau)

    def position_contract(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Σ_ℓk a_ℓ b_k ∂J_ℓk/∂r_m, shape (M, 3); r_m enters as ℓ and as k."""
        weight = self._slope * (np.outer(left, right) + np.outer(right, left))
        return np.stack([np.sum(weight * d, axis=1) for d in self._differences()], axis=1)

    def position_jvp(self, charges: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k (∂J_ℓk/∂r · dr) c_k, shape (M,)."""
        projected = np.zeros_like(self._slope)
        for difference, component in zip(self._differences(), displacement.T, strict=True):
            projected += difference * (component[:, None] - component[None, :])
        return np.asarray((self._slope * projected) @ charges)

    def _differences(self) -> list[FloatArray]:
        # Differences first, then products: forming Σ_k w_ℓk r_k - r_ℓ Σ_k w_ℓk instead would lose
        # digits in extended systems.
        return [x[:, None] - x[None, :] for x in self._positions.T]


class GaussianChargeCoulomb:
    """E(p) = ½ (p-Z)ᵀ J (p-Z) - ½ Σ_ℓ Z_ℓ²/(σ_ℓ√π): Hartree, nuclei, and their repulsion.

    A density term (module docstring): D = electron populations p (M,), V = J(p-Z) (M,), Hartree.
    Model B of the test systems, J = erf(r)/r with J_ℓℓ = 2/√π, is σ = ½ throughout.

    Args:
        configuration: positions in bohr, open or periodic in all three directions.
        widths: σ_ℓ (M,) or one number, bohr, > 0.
        nuclear_charges: Z_ℓ (M,) or one number, valence charges, ≥ 0.
    Raises:
        InputError: a width that is not positive and finite, a charge that is not finite, a wrong
            shape (the message names the atom and the value), a cell periodic in one or two
            directions only.
    """

    convex = True  # J is positive semi-definite

    def __init__(
        self,
        configuration: Configuration,
        widths: FloatArray | float,
        nuclear_charges: FloatArray | float,
    ) -> None:
        self.nuclear_charges = _per_atom(nuclear_charges, configuration, "nuclear charge")
        self.widths = _per_atom(widths, configuration, "width")
        for atom, width in enumerate(self.widths):
            if not width > 0.0:
                raise InputError(f"width of the charge on atom {atom} is {width}, must be > 0 bohr")
        self.interaction = _interaction(configuration, self.widths)
        self._nuclear_self_energy = 0.5 * float(
            np.sum(self.nuclear_charges**2 / (self.widths * np.sqrt(np.pi)))
        )

    @property
    def matrix(self) -> FloatArray:
        """J (M, M), Hartree."""
        return self.interaction.matrix

    def energy(self, populations: FloatArray) -> float:
        """E(p), Hartree."""
        excess = populations - self.nuclear_charges
        return 0.5 * float(excess @ self.matrix @ excess) - self._nuclear_self_energy

    def potential(self, populations: FloatArray) -> FloatArray:
        """V = ∂E/∂p = J(p - Z), shape (M,), Hartree: felt by an electron."""
        return np.asarray(self.matrix @ (populations - self.nuclear_charges))

    def kernel(self, populations: FloatArray, change: FloatArray) -> FloatArray:
        """dV = J dp; ``change`` (M,) or (M, k) for k right-hand sides at once."""
        return np.asarray(self.matrix @ change)

    def position_gradient(self, populations: FloatArray) -> FloatArray:
        """∂E/∂r at fixed p, shape (M, 3), Hartree/bohr."""
        excess = populations - self.nuclear_charges
        return 0.5 * self.interaction.position_contract(excess, excess)

    def potential_position_jvp(
        self, populations: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        """(∂V/∂r · dr) at fixed p, shape (M,), for dr (M, 3)."""
        return self.interaction.position_jvp(populations - self.nuclear_charges, displacement)

    def site_energies(self, populations: FloatArray) -> None:
        """None: electrostatics is the non-local part, (3.2) keeps it whole."""
        return None


def _per_atom(values: FloatArray | float, configuration: Configuration, name: str) -> FloatArray:
    number = len(configuration)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim and array.shape != (number,):
        raise InputError(f"{name}s have shape {array.shape}, expected ({number},)")
    array = np.array(np.broadcast_to(array, (number,)))
    for atom in np.flatnonzero(~np.isfinite(array)):
        raise InputError(f"{name} of atom {atom} is {array[atom]}, must be finite")
    return array


def _interaction(configuration: Configuration, widths: FloatArray) -> ChargeInteraction:
    periodic = tuple(configuration.periodic)
    if not any(periodic):
        return OpenInteraction(configuration.positions, widths)
    if all(periodic):
        return EwaldInteraction(configuration, widths)
    raise InputError(
        f"Coulomb sums need all three directions periodic or none, found periodic={periodic}"
    )
