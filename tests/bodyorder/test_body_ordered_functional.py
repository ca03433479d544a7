"""The body-ordered functional (3.7): every derivative, Lemma 6, and why F is not interpolated.

Both models, one interval or two, at random v̂; X is the spectrum with a margin, the degree is low,
so that G_N is far from G and nothing is right by being close to the exact functional.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.chebyshev import Chebyshev
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.onsite import geometries, model_systems, replace_positions, unit

from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.bodyorder.ball_functions import occupation_ball
from scc.bodyorder.interpolation import chebyshev_interpolants
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.configuration import Configuration, cluster
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.solvers import NewtonKrylov
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical
from scc.occupations.fermi_dirac import FermiDirac

EPS = np.finfo(np.float64).eps


@dataclass(frozen=True)
class BodyOrderedCase:
    """𝒢_N near one (r, v̂), for a model that can be prepared anywhere."""

    model: OnsiteTightBinding | GaussianTightBinding
    configuration: Configuration
    features: np.ndarray
    occupation: PolynomialOccupation

    @cached_property
    def functional(self):
        return self.functional_at(self.configuration.positions)

    @cached_property
    def state(self):
        return self.functional.evaluate(self.features)

    def functional_at(self, positions):
        bound = self.model.prepare(replace_positions(self.configuration, positions))
        ensemble = GrandCanonical(self.occupation.chemical_potential)
        return EnergyFunctional(bound, ensemble=ensemble, occupation=self.occupation)

    @property
    def energy_size(self):
        """Largest of the terms 𝒢_N is a sum of, times their number."""
        local = self.state.local
        v = np.abs(self.functional.model.assembly.feature_matrix(self.features))
        levels = np.abs(self.occupation.grand_potential(local.eigenvalues))
        explicit = sum(abs(term.energy(self.state.density)) for term in self.functional.terms)
        return 1.0 + 2.0 * float(np.sum(levels)) + 2.0 * float(np.sum(v)) + explicit

    @property
    def scale(self):
        """G_N varies over the spacing of its nodes at an end of X: width times (1/N)²."""
        X = self.occupation.spectral_set
        return (X.upper - X.lower) / self.occupation.degree**2

    def feature_step(self, direction):
        change = self.functional.model.assembly.feature_matrix(direction)
        norm = np.max(np.abs(change)) if change.ndim == 1 else np.linalg.norm(change, 2)
        return min(self.scale / (20.0 * float(norm)), 1e-2)

    def position_step(self, displacement):
        """2e-3 bohr resolves switching functions."""
        dh0, dv = self.functional.model.assembly.hamiltonian_perturb(displacement, self.features)
        norm = max(float(np.linalg.norm(dh0 + dv, 2)), 1e-3)
        return min(self.scale / (20.0 * norm), 2e-3)


def _gaussian(exponent, feature, overlap):
    return GaussianTightBinding(
        basis=lambda configuration: single_gaussian(configuration, exponent),
        features=(PotentialFunction(0, feature), PotentialFunction(1, feature)),
        overlap=overlap,
        nuclear_exponent=2.0,
    )


@st.composite
def cases(draw, degrees=(2, 24), split=None):
    """degrees: range of N; split: whether X has a gap, drawn when None."""
    rng = draw(generators())
    if draw(st.booleans()):
        model = OnsiteTightBinding(draw(model_systems()))
        configuration = draw(geometries(max_atoms=10))
    else:
        overlap = draw(st.sampled_from(("loewdin", "orthonormal")))
        model = _gaussian(draw(st.floats(0.3, 0.8)), draw(st.floats(0.3, 0.8)), overlap)
        configuration = cluster(draw(st.integers(2, 5)), draw(st.floats(1.4, 2.5)), rng)
    bound = model.prepare(configuration)
    features = draw(st.floats(0.1, 0.6)) * rng.normal(size=bound.feature_shape)
    levels = np.linalg.eigvalsh(bound.hamiltonian(features))
    split = draw(st.booleans()) if split is None else split
    # The margin keeps all points of the difference formulas (4 steps) inside X.
    margin = 0.3 * (levels[-1] - levels[0]) + 0.1
    k = int(np.argmax(np.diff(levels)))
    low, high = levels[0] - margin, levels[-1] + margin
    share = draw(st.floats(0.3, 0.7))
    mu = float(levels[k] + share * (levels[k + 1] - levels[k]))
    if split:
        quarter = 0.25 * min(share, 1.0 - share) * (levels[k + 1] - levels[k])
        X = SpectralSet(((low, mu - quarter), (mu + quarter, high)))
        beta = math.inf
    else:
        X = SpectralSet(((low, high),))
        beta = draw(st.floats(1.0, 30.0))
    occupation = PolynomialOccupation.interpolate(X, draw(st.integers(*degrees)), beta, mu)
    return BodyOrderedCase(model, configuration, features, occupation)


# -- derivatives --------------------------------------------------------------------------------


def _assert_feature_gradient(case, rng):
    direction = unit(rng, case.features.shape)
    gradient = case.state.gradient
    assert_derivative(
        np.vdot(gradient, direction),
        lambda t: case.functional.evaluate(case.features + t * direction).energy,
        case.feature_step(direction),
        np.max(np.abs(gradient)),
        noise=EPS * case.energy_size,
    )


@given(case=cases(), rng=generators())
def test_gradient_in_the_features_is_wrong(case, rng):
    _assert_feature_gradient(case, rng)


@given(case=cases(), rng=generators())
def test_gradient_in_the_positions_is_wrong(case, rng):
    displacement = unit(rng, case.configuration.positions.shape)
    gradient = case.state.position_gradient
    positions = case.configuration.positions
    assert_derivative(
        np.vdot(gradient, displacement),
        lambda t: case.functional_at(positions + t * displacement).evaluate(case.features).energy,
        case.position_step(displacement),
        np.max(np.abs(gradient)),
        noise=EPS * case.energy_size,
    )


@settings(max_examples=15)
@given(case=cases(degrees=(2, 12)), rng=generators())
def test_hessian_product_is_wrong(case, rng):
    direction = unit(rng, case.features.shape)
    product = case.state.hessian_vector_product(direction)
    assert_derivative(
        product,
        lambda t: case.functional.evaluate(case.features + t * direction).gradient,
        case.feature_step(direction),
        np.max(np.abs(product)),
        noise=EPS * case.energy_size,
    )


# -- Lemma 6 ------------------------------------------------------------------------------------


def _frechet(occupation, H, A):
    """DF_N(H)[A], the upper right block of F_N([[H, A], [0, H]]): matrix products alone."""
    n = len(H)
    block = np.block([[H, A], [np.zeros_like(H), H]])
    return occupation.matrix_function(block, "F")[:n, n:]


@given(case=cases(degrees=(2, 16)))
def test_residual_is_not_that_of_lemma_6(case):
    """T_N(v̂)_mc = ⟨DF_N(H)[W_mc], v − ∫φ⊗φV_eff⟩ from matrix products; −2T_N is the gradient."""
    assembly = case.functional.model.assembly
    H = case.functional.model.hamiltonian(case.features)

    def full(matrix):
        return np.diag(matrix) if matrix.ndim == 1 else matrix

    misfit = full(assembly.feature_matrix(case.features)) - full(
        assembly.embed(case.state.potential)
    )
    expected = np.empty(case.features.size)
    for k, direction in enumerate(np.eye(case.features.size)):
        w = full(assembly.feature_matrix(direction.reshape(case.features.shape)))
        expected[k] = np.vdot(_frechet(case.occupation, H, w), misfit)
    # Products of N matrices, each of norm one after scaling, against N² divided differences.
    size = np.max(np.abs(misfit)) * len(H) ** 2 * case.occupation.degree**2 / case.scale
    np.testing.assert_allclose(
        case.state.residual.ravel(), expected, atol=20 * EPS * size, rtol=1e-11
    )
    np.testing.assert_array_equal(case.state.residual, -0.5 * case.state.gradient)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31), beta=st.floats(4.0, 20.0))
def test_critical_point_is_none(seed, beta):
    """At the solver's v̂*_N 𝒢_N is stationary in every direction, by differences of 𝒢_N."""
    rng = np.random.default_rng(seed)
    model = _gaussian(0.4, 0.4, "loewdin").prepare(cluster(4, 1.8, rng))
    exact = equilibrate(EnergyFunctional(model, beta=beta), throw=True)
    levels, mu = exact.state.local.eigenvalues, exact.fermi_level
    X = SpectralSet(((levels[0] - 0.3, levels[-1] + 0.3),))
    occupation = PolynomialOccupation.interpolate(X, 16, beta, mu)
    functional = EnergyFunctional(model, ensemble=GrandCanonical(mu), occupation=occupation)
    solver = NewtonKrylov()
    found = equilibrate(functional, solver, features=exact.features, tolerance=1e-11)
    assert found.status == "converged"
    direction = unit(rng, found.features.shape)
    assert_derivative(
        0.0,
        lambda t: functional.evaluate(found.features + t * direction).energy,
        1e-3,
        float(np.max(np.abs(found.state.density))),
        noise=10 * EPS,
    )


