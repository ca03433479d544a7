"""Decay of S^(-1/2) and body order of orthogonalised Hamiltonians: bounds that bound too much."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators

from scc.claims._overlap_chain import EXPONENT, gaussian_chain, nearest_zero, symbols
from scc.theory import orthogonalisation, orthogonalised_body_order
from scc.theory._orthogonalised_expansion import OrthogonalisedExpansion, absolute_coefficients
from scc.theory.orthogonalisation import (
    largest_rate,
    smallest_eigenvalue,
    tilt,
    tilted_eigenvalue,
)
from scc.theory.random_systems import Recipe, random_system
from scc.theory.statement import satisfied, violations
from scc.theory.theorem_5 import expansion


def loewdin(dimension=1, atoms=12, seed=0, spacing=1.2, decay=1.0):
    return random_system(
        Recipe(
            model="loewdin",
            dimension=dimension,
            atoms=atoms,
            seed=seed,
            spacing=spacing,
            decay=decay,
            beta=5.0,
        )
    )


@pytest.mark.parametrize("spacing", [1.6, 2.2, 3.0])
def test_rate_of_a_uniform_chain_is_not_that_of_theta(spacing) -> None:
    """The largest rate with a bound, the zero of the symbol, and ad/2 agree on a long chain."""
    model = gaussian_chain(50, spacing, "loewdin")
    overlap, _ = symbols(model, np.zeros(model.feature_shape))
    exact = 0.5 * EXPONENT * spacing
    assert np.isclose(nearest_zero(overlap) / spacing, exact, rtol=1e-9)
    r = spacing * np.abs(np.subtract.outer(np.arange(50), np.arange(50)))
    rate = largest_rate(model.assembly.overlap.matrix, r)
    # On the infinite chain s(η) ≤ s(π + iη), zero at ad/2: a finite one may exceed it a little.
    assert 0.75 * exact < rate < 1.02 * exact


@given(generators(), st.floats(0.0, 0.6))
def test_tilted_eigenvalue_is_below_its_norm_bound(rng, eta) -> None:
    """s(η) ≥ λ_min − δ(η), up to the norm's own slack, and s(0) = λ_min."""
    positions = np.sort(rng.uniform(0.0, 20.0, 10))
    r = np.abs(positions[:, None] - positions[None])
    overlap = np.exp(-0.4 * r**2)
    least = smallest_eigenvalue(overlap)
    rounding = 1e-12
    assert tilted_eigenvalue(overlap, r, eta) >= least - tilt(overlap, r, eta) - rounding
    assert np.isclose(tilted_eigenvalue(overlap, r, 0.0), least, atol=1e-12)


@pytest.mark.parametrize("dimension", [1, 3])
def test_half_of_the_best_constant_of_the_inverse_root_passes(monkeypatch, dimension) -> None:
    case = loewdin(dimension)
    checks = orthogonalisation.checks(case)
    assert violations(checks) == []
    best = {check.quantity: check.worst for check in checks}
    true = orthogonalisation.bound

    def halved(system, eta):
        names = ("|S^(-1/2)|", "|dS^(-1/2)/dr_m| [1/bohr]")
        orbital = best["|orthogonalised orbital(x)| [bohr^-3/2]"]
        found = true(system, eta)
        return (
            0.5 * best[names[0]] * found[0],
            0.5 * best[names[1]] * found[1],
            0.5 * orbital * found[2],
        )

    monkeypatch.setattr(orthogonalisation, "bound", halved)
    red = {line.split(":")[0] for line in violations(orthogonalisation.checks(case))}
    assert red == set(best) - {"|S^(-1/2)| by the norm delta"}


def test_rate_of_the_inverse_root_may_be_a_fifth_too_large(monkeypatch) -> None:
    """The bound with the constants of 0.97 of the largest rate, and 1.2 times the measured rate."""
    case = loewdin()
    overlap, r = case.assembly.overlap.matrix, case.orbital_distances
    root = case.assembly.loewdin.inverse_square_root
    rate = orthogonalisation.measured_rate(r, root)
    constant = float(np.max(np.abs(root) * np.exp(rate * r)))
    assert np.any(np.abs(root) > constant * np.exp(-1.2 * rate * r))
    assert rate > 0.97 * largest_rate(overlap, r)
    monkeypatch.setattr(
        orthogonalisation, "bound", lambda s, eta: (constant, np.full(s.atoms, np.inf), np.inf)
    )
    monkeypatch.setattr(orthogonalisation, "largest_rate", lambda *_: rate)
    monkeypatch.setattr(orthogonalisation, "SHARES", (1.0,))
    assert violations(orthogonalisation.checks(case)) == []
    monkeypatch.setattr(orthogonalisation, "SHARES", (1.2,))
    assert violations(orthogonalisation.checks(case)) != []


