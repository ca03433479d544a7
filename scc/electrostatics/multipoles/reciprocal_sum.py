r"""The smooth part of the interaction as a plain sum over wave vectors: O(N_sites · N_k).

    B(t, c) = Σ_k G(k) Σ_ab e^{−k²W_ab/2} T_a(k) S_b(k)*,      W_ab = max(σ_a² + σ_b², s) ,
    T_a(k) = Σ_{j∈a} Σ_A t_jA D_A(ik) e^{ik·y_j},     S_b(k) = Σ_{j∈b} Σ_B c_jB D_B(ik) e^{ik·r_j},

D_A(ik) = R_A(ik)/(2λ−1)!!, G from :mod:`.reciprocal_kernels`; a and b number classes of sites that
share their W with every site of the other side. If all σ_a² + σ_b² ≤ s there is one class of each
and the factor is e^{−k²s/2}; wide sites of different widths are classes of their own.

At a strain x → (1+ε)x, k → (1−εᵀ)k leaves k·x alone, so that

    ∂B/∂ε_ij = Σ_k e^{−k²W/2} { [−P_ij G + (s_k + W G) k_i k_j] T S* − G k_i ∂_{k_j}(T S*) } ,

k and i, j within the repeating directions P, ∂_{k_j} at fixed phases. The self-term (a site with
itself, v_W(0)) is contained; :mod:`.own_site` takes it off.

References: P. P. Ewald, Ann. Phys. 369, 253 (1921); A. Aguado, P. A. Madden, J. Chem. Phys. 119,
7471 (2003) (multipoles and their stress).
"""

import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.basis.polynomials import derivative_matrices, monomial_count
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.lattice_waves import (
    ComplexArray,
    LatticeWaves,
    SiteWaves,
    WaveSlice,
)
from scc.electrostatics.multipoles.moments import (
    cartesian_moments,
    moved_moments,
    multipole_operators,
    raised_index,
)
from scc.electrostatics.multipoles.reciprocal_kernels import ReciprocalKernel
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class _SiteClass:
    """Sites of one variance (any variance that is narrow for the whole other side)."""

    rows: IntArray
    variance: float
    waves: SiteWaves


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
        self._parts = list(self._waves.slices())
        self._target_classes = self._classes(targets, sources)
        same = targets is sources
        self._source_classes = self._target_classes if same else self._classes(sources, targets)

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

        Slab: entries within the plane, zero otherwise (what moves along the normal has no cell to
        stretch). No repeating direction: Σ_sites x_j ∂B/∂x_i.
        """
        if not np.any(self._kernel.projector):
            return self._virial(targets, sources)
        projector, result = self._kernel.projector, np.zeros((3, 3))
        same = targets is sources and self._targets is self._sources
        for number, part in enumerate(self._parts):
            left = _with_slopes(self._target_classes, targets, self._targets.l_max, part, self)
            right = left
            if not same:
                right = _with_slopes(self._source_classes, sources, self._sources.l_max, part, self)
            vectors = part.vectors @ projector
            squared = np.einsum("bci,bci->bc", part.vectors, part.vectors)
            value = self._values[number]
            slope = part.weights * self._kernel.slopes(part.vectors)
            for one, a in zip(left, self._target_classes, strict=True):
                for other, b in zip(right, self._source_classes, strict=True):
                    variance = self._joint_variance(a, b)
                    decay = np.exp(-0.5 * variance * squared)
                    product = (one[0] * other[0].conj()).real * decay
                    result -= projector * np.sum(value * product)
                    radial = (slope + variance * value) * product
                    result += np.einsum("bc,bci,bcj->ij", radial, vectors, vectors)
                    turned = (one[1:] * other[0].conj() + one[0] * other[1:].conj()).real
                    turned = np.einsum("bc,jbc,bci->ij", value * decay, turned, vectors)
                    result -= turned @ projector
        return result

    @property
    def transposed(self) -> "ReciprocalSum":
        """Targets and sources exchanged; the phases are shared."""
        other = copy.copy(self)
        other._targets, other._sources = self._sources, self._targets
        other._target_classes, other._source_classes = self._source_classes, self._target_classes
        return other

    @cached_property
    def _values(self) -> list[FloatArray]:
        """G times 0, 1 or 2 (see :class:`WaveSlice`), one array a slice."""
        return [part.weights * self._kernel.values(part.vectors) for part in self._parts]

    def _classes(self, sites: Sites, others: Sites) -> list[_SiteClass]:
        widest = float(np.max(others.variances, initial=0.0))
        # 0 stands for every variance that no site of the other side makes wider than s
        effective = np.where(
            sites.variances + widest <= self._smooth_variance, 0.0, sites.variances
        )
        result = []
        for variance in np.unique(effective):
            rows = np.flatnonzero(effective == variance)
            waves = SiteWaves(self._waves, sites.positions[rows])
            result.append(_SiteClass(rows, float(variance), waves))
        return result

    def _joint_variance(self, a: _SiteClass, b: _SiteClass) -> float:
        return max(a.variance + b.variance, self._smooth_variance)

    def _apply(self, moments: FloatArray, source_order: int, target_order: int) -> FloatArray:
        """∂_y^t of the potential of Cartesian moments: (N_t, n_monomials(target_order))."""
        fractional = moments @ self._waves.derivative_transform(source_order)
        result = [
            np.zeros((len(c.rows), monomial_count(target_order))) for c in self._target_classes
        ]
        for part, value in zip(self._parts, self._values, strict=True):
            factors = [
                c.waves.structure_factor(fractional[c.rows], source_order, part).conj()
                for c in self._source_classes
            ]
            squared = np.einsum("bci,bci->bc", part.vectors, part.vectors)
            for a, block in zip(self._target_classes, result, strict=True):
                spectrum = np.zeros(value.shape, dtype=np.complex128)
                for b, factor in zip(self._source_classes, factors, strict=True):
                    spectrum += np.exp(-0.5 * self._joint_variance(a, b) * squared) * factor
                a.waves.add_derivatives(value * spectrum, target_order, part, block)
        cartesian = np.zeros((len(self._targets), monomial_count(target_order)))
        back = self._waves.derivative_transform(target_order).T
        for c, block in zip(self._target_classes, result, strict=True):
            cartesian[c.rows] = block @ back
        return cartesian

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


def _with_slopes(
    classes: list[_SiteClass], values: FloatArray, l_max: int, part: WaveSlice, owner: ReciprocalSum
) -> list[ComplexArray]:
    """Of each class T(k) and its ∂_{k_j} at fixed phases: (4, n₂, n₃)."""
    waves = owner._waves
    moments = cartesian_moments(values, l_max)
    lowered = [
        (moments @ matrix)[:, : monomial_count(max(l_max - 1, 0))]
        for matrix in derivative_matrices(l_max)
    ]
    result = []
    for c in classes:
        block = np.zeros((4, *part.weights.shape), dtype=np.complex128)
        transform = waves.derivative_transform(l_max)
        block[0] = c.waves.structure_factor(moments[c.rows] @ transform, l_max, part)
        if l_max > 0:
            transform = waves.derivative_transform(l_max - 1)
            for axis in range(3):
                # ∂_{k_j} (ik)^t = i t_j (ik)^{t − e_j}
                block[1 + axis] = 1j * c.waves.structure_factor(
                    lowered[axis][c.rows] @ transform, l_max - 1, part
                )
        result.append(block)
    return result
