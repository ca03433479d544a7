r"""Short-ranged pair repulsion of the atomic cores, in the form of GFN1-xTB.

    E_rep = Σ_{ℓ<k} Y_ℓ Y_k / r · e^{-√(α_ℓ α_k) r^κ} · s(r),     κ = 3/2,

Y the effective repulsive charges, s a C^∞ switch.  Sites get half of each of their pairs.
Reference: S. Grimme, C. Bannwarth, P. Shushkov, J. Chem. Theory Comput. 13 (2017) 1989.
"""

from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.configuration.neighbours import NeighbourPairs, neighbour_pairs
from scc.models.switching import SmoothSwitch


@dataclass(frozen=True)
class PairRepulsion:
    """The pair sum of the module docstring for given atoms.

    Attributes:
        charges: Y_ℓ (M,), elementary charges.
        alpha: α_ℓ (M,), bohr^{-κ}.
        exponent: κ.
        switch: s.
    """

    charges: FloatArray
    alpha: FloatArray
    exponent: float
    switch: SmoothSwitch

    def site_energies(self, configuration: Configuration) -> FloatArray:
        """e_ℓ, half of each pair energy of atom ℓ, shape (M,), Hartree; their sum is E_rep."""
        pairs = self._pairs(configuration)
        half = 0.5 * self._energy_and_slope(pairs)[0]
        energies = np.zeros(len(configuration))
        np.add.at(energies, pairs.first, half)
        np.add.at(energies, pairs.second, half)
        return energies

    def site_contract(self, configuration: Configuration, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ e_ℓ)/∂r, shape (M, 3), Hartree/bohr, for weights a (M,)."""
        pairs = self._pairs(configuration)
        slope = self._energy_and_slope(pairs)[1]
        mean = 0.5 * (weights[pairs.first] + weights[pairs.second])
        push = (mean * slope / pairs.distance)[:, None] * pairs.displacement
        gradient = np.zeros((len(configuration), 3))
        np.add.at(gradient, pairs.second, push)
        np.subtract.at(gradient, pairs.first, push)
        return gradient

    def site_jvp(self, configuration: Configuration, displacement: FloatArray) -> FloatArray:
        """∂e_ℓ/∂r · dr for a displacement dr (M, 3): shape (M,), Hartree."""
        pairs = self._pairs(configuration)
        slope = self._energy_and_slope(pairs)[1]
        change = displacement[pairs.second] - displacement[pairs.first]
        half = 0.5 * slope * np.sum(pairs.displacement * change, axis=1) / pairs.distance
        moved = np.zeros(len(configuration))
        np.add.at(moved, pairs.first, half)
        np.add.at(moved, pairs.second, half)
        return moved

    def _pairs(self, configuration: Configuration) -> NeighbourPairs:
        return neighbour_pairs(configuration, self.switch.stop).half()

    def _energy_and_slope(self, pairs: NeighbourPairs) -> tuple[FloatArray, FloatArray]:
        r = pairs.distance
        decay = np.sqrt(self.alpha[pairs.first] * self.alpha[pairs.second])
        bare = self.charges[pairs.first] * self.charges[pairs.second] / r
        bare = bare * np.exp(-decay * r**self.exponent)
        logarithmic = -1.0 / r - decay * self.exponent * r ** (self.exponent - 1.0)
        switch, slope = self.switch(r), self.switch.derivative(r)
        return np.asarray(bare * switch), np.asarray(bare * (logarithmic * switch + slope))
