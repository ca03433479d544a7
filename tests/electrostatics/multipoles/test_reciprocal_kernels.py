"""Green's functions of periodic, slab and open boundaries in reciprocal space."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative
from strategies.multipoles import random_cell, random_multipoles, scattered

from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.reciprocal_kernels import (
    FreeKernel,
    PeriodicKernel,
    SlabKernel,
)
from scc.electrostatics.multipoles.reciprocal_sum import ReciprocalSum
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

EPSILON = np.finfo(float).eps

screenings = st.one_of(st.just(0.0), st.floats(-6.0, 0.7).map(lambda x: 10.0**x))
wave_numbers = st.lists(st.tuples(*[st.integers(-4, 4)] * 3), min_size=1, max_size=4)


def lattice_vectors(cell, integers):
    return np.array(integers) @ (2.0 * np.pi * np.linalg.inv(cell).T)


def random_plane(generator):
    return random_cell(generator, flattest=0.2)[:2]


@given(generators(), screenings, wave_numbers, st.floats(0.0, 10.0), st.floats(0.5, 10.0))
def test_slab_green_function_is_not_the_transform_of_the_truncated_one(
    generator, screening, integers, extent, tail
):
    plane = random_plane(generator)
    kernel = SlabKernel(plane, extent, tail, screening)
    values = kernel.values(lattice_vectors(kernel.cell, integers))
    area = np.linalg.norm(np.cross(*plane))
    with mpmath.workdps(30):
        radius = mpmath.mpf(extent) + mpmath.mpf(tail)
        for value, m in zip(values, integers, strict=True):
            in_plane = lattice_vectors(kernel.cell, [(m[0], m[1], 0)])[0]
            p = mpmath.norm(list(in_plane)) if m[:2] != (0, 0) else mpmath.mpf(0)
            gamma = mpmath.sqrt(p**2 + mpmath.mpf(screening) ** 2)
            kz = mpmath.pi * m[2] / radius

            def integrand(z, gamma=gamma, kz=kz):
                one = mpmath.exp(-gamma * z) / gamma if gamma else -z
                return one * mpmath.cos(kz * z)

            nodes = mpmath.linspace(0, radius, 2 + 2 * abs(m[2]))
            exact = 4 * mpmath.pi * mpmath.quad(integrand, nodes) / (area * 2 * radius)
            # p and k_z carry the rounding of an inverted cell; where 1 − e^{−γR} cos vanishes for
            # k∥ = 0 (even m_z), only the rounding of k∥ against k_z is left.
            size = 4 * mpmath.pi / (area * 2 * radius * (gamma**2 + kz**2)) if gamma or kz else 0
            assert abs(value - exact) <= 1e-12 * abs(exact) + 100 * EPSILON * size


@given(generators(), screenings, st.floats(0.5, 10.0))
def test_free_green_function_is_not_the_transform_of_the_truncated_one(generator, screening, tail):
    extent = generator.uniform(0.0, 5.0, 3)
    kernel = FreeKernel(extent, tail, screening)
    volume = float(np.prod(np.diag(kernel.cell)))
    # not only lattice vectors: small k as well, where differences would cancel
    lengths = np.concatenate([[0.0], 10.0 ** generator.uniform(-8.0, 1.0, 5)])
    values = kernel.values(lengths[:, None] * np.array([[0.6, 0.0, -0.8]]))
    radius = float(np.linalg.norm(extent)) + tail
    for value, k in zip(values, lengths, strict=True):
        with mpmath.workdps(60):
            r, kappa = mpmath.mpf(radius), mpmath.mpf(screening)
            # ∫ r e^{−κr} sin(kr)/(kr) dr = Im[(1 − e^{−(κ−ik)R})/(κ−ik)]/k
            z = mpmath.mpc(kappa, -mpmath.mpf(max(k, 1e-25)))
            exact = float((-mpmath.expm1(-z * r) / z).imag / -z.imag)
        # rounding δ of the phase kR changes 1 − cos kR by at most δ min(1, kR), to first order
        phase = 4.0 * EPSILON * k * radius
        size = phase * min(1.0, k * radius) / max(k * k + screening**2, 1e-300)
        assert abs(value * volume / (4.0 * np.pi) - exact) <= 1e-14 * exact + size


@given(generators(), screenings, wave_numbers, st.booleans())
def test_slopes_are_not_those_of_the_values_under_strain(generator, screening, integers, slab):
    cell = random_cell(generator, flattest=0.2)
    direction = generator.normal(size=(3, 3))

    def kernel(strained):
        if slab:
            return SlabKernel(strained[:2], 3.0, 2.0, screening)
        return PeriodicKernel(strained, screening)

    projector = kernel(cell).projector
    direction = projector @ direction @ projector
    vectors = lattice_vectors(kernel(cell).cell, integers)

    def values(step):
        one = kernel(cell @ (np.eye(3) + step * direction).T)
        return one.values(lattice_vectors(one.cell, integers))

    own = kernel(cell)
    in_plane = vectors @ projector
    analytic = -np.trace(projector @ direction) * own.values(vectors)
    analytic += own.slopes(vectors) * np.einsum("ki,ij,kj->k", in_plane, direction, in_plane)
    size = np.abs(own.values(vectors)) + 1.0 / abs(np.linalg.det(own.cell))
    # strain of one is where the cell may turn singular: a step of 1/500 of that (flattest 0.2)
    assert_derivative(
        analytic, values, 2e-3 / np.abs(direction).max(), np.abs(analytic).max() + size.max()
    )


@given(generators(), rotations(), st.floats(0.5, 3.0), screenings)
def test_slab_normal_of_any_orientation(generator, rotation, tail, screening):
    plane = random_plane(generator)
    positions = generator.normal(size=(5, 3)) * 4.0
    one = SlabKernel.covering(plane, positions, tail, screening)
    other = SlabKernel.covering(plane @ rotation.T, positions @ rotation.T, tail, screening)
    integers = [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, -2, 3), (0, 1, -2)]
    first = one.values(lattice_vectors(one.cell, integers))
    second = other.values(lattice_vectors(other.cell, integers))
    np.testing.assert_allclose(first, second, rtol=1e-11, atol=1e-13 * np.abs(first).max())


def parry(plane, variance, screening, ρ, z):
    """Potential of a smeared unit charge repeated in two directions, from its Fourier series.

    Times e^{−κ²W/2}, the convention of screened sums (screened_splitting):
    Σ_p π/(Aγ) e^{ip·ρ} Σ_± e^{±γz} erfc(γ√(W/2) ± z/√(2W)), for κ = 0 with the term
    −(2π/A)[z erf(z/√2W) + √(2W/π) e^{−z²/2W}] of p = 0: D. E. Parry, Surf. Sci. 49, 433 (1975).
    """
    area = np.linalg.norm(np.cross(*plane))
    reciprocal = 2.0 * np.pi * np.linalg.pinv(plane).T
    largest = int(np.ceil(9.5 / math.sqrt(variance) * np.linalg.norm(plane, axis=1).max() / 6.28))
    w, k, total = mpmath.mpf(variance), mpmath.mpf(screening), mpmath.mpf(0)
    for m in range(-largest, largest + 1):
        for n in range(-largest, largest + 1):
            p = m * reciprocal[0] + n * reciprocal[1]
            if p @ p * variance > 90.0:
                continue
            g = mpmath.sqrt(mpmath.mpf(float(p @ p)) + k**2)
            if g == 0:
                term = -2 * (
                    z * mpmath.erf(z / mpmath.sqrt(2 * w))
                    + mpmath.sqrt(2 * w / mpmath.pi) * mpmath.exp(-(z**2) / (2 * w))
                )
            else:
                reach, height = g * mpmath.sqrt(w / 2), z / mpmath.sqrt(2 * w)
                term = mpmath.exp(g * z) * mpmath.erfc(reach + height)
                term += mpmath.exp(-g * z) * mpmath.erfc(reach - height)
                term /= g
            phase = sum(mpmath.mpf(float(a)) * b for a, b in zip(p, ρ, strict=True))
            total += mpmath.pi / area * term * mpmath.cos(phase)
    return total


@pytest.mark.parametrize("screening", [0.0, 1e-4, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_slab_of_smeared_charges_is_not_parrys_sum(seed, screening):
    generator = np.random.default_rng(seed)
    plane = random_plane(generator) * 0.7
    normal = np.cross(*plane) / np.linalg.norm(np.cross(*plane))
    variance = float(generator.uniform(0.6, 3.0))
    sources = Sites(generator.normal(size=(3, 3)) * 3.0, np.full(3, 0.4 * variance), 0)
    # in-plane far outside the cell
    targets = Sites(
        generator.normal(size=(2, 3)) * 3.0 + 7 * plane[0], np.full(2, 0.6 * variance), 0
    )
    charges = generator.normal(size=(3, 1))  # not neutral
    both = np.concatenate([targets.positions, sources.positions])
    kernel = SlabKernel.covering(plane, both, 9.0 * math.sqrt(variance), screening)
    potential = ReciprocalSum(
        targets, sources, kernel, 0.5 * variance, 9.0 / math.sqrt(variance)
    ).potential(charges)
    for a in range(2):
        terms = []
        for b in range(3):
            x = targets.positions[a] - sources.positions[b]
            z = float(x @ normal)
            terms.append(float(parry(plane, variance, screening, x, mpmath.mpf(z))) * charges[b, 0])
        # 50 ε for the phases of vectors of norm 50 and k_z up to 9
        assert abs(potential[a, 0] - sum(terms)) <= 1e-12 * np.abs(terms).sum()


def test_slab_of_multipoles_is_not_derivatives_of_parrys_sum():
    plane = np.array([[4.0, 0.0, 0.0], [1.5, 5.0, 0.0]])
    variance, x = 4.0, np.array([0.7, -0.4, 1.1])
    targets = Sites(x[None], np.array([3.0]), 2)
    sources = Sites(np.zeros((1, 3)), np.array([1.0]), 1)
    kernel = SlabKernel(plane, 1.1, 10.0 * math.sqrt(variance))
    potential = ReciprocalSum(targets, sources, kernel, 1.0, 9.5 / math.sqrt(variance)).potential

    def f(a, b, c):
        return parry(plane, variance, 0.0, (a, b, c * 0), c)

    with mpmath.workdps(40):

        def derivative(*t):
            return float(mpmath.diff(f, tuple(map(mpmath.mpf, x)), t))

        # D of a dipole along z: −∂_z; targets: 1, y, z, x and (3∂_z² − ∇²)/2/3 = R_20/3!!
        exact = -np.array([derivative(*t) for t in ((0, 0, 1), (0, 1, 1), (0, 0, 2), (1, 0, 1))])
        quadrupole = -(2 * derivative(0, 0, 3) - derivative(2, 0, 1) - derivative(0, 2, 1)) / 6.0
    dipole = np.array([[0.0, 0.0, 1.0, 0.0]])
    result = potential(dipole)[0]
    np.testing.assert_allclose(result[:4], exact, rtol=0, atol=1e-13 * np.abs(exact).max())
    assert abs(result[6] - quadrupole) < 1e-12 * abs(quadrupole)


@settings(max_examples=8)
@given(generators(), st.integers(0, 4), st.integers(0, 4))
def test_free_box_of_smooth_multipoles_is_not_the_direct_sum(generator, target_l, source_l):
    positions = generator.normal(size=(7, 3)) * generator.uniform(0.0, 3.0, 3) + 30.0
    variance = generator.choice([1.0, 1.3], 7) * generator.uniform(0.5, 3.0)
    sources = Sites(positions[:4], variance[:4], source_l)
    targets = Sites(positions[4:], variance[4:], target_l)
    widest, narrowest = 2.0 * variance.max(), 2.0 * variance.min()
    # e^{−9²/2} = 3e-18; derivatives multiply by 9/√W each, but the interaction by 1/r or more
    kernel = FreeKernel.covering(positions, 9.0 * math.sqrt(widest))
    one = ReciprocalSum(targets, sources, kernel, 0.5 * narrowest, 9.0 / math.sqrt(narrowest))
    other = DirectSum(targets, sources, CoulombKernel())
    multipoles = random_multipoles(generator, 4, source_l)
    probes = random_multipoles(generator, 3, target_l)
    displacement = generator.normal(size=(4, 3))
    for first, second in (
        (one.potential(multipoles), other.potential(multipoles)),
        (one.field(multipoles).gradient, other.field(multipoles).gradient),
        (one.moved(multipoles, displacement), other.moved(multipoles, displacement)),
        (one.transposed.potential(probes), other.transposed.potential(probes)),
        (one.strain(probes, multipoles), other.strain(probes, multipoles)),
    ):
        assert np.max(np.abs(first - second)) <= 1e-12 * np.max(np.abs(second))


@given(generators(), st.floats(1.0, 6.0), st.booleans())
def test_error_of_the_tail_exceeds_what_the_documentation_states(generator, reach, slab):
    variance = float(generator.uniform(0.3, 3.0))
    cell = random_cell(generator, flattest=0.3)
    positions = scattered(generator, 6, cell)
    sources = Sites(positions[:1], np.array([variance]), 0)
    targets = Sites(positions, np.zeros(6), 0)

    def potential(tail):
        kernel = (
            SlabKernel.covering(cell[:2], positions, tail)
            if slab
            else FreeKernel.covering(positions, tail)
        )
        cutoff = 9.0 / math.sqrt(variance)
        return ReciprocalSum(targets, sources, kernel, 1e-3, cutoff).potential(np.ones((1, 1)))

    tail = reach * math.sqrt(variance)
    error = np.max(np.abs(potential(tail) - potential(9.0 * math.sqrt(variance))))
    unit = 1.0 / math.sqrt(variance)
    if slab:
        kernel = SlabKernel.covering(cell[:2], positions, tail)
        area = np.linalg.norm(np.cross(*cell[:2]))
        unit += np.pi * np.linalg.norm(kernel.cell[2]) / area
    assert error <= 8.0 * (1.0 + reach) * math.exp(-(reach**2) / 2.0) * unit + 1e-13 * unit


@settings(max_examples=10)
@given(generators(), st.floats(-4.0, -2.0).map(lambda x: 10.0**x))
def test_screening_to_zero_is_not_coulomb_in_a_periodic_cell(generator, ratio):
    cell = random_cell(generator)
    sites = Sites(scattered(generator, 5, cell), generator.uniform(0.0, 0.5, 5), 0)
    smallest = 1e300
    for m in np.ndindex(5, 5, 5):
        if m != (2, 2, 2):
            k = (np.array(m) - 2) @ np.linalg.inv(cell).T * 2.0 * np.pi
            smallest = min(smallest, float(np.linalg.norm(k)))
    kappa = ratio * smallest
    charges = generator.normal(size=(5, 1))
    volume = abs(np.linalg.det(cell))

    def operator(screening):
        return ReciprocalSum(sites, sites, PeriodicKernel(cell, screening), 1.0, 9.0)

    screened = math.exp(0.5 * kappa**2) * operator(kappa).potential(charges)  # of W = s = 1
    screened -= 4.0 * np.pi / volume / kappa**2 * charges.sum()
    coulomb = operator(0.0).potential(charges)
    # every term of the sum is smaller by 1/(1 + κ²/k²); no term exceeds its value at r = 0
    bound = ratio**2 * operator(0.0).potential(np.eye(5)[:, :1]).max() * np.abs(charges).sum()
    rounding = 10 * EPSILON * 4.0 * np.pi / volume / kappa**2 * np.abs(charges).sum()
    assert np.max(np.abs(screened - coulomb)) <= bound + rounding


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: PeriodicKernel(np.ones((3, 3))), "plane"),
        (lambda: PeriodicKernel(np.eye(3) * np.nan), "finite"),
        (lambda: PeriodicKernel(np.eye(2)), r"\(3, 3\)"),
        (lambda: PeriodicKernel(np.eye(3), -1.0), "-1.0"),
        (lambda: SlabKernel(np.eye(3)[[0, 0]], 1.0, 1.0), "parallel"),
        (lambda: SlabKernel(np.eye(3)[:2], -1.0, 1.0), "extent is -1.0"),
        (lambda: SlabKernel(np.eye(3)[:2], 1.0, 0.0), "tail is 0.0"),
        (lambda: SlabKernel(np.eye(3)[:2], 1.0, 1.0, math.inf), "screening is inf"),
        (lambda: SlabKernel(np.eye(3), 1.0, 1.0), r"\(2, 3\)"),
        (lambda: FreeKernel(np.array([1.0, math.nan, 1.0]), 1.0), "extent is nan"),
        (lambda: FreeKernel(np.ones(3), -2.0), "tail is -2.0"),
        (lambda: FreeKernel(np.ones(3), 1.0, 0.0, -3.0), "diameter is -3.0"),
    ],
)
def test_bad_values_pass(make, word):
    with pytest.raises(InputError, match=word):
        make()
