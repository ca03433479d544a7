"""All pairs of targets and sources in open boundaries, in blocks of bounded memory: O(N_t N_s)."""

from collections.abc import Iterator

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import monomial_count, sum_index
from scc.electrostatics.derivative_tensors import derivative_tensors
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.kernels import RadialKernel
from scc.electrostatics.multipoles.moments import (
    cartesian_moments,
    moved_moments,
    multipole_operators,
    parities,
    raised_index,
)
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

_BLOCK_NUMBERS = 1 << 18  # numbers in one block of derivative tensors: 2 MB, inside the cache


class DirectSum:
    r"""K_aA,kB = R_A(∇_y)R_B(∇_r) v_w(y_a − r_k)/((2λ_A−1)!!(2λ_B−1)!!), w = σ_a² + σ_k².

    Args:
        targets, sources: the sites; variances add.
        kernel: v_w.
        own_site: target a is source a; that pair is left out (:class:`.own_site.OwnSite` adds it).
    Raises:
        InputError: a point target on a point source, their interaction being infinite.
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
        moments = cartesian_moments(sources, self._sources.l_max)
        cartesian = self._contract(moments, self._sources.l_max, order)
        return np.asarray(cartesian @ multipole_operators(order).T)

    def field(self, sources: FloatArray) -> Field:
        """U(c) and ∂U/∂y_a."""
        order = self._targets.l_max
        moments = cartesian_moments(sources, self._sources.l_max)
        cartesian = self._contract(moments, self._sources.l_max, order + 1)
        operators = multipole_operators(order)
        gradient = cartesian[:, raised_index(order)] @ operators.T  # (N, 3, n_t)
        return Field(
            cartesian[:, : monomial_count(order)] @ operators.T, gradient.transpose(0, 2, 1)
        )

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k dr_k·∂U/∂r_k."""
        order, own = self._targets.l_max, self._sources.l_max
        moments = moved_moments(cartesian_moments(sources, own), displacement, own)
        cartesian = self._contract(moments, own + 1, order)
        return np.asarray(cartesian @ multipole_operators(order).T)

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """∂B/∂ε_ij = Σ_pairs X_j ∂_{X_i} B_pair."""
        left_order, right_order = self._targets.l_max, self._sources.l_max
        left = cartesian_moments(targets, left_order)
        right = cartesian_moments(sources, right_order) * parities(right_order)
        index = sum_index(left_order, right_order)
        raised = raised_index(left_order + right_order)
        result = np.zeros((3, 3))
        for rows, separation, tensor in self._blocks(left_order + right_order + 1):
            for axis in range(3):
                push = np.zeros(separation.shape[:2])
                for t in range(left.shape[1]):
                    for s in range(right.shape[1]):
                        weight = left[rows, t, None] * right[None, :, s]
                        push += weight * tensor[raised[axis, index[t, s]]]
                result[axis] += np.einsum("ak,akj->j", push, separation)
        return result

    @property
    def transposed(self) -> "DirectSum":
        """Targets and sources exchanged."""
        return DirectSum(self._sources, self._targets, self._kernel, self._own_site)

    def _contract(self, moments: FloatArray, source_order: int, target_order: int) -> FloatArray:
        """∂_y^t of the potential of Cartesian moments: (N_t, n_monomials(target_order))."""
        signed = moments * parities(source_order)
        index = sum_index(target_order, source_order)
        result = np.zeros((len(self._targets), monomial_count(target_order)))
        for rows, _, tensor in self._blocks(target_order + source_order):
            for t in range(index.shape[0]):
                for s in range(index.shape[1]):
                    result[rows, t] += tensor[index[t, s]] @ signed[:, s]
        return result

    def _blocks(self, order: int) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Rows of targets, X (b, N_s, 3) and ∂_X^t v (n_t, b, N_s), own pairs zero."""
        number = len(self._targets)
        step = max(1, _BLOCK_NUMBERS // (monomial_count(order) * len(self._sources)))
        for start in range(0, number, step):
            rows = slice(start, min(start + step, number))
            separation = (
                self._targets.positions[rows, None, :] - self._sources.positions[None, :, :]
            )
            squared = np.einsum("aki,aki->ak", separation, separation)
            variance = self._targets.variances[rows, None] + self._sources.variances[None, :]
            local = np.arange(separation.shape[0])
            if self._own_site:
                squared[local, rows.start + local] = 1.0
            self._check_points(rows.start, squared, variance)
            tensor = derivative_tensors(
                self._kernel.derivatives(order, variance, squared), separation
            )
            if self._own_site:
                tensor[:, local, rows.start + local] = 0.0
            yield rows, separation, tensor

    def _check_points(self, start: int, squared: FloatArray, variance: FloatArray) -> None:
        touching = (squared == 0.0) & (variance == 0.0)
        if np.any(touching):
            row, column = np.argwhere(touching)[0]
            raise InputError(
                f"point target {start + row} lies on point source {column}: "
                "their interaction is infinite"
            )
