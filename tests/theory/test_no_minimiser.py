"""Lemma 3 promises a minimiser for any potential functions; with incomplete ones there may be none.

Two atoms, one orbital each, hopping +1 from the kinetic energy, site projectors as W, and a bond
potential V_12 = −2 that no v̂ can represent: the energy falls towards 0 as v̂ → ±∞ and is nowhere
below. The library must say so and not return a far-out v̂ as if it were an equilibrium.
"""

import numpy as np
import pytest

from scc.configuration import Configuration
from scc.equilibration.equilibrate import equilibrate
from scc.functional.energy import EnergyFunctional
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical


class TwoOrbitals:
    """H = σ_x + diag(v̂_1, v̂_2), D = 2F(H), E[D] = ⟨V, D⟩ with V = −2σ_x."""

    configuration = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    atom_of_orbital = np.array([0, 1])
    feature_shape = (2, 1)
    diagonal = complete = False
    neutral_electrons = 2.0
    nuclear_charges = np.ones(2)
    free_hamiltonian = np.array([[0.0, 1.0], [1.0, 0.0]])

    @property
    def electrostatics(self):
        return (BondPotential(),)

    def feature_matrix(self, features):
        return np.diag(features[:, 0])

    def feature_contract(self, matrix):
        return np.diagonal(matrix)[:, None].copy()

    def extract(self, matrix):
        return matrix

    embed = extract

    def repulsion_energies(self):
        return np.zeros(2)

    def initial_density(self):
        return np.eye(2)


class BondPotential:
    """A linear density term."""

    convex = True
    matrix_elements = np.array([[0.0, -2.0], [-2.0, 0.0]])

    def energy(self, density):
        return float(np.vdot(self.matrix_elements, density))

    def potential(self, density):
        return self.matrix_elements.copy()

    def kernel(self, density, direction):
        return np.zeros_like(direction)

    def site_energies(self, density):
        return None


ENSEMBLES = [GrandCanonical(0.0), Canonical(2.0)]


@pytest.mark.parametrize("ensemble", ENSEMBLES, ids=["grand-canonical", "canonical"])
@pytest.mark.parametrize("beta", [20.0, np.inf])
def test_energy_falls_towards_an_infimum_that_no_features_attain(beta, ensemble) -> None:
    functional = EnergyFunctional(BoundTightBinding(TwoOrbitals()), beta=beta, ensemble=ensemble)

    def energy(size: float) -> float:
        return functional.evaluate(np.array([[size], [-size]])).energy

    values = [energy(size) for size in (0.0, 1.0, 3.0, 10.0, 100.0, 1e4)]
    exact = [2.0 / np.sqrt(1.0 + size**2) for size in (0.0, 1.0, 3.0, 10.0, 100.0, 1e4)]
    # Entropy and F(±1) ≠ 0, 1 at β = 20 change what is exact at β = ∞ by a few e^{−20}.
    assert np.allclose(values, exact, rtol=1e-6, atol=1e-11)
    assert np.all(np.diff(values) < 0.0)
    # A common shift moves the electron number (or nothing): it does not lower the energy below 0.
    rng = np.random.default_rng(0)
    for features in rng.normal(scale=5.0, size=(200, 2, 1)):
        level = np.linalg.eigvalsh(functional.model.hamiltonian(features))
        if isinstance(ensemble, Canonical) or level[0] < -0.5 < 0.5 < level[1]:
            assert functional.evaluate(features).energy > 0.0


def test_equilibration_does_not_claim_a_minimiser() -> None:
    functional = EnergyFunctional(
        BoundTightBinding(TwoOrbitals()), beta=20.0, ensemble=Canonical(2.0)
    )
    for start in ([[0.3], [-0.2]], [[1.0], [0.0]], [[0.0], [0.0]]):
        result = equilibrate(functional, features=np.array(start), max_builds=100)
        # T = 0 at v̂_1 = v̂_2 only, the maximum of the energy: a critical point, not stable.
        assert not result.converged
