r"""The reciprocal sum with B-splines on a mesh: O(N + M log M) for N sites and M nodes.

    B(t, c) = Re Σ_k Ĝ(k) conj(T(k)) S(k),
    S(k) = Σ_B (−i)^λ R_B(k)/(2λ−1)!! Σ_m e^{−ik·x_m} C_B(m),      C_B(m) = Σ_k c_kB W_km ,

C_B being the B-th component of the sources spread on a mesh of its own, T(k) the same for the
targets, and Ĝ the influence function (:mod:`.mesh_grid`). Multipoles enter as powers of k, not
as derivatives of splines, so that every λ has the splines' full accuracy.
Derivatives with respect to positions are those of the splines: field, moved and strain are the
exact derivatives of B(t, c) as it is computed, on the coarsest mesh too, and B is exactly
symmetric. The price is that forces do not add up to zero, but to something of the size of
their error, and that a site exerts a force of that size on itself.

Sites of several widths fall into classes: variances σ² so narrow that no partner makes them wider
than ``smooth_variance`` are one class, every other variance is one, and each class has meshes
of its own.

Reference: U. Essmann et al., J. Chem. Phys. 103, 8577 (1995) (splines differentiated);
Hockney and Eastwood as in :mod:`.mesh_grid`. Errors: :mod:`.mesh_tables`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import fft

from scc.arrays import FloatArray, IntArray
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.mesh_grid import (
    ComplexArray,
    ReciprocalGrid,
    gaussian,
    harmonics_and_slopes,
)
from scc.electrostatics.multipoles.mesh_points import MeshPoints
from scc.electrostatics.multipoles.reciprocal_kernels import ReciprocalKernel
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.splines import LARGEST_ORDER
from scc.errors import InputError

Spreading = Callable[[int], FloatArray]


class WidthClass(NamedTuple):
    """Sites that are spread on the same meshes."""

    members: IntArray
    variance: float
    points: MeshPoints


class _LastDensities:
    """S(k) of the multipoles that were last asked for."""

    def __init__(self) -> None:
        self.classes: list[WidthClass] = []
        self.sources: FloatArray = np.empty(0)
        self.densities: list[ComplexArray] = []


class MeshSum:
    """B of the module docstring as an :class:`.interaction.Interaction`.

    Args:
        targets, sources: the sites; if they share the very array of positions, interpolation is
            set up once for both.
        kernel: G, and the cell of the mesh.
        smooth_variance: s, bohr²; W = max(σ_a² + σ_k², s).
        shape: nodes along the cell vectors, each ≥ ``spline_order``.
        spline_order: p, 2…20; p − 1 is the degree. Gradients are continuous for p ≥ 3.
    Raises:
        InputError: values outside those ranges.
    """

    def __init__(
        self,
        targets: Sites,
        sources: Sites,
        kernel: ReciprocalKernel,
        smooth_variance: float,
        shape: tuple[int, int, int],
        spline_order: int,
    ) -> None:
        _check(smooth_variance, shape, spline_order)
        self._grid = ReciprocalGrid(kernel, shape, spline_order)
        self._order = spline_order
        self._smooth_variance = smooth_variance
        self._points: dict[tuple[int, bytes], tuple[FloatArray, MeshPoints]] = {}
        self._last = _LastDensities()
        self._place(targets, sources)

    def between(self, targets: Sites, sources: Sites) -> "MeshSum":
        """The same mesh and kernel for other sites; what is known of a positions array is kept."""
        other = object.__new__(MeshSum)
        other._grid, other._order = self._grid, self._order
        other._smooth_variance = self._smooth_variance
        other._points = dict(self._points)  # its additions die with it
        other._last = self._last
        other._place(targets, sources)
        return other

    @property
    def transposed(self) -> "MeshSum":
        """Targets and sources exchanged; everything prepared is shared."""
        other = object.__new__(MeshSum)
        other.__dict__.update(self.__dict__)
        other._targets, other._sources = self._sources, self._targets
        other._target_classes, other._source_classes = self._source_classes, self._target_classes
        return other

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c): (N_t, n_t)."""
        return self._potential(self._densities(sources))

    def field(self, sources: FloatArray) -> Field:
        """U(c) and ∂U/∂y_a, sources at rest."""
        result = np.empty((len(self._targets), self._targets.n_components))
        gradient = np.empty((*result.shape, 3))
        for group, shell, meshes in self._potential_meshes(self._densities(sources)):
            values, slopes = group.points.read_gradient(meshes)
            result[group.members, shell] = values
            gradient[group.members, shell] = slopes
        return Field(result, gradient)

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k (dr_k·∂/∂r_k) U(c), targets at rest."""
        spread = [_spreading(c, sources, displacement) for c in self._source_classes]
        return self._potential([self._density(function) for function in spread])

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        r"""∂B/∂ε_ij of the mesh sum.

        Along the directions that repeat, P, positions stay where they are in the mesh and k,
        Ĝ and R(k) change: X = −PB + Σ_k (…)(Pk)_i(Pk)_j − M_ij, M_ij = Σ_k k_i ∂B/∂k_j through
        the R(k). Along the others the mesh stays and the sites move: Y_ij = Σ x_j ∂_i B. Tilting
        P out of itself is a rotation, which only the R(k) notice, and a shift of the sites:
        N(Yᵀ + Mᵀ − M)P, N = 1 − P.
        """
        p = self._grid.kernel.projector
        n = np.eye(3) - p
        total, waves, rotation = self._reciprocal_strain(targets, sources)
        result = waves - total * p - p @ rotation @ p
        if np.any(np.abs(n) > 1e-12):
            shifts = np.zeros((3, 3))
            for operator, own, other in (
                (self, targets, sources),
                (self.transposed, sources, targets),
            ):
                push = np.einsum("ka,kai->ki", own, operator.field(other).gradient)
                shifts += push.T @ operator._targets.positions
            result += shifts @ n + n @ (shifts.T + rotation.T - rotation) @ p
        return np.asarray(result)

    def _place(self, targets: Sites, sources: Sites) -> None:
        self._targets, self._sources = targets, sources
        self._target_classes = self._classes(targets, sources)
        self._source_classes = self._classes(sources, targets)

    def _classes(self, sites: Sites, partners: Sites) -> list[WidthClass]:
        widest = float(np.max(partners.variances, initial=0.0))
        narrow = sites.variances + widest <= self._smooth_variance
        representative = np.where(narrow, 0.0, sites.variances)
        result = []
        for variance in np.unique(representative):
            members = np.flatnonzero(representative == variance)
            result.append(WidthClass(members, float(variance), self._mesh_points(sites, members)))
        return result

    def _mesh_points(self, sites: Sites, members: IntArray) -> MeshPoints:
        key = (id(sites.positions), members.tobytes())
        if key not in self._points:
            points = MeshPoints(
                sites.positions[members], self._grid.kernel.cell, self._grid.shape, self._order
            )
            # the array is kept with its points, so that its identity stays its own
            self._points[key] = (sites.positions, points)
        return self._points[key][1]

    def _variance(self, target: WidthClass, source: WidthClass) -> float:
        return max(target.variance + source.variance, self._smooth_variance)

    def _densities(self, sources: FloatArray) -> list[ComplexArray]:
        """S(k) of every class; remembered, since features of several widths ask for the same."""
        last = self._last
        same = len(last.classes) == len(self._source_classes) and all(
            a.points is b.points and a.variance == b.variance
            for a, b in zip(last.classes, self._source_classes, strict=True)
        )
        if not same or not np.array_equal(last.sources, sources):
            spread = [_spreading(c, sources) for c in self._source_classes]
            last.densities = [self._density(function) for function in spread]
            last.classes, last.sources = self._source_classes, sources.copy()
        return last.densities

    def _potential(self, densities: list[ComplexArray]) -> FloatArray:
        result = np.empty((len(self._targets), self._targets.n_components))
        for group, shell, meshes in self._potential_meshes(densities):
            result[group.members, shell] = group.points.read(meshes)
        return result

    def _potential_meshes(
        self, densities: list[ComplexArray]
    ) -> Iterator[tuple[WidthClass, slice, FloatArray]]:
        """Every target class and λ: the slice of its components, and U on the nodes for them."""
        for target in self._target_classes:
            products = (
                density * self._grid.influence(self._variance(target, source))
                for source, density in zip(self._source_classes, densities, strict=True)
            )
            even = next(products, None)
            if even is None:
                even = np.zeros(self._grid.spectrum_shape, dtype=np.complex128)
            for product in products:
                even += product
            odd = 1j * even if self._targets.l_max > 0 else even
            for degree in range(self._targets.l_max + 1):
                if self._targets.l_max == 0:
                    spectra = even[None]  # R_00 = 1
                else:
                    spectra = self._grid.harmonics(degree) * (odd if degree % 2 else even)
                meshes = fft.irfftn(
                    spectra, s=self._grid.shape, axes=(1, 2, 3), norm="forward", overwrite_x=True
                )
                yield target, _shell(degree), meshes

    def _density(self, spread: Spreading) -> ComplexArray:
        """S(k) of one class."""
        if self._sources.l_max == 0:
            return np.asarray(fft.rfftn(spread(0), axes=(1, 2, 3), overwrite_x=True)[0])
        parts = [np.zeros(self._grid.spectrum_shape, dtype=np.complex128) for _ in range(2)]
        for degree in range(self._sources.l_max + 1):
            spectra = fft.rfftn(spread(degree), axes=(1, 2, 3))
            for harmonic, spectrum in zip(self._grid.harmonics(degree), spectra, strict=True):
                parts[degree % 2] += harmonic * spectrum
        if self._sources.l_max > 0:
            parts[0] -= 1j * parts[1]
        return parts[0]

    def _reciprocal_strain(
        self, targets: FloatArray, sources: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """B, Σ_k (s e^{−k²W/2} + WĜ) (Pk)_i (Pk)_j conj(T) S and M of :meth:`strain`."""
        total, waves, rotation = 0.0, np.zeros((3, 3)), np.zeros((3, 3))
        kernel = self._grid.kernel
        left = [_spectra(c, targets) for c in self._target_classes]
        right = [_spectra(c, sources) for c in self._source_classes]
        for rows, k, weights in self._grid.planes():
            # first projected, then multiplied: a slab's slopes grow like 1/|Pk|
            flat = k @ kernel.projector
            # one of each ±k, but all of the plane m₃ = 0
            twice = weights * np.where(np.arange(weights.shape[-1]) > 0, 2.0, 1.0)
            values, slopes = kernel.values(k) * twice, kernel.slopes(k) * twice
            t_side = [_structure(spectra[:, rows], self._targets.l_max, k) for spectra in left]
            s_side = [_structure(spectra[:, rows], self._sources.l_max, k) for spectra in right]
            for target, (t, dt) in zip(self._target_classes, t_side, strict=True):
                for source, (s, ds) in zip(self._source_classes, s_side, strict=True):
                    variance = self._variance(target, source)
                    smooth = gaussian(k, variance, kernel)
                    product = (np.conj(t) * s).real * smooth
                    total += float(np.sum(values * product))
                    factor = (slopes + variance * values) * product
                    waves += np.einsum("xyz,xyzi,xyzj->ij", factor, flat, flat, optimize=True)
                    turned = (np.conj(dt) * s + np.conj(t) * ds).real * (values * smooth)
                    rotation += np.einsum("xyzi,jxyz->ij", k, turned, optimize=True)
        return total, waves, rotation


def _shell(degree: int) -> slice:
    """Components of one λ."""
    return slice(degree**2, (degree + 1) ** 2)


def _spreading(
    group: WidthClass, coefficients: FloatArray, displacement: FloatArray | None = None
) -> Spreading:
    """λ → its 2λ+1 meshes for one class, or what changes of them when the sites move."""
    own = coefficients[group.members]
    if displacement is None:
        return lambda degree: group.points.spread(own[:, _shell(degree)])
    shift = displacement[group.members]
    return lambda degree: group.points.spread_moved(own[:, _shell(degree)], shift)


def _spectra(group: WidthClass, coefficients: FloatArray) -> ComplexArray:
    """Transforms of all components of one class: (n, half-spectrum)."""
    spread = _spreading(group, coefficients)
    degrees = range(int(np.sqrt(coefficients.shape[1])))
    return np.concatenate([fft.rfftn(spread(degree), axes=(1, 2, 3)) for degree in degrees])


def _structure(
    spectra: ComplexArray, l_max: int, vectors: FloatArray
) -> tuple[ComplexArray, ComplexArray]:
    """S(k), and (3, ...) its gradient through the harmonics alone."""
    values, slopes = harmonics_and_slopes(l_max, vectors)
    return (
        np.asarray(np.einsum("n...,n...->...", values, spectra)),
        np.asarray(np.einsum("in...,n...->i...", slopes, spectra)),
    )


def _check(smooth_variance: float, shape: tuple[int, int, int], order: int) -> None:
    if not 0.0 <= smooth_variance < np.inf:
        raise InputError(f"smooth variance is {smooth_variance}, must be finite and ≥ 0")
    if not 2 <= order <= LARGEST_ORDER:
        raise InputError(f"spline order is {order}, must be between 2 and {LARGEST_ORDER}")
    if len(shape) != 3 or min(shape) < order or any(n != int(n) for n in shape):
        raise InputError(
            f"mesh shape is {tuple(shape)}, needs three numbers ≥ the spline order {order}"
        )
