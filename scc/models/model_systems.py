r"""Model systems with one s orbital an atom: levels by species, one hopping function h(r).

    H⁰_ℓℓ = ε(species of ℓ) + Σ over own periodic images of h,    H⁰_ℓk = Σ over images of h(r_ℓk)

Periodic images are folded at the Γ point.  Orbitals are orthonormal by assumption.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.configuration.neighbours import neighbour_pairs
from scc.models.half_matrix import symmetric_from_half
from scc.models.hopping import ExponentialHopping, Hopping, NearestNeighbourHopping
from scc.models.onsite_parameters import values_by_species


@dataclass(frozen=True)
class ModelSystem:
    """An s-only on-site Hamiltonian with Gaussian charges of one width; no pair repulsion.

    Args:
        hopping: h(r), Hartree; see :mod:`scc.models.hopping`.
        onsite: level ε in Hartree by chemical symbol.
        width: σ of every atom's Gaussian charge, bohr.
        nuclear_charge: Z by chemical symbol.
    Raises:
        InputError: from the methods, a species without a level or charge, naming the atom.
    """

    hopping: Hopping
    onsite: Mapping[str, float]
    width: float
    nuclear_charge: Mapping[str, float]

    def orbitals(self, configuration: Configuration) -> list[tuple[int, ...]]:
        """Angular momenta of the shells of each atom: one s shell."""
        return [(0,)] * len(configuration)

    def atom_of_orbital(self, configuration: Configuration) -> IntArray:
        """The atom each orbital sits on, shape (n,) = (M,)."""
        return np.arange(len(configuration), dtype=np.int64)

    def onsite_energies(self, configuration: Configuration) -> FloatArray:
        """ε of each orbital, shape (n,), Hartree."""
        return values_by_species(self.onsite, configuration, "on-site energy")

    def nuclear_charges(self, configuration: Configuration) -> FloatArray:
        """Z_ℓ, shape (M,)."""
        return values_by_species(self.nuclear_charge, configuration, "nuclear charge")

    def widths(self, configuration: Configuration) -> FloatArray:
        """σ_ℓ, shape (M,), bohr."""
        return np.full(len(configuration), self.width)

    def hamiltonian(self, configuration: Configuration) -> scipy.sparse.csr_matrix:
        """H⁰ (n, n), Hartree, exactly symmetric."""
        pairs = neighbour_pairs(configuration, self.hopping.cutoff).half()
        hopping = symmetric_from_half(
            pairs.first, pairs.second, self.hopping(pairs.distance), len(configuration)
        )
        levels = scipy.sparse.diags_array(self.onsite_energies(configuration))
        return scipy.sparse.csr_matrix(hopping + levels)

    def position_perturb(
        self, configuration: Configuration, displacement: FloatArray
    ) -> scipy.sparse.csr_matrix:
        """∂H⁰/∂r · dr (n, n) for dr (M, 3)."""
        pairs = neighbour_pairs(configuration, self.hopping.cutoff).half()
        change = displacement[pairs.second] - displacement[pairs.first]
        stretch = np.sum(pairs.displacement * change, axis=1) / pairs.distance
        values = self.hopping.derivative(pairs.distance) * stretch
        return symmetric_from_half(pairs.first, pairs.second, values, len(configuration))

    def position_contract(self, configuration: Configuration, matrix: FloatArray) -> FloatArray:
        """Σ_ab A_ab ∂H⁰_ab/∂r_m, shape (M, 3), for any square A (n, n)."""
        pairs = neighbour_pairs(configuration, self.hopping.cutoff).half()
        weight = matrix[pairs.first, pairs.second] + matrix[pairs.second, pairs.first]
        slope = weight * self.hopping.derivative(pairs.distance) / pairs.distance
        force = slope[:, None] * pairs.displacement
        gradient = np.zeros((len(configuration), 3))
        np.add.at(gradient, pairs.second, force)
        np.subtract.at(gradient, pairs.first, force)
        return gradient

    def repulsion_energies(self, configuration: Configuration) -> FloatArray:
        """Zero (M,): the nuclei already repel through J."""
        return np.zeros(len(configuration))

    def repulsion_gradient(self, configuration: Configuration) -> FloatArray:
        """Zero (M, 3)."""
        return np.zeros((len(configuration), 3))

    def repulsion_site_contract(
        self, configuration: Configuration, weights: FloatArray
    ) -> FloatArray:
        """Zero (M, 3)."""
        return np.zeros((len(configuration), 3))

    def repulsion_site_jvp(
        self, configuration: Configuration, displacement: FloatArray
    ) -> FloatArray:
        """Zero (M,)."""
        return np.zeros(len(configuration))


def model_b(
    gap: float = 2.0,
    charges: tuple[float, float] = (1.4, 0.6),
    species: tuple[str, str] = ("Na", "Cl"),
    hopping: Hopping | None = None,
    width: float = 0.5,
) -> ModelSystem:
    """Model B: h(r) = -e^{-(r-1)} switched off on [4, 4.5] bohr, levels ∓gap/2, J = erf(r)/r.

    The first species has level -gap/2 and nuclear charge ``charges[0]``, the second +gap/2 and
    ``charges[1]``; the species names are labels only.  With charges adding up to 2 and equal
    numbers of both the neutral system is half filled.  σ = ½ gives J = erf(r)/r, J_ℓℓ = 2/√π.
    """
    first, second = species
    return ModelSystem(
        hopping=ExponentialHopping() if hopping is None else hopping,
        onsite={first: -0.5 * gap, second: 0.5 * gap},
        width=width,
        nuclear_charge={first: charges[0], second: charges[1]},
    )


def nearest_neighbour_chain(
    t: float = 1.0,
    gap: float = 0.0,
    species: tuple[str, str] = ("Na", "Cl"),
    cutoff: float = 1.5,
    charges: tuple[float, float] = (1.0, 1.0),
    width: float = 0.5,
) -> ModelSystem:
    """Constant hopping -t between atoms closer than ``cutoff`` (bohr), levels ∓gap/2 by species.

    On a chain of unit spacing the locality rates are known exactly: 2|Im arccos(-(µ + iπ/β)/2t)|
    for gap = 0, and 2 arcsinh(gap/4t) at β = ∞ with alternating species and µ = 0.
    """
    return model_b(gap, charges, species, NearestNeighbourHopping(t, cutoff), width)
