"""The Gaussian-orbital model against PySCF, its nested feature sets, and what it refuses."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.gaussian_models import energy_size, recipes
from strategies.pyscf_reference import hartree_only, in_our_order, local_density

from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.configuration import Configuration, chain, cluster, lattice
from scc.equilibration.equilibrate import equilibrate
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.functional.exchange_correlation_term import ExchangeCorrelation
from scc.functional.quadrature import MolecularGrid
from scc.functional.xc import LocalDensityApproximation
from scc.models.gaussian import GaussianTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

H2O = Configuration(
    ("O", "H", "H"), np.array([[0.0, 0.0, 0.22], [0.0, 1.43, -0.89], [0.0, -1.43, -0.89]])
)
LIH = Configuration(("Li", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]))
H10 = chain(10, 1.8, "H")
MOLECULES = {"H2O": H2O, "LiH": LIH, "H10": H10}
# Randomly turned, nothing on an axis: a wrong order or sign of p functions cannot hide.
TURNED = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]


def _turned(configuration):
    return Configuration(configuration.species, configuration.positions @ TURNED.T)


def _reduced(configuration, **options):
    return EnergyFunctional(GaussianTightBinding().prepare(configuration), **options)


def _with_lda(configuration, radial, degree, **options):
    model = GaussianTightBinding().prepare(configuration)
    grid = MolecularGrid(configuration.positions, radial, degree)
    term = ExchangeCorrelation(model.assembly.basis, grid, LocalDensityApproximation())
    return EnergyFunctional(model, extra_terms=(term,), **options)


# -- PySCF -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MOLECULES)
@pytest.mark.parametrize("beta", [math.inf, 50.0])
def test_reduced_hartree_energies_of_pyscf(name, beta):
    """(2.16) without feature restriction, ε_xc = 0: ≤ 1e-8 Hartree; free energies at finite β.

    PySCF's Fermi smearing fixes the electron number as we do; its free energy is E − σS.
    """
    configuration = _turned(MOLECULES[name])
    reference = hartree_only(configuration, beta)
    energy = reference.kernel()
    if math.isfinite(beta):
        energy = reference.e_free
    result = equilibrate(_reduced(configuration, beta=beta), tolerance=1e-11, throw=True)
    # Both are converged to 1e-9 in density or better: 1e-12 Hartree measured.
    assert result.energy == pytest.approx(energy, abs=1e-9)
    expected = in_our_order(reference.make_rdm1(), configuration)
    # λ_max(ε) = 31 of LiH amplifies what is left of PySCF's residual.
    np.testing.assert_allclose(result.density, expected, atol=1e-6)
    assert result.fermi_level == pytest.approx(_fermi_level(reference, beta), abs=1e-6)


def _fermi_level(field, beta):
    """Middle of the gap, or from the level nearest to half filling: µ = λ + β⁻¹ ln f/(1−f)."""
    if math.isinf(beta):
        occupied = field.mo_occ > 1.0
        return 0.5 * (np.max(field.mo_energy[occupied]) + np.min(field.mo_energy[~occupied]))
    f = 0.5 * field.mo_occ
    nearest = np.argmin(np.abs(f - 0.5))
    return field.mo_energy[nearest] + math.log(f[nearest] / (1.0 - f[nearest])) / beta


@pytest.mark.parametrize("name", ["H2O", "LiH"])
@pytest.mark.parametrize("beta", [math.inf, 50.0])
def test_charges_of_pyscf(name, beta):
    """Populations in Löwdin orbitals, 2 tr F(H)_ℓℓ = tr(S^{1/2} D S^{1/2})_ℓℓ."""
    configuration = _turned(MOLECULES[name])
    reference = hartree_only(configuration, beta)
    reference.kernel()
    S = reference.get_ovlp()
    values, vectors = np.linalg.eigh(S)
    root = (vectors * np.sqrt(values)) @ vectors.T
    populations = np.diagonal(root @ reference.make_rdm1() @ root)
    owner = [int(label[0]) for label in reference.mol.ao_labels(fmt=None)]
    charges = reference.mol.atom_charges() - np.bincount(owner, weights=populations)
    result = equilibrate(_reduced(configuration, beta=beta), tolerance=1e-11, throw=True)
    np.testing.assert_allclose(result.charges, charges, atol=1e-7)


def test_reduced_hartree_energy_of_an_ion():
    """N is not Σ Z: OH⁻ has ten electrons."""
    configuration = Configuration(("O", "H"), np.array([[0.0, 0.0, 0.0], [1.1, 0.9, 1.2]]))
    reference = hartree_only(configuration, electrons=10)
    energy = reference.kernel()
    result = equilibrate(_reduced(configuration, ensemble=Canonical(10.0)), throw=True)
    assert result.energy == pytest.approx(energy, abs=1e-9)
    assert np.sum(result.charges) == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.parametrize("name", ["H2O", "LiH"])
@pytest.mark.parametrize("beta", [math.inf, 20.0])
def test_local_density_energies_of_pyscf(name, beta):
    """ε_xc = Dirac + Perdew–Wang, two quadratures: ≤ 1e-6 Hartree (2e-7 measured)."""
    configuration = _turned(MOLECULES[name])
    reference = local_density(configuration, level=6, beta=beta)
    energy = reference.kernel()
    if math.isfinite(beta):
        energy = reference.e_free
    result = equilibrate(_with_lda(configuration, 75, 41, beta=beta), tolerance=1e-7, throw=True)
    assert result.energy == pytest.approx(energy, abs=1e-6)
    np.testing.assert_allclose(
        result.density, in_our_order(reference.make_rdm1(), configuration), atol=2e-5
    )
    # Grid response in PySCF's gradient as in ours; what remains is the difference of the grids.
    gradient = reference.nuc_grad_method()
    gradient.grid_response = True
    np.testing.assert_allclose(result.forces, -gradient.kernel(), atol=5e-5)


def test_local_density_energy_of_a_hydrogen_chain():
    """H₁₀ on grids of half the size: hydrogen has no tight functions."""
    reference = local_density(H10, level=5)
    energy = reference.kernel()
    result = equilibrate(_with_lda(H10, 40, 35), tolerance=1e-6, throw=True)
    assert result.energy == pytest.approx(energy, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", MOLECULES)
def test_local_density_approaches_pyscf_as_the_grid_grows(name):
    """(150, 71) against level 7: ≤ 3e-8 Hartree in energy, ≤ 2e-7 Hartree/bohr in forces."""
    configuration = MOLECULES[name]
    reference = local_density(configuration, level=7)
    energy = reference.kernel()
    result = equilibrate(_with_lda(configuration, 150, 71), tolerance=1e-9, throw=True)
    assert result.energy == pytest.approx(energy, abs=3e-8)
    gradient = reference.nuc_grad_method()
    gradient.grid_response = True
    np.testing.assert_allclose(result.forces, -gradient.kernel(), atol=2e-7)


@pytest.mark.parametrize("name", MOLECULES)
def test_reduced_hartree_forces_are_the_slope_of_pyscf_energies(name):
    """Central differences of the other code's energies: integrals, Pulay terms, nuclei at once."""
    configuration = _turned(MOLECULES[name])
    result = equilibrate(_reduced(configuration, beta=20.0), tolerance=1e-11, throw=True)
    rng = np.random.default_rng(7)
    displacement = rng.normal(size=configuration.positions.shape)
    displacement /= np.max(np.abs(displacement))

    def energy(t):
        moved = Configuration(configuration.species, configuration.positions + t * displacement)
        field = hartree_only(moved, 20.0)
        field.kernel()
        return field.e_free

    # PySCF's energies are converged to 1e-12 or so.
    assert_derivative(
        -np.vdot(result.forces, displacement),
        energy,
        0.01,
        float(np.max(np.abs(result.forces))),
        noise=1e-11,
    )


