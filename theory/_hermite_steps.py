"""Hermite's formula for G − P, P interpolating G: on the cuts of G, and through the gap."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp

_TOLERANCE = mpmath.mpf(10) ** -18


def jump() -> bool:
    """Continued to iy from either side: −β⁻¹ ln(1+e^{−βz}) right, z − β⁻¹ ln(1+e^{βz}) left."""
    beta = mpmath.mpf(2)
    holds = True
    for passed in (0, 1, 2, 5):
        z = mpmath.mpc(0, 2 * passed * mpmath.pi / beta + mpmath.mpf(1) / 10)
        right = -mpmath.log(1 + mpmath.exp(-beta * z)) / beta
        left = z - mpmath.log(1 + mpmath.exp(beta * z)) / beta
        holds &= abs(left - right - 2j * mpmath.pi * passed / beta) < _TOLERANCE
        count = sum(z.imag > (2 * k + 1) * mpmath.pi / beta for k in range(20))
        holds &= count == passed
    return bool(holds)


def poles_passed() -> bool:
    """With t = βy/π ≥ 1: ⌈(t−1)/2⌉ = #{k ≥ 0: 2k+1 < t} ≤ t, on a grid that meets all parities."""
    grid = [Fraction(i, 8) for i in range(8, 200)]
    counts = [sum(2 * k + 1 < t for k in range(20)) for t in grid]
    return all(count == math.ceil((t - 1) / 2) <= t for count, t in zip(counts, grid, strict=True))


_NODES = (-0.9, -0.25, 0.3, 1.0)


def _interpolated(function: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], list[Any]]:
    nodes = [mpmath.mpf(x) for x in _NODES]

    def value(x: Any) -> Any:
        return mpmath.fsum(
            function(node)
            * mpmath.fprod((x - other) / (node - other) for other in nodes if other != node)
            for node in nodes
        )

    return value, nodes


def _omega(nodes: list[Any], z: Any) -> Any:
    return mpmath.fprod(z - node for node in nodes)


def on_cuts() -> bool:
    """G − P = (2ω/β) Re Σ_k ∫_{iy_k}^{i∞} dz/(ω(z)(z−x)), and its derivative, off the nodes.

    n(y) = Σ_k 1_{y > y_k} unfolded; by partial fractions, residues r_j at the nodes and at x, the
    integral is −Σ_j r_j ln(iy_k − p_j), since Σ r_j = 0.
    """
    beta, x = mpmath.mpf(4), mpmath.mpf(7) / 10
    poles = [(2 * k + 1) * mpmath.pi / beta for k in range(300)]

    def grand(z: Any) -> Any:
        return -mpmath.log1p(mpmath.exp(-beta * z)) / beta

    def formula(point: Any) -> Any:
        places = [*nodes, point]
        residues = [1 / mpmath.fprod(p - q for q in places if q is not p) for p in places]
        logarithms = mpmath.fsum(
            r * mpmath.log(1j * y - p).real
            for y in poles
            for r, p in zip(residues, places, strict=True)
        )
        return -2 * _omega(nodes, point) * logarithms / beta

    polynomial, nodes = _interpolated(grand)
    error = grand(x) - polynomial(x)
    slope = mpmath.diff(grand, x) - mpmath.diff(polynomial, x)
    differentiated = mpmath.diff(formula, x, h=mpmath.mpf(10) ** -9)
    # The poles left out make Σ_{k≥300} 2/(4β y_k⁴) < 1e-9; the central difference is good to 1e-16.
    return bool(
        abs(formula(x) - error) < 1e-8
        and abs(differentiated - slope) < 1e-7
        and min(abs(error), abs(slope)) > 1e-3
    )


def in_gap() -> bool:
    """G − P = (ω/2π) ∫ (iy−µ)/(ω(iy)(iy−x)) dy, x on either side of c = 0 and µ = 1/20."""
    mu = mpmath.mpf(1) / 20

    def grand(z: Any) -> Any:
        return z - mu if z < 0 else mpmath.mpf(0)

    polynomial, nodes = _interpolated(grand)
    holds = True
    for x in (mpmath.mpf(7) / 10, mpmath.mpf(-1) / 2):
        line = mpmath.quad(
            lambda y, x=x: ((1j * y - mu) / (_omega(nodes, 1j * y) * (1j * y - x))).real,
            [-mpmath.inf, -1, 0, 1, mpmath.inf],
        )
        # One line for both branches: where z − µ is taken off, the function changes its sign and
        # the contour its sense.
        formula = _omega(nodes, x) * line / (2 * mpmath.pi)
        holds &= abs(formula - (grand(x) - polynomial(x))) < _TOLERANCE
        holds &= abs(formula) > 1e-3
    return bool(holds)


def omega_grows() -> bool:
    c, node, y = sp.symbols("c node y", real=True)
    logarithm = sp.log((c - node) ** 2 + y**2) / 2
    return bool(sp.simplify(sp.diff(logarithm, y) - y / ((c - node) ** 2 + y**2)) == 0)
