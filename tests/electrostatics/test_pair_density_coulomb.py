"""Coulomb integrals between pair densities and nuclei, and the density term made of them.

Tolerances of integrals are 1e-12 of the largest element of the array: elements are used together.
"""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscf import df, gto
from strategies.basis import (
    assert_close,
    basis_sets,
    exponents,
    matrices,
    positions,
    pyscf_molecule,
    pyscf_order,
    reorder,
    softened,
)
from strategies.finite_differences import derivative
from strategies.gaussian_quadrature import moment, primitive

from scc.basis.overlap import overlap
from scc.basis.polynomials import monomial_exponents
from scc.basis.shells import BasisSet, Shell, single_gaussian
from scc.basis.sto3g import sto3g
from scc.configuration import Configuration
from scc.electrostatics.electron_repulsion import ElectronRepulsion
from scc.electrostatics.nuclei import external_charges
from scc.electrostatics.pair_density import PairDensityCoulomb
from scc.errors import InputError

charge_values = st.floats(-3.0, 10.0)


def distinct(basis):
    """The basis with coinciding atoms moved apart: point nuclei must not coincide."""
    moved = basis.positions.copy()
    for k in range(1, len(moved)):
        if np.min(np.linalg.norm(moved[:k] - moved[k], axis=1)) < 1e-3:
            moved[k] += [0.3, 0.5 + k, -0.4]
    return basis.with_positions(moved)


def symmetric(data, n):
    matrix = data.draw(matrices(n, n))
    return matrix + matrix.T


@given(st.data(), basis_sets())
def test_point_nuclei_agree_with_libcint(data, basis):
    basis = distinct(basis)
    charges = np.array([data.draw(charge_values) for _ in range(len(basis))])
    ours = PairDensityCoulomb(basis, charges)
    molecule, order = pyscf_molecule(basis), pyscf_order(basis)
    parts = []
    for position in basis.positions:
        with molecule.with_rinv_origin(position):
            parts.append(molecule.intor("int1e_rinv"))
    parts = reorder(np.array(parts), order)
    scale = np.abs(parts).max() * max(1.0, np.abs(charges).max())
    assert_close(ours.nuclear_potential, -np.tensordot(charges, parts, axes=1), scale=scale)


@given(st.data(), basis_sets())
def test_gaussian_nuclei_agree_with_libcint(data, basis):
    widths = np.array([data.draw(exponents) for _ in range(len(basis))])
    charges = np.array([data.draw(charge_values) for _ in range(len(basis))])
    ours = PairDensityCoulomb(basis, charges, widths)
    parts = [
        df.incore.aux_e2(pyscf_molecule(basis), gto.fakemol_for_charges(x[None], a), "int3c2e")[
            ..., 0
        ]
        for x, a in zip(basis.positions, widths, strict=True)
    ]
    parts = reorder(np.array(parts), pyscf_order(basis))
    scale = np.abs(parts).max() * max(1.0, np.abs(charges).max())
    assert_close(ours.nuclear_potential, -np.tensordot(charges, parts, axes=1), scale=scale)
    repulsion = 0.0
    for i in range(len(basis)):
        for j in range(i):
            tau = np.sqrt(1 / (1 / widths[i] + 1 / widths[j]))
            r = np.linalg.norm(basis.positions[i] - basis.positions[j])
            v = float(mp.erf(tau * r) / r) if r > 0 else 2 * tau / np.sqrt(np.pi)
            repulsion += charges[i] * charges[j] * v
    size = np.abs(charges).sum() ** 2 * np.sqrt(widths.max())
    assert ours.nuclear_energy == pytest.approx(repulsion, abs=1e-14 * size)


