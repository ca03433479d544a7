"""A Hamiltonian assembly made of random analytic functions of r: every path a model may use.

The on-site model exercises the diagonal half of the spectral calculus only. Here features have
full matrices W_mc(r), the density is a matrix D = X(r) P X(r)ᵀ that moves with the atoms, there is
a pair repulsion, and all r-derivatives are taken by complex step (exact to rounding).
"""

from functools import cached_property

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration

ORBITALS_PER_ATOM = 2


def _complex_step(function, positions, displacement):
    return function(positions + 1e-30j * displacement).imag / 1e-30


class SyntheticAssembly:
    """HamiltonianAssembly with ``features_per_atom`` random W_mc on two orbitals an atom."""

    diagonal = False
    complete = False

    def __init__(self, configuration: Configuration, seed: int, features_per_atom: int = 2) -> None:
        self.configuration = configuration
        atoms = len(configuration)
        n = ORBITALS_PER_ATOM * atoms
        self.atom_of_orbital = np.repeat(np.arange(atoms), ORBITALS_PER_ATOM)
        self.feature_shape = (atoms, features_per_atom)
        rng = np.random.default_rng(seed)
        self._levels = rng.uniform(-1.0, 1.0, n)
        self._hopping = _symmetric(rng.normal(size=(n, n)))
        self._coupling = _symmetric(rng.normal(size=(features_per_atom, n, n)))
        self._mixing = 0.2 * rng.normal(size=(n, n))
        self.nuclear_charges = rng.uniform(0.5, 1.5, atoms)
        self.neutral_electrons = float(2 * atoms)
        self.seed = seed

    @property
    def electrostatics(self):
        return (QuadraticTerm(self.configuration, self.seed), SineTerm(self.configuration))

    def dipole_potentials(self) -> FloatArray:
        """x, y, z on the diagonal at the atoms."""
        return np.array([np.diag(x) for x in self.configuration.positions[self.atom_of_orbital].T])

    def dipole_potentials_perturb(self, displacement: FloatArray) -> FloatArray:
        return np.array([np.diag(x) for x in displacement[self.atom_of_orbital].T])

    # -- functions of (possibly complex) positions ---------------------------------------------

    def _squares(self, r):
        R = r[self.atom_of_orbital]
        return np.sum((R[:, None] - R[None, :]) ** 2, axis=-1)

    def _free(self, r):
        return np.diag(self._levels) + self._hopping * np.exp(-self._squares(r) / 4.0)

    def _w(self, r):
        """(M, c, n, n)."""
        towards = r[self.atom_of_orbital][None] - r[:, None]  # (M, n, 3)
        near = np.exp(-np.sum(towards**2, axis=-1) / 3.0)
        pair = near[:, :, None] * near[:, None, :]
        pair = pair * (1.0 + 0.3 * np.einsum("max,mbx->mab", towards, towards))
        return self._coupling[None] * pair[:, None]

    def _x(self, r):
        return np.eye(len(self._levels)) + self._mixing * np.exp(-self._squares(r) / 3.0)

    def _repulsion(self, r):
        squares = np.sum((r[:, None] - r[None, :]) ** 2, axis=-1)
        return 0.5 * (np.sum(np.exp(-squares), axis=1) - 1.0)

    def _along(self, function, displacement):
        return _complex_step(function, self.configuration.positions, displacement)

    def _all(self, function):
        """Derivatives with respect to every coordinate, leading axes (M, 3)."""
        shape = self.configuration.positions.shape
        units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
        values = np.array([self._along(function, unit) for unit in units])
        return values.reshape(*shape, *values.shape[1:])

    # -- the contract --------------------------------------------------------------------------

    @cached_property
    def free_hamiltonian(self) -> FloatArray:
        return self._free(self.configuration.positions)

    @cached_property
    def w(self) -> FloatArray:
        return self._w(self.configuration.positions)

    @cached_property
    def x(self) -> FloatArray:
        return self._x(self.configuration.positions)

    def initial_density(self) -> FloatArray:
        return self.extract(np.eye(len(self._levels)))

    def feature_matrix(self, features):
        return np.einsum("mc,mcab->ab", features, self.w)

    def feature_contract(self, matrix):
        return np.einsum("ab,mcab->mc", matrix, self.w)

    def feature_position_jvp(self, matrix, displacement):
        return np.einsum("ab,mcab->mc", matrix, self._along(self._w, displacement))

    def hamiltonian_perturb(self, displacement, features):
        dw = self._along(self._w, displacement)
        return self._along(self._free, displacement), np.einsum("mc,mcab->ab", features, dw)

    def hamiltonian_contract(self, free, potential, features):
        moved = np.einsum("ab,lxab->lx", free, self._all(self._free))
        return moved + np.einsum("ab,mc,lxmcab->lx", potential, features, self._all(self._w))

    def extract(self, matrix):
        return self.x @ matrix @ self.x.T

    def embed(self, potential):
        return self.x.T @ potential @ self.x

    def extract_perturb(self, matrix, displacement):
        half = self._along(self._x, displacement) @ matrix @ self.x.T
        return half + half.T

    def embed_perturb(self, potential, displacement):
        half = self._along(self._x, displacement).T @ potential @ self.x
        return half + half.T

    def extract_contract(self, matrix, potential):
        dx = self._all(self._x)
        return 2.0 * np.einsum("ab,lxac,cd,bd->lx", potential, dx, matrix, self.x)

    def repulsion_energies(self):
        return self._repulsion(self.configuration.positions)

    def repulsion_jvp(self, displacement):
        return self._along(self._repulsion, displacement)

    def repulsion_contract(self, weights):
        return self._all(self._repulsion) @ weights