# -- features ----------------------------------------------------------------------------------

_NESTED = (
    PotentialFunction(0, 0.3),
    PotentialFunction(0, 1.0),
    PotentialFunction(1, 0.5),
    PotentialFunction(0, 4.0),
)


def _lowest_by_descent(functional, features):
    """A minimum below the start: solvers look for critical points, (2.26) is about minima."""
    shape = features.shape

    def value_and_gradient(flat):
        state = functional.evaluate(flat.reshape(shape))
        return state.energy, state.gradient.ravel()

    found = minimize(
        value_and_gradient,
        features.ravel(),
        jac=True,
        method="BFGS",
        options={"gtol": 1e-7, "maxiter": 2000},
    )
    return found.x.reshape(shape), found.jac


@settings(max_examples=6)
@given(
    rng=generators(),
    beta=st.floats(2.0, 10.0),
    spacing=st.floats(1.4, 2.5),
    species=st.sampled_from((("H",), ("Li", "H"))),
)
def test_growing_nested_features_bring_the_minimum_down_to_the_complete_one(
    rng, beta, spacing, species
):
    """(2.26): E(Ξ₁) ≥ E(Ξ₁Ξ₂) ≥ … ≥ E(complete), each restricted set contained in the next."""
    smallest = spacing if species == ("H",) else spacing + 1.0
    configuration = cluster(3 if species == ("H",) else 2, smallest, rng, species=species)
    complete = equilibrate(_reduced(configuration, beta=beta), tolerance=1e-10, throw=True)
    size = energy_size(complete)
    energies, features = [], None
    for n in range(1, len(_NESTED) + 1):
        functional = EnergyFunctional(
            GaussianTightBinding(features=_NESTED[:n]).prepare(configuration), beta=beta
        )
        start = functional.initial_features()
        if features is not None:
            start = np.zeros_like(start)
            start[:, : features.shape[1]] = features
        features, gradient = _lowest_by_descent(functional, start)
        assert np.max(np.abs(gradient)) <= 1e-6
        energies.append(functional.evaluate(features).energy)
    # A gradient of 1e-6 is worth its square over the smallest response kept below, 1e-12/1e-4.
    slack = 1e-8 + 1e-13 * size
    assert np.all(np.diff(energies) <= slack), energies
    assert energies[-1] >= complete.energy - slack
    assert energies[0] > energies[-1] + slack