@settings(max_examples=15)
@given(basis_sets(most_atoms=2))
def test_electron_repulsion_agrees_with_libcint(basis):
    molecule, order = pyscf_molecule(basis), pyscf_order(basis)
    repulsion = ElectronRepulsion(basis.pair_densities)
    reference = reorder(molecule.intor("int2e"), order, axes=(0, 1, 2, 3))
    assert_close(repulsion.four_index(), reference)
    # PySCF's derivative of the first function is with respect to its argument, like ours.
    gradient = reorder(molecule.intor("int2e_ip1"), order, axes=(1, 2, 3, 4))
    density = np.eye(basis.n_functions) + 0.3
    ours = basis.pair_densities.unpack_gradient(repulsion.orbital_gradient(density))
    expected = np.einsum("iabcd,cd->iab", gradient, density)
    assert_close(ours, expected, scale=max(np.abs(gradient).max(), reference.max()))


@settings(max_examples=15)
@given(st.data())
def test_electron_repulsion_of_s_and_p_primitives_agrees_with_mpmath(data):
    centres = data.draw(positions(4))
    a = [data.draw(exponents) for _ in range(4)]
    axes = [data.draw(st.sampled_from([None, 0, 1, 2])) for _ in range(4)]
    shells = [
        Shell(0 if axis is None else 1, (x,), (1.0,)) for x, axis in zip(a, axes, strict=True)
    ]
    basis = BasisSet(centres, [[s] for s in shells])
    index = [
        int(np.nonzero(basis.atom_of_function == k)[0][0])
        + (0 if axis is None else (2, 0, 1)[axis])
        for k, axis in enumerate(axes)
    ]
    ours = ElectronRepulsion(basis.pair_densities).four_index()

    def closed_form(*shifts):
        """(ss|ss), each centre shifted along its axis; x e^{−ax²} is ∂/∂centre over 2a."""
        moved = [[mp.mpf(float(x)) for x in c] for c in centres]
        for c, axis, s in zip(moved, axes, shifts, strict=True):
            if axis is not None:
                c[axis] += s
        prefactor, middle, total = mp.mpf(1), [], []
        for i, j in ((0, 1), (2, 3)):
            p = mp.mpf(a[i]) + a[j]
            r2 = sum((x - y) ** 2 for x, y in zip(moved[i], moved[j], strict=True))
            prefactor *= mp.exp(-mp.mpf(a[i]) * a[j] / p * r2) * (mp.pi / p) ** 1.5
            middle.append(
                [(a[i] * x + a[j] * y) / p for x, y in zip(moved[i], moved[j], strict=True)]
            )
            total.append(p)
        alpha = total[0] * total[1] / (total[0] + total[1])
        r2 = sum((x - y) ** 2 for x, y in zip(*middle, strict=True))
        f0 = mp.hyp1f1(mp.mpf(1) / 2, mp.mpf(3) / 2, -alpha * r2)
        return prefactor * 2 * mp.sqrt(alpha / mp.pi) * f0

    with mp.workdps(70):
        orders = tuple(0 if axis is None else 1 for axis in axes)
        exact = (
            mp.diff(closed_form, (0, 0, 0, 0), orders) if any(orders) else closed_form(0, 0, 0, 0)
        )
        for x, axis, shell in zip(a, axes, shells, strict=True):
            exact *= mp.mpf(float(shell.radial_coefficients[0])) / (1 if axis is None else 2 * x)
        exact = float(exact)
    # Schwarz: |(ab|cd)| ≤ √((ab|ab)(cd|cd)) ≤ the largest (aa|aa) there is.
    assert ours[tuple(index)] == pytest.approx(exact, abs=1e-12 * np.abs(ours).max())


