r"""What a prepared geometry and one evaluation of forces cost, in seconds.

Only ratios matter: between pairs, wave vectors and mesh nodes. The constants were fitted to CPU
times of this package on one core of an AMD EPYC of 2022 (2.6 GHz) with 20 to 6000 sites, λ ≤ 2;
single runs scatter by 30 % around the model.
"""

from __future__ import annotations

import math

_PAIR = (9e-8, 2.1e-7, 4.7e-7, 1.0e-6, 2.0e-6)  # a pair, for λ = 0…4
_DIRECT = (1.45e-7, 3.1e-7, 7e-7, 1.5e-6, 3e-6)  # a pair of the sum over all
_PAIR_SITE = 4e-6
_WAVE = (1.0e-8, 1.3e-8, 2.0e-8, 3.0e-8, 4.0e-8)  # a site and a wave vector
_WAVE_SITE = 3e-6  # a site and λ + 1
_WAVE_CLASS = 1.5e-7  # a wave vector and a class of widths
_START = 1.5e-3  # a sum over pairs or waves


def direct_cost(number: int, l_max: int) -> float:
    """All ordered pairs of ``number`` sites."""
    return number**2 * _DIRECT[l_max]


def pair_cost(number: int, neighbours: float, l_max: int) -> float:
    """``number`` sites with ``neighbours`` neighbours each."""
    return _START + number * (_PAIR_SITE + neighbours * _PAIR[l_max])


def wave_cost(number: int, waves: float, l_max: int, classes: int = 1) -> float:
    """``waves`` wave vectors, one of each ±k, and sites of ``classes`` different wide variances."""
    site = (l_max + 1) * _WAVE_SITE + waves * _WAVE[l_max]
    return _START + number * site + _WAVE_CLASS * waves * classes


def mesh_cost(
    number: int, shape: tuple[int, int, int], spline_order: int, l_max: int, classes: int = 1
) -> float:
    """Meshes of all components of every class, and splines of p³ nodes at each site."""
    components = (l_max + 1) ** 2
    nodes = math.prod(shape) * (3e-8 + 6.8e-8 * components) * classes
    site = 2.5e-6 + (7.0e-8 + 3.5e-8 * components) * spline_order**2
    return _START + nodes + number * site
