"""How much of each λ some sites carry: all that an error estimate knows of multipoles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.electrostatics.multipoles.screened_splitting import screened_charges
from scc.electrostatics.multipoles.sites import Sites

_WIDTH_RATIO = 4.0  # variances within this ratio of each other are one class


@dataclass(frozen=True, eq=False)
class Powers:
    """Sites in classes of similar variance, each class counted with its smallest.

    Attributes:
        number: N.
        widest: largest variance of all, bohr².
        variances: (classes,), bohr².
        values: P_λ = Σ_k Σ_µ p_kλµ² of each class (classes, λ).
        fourth: Σ_k (Σ_µ p_kλµ²)(Σ_µ p_kλ'µ²) of each class (classes, λ, λ').
        charge: Σ_k p_k00.
    """

    number: int
    widest: float
    variances: FloatArray
    values: FloatArray
    fourth: FloatArray
    charge: float

    @classmethod
    def of(cls, sites: Sites, multipoles: FloatArray, screening: float = 0.0) -> Powers:
        """Powers of multipoles (N, (l_max+1)²), in the charges of a screened splitting.

        See :mod:`.screened_splitting`; without screening these are the multipoles themselves.
        """
        if screening > 0.0:
            multipoles = multipoles * screened_charges(sites, screening)[:, None]
        variances, label = width_classes(sites.variances)
        per_site = degree_squares(multipoles)
        values = np.zeros((len(variances), per_site.shape[1]))
        np.add.at(values, label, per_site)
        fourth = np.zeros((*values.shape, per_site.shape[1]))
        np.add.at(fourth, label, per_site[:, :, None] * per_site[:, None, :])
        widest = float(sites.variances.max(initial=0.0))
        charge = float(np.sum(multipoles[:, 0]))
        return cls(len(sites), widest, variances, values, fourth, charge)

    def only(self, degree: int) -> Powers:
        """These sites with nothing but λ = ``degree``, and no net charge."""
        chosen = np.zeros(self.values.shape[1])
        chosen[degree] = 1.0
        fourth = self.fourth * chosen[:, None] * chosen
        values = self.values * chosen
        return Powers(self.number, self.widest, self.variances, values, fourth, 0.0)

    def merged(self, variance: float) -> Powers:
        """All classes up to ``variance`` as one."""
        narrow = self.variances <= variance
        if np.sum(narrow) < 2:
            return self
        rest = ~narrow
        return Powers(
            self.number,
            self.widest,
            np.append(self.variances[rest], self.variances[narrow].min()),
            np.vstack([self.values[rest], self.values[narrow].sum(axis=0)]),
            np.concatenate([self.fourth[rest], self.fourth[narrow].sum(axis=0)[None]]),
            self.charge,
        )

    def mean_square(self, degree: int) -> float:
        """⟨p_λµ²⟩ of one component over all sites."""
        return float(np.sum(self.values[:, degree])) / (self.number * (2 * degree + 1))

    @property
    def l_max(self) -> int:
        """Largest λ."""
        return int(self.values.shape[1]) - 1


def degree_squares(multipoles: FloatArray) -> FloatArray:
    """Σ_µ p_λµ² (N, l_max+1) of multipoles (N, (l_max+1)²)."""
    starts = np.arange(math.isqrt(multipoles.shape[1])) ** 2
    return np.asarray(np.add.reduceat(multipoles**2, starts, axis=1))


def width_classes(variances: FloatArray) -> tuple[FloatArray, IntArray]:
    """Smallest variance of each class (classes,), and the class of each site (N,)."""
    narrowest = 1e-4 * float(variances.max(initial=0.0)) + 1e-300
    level = np.floor(np.log(np.maximum(variances, narrowest)) / math.log(_WIDTH_RATIO))
    _, label = np.unique(level, return_inverse=True)
    smallest = np.full(int(label.max(initial=-1)) + 1, np.inf)
    np.minimum.at(smallest, label, variances)
    return smallest, np.asarray(label, dtype=np.int64)
