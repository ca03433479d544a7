r"""The tilted resolvent of a chain: Combes–Thomas without triangle inequalities.

φ_a = x_a, the coordinate along a line, is a weight, |x_a − x_b| ≤ r_ab, and serves all pairs:

    |R(z)_ab| ≤ e^{−η|x_a − x_b|} / σ_min(z − H_φ),      H_φ = e^{ηx} H e^{−ηx},

for a right of b, and for a left of b by transposition, H_φᵀ = H_{−φ}. On a chain nothing is lost,
|x_a − x_b| ≈ r_ab. σ_min is one number for the
whole system. In a periodic crystal with bands ε_j(k) it is min_{j,k} |z − ε_j(k + iη)| when the
tilted Bloch Hamiltonians are normal: positive exactly up to the width of the strip in which z meets
no band, which is the true rate (Paley–Wiener). Lemma 12 replaces H_φ − H by norms of |H|, whose
signs, and with them interference and the velocity *at µ* rather than the largest one, are lost: a
factor of four on chains whose hopping reaches four neighbours.

In a finite system σ_min > 0 at every η, but beyond the true rate it falls exponentially with M;
a bound that is uniform in M keeps η where σ_min is a fair part of 𝔡.

σ_min(z) changes by at most |z − z′|: the value in the middle of a cell of the spectral line, less
half the cell, holds in the whole of it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scc.arrays import FloatArray
from scc.errors import InputError
from scc.theory._resolvent_bounds import ResolventBounds
from scc.theory.system import TightBindingSystem

RATES, NODES = 12, 16
"""How many η and how many nodes of the line are treated; the others keep Lemma 12."""

_LARGEST_FACTOR = 8.0


def applies(system: TightBindingSystem) -> bool:
    """On-site features, whose weights e^{−ηφ}v e see one orbital only; open boundaries."""
    return system.assembly.diagonal and not any(system.configuration.periodic)


def coordinates(system: TightBindingSystem) -> FloatArray:
    """x, (M,) bohr, along the line through the two atoms farthest apart."""
    positions = system.configuration.positions
    first, last = np.unravel_index(np.argmax(system.distances), system.distances.shape)
    direction = positions[last] - positions[first]
    return np.asarray((positions - positions[first]) @ direction / np.linalg.norm(direction))


def projected_distances(system: TightBindingSystem) -> FloatArray:
    """|x_ℓ − x_k|, (M, M) bohr."""
    x = coordinates(system)
    return np.asarray(np.abs(x[:, None] - x))


def smallest_singular_values(
    system: TightBindingSystem, points: NDArray[np.complex128], rates: FloatArray
) -> FloatArray:
    """Lower bounds of σ_min(z − H_φ), points (S,) complex, rates (K,): (S, K) Hartree.

    The backward error of the decomposition, n eps ‖z − H_φ‖_F, is taken off.
    """
    x = coordinates(system)[system.owner]
    reach = np.where(system.hamiltonian != 0.0, x[:, None] - x, 0.0)
    identity = np.eye(len(x))
    found = np.empty((len(points), len(rates)))
    for k, eta in enumerate(rates):
        tilted = system.hamiltonian * np.exp(eta * reach)
        matrices = points[:, None, None] * identity - tilted
        smallest = np.linalg.svd(matrices, compute_uv=False)[:, -1]
        sizes = np.linalg.norm(matrices, axis=(1, 2))
        found[:, k] = smallest - len(x) * np.finfo(np.float64).eps * sizes
    return found


def tilted_bounds(system: TightBindingSystem, resolvent: ResolventBounds) -> ResolventBounds:
    """The bounds of Lemma 12, improved at the first nodes, for decay in |x_a − x_b| instead of
    r_ab. Raises InputError where the system is not one :func:`applies` to."""
    if not applies(system):
        raise InputError("tilted bounds are for on-site models with open boundaries")
    rates = resolvent.rates
    critical = rates[np.flatnonzero(np.isfinite(resolvent.whole_part[0]))[-1]]
    inside = np.flatnonzero((rates >= 0.5 * critical) & (rates <= _LARGEST_FACTOR * critical))
    chosen = inside[np.unique(np.linspace(0, len(inside) - 1, RATES).round().astype(int))]
    heights = resolvent.line.heights
    number = min(NODES, len(heights) - 1)
    if not system.zero_temperature:
        # σ_min need not grow with s: a node that stands for several poles keeps Lemma 12.
        several = np.flatnonzero(resolvent.line.occupation * system.beta > 3.0)
        if len(several) > 0:
            number = min(number, int(several[0]))
    half = 0.5 * (heights[1 : number + 1] - heights[:number])
    middle = np.asarray(resolvent.line.energy + 1j * (heights[:number] + half))
    values = smallest_singular_values(system, middle, rates[chosen]) - half[:, None]
    with np.errstate(divide="ignore"):
        logarithms = -np.log(np.maximum(values, 0.0))
    whole, real = resolvent.whole_part.copy(), resolvent.real_part.copy()
    block = np.ix_(np.arange(number), chosen)
    whole[block] = np.minimum(whole[block], logarithms)
    return replace(resolvent, whole_part=whole, real_part=np.minimum(real, whole))


def tilted_exponent(system: TightBindingSystem, z: complex, share: float = 0.3) -> float:
    """Largest η, to 1 %, with σ_min(z − H_φ) ≥ ``share`` 𝔡 from 0 up to η; 1/bohr."""
    distance = float(np.min(np.abs(z - system.levels)))
    point = np.array([z], dtype=np.complex128)
    low, step = 0.0, 1e-3
    while step > 1e-2 * low or low == 0.0:
        found = smallest_singular_values(system, point, np.array([low + step]))[0, 0]
        if found >= share * distance:
            low, step = low + step, 2.0 * step
        elif low == 0.0 and step < 1e-9:
            return 0.0
        else:
            step *= 0.25
    return low