def _symmetric(matrix):
    return 0.5 * (matrix + np.swapaxes(matrix, -1, -2))


class QuadraticTerm:
    """E(D) = ½ Σ_s w_s(r) ⟨M_s, D⟩² − Σ_s w_s(r) ⟨M_s, D⟩, w_s = e^{−|r_s − r_0|²/9}: convex."""

    convex = True

    def __init__(self, configuration: Configuration, seed: int) -> None:
        self.positions = configuration.positions
        atoms = len(configuration)
        n = ORBITALS_PER_ATOM * atoms
        rng = np.random.default_rng([seed, 1])
        self.matrices = _symmetric(rng.normal(size=(atoms, n, n))) / n

    def _weights(self, r):
        return 0.5 + np.exp(-np.sum((r - r[0]) ** 2, axis=1) / 9.0)

    def _moments(self, density):
        return np.einsum("sab,ab->s", self.matrices, density)

    def energy(self, density):
        moments = self._moments(density)
        return float(self._weights(self.positions) @ (0.5 * moments**2 - moments))

    def potential(self, density):
        slopes = self._weights(self.positions) * (self._moments(density) - 1.0)
        return np.einsum("s,sab->ab", slopes, self.matrices)

    def kernel(self, density, direction):
        slopes = self._weights(self.positions) * self._moments(direction)
        return np.einsum("s,sab->ab", slopes, self.matrices)

    def position_gradient(self, density):
        moments = self._moments(density)
        shape = self.positions.shape
        units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
        slopes = [_complex_step(self._weights, self.positions, unit) for unit in units]
        return (np.array(slopes) @ (0.5 * moments**2 - moments)).reshape(shape)

    def potential_position_jvp(self, density, displacement):
        slopes = _complex_step(self._weights, self.positions, displacement)
        return np.einsum("s,sab->ab", slopes * (self._moments(density) - 1.0), self.matrices)

    def site_energies(self, density):
        return None


class SineTerm:
    """e_ℓ = c_ℓ(r) sin(Σ_{a∈ℓ} D_aa) with c_ℓ = 0.2 + 0.1 e^{−|r_ℓ − r_0|²/4}: local."""

    convex = False

    def __init__(self, configuration: Configuration) -> None:
        self.positions = configuration.positions
        self.atom_of_orbital = np.repeat(np.arange(len(configuration)), ORBITALS_PER_ATOM)

    def _c(self, r):
        return 0.2 + 0.1 * np.exp(-np.sum((r - r[0]) ** 2, axis=1) / 4.0)

    def _on_sites(self, density):
        return np.bincount(self.atom_of_orbital, weights=np.diagonal(density))

    def _spread(self, values):
        return np.diag(values[self.atom_of_orbital])

    def energy(self, density):
        return float(np.sum(self.site_energies(density)))

    def site_energies(self, density):
        return self._c(self.positions) * np.sin(self._on_sites(density))

    def site_energies_jvp(self, density, direction):
        slope = self._c(self.positions) * np.cos(self._on_sites(density))
        return slope * self._on_sites(direction)

    def site_potential(self, density, weights):
        return self._spread(weights * self._c(self.positions) * np.cos(self._on_sites(density)))

    def potential(self, density):
        return self.site_potential(density, np.ones(len(self.positions)))

    def kernel(self, density, direction):
        curvature = -self._c(self.positions) * np.sin(self._on_sites(density))
        return self._spread(curvature * self._on_sites(direction))

    def site_position_jvp(self, density, displacement):
        slope = _complex_step(self._c, self.positions, displacement)
        return slope * np.sin(self._on_sites(density))

    def site_position_contract(self, density, weights):
        shape = self.positions.shape
        units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
        slopes = [self.site_position_jvp(density, unit) @ weights for unit in units]
        return np.array(slopes).reshape(shape)

    def position_gradient(self, density):
        return self.site_position_contract(density, np.ones(len(self.positions)))

    def potential_position_jvp(self, density, displacement):
        slope = _complex_step(self._c, self.positions, displacement)
        return self._spread(slope * np.cos(self._on_sites(density)))