def test_spectral_set_must_reach_the_free_hamiltonian():
    """X holds σ(H(v̂)) near v̂*, not σ(H⁰): no judgement of a solution may ask for v̂ = 0."""
    model = _gaussian(0.4, 0.4, "loewdin").prepare(cluster(4, 1.8, np.random.default_rng(3)))
    exact = equilibrate(EnergyFunctional(model, beta=10.0), throw=True)
    levels, mu = exact.state.local.eigenvalues, exact.fermi_level
    X = SpectralSet(((levels[0] - 0.05, levels[-1] + 0.05),))
    free = np.linalg.eigvalsh(model.hamiltonian(np.zeros(model.feature_shape)))
    assert np.max(X.distance(free)) > 0.01
    occupation = PolynomialOccupation.interpolate(X, 20, 10.0, mu)
    functional = EnergyFunctional(model, ensemble=GrandCanonical(mu), occupation=occupation)
    found = equilibrate(functional, features=exact.features, tolerance=1e-10)
    assert found.status == "converged"


# -- values -------------------------------------------------------------------------------------


@given(case=cases())
def test_site_decomposition_does_not_add_up(case):
    """𝒢_N = Σ E_ℓ + E_el; E_ℓ and ρ from G_N(H) and F_N(H) made by matrix products alone."""
    state, assembly = case.state, case.functional.model.assembly
    H = case.functional.model.hamiltonian(case.features)
    F = case.occupation.matrix_function(H, "F")
    G = case.occupation.matrix_function(H, "G")
    v = assembly.feature_matrix(case.features)
    v = np.diag(v) if v.ndim == 1 else v
    sites = np.bincount(assembly.atom_of_orbital, weights=2.0 * np.diagonal(G - v @ F))
    allowed = 50 * EPS * case.occupation.degree * len(H) * case.energy_size
    np.testing.assert_allclose(state.site_energies, sites, atol=allowed, rtol=0)
    np.testing.assert_allclose(state.density, assembly.extract(2.0 * F), atol=allowed, rtol=0)
    total = float(np.sum(sites)) + case.functional.density_energy(state.density)
    assert state.energy == pytest.approx(total, abs=allowed)
    assert state.long_range_energy == case.functional.density_energy(state.density)