@settings(max_examples=6)
@given(st.data())
def test_nuclear_attraction_agrees_with_quadrature(data):
    # 1/r = (2/√π) ∫₀^∞ e^{−u²r²} du leaves one-dimensional integrals, here with u² = p s²/(1−s²).
    centres = data.draw(positions(3))
    momenta = [data.draw(st.integers(0, 1)) for _ in range(2)]
    shells = [Shell(l, (data.draw(exponents),), (1.0,)) for l in momenta]  # noqa: E741
    i, j = (data.draw(st.integers(0, 2 * l)) for l in momenta)  # noqa: E741
    basis = BasisSet(centres, [[shells[0]], [shells[1]], []])
    ours = external_charges(basis, centres[2:], np.array([-1.0])).matrix
    f, g = primitive(shells[0], i, centres[0]), primitive(shells[1], j, centres[1])
    p = f[2] + g[2]

    def integrand(s):
        u2 = p * s * s / (1 - s * s)
        total = mp.mpf(0)
        for c, t in zip(f[0], monomial_exponents(f[1]), strict=True):
            for d, v in zip(g[0], monomial_exponents(g[1]), strict=True):
                if c != 0 and d != 0:
                    value = mp.mpf(float(c)) * mp.mpf(float(d))
                    for axis in range(3):
                        value *= moment.__wrapped__(
                            (
                                (int(t[axis]), f[2], float(f[3][axis])),
                                (int(v[axis]), g[2], float(g[3][axis])),
                                (0, u2, float(centres[2][axis])),
                            ),
                            0,
                        )
                    total += value
        return total * mp.sqrt(p) * (1 - s * s) ** mp.mpf(-1.5)

    with mp.workdps(20):
        # e^{−T s²} times a polynomial in s: Gauss–Legendre on pieces that shrink towards s = 0.
        exact = (
            2
            / mp.sqrt(mp.pi)
            * mp.quad(integrand, [0, 0.02, 0.1, 0.4, 1], method="gauss-legendre", maxdegree=4)
        )
    size = np.sqrt(p)  # of ∫ φφ/r at the centre
    assert ours[i, 2 * momenta[0] + 1 + j] == pytest.approx(float(exact), abs=1e-12 * size)


@given(st.data(), basis_sets(), st.booleans())
@settings(max_examples=12)
def test_energy_potential_and_kernel_are_successive_derivatives(data, basis, smeared):
    basis = distinct(basis)
    n = basis.n_functions
    charges = np.array([data.draw(charge_values) for _ in range(len(basis))])
    widths = [data.draw(exponents) for _ in range(len(basis))] if smeared else None
    term = PairDensityCoulomb(basis, charges, widths)
    d, dd = symmetric(data, n), symmetric(data, n)
    # E is quadratic: symmetric differences are exact up to rounding.
    slope = (term.energy(d + dd) - term.energy(d - dd)) / 2
    scale = abs(term.energy(d)) + abs(term.energy(dd)) + abs(slope)
    scale += np.abs(term.nuclear_potential).max() * n * n + abs(term.nuclear_energy)
    assert np.sum(term.potential(d) * dd) == pytest.approx(slope, abs=1e-12 * scale)
    assert_close(term.kernel(d, dd), term.potential(d + dd) - term.potential(d), scale=scale)
    assert np.sum(dd * term.kernel(d, dd)) >= -1e-12 * scale  # convex
    assert_close(term.potential(d), term.potential(d).T, scale=scale, tolerance=0)
    assert term.site_energies(d) is None


@settings(max_examples=10)
@given(st.data(), basis_sets(most_atoms=3, largest_l=2), st.booleans())
def test_position_derivatives_are_the_slopes(data, basis, smeared):
    # Soft and well separated: f has no feature finer than 0.2 in the parameter of the differences.
    basis = softened(distinct(basis), 1.5)
    n = basis.n_functions
    charges = np.array([data.draw(charge_values) for _ in range(len(basis))])
    widths = [data.draw(exponents.filter(lambda a: a < 2)) for _ in charges] if smeared else None
    d = symmetric(data, n)
    dr = data.draw(matrices(len(basis), 3))
    dr *= 0.3 / np.abs(dr).max()

    def moved(h):
        return PairDensityCoulomb(basis.with_positions(basis.positions + h * dr), charges, widths)

    # Only potential and energy are wanted of the moved copies.
    values = {}

    def both(h):
        term = moved(h)
        v = term.potential(d)
        values[h] = np.append(
            v.ravel(), np.sum(d * (v + term.nuclear_potential)) / 2 + term.nuclear_energy
        )
        return values[h]

    slope, _ = derivative(both, 1e-2)
    term = moved(0.0)
    jvp = term.potential_position_jvp(d, dr)
    scale = np.abs(both(0.0)[:-1]).max()
    assert_close(jvp, slope[:-1].reshape(n, n), tolerance=1e-9, scale=scale)
    along = np.sum(term.position_gradient(d) * dr)
    size = max(scale * np.abs(d).sum(), np.abs(charges).sum() ** 2)
    assert along == pytest.approx(slope[-1], abs=1e-9 * size)