@pytest.mark.parametrize("degree", [1, 2])
def test_half_of_the_best_bound_of_orthogonalised_terms_passes(monkeypatch, degree) -> None:
    # Spread enough for S − 1 to have norm below one, so that the walks bound something.
    found = expansion(loewdin(2, 9, spacing=1.9, decay=1.2), degree)
    limits = OrthogonalisedExpansion(found)
    assert limits.overlap_norms[0] < 1.0
    checks = orthogonalised_body_order.expansion_checks(found)
    assert violations(checks) == []
    worst = {check.quantity: check.worst for check in checks}
    true = OrthogonalisedExpansion.bound
    factor = 0.5 * max(worst.values())
    monkeypatch.setattr(
        OrthogonalisedExpansion, "bound", lambda self, *args: factor * true(self, *args)
    )
    assert violations(orthogonalised_body_order.expansion_checks(found)) != []


def test_closed_forms_are_below_the_walks_they_bound() -> None:
    found = expansion(loewdin(1, 8, spacing=1.8, decay=1.0), 2)
    limits = OrthogonalisedExpansion(found)
    for chosen, value in found.contributions("G", 0):
        if chosen:
            walks = limits.walk_bound(0, chosen)
            closed = limits.dilute_bound(len(chosen))
            assert value <= walks <= closed * (1.0 + 1e-9) + limits.rounding(len(chosen))


@pytest.mark.parametrize("n", [1, 3, 5, 7])
def test_closed_form_leaves_terms_out(n) -> None:
    """(a) once more from the power series of (b/(1 − zs))^j: powers of z from n − 2j + 1 on."""
    limits = OrthogonalisedExpansion(expansion(loewdin(1, 8, spacing=1.8, decay=1.0), 2))
    s, b = float(limits.overlap_norms[0]), float(limits.norms[0])
    total = 0.0
    for j, a in enumerate(limits.coefficients[1:], start=1):
        series = np.ones(1)
        for _ in range(j):
            series = np.convolve(series, s ** np.arange(600))[:600]
        total += a * b**j * float(np.sum(series[max(n - 2 * j + 1, 0) :]))
    assert s < 0.9  # the series has ended
    assert np.isclose(limits.dilute_bound(n), total, rtol=1e-9)


def test_a_zero_bound_is_taken_for_orthogonalised_terms() -> None:
    """From n = 2N on they vanish for orthonormal orbitals only: with Löwdin they are resolved."""
    found = expansion(loewdin(1, 8, spacing=1.4, decay=0.8), 1)
    limits = OrthogonalisedExpansion(found)
    beyond = [(len(c), v) for c, v in found.contributions("G", 0) if len(c) >= 2]
    assert max(v / limits.rounding(n) for n, v in beyond) > 1e4


@given(st.floats(0.05, 0.9), st.floats(1.0, 3.0), st.sampled_from((0.5, 1.0)))
def test_chebyshev_coefficients_do_not_sum_to_the_function(low, high, power) -> None:
    ends = (low, high)
    coefficients = absolute_coefficients(power, ends)
    t = np.linspace(-1.0, 1.0, 7)
    x = 0.5 * (low + high) + 0.5 * (high - low) * t
    signs = (-1.0) ** np.arange(len(coefficients))
    value = np.polynomial.chebyshev.chebval(t, signs * coefficients)
    assert np.allclose(value, x**-power, rtol=1e-11)


def test_onsite_systems_are_orthogonalised() -> None:
    case = random_system(Recipe(atoms=5, beta=3.0))
    assert not satisfied(orthogonalisation.hypotheses(case))
    assert not satisfied(orthogonalised_body_order.hypotheses(case))
    with pytest.raises(TypeError, match="no overlap matrix"):
        orthogonalisation.bound(case, 0.1)
