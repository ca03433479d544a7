r"""The smooth part of the interaction as a plain sum over wave vectors: O(N_sites · N_k).

    B(t, c) = Σ_k G(k) Σ_ab e^{−(k²+κ²)W_ab/2} T_a(k) S_b(k)*,      W_ab = max(σ_a² + σ_b², s) ,
    T_a(k) = Σ_{j∈a} Σ_A t_jA D_A(ik) e^{ik·y_j},     S_b(k) = Σ_{j∈b} Σ_B c_jB D_B(ik) e^{ik·r_j},

D_A(ik) = R_A(ik)/(2λ−1)!!, G from :mod:`.reciprocal_kernels`; a and b number the classes of sites
of :mod:`.width_classes`. If all σ_a² + σ_b² ≤ s there is one of each and the factor is
e^{−(k²+κ²)s/2}. The constant e^{−κ²W/2} of a screened sum belongs to the charges that
:mod:`.screened_splitting` makes.

At a strain x → (1+ε)x, k → (1−εᵀ)k leaves k·x alone, so that

    ∂B/∂ε_ij = Σ_k e^{−(k²+κ²)W/2} { [−P_ij G + (s_k + W G) k_i k_j] T S* − G k_i ∂_{k_j}(T S*) } ,

k and i, j within the repeating directions P, ∂_{k_j} at fixed phases. The self-term (a site with
itself, v_W(0)) is contained; :mod:`.own_site` takes it off.

References: P. P. Ewald, Ann. Phys. 369, 253 (1921); A. Aguado, P. A. Madden, J. Chem. Phys. 119,
7471 (2003) (multipoles and their stress).
"""

import copy
from collections.abc import Iterator

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import derivative_matrices, monomial_count
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.lattice_waves import ComplexArray, LatticeWaves, WaveSlice
from scc.electrostatics.multipoles.moments import (
    cartesian_moments,
    moved_moments,
    multipole_operators,
    raised_index,
)
from scc.electrostatics.multipoles.reciprocal_kernels import ReciprocalKernel
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.width_classes import SiteClass, Smeared, site_classes
from scc.errors import InputError

_STORED = 1 << 21  # wave vectors kept between applications if there are fewer: 80 MB


class _WeightedSlices:
    """Slices of waves, and G times 0, 1 or 2 (see :class:`WaveSlice`); kept if there are few."""

    def __init__(self, waves: LatticeWaves, kernel: ReciprocalKernel) -> None:
        self._waves, self._kernel = waves, kernel
        self._kept: list[tuple[WaveSlice, FloatArray]] | None = None

    def __iter__(self) -> Iterator[tuple[WaveSlice, FloatArray]]:
        if self._kept is None and self._waves.size <= _STORED:
            self._kept = list(self._made())
        yield from self._made() if self._kept is None else self._kept

    def _made(self) -> Iterator[tuple[WaveSlice, FloatArray]]:
        for part in self._waves.slices():
            yield part, part.weights * self._kernel.values(part.vectors)


