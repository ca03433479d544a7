"""Slater–Koster overlaps, the extended Hückel Hamiltonian, and the sourced parameters of H–Ar."""

import re

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscf import gto
from scipy.integrate import quad
from strategies.charges import ELEMENTS, element_clusters
from strategies.configurations import generators, rotations

from scc.configuration import Configuration, cluster
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.errors import InputError
from scc.models.extended_huckel import sourced_parameters
from scc.models.onsite_parameters import gfn1_table
from scc.models.slater_koster import SlaterShell, _expansions, overlap_blocks

FIVE_POINT = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
SHELLS = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1))
HARTREE = 27.21138505  # eV, the factor of the published parameterisation

shells = st.builds(
    lambda nl, exponent: SlaterShell(*nl, exponent), st.sampled_from(SHELLS), st.floats(0.5, 4.0)
)
vectors = st.tuples(*[st.floats(-8.0, 8.0)] * 3).map(np.array)


def derivative(function, step):
    """Five-point central difference: error step⁴/30 times the fifth derivative."""
    return sum(weight * function(n * step) for n, weight in FIVE_POINT) / step


def pyscf_molecule(first, second, displacement):
    """The two contracted shells as PySCF basis functions, bohr."""
    basis = {}
    for label, shell in (("H1", first), ("H2", second)):
        exponents, coefficients = shell.primitives()
        # PySCF takes coefficients of normalised primitives
        bare = coefficients / (2 * exponents / np.pi) ** 0.75
        bare = bare / (2 * np.sqrt(exponents)) ** shell.l
        basis[label] = [[shell.l, *zip(exponents.tolist(), bare.tolist(), strict=True)]]
    atoms = [("H1", (0.0, 0.0, 0.0)), ("H2", tuple(displacement))]
    return gto.M(atom=atoms, basis=basis, unit="Bohr", verbose=0)


# --------------------------------------------------------------------------------------- overlaps


@pytest.mark.parametrize(("n", "l"), SHELLS)
def test_tabulated_expansions_are_not_the_best_ones(n, l):  # noqa: E741
    """Stewart's exponents and coefficients make the overlap with the Slater orbital stationary."""
    entry = _expansions()[f"{n}{'sp'[l]}"]
    slater_norm = np.sqrt(quad(lambda r: r ** (2 * n) * np.exp(-2 * r), 0, 80)[0])

    def best(logarithms):
        exponents = np.exp(logarithms)
        norms = np.sqrt(
            [
                quad(lambda r, a=a: r ** (2 * l + 2) * np.exp(-2 * a * r * r), 0, np.inf)[0]
                for a in exponents
            ]
        )
        overlap = [
            quad(
                lambda r, a=a: r ** (n + l + 1) * np.exp(-r - a * r * r),
                0,
                60,
                epsabs=0,
                epsrel=1e-13,
                limit=200,
            )[0]
            for a in exponents
        ]
        vector = np.array(overlap) / norms / slater_norm
        total = exponents[:, None] + exponents[None, :]
        product = np.sqrt(np.outer(exponents, exponents))
        gram = (2 * product / total) ** (l + 1.5)
        coefficients = np.linalg.solve(gram, vector)
        return vector @ coefficients, coefficients / np.sqrt(vector @ coefficients)

    logarithms = np.log(entry["exponents"])
    value, coefficients = best(logarithms)
    assert 0.99 < np.sqrt(value) < 1.0
    # ten tabulated digits; the linear problem amplifies by its condition number, below 100
    assert np.allclose(coefficients, entry["coefficients"], atol=2e-7)
    for direction in np.eye(3):
        slope = derivative(lambda s, d=direction: best(logarithms + s * d)[0], 1e-2)
        assert abs(slope) < 1e-8


@given(shells, shells, vectors)
def test_overlap_blocks_differ_from_libcint(first, second, displacement):
    reference = pyscf_molecule(first, second, displacement).intor("int1e_ovlp_sph")
    reference = reference[: first.size, first.size :]
    # PySCF orders p as x, y, z
    if first.l == 1:
        reference = reference[[1, 2, 0]]
    if second.l == 1:
        reference = reference[:, [1, 2, 0]]
    blocks, _ = overlap_blocks(first, second, displacement[None, :])
    assert np.abs(blocks[0] - reference).max() < 1e-13


@given(shells)
def test_orbitals_on_one_atom_are_not_normalised(shell):
    blocks, _ = overlap_blocks(shell, shell, np.zeros((1, 3)))
    assert np.abs(blocks[0] - np.eye(shell.size)).max() < 1e-14


