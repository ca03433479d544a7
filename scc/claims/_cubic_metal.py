"""Response of a simple cubic metal, and where in the complex plane it is singular.

The on-site model on a simple cubic lattice of N³ atoms, spacing 1, hopping −t between neighbours,
Gaussian charges (periodic, canonical), has plane waves for eigenvectors. With q the wave vectors of
the lattice (Levitt, Arch. Ration. Mech. Anal. 238 (2020) 901, for the continuum)

    ε_k = −2t Σ_i cos k_i,       χ₀(q) = 2 N⁻³ Σ_k F[ε_k, ε_{k+q}]   (a lattice convolution),
    J(q) = Σ_K 4π e^{−σ²|q+K|²} / |q+K|²,
    ∂q/∂V_ext (q) = −χ₀(q) / (1 − J(q) χ₀(q)),    zero at q = 0 where J is infinite.

The convolution is made of products in real space: with F[x,y] = −∫₀^β a_τ(x) b_τ(y) dτ,
a_τ = e^{τ(x−µ)} F(x), b_τ = e^{−τ(y−µ)} (1 − F(y)), both in [0, 1],

    χ₀(R) = −2 ∫₀^β A_τ(R) B_τ(R) dτ,   A, B the inverse transforms of a(ε_k), b(ε_k),

and the τ integral is entire: Gauss–Legendre points give it to rounding.

Predicted rate. The response decays like the nearest singularity of χ₀/(1 − Jχ₀) in complex q:

* a zero of ε(q) = 1 − J(q)χ₀(q), here searched along (q, 0, 0): Debye screening, the same in all
  directions when it is near; prefactor 1/r;
* the branch point of χ₀, where it decays like G(R; µ + iπ/β)²: thermally damped Friedel
  oscillations, prefactor 1/r². In direction [1…1 0…0] with n ones G has the phase k·R of a
  complex k on the Fermi surface with velocity along R, cos k = −(z + 2 Σ_transverse ±1)/2n, and
  χ₀ the rate 2√n |Im k|. On this lattice it is slowest along the diagonal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray

WIDTH = 0.5
"""σ of the charges, bohr: J = erf(r)/r as in model B."""

DIRECTIONS = {"[100]": 1, "[110]": 2, "[111]": 3}
"""Lines of the lattice, and in how many of the three coordinates they run."""

_IMAGINARY_TIMES = 48  # enough for rounding: |ε − µ| β ≤ 14 at β = 2, and the integrand is entire
_SHELLS = 3  # e^{−σ²K²} = 5e-13 at the first |K| left out, 4·2π less half a zone


@dataclass(frozen=True)
class CubicMetal:
    """Responses of the periodic N³ lattice, real-space arrays (N, N, N) with the source at [0,0,0].

    Attributes
    ----------
    independent:
        χ₀(R), electrons a Hartree.
    interaction:
        J(q) on the reciprocal grid, Hartree; its q = 0 entry leaves out K = 0 (uniform background).
    dielectric:
        ε(q) = 1 − J χ₀ on the reciprocal grid.
    response:
        ∂q_R/∂V_ext(0), elementary charges a Hartree, neutral.
    """

    independent: FloatArray
    interaction: FloatArray
    dielectric: FloatArray
    response: FloatArray


def cubic_metal(sites: int, beta: float, mu: float) -> CubicMetal:
    """The formulas of the module docstring for t = 1, N = ``sites``."""
    k = 2.0 * np.pi * np.fft.fftfreq(sites)
    shifted = outer_sum(-2.0 * np.cos(k)) - mu
    occupied = -np.logaddexp(0.0, beta * shifted)  # ln F
    empty = -np.logaddexp(0.0, -beta * shifted)  # ln (1 − F)
    nodes, weights = np.polynomial.legendre.leggauss(_IMAGINARY_TIMES)
    independent = np.zeros((sites,) * 3)
    for node, weight in zip(0.5 * beta * (nodes + 1.0), 0.5 * beta * weights, strict=True):
        a = np.fft.ifftn(np.exp(node * shifted + occupied)).real
        b = np.fft.ifftn(np.exp(-node * shifted + empty)).real
        independent -= 2.0 * weight * a * b
    chi = np.fft.fftn(independent).real
    interaction = _interaction(np.asarray(k))
    dielectric = 1.0 - interaction * chi
    screened = -chi / dielectric
    screened[0, 0, 0] = 0.0
    return CubicMetal(independent, interaction, dielectric, np.fft.ifftn(screened).real)


def outer_sum(values: FloatArray) -> FloatArray:
    return np.asarray(values[:, None, None] + values[None, :, None] + values[None, None, :])


def _interaction(k: FloatArray) -> FloatArray:
    """J(q) for q in k³. Per image K the damping factorises over axes; 1/|q+K|² does not."""
    total = np.zeros((len(k),) * 3)
    shells = 2.0 * np.pi * np.arange(-_SHELLS, _SHELLS + 1)
    for shift in itertools.product(shells, repeat=3):
        squares = [(k + component) ** 2 for component in shift]
        squared = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
        if not any(shift):
            squared[0, 0, 0] = np.inf  # the background
        total += 4.0 * np.pi * np.exp(-(WIDTH**2) * squared) / squared
    return total


# -- predictions --------------------------------------------------------------------------------


def friedel_rate(beta: float, mu: float, direction: str) -> float:
    """2γ(µ + iπ/β) along [100], [110] or [111], bohr⁻¹."""
    ones = DIRECTIONS[direction]
    z = complex(mu, np.pi / beta)
    rates = [
        2.0 * math.sqrt(ones) * abs(float(np.arccos(-(z + 2.0 * sum(signs)) / (2.0 * ones)).imag))
        for signs in itertools.product((1.0, -1.0), repeat=3 - ones)
    ]
    return min(rates)


def debye_rate(metal: CubicMetal, limit: float) -> float:
    """Smallest Im q > 0 with ε(q, 0, 0) = 0 below ``limit``, bohr⁻¹; inf if there is none.

    χ₀ is continued by its sum over planes, Σ_x X(x) e^{iqx}, which converges below ``limit``, its
    own decay rate; J by its sum over K.
    """
    sites = len(metal.independent)
    plane = metal.independent.sum(axis=(1, 2))
    x = np.arange(-(sites // 3), sites // 3 + 1)
    shells = 2.0 * np.pi * np.arange(-_SHELLS - 1, _SHELLS + 2)

    def dielectric(q: complex) -> complex:
        chi = complex(np.sum(plane[x] * np.exp(1j * q * x)))
        squared = (
            ((q + shells) ** 2)[:, None, None]
            + (shells**2)[None, :, None]
            + (shells**2)[None, None, :]
        )
        return 1.0 - chi * complex(np.sum(4.0 * np.pi * np.exp(-(WIDTH**2) * squared) / squared))

    found = [np.inf]
    for real in np.linspace(0.0, np.pi, 7):
        for imaginary in np.geomspace(0.02, 0.9, 8) * limit:
            root = _root(dielectric, complex(real, imaginary), limit)
            if root is not None:
                found.append(root.imag)
    return float(min(found))


def _root(function: Callable[[complex], complex], start: complex, limit: float) -> complex | None:
    """A zero with 0 < Im < ``limit`` by the secant method, None when it wanders off."""
    old, new = start, start * (1.01 + 0.01j)
    old_value = function(old)
    for _ in range(40):
        value = function(new)
        if value == old_value or abs(value) < 1e-12:
            break
        old, new, old_value = new, new - value * (new - old) / (value - old_value), value
        if not 1e-3 < new.imag < limit:
            return None
    return new if abs(function(new)) < 1e-9 else None