class ReciprocalSum:
    """B of the module docstring.

    Args:
        targets, sources: the sites.
        kernel: G and the cell. Slab and free kernels must cover targets and sources together.
        smooth_variance: s, bohr².
        reciprocal_cutoff: largest |k|, bohr⁻¹; what is left out is of order e^{−k²s/2}.
    Raises:
        InputError: s ≤ 0 or a cut-off ≤ 0, or not finite.
    """

    def __init__(
        self,
        targets: Sites,
        sources: Sites,
        kernel: ReciprocalKernel,
        smooth_variance: float,
        reciprocal_cutoff: float,
    ) -> None:
        for name, value in (
            ("smooth variance", smooth_variance),
            ("reciprocal cut-off", reciprocal_cutoff),
        ):
            if not 0.0 < value < np.inf:
                raise InputError(f"{name} is {value}, must be finite and > 0")
        self._targets, self._sources, self._kernel = targets, sources, kernel
        self._smooth_variance = smooth_variance
        self._waves = LatticeWaves(kernel.cell, reciprocal_cutoff)
        self._slices = _WeightedSlices(self._waves, kernel)
        self._target_classes = site_classes(targets, sources, self._waves, smooth_variance)
        self._source_classes = (
            self._target_classes
            if targets is sources
            else site_classes(sources, targets, self._waves, smooth_variance)
        )

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c), (N_t, n_t)."""
        moments = cartesian_moments(sources, self._sources.l_max)
        order = self._targets.l_max
        cartesian = self._apply(moments, self._sources.l_max, order)
        return np.asarray(cartesian @ multipole_operators(order).T)

    def field(self, sources: FloatArray) -> Field:
        """U(c) and ∂U/∂y_a."""
        moments = cartesian_moments(sources, self._sources.l_max)
        order = self._targets.l_max
        cartesian = self._apply(moments, self._sources.l_max, order + 1)
        operators = multipole_operators(order)
        gradient = cartesian[:, raised_index(order)] @ operators.T  # (N, 3, n_t)
        return Field(
            cartesian[:, : monomial_count(order)] @ operators.T, gradient.transpose(0, 2, 1)
        )

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k dr_k·∂U/∂r_k."""
        own, order = self._sources.l_max, self._targets.l_max
        moments = moved_moments(cartesian_moments(sources, own), displacement, own)
        cartesian = self._apply(moments, own + 1, order)
        return np.asarray(cartesian @ multipole_operators(order).T)

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """∂B/∂ε_ij (3, 3).

        With P the directions that repeat, N = 1 − P, M_ij = Σ_k k_i ∂B/∂k_j through the R(k) alone
        and Y_ij = Σ_sites x_j ∂B/∂x_i: in the repeating directions k, G and R(k) change and the
        phases do not; along the others the sites move, YN; and tilting P out of itself is a
        rotation, felt by the R(k) only, and a shift of the sites, N(Yᵀ + Mᵀ − M)P.
        """
        projector, result = self._kernel.projector, np.zeros((3, 3))
        normal, rotation = np.eye(3) - projector, np.zeros((3, 3))
        if not np.any(projector):
            return self._virial(targets, sources)
        same = targets is sources and self._targets is self._sources
        for part, value in self._slices:
            left = self._with_slopes(self._target_classes, targets, self._targets.l_max, part)
            right = left
            if not same:
                right = self._with_slopes(self._source_classes, sources, self._sources.l_max, part)
            vectors = part.vectors @ projector
            squared = np.einsum("bci,bci->bc", part.vectors, part.vectors)
            squared += self._kernel.squared_screening
            slope = part.weights * self._kernel.slopes(part.vectors)
            smeared = Smeared(self._source_classes, right.conj(), squared, self._smooth_variance)
            for own, a in zip(left, self._target_classes, strict=True):
                others = smeared.sum(a.variance)
                product = (own[0] * others[0]).real
                result -= projector * np.sum(value * product)
                radial = slope * product
                radial += value * (own[0] * smeared.weighted_sum(a.variance)[0]).real
                result += np.einsum("bc,bci,bcj->ij", radial, vectors, vectors)
                turned = value * (own[1:] * others[0] + own[0] * others[1:]).real
                rotation += np.einsum("jbc,bci->ij", turned, part.vectors)
        result -= projector @ rotation @ projector
        if np.any(np.abs(normal) > 1e-12):
            shifts = self._virial(targets, sources)
            result += shifts @ normal + normal @ (shifts.T + rotation.T - rotation) @ projector
        return result

    @property
    def transposed(self) -> "ReciprocalSum":
        """Targets and sources exchanged; the phases are shared."""
        other = copy.copy(self)
        other._targets, other._sources = self._sources, self._targets
        other._target_classes, other._source_classes = self._source_classes, self._target_classes
        return other

    def _apply(self, moments: FloatArray, source_order: int, target_order: int) -> FloatArray:
        """∂_y^t of the potential of Cartesian moments: (N_t, n_monomials(target_order))."""
        fractional = moments @ self._waves.derivative_transform(source_order)
        result = [
            np.zeros((len(c.rows), monomial_count(target_order))) for c in self._target_classes
        ]
        for part, value in self._slices:
            factors = np.empty((len(self._source_classes), *value.shape), dtype=np.complex128)
            for factor, b in zip(factors, self._source_classes, strict=True):
                factor[:] = b.waves.structure_factor(fractional[b.rows], source_order, part)
            squared = np.einsum("bci,bci->bc", part.vectors, part.vectors)
            squared += self._kernel.squared_screening
            smeared = Smeared(self._source_classes, factors.conj(), squared, self._smooth_variance)
            for a, block in zip(self._target_classes, result, strict=True):
                spectrum = value * smeared.sum(a.variance)
                a.waves.add_derivatives(spectrum, target_order, part, block)
        cartesian = np.zeros((len(self._targets), monomial_count(target_order)))
        back = self._waves.derivative_transform(target_order).T
        for c, block in zip(self._target_classes, result, strict=True):
            cartesian[c.rows] = block @ back
        return cartesian

    def _with_slopes(
        self, classes: list[SiteClass], values: FloatArray, l_max: int, part: WaveSlice
    ) -> ComplexArray:
        """T(k) of each class and its ∂_{k_j} at fixed phases: (n_classes, 4, n₂, n₃)."""
        moments = cartesian_moments(values, l_max)
        result = np.zeros((len(classes), 4, *part.weights.shape), dtype=np.complex128)
        transformed = moments @ self._waves.derivative_transform(l_max)
        for block, c in zip(result, classes, strict=True):
            block[0] = c.waves.structure_factor(transformed[c.rows], l_max, part)
        if l_max == 0:
            return result
        transform = self._waves.derivative_transform(l_max - 1)
        for axis, matrix in enumerate(derivative_matrices(l_max)):
            # ∂_{k_j} (ik)^t = i t_j (ik)^{t − e_j}
            lowered = (moments @ matrix)[:, : monomial_count(l_max - 1)] @ transform
            for block, c in zip(result, classes, strict=True):
                block[1 + axis] = 1j * c.waves.structure_factor(lowered[c.rows], l_max - 1, part)
        return result

    def _virial(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        # Forces add up to zero, so any origin will do; the centre keeps rounding small.
        centre = self._sources.positions.mean(axis=0) if len(self._sources) else np.zeros(3)
        result = np.zeros((3, 3))
        for piece, own, other in (
            (self, targets, sources),
            (self.transposed, sources, targets),
        ):
            push = np.einsum("aA,aAi->ai", own, piece.field(other).gradient)
            result += push.T @ (piece._targets.positions - centre)
        return result
