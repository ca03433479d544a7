"""Two-centre Coulomb integrals of s, p and d densities against libcint, through PySCF.

libcint's own rounding grows like (r/σ)^{λ+λ'}: in a d–d block it has no digit left at 1e4 widths,
and in unlike blocks none far below the widths. So it is asked from a fifth of a width on, for
widths within a factor of ten, and, where the Gaussians do not overlap any more (twelve pair widths,
e^{−72}), for wider ones: the integral does not depend on them there. That leaves 3e-11.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscf import gto
from strategies.configurations import generators

from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.sites import Sites

L_MAX = 2
TOLERANCE = 1e-10
BEYOND_OVERLAP = 12.0


def libcint_blocks(positions, widths):
    """(A on the first site | B on the second) for unit multipoles: (9, 9)."""
    order, scale, basis = [], [], {}
    for site, width in enumerate(widths):
        exponent = 0.5 / width**2
        basis[f"H{site}"] = [[degree, [exponent, 1.0]] for degree in range(L_MAX + 1)]
        for degree in range(L_MAX + 1):
            # PySCF has p in the order x, y, z, d from µ = −2 to 2; normalised in L².
            inner = [1, 2, 0] if degree == 1 else range(2 * degree + 1)
            order.extend(site * (L_MAX + 1) ** 2 + degree**2 + m for m in inner)
            odd = math.prod(range(2 * degree - 1, 0, -2))
            racah = math.sqrt(4.0 * math.pi / (2 * degree + 1))
            density = racah / (odd * width ** (2 * degree) * (2.0 * math.pi * width**2) ** 1.5)
            scale.extend([density / gto.gto_norm(degree, exponent)] * (2 * degree + 1))
    molecule = gto.M(
        atom=[(f"H{site}", x) for site, x in enumerate(positions.tolist())],
        unit="B",
        basis=basis,
        verbose=0,
    )
    raw = molecule.intor("int2c2e_sph")[np.ix_(order, order)] * np.outer(scale, scale)
    half = len(order) // 2
    return raw[:half, half:]


def our_blocks(positions, widths):
    """The same from DirectSum, or OwnSite for sites that coincide."""
    targets = Sites(positions[:1], widths[:1] ** 2, L_MAX)
    sources = Sites(positions[1:], widths[1:] ** 2, L_MAX)
    if np.array_equal(positions[0], positions[1]):
        pair = OwnSite(CoulombKernel(), np.sum(widths**2, keepdims=True), L_MAX, L_MAX)
    else:
        pair = DirectSum(targets, sources, CoulombKernel())
    return np.array([pair.potential(unit[None])[0] for unit in np.eye(9)]).T


def assert_blocks_agree(positions, widths):
    """Each (λ, λ') relative to its largest element."""
    ours = our_blocks(positions, widths)
    r = np.linalg.norm(positions[1] - positions[0])
    apart = r >= BEYOND_OVERLAP * np.hypot(*widths)
    allowed = np.full(2, r / BEYOND_OVERLAP / math.sqrt(2.0)) if apart else widths
    theirs = libcint_blocks(positions, allowed)
    for a in range(L_MAX + 1):
        for b in range(L_MAX + 1):
            block = np.s_[a**2 : (a + 1) ** 2, b**2 : (b + 1) ** 2]
            error, size = np.abs(ours - theirs)[block].max(), np.abs(theirs[block]).max()
            assert error <= TOLERANCE * size, f"({a}, {b}): {error:.1e} of {size:.1e}"


@settings(max_examples=100)
@given(generators(), st.floats(-0.7, 4.0))
def test_two_centre_integrals_differ(generator, log_distance):
    widths = 10.0 ** generator.uniform(-2, 2) * np.array([1.0, 10.0 ** generator.uniform(0, 1)])
    direction = generator.normal(size=3)
    direction *= 10.0**log_distance * np.hypot(*widths) / np.linalg.norm(direction)
    assert_blocks_agree(np.array([np.zeros(3), direction]), generator.permutation(widths))


@pytest.mark.parametrize("direction", [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [2.0, -1.0, 2.0]])
@pytest.mark.parametrize("distance", [0.0, 0.3, 1.0, 3.0, 10.0, 1e2, 1e3, 1e4])
def test_two_centre_integrals_differ_from_zero_to_ten_thousand_widths(distance, direction):
    widths = np.array([0.6, 0.8])
    positions = np.array([np.zeros(3), direction]) * distance / np.linalg.norm(direction)
    assert_blocks_agree(positions, widths)
