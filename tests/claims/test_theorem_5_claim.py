"""What the measurement behind theorem-5 would not notice: another order, another sub-cluster."""

import numpy as np
import pytest

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.claims import theorem_5
from scc.claims._random_clusters import RandomCluster
from scc.claims.claim import System
from scc.claims.tasks import measure_system


def _system(model, degree, seed=0):
    return System(
        "a test",
        {"model": model, "degree": degree, "seed": seed},
        counterexample=model.startswith("loewdin"),
    )


CHEAP = [("gaussian", 1), ("gaussian", 2), ("gaussian sp", 1), ("onsite", 2), ("onsite spd", 2)]


@pytest.mark.parametrize(("model", "degree"), CHEAP)
def test_expansion_ends_elsewhere(model, degree):
    for seed in (3, 4):
        result = theorem_5.measure(_system(model, degree, seed))
        assert result.holds is True, result.measured


@pytest.mark.parametrize(("model", "degree"), CHEAP)
@pytest.mark.parametrize("shift", [-1, 1])
def test_another_body_order_holds_too(monkeypatch, model, degree, shift):
    original = theorem_5.last_order
    monkeypatch.setattr(theorem_5, "last_order", lambda *args: original(*args) + shift)
    assert theorem_5.measure(_system(model, degree)).holds is False


def test_submatrices_hold_as_well(monkeypatch):
    """Of the full H, with the three-centre terms of absent atoms in them: a two-body expansion."""
    rebuilt = RandomCluster._subcluster

    def submatrix(self, atoms):
        H, v = rebuilt(self, tuple(range(len(self.configuration))))
        rows = np.ix_(atoms, atoms)  # one orbital an atom
        return H[rows], v[rows]

    monkeypatch.setattr(RandomCluster, "_subcluster", submatrix)
    result = theorem_5.measure(_system("gaussian", 2))
    assert result.holds is False
    assert result.measured["number of atoms at which U_n has ended"] == 2


@pytest.mark.parametrize("model", ["loewdin", "loewdin dilute"])
def test_loewdin_is_of_finite_body_order(model):
    result = theorem_5.measure(_system(model, 1))
    assert result.hypotheses == {"orthonormal by assumption": False}
    assert result.holds is True  # the counterexample does what it should
    assert result.measured["max |U_n| after the end over max|P_N|"] > 1e-8


def test_linear_energies_know_their_neighbours():
    """E_1 ∝ (H − v)_ℓℓ = H⁰_ℓℓ: excluded from the least last term, zero beyond n = 0 as it must."""
    problem = RandomCluster("gaussian", 5, 0)
    fitted = PolynomialOccupation.interpolate(problem.spectral_set, 1, 5.0, problem.mu)
    energy = problem.expand(problem.site_energy(fitted), 0, 3)
    assert energy.largest[0] > 0.1
    assert np.all(energy.largest[1:] <= energy.rounding[1:])
    matrix = problem.expand(problem.matrix_element(fitted, "G", 0), 0, 3)
    assert matrix.largest[1] > 1e4 * matrix.rounding[1]


def test_figure_needs_all_systems():
    results = [
        measure_system(theorem_5.measure, _system(model, 1))
        for model in ("gaussian", "onsite", "loewdin")
    ]
    for chosen in (results, results[:1], []):
        assert len(theorem_5.draw(chosen).axes) == 4
