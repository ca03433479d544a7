r"""The projection operator of an open cluster, by sums over all pairs.

With one width for all atoms, everything is the product with a few symmetric matrices S_w of
:mod:`.pair_sums`: K consists of rows of the S_w of w = σ_n² + σ_ρ², and J is S of 2σ_ρ². What the
methods return is said at :class:`.projection.ProjectionOperator`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.pair_blocks import COMPONENTS, LARGEST_L
from scc.electrostatics.multipoles.pair_projection_blocks import pair_projection_blocks
from scc.electrostatics.multipoles.pair_sums import GROUP, KEPT_BYTES, PairSums, Product
from scc.electrostatics.multipoles.sites import Sites, checked_coefficients
from scc.errors import InputError

_SMALL_ATOMS = 200  # J is kept too for so few, which a solution needs only a few times


class PairwiseProjection:
    """:class:`.projection.ProjectionOperator` in open boundaries, O(M²) with a small constant.

    Args:
        configuration, density_width, widths, l_max, external: see
            :func:`.projection.projection_operator`.
        group, most_bytes: see :class:`.pair_sums.PairSums`.
    Raises:
        InputError: periodic boundaries.
    """

    def __init__(
        self,
        configuration: Configuration,
        density_width: float,
        widths: Sequence[float] | FloatArray,
        l_max: int,
        external: Sequence[UniformField | ExternalCharges] = (),
        *,
        group: int = GROUP,
        most_bytes: int = KEPT_BYTES,
    ) -> None:
        if any(configuration.periodic):
            raise InputError(
                f"sums over pairs need open boundaries, found periodic={configuration.periodic}"
            )
        self.configuration = configuration
        self._number = number = len(configuration)
        self._density_width, self._l_max = float(density_width), l_max
        self._widths = [float(width) for width in widths]
        self._rows = (l_max + 1) ** 2
        self.n_features = len(widths) * self._rows
        joint = [float(width) ** 2 + density_width**2 for width in (*widths, density_width)]
        variances = sorted(set(joint))
        self._layers = [variances.index(w) for w in joint[:-1]]
        self._own = variances.index(joint[-1])
        kept = sorted(set(self._layers) | ({self._own} if number <= _SMALL_ATOMS else set()))
        positions = configuration.positions
        self._sums = PairSums(positions, variances, kept, group, most_bytes)
        self._sites = Sites(positions, np.full(number, density_width**2), LARGEST_L)
        self._fields = [_outside(positions, width, l_max, external) for width in widths]
        self._own_field = _outside(positions, density_width, LARGEST_L, external)
        self.external = self._joined([field.potential for field in self._fields])

    def apply(self, multipoles: FloatArray) -> FloatArray:
        """K p, (M, F)."""
        return self._joined(self._sums.products(self._tasks(multipoles)))

    def pair_blocks(self, separations: FloatArray) -> FloatArray:
        """Blocks of K for pairs; see :func:`.pair_projection_blocks.pair_projection_blocks`."""
        return pair_projection_blocks(separations, self._density_width, self._widths, self._l_max)

    def transpose(self, cotangent: FloatArray) -> FloatArray:
        """Kᵀ w, (M, 9)."""
        pieces = self._split(cotangent)
        tasks = [Product(k, self._rows, w) for k, w in zip(self._layers, pieces, strict=True)]
        parts = self._sums.products(tasks, transposed=True)
        return sum(parts, np.zeros((self._number, COMPONENTS)))

    def kernel(self, multipoles: FloatArray) -> FloatArray:
        """J p, (M, 9)."""
        (result,) = self._sums.products([self._own_task(multipoles)])
        return result

    def potential(self, multipoles: FloatArray) -> FloatArray:
        """V = J p + U_ext, (M, 9)."""
        return self.kernel(multipoles) + self._own_field.potential

    def energy(self, multipoles: FloatArray) -> float:
        """½⟨p, J p⟩ + ⟨p, U_ext⟩, Hartree."""
        half = 0.5 * self.kernel(multipoles) + self._own_field.potential
        return float(np.vdot(multipoles, half))

    def forces_fixed_p(self, multipoles: FloatArray) -> FloatArray:
        """−∂E_H/∂r at fixed p, (M, 3)."""
        return -self.position_gradient(multipoles, None)

    def vjp_positions(self, multipoles: FloatArray, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, K p + v̂_ext⟩/∂r at fixed p, (M, 3)."""
        p = checked_coefficients(multipoles, self._sites)
        weights, outside = self._cotangents(cotangent)
        return self._sums.gradient(weights, p) + outside

    def position_gradient(self, multipoles: FloatArray, cotangent: FloatArray | None) -> FloatArray:
        """∂[E_H + ⟨w, K p + v̂_ext⟩]/∂r at fixed p, (M, 3), in one sum."""
        p = checked_coefficients(multipoles, self._sites)
        if cotangent is None:
            cotangent = np.zeros((self._number, self.n_features))
        weights, outside = self._cotangents(cotangent)
        own = weights.get(self._own, np.zeros((self._number, COMPONENTS)))
        weights[self._own] = own + 0.5 * p
        outside += np.einsum("ac,aci->ai", p, self._own_field.gradient)
        return self._sums.gradient(weights, p) + outside

    def jvp_positions(self, multipoles: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_m dr_m·∂(K p + v̂_ext)/∂r_m at fixed p, (M, F)."""
        displacement = self._checked_displacement(displacement)
        moved = self._sums.moved(self._tasks(multipoles), displacement)
        outside = [np.einsum("aci,ai->ac", f.gradient, displacement) for f in self._fields]
        return self._joined(moved) + self._joined(outside)

    def potential_jvp_positions(
        self, multipoles: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        """Σ_m dr_m·∂V/∂r_m at fixed p, (M, 9)."""
        displacement = self._checked_displacement(displacement)
        (moved,) = self._sums.moved([self._own_task(multipoles)], displacement)
        outside = np.einsum("aci,ai->ac", self._own_field.gradient, displacement)
        return np.asarray(moved + outside)

    @property
    def matrix(self) -> FloatArray:
        """K, (M F, 9 M), dense."""
        shape = (self._number * self.n_features, COMPONENTS * self._number)
        if not self._layers:
            return np.zeros(shape)
        found = self._sums.squares(self._layers)
        rows = [found[layer][:, : self._rows] for layer in self._layers]
        return np.concatenate(rows, axis=1).reshape(shape)

    @property
    def energy_matrix(self) -> FloatArray:
        """J, (9 M, 9 M), dense."""
        own = self._sums.squares([self._own])[self._own]
        return own.reshape(COMPONENTS * self._number, -1)

    def position_jacobian(self, multipoles: FloatArray) -> FloatArray:
        """∂(K p + v̂_ext)/∂r at fixed p: (M F, 3 M), dense."""
        shape = (self._number, -1, self._number, 3)
        result = np.zeros((self._number, self.n_features, self._number, 3))
        atoms = np.arange(self._number)
        for n, (task, field) in enumerate(zip(self._tasks(multipoles), self._fields, strict=True)):
            part = result[:, n * self._rows : (n + 1) * self._rows]
            part += self._sums.jacobian(task).reshape(shape)
            part[atoms, :, atoms] += field.gradient
        return result.reshape(self._number * self.n_features, 3 * self._number)

    def _tasks(self, multipoles: FloatArray) -> list[Product]:
        p = checked_coefficients(multipoles, self._sites)
        return [Product(layer, self._rows, p) for layer in self._layers]

    def _own_task(self, multipoles: FloatArray) -> Product:
        return Product(self._own, COMPONENTS, checked_coefficients(multipoles, self._sites))

    def _cotangents(self, cotangent: FloatArray) -> tuple[dict[int, FloatArray], FloatArray]:
        """w by layer, (M, 9) each, and ∂⟨w, v̂_ext⟩/∂r."""
        weights: dict[int, FloatArray] = {}
        outside = np.zeros((self._number, 3))
        pieces = self._split(cotangent)
        for layer, w, field in zip(self._layers, pieces, self._fields, strict=True):
            if not np.any(w):
                continue
            total = weights.setdefault(layer, np.zeros((self._number, COMPONENTS)))
            total[:, : self._rows] += w
            outside += np.einsum("ac,aci->ai", w, field.gradient)
        return weights, outside

    def _split(self, cotangent: FloatArray) -> list[FloatArray]:
        w = np.asarray(cotangent, dtype=np.float64)
        expected = (self._number, self.n_features)
        if w.shape != expected or not np.all(np.isfinite(w)):
            raise InputError(f"cotangent must be finite, of shape {expected}, found {w.shape}")
        return [w[:, n : n + self._rows] for n in range(0, self.n_features, self._rows)]

    def _joined(self, pieces: Sequence[FloatArray]) -> FloatArray:
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((self._number, 0))

    def _checked_displacement(self, displacement: FloatArray) -> FloatArray:
        dr = np.asarray(displacement, dtype=np.float64)
        expected = (self._number, 3)
        if dr.shape != expected or not np.all(np.isfinite(dr)):
            raise InputError(f"displacement must be finite, of shape {expected}, found {dr.shape}")
        return dr


def _outside(
    positions: FloatArray,
    width: float,
    l_max: int,
    external: Sequence[UniformField | ExternalCharges],
) -> Field:
    """Potential and gradient of everything external at probes of one width."""
    targets = Sites(positions, np.full(len(positions), width**2), l_max)
    potential = np.zeros((len(targets), targets.n_components))
    gradient = np.zeros((*potential.shape, 3))
    for source in external:
        if isinstance(source, UniformField):
            field = source.field(targets)
        else:
            operator = DirectSum(targets, source.sites, CoulombKernel())
            field = operator.field(source.charges[:, None])
        potential += field.potential
        gradient += field.gradient
    return Field(potential, gradient)
