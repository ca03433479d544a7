"""Cluster expansions of F_N and G_N by inclusion–exclusion over rebuilt sub-clusters.

Rounding: U_n is a signed sum of 2ⁿ matrix elements, each good to a few roundings of max|P_N|, so
that zero means |U_n| ≤ 2ⁿ · 10 · eps · max|P_N|.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.basis.shells import BasisSet, Shell
from scc.basis.three_centre import PotentialFunction
from scc.bodyorder.cluster_expansion import Subcluster, SubclusterBlocks, cluster_contribution
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.claims._body_order_systems import (
    EXPONENT,
    NUCLEAR_EXPONENT,
    gaussian_model,
    spectral_hull,
)
from scc.configuration import Configuration, cluster
from scc.models.extended_huckel import sourced_parameters
from scc.models.gaussian import GaussianTightBinding
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding

EPS = float(np.finfo(np.float64).eps)

# Distances at which every pair overlaps and no integral is lost against rounding, bohr.
_SPACING = {
    "onsite": 1.0,
    "onsite spd": 1.6,
    "gaussian": 1.2,
    "gaussian sp": 1.4,
    "loewdin": 1.6,
    "loewdin dilute": 3.0,
}


@dataclass(frozen=True)
class Expansion:
    """``largest``: max |U_n| for n = 0, 1, …; ``mismatch``: P_N less Σ U_n up to n; ``size``: max
    |P_N|, of site energies that of what they are the sum of."""

    largest: FloatArray
    mismatch: FloatArray
    size: float

    @property
    def rounding(self) -> FloatArray:
        """2ⁿ · 10 · eps · max|P_N|."""
        orders = np.arange(len(self.largest))
        return np.asarray(2.0**orders * 10.0 * EPS * self.size)


class RandomCluster:
    """A dense random cluster with random v̂, and Hamiltonians of all its sub-clusters.

    X is the hull of the spectra of all sub-clusters that contain atom 0, so that no polynomial is
    evaluated where it is large. µ lies in the middle of the spectrum.
    """

    def __init__(self, model: str, atoms: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.model = local_model(model)
        species = ("C", "O", "H") if model == "onsite spd" else ("Na", "Cl")
        self.configuration = cluster(atoms, _SPACING[model], rng, density=None, species=species)
        bound = self.model.prepare(self.configuration)
        self.features = rng.uniform(-1.0, 1.0, size=bound.feature_shape)
        self.orbitals = np.bincount(bound.assembly.atom_of_orbital, minlength=atoms)
        self.subcluster = cache(self._subcluster)
        levels = [
            scipy.linalg.eigvalsh(self.subcluster((0, *others))[0])[[0, -1]]
            for size in range(atoms)
            for others in combinations(range(1, atoms), size)
        ]
        self.spectral_set = spectral_hull(np.concatenate(levels), margin=1e-6)
        self.mu = 0.5 * (self.spectral_set.lower + self.spectral_set.upper)

    def _subcluster(self, atoms: Subcluster) -> tuple[FloatArray, FloatArray]:
        """(H, v) assembled anew from these atoms and their v̂, Hartree."""
        chosen = list(atoms)
        bound = self.model.prepare(self.configuration.subset(chosen))
        v = bound.assembly.feature_matrix(self.features[chosen])
        return bound.hamiltonian(self.features[chosen]), np.diag(v) if v.ndim == 1 else v

    def hamiltonian(self, atoms: Subcluster) -> FloatArray:
        """H of these atoms alone."""
        return self.subcluster(atoms)[0]

    def matrix_element(
        self, fitted: PolynomialOccupation, which: Literal["F", "G"], k: int
    ) -> Callable[[Subcluster], FloatArray]:
        """atoms ↦ the block (0, k) of G_N(H) or F_N(H)."""
        blocks = SubclusterBlocks(
            self.hamiltonian, lambda H: fitted.matrix_function(H, which), self.orbitals.tolist()
        )
        return blocks.block(0, k)

    def site_energy(self, fitted: PolynomialOccupation) -> Callable[[Subcluster], FloatArray]:
        """atoms ↦ E_0 = 2 tr[G_N(H) − vF_N(H)]_00, Hartree."""

        @cache
        def energy(atoms: Subcluster) -> FloatArray:
            H, v = self.subcluster(atoms)
            matrix = fitted.matrix_function(H, "G") - v @ fitted.matrix_function(H, "F")
            # Atom 0 comes first in every sub-cluster.
            return np.array(2.0 * np.trace(matrix[: self.orbitals[0], : self.orbitals[0]]))

        return energy

    def site_energy_terms(self, fitted: PolynomialOccupation) -> float:
        """2 tr|G_N(H)|_00 + 2 tr|vF_N(H)|_00 of all atoms, Hartree: what E_0 is rounded by.

        E_0 itself may be a small difference; at N = 1 it is ∝ H⁰_00.
        """
        H, v = self.subcluster(tuple(range(len(self.configuration))))
        matrices = (fitted.matrix_function(H, "G"), v @ fitted.matrix_function(H, "F"))
        own = self.orbitals[0]
        return 2.0 * float(sum(np.sum(np.abs(np.diagonal(m)[:own])) for m in matrices))

    def expand(
        self,
        element: Callable[[Subcluster], FloatArray],
        k: int,
        largest_order: int,
        size: float = 0.0,
    ) -> Expansion:
        """All U_n(u_0, u_k; …) with n ≤ largest_order, and their sums.

        ``size``: of the terms of ``element``, where these are larger than it.
        """
        atoms = len(self.configuration)
        others = [atom for atom in range(1, atoms) if atom != k]
        whole = element(tuple(range(atoms)))
        remainder = whole.copy()
        largest, mismatch = [], []
        for order in range(largest_order + 1):
            contributions = np.array(
                [
                    cluster_contribution(element, 0, k, chosen)
                    for chosen in combinations(others, order)
                ]
            )
            remainder = remainder - contributions.sum(axis=0)
            largest.append(float(np.max(np.abs(contributions))))
            mismatch.append(float(np.max(np.abs(remainder))))
            for chosen in combinations(others, order):
                value = np.abs(element(tuple(sorted({0, k, *chosen}))))
                size = max(size, float(np.max(value)))
        return Expansion(np.array(largest), np.array(mismatch), size)


def local_model(name: str) -> OnsiteTightBinding | GaussianTightBinding:
    """The model by the name its systems use."""
    if name == "onsite":
        return OnsiteTightBinding(model_b())
    if name == "onsite spd":
        return OnsiteTightBinding(sourced_parameters())
    if name == "gaussian sp":
        return GaussianTightBinding(
            basis=_sp_basis,
            features=(PotentialFunction(0, EXPONENT), PotentialFunction(1, EXPONENT)),
            overlap="orthonormal",
            nuclear_exponent=NUCLEAR_EXPONENT,
        )
    return gaussian_model("loewdin" if name.startswith("loewdin") else "orthonormal")


def _sp_basis(configuration: Configuration) -> BasisSet:
    shells = [Shell(angular_momentum, (EXPONENT,), (1.0,)) for angular_momentum in (0, 1)]
    return BasisSet(configuration.positions, [shells] * len(configuration))
