"""A toy local model for the projection closure: flowing charges, polarisable dipoles.

With g_ij = e^{−|r_ij|²/2s²}, smooth in all positions, and v̂_i00, v̂_i1 of the first probe,

    p_i00 = Σ_j g_ij [κ_j − κ_i + τ (v̂_j00 − v̂_i00)]                        (Σ_i p_i00 = 0)
    p_i1  = δ Σ_j g_ij (r_j − r_i) − α (1 + ½ Σ_j g_ij) v̂_i1 / √(1 + γ |v̂_i1|²)
    E_i   = ε Σ_j g_ij (1 + ω·v̂_i) + ½ η (1 + Σ_j g_ij) |v̂_i1|²

so that ρ is affine in v̂ for γ = 0. All derivatives are complex steps of these three lines, exact to
rounding and written by nobody's hand.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from hypothesis import strategies as st

from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import physical_charges
from scc.electrostatics.multipoles.projection import projection_operator
from scc.functional.projection_functional import ProjectionFunctional
from strategies.configurations import generators

_STEP = 1e-30


@dataclass(frozen=True)
class ToyModel:
    """Parameters; ``omega`` (F,)."""

    kappa: np.ndarray
    omega: np.ndarray
    tau: float = 0.1
    delta: float = 0.05
    alpha: float = 1.0
    gamma: float = 0.0
    epsilon: float = 0.2
    eta: float = 0.3
    reach: float = 3.0

    def prepare(self, configuration):
        return BoundToy(self, configuration)

    def density(self, positions, features):
        arms, g = self._pairs(positions)
        p = np.zeros((len(positions), 9), dtype=np.result_type(positions, features))
        level = self.kappa + self.tau * features[:, 0]
        p[:, 0] = np.sum(g * (level[None, :] - level[:, None]), axis=1)
        field = features[:, 1:4]
        size = np.sum(field * field, axis=1)
        push = self.alpha * (1.0 + 0.5 * g.sum(axis=1)) / np.sqrt(1.0 + self.gamma * size)
        p[:, 1:4] = self.delta * np.einsum("ij,ijc->ic", g, arms)[:, [1, 2, 0]]
        p[:, 1:4] -= push[:, None] * field
        return p

    def site_energies(self, positions, features):
        _, g = self._pairs(positions)
        near = g.sum(axis=1)
        size = np.sum(features[:, 1:4] ** 2, axis=1)
        linear = self.epsilon * near * (1.0 + features @ self.omega)
        return linear + 0.5 * self.eta * (1.0 + near) * size

    def _pairs(self, positions):
        arms = positions[None, :, :] - positions[:, None, :]
        g = np.exp(-np.sum(arms * arms, axis=2) / (2.0 * self.reach**2))
        return arms, g * (1.0 - np.eye(len(positions)))


@dataclass(frozen=True)
class BoundToy:
    model: ToyModel
    configuration: Configuration

    @property
    def affine(self):
        return self.model.gamma == 0.0

    @property
    def feature_shape(self):
        return len(self.configuration), len(self.model.omega)

    def evaluate(self, features):
        return ToyState(self.model, self.configuration.positions, np.asarray(features))


@dataclass(frozen=True)
class ToyState:
    model: ToyModel
    positions: np.ndarray
    features: np.ndarray

    @cached_property
    def density(self):
        return self.model.density(self.positions, self.features)

    @cached_property
    def site_energies(self):
        return self.model.site_energies(self.positions, self.features)

    @property
    def feature_energy(self):
        return float(self.site_energies.sum())

    @cached_property
    def _by_features(self):
        return _jacobian(lambda v: self.model.density(self.positions, v), self.features)

    @cached_property
    def _by_positions(self):
        return _jacobian(lambda r: self.model.density(r, self.features), self.positions)

    def density_jvp(self, direction):
        return (self._by_features @ direction.ravel()).reshape(self.density.shape)

    def density_vjp(self, potential):
        return (potential.ravel() @ self._by_features).reshape(self.features.shape)

    def density_position_jvp(self, displacement):
        return (self._by_positions @ displacement.ravel()).reshape(self.density.shape)

    def density_position_vjp(self, potential):
        return (potential.ravel() @ self._by_positions).reshape(self.positions.shape)

    def feature_energy_vjp(self):
        by = _jacobian(lambda v: self.model.site_energies(self.positions, v), self.features)
        return by.sum(axis=0).reshape(self.features.shape)

    def feature_energy_position_vjp(self):
        by = _jacobian(lambda r: self.model.site_energies(r, self.features), self.positions)
        return by.sum(axis=0).reshape(self.positions.shape)


def _jacobian(function, x):
    columns = []
    for unit in np.eye(x.size):
        values = function(x + 1j * _STEP * unit.reshape(x.shape))
        columns.append(values.imag.ravel() / _STEP)
    return np.array(columns).T


@dataclass(frozen=True)
class ToyCase:
    """A toy at a geometry with probes, beside an external charge."""

    model: ToyModel
    positions: np.ndarray
    width: float
    widths: tuple
    external: tuple

    def functional(self, displacement=0.0, extra=()):
        positions = self.positions + displacement
        configuration = Configuration(("X",) * len(positions), positions)
        external = (*self.external, *extra)
        operator = projection_operator(configuration, self.width, self.widths, 1, external=external)
        return ProjectionFunctional(self.model.prepare(configuration), operator)

    def stronger(self, factor):
        """The same with polarisability and charge response times ``factor``."""
        changed = replace(self.model, alpha=factor * self.model.alpha, tau=factor * self.model.tau)
        return replace(self, model=changed)


@st.composite
def toy_cases(draw, affine=None, max_atoms=6):
    """2 to ``max_atoms`` atoms 3 to 6 bohr apart, one or two probes, spectral radius 0.05 to 2."""
    number = draw(st.integers(2, max_atoms))
    n_widths = draw(st.integers(1, 2))
    linear = draw(st.booleans()) if affine is None else affine
    generator = draw(generators())
    spacing = generator.uniform(3.0, 6.0)
    places = np.stack(np.unravel_index(generator.permutation(8)[:number], (2, 2, 2)), axis=1)
    positions = spacing * (places + generator.uniform(-0.2, 0.2, size=(number, 3)))
    model = ToyModel(
        kappa=generator.normal(size=number),
        omega=0.3 * generator.normal(size=4 * n_widths),
        tau=generator.uniform(0.0, 0.3),
        alpha=float(np.exp(generator.uniform(np.log(0.3), np.log(8.0)))),
        gamma=0.0 if linear else generator.uniform(1.0, 20.0),
    )
    outside = physical_charges(np.array([[3.0 * spacing, 1.0, -2.0]]), np.array([1.0]))
    return ToyCase(
        model,
        positions,
        float(generator.uniform(0.8, 1.5)),
        tuple(generator.uniform(0.8, 2.0, size=n_widths)),
        (outside,),
    )
