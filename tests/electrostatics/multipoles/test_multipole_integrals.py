"""Two-centre integrals of DirectSum and OwnSite against mpmath.

They are held to 1e-13 of the largest element of their (λ, λ') block, the figure the package claims;
two λ = 4 operators of rounding numbers cost some 30 ε, which is 1e-14.
"""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.multipole_forms import dense
from strategies.multipole_oracle import block_errors, components, coulomb_block

from scc.basis.polynomials import monomial_exponents
from scc.basis.solid_harmonics import solid_harmonic_coefficients, solid_harmonics
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.sites import LARGEST_L, Sites

BLOCK_TOLERANCE = 1e-13
KERNEL = CoulombKernel()

widths = st.one_of(
    st.floats(-4.0, 4.0).map(lambda x: 10.0**x),
    st.just(0.0),
)
# r in units of the pair's width, or in bohr between points
distances = st.one_of(
    st.floats(-12.0, 4.0).map(lambda x: 10.0**x),
    st.just(0.0),
    st.floats(0.01, 30.0),
    st.floats(12.0, 14.5),  # where the Gaussian's own part of g_n falls below rounding
)


def pair_block(target, source, target_variance, source_variance, l_target, l_source):
    """K between two sites, their own if they share the place; and the oracle's."""
    targets = Sites(target[None], np.array([target_variance]), l_target)
    sources = Sites(source[None], np.array([source_variance]), l_source)
    ours = dense(DirectSum(targets, sources, KERNEL), 1, sources.n_components)
    variance = mp.mpf(target_variance) + mp.mpf(source_variance)
    return ours, coulomb_block(l_target, l_source, target, source, variance)


@pytest.mark.parametrize("w", [0.0, 0.4, 2.5])
def test_the_oracle_is_not_the_derivative_of_the_potential(w):
    target, source = np.array([0.3, -0.8, 1.1]), np.array([-0.5, 0.25, 0.4])
    exact = coulomb_block(2, 2, target, source, w)

    def potential(*x):
        r = mp.sqrt(mp.fsum(c * c for c in x))
        return (1 if w == 0 else mp.erf(r / mp.sqrt(2 * mp.mpf(w)))) / r

    with mp.workdps(40):
        place = tuple(mp.mpf(a) - mp.mpf(b) for a, b in zip(target, source, strict=True))
        for i, left in enumerate(components(2)):
            for j, right in enumerate(components(2)):
                total = mp.mpf(0)
                one = solid_harmonic_coefficients(left[0])[left[0] + left[1]]
                other = solid_harmonic_coefficients(right[0])[right[0] + right[1]]
                for a, s in zip(one, monomial_exponents(left[0]), strict=True):
                    for b, t in zip(other, monomial_exponents(right[0]), strict=True):
                        if a * b != 0.0:
                            orders = tuple(int(n) for n in s + t)
                            total += a * b * mp.diff(potential, place, orders)
                norm = {0: 1, 1: 1, 2: 3}
                total *= (-1) ** right[0] / mp.mpf(norm[left[0]] * norm[right[0]])
                assert float(exact[i][j]) == pytest.approx(float(total), rel=1e-13, abs=1e-15)


@settings(max_examples=60)
@given(generators(), widths, widths, distances)
def test_a_block_up_to_quadrupoles_loses_digits(generator, target_width, source_width, distance):
    direction = generator.normal(size=3) * generator.choice([0.0, 1.0], size=3, p=[0.2, 0.8])
    if not np.any(direction):
        direction = np.array([1.0, 1.0, 1.0])
    scale = float(np.hypot(target_width, source_width)) or 1.0
    target = distance * scale * direction / np.linalg.norm(direction)
    assume(distance > 0.0 or target_width > 0.0 or source_width > 0.0)
    ours, exact = pair_block(target, np.zeros(3), target_width**2, source_width**2, 2, 2)
    assert block_errors(ours, exact, 2, 2).max() <= BLOCK_TOLERANCE


@settings(max_examples=8)
@given(generators(), widths, widths, distances)
def test_a_block_up_to_hexadecapoles_loses_digits(generator, target_width, source_width, distance):
    scale = float(np.hypot(target_width, source_width)) or 1.0
    target = max(distance, 1e-6) * scale * generator.normal(size=3)
    ours, exact = pair_block(target, np.zeros(3), target_width**2, source_width**2, 4, 4)
    assert block_errors(ours, exact, 4, 4).max() <= BLOCK_TOLERANCE


@pytest.mark.parametrize("l_max", [2, 4])
@pytest.mark.parametrize("ratio", [1.0, 1e3])
def test_digits_are_lost_somewhere_from_zero_to_ten_thousand_widths(ratio, l_max):
    direction = np.array([2.0, -1.0, 2.0]) / 3.0
    worst = 0.0
    for distance in [0.0, *np.geomspace(1e-15, 1e4, 20 if l_max == 2 else 9)]:
        ours, exact = pair_block(distance * direction, np.zeros(3), 1.0, ratio**2, l_max, l_max)
        worst = max(worst, block_errors(ours, exact, l_max, l_max).max())
    assert worst <= BLOCK_TOLERANCE


@given(st.floats(-6.0, 6.0), st.integers(0, 4), st.integers(0, 4))
def test_the_own_site_term_is_off(log_variance, l_target, l_source):
    variance = 10.0**log_variance
    own = OwnSite(KERNEL, np.array([variance]), l_target, l_source)
    ours = dense(own, 1, (l_source + 1) ** 2)
    exact = coulomb_block(l_target, l_source, np.zeros(3), np.zeros(3), variance)
    assert block_errors(ours, exact, l_target, l_source).max() <= BLOCK_TOLERANCE


@given(generators())
def test_the_potential_far_from_a_multipole_is_not_its_own(generator):
    place = generator.normal(size=(1, 3)) * 10.0 ** generator.uniform(-3, 6)
    sources = Sites(np.zeros((1, 3)), np.zeros(1), LARGEST_L)
    point = Sites(place, np.zeros(1), 0)
    unit = np.eye(sources.n_components)
    ours = [DirectSum(point, sources, KERNEL).potential(u[None])[0, 0] for u in unit]
    r = np.linalg.norm(place)
    for degree in range(LARGEST_L + 1):
        block = slice(degree**2, (degree + 1) ** 2)
        expected = solid_harmonics(LARGEST_L, place / r)[0, block] / r ** (degree + 1)
        np.testing.assert_allclose(
            ours[block], expected, rtol=0, atol=1e-14 * np.abs(expected).max()
        )


@given(st.integers(0, 10), st.floats(-5.0, 5.0), st.floats(0.0, 500.0))
def test_a_radial_derivative_of_the_coulomb_kernel_loses_digits(order, log_variance, t):
    variance = 10.0**log_variance
    squared = 2.0 * t * variance
    ours = KERNEL.derivatives(order, np.array([variance]), np.array([squared]))[:, 0]
    with mp.workdps(40):
        exact_t = mp.mpf(squared) / (2 * mp.mpf(variance))
        for n in range(order + 1):
            boys = mp.hyp1f1(n + mp.mpf(1) / 2, n + mp.mpf(3) / 2, -exact_t) / (2 * n + 1)
            exact = mp.sqrt(2 / (mp.pi * mp.mpf(variance))) / mp.mpf(-variance) ** n * boys
            # F_n decays like e^{−T}T^… at worst with relative slope 1 + n/T: T carries 2 ε.
            assert ours[n] == pytest.approx(float(exact), rel=2e-14, abs=0)