@settings(max_examples=10)
@given(drawn=recipes(xc="none", overlap="loewdin"))
def test_initial_density_is_that_of_neutral_atoms(drawn):
    """∫ρ = Tr(DS) = Σ Z, and no charge between the atoms."""
    configuration, recipe = drawn
    model, _ = recipe(configuration)
    D = model.initial_density()
    total = float(np.sum(model.nuclear_charges))
    assert np.vdot(D, model.assembly.overlap.matrix) == pytest.approx(total, rel=1e-12)
    different = model.assembly.atom_of_orbital[:, None] != model.assembly.atom_of_orbital
    assert np.all(D[different] == 0.0)
    assert np.linalg.eigvalsh(D)[0] >= 0.0


def test_the_two_overlap_modes_agree_where_orbitals_do_not_overlap():
    """Atoms 12 bohr apart: S = 1 to 1e-10, so both modes are one model."""
    configuration = chain(3, 12.0, "H")
    energies = [
        equilibrate(
            EnergyFunctional(GaussianTightBinding(overlap=mode).prepare(configuration), beta=10.0),
            throw=True,
        ).energy
        for mode in ("loewdin", "orthonormal")
    ]
    assert energies[0] == pytest.approx(energies[1], abs=1e-7)
    assert energies[0] != energies[1]


@pytest.mark.parametrize("overlap", ["loewdin", "orthonormal"])
def test_electrons_are_counted_as_the_mode_says(overlap):
    """Löwdin: 2Tr F = ∫ρ. Orthonormal: 2Tr F = Tr D, which is not ∫ρ = Tr(DS)."""
    model = GaussianTightBinding(overlap=overlap).prepare(H2O)
    result = equilibrate(EnergyFunctional(model, beta=10.0), throw=True)
    integrated = float(np.vdot(result.density, model.assembly.overlap.matrix))
    assert np.sum(result.state.local.populations) == pytest.approx(10.0, abs=1e-9)
    if overlap == "loewdin":
        assert integrated == pytest.approx(10.0, abs=1e-9)
    else:
        assert np.trace(result.density) == pytest.approx(10.0, abs=1e-9)
        assert abs(integrated - 10.0) > 0.1


