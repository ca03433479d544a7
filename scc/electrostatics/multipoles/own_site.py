r"""What a site's own multipoles do at that very site: the X = 0 terms of the sum over pairs.

For a radial kernel, R_A(∇)R_B(∇) v(|X|) at X = 0 is δ_AB (2λ−1)!! g_λ(0), so two unit multipoles on
one site have the mutual energy

    K_A,B = δ_AB (−1)^λ g_λ(0; σ_a² + σ_k²) / (2λ−1)!! ,

positive for Coulomb: 2√(α/π), and (2α)^λ 2√(α/π) / ((2λ+1)(2λ−1)!!) in general, α = 1/2(σ_a²+σ_k²).
It depends on no position, so it exerts no force and feels no strain. Leaving it out (features
"without self-interaction") leaves an operator with zero diagonal: indefinite, unlike the Coulomb
energy of a density.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.kernels import RadialKernel
from scc.electrostatics.multipoles.moments import double_factorial


class OwnSite:
    """Diagonal K: target a sits on source a, both with N sites.

    Args:
        kernel: any radial kernel.
        variances: σ_a² + σ_k² of target a and source a (N,), bohr².
        target_l, source_l: largest λ of targets and sources.
        sign: −1 takes the term away instead of adding it; one number or one per site (N,).
    """

    def __init__(
        self,
        kernel: RadialKernel,
        variances: FloatArray,
        target_l: int,
        source_l: int,
        sign: float | FloatArray = 1.0,
    ) -> None:
        self._target_l, self._source_l = target_l, source_l
        common = min(target_l, source_l)
        radial = kernel.derivatives(common, variances, np.zeros_like(variances))
        columns = [
            np.tile(
                sign * (-1.0) ** degree * radial[degree] / double_factorial(2 * degree - 1),
                (2 * degree + 1, 1),
            )
            for degree in range(common + 1)
        ]
        self._diagonal = np.concatenate(columns).T  # (N, (common+1)²)

    def potential(self, sources: FloatArray) -> FloatArray:
        """K c."""
        number, common = self._diagonal.shape
        result = np.zeros((number, (self._target_l + 1) ** 2))
        result[:, :common] = self._diagonal * sources[:, :common]
        return result

    def field(self, sources: FloatArray) -> Field:
        """K c and no gradient: the target moves with the source."""
        potential = self.potential(sources)
        return Field(potential, np.zeros((*potential.shape, 3)))

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Zero."""
        return np.zeros((len(self._diagonal), (self._target_l + 1) ** 2))

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """Zero (3, 3)."""
        return np.zeros((3, 3))

    @property
    def transposed(self) -> "OwnSite":
        """Targets and sources exchanged."""
        other = object.__new__(OwnSite)
        other._target_l, other._source_l = self._source_l, self._target_l
        other._diagonal = self._diagonal
        return other
