r"""Gaussian charges in a cell periodic in all three directions: the Ewald sum.

Definition.  Atom k and its images carry a unit Gaussian charge each, in a uniform background that
neutralises them and with surroundings that conduct (tin foil).  Their potential has zero average
over the cell, so only reciprocal vectors k ≠ 0 contribute:

    J_ℓk = (4π/Ω) Σ_{k≠0} e^{-k²/4τ_ℓk²} cos(k·(r_ℓ - r_k)) / k²,   τ_ℓk = 1/√(2(σ_ℓ² + σ_k²)) .

Charged cells therefore have a finite energy, that of the charges *with* their background.  For
neutral cells the background is immaterial, but the zero of V is not: it is the cell average of
the potential of every single kind of Gaussian.

Evaluation.  With a splitting parameter η (Ewald 1921; any η > 0 gives the same J),

    J_ℓk = Σ_R [erf(τ r)/r - erf(η r)/r]_{r = |r_ℓ - r_k + R|}              (short-ranged)
         + (4π/Ω) Σ_{k≠0} e^{-k²/4η²} cos(k·(r_ℓ - r_k)) / k²              (smooth)
         - (π/Ω) (1/η² - 1/τ_ℓk²) ,                                        (k = 0 of the first sum)

the term ℓ = k, R = 0 of the first sum being 2(τ - η)/√π.  Both sums are cut where their factors
e^{-x²} fall below e^{-6.2²} = 2e-17.  For charges and not the whole matrix a mesh would be
faster; the matrix is what response calculations need, and is affordable to M of about 1000.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import scipy.sparse
from scipy.special import erfc

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.configuration.neighbours import NeighbourPairs, neighbour_pairs
from scc.electrostatics.radial import coulomb_radial, coulomb_radial_slope, pair_tau
from scc.errors import InputError

_TAIL = 6.2  # sums stop at e^{-x²} or erfc(x) with this x: 2e-17 relative to unit terms
_BALANCE = 8.0  # η Ω^{1/3}: measured optimum between pairs and reciprocal vectors for the matrix
_CHUNK = 1024  # reciprocal vectors per matrix product, bounding memory at 2·1024·M numbers


class EwaldInteraction:
    """J of the module docstring for one configuration: matrix and derivative products.

    Args:
        configuration: periodic in all three directions, bohr.
        widths: σ_ℓ (M,), bohr, > 0.
        splitting: η in bohr⁻¹; None chooses min(8 Ω^{-1/3}, min τ).  The result does not depend on
            it beyond rounding, only the time does.
    Raises:
        InputError: a direction that is not periodic; η that is not positive and finite.
    """

    def __init__(
        self, configuration: Configuration, widths: FloatArray, splitting: float | None = None
    ) -> None:
        if configuration.cell is None or not all(configuration.periodic):
            raise InputError(
                "the Ewald sum needs all three directions periodic, "
                f"found periodic={tuple(configuration.periodic)}"
            )
        self._configuration = configuration
        self._positions = configuration.positions
        self._cell = configuration.cell
        self._volume = float(abs(np.linalg.det(self._cell)))
        self._tau = pair_tau(np.asarray(widths, dtype=np.float64))
        if splitting is None:
            # Wider charges than the splitting Gaussian would make the first sum long-ranged.
            splitting = min(_BALANCE / self._volume ** (1.0 / 3.0), float(self._tau.min()))
        if not 0.0 < splitting < np.inf:
            raise InputError(f"Ewald splitting is {splitting}, must be positive and finite")
        self._splitting = splitting

    @cached_property
    def matrix(self) -> FloatArray:
        """J (M, M), Hartree, symmetric to the last bit."""
        eta, tau = self._splitting, self._tau
        number = len(self._configuration)
        pairs = self._pairs
        pair_values = _short_range(pairs.distance, tau[pairs.first, pairs.second], eta)
        images = scipy.sparse.coo_array(
            (pair_values, (pairs.first, pairs.second)), shape=(number, number)
        ).toarray()
        matrix = images + images.T - np.pi / self._volume * (1.0 / eta**2 - 1.0 / tau**2)
        matrix[np.diag_indices(number)] += 2.0 / np.sqrt(np.pi) * (np.diagonal(tau) - eta)
        for _, weight, cosine, sine in self._waves():
            waves = np.hstack([cosine * np.sqrt(weight), sine * np.sqrt(weight)])
            matrix += waves @ waves.T
        return np.asarray(0.5 * (matrix + matrix.T))

    def position_contract(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Σ_ℓk a_ℓ b_k ∂J_ℓk/∂r_m, shape (M, 3), for a = left, b = right (M,)."""
        pairs = self._pairs
        first, second = pairs.first, pairs.second
        weight = left[first] * right[second] + right[first] * left[second]
        push = (weight * self._slopes)[:, None] * pairs.displacement
        gradient = np.zeros_like(self._positions)
        np.add.at(gradient, second, push)
        np.subtract.at(gradient, first, push)
        for vectors, weights, cosine, sine in self._waves():
            for one, other in ((left, right), (right, left)):
                field = cosine * (other @ sine) - sine * (other @ cosine)
                gradient += one[:, None] * ((field * weights) @ vectors)
        return gradient

    def position_jvp(self, charges: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k (∂J_ℓk/∂r · dr) c_k, shape (M,), for charges c (M,) and displacement dr (M, 3)."""
        pairs = self._pairs
        first, second = pairs.first, pairs.second
        change = np.sum(pairs.displacement * (displacement[second] - displacement[first]), axis=1)
        change *= self._slopes
        result = np.zeros(len(self._configuration))
        np.add.at(result, first, change * charges[second])
        np.add.at(result, second, change * charges[first])
        for vectors, weights, cosine, sine in self._waves():
            # d cos(θ_ℓ - θ_k) = -sin(θ_ℓ - θ_k) (dθ_ℓ - dθ_k),  θ = k·r
            turn = displacement @ vectors.T
            own = turn * (sine * (charges @ cosine) - cosine * (charges @ sine))
            moved = charges[:, None] * turn
            others = sine * np.sum(moved * cosine, axis=0) - cosine * np.sum(moved * sine, axis=0)
            result += (others - own) @ weights
        return np.asarray(result)

    @cached_property
    def _pairs(self) -> NeighbourPairs:
        # Each undirected pair once, including an atom and its images; an image moves with its
        # atom, so those contribute nothing to derivatives (their two pushes cancel exactly).
        range_parameter = min(self._splitting, float(self._tau.min()))
        return neighbour_pairs(self._configuration, _TAIL / range_parameter).half()

    @cached_property
    def _slopes(self) -> FloatArray:
        # (1/r) d/dr of the short-range function
        pairs = self._pairs
        tau = self._tau[pairs.first, pairs.second]
        return np.asarray(
            coulomb_radial_slope(pairs.distance, tau)
            - coulomb_radial_slope(pairs.distance, self._splitting)
        )

    @cached_property
    def _reciprocal(self) -> tuple[FloatArray, FloatArray]:
        """One of each ±k, shape (K, 3), and 2·4π e^{-k²/4η²}/(Ωk²), the factor 2 being for -k."""
        longest = 2.0 * self._splitting * _TAIL
        reciprocal_cell = 2.0 * np.pi * np.linalg.inv(self._cell).T
        bound = np.floor(longest * np.linalg.norm(self._cell, axis=1) / (2.0 * np.pi)).astype(int)
        grids = np.meshgrid(*[np.arange(-n, n + 1) for n in bound], indexing="ij")
        integers = np.stack([g.ravel() for g in grids], axis=1)
        # The grid is symmetric about its middle entry, k = 0: the second half is one of each ±k.
        integers = integers[len(integers) // 2 + 1 :]
        vectors = integers @ reciprocal_cell
        squared = np.sum(vectors**2, axis=1)
        inside = squared <= longest**2
        vectors, squared = vectors[inside], squared[inside]
        damping = np.exp(-squared / (4.0 * self._splitting**2))
        return vectors, 8.0 * np.pi / self._volume * damping / squared

    def _waves(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
        """Chunks of (vectors k, weights, cos k·r_ℓ, sin k·r_ℓ), the last two (M, chunk)."""
        vectors, weights = self._reciprocal
        for start in range(0, len(vectors), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            phase = self._positions @ vectors[chunk].T
            yield vectors[chunk], weights[chunk], np.cos(phase), np.sin(phase)


def _short_range(distance: FloatArray, tau: FloatArray, eta: float) -> FloatArray:
    """[erf(τr) - erf(ηr)]/r; through erfc once both are near 1, so that the tail keeps digits."""
    far = np.minimum(tau, eta) * distance > 0.5
    near_value = coulomb_radial(distance, tau) - coulomb_radial(distance, eta)
    far_value = (erfc(eta * distance) - erfc(tau * distance)) / distance
    return np.asarray(np.where(far, far_value, near_value))