@given(shells, shells, vectors)
def test_overlap_gradients_miss_a_term(first, second, displacement):
    def factor(r):
        return np.exp(-0.1 * r**2), -0.2 * np.exp(-0.1 * r**2)

    _, gradients = overlap_blocks(first, second, displacement[None, :], factor, gradient=True)
    for axis in range(3):
        unit = np.eye(3)[axis]
        numerical = derivative(
            lambda s, u=unit: overlap_blocks(first, second, (displacement + s * u)[None], factor)[
                0
            ],
            # steepest exponents (ζ = 4, α = 2.7 ζ²) vary over 0.15 bohr
            2e-3,
        )
        assert np.abs(numerical[0] - gradients[0, ..., axis]).max() < 1e-7


@given(shells, shells, vectors)
def test_overlap_depends_on_who_comes_first(first, second, displacement):
    """⟨a at 0|b at D⟩ = ⟨b at 0|a at -D⟩: signs of sp and ps."""
    forward, _ = overlap_blocks(first, second, displacement[None, :])
    backward, _ = overlap_blocks(second, first, -displacement[None, :])
    assert np.abs(forward[0] - backward[0].T).max() < 1e-15


@given(st.floats(0.5, 3.0), st.floats(0.1, 6.0))
def test_sto_3g_is_far_from_the_slater_overlap(exponent, scaled):
    """1s–1s: e^{-ρ}(1 + ρ + ρ²/3), ρ = ζr; three Gaussians reach it to about 0.01."""
    shell = SlaterShell(1, 0, exponent)
    displacement = np.array([[scaled / exponent, 0.0, 0.0]])
    value = overlap_blocks(shell, shell, displacement)[0][0, 0, 0]
    exact = np.exp(-scaled) * (1.0 + scaled + scaled**2 / 3.0)
    assert abs(value - exact) < 0.012


def test_shell_without_expansion_is_accepted():
    with pytest.raises(InputError, match="no Gaussian expansion of a 3d"):
        SlaterShell(3, 2, 1.0).primitives()


# ------------------------------------------------------------------------------------- parameters


PUBLISHED = [
    # element, Z, U (Ha), levels (eV), ζ, α, Y: J. Chem. Theory Comput. 13 (2017) 1989, SI
    ("H", 1, 0.470099, (-10.923452,), (1.207940,), 2.209700, 1.116244),
    ("C", 4, 0.479988, (-13.587210, -10.052785), (1.960324, 1.832096), 1.281954, 4.428763),
    ("O", 6, 0.583349, (-23.398376, -17.886554), (2.345365, 2.153060), 2.004253, 5.171786),
    ("Na", 1, 0.165908, (-4.717569, -2.797054), (0.819143, 0.628961), 0.704472, 10.591259),
    ("Cl", 7, 0.519712, (-24.452163, -12.883714), (2.847946, 2.077534), 1.404155, 17.0),
    ("Ar", 8, 0.529906, (-31.395427, -17.412901), (3.502323, 2.287983), 1.323756, 17.153132),
]


@pytest.mark.parametrize(("symbol", "z", "u", "levels", "zeta", "alpha", "y"), PUBLISHED)
def test_parameters_are_not_the_published_ones(symbol, z, u, levels, zeta, alpha, y):
    element = gfn1_table().elements[symbol]
    assert element.valence_charge == z
    assert element.hubbard == u
    assert np.allclose(element.levels, np.array(levels) / HARTREE, rtol=1e-15)
    assert tuple(shell.exponent for shell in element.shells) == zeta
    assert (element.repulsion_alpha, element.repulsion_charge) == (alpha, y)


def test_an_element_between_hydrogen_and_argon_is_missing():
    expected = [
        "H",
        "He",
        "Li",
        "Be",
        "B",
        "C",
        "N",
        "O",
        "F",
        "Ne",
        "Na",
        "Mg",
        "Al",
        "Si",
        "P",
        "S",
        "Cl",
        "Ar",
    ]
    assert list(ELEMENTS) == expected
    period = [1] * 2 + [2] * 8 + [3] * 8
    for number, (symbol, n) in enumerate(zip(expected, period, strict=True), start=1):
        element = gfn1_table().elements[symbol]
        core = (0, 0, 2, 10)[n]
        assert element.valence_charge == number - core
        assert all(shell.n == n for shell in element.shells)
        assert element.size == (1 if n == 1 else 4)
        assert 0 < element.valence_charge <= 2 * element.size
        assert element.hubbard > 0.0
        # a valence s level lies below the p level and both are bound
        assert element.levels[0] < 0.0
        assert sorted(element.levels) == list(element.levels)
    assert dict(gfn1_table().wolfsberg_helmholz) == {
        (0, 0): 1.85,
        (0, 1): 2.08,
        (1, 0): 2.08,
        (1, 1): 2.25,
    }