# -- inputs that cannot be ---------------------------------------------------------------------


def _refused(match, call):
    with pytest.raises(InputError, match=match) as error:
        call()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_linearly_dependent_orbitals_are_refused_with_their_eigenvalue():
    """Two equal Gaussians 1e-5 bohr apart, and diffuse ones at ordinary distances."""
    close = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [1e-5, 0.0, 0.0]]))
    for configuration, exponent in ((close, 0.4), (chain(8, 1.0, "H"), 1e-3)):
        basis = partial(single_gaussian, exponent=exponent)
        message = _refused(
            "linearly dependent: smallest overlap eigenvalue",
            lambda c=configuration, b=basis: GaussianTightBinding(b).prepare(c),
        )
        smallest = float(message.split("eigenvalue ")[1].split()[0])
        S = GaussianTightBinding(basis, overlap="orthonormal").prepare(configuration)
        exact = np.linalg.eigvalsh(S.assembly.overlap.matrix)[0]
        assert smallest == pytest.approx(exact, rel=1e-2, abs=1e-14)


def test_systems_too_large_for_memory_are_refused_before_anything_is_made():
    """64 atoms of rock salt: 87 thousand pairs of 576 orbitals, squared."""
    configuration = lattice("rock-salt", 4, 5.3, ("Na", "Cl"))
    model = GaussianTightBinding().prepare(configuration)
    message = _refused("too many", lambda: model.electrostatics)
    assert "576 orbitals" in message
    assert "61.1 GB" in message
    assert "limit is 4 GB" in message


@pytest.mark.parametrize(
    ("ensemble", "match"),
    [
        (Canonical(9.0), "pairs"),
        (Canonical(9.5), "pairs"),
        (Canonical(16.0), "do not fit"),
        (Canonical(14.0), None),
    ],
)
def test_electron_counts_at_zero_temperature(ensemble, match):
    """Odd, fractional, and more than the seven orbitals of H₂O hold; exactly full is possible."""
    functional = _reduced(H2O, ensemble=ensemble)
    if match is None:
        full = equilibrate(functional, throw=True)
        np.testing.assert_allclose(np.sum(full.charges), -4.0, atol=1e-9)
    else:
        _refused(match, lambda: equilibrate(functional))


def test_a_chemical_potential_on_a_level_is_refused():
    functional = _reduced(H2O)
    level = functional.evaluate(functional.initial_features()).local.eigenvalues[3]
    grand = functional.with_ensemble(GrandCanonical(float(level)))
    _refused("lies on the eigenvalue", lambda: grand.evaluate(grand.initial_features()))


def test_periodic_cells_unknown_elements_and_modes_are_refused():
    periodic = Configuration(("H",), np.zeros((1, 3)), np.eye(3) * 8.0, (True, True, True))
    _refused("periodic", lambda: GaussianTightBinding().prepare(periodic))
    uranium = Configuration(("U",), np.zeros((1, 3)))
    _refused("U", lambda: GaussianTightBinding().prepare(uranium))
    model = GaussianTightBinding(nuclear_charges={"H": 1.0})
    _refused("no nuclear charge for element O", lambda: model.prepare(H2O))
    _refused("choose 'loewdin' or 'orthonormal'", lambda: GaussianTightBinding(overlap="none"))
    bad = GaussianTightBinding(nuclear_exponent=-1.0).prepare(H2O)
    _refused("not positive", lambda: bad.electrostatics)


@pytest.mark.parametrize(
    "features", [np.zeros((7, 6)), np.full((7, 7), np.nan), np.full((7, 7), np.inf)]
)
def test_impossible_features_are_refused(features):
    functional = _reduced(H2O)
    _refused("features", lambda: functional.evaluate(features))
    _refused("features", lambda: equilibrate(functional, features=features))