@given(case=cases(degrees=(4, 40)))
def test_functionals_differ_by_more_than_the_polynomials(case):
    """|Σ E_N,ℓ − Σ E_ℓ| ≤ 2n(‖G − G_N‖_∞ + ‖v‖ ‖F − F_N‖_∞), sup norms over the spectrum."""
    exact = FermiDirac(case.occupation.beta, case.occupation.chemical_potential)
    state = case.functional.model.evaluate(case.features, exact)
    levels = state.eigenvalues
    g = np.max(np.abs(case.occupation.grand_potential(levels) - exact.grand_potential(levels)))
    f = np.max(np.abs(case.occupation.occupation(levels) - exact.occupation(levels)))
    v = case.functional.model.assembly.feature_matrix(case.features)
    norm = np.max(np.abs(v)) if v.ndim == 1 else np.linalg.norm(v, 2)
    bound = 2.0 * len(levels) * (g + norm * f)
    difference = abs(case.state.local.feature_energy - state.feature_energy)
    assert difference <= bound + 50 * EPS * case.energy_size


# -- what must not be done ----------------------------------------------------------------------


class InterpolatedTwice(PolynomialOccupation):
    """The mistake of Lemma 7: G_N interpolates G and, on its own, F_N interpolates F."""

    def __post_init__(self):
        super().__post_init__()
        X = self.spectral_set
        nodes = leja_points(X, self.degree + 1)
        function = occupation_ball(X, self.beta, self.chemical_potential)
        (series,) = chebyshev_interpolants(function, nodes, X.lower, X.upper, [self.degree])
        object.__setattr__(self, "_occupation_series", series)
        slope = Chebyshev(series, domain=[X.lower, X.upper]).deriv().coef
        object.__setattr__(self, "_derivative_series", slope)


@settings(max_examples=15)
@given(case=cases(degrees=(3, 20), split=True), rng=generators())
def test_gradient_check_passes_when_f_is_interpolated(case, rng):
    occupation = case.occupation
    mistaken = InterpolatedTwice.interpolate(
        occupation.spectral_set, occupation.degree, occupation.beta, occupation.chemical_potential
    )
    wrong = BodyOrderedCase(case.model, case.configuration, case.features, mistaken)
    with pytest.raises(AssertionError, match="derivative off"):
        _assert_feature_gradient(wrong, rng)


def _small_case(occupation_mu=0.1):
    model = _gaussian(0.4, 0.4, "orthonormal").prepare(cluster(3, 2.0, np.random.default_rng(0)))
    levels = np.linalg.eigvalsh(model.hamiltonian(np.zeros(model.feature_shape)))
    X = SpectralSet(((levels[0] - 0.1, levels[-1] + 0.1),))
    return model, PolynomialOccupation.interpolate(X, 6, 10.0, occupation_mu)


def test_polynomial_is_used_at_another_chemical_potential():
    model, occupation = _small_case()
    with pytest.raises(InputError, match=r"chemical potential 0.1, the ensemble 0.2"):
        EnergyFunctional(model, ensemble=GrandCanonical(0.2), occupation=occupation)
    with pytest.raises(InputError, match="grand-canonical"):
        EnergyFunctional(model, ensemble=Canonical(2.0), occupation=occupation)


def test_polynomial_is_used_off_its_spectral_set():
    model, occupation = _small_case()
    functional = EnergyFunctional(model, ensemble=GrandCanonical(0.1), occupation=occupation)
    features = np.zeros(model.feature_shape)
    features[0, 0] = 5.0
    with pytest.raises(InputError, match="outside the spectral set"):
        functional.evaluate(features)
