r"""Explicit energies of the populations that are not Coulomb: on-site repulsion, external fields.

Both are density terms on p (M,), electrons per atom, like
:class:`scc.electrostatics.gaussian_charges.GaussianChargeCoulomb`.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError


class OnsiteHubbard:
    """E(p) = ½ Σ_ℓ U_ℓ (p_ℓ - Z_ℓ)², V_ℓ = U_ℓ (p_ℓ - Z_ℓ): local, Hartree.

    U may be negative: an attractive U makes the dielectric operator 1 - (J+U) χ₀ lose positivity,
    which is how tests reach unstable states.

    Args:
        hubbard: U_ℓ (M,), Hartree, any sign.
        nuclear_charges: Z_ℓ (M,).
    Raises:
        InputError: shapes that differ, or a value that is not finite.
    """

    def __init__(self, hubbard: FloatArray, nuclear_charges: FloatArray) -> None:
        self.hubbard = _finite_vector(hubbard, "Hubbard U")
        self.nuclear_charges = _finite_vector(nuclear_charges, "nuclear charge")
        if self.hubbard.shape != self.nuclear_charges.shape:
            raise InputError(
                f"{len(self.hubbard)} Hubbard parameters for {len(self.nuclear_charges)} charges"
            )

    @property
    def convex(self) -> bool:
        """Whether every U_ℓ ≥ 0."""
        return bool(np.all(self.hubbard >= 0.0))

    def energy(self, populations: FloatArray) -> float:
        """E(p), Hartree."""
        return float(np.sum(self.site_energies(populations)))

    def potential(self, populations: FloatArray) -> FloatArray:
        """V_ℓ = U_ℓ (p_ℓ - Z_ℓ), shape (M,)."""
        return self.hubbard * (populations - self.nuclear_charges)

    def kernel(self, populations: FloatArray, change: FloatArray) -> FloatArray:
        """dV_ℓ = U_ℓ dp_ℓ; ``change`` (M,) or (M, k)."""
        return np.asarray((self.hubbard * change.T).T)

    def position_gradient(self, populations: FloatArray) -> FloatArray:
        """Zero (M, 3): U belongs to the atom."""
        return np.zeros((len(self.hubbard), 3))

    def potential_position_jvp(
        self, populations: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        """Zero (M,)."""
        return np.zeros_like(self.hubbard)

    def site_energies(self, populations: FloatArray) -> FloatArray:
        """e_ℓ = ½ U_ℓ (p_ℓ - Z_ℓ)², shape (M,)."""
        return np.asarray(0.5 * self.hubbard * (populations - self.nuclear_charges) ** 2)

    def site_energies_jvp(self, populations: FloatArray, change: FloatArray) -> FloatArray:
        """de_ℓ = V_ℓ dp_ℓ, shape (M,)."""
        return self.potential(populations) * change

    def site_potential(self, populations: FloatArray, weights: FloatArray) -> FloatArray:
        """∂(Σ a_ℓ e_ℓ)/∂p_ℓ = a_ℓ V_ℓ, shape (M,)."""
        return weights * self.potential(populations)

    def site_position_jvp(self, populations: FloatArray, displacement: FloatArray) -> FloatArray:
        """Zero (M,)."""
        return np.zeros_like(self.hubbard)

    def site_position_contract(self, populations: FloatArray, weights: FloatArray) -> FloatArray:
        """Zero (M, 3)."""
        return np.zeros((len(self.hubbard), 3))


class ExternalPotential:
    """E(p) = Σ_ℓ (p_ℓ - Z_ℓ) V_ℓ for a prescribed potential V_ℓ felt by an electron on atom ℓ.

    Args:
        potential: V_ℓ (M,), Hartree.
        nuclear_charges: Z_ℓ (M,).
        potential_gradient: ∇V at atom ℓ, shape (M, 3), Hartree/bohr; None for a potential that is
            attached to the atoms and moves with them.
    Raises:
        InputError: shapes that differ, or a value that is not finite.
    """

    convex = True  # linear

    def __init__(
        self,
        potential: FloatArray,
        nuclear_charges: FloatArray,
        potential_gradient: FloatArray | None = None,
    ) -> None:
        self.values = _finite_vector(potential, "external potential")
        self.nuclear_charges = _finite_vector(nuclear_charges, "nuclear charge")
        number = len(self.values)
        if self.nuclear_charges.shape != self.values.shape:
            raise InputError(f"{number} potentials for {len(self.nuclear_charges)} charges")
        self.gradient = np.zeros((number, 3))
        if potential_gradient is not None:
            self.gradient = np.array(potential_gradient, dtype=np.float64)
            if self.gradient.shape != (number, 3) or not np.all(np.isfinite(self.gradient)):
                raise InputError(f"potential gradient must be finite, of shape ({number}, 3)")

    @classmethod
    def uniform_field(
        cls, configuration: Configuration, field: FloatArray, nuclear_charges: FloatArray
    ) -> "ExternalPotential":
        """Uniform electric field 𝓔 (3,), Hartree/(e·bohr): an electron (charge -1) feels +𝓔·r.

        Raises:
            InputError: a periodic configuration (𝓔·r is not periodic), a field that is no vector.
        """
        vector = _finite_vector(field, "field component")
        if vector.shape != (3,):
            raise InputError(f"an electric field has three components, found {len(vector)}")
        if any(configuration.periodic):
            raise InputError("a uniform field has no periodic potential: the cell must be open")
        gradient = np.tile(vector, (len(configuration), 1))
        return cls(configuration.positions @ vector, nuclear_charges, gradient)

    def energy(self, populations: FloatArray) -> float:
        """E(p), Hartree."""
        return float((populations - self.nuclear_charges) @ self.values)

    def potential(self, populations: FloatArray) -> FloatArray:
        """V (M,), whatever the populations."""
        return self.values.copy()

    def kernel(self, populations: FloatArray, change: FloatArray) -> FloatArray:
        """Zero, the shape of ``change``."""
        return np.zeros_like(change)

    def position_gradient(self, populations: FloatArray) -> FloatArray:
        """(p_ℓ - Z_ℓ) ∇V(r_ℓ), shape (M, 3), Hartree/bohr."""
        return np.asarray((populations - self.nuclear_charges)[:, None] * self.gradient)

    def potential_position_jvp(
        self, populations: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        """∇V(r_ℓ) · dr_ℓ, shape (M,)."""
        return np.asarray(np.sum(self.gradient * displacement, axis=1))

    def site_energies(self, populations: FloatArray) -> None:
        """None: an external potential is not part of any atom's E_ℓ."""
        return None


def _finite_vector(values: FloatArray, name: str) -> FloatArray:
    vector = np.array(values, dtype=np.float64)
    if vector.ndim != 1:
        raise InputError(f"{name}: expected one value per index, found shape {vector.shape}")
    for index in np.flatnonzero(~np.isfinite(vector)):
        raise InputError(f"{name} {index} is {vector[index]}, must be finite")
    return vector
