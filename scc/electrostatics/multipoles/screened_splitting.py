r"""Splitting a screened interaction into a short-ranged and a smooth part.

Far away a Gaussian of variance w looks, through e^{−κr}/r, like e^{κ²w/2} points. So v_w − v_W, the
short-ranged part without screening, is *not* short-ranged with it: Gaussians of unlike width have
unlike charges. What is short-ranged is v̄_w − v̄_W with

    v̄_w = e^{−κ²w/2} v_w,        transform 4π e^{−(k²+κ²)w/2}/(k²+κ²) ,

and v_w = e^{κ²σ_a²/2} e^{κ²σ_k²/2} v̄_w for w = σ_a² + σ_k²: the same sums as without screening, of
v̄ in the place of v, for multipoles multiplied by e^{κ²σ²/2}.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.interaction import Field, Interaction
from scc.electrostatics.multipoles.kernels import RadialKernel
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

_LARGEST_EXPONENT = 300.0  # e^{κ²σ²/2} of both sites together stays below the largest float64


class EqualCharges:
    """v̄_w = e^{−κ²w/2} v_w of a kernel v_w with screening κ."""

    def __init__(self, kernel: RadialKernel, screening: float) -> None:
        self._kernel, self._screening = kernel, screening

    def derivatives(
        self, order: int, variance: FloatArray, squared_distance: FloatArray
    ) -> FloatArray:
        """See :class:`.kernels.RadialKernel`."""
        damping = np.exp(-0.5 * self._screening**2 * np.asarray(variance))
        return self._kernel.derivatives(order, variance, squared_distance) * damping


class Weighted:
    """An interaction between multipoles multiplied by one factor a site."""

    def __init__(
        self, inner: Interaction, target_weights: FloatArray, source_weights: FloatArray
    ) -> None:
        self.inner = inner
        self._left, self._right = target_weights[:, None], source_weights[:, None]

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c)."""
        return self._left * self.inner.potential(self._right * sources)

    def field(self, sources: FloatArray) -> Field:
        """U(c) and ∂U/∂y_a."""
        field = self.inner.field(self._right * sources)
        return Field(self._left * field.potential, self._left[:, :, None] * field.gradient)

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k dr_k·∂U/∂r_k."""
        return self._left * self.inner.moved(self._right * sources, displacement)

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """∂B/∂ε."""
        return self.inner.strain(self._left * targets, self._right * sources)

    @property
    def transposed(self) -> "Weighted":
        """Targets and sources exchanged."""
        return Weighted(self.inner.transposed, self._right[:, 0], self._left[:, 0])


def screened_charges(sites: Sites, screening: float) -> FloatArray:
    """e^{κ²σ²/2} (N,).

    Raises:
        InputError: a factor beyond what float64 holds.
    """
    exponent = 0.5 * screening**2 * sites.variances
    if np.any(exponent > _LARGEST_EXPONENT):
        site = int(np.argmax(exponent))
        raise InputError(
            f"width {np.sqrt(sites.variances[site])} of site {site} is too large for the "
            f"screening {screening}: e^(κ²σ²/2) overflows (use method 'direct' in open boundaries)"
        )
    return np.asarray(np.exp(exponent))