@settings(max_examples=10)
@given(st.data(), basis_sets())
def test_large_systems_without_stored_integrals_give_the_same(data, basis):
    n = basis.n_functions
    charges, widths = np.ones(len(basis)), np.full(len(basis), 2.0)
    d, dr = symmetric(data, n), data.draw(matrices(len(basis), 3))
    stored = PairDensityCoulomb(basis, charges, widths)
    direct = PairDensityCoulomb(basis, charges, widths, stored_elements=0)
    scale = np.abs(d).sum() * ElectronRepulsion(basis.pair_densities).four_index().max()
    slope = scale * np.sqrt(max(max(s.exponents) for atom in basis.shells for s in atom))
    assert_close(direct.potential(d), stored.potential(d), 1e-13, scale)
    assert_close(direct.position_gradient(d), stored.position_gradient(d), 1e-12, slope * n * n)
    assert_close(
        direct.potential_position_jvp(d, dr),
        stored.potential_position_jvp(d, dr),
        1e-12,
        slope * np.abs(dr).max(),
    )


@given(st.data(), basis_sets())
def test_moving_or_turning_everything_changes_nothing(data, basis):
    basis = distinct(basis)
    charges = np.array([data.draw(charge_values) for _ in range(len(basis))])
    term = PairDensityCoulomb(basis, charges, np.full(len(basis), 3.0))
    d = symmetric(data, basis.n_functions)
    gradient = term.position_gradient(d)
    largest = max(max(s.exponents) for atom in basis.shells for s in atom)
    size = np.abs(d).sum() ** 2 * np.sqrt(largest) * np.sqrt(max(largest, 3.0))
    size += np.abs(d).sum() * np.abs(charges).sum() * max(largest, 3.0)
    size += np.abs(charges).sum() ** 2 * 3.0
    assert_close(gradient.sum(axis=0), 0.0, scale=size)
    s_only = all(s.angular_momentum == 0 for atom in basis.shells for s in atom)
    if s_only:  # other functions would have to turn, too
        torque = np.cross(basis.positions, gradient).sum(axis=0)
        assert_close(torque, 0.0, scale=size * max(1.0, np.abs(basis.positions).max()))


@given(st.data(), st.integers(1, 6), exponents)
def test_electrons_that_sit_on_equal_nuclei_feel_nothing(data, n_atoms, exponent):
    # φ² ∝ e^{−2ax²}: with nuclei of exponent 2a and D = diag(Z), ρ = ν and V = v_C(ρ − ν) = 0.
    centres = np.cumsum(np.abs(data.draw(matrices(n_atoms, 3))) + 0.01, axis=0)
    basis = single_gaussian(Configuration(("H",) * n_atoms, centres), exponent)
    charges = np.array([data.draw(st.floats(0, 8)) for _ in range(n_atoms)])
    term = PairDensityCoulomb(basis, charges, np.full(n_atoms, 2 * exponent))
    d = np.diag(charges)
    scale = np.sqrt(exponent) * max(1.0, charges.sum())
    assert_close(term.potential(d), 0.0, scale=scale)
    # E = ½(ρ−ν|ρ−ν) − ½ Σ Z² (m|m), (m|m) = 2√(a/π): only the self terms remain.
    own = np.sum(charges**2) * np.sqrt(exponent / np.pi)
    assert term.energy(d) == pytest.approx(-own, abs=1e-12 * scale * max(1.0, charges.sum()))
    assert_close(
        term.position_gradient(d), 0.0, scale=scale * exponent**0.5 * charges.max() + 1e-12
    )


