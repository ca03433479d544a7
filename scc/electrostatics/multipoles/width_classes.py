r"""Sites of different widths in a sum over wave vectors: classes, and their joint smearing.

Target class a feels Σ_b e^{−k²W_ab/2} F_b with W_ab = max(σ_a² + σ_b², s). With the source classes
sorted by variance those with σ_b² < s − σ_a² come first and share W = s, and for the rest the
Gaussian is a product:

    Σ_b e^{−k²W_ab/2} F_b
        = e^{−k²s/2} Σ_{b narrow} F_b + e^{−k²σ_a²/2} Σ_{b wide} e^{−k²σ_b²/2} F_b ,

two running sums, so that the work grows with the number of classes and not with its square. With
screening k² + κ² stands in the place of k².
"""

from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.electrostatics.multipoles.lattice_waves import ComplexArray, LatticeWaves, SiteWaves
from scc.electrostatics.multipoles.sites import Sites


@dataclass(frozen=True, eq=False)
class SiteClass:
    """Sites of one variance; 0 stands for any that is narrow for the whole other side."""

    rows: IntArray
    variance: float
    waves: SiteWaves


def site_classes(
    sites: Sites, others: Sites, waves: LatticeWaves, smooth_variance: float
) -> list[SiteClass]:
    """Classes by rising variance; a single one if every σ² + (widest σ² of the others) ≤ s."""
    widest = float(np.max(others.variances, initial=0.0))
    narrow = sites.variances + widest <= smooth_variance
    effective = np.where(narrow, 0.0, sites.variances)
    result = []
    for variance in np.unique(effective):
        rows = np.flatnonzero(effective == variance)
        result.append(SiteClass(rows, float(variance), SiteWaves(waves, sites.positions[rows])))
    return result


class Smeared:
    """The sums of the module docstring.

    Args:
        classes: the source classes, rising variance.
        fields: F (n_classes, ..., n₂, n₃).
        squared: k², or k² + κ², (n₂, n₃).
        smooth_variance: s.
    """

    def __init__(
        self,
        classes: list[SiteClass],
        fields: ComplexArray,
        squared: FloatArray,
        smooth_variance: float,
    ) -> None:
        self._variances = np.array([c.variance for c in classes])
        self._squared, self._s = squared, smooth_variance
        self._narrow = _running(fields)
        each = (len(classes),) + (1,) * (fields.ndim - 1)
        self._decayed = fields * np.exp(-0.5 * self._variances.reshape(each) * squared)
        self._wide = _running(self._decayed[::-1])[::-1]

    def sum(self, variance: float) -> ComplexArray:
        """Σ_b e^{−k²W_ab/2} F_b for σ_a² = ``variance``."""
        split = np.searchsorted(self._variances, self._s - variance)
        result = np.exp(-0.5 * self._s * self._squared) * self._narrow[split]
        if split < len(self._variances):
            result += np.exp(-0.5 * variance * self._squared) * self._wide[split]
        return np.asarray(result)

    def weighted_sum(self, variance: float) -> ComplexArray:
        """Σ_b W_ab e^{−k²W_ab/2} F_b."""
        split = int(np.searchsorted(self._variances, self._s - variance))
        result = self._s * np.exp(-0.5 * self._s * self._squared) * self._narrow[split]
        if split < len(self._variances):
            own = np.exp(-0.5 * variance * self._squared)
            joint = variance + self._variances[split:]
            result += own * np.tensordot(joint, self._decayed[split:], axes=1)
        return np.asarray(result)


def _running(fields: ComplexArray) -> ComplexArray:
    """Sums of the first 0, 1, …, n entries along the first axis."""
    result = np.zeros((len(fields) + 1, *fields.shape[1:]), dtype=np.complex128)
    np.cumsum(fields, axis=0, out=result[1:])
    return result
