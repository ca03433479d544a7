"""|h(r)| and |h′(r)| below c e^{−ηr} for any η: hopping of compact support decays at every rate.

h = A e^{−γ(r−r₀)} s(r) with the C^∞ switch s. [𝔪, r_c] is cut into short cells, on each of which
the factors are monotone, or convex, or have one maximum in a known place, so that the supremum over
a cell is bounded by values at its ends: no sampling. For η ≤ γ the supremum of |h| is its value at
𝔪.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.models.hopping import ExponentialHopping, NearestNeighbourHopping
from scc.models.switching import SmoothSwitch

_CELLS = 2000


def hopping_envelope(hopping: object, eta: float, nearest: float) -> tuple[float, float] | None:
    """Upper bounds of sup |h| e^{ηr} and sup |h′| e^{ηr} over r ≥ nearest, Hartree(/bohr).

    None where the hopping is not one with a known closed form.
    """
    if isinstance(hopping, NearestNeighbourHopping):
        reached = abs(hopping.t) * np.exp(eta * hopping.cutoff)
        return (float(reached) if nearest < hopping.cutoff else 0.0), 0.0
    if not isinstance(hopping, ExponentialHopping):
        return None
    if not nearest < hopping.cutoff:
        return 0.0, 0.0
    ends = np.linspace(nearest, hopping.cutoff, _CELLS + 1)
    left, right = ends[:-1], ends[1:]
    exponents = (eta - hopping.decay) * ends + hopping.decay * hopping.reference
    size = abs(hopping.prefactor) * np.exp(np.maximum(exponents[:-1], exponents[1:]))
    switch = SmoothSwitch(*hopping.switch)(left)  # s decreases
    slope = _steepest(hopping.switch, left, right)
    values = np.max(size * switch), np.max(size * (abs(hopping.decay) * switch + slope))
    # A few roundings of the exponential and of the switch.
    return float(values[0] * (1.0 + 1e-13)), float(values[1] * (1.0 + 1e-13))


def _steepest(interval: tuple[float, float], left: FloatArray, right: FloatArray) -> FloatArray:
    """Upper bounds of |s′| on cells: s(1−s), at most ¼ with one maximum in the middle, times the
    convex 1/x² + 1/(1−x)²."""
    start, stop = interval
    switch = SmoothSwitch(start, stop)
    values = [switch(end) for end in (left, right)]
    bump = np.maximum(*(s * (1.0 - s) for s in values))
    middle = 0.5 * (start + stop)
    bump = np.where((left <= middle) & (middle <= right), 0.25, bump)
    x = [np.clip((end - start) / (stop - start), 1e-3, 1.0 - 1e-3) for end in (left, right)]
    convex = np.maximum(*(1.0 / y**2 + 1.0 / (1.0 - y) ** 2 for y in x))
    # Near the edges 1 − s is below the rounding of s.
    return np.asarray((bump + 1e-15) * convex / (stop - start))