def test_self_interaction_is_not_the_hardness():
    model = sourced_parameters()
    every = cluster(len(ELEMENTS), 3.0, np.random.default_rng(0), species=ELEMENTS)
    matrix = GaussianChargeCoulomb(every, model.widths(every), model.nuclear_charges(every)).matrix
    hardness = [gfn1_table().elements[symbol].hubbard for symbol in every.species]
    assert np.allclose(np.diag(matrix), hardness, rtol=1e-14)


@pytest.mark.parametrize("method", ["hamiltonian", "widths", "nuclear_charges", "orbitals"])
def test_unknown_element_is_not_named(method):
    configuration = Configuration(("H", "K"), np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]]))
    message = "atom 1: no on-site parameters for element K (known: H, He"
    with pytest.raises(InputError, match=re.escape(message)):
        getattr(sourced_parameters(), method)(configuration)


# ------------------------------------------------------------------------------------ Hamiltonian


@given(element_clusters(max_atoms=4), st.sampled_from([(10.0, 14.0), (2.0, 5.0)]))
def test_hamiltonian_differs_from_its_formula(configuration, switch):
    """(K-1) ½(ε_a + ε_b) S_ab s(r) from PySCF overlaps, orbital by orbital."""
    model = sourced_parameters(switch)
    table = gfn1_table()
    matrix = model.hamiltonian(configuration).toarray()
    assert np.array_equal(matrix, matrix.T)
    atom_of = model.atom_of_orbital(configuration)
    assert np.array_equal(np.diag(matrix), model.onsite_energies(configuration))
    momenta = model.orbitals(configuration)
    l_of = np.concatenate([np.repeat(ls, [2 * m + 1 for m in ls]) for ls in momenta])
    levels = model.onsite_energies(configuration)
    for first in range(len(configuration)):
        inside = np.flatnonzero(atom_of == first)
        block = matrix[np.ix_(inside, inside)]
        assert np.count_nonzero(block - np.diag(np.diag(block))) == 0
        for second in range(first + 1, len(configuration)):
            d = configuration.positions[second] - configuration.positions[first]
            r = np.linalg.norm(d)
            scaled = np.clip((r - switch[0]) / (switch[1] - switch[0]), 1e-9, 1.0 - 1e-9)
            exponent = np.clip(1.0 / (1.0 - scaled) - 1.0 / scaled, -700, 700)
            smooth = 1.0 / (1.0 + np.exp(exponent))
            blocks = []
            for one in table.elements[configuration.species[first]].shells:
                row = []
                for two in table.elements[configuration.species[second]].shells:
                    s = pyscf_molecule(one, two, d).intor("int1e_ovlp_sph")[: one.size, one.size :]
                    s = s[[1, 2, 0]] if one.l else s
                    row.append(s[:, [1, 2, 0]] if two.l else s)
                blocks.append(np.hstack(row))
            overlap = np.vstack(blocks)
            columns = np.flatnonzero(atom_of == second)
            k = np.array([[1.85, 2.08], [2.08, 2.25]])[l_of[inside]][:, l_of[columns]]
            mean = 0.5 * (levels[inside][:, None] + levels[columns][None, :])
            expected = (k - 1.0) * mean * overlap * smooth
            assert np.abs(matrix[np.ix_(inside, columns)] - expected).max() < 1e-13


@given(element_clusters(), rotations(), st.randoms(use_true_random=False))
def test_spectrum_depends_on_axes_origin_or_order(configuration, rotation, random):
    model = sourced_parameters()
    order = list(range(len(configuration)))
    random.shuffle(order)
    moved = configuration.translated(np.array([9.0, -4.0, 2.0])).rotated(rotation).permuted(order)
    before = np.linalg.eigvalsh(model.hamiltonian(configuration).toarray())
    after = np.linalg.eigvalsh(model.hamiltonian(moved).toarray())
    assert np.abs(before - after).max() < 1e-13 * max(1.0, np.abs(before).max()) * len(before)
    energies = model.repulsion_energies(configuration)
    assert np.allclose(model.repulsion_energies(moved), energies[order], rtol=1e-11, atol=1e-14)


@given(element_clusters(max_atoms=5), generators(), st.sampled_from([(10.0, 14.0), (2.0, 6.0)]))
def test_position_derivatives_miss_a_term(configuration, generator, switch):
    check_position_derivatives(configuration, generator, sourced_parameters(switch))


