"""Growth with M: the identities behind remark 11 hold where the random systems do not look."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.claims._growth_systems import Calibrated, Cluster, common_polynomial, growth_power
from scc.configuration import Configuration, chain
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.errors import ConvergenceError
from scc.theory import _capacity, _remark_11_bounds, remark_11
from scc.theory.random_systems import Recipe, random_system

CHAIN = {"dimension": 1, "gap": 2.0, "hopping": 1.0, "decay": 1.0, "beta": "inf", "margin": 0.02}
SQUARE = {"dimension": 2, "gap": 1.0, "hopping": 0.1, "decay": 4.0, "beta": "inf", "margin": 0.05}
SALT = {"dimension": 3, "gap": 1.0, "hopping": 0.05, "decay": 4.0, "beta": "inf", "margin": 0.05}


def _pair(family, lengths, degree):
    clusters = [Cluster(family, n) for n in lengths]
    return clusters, *common_polynomial(clusters, degree, 0.4)


@pytest.mark.parametrize(
    ("family", "lengths", "degree"), [(CHAIN, (20, 60), 20), (SALT, (4, 6), 16)]
)
def test_no_insulator_falls_below_its_charge_over_the_capacity(family, lengths, degree) -> None:
    """The equality eᵀw = Q, which the lower bound is made of, in the full solution too."""
    clusters, polynomial, exact = _pair(family, lengths, degree)
    for cluster in clusters:
        w = cluster.solution(exact, polynomial, neutral=False)
        levels, orbitals = np.linalg.eigh(cluster.hamiltonian + np.diag(w))
        difference = polynomial.occupation(levels) - exact.occupation(levels)
        charge = float(np.sum(2.0 * (orbitals**2) @ difference))
        # Newton stops at 1e-9 of w.
        e = np.linalg.solve(cluster.kernel, np.ones(cluster.atoms))
        assert e @ w == pytest.approx(charge, rel=1e-6)
        flown = np.linalg.solve(cluster.kernel, w)
        assert 0.0 < _remark_11_bounds.floor(cluster.kernel, charge, flown) <= np.max(np.abs(w))


@pytest.mark.parametrize(("family", "length"), [(CHAIN, 60), (SQUARE, 16), (SALT, 8)])
def test_the_weight_of_the_lower_bound_is_a_charge_of_one_sign(family, length) -> None:
    """With the largest α, so that ‖e‖₁ is below the capacity and grows as that of a conductor."""
    kernel = Cluster(family, length).kernel
    hardened = kernel + _remark_11_bounds._HARDNESSES[-1] * kernel[0, 0] * np.eye(len(kernel))
    assert np.all(np.linalg.solve(hardened, np.ones(len(kernel))) > 0.0)


def test_newton_and_the_chord_iteration_of_the_proof_agree() -> None:
    (cluster,), polynomial, exact = _pair(CHAIN, (40,), 20)
    newton = cluster.solution(exact, polynomial, neutral=False)
    respond = cluster.density_response(exact)
    reference, w = cluster.populations(exact.occupation), np.zeros(cluster.atoms)
    for _ in range(60):
        levels, orbitals = np.linalg.eigh(cluster.hamiltonian + np.diag(w))
        change = 2.0 * (orbitals**2) @ polynomial.occupation(levels) - reference
        (w,) = cluster.screened(exact, [change - respond(w)])
    assert np.allclose(w, newton, rtol=0.0, atol=1e-7 * np.max(np.abs(newton)))


def test_a_difference_beyond_the_margin_is_not_called_a_solution() -> None:
    (cluster,), polynomial, exact = _pair(CHAIN | {"margin": 1e-4}, (40,), 8)
    with pytest.raises(ConvergenceError, match="no solution of the polynomial model"):
        cluster.solution(exact, polynomial, neutral=False)


def test_calibration_leaves_the_same_charge_on_clusters_it_never_saw() -> None:
    """Ends of the chain only; the plain charge grows by σ an atom."""
    clusters, polynomial, exact = _pair(CHAIN, (20, 40, 80, 120), 16)
    calibrated = Calibrated(polynomial, exact, clusters[:2])

    def charge(model, cluster):
        return 2.0 * float(
            np.sum(model.occupation(cluster.levels) - exact.occupation(cluster.levels))
        )

    left = [charge(calibrated, c) for c in clusters]
    plain = [charge(polynomial, c) for c in clusters]
    # F_N of degree 15 reaches 15 hops of up to three neighbours; what longer chains of hops add
    # falls exponentially.
    assert np.ptp(left) < 1e-3 * np.ptp(plain)


@pytest.mark.parametrize("power", [0.0, 0.5, 2.0 / 3.0, -0.5])
def test_growth_exponents_survive_an_offset(power) -> None:
    sizes = np.geomspace(20.0, 2000.0, 7)
    shape = np.log(sizes) if power == 0.0 else sizes**power
    assert growth_power(sizes, 3.0 - 0.7 * shape) == pytest.approx(power, abs=0.006)


@settings(max_examples=30)
@given(s=st.floats(1e-2, 1e3), curvature=st.floats(1e-3, 1e4), share=st.floats(1e-9, 1.0))
def test_radius_is_the_smaller_root_and_below_four_s_eta(s, curvature, share) -> None:
    eta = share / (8.0 * s**2 * curvature)
    r = _remark_11_bounds.radius(s, curvature, eta)
    assert s * (2.0 * eta + curvature * r**2) == pytest.approx(r, rel=1e-7)
    assert 2.0 * s * eta <= r <= 4.0 * s * eta * (1.0 + 1e-12)
    assert math.isinf(_remark_11_bounds.radius(s, curvature, 1.001 * eta / share))


def test_row_sums_of_a_lattice_stay_below_the_packing_bound() -> None:
    for atoms in (2, 50, 400):
        J = GaussianChargeCoulomb(chain(atoms, 1.1), 0.5, 1.0).matrix
        largest = float(np.max(np.sum(J, axis=1)))
        assert largest <= _remark_11_bounds.row_sum_bound(atoms, 1.1, 1, J[0, 0])


def test_capacity_of_a_sphere_of_charges_is_that_of_the_sphere() -> None:
    """Cap lies below its bound, and not far: a shell of 400 Gaussians is nearly a conductor."""
    k = np.arange(400) + 0.5
    polar, azimuth = np.arccos(1.0 - 2.0 * k / 400), np.pi * (1.0 + 5.0**0.5) * k
    shell = 8.0 * np.stack(
        [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=1
    )
    J = GaussianChargeCoulomb(Configuration(("H",) * 400, shell), 0.5, 1.0).matrix
    found = float(np.sum(np.linalg.solve(J, np.ones(400))))
    limit = _capacity.capacity_bound(shell, 0.5, float(np.linalg.eigvalsh(J)[0]))
    assert 7.0 < found <= 8.5
    assert found <= limit <= 1.6 * found


def test_a_system_without_electrons_is_outside_the_hypotheses() -> None:
    system = random_system(Recipe(atoms=6, seed=3))
    assert remark_11.hypotheses(system)["levels on both sides of mu"] is True
    empty = replace(system, mu=float(system.levels[0]) - 1.0)
    assert remark_11.hypotheses(empty)["levels on both sides of mu"] is False
