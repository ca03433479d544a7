r"""The screened interaction e^{−κr}/r between Gaussians.

v_w(r) is the transform of 4π e^{−k²w/2}/(k²+κ²): a point charge and a Gaussian of variance w. With
ρ = r/√(2w) and a = κ√(w/2), and G_n = (−1)^n g_n > 0,

    G_0 = [e^{κ²w/2 − κr} erfc(a − ρ) − e^{−ρ²} erfcx(a + ρ)] / 2r,
    κ² G_{−1} = κ/2 · [e^{κ²w/2 − κr} erfc(a − ρ) + e^{−ρ²} erfcx(a + ρ)],
    r² G_{n+1} = (2n+1) G_n + κ² G_{n−1} − √(2/πw) w^{−n} e^{−ρ²},

and, for all n, G_n = w^{−n} √(2/πw) Y_n(ρ², a²) with the screened Boys functions of
:mod:`.screened_boys`. The recurrence keeps its digits where the overlap of the Gaussians does not
dominate, r ≥ κw and ρ² ≳ n; the functions Y_n serve the rest. No e^{κ²w/2}, which overflows, stands
alone.
"""

import math

import numpy as np
from scipy.special import erfc, erfcx

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.screened_boys import screened_boys
from scc.errors import InputError

# ρ − a beyond which the Gaussian's extent is e^{κ²w/2} and nothing else: e^{−81}, times at most
# (2ρ²)^n/(2n−1)!! < 1e13 for n ≤ 10.
_SEPARATED = 9.0


class YukawaKernel:
    r"""v_w(r) = e^{κ²w/2}/2r · [e^{−κr} erfc(a − ρ) − e^{κr} erfc(a + ρ)]; for a point e^{−κr}/r.

    Relative errors of g_n, n ≤ 10: 1e-13, but (κr + r²/2w) ε where the value is that exponentially
    small. As κ → 0 it goes over into :class:`.kernels.CoulombKernel`, g_0 like −κ.

    Args:
        screening: κ > 0, bohr⁻¹.
    Raises:
        InputError: κ that is not finite or not positive.
    """

    def __init__(self, screening: float) -> None:
        if not 0.0 < screening < math.inf:
            raise InputError(f"screening is {screening}, must be finite and > 0")
        self._screening = float(screening)

    def derivatives(
        self, order: int, variance: FloatArray, squared_distance: FloatArray
    ) -> FloatArray:
        """See :class:`.kernels.RadialKernel`."""
        variance, squared = np.broadcast_arrays(variance, squared_distance)
        distance = np.sqrt(squared)
        # ρ ≥ a is r ≥ κw
        beyond = distance - self._screening * variance
        separated = beyond > _SEPARATED * np.sqrt(2.0 * variance)
        if np.all(separated):
            return self._separated(order, variance, distance)
        inside = (beyond < 0.0) | (squared < 2.0 * _least_argument(order) * variance)
        result = np.empty((order + 1, *squared.shape))
        for chosen, function in (
            (separated, self._separated),
            (inside, self._inside),
            (~(separated | inside), self._overlapping),
        ):
            if np.any(chosen):
                result[:, chosen] = function(order, variance[chosen], distance[chosen])
        return result

    def _separated(self, order: int, variance: FloatArray, distance: FloatArray) -> FloatArray:
        """As if points, the charges multiplied by e^{κ²w/2}."""
        value = np.exp(self._screening * (0.5 * self._screening * variance - distance))
        return _upward(order, distance, value / distance, self._screening * value, self._screening)

    def _overlapping(self, order: int, variance: FloatArray, distance: FloatArray) -> FloatArray:
        """By the recurrence with all its terms."""
        kappa = self._screening
        width = np.sqrt(2.0 * variance)
        a, rho = 0.5 * kappa * width, distance / width
        decay = np.exp(-rho * rho)
        screened = np.exp(kappa * (0.5 * kappa * variance - distance)) * erfc(a - rho)
        other = decay * erfcx(a + rho)
        return _upward(
            order,
            distance,
            0.5 * (screened - other) / distance,
            0.5 * kappa * (screened + other),
            kappa,
            math.sqrt(2.0 / math.pi) * decay / np.sqrt(variance),
            variance,
        )

    def _inside(self, order: int, variance: FloatArray, distance: FloatArray) -> FloatArray:
        """By the functions Y_n."""
        kappa = self._screening
        result = screened_boys(
            order, 0.5 * distance * distance / variance, 0.5 * kappa * kappa * variance
        )
        factor = np.sqrt(2.0 / (np.pi * variance))
        for n in range(order + 1):
            result[n] *= factor
            factor = factor / -variance
        return result


def _least_argument(order: int) -> float:
    """ρ² from which the recurrence to ``order`` multiplies rounding by some ten at most."""
    return max(0.5, 1.25 * order)


def _upward(
    order: int,
    distance: FloatArray,
    first: FloatArray,
    previous: FloatArray,
    screening: float,
    overlap: FloatArray | None = None,
    variance: FloatArray | None = None,
) -> FloatArray:
    """g_n from G_0 (``first``), κ²G_{−1} (``previous``) and √(2/πw) e^{−ρ²} (``overlap``)."""
    result = np.empty((order + 1, *distance.shape))
    result[0] = current = first
    inverse = 1.0 / (distance * distance)
    for n in range(order):
        following = (2 * n + 1) * current + previous
        if overlap is not None and variance is not None:
            following -= overlap
            overlap = overlap / variance
        following *= inverse
        previous, current = screening * screening * current, following
        np.multiply((-1.0) ** (n + 1), current, out=result[n + 1])
    return result
