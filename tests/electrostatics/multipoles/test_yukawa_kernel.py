"""The screened kernel: its radial derivatives, its limits, and sums of pairs with it."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.finite_differences import assert_derivative
from strategies.multipole_forms import dense, uncancelled
from strategies.multipole_oracle import block_errors, components
from strategies.multipoles import multipole_systems

from scc.basis.polynomials import monomial_exponents
from scc.basis.solid_harmonics import solid_harmonic_coefficients
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.screened_boys import screened_boys
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.yukawa import YukawaKernel
from scc.errors import InputError

EPS = np.finfo(float).eps
ORDER = 9  # two λ = 4 and a force


def exact_derivatives(order, r, w, kappa):
    """(|g_n|, n ≤ order), mpf: upward from the closed forms, with digits enough for anything.

    Each step of the recurrence loses up to log₁₀(max(1, κ²w)/ρ²) digits.
    """
    rho = float(r) / float(np.sqrt(2.0 * w)) if w > 0 else 1.0
    lost = max(0.0, -2.0 * np.log10(rho)) + max(0.0, np.log10(1.0 + kappa**2 * w))
    with mp.workdps(int(60 + (order + 2) * lost)):
        r, w, kappa = mp.mpf(r), mp.mpf(w), mp.mpf(kappa)
        if w == 0:
            one, other, overlap = 2 * mp.exp(-kappa * r), mp.mpf(0), mp.mpf(0)
        else:
            rho, a = r / mp.sqrt(2 * w), kappa * mp.sqrt(w / 2)
            one = mp.exp(a * a - kappa * r) * mp.erfc(a - rho)
            other = mp.exp(a * a + kappa * r) * mp.erfc(a + rho)
            overlap = mp.sqrt(2 / (mp.pi * w)) * mp.exp(-(rho**2))
        values, before = [(one - other) / (2 * r)], kappa / 2 * (one + other)
        for n in range(order):
            values.append(((2 * n + 1) * values[n] + before - overlap) / r**2)
            before = kappa**2 * values[n]
            overlap = overlap / w if w != 0 else overlap
        return values


def assert_derivatives(order, r, w, kappa):
    """Every g_n, n ≤ order, to 1e-13 and what the exponents of e^{−κr} and e^{−r²/2w} cost.

    An exponent x of e^{−x}, made by three roundings, has an error of 2 ε x.
    """
    squared = np.array([r * r])
    ours = YukawaKernel(kappa).derivatives(order, np.array([w]), squared)[:, 0]
    exact = exact_derivatives(order, mp.sqrt(mp.mpf(float(squared[0]))), w, kappa)
    gaussian = r < kappa * w + 9.0 * np.sqrt(2.0 * w)
    exponent = max(kappa * (r - 0.5 * kappa * w), 0.5 * r * r / w if gaussian else 0.0, 0.0)
    for n, (value, expected) in enumerate(zip(ours, exact, strict=True)):
        if expected < 1e-290:
            continue
        error = float(abs(value * (-1) ** n / expected - 1))
        assert error <= 1e-13 + 2.0 * EPS * exponent, f"g_{n} off by {error:.1e}"


screenings = st.floats(-8.0, 1.5).map(lambda x: 10.0**x)  # κ√w
reduced = st.one_of(  # r/√w
    st.floats(-10.0, 3.0).map(lambda x: 10.0**x),
    st.floats(0.1, 20.0),
)


def test_the_oracle_is_not_the_integral_over_gaussians():
    for r, w, kappa in ((0.3, 1.0, 0.4), (2.0, 0.7, 3.0), (1e-3, 2.0, 1e-3), (5.0, 1.0, 6.0)):
        exact = exact_derivatives(ORDER, r, w, kappa)
        with mp.workdps(30):
            tau = 1 / mp.sqrt(2 * mp.mpf(w))
            numbers = mp.mpf(r), mp.mpf(w), mp.mpf(kappa)

            def integrand(u, n, numbers=numbers):
                if u == 0:
                    return mp.mpf(0)
                r, w, kappa = numbers
                screened = kappa**2 * w / 2 - kappa**2 / (4 * u * u)
                return 2**n * 2 / mp.sqrt(mp.pi) * u ** (2 * n) * mp.exp(screened - r * r * u * u)

            edges = [0, *(tau * mp.mpf(x) for x in ("1e-4", "1e-3", "0.03", "0.2", "0.6", "1"))]
            for n in (0, 1, 4, 9):
                value = mp.quad(lambda u, n=n, f=integrand: f(u, n), edges)
                assert float(exact[n]) == pytest.approx(float(value), rel=1e-15)


@settings(max_examples=80)
@given(st.integers(0, ORDER), reduced, screenings)
def test_a_radial_derivative_loses_digits(order, r, kappa):
    assert_derivatives(order, r, 1.0, kappa)


@settings(max_examples=60)
@given(st.integers(0, ORDER), screenings, st.floats(-4.0, 10.0))
def test_a_radial_derivative_loses_digits_where_gaussians_and_screening_meet(order, kappa, offset):
    r = kappa + offset * np.sqrt(2.0)  # ρ − a = offset
    if r > 0.0:
        assert_derivatives(order, r, 1.0, kappa)


@given(st.integers(0, ORDER), st.floats(0.0, 0.9), st.floats(-0.02, 0.02), screenings)
def test_the_methods_differ_where_they_meet(order, fraction, offset, kappa):
    """Both sides of ρ = a, of ρ² = 1.25 n and of α = 1."""
    least = np.sqrt(2.0 * max(0.5, 1.25 * order))
    for r in (kappa, least):
        assert_derivatives(order, r * (1.0 + offset), 1.0, kappa)
    assert_derivatives(order, 2.0 * fraction + 1e-3, 1.0, np.sqrt(2.0) * (1.0 + offset))


@given(st.floats(-12.0, 12.0), reduced, screenings)
def test_the_kernel_does_not_scale_with_its_width(log_variance, r, kappa):
    width = 10.0 ** (0.5 * log_variance)
    assert_derivatives(3, r * width, width**2, kappa / width)


@given(st.floats(-8.0, 2.5), st.floats(-6.0, 3.0))
def test_points_are_not_screened_points(log_r, log_screening):
    r, kappa = 10.0**log_r, 10.0**log_screening
    if kappa * r < 600.0:
        assert_derivatives(ORDER, r, 0.0, kappa)


@settings(max_examples=50)
@given(st.integers(0, ORDER), st.floats(-18.0, 3.0))
def test_the_value_at_zero_distance_is_off(order, log_screening):
    """Y_n(0, α) = ½ e^α E_{n+3/2}(α)."""
    alpha = 10.0**log_screening
    ours = screened_boys(order, np.zeros(1), np.array([alpha]))[:, 0]
    for n, value in enumerate(ours):
        with mp.workdps(50):
            a = mp.mpf(alpha)
            exact = mp.exp(a) * mp.expint(n + mp.mpf(3) / 2, a) / 2
        assert value == pytest.approx(float(exact), rel=3e-14, abs=0)


@given(reduced, st.floats(-8.0, -1.0), st.booleans())
def test_the_limit_of_no_screening_is_not_coulomb(r, log_screening, point):
    """Rates with constants, from 1 − x ≤ e^{−x} ≤ 1 − x + x²/2 under the integrals over Gaussians.

    0 ≤ v_κ − v_0 + κ ≤ κ² ⟨|X|⟩/2 ≤ κ² √(r² + 3w)/2, and for n ≥ 1
    0 ≤ |g_n(0)| − |g_n(κ)| ≤ κ² |g_{n−1}(0)|/2.
    """
    kappa, w = 10.0**log_screening, 0.0 if point else 1.0
    arguments = ORDER, np.array([w]), np.array([r * r])
    screened = YukawaKernel(kappa).derivatives(*arguments)[:, 0]
    coulomb = CoulombKernel().derivatives(*arguments)[:, 0]
    rounding = 2e-14 * np.abs(coulomb)
    excess = screened[0] - coulomb[0] + kappa
    assert -rounding[0] <= excess <= 0.5 * kappa**2 * np.sqrt(r * r + 3.0 * w) + rounding[0]
    loss = np.abs(coulomb[1:]) - np.abs(screened[1:])
    assert np.all(loss >= -rounding[1:])
    assert np.all(loss <= 0.5 * kappa**2 * np.abs(coulomb[:-1]) + rounding[1:])


@pytest.mark.parametrize("kappa", [1e-8, 1.0, 30.0, 300.0])
def test_strong_screening_and_narrow_widths_overflow(kappa):
    variance = np.array([0.0, 1e-12, 1.0, 1e4])[:, None]
    squared = np.array([1e-12, 1.0, 1e8])
    values = YukawaKernel(kappa).derivatives(3, variance, squared)
    assert values.shape == (4, 4, 3)
    assert np.all(np.isfinite(values))
    assert np.all(values[0] >= 0.0)
    assert np.all(values[1] <= 0.0)


@pytest.mark.parametrize("kappa", [0.0, -1.0, np.inf, np.nan])
def test_screening_that_is_none_is_accepted(kappa):
    with pytest.raises(InputError, match="screening is"):
        YukawaKernel(kappa)


# --------------------------------------------------------------------------------- sums of pairs


@pytest.mark.parametrize("w", [0.0, 1.5])
def test_a_block_up_to_quadrupoles_is_not_the_derivative_of_the_potential(w):
    place, kappa = np.array([0.3, -0.9, 0.5]), 0.7
    sources = Sites(np.zeros((1, 3)), np.array([w]), 2)
    targets = Sites(place[None], np.zeros(1), 2)
    form = DirectSum(targets, sources, YukawaKernel(kappa))
    ours = np.array([form.potential(unit[None])[0] for unit in np.eye(9)]).T

    def potential(*x):
        r, s, k = mp.sqrt(mp.fsum(c * c for c in x)), mp.sqrt(2 * mp.mpf(w)), mp.mpf(kappa)
        if w == 0:
            return mp.exp(-k * r) / r
        a = k * s / 2
        lower, upper = mp.erfc(a - r / s), mp.erfc(a + r / s)
        return mp.exp(a * a) * (mp.exp(-k * r) * lower - mp.exp(k * r) * upper) / (2 * r)

    exact = []
    with mp.workdps(40):
        derivative = {}
        for left in components(2):
            row = []
            one = solid_harmonic_coefficients(left[0])[left[0] + left[1]]
            for right in components(2):
                other = solid_harmonic_coefficients(right[0])[right[0] + right[1]]
                total = mp.mpf(0)
                for a, s in zip(one, monomial_exponents(left[0]), strict=True):
                    for b, t in zip(other, monomial_exponents(right[0]), strict=True):
                        orders = tuple(int(n) for n in s + t)
                        if a * b != 0.0 and orders not in derivative:
                            derivative[orders] = mp.diff(potential, tuple(place), orders)
                        total += a * b * derivative.get(orders, 0)
                norm = {0: 1, 1: 1, 2: 3}
                row.append((-1) ** right[0] * total / (norm[left[0]] * norm[right[0]]))
            exact.append(row)
    assert block_errors(ours, exact, 2, 2).max() <= 1e-13


@given(multipole_systems(kinds=("open",), screened=True))
def test_the_field_is_not_the_derivative_with_respect_to_targets(system):
    kernel = YukawaKernel(system.boundary.screening)
    field = DirectSum(system.targets, system.sources, kernel).field(system.multipoles)
    x = system.targets.positions[:, None] - system.sources.positions
    w = system.targets.variances[:, None] + system.sources.variances
    scale = np.sqrt(np.maximum(np.sum(x**2, axis=-1), w).min())
    for axis in range(3):

        def moved(s, axis=axis):
            positions = system.targets.positions + s * np.eye(3)[axis]
            there = Sites(positions, system.targets.variances, system.targets.l_max)
            return DirectSum(there, system.sources, kernel).potential(system.multipoles)

        for degree in range(system.targets.l_max + 1):
            block = slice(degree**2, (degree + 1) ** 2)
            assert_derivative(
                field.gradient[:, block, axis],
                lambda s, f=moved, block=block: f(s)[:, block],
                0.01 * scale,
                np.abs(field.gradient[:, block]).max(),
                1e-9,
            )


@given(multipole_systems(kinds=("open",), points=False, screened=True))
def test_a_density_of_gaussians_has_negative_energy(system):
    sites, kernel = system.sources, YukawaKernel(system.boundary.screening)
    pairs = DirectSum(sites, sites, kernel, True)
    own = OwnSite(kernel, 2.0 * sites.variances, sites.l_max, sites.l_max)
    size = len(sites), sites.n_components
    matrix = dense(pairs, *size) + dense(own, *size)
    scale = 1.0 / np.sqrt(np.diag(matrix))
    # A unit diagonal, so rounding moves eigenvalues by n ε at most.
    assert np.linalg.eigvalsh(matrix * scale * scale[:, None]).min() >= -1e-14 * len(scale)


@given(multipole_systems(kinds=("open",)), st.floats(-4.0, -2.0))
def test_weak_screening_adds_something_else_than_minus_kappa(system, log_screening):
    """B_κ = B_0 − κ Q_t Q_c + O(κ²): what is left falls to a quarter as κ is halved.

    The next order is smaller by κ times the extent, at most 1e-2: compared with the sum of the
    remainders of all pairs' charges, dipoles, …, which does not cancel.
    """
    sites = np.concatenate([system.targets.positions, system.sources.positions])
    extent = float(np.linalg.norm(np.ptp(sites, axis=0))) + 3.0 * np.sqrt(
        system.targets.variances.max() + system.sources.variances.max()
    )
    kappa = 10.0**log_screening / extent
    coulomb = DirectSum(system.targets, system.sources, CoulombKernel())
    whole = DirectSum(system.targets, system.sources, YukawaKernel(kappa))
    half = DirectSum(system.targets, system.sources, YukawaKernel(0.5 * kappa))

    def remainder(form, k, multipoles):
        result = form.potential(multipoles) - coulomb.potential(multipoles)
        result[:, 0] += k * multipoles[:, 0].sum()
        return result

    rounding = 1e-13 * uncancelled(coulomb.potential, system.multipoles)
    size = uncancelled(lambda c: remainder(whole, kappa, c), system.multipoles)
    allowed = 4.0 * kappa * extent * size + rounding
    change = remainder(whole, kappa, system.multipoles)
    quarter = remainder(half, 0.5 * kappa, system.multipoles)
    for degree in range(system.targets.l_max + 1):
        block = slice(degree**2, (degree + 1) ** 2)
        assert np.abs(change - 4.0 * quarter)[:, block].max() <= 5.0 * allowed[:, block].max()
