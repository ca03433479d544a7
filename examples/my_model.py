"""A self-consistent model of one's own, and what `scc check` says about it.

    scc check examples/my_model.py:MyModel      # fails what charge equilibration cannot have
    scc check examples/my_model.py:abrupt       # and smoothness, its cut-off being abrupt

E(r, q) = Σ_ℓ [χ_ℓ(r) q_ℓ + ½ U q_ℓ²] + ½ Σ_ℓk q_ℓ J_ℓk q_k, minimal at Σ q = 0: CENT, eq. (1.3), in
which neighbours make an atom less electronegative, χ_ℓ = χ_Z + A Σ_k f(r_ℓk). Numbers are made up.
"""

import numpy as np

from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.errors import InputError
from scc.models.charge_state import QuadraticCharges

CHI, U, A, WIDTH, CUTOFF = (
    {"H": 0.15, "O": 0.35},
    0.6,
    -0.02,
    1.2,
    7.0,
)  # Hartree/e, Hartree/e², bohr


class Environment:
    """χ_ℓ(r), its change along a displacement, and the gradient of Σ a_ℓ χ_ℓ."""

    def __init__(self, configuration, smooth):
        r = configuration.distances() + CUTOFF * np.eye(len(configuration))  # itself: outside
        inside, x = r < CUTOFF, r / CUTOFF
        shape = (1.0 - x**2) ** 3 if smooth else np.exp(-x)
        slope = -6.0 * x * (1.0 - x**2) ** 2 / CUTOFF if smooth else -np.exp(-x) / CUTOFF
        towards = configuration.displacements() / r[:, :, None]  # from ℓ to k
        chi = np.array([CHI[symbol] for symbol in configuration.species])
        self.values = chi + A * np.sum(shape * inside, axis=1)
        self.slopes = A * (slope * inside)[:, :, None] * towards

    def jvp(self, displacement):
        return np.einsum("lkx,lkx->l", self.slopes, displacement[None] - displacement[:, None])

    def vjp(self, weights):
        return np.einsum("lk,lkx->kx", weights[:, None] + weights[None], self.slopes)


class Bound:
    affine = True  # E is quadratic in q: one linear equation

    def __init__(self, configuration, smooth):
        self.configuration, self.feature_shape = configuration, (len(configuration),)
        self.environment = Environment(configuration, smooth)
        self.electrostatics = (MultipoleCoulomb(configuration, WIDTH),)
        self.curvature = np.full(len(configuration), U)

    def evaluate(self, charges):
        return QuadraticCharges(charges, self.environment, self.curvature)


class MyModel:
    name = "my model"

    def __init__(self, smooth=True):
        self.smooth = smooth

    def prepare(self, configuration):
        if unknown := set(configuration.species) - set(CHI):
            raise InputError(f"my model has no {sorted(unknown)[0]}")
        return Bound(configuration, self.smooth)


def abrupt():
    return MyModel(smooth=False)
