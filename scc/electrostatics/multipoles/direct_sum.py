"""All pairs of targets and sources in open boundaries, in tiles of bounded memory: O(N_t N_s)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.basis.solid_harmonics import solid_harmonic_shells
from scc.electrostatics.multipoles.harmonic_tensors import (
    Basis,
    basis_size,
    couplings,
    parities,
    radial_parts,
    raising,
)
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.kernels import RadialKernel
from scc.electrostatics.multipoles.moments import normalisations
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

_TILE_NUMBERS = 1 << 18  # numbers in the arrays of one tile: 2 MB, inside the cache
_SOURCES_OF_A_TILE = 256
_TOUCHING = 1e-15  # bohr; g_n of points overflows below it


class _Tile(NamedTuple):
    """Some targets against some sources: y_a − r_k (3, b, s) and g_n(|y_a − r_k|)."""

    targets: slice
    separation: FloatArray
    squared: FloatArray
    radial: FloatArray


class DirectSum:
    r"""K_aA,kB = R_A(∇_y)R_B(∇_r) v_w(y_a − r_k)/((2λ_A−1)!!(2λ_B−1)!!), w = σ_a² + σ_k².

    Each block of λ_A, λ_B is accurate to a few units in the last place of its largest element, at
    any distance (see :mod:`.harmonic_tensors`).

    Args:
        targets, sources: the sites; variances add.
        kernel: v_w.
        own_site: target a is source a; that pair is left out (:class:`.own_site.OwnSite` adds it).
    Raises:
        InputError: a point target on a point source (closer than 1e-15 bohr), their interaction
            being infinite.
    """

    def __init__(
        self, targets: Sites, sources: Sites, kernel: RadialKernel, own_site: bool = False
    ) -> None:
        if own_site and len(targets) != len(sources):
            raise InputError(
                f"{len(targets)} targets cannot sit on {len(sources)} sources one by one"
            )
        self._targets, self._sources = targets, sources
        self._kernel, self._own_site = kernel, own_site

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c), (N_t, n_t)."""
        order = self._targets.l_max
        return self._potential(self._moments(sources), Basis(self._sources.l_max, 0), order)

    def field(self, sources: FloatArray) -> Field:
        """U(c) and ∂U/∂y_a."""
        order = self._targets.l_max
        raised, own = Basis(order + 1, 1), Basis(self._sources.l_max, 0)
        (values,) = self._contract(self._moments(sources), own, raised)
        norms = normalisations(order)
        gradient = np.einsum("aq,niq->ani", values, raising(order), optimize=True)
        return Field(values[:, : len(norms)] * norms, gradient * norms[:, None])

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k dr_k·∂U/∂r_k."""
        own = self._sources.l_max
        moments = np.einsum(
            "kn,ki,niq->kq", self._moments(sources), displacement, raising(own), optimize=True
        )
        return self._potential(moments, Basis(own + 1, 1), self._targets.l_max)

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """∂B/∂ε_ij = Σ_pairs X_j ∂_{X_i} B_pair."""
        order = self._targets.l_max
        left = np.einsum(
            "an,niq->iaq", targets * normalisations(order), raising(order), optimize=True
        )
        raised, own = Basis(order + 1, 1), Basis(self._sources.l_max, 0)
        values = self._contract(self._moments(sources), own, raised, arms=True)
        return np.array([[np.vdot(push, value) for value in values] for push in left])

    @property
    def transposed(self) -> "DirectSum":
        """Targets and sources exchanged."""
        return DirectSum(self._sources, self._targets, self._kernel, self._own_site)

    def _moments(self, sources: FloatArray) -> FloatArray:
        """Coefficients of R_B(∂_r)."""
        return sources * normalisations(self._sources.l_max)

    def _potential(self, moments: FloatArray, basis: Basis, order: int) -> FloatArray:
        (values,) = self._contract(moments, basis, Basis(order, 0))
        return values * normalisations(order)

    def _contract(
        self, moments: FloatArray, source_basis: Basis, target_basis: Basis, arms: bool = False
    ) -> list[FloatArray]:
        """Q_p(∂_y) Σ_kq m_kq Q_q(∂_r) v: one array (N_t, n_p); with ``arms`` three, times X_j."""
        order = target_basis.order + source_basis.order
        pieces = couplings(target_basis, source_basis)
        signed = moments * parities(source_basis)
        result = [
            np.zeros((len(self._targets), basis_size(target_basis)))
            for _ in range(3 if arms else 1)
        ]
        for first in range(0, len(self._sources), _SOURCES_OF_A_TILE):
            span = slice(first, min(first + _SOURCES_OF_A_TILE, len(self._sources)))
            weights = [
                np.einsum("mpq,kq->mkp", piece.coefficients, signed[span], optimize=True)
                for piece in pieces
            ]
            for tile in self._tiles(span, order):
                angular = solid_harmonic_shells(order, *tile.separation)
                parts = radial_parts(tile.radial, tile.squared)
                for piece, weight in zip(pieces, weights, strict=True):
                    tensor = angular[piece.degree] * parts[piece.degree, piece.traces]
                    for axis, total in enumerate(result):
                        arm = tensor * tile.separation[axis] if arms else tensor
                        total[tile.targets, piece.columns] += (arm @ weight).sum(axis=0)
        return result

    def _tiles(self, span: slice, order: int) -> Iterator[_Tile]:
        """All targets against the sources of ``span``; own pairs have g_n = 0."""
        arrays = (order + 1) ** 2 + (order + 2) ** 2 // 4 + 4
        number, width = len(self._targets), span.stop - span.start
        step = max(1, _TILE_NUMBERS // (arrays * width))
        positions = np.ascontiguousarray(self._sources.positions[span].T)
        for start in range(0, number, step):
            rows = slice(start, min(start + step, number))
            separation = self._targets.positions[rows].T[:, :, None] - positions[:, None, :]
            squared = np.einsum("iak,iak->ak", separation, separation)
            variance = self._targets.variances[rows, None] + self._sources.variances[span]
            own = np.arange(max(rows.start, span.start), min(rows.stop, span.stop))
            own = own if self._own_site else own[:0]
            squared[own - rows.start, own - span.start] = 1.0
            self._check_points(rows.start, span.start, squared, variance)
            radial = self._kernel.derivatives(order, variance, squared)
            radial[:, own - rows.start, own - span.start] = 0.0
            yield _Tile(rows, separation, squared, radial)

    def _check_points(
        self, row_start: int, column_start: int, squared: FloatArray, variance: FloatArray
    ) -> None:
        touching = (squared < _TOUCHING**2) & (variance == 0.0)
        if np.any(touching):
            row, column = np.argwhere(touching)[0]
            raise InputError(
                f"point target {row_start + row} lies on point source {column_start + column}: "
                "their interaction is infinite"
            )