@settings(max_examples=5)
@given(generators(), st.sampled_from([(True, True, True), (True, False, False)]))
def test_position_derivatives_miss_an_image(generator, periodic):
    cell = 5.0 * np.eye(3) + generator.uniform(-1.0, 1.0, (3, 3))
    positions = np.array([[0.0, 0.0, 0.0], [2.3, 0.3, 0.1], [0.4, 2.1, 2.6]])
    configuration = Configuration(("O", "Na", "H"), positions, cell, periodic)
    check_position_derivatives(configuration, generator, sourced_parameters((4.0, 9.0)))


def check_position_derivatives(configuration, generator, model):
    dr = generator.uniform(-1.0, 1.0, size=(len(configuration), 3))
    weights = generator.normal(size=len(configuration))

    def matrix(shift):
        return model.hamiltonian(configuration.displaced(shift * dr)).toarray()

    # steepest Gaussians vary over 0.2 bohr; the repulsion of two atoms at 1.2 bohr over 0.2
    step = 1e-3
    analytic = model.position_perturb(configuration, dr).toarray()
    assert np.array_equal(analytic, analytic.T)
    scale = max(1.0, np.abs(analytic).max())
    assert np.abs(derivative(matrix, step) - analytic).max() < 1e-8 * scale
    a = generator.normal(size=analytic.shape)
    contracted = np.sum(model.position_contract(configuration, a) * dr)
    assert abs(contracted - np.sum(a * analytic)) < 1e-12 * (scale + np.abs(a * analytic).sum())

    def repulsion(shift):
        return weights @ model.repulsion_energies(configuration.displaced(shift * dr))

    slope = np.sum(model.repulsion_site_contract(configuration, weights) * dr)
    size = 1.0 + np.abs(model.repulsion_energies(configuration)).sum()
    assert abs(derivative(repulsion, step) - slope) < 1e-8 * size
    whole = model.repulsion_site_contract(configuration, np.ones(len(configuration)))
    assert np.array_equal(whole, model.repulsion_gradient(configuration))
    assert np.abs(whole.sum(axis=0)).max() < 1e-12 * size


@given(st.sampled_from(ELEMENTS), st.sampled_from(ELEMENTS), st.floats(1.0, 9.9))
def test_pair_repulsion_is_not_the_published_form(one, two, distance):
    pair = Configuration((one, two), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, distance]]))
    a, b = gfn1_table().elements[one], gfn1_table().elements[two]
    r = mpmath.mpf(distance)
    decay = mpmath.sqrt(a.repulsion_alpha * b.repulsion_alpha)
    charges = a.repulsion_charge * b.repulsion_charge
    expected = float(charges / r * mpmath.exp(-decay * r**1.5))
    energies = sourced_parameters().repulsion_energies(pair)
    assert energies[0] == energies[1]
    assert energies.sum() == pytest.approx(expected, rel=1e-13)


def test_isolated_atom_breaks_empty_sums():
    atom, model = Configuration(("C",), np.zeros((1, 3))), sourced_parameters()
    matrix = model.hamiltonian(atom).toarray()
    assert np.array_equal(matrix, np.diag(model.onsite_energies(atom)))
    assert not np.any(model.position_perturb(atom, np.ones((1, 3))).toarray())
    assert not np.any(model.position_contract(atom, np.ones((4, 4))))
    energies = model.repulsion_energies(atom)
    assert energies.dtype == np.float64
    assert not np.any(energies)


@pytest.mark.parametrize(
    ("species", "positions", "negative"),
    [
        ("OHH", [[0.0, 0.0, 0.0], [1.43, 0.0, 1.11], [-1.43, 0.0, 1.11]], 0),
        ("FH", [[0.0, 0.0, 0.0], [1.73, 0.0, 0.0]], 0),
        ("NHHH", [[0, 0, 0], [1.77, 0, 0.7], [-0.89, 1.53, 0.7], [-0.89, -1.53, 0.7]], 0),
    ],
)
def test_electrons_leave_the_electronegative_atom(species, positions, negative):
    """Without self-consistency already: F, O and N take electrons from H, below a gap."""
    molecule = Configuration(tuple(species), np.array(positions, dtype=float))
    model = sourced_parameters()
    levels, orbitals = np.linalg.eigh(model.hamiltonian(molecule).toarray())
    z = model.nuclear_charges(molecule)
    pairs = round(z.sum()) // 2
    assert levels[pairs] - levels[pairs - 1] > 0.2
    weights = 2.0 * np.sum(orbitals[:, :pairs] ** 2, axis=1)
    populations = np.bincount(model.atom_of_orbital(molecule), weights=weights)
    assert (z - populations)[negative] < -0.1
    assert np.all(np.delete(z - populations, negative) > 0.0)
