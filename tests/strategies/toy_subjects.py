"""A transparent subject that has every property, and one broken version of it for each.

Charge flows along bonds, driven by differences of φ = χ + v, v = Jq the potential of the charges:

    q = −L(r) φ,   L the graph Laplacian of conductances c(r) = c₀ e^{1 − 1/(1 − (r/r_c)²)},

so q = −(1 + LJ)⁻¹ L χ and, with E stationary in q, E = ½ χ·q + Σ pairs. All of it is written for
complex positions: derivatives are by complex step, exact to rounding, and share nothing with scc.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from scc.battery.subject import Extremes

STEP = 1e-30
CHI = {"H": 0.1, "O": -0.25, "Na": 0.1, "Cl": -0.25}
CUTOFF = 6.0


@dataclass
class ToySolution:
    subject: "Toy"
    configuration: object
    iterations: int
    branch: float = 1.0
    shift: float = 0.0
    converged: bool = True

    @property
    def energy(self):
        return self.subject.energy(self.configuration.positions, self._chi(), self.branch)

    @property
    def forces(self):
        gradient = derivative(
            lambda r: self.subject.energy(r, self._chi(), self.branch), self.configuration.positions
        )
        return -gradient

    @property
    def charges(self):
        return self.subject.charges(self.configuration.positions, self._chi())

    def _chi(self):
        return self.subject.chi(self.configuration) + self.shift


class Toy:
    """The subject with every property."""

    name = "toy"
    elements = frozenset(CHI)
    accuracy = energy_accuracy = 1e-10
    largest = 60
    total_charge = 0.0
    conductance = 0.5

    # What follows from positions (M, 3), real or complex.

    def chi(self, configuration):
        return np.array([CHI[symbol] for symbol in configuration.species])

    def laplacian(self, positions):
        r = distances(positions)
        inside = np.where(r.real < CUTOFF, r / CUTOFF, 0.0)
        weights = self.conductance * np.exp(1.0 - 1.0 / (1.0 - inside**2)) * (r.real < CUTOFF)
        weights = weights * (1.0 - np.eye(len(r)))
        return np.diag(weights.sum(axis=1)) - weights

    def charges(self, positions, chi):
        laplacian, interaction = self.laplacian(positions), coulomb(positions)
        return -np.linalg.solve(np.eye(len(chi)) + laplacian @ interaction, laplacian @ chi)

    def pair_energies(self, positions):
        """Half of the repulsion for each atom of a pair, (M,)."""
        return 0.5 * off_diagonal(np.exp(-distances(positions))).sum(axis=1)

    def energy(self, positions, chi, branch):
        flow = 0.5 * (chi * self.charges(positions, chi)).sum()
        return flow + self.pair_energies(positions).sum()

    # Local functions of (r, v).

    def local_density(self, positions, chi, v):
        return -self.laplacian(positions) @ (chi + v)

    def local_energies(self, positions, chi, v):
        laplacian, w = self.laplacian(positions), chi + v
        flow = -0.25 * laplacian * (w[:, None] - w[None, :]) ** 2
        return flow.sum(axis=1) + self.pair_energies(positions)

    # The contract.

    def solve(self, configuration, initial=None):
        self.chi(configuration)
        branch = self.branch(configuration, initial)
        return ToySolution(self, configuration, self.steps(configuration), branch)

    def branch(self, configuration, initial):
        return 1.0

    def steps(self, configuration):
        return 10

    def solve_shifted(self, configuration, shift):
        solved = self.solve(configuration)
        solved.shift = shift
        return solved

    def stability(self, solved):
        positions = solved.configuration.positions
        matrix = np.eye(len(positions)) + self.laplacian(positions) @ coulomb(positions)
        values = np.linalg.eigvals(matrix)
        return Extremes(values.real.min(), np.abs(values).max(), "1 + LJ")

    def charge_response(self, solved, displacement):
        chi = self.chi(solved.configuration)
        return along(lambda r: self.charges(r, chi), solved.configuration.positions, displacement)

    def local(self, solved):
        return ToyDerivatives(self, solved)


class ToyDerivatives:
    def __init__(self, toy, solved):
        self.r = solved.configuration.positions
        self.chi = toy.chi(solved.configuration)
        self.v = coulomb(self.r) @ solved.charges
        self.toy = toy

    def feature_directions(self, atom):
        return [np.eye(len(self.r))[atom]]

    def energies_by_positions(self, displacement):
        return along(lambda r: self.toy.local_energies(r, self.chi, self.v), self.r, displacement)

    def energies_by_features(self, direction):
        return along(lambda v: self.toy.local_energies(self.r, self.chi, v), self.v, direction)

    def densities_by_positions(self, displacement):
        return along(lambda r: self.toy.local_density(r, self.chi, self.v), self.r, displacement)

    def densities_by_features(self, direction):
        return along(lambda v: self.toy.local_density(self.r, self.chi, v), self.v, direction)


# One broken version for each property.


class NonLocalEnergy(Toy):
    """A site energy that reads 1/r of everybody."""

    def pair_energies(self, positions):
        tail = 1e-3 * off_diagonal(1.0 / distances(positions)).sum(axis=1)
        return super().pair_energies(positions) + tail


class NonLocalDensity(Toy):
    """Charge that flows between any two atoms, however far."""

    def laplacian(self, positions):
        weights = 0.1 * off_diagonal(1.0 / distances(positions) ** 2)
        return np.diag(weights.sum(axis=1)) - weights


class Equalised(Toy):
    """Charge equilibration: one electronegativity for all, at any distance."""

    hardness = 0.6

    def charges(self, positions, chi):
        atoms = len(chi)
        matrix = np.zeros((atoms + 1, atoms + 1), dtype=np.asarray(positions).dtype)
        matrix[:atoms, :atoms] = coulomb(positions) + self.hardness * np.eye(atoms)
        matrix[:atoms, atoms] = matrix[atoms, :atoms] = 1.0
        return np.linalg.solve(matrix, np.append(-chi, 0.0))[:atoms]


class Unstable(Toy):
    """Charge that flows uphill."""

    conductance = -3.0


class Sloshing(Toy):
    """As many iterations as a long metal takes."""

    def steps(self, configuration):
        return 10 + len(configuration)


class Diverging(Toy):
    """No solution for large systems."""

    def solve(self, configuration, initial=None):
        solved = super().solve(configuration, initial)
        solved.converged = len(configuration) < 40
        return solved


class WrongForce(Toy):
    """Forces a thousandth too large."""

    def solve(self, configuration, initial=None):
        return _WrongForce(self, configuration, 10)


class _WrongForce(ToySolution):
    @property
    def forces(self):
        return 1.001 * super().forces


class LeakingCharge(Toy):
    """A part in a million of the charge is lost, where there is any."""

    def charges(self, positions, chi):
        q = super().charges(positions, chi)
        return q + 1e-6 * np.abs(q.real)


class Anisotropic(Toy):
    """An energy that knows where x is."""

    def pair_energies(self, positions):
        x = positions[:, 0]
        stretched = 1e-6 * (x[:, None] - x[None, :]) ** 2 * np.exp(-distances(positions))
        return super().pair_energies(positions) + off_diagonal(stretched).sum(axis=1)


class Pinned(Toy):
    """An energy that knows where the origin is."""

    def pair_energies(self, positions):
        return super().pair_energies(positions) + 1e-8 * (positions**2).sum(axis=1)


class Numbered(Toy):
    """The first atom is special."""

    def pair_energies(self, positions):
        energies = super().pair_energies(positions)
        weights = np.ones(len(positions))
        weights[0] += 1e-6
        return weights * energies


class GaugeBreaking(Toy):
    """Charges that read φ itself, not only differences: a shift moves them, and they leak."""

    def laplacian(self, positions):
        return super().laplacian(positions) + 1e-6 * np.eye(len(positions))


class HardCutoff(Toy):
    """A pair interaction that ends abruptly at 9 bohr, where it is 1e-5 Hartree."""

    def pair_energies(self, positions):
        r = distances(positions)
        pair = off_diagonal(np.where(r.real < 9.0, 1e-5 * (9.0 / r), 0.0))
        return super().pair_energies(positions) + pair.sum(axis=1)


class KinkedForce(Toy):
    """A pair energy that is continuous at 9 bohr, its slope is not."""

    def pair_energies(self, positions):
        r = distances(positions)
        pair = off_diagonal(np.where(r.real < 9.0, 1e-3 * (9.0 - r), 0.0))
        return super().pair_energies(positions) + pair.sum(axis=1)


class TwoBranches(Toy):
    """Two solutions; the iteration stays on the one it starts on."""

    def energy(self, positions, chi, branch):
        return super().energy(positions, chi, branch) + 1e-3 * branch

    def branch(self, configuration, initial):
        if initial is None:
            return 1.0
        if isinstance(initial, np.random.Generator):
            return float(initial.choice([-1.0, 1.0]))
        return initial.branch


class Hysteretic(TwoBranches):
    """The second solution is lost far out, the first near in; in between the last one is kept."""

    def branch(self, configuration, initial):
        extent = configuration.distances().max()
        if extent < 12.0 or initial is None:
            return 1.0
        if extent > 14.0:
            return 1.0 if not isinstance(initial, ToySolution) else -1.0
        return super().branch(configuration, initial)


# Mathematics for real and complex arguments.


def distances(positions):
    """r_ℓk, 1 on the diagonal, analytic in the positions."""
    difference = positions[:, None, :] - positions[None, :, :]
    return np.sqrt((difference**2).sum(axis=-1) + np.eye(len(positions)))


def off_diagonal(matrix):
    return matrix * (1.0 - np.eye(len(matrix)))


def coulomb(positions):
    """erf(r/2)/r, the potential of Gaussians of unit width for each other; J_ℓℓ = 1/√π."""
    r = distances(positions)
    return off_diagonal(erf(r / 2.0) / r) + np.eye(len(r)) / np.sqrt(np.pi)


def along(function, place, direction):
    """dF along a direction, by complex step."""
    return np.asarray(function(place + 1j * STEP * direction)).imag / STEP


def derivative(function, place):
    """∂F/∂x for a scalar F, the shape of x."""
    units = np.eye(place.size).reshape(place.size, *place.shape)
    return np.array([along(function, place, unit) for unit in units]).reshape(place.shape)