def test_total_energy_of_water_is_assembled_as_pyscf_does():
    r = np.array([[0.0, 0.0, 0.2], [0.0, 1.43, -0.9], [0.0, -1.43, -0.9]])
    basis = sto3g(Configuration(("O", "H", "H"), r))
    molecule = gto.M(atom=list(zip("OHH", r, strict=True)), basis="sto-3g", unit="B", verbose=0)
    order = pyscf_order(basis)
    v, g = molecule.intor("int1e_nuc"), molecule.intor("int2e")
    v, g = reorder(v, order), reorder(g, order, axes=(0, 1, 2, 3))
    d = np.linalg.inv(overlap(basis).matrix) * 10 / 7
    expected = np.sum(d * v) + np.einsum("ab,abcd,cd->", d, g, d) / 2 + molecule.energy_nuc()
    # The tables hold seven digits and both codes renormalise: no error of the tables enters.
    term = PairDensityCoulomb(basis, [8.0, 1.0, 1.0])
    assert term.energy(d) == pytest.approx(expected, rel=1e-13)


@given(basis_sets())
def test_ever_tighter_gaussian_nuclei_become_points(basis):
    basis = distinct(basis)
    point = PairDensityCoulomb(basis, np.ones(len(basis)))
    tight = PairDensityCoulomb(basis, np.ones(len(basis)), np.full(len(basis), 1e14))
    # The potential changes within r ~ 1e-7 only, by a relative π/a φ²·r² ~ 1e-12.
    scale = np.abs(point.nuclear_potential).max()
    assert_close(tight.nuclear_potential, point.nuclear_potential, 1e-10, scale)
    assert tight.nuclear_energy == pytest.approx(point.nuclear_energy, rel=1e-14)


@settings(max_examples=10)
@given(st.data(), basis_sets())
def test_external_charges_act_as_nuclei_that_stay_in_place(data, basis):
    basis = softened(basis, 2.0)
    where = 2 * data.draw(matrices(2, 3)) + 5
    ghosts = BasisSet(np.vstack([basis.positions, where]), [*basis.shells, (), ()])
    charges = np.array([1.3, -0.4])
    nuclei = PairDensityCoulomb(
        ghosts, np.append(np.zeros(len(basis)), charges), np.full(len(ghosts), 1.7)
    )
    ours = external_charges(basis, where, charges, [1.7, 1.7])
    assert_close(ours.matrix, nuclei.nuclear_potential, scale=1.0)
    dr = data.draw(matrices(len(basis), 3))
    slope, _ = derivative(
        lambda h: (
            external_charges(
                basis.with_positions(basis.positions + h * dr), where, charges, [1.7, 1.7]
            ).matrix
        ),
        5e-3,
    )
    assert_close(ours.position_perturb(dr), slope, 1e-9, scale=1.0)


def test_impossible_nuclei_are_refused():
    basis = BasisSet(np.zeros((2, 3)), [[Shell(0, (1.0,), (1.0,))]] * 2)
    with pytest.raises(InputError, match="point nuclei 0 and 1 coincide"):
        PairDensityCoulomb(basis, [1.0, 1.0])
    with pytest.raises(InputError, match=r"shape \(1,\), not \(2,\)"):
        PairDensityCoulomb(basis, [1.0])
    with pytest.raises(InputError, match=r"exponent -1\.0 of nucleus 1"):
        PairDensityCoulomb(basis, [1.0, 1.0], [1.0, -1.0])
    with pytest.raises(InputError, match="charge nan of nucleus 0"):
        PairDensityCoulomb(basis, [float("nan"), 1.0], [1.0, 1.0])
