r"""What preparing a geometry and evaluating forces five times costs, in seconds.

Only ratios matter: between pairs, wave vectors and mesh nodes. The constants were fitted to CPU
times of this package on one core of an AMD EPYC (Zen 4) with 20 to 6000 sites, λ ≤ 2, and are
extrapolated to λ = 3, 4; single runs scatter by 30 % around the model. Five times, because
geometries are prepared for iterations: pairs then cost little, their kernels being kept, while the
transforms of a mesh have to be done again.
"""

from __future__ import annotations

import math

_DIRECT = (1.45e-7, 3.1e-7, 7e-7, 1.5e-6, 3e-6)  # a pair of the sum over all, for λ = 0…4
_PAIR = (8.5e-8, 1.6e-7, 4.2e-7, 1.0e-6, 2.0e-6)  # a pair within the cut-off
_PAIR_SITE = 1.5e-6
_PAIR_AGAIN = (0.1, 0.35, 0.45, 0.6, 0.6)  # another evaluation of pairs, over the first
_WAVE = (1.1e-9, 2.6e-9, 4.5e-9, 7e-9, 1e-8)  # a site and a wave vector
_WAVE_FACTOR = (2.3e-7, 3.0e-7, 3.8e-7, 4.6e-7, 5.4e-7)  # a site and a factor e^{2πi m f}
_WAVE_CLASS = 7e-8  # a wave vector and a class of widths
_START = 2e-3  # each sum
_EVALUATIONS = 5.0
_SPLINE_AGAIN = 0.4  # another use of the splines of a site, over the first


def direct_cost(number: int, l_max: int) -> float:
    """All ordered pairs of ``number`` sites."""
    return _EVALUATIONS * number**2 * _DIRECT[l_max]


def pair_cost(number: int, neighbours: float, l_max: int) -> float:
    """``number`` sites with ``neighbours`` neighbours each."""
    again = (_EVALUATIONS - 1.0) * _PAIR_AGAIN[l_max] * neighbours * _PAIR[l_max]
    return _START + number * (_PAIR_SITE + neighbours * _PAIR[l_max] + again)


def wave_cost(number: int, waves: float, l_max: int, classes: int = 1) -> float:
    """``waves`` wave vectors, both of ±k, and sites of ``classes`` different wide variances."""
    factors = 3.0 * math.cbrt(3.0 * waves / (4.0 * math.pi))
    site = _EVALUATIONS * waves * _WAVE[l_max] + factors * _WAVE_FACTOR[l_max]
    return _START + number * site + _WAVE_CLASS * waves * classes


def mesh_cost(
    number: int, shape: tuple[int, int, int], spline_order: int, l_max: int, classes: int = 1
) -> float:
    """Meshes of all components of every class, and splines of p³ nodes at each site."""
    components = (l_max + 1) ** 2
    nodes = math.prod(shape) * 6e-8 * components * classes
    site = 2e-6 + (4.5e-8 + 2.5e-8 * components) * spline_order**2
    again = (_EVALUATIONS - 1.0) * _SPLINE_AGAIN
    return _START + _EVALUATIONS * nodes + (1.0 + again) * number * site
