"""The parts that the bounds of Lemma 12 to Theorem 4 are made of, each against something else."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies.theory_systems import built, gaussian_recipes, onsite_recipes

from scc.basis.evaluate import evaluate
from scc.claims._onsite_systems import half_filled_case, hopping_chain, model_b_chain
from scc.errors import InputError
from scc.functional.quadrature import MolecularGrid
from scc.functional.xc import Dirac
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import (
    lemma_12,
    theorem_4,
    theorem_4_density,
    theorem_4_exchange,
)
from scc.theory._daleckii_krein import directional, second_divided_differences
from scc.theory._interpolation_error import (
    contour_around,
    contour_norms,
    ellipses,
    exponent,
    interpolant,
    panels,
)
from scc.theory._perturbations import by_feature, by_position
from scc.theory._resolvent_bounds import resolvent_bounds
from scc.theory._spectral_line import spectral_line
from scc.theory._tilted import (
    applies,
    coordinates,
    smallest_singular_values,
    tilted_bounds,
    tilted_exponent,
)
from scc.theory._weighted_norms import largest_rate, perron_bound, weighted_norms
from scc.theory.random_systems import Recipe, random_system
from scc.theory.system import TightBindingSystem

quick = settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)


# -- norms ---------------------------------------------------------------------------------------


@given(arrays(np.float64, (3, 6, 6), elements=st.floats(0.0, 10.0)))
def test_perron_bound_below_the_norm_or_above_the_row_sum(matrices):
    symmetric = matrices + np.swapaxes(matrices, -1, -2)
    found = perron_bound(symmetric)
    assert np.all(found >= np.linalg.norm(symmetric, 2, axis=(-2, -1)) * (1.0 - 1e-13))
    assert np.all(found <= np.max(np.sum(symmetric, axis=-1), axis=-1) * (1.0 + 1e-10))


@quick
@given(recipe=onsite_recipes(largest=12), eta=st.floats(0.01, 2.0), pick=st.integers(0, 11))
def test_tilted_hamiltonian_leaves_its_norms(recipe, eta, pick):
    """H_φ − H for φ = r_·m, against even, odd, stretch, and the resolvent against c."""
    system = built(recipe)
    norms = weighted_norms(system, np.array([min(eta, largest_rate(system))]))
    phi = system.distances[:, pick % system.atoms]
    tilted = system.hamiltonian * np.exp(norms.rates[0] * (phi[:, None] - phi))
    difference = tilted - system.hamiltonian
    size = 1e-12 * np.linalg.norm(tilted)
    assert np.linalg.norm(difference + difference.T, 2) / 2 <= norms.even[0] + size
    assert np.linalg.norm(difference - difference.T, 2) / 2 <= norms.odd[0] + size
    assert np.linalg.norm(difference, 2) <= norms.stretch[0] + size
    for z in lemma_12.points(system).values():
        c = lemma_12.denominators(system, norms, z)[0]
        smallest = np.linalg.svd(z * np.eye(len(tilted)) - tilted, compute_uv=False)[-1]
        assert c <= smallest + size


@pytest.mark.parametrize("beta", [1.0, 4.0, 20.0])
def test_rate_of_the_hopping_chain_is_not_exact(beta):
    case = hopping_chain(80, beta, 0.0)
    system = TightBindingSystem(case.model, case.state.features, beta, 0.0)
    exact = 2.0 * math.asinh(0.5 * math.pi / beta)
    # No knowledge of the spectrum; the norm of a chain of M is that of ∞ less O(M⁻²).
    assert theorem_4.uniform_rate(system, 0.0, 0.0, beta) == pytest.approx(exact, rel=2e-3)


# -- the spectral line ---------------------------------------------------------------------------


@given(st.floats(0.5, 300.0), st.floats(0.1, 100.0))
def test_blocks_of_poles_sum_to_less_than_all_poles(beta, reach):
    """f = s⁻²: 2β⁻¹ Σ y_n⁻² = β/4 and ∫ν(s) s⁻³ ds = β⁻¹ Σ y_n⁻² = β/8."""
    case = hopping_chain(2, beta, 0.1)
    line = spectral_line(TightBindingSystem(case.model, case.state.features, beta, 0.1), reach)
    s = line.heights
    summed = line.occupation @ s**-2.0 + line.occupation_tail(2) * s[-1] ** -2.0
    assert beta / 4.0 <= summed * (1.0 + 1e-12) <= 1.1 * beta / 4.0
    integrated = line.grand_potential @ s**-3.0 + line.grand_potential_tail(3) * s[-1] ** -3.0
    # ν(s) ≤ s/π + 1/β is an equality just above the poles only: a factor of two at most.
    assert beta / 8.0 <= integrated * (1.0 + 1e-12) <= 3.0 * beta / 8.0


@given(st.floats(0.01, 3.0), st.floats(0.05, 50.0))
def test_cells_of_the_line_integrate_to_less_than_the_integral(gap, reach):
    """f = (g² + s²)⁻¹, g half the gap: π⁻¹∫f ds = 1/2g."""
    case = hopping_chain(2, math.inf, 0.0, 2.0 * gap)
    system = TightBindingSystem(case.model, case.state.features, math.inf, 0.0)
    half = 0.5 * float(system.levels[1] - system.levels[0])
    line = spectral_line(system, reach)
    value = 1.0 / (half**2 + line.heights**2)
    summed = line.occupation @ value + line.occupation_tail(2) * value[-1] * (
        1.0 + (half / line.heights[-1]) ** 2
    )
    assert 0.5 / half <= summed * (1.0 + 1e-12) <= 0.6 / half


# -- measurements --------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(
    beta=st.floats(0.5, 40.0),
    levels=arrays(np.float64, 4, elements=st.floats(-2.0, 2.0), unique=True),
    spread=st.floats(1e-6, 1.0),
)
def test_second_divided_differences_of_g_are_wrong(beta, levels, spread):
    levels = np.sort(levels) * spread
    found = second_divided_differences(FermiDirac(beta, 0.1), "G", levels)

    def exact(x, y, z):
        with mpmath.workdps(60):
            g = lambda v: -mpmath.log(1 + mpmath.exp(-beta * (v - mpmath.mpf(0.1)))) / beta  # noqa: E731
            x, y, z = (mpmath.mpf(v) for v in (x, y, z))
            return float(((g(x) - g(y)) / (x - y) - (g(y) - g(z)) / (y - z)) / (x - z))

    assume(np.min(np.diff(levels)) > 1e-12)
    for i, j, k in ((0, 1, 2), (3, 0, 2), (1, 2, 3)):
        value = exact(levels[i], levels[j], levels[k])
        assert found[i, j, k] == pytest.approx(value, abs=1e-13 * beta)
    # Coalescing arguments: G[x, x, x] = F′(x)/2.
    slopes = FermiDirac(beta, 0.1).derivative(levels)
    assert np.allclose(np.einsum("iii->i", found), 0.5 * slopes, atol=1e-13 * beta)


@quick
@given(recipe=gaussian_recipes(largest=4), function=st.sampled_from(["F", "G"]))
def test_directional_derivatives_differ_from_differences(recipe, function):
    system = built(recipe)
    assume(system.beta <= 40.0)
    occupation = FermiDirac(system.beta, system.mu)
    rng = np.random.default_rng(recipe.seed)
    size = len(system.levels)
    first, second = (w + w.T for w in rng.uniform(-0.5, 0.5, (2, size, size)))

    def of(matrix):
        levels, c = np.linalg.eigh(matrix)
        values = occupation.occupation if function == "F" else occupation.grand_potential
        return (c * values(levels)) @ c.T

    step = 1e-3 / (1.0 + system.beta)
    h, c = system.hamiltonian, system.state.eigenvectors
    once = (of(h + step * first) - of(h - step * first)) / (2.0 * step)
    twice = (
        of(h + step * (first + second))
        - of(h + step * (first - second))
        - of(h - step * (first - second))
        + of(h - step * (first + second))
    ) / (4.0 * step**2)
    arguments = (occupation, function, system.levels, c)
    # Truncation step²·O(β³) of the derivative's own scale, and rounding eps/step².
    assert np.allclose(directional(*arguments, [first]), once, atol=1e-4)
    assert np.allclose(directional(*arguments, [first, second]), twice, atol=2e-4 * system.beta**2)


@settings(max_examples=5, suppress_health_check=list(HealthCheck), deadline=None)
@given(recipe=gaussian_recipes(largest=4), axis=st.integers(0, 2), feature=st.booleans())
def test_density_or_exchange_moves_otherwise_than_measured(recipe, axis, feature):
    """∂ρ_ℓ(x) at points, and ∂E^xc_ℓ on a grid that moves, against central differences."""
    system = built(recipe)
    assume(system.beta <= 40.0)
    points, atom, step = theorem_4_density.sampled_points(system), 1, 1e-4
    grid = theorem_4_exchange.grid_of(system)

    def moved(sign):
        configuration, features = system.configuration, system.features.copy()
        positions = configuration.positions.copy()
        if feature:
            features[atom, 0] += sign * step
        else:
            positions[atom, axis] += sign * step
        rebuilt = _rebuilt(recipe, type(configuration)(configuration.species, positions))
        state = rebuilt.evaluate(features, FermiDirac(system.beta, system.mu))

        def local_densities(x):  # one orbital an atom
            (raw,) = evaluate(rebuilt.assembly.basis, x, 0)
            if rebuilt.assembly.loewdin is not None:
                raw = raw @ rebuilt.assembly.loewdin.inverse_square_root
            return 2.0 * raw * (raw @ state.density_operator)

        grid = MolecularGrid(positions, 4, 5, keep_empty=True)
        rho = np.sum(local_densities(grid.points), axis=1)
        return local_densities(points), grid.site_sums(grid.weights * Dirac().energy(rho))

    after, before = moved(1.0), moved(-1.0)
    perturbation = by_feature(system, atom) if feature else by_position(system, atom, axis)
    found = (
        theorem_4_density.measured(system, points, perturbation),
        theorem_4_exchange.measured(system, grid, perturbation),
    )
    for exact, high, low in zip(found, after, before, strict=True):
        # Truncation: step² times third derivatives, of the order of β² in ρ.
        tolerance = 1e-5 * (1.0 + 1e-2 * system.beta**2)
        assert np.allclose(exact, (high - low) / (2.0 * step), atol=tolerance)


def _rebuilt(recipe, configuration):
    from scc.theory.random_systems import _model

    return _model(recipe, configuration, recipe.splitting)


# -- contours and tilting ------------------------------------------------------------------------


@quick
@given(
    recipe=onsite_recipes(largest=8),
    share=st.sampled_from([0.2, 0.5, 0.75]),
    degree=st.integers(4, 20),
)
def test_norms_on_the_contour_are_below_the_integral(recipe, share, degree):
    """Against O and O_N at points between and on the mid-points of the panels."""
    system = built(recipe)
    assume(system.beta <= 20.0 or math.isinf(system.beta))
    polynomial = interpolant(system, degree)
    X = polynomial.spectral_set
    parameters = ellipses(X, share * exponent(system, X))
    of_g, of_f = contour_norms(system, polynomial, panels(X, parameters))
    total = np.zeros(2)
    for (low, high), parameter in zip(X.intervals, parameters, strict=True):
        half = 0.5 * (high - low)
        edges = np.linspace(0.0, math.pi, 2001)
        ellipse = 0.5 * (low + high) + half * np.cosh(parameter + 1j * edges)
        between = 0.5 * (ellipse[1:] + ellipse[:-1])
        for index, values in enumerate(_errors(system, polynomial, between)):
            total[index] += np.abs(np.diff(ellipse)) @ values / math.pi
    # Chebyshev sums at complex z cancel: their rounding is relative to the largest term.
    slack = 1e-10 * (1.0 + np.max(np.abs(polynomial.coefficients))) * (1.0 + degree**2)
    assert total[0] <= of_g + slack
    assert total[1] <= of_f + slack
    assert of_g <= 30.0 * total[0] + slack  # and not far above


def _errors(system, polynomial, z):
    """|G − G_N| and |F − F_N| at complex z beside σ(H)."""
    X = polynomial.spectral_set
    centre, half = 0.5 * (X.lower + X.upper), 0.5 * (X.upper - X.lower)
    t = (z - centre) / half
    g_n = np.polynomial.chebyshev.chebval(t, polynomial.coefficients)
    slopes = np.polynomial.chebyshev.chebder(polynomial.coefficients) / half
    f_n = np.polynomial.chebyshev.chebval(t, slopes)
    offset = z - system.mu
    if system.zero_temperature:
        below = offset.real < 0.0 if X.gap is None else z.real < 0.5 * sum(X.gap)
        return np.abs(np.where(below, offset, 0.0) - g_n), np.abs(below - f_n)
    assume(np.max(-system.beta * offset.real) < 600.0)
    u = np.exp(-system.beta * offset)
    return np.abs(-np.log(1.0 + u) / system.beta - g_n), np.abs(u / (1.0 + u) - f_n)


@pytest.mark.parametrize("beta", [2.0, 6.0, math.inf])
def test_constants_fall_more_slowly_with_the_degree_than_green_says(beta):
    """e^{−(1−κ)θN}: the rate between degrees 20 and 60 is at least 0.8 of it."""
    system = random_system(Recipe(atoms=10, beta=beta, gap=0.3))
    for share in (0.1, 0.35):
        low, high = (contour_around(system, interpolant(system, n), share) for n in (20, 60))
        expected = (1.0 - share) * exponent(system, interpolant(system, 8).spectral_set)
        for before, after in (
            (low.occupation, high.occupation),
            (low.grand_potential, high.grand_potential),
        ):
            assert math.log(before / after) / 40.0 >= 0.8 * expected


@quick
@given(recipe=onsite_recipes(largest=20), eta=st.floats(0.05, 1.5))
def test_resolvent_exceeds_its_tilted_bound(recipe, eta):
    system = built(recipe)
    assume(applies(system))
    x = coordinates(system)
    along = np.abs(x[:, None] - x)
    assert np.all(along <= system.distances + 1e-12)
    z = theorem_4.slowest_point(system)
    smallest = smallest_singular_values(system, np.array([z]), np.array([eta]))[0, 0]
    assume(smallest > 1e-8)
    resolvent = np.abs(np.linalg.inv(z * np.eye(system.atoms) - system.hamiltonian))
    assert np.all(resolvent <= np.exp(-eta * along) / smallest + 1e-10)


def test_a_node_that_stands_for_several_poles_is_not_tilted(monkeypatch):
    """σ_min is computed in the cell of a node, and need not be larger at the poles beyond."""
    monkeypatch.setattr("scc.theory._tilted.NODES", 10_000)
    system = random_system(Recipe(atoms=8, beta=20.0))
    plain = resolvent_bounds(system)
    several = plain.line.occupation > 1.5 * np.min(plain.line.occupation[plain.line.occupation > 0])
    assert np.any(several)
    tilted = tilted_bounds(system, plain)
    assert np.array_equal(tilted.whole_part[several], plain.whole_part[several])
    assert np.any(tilted.whole_part < plain.whole_part)


def test_tilted_rate_depends_on_the_length_of_the_chain():
    """Model B with four neighbours: the same rate at M = 40 and 80, above that of Lemma 12."""
    rates = []
    for atoms in (40, 80):
        model = model_b_chain(atoms, (1.0, 1.0), 0.3, (1.0, 1.0))
        case = half_filled_case(model, np.zeros(atoms), 3.0, 1)
        mu = case.state.chemical_potential
        system = TightBindingSystem(model, case.state.features, 3.0, mu)
        z = theorem_4.slowest_point(system)
        rates.append(tilted_exponent(system, z))
        assert rates[-1] > 1.5 * lemma_12.best_exponent(system, z)
    assert rates[1] == pytest.approx(rates[0], rel=0.05)


@pytest.mark.parametrize(("beta", "gap"), [(3.0, 0.3), (math.inf, 1.0)])
def test_bound_depends_on_the_number_of_atoms(beta, gap):
    """At given distances from the middle of chains of 40, 80 and 160 atoms of model B."""
    bounds = []
    for atoms in (40, 80, 160):
        model = model_b_chain(atoms, (1.0, 1.3), gap, (1.0, 1.0))
        case = half_filled_case(model, np.zeros(atoms), beta, 1)
        mu = case.state.chemical_potential
        system = TightBindingSystem(model, case.state.features, beta, mu)
        locality = theorem_4.bound(system, by_feature(system, atoms // 2))
        near = np.arange(atoms // 2, atoms // 2 + 16)
        bounds.append(np.stack([locality.populations()[near], locality.site_energies()[near]]))
    assert np.all(bounds[1] <= 1.3 * bounds[0])
    assert np.all(bounds[2] <= 1.1 * bounds[1])


def test_tilted_bounds_of_gaussian_orbitals_are_refused():
    system = random_system(Recipe(model="orthonormal", atoms=4))
    with pytest.raises(InputError, match="on-site"):
        tilted_bounds(system, resolvent_bounds(system))


def test_contour_crosses_the_spectrum():
    """c_Γ at η = 0 is the distance of Γ from the spectrum, less half a panel."""
    for beta in (5.0, math.inf):
        system = random_system(Recipe(atoms=12, beta=beta, gap=0.3))
        polynomial = interpolant(system, 8)
        contour = contour_around(system, polynomial, 0.5)
        X = polynomial.spectral_set
        z = panels(X, ellipses(X, 0.5 * exponent(system, X))).centres
        distance = np.min(np.abs(z[:, None] - system.levels))
        assert 0.5 * distance <= contour.denominators[0] <= distance
