"""A toy model for the direct closure in which everything depends on everything.

Variables v̂ (M, 4), a charge q and a dipole p; with g_ij = e^{−|r_ij|²/2s²} and w_i = Σ_j g_ij,

    E_i  = χ_i (1 + w_i) q_i + ½ U q_i² + ¼ κ q_i⁴ + ½ η (1 + w_i) |p_i|² + ½ ε q_i Σ_j g_ij q_j
    D_i0 = −q_i (1 + α w_i) − γ q_i³        (α ≠ 0: the number of electrons depends on positions)
    D_i1 = p_i (1 + β w_i)

First derivatives are complex steps of these lines; second ones, but for the Hessian in v̂, that
solvers want quickly, differences of order eight of complex steps (relative error some 1e-11).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from hypothesis import strategies as st

from scc.configuration import cluster
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from strategies.configurations import generators
from strategies.finite_differences import derivative

_STEP = 1e-30
_SECOND = 1e-2  # the functions are polynomials and Gaussians of size 1: h⁸ is below rounding


@dataclass(frozen=True)
class ToyDirect:
    """Parameters; ``chi`` (M,). κ = γ = 0 makes it affine, α = β = 0 local in charge."""

    chi: np.ndarray
    hardness: float = 1.5
    kappa: float = 0.0
    eta: float = 1.0
    coupling: float = 0.05
    alpha: float = 0.0
    beta: float = 0.0
    gamma: float = 0.0
    width: float = 0.8
    reach: float = 3.0

    def prepare(self, configuration):
        return BoundToyDirect(self, configuration)

    def density(self, positions, features):
        w = self._pairs(positions).sum(axis=-1)
        q = features[..., 0]
        charge = -q * (1.0 + self.alpha * w) - self.gamma * q**3
        dipole = features[..., 1:] * (1.0 + self.beta * w)[..., None]
        charge, _ = np.broadcast_arrays(charge, dipole[..., 0])
        return np.concatenate([charge[..., None], dipole], axis=-1)

    def site_energies(self, positions, features):
        g = self._pairs(positions)
        w, q = g.sum(axis=-1), features[..., 0]
        size = np.sum(features[..., 1:] ** 2, axis=-1)
        own = self.chi * (1.0 + w) * q + 0.5 * self.hardness * q**2 + 0.25 * self.kappa * q**4
        return (
            own
            + 0.5 * self.eta * (1.0 + w) * size
            + 0.5 * self.coupling * q * (g @ q[..., None])[..., 0]
        )

    def _pairs(self, positions):
        arms = positions[..., None, :, :] - positions[..., :, None, :]
        g = np.exp(-np.sum(arms * arms, axis=-1) / (2.0 * self.reach**2))
        return g * (1.0 - np.eye(positions.shape[-2]))


class BoundToyDirect:
    convex = False

    def __init__(self, model, configuration):
        self.model, self.configuration = model, configuration
        self.feature_shape = (len(configuration), 4)
        self.electrostatics = (MultipoleCoulomb(configuration, model.width, 1),)

    @property
    def affine(self):
        return self.model.kappa == 0.0 and self.model.gamma == 0.0

    def evaluate(self, features):
        return ToyDirectState(self, np.asarray(features, dtype=np.float64))


class ToyDirectState:
    def __init__(self, bound, features):
        self._model, self._r, self.features = bound.model, bound.configuration.positions, features
        self.density = self._model.density(self._r, features)

    @cached_property
    def site_energies(self):
        return self._model.site_energies(self._r, self.features)

    # First derivatives by complex steps.

    def density_jvp(self, direction):
        return self._along(self._model.density, 0.0, direction)

    def density_position_jvp(self, displacement):
        return self._along(self._model.density, displacement, 0.0)

    def site_energies_jvp(self, direction):
        return self._along(self._model.site_energies, 0.0, direction)

    def site_energies_position_jvp(self, displacement):
        return self._along(self._model.site_energies, displacement, 0.0)

    def density_vjp(self, potential):
        return self._gradient(
            lambda r, v: np.sum(self._model.density(r, v) * potential, axis=(-2, -1)), "v"
        )

    def density_position_vjp(self, potential):
        return self._gradient(
            lambda r, v: np.sum(self._model.density(r, v) * potential, axis=(-2, -1)), "r"
        )

    def feature_energy_vjp(self):
        return self._gradient(lambda r, v: np.sum(self._model.site_energies(r, v), axis=-1), "v")

    def feature_energy_position_vjp(self):
        return self._gradient(lambda r, v: np.sum(self._model.site_energies(r, v), axis=-1), "r")

    # Second derivatives: differences of the above.

    def density_second_vjp(self, direction, potential):
        result = np.zeros_like(direction)
        q = self.features[:, 0]
        result[:, 0] = -6.0 * self._model.gamma * q * direction[:, 0] * potential[:, 0]
        return result

    def density_second_position_vjp(self, displacement, potential):
        return self._difference(lambda s: s.density_vjp(potential), displacement, 0.0)

    def density_position_vjp_along(self, direction, potential):
        return self._difference(lambda s: s.density_position_vjp(potential), 0.0, direction)

    def feature_energy_second_vjp(self, direction):
        model, g = self._model, self._model._pairs(self._r)
        q, dq = self.features[:, 0], direction[:, 0]
        result = model.eta * (1.0 + g.sum(axis=1))[:, None] * direction
        result[:, 0] = (model.hardness + 3.0 * model.kappa * q**2) * dq
        result[:, 0] += model.coupling * (g @ dq)
        return result

    def feature_energy_second_position_vjp(self, displacement):
        return self._difference(lambda s: s.feature_energy_vjp(), displacement, 0.0)

    def feature_energy_position_vjp_along(self, direction):
        return self._difference(lambda s: s.feature_energy_position_vjp(), 0.0, direction)

    def _along(self, f, dr, dv):
        return np.imag(f(self._r + 1j * _STEP * dr, self.features + 1j * _STEP * dv)) / _STEP

    def _gradient(self, f, what):
        base = self._r if what == "r" else self.features
        steps = np.eye(base.size).reshape(base.size, *base.shape)  # all components in one call
        dr, dv = (steps, 0.0) if what == "r" else (0.0, steps)
        return self._along(f, dr, dv).reshape(base.shape)

    def _difference(self, f, dr, dv):
        size = max(float(np.max(np.abs(dr))), float(np.max(np.abs(dv))), 1e-300)

        def moved(t):
            state = object.__new__(ToyDirectState)
            state._model = self._model
            state._r, state.features = self._r + t / size * dr, self.features + t / size * dv
            return f(state)

        return size * derivative(moved, _SECOND)[0]


@st.composite
def toys(draw, min_atoms=2, max_atoms=4, affine=None):
    """(model, configuration): clusters of spacing 2 bohr or more, parameters of order one."""
    rng = draw(generators())
    atoms = draw(st.integers(min_atoms, max_atoms))
    configuration = cluster(atoms, 2.5, rng, dimension=3, species=["H"])
    linear = draw(st.booleans()) if affine is None else affine
    model = ToyDirect(
        0.3 * rng.normal(size=atoms),
        alpha=draw(st.sampled_from((0.0, 0.1))),
        beta=0.1,
        kappa=0.0 if linear else 0.5,
        gamma=0.0 if linear else 0.05,
    )
    return model, configuration


def with_chi(model, chi):
    """The same toy with other electronegativities: equations for another's energy."""
    return replace(model, chi=chi)
