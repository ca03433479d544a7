r"""The projection closure v̂ = K(r) p + v̂_ext and the energy E_H[p], one object per geometry.

Atoms carry multipoles p (M, 9), λ ≤ 2, of n = ρ − ν, all of one Gaussian width σ_ρ. The operator
takes them to the projections (4.1) of their potential on probes of widths σ_1…σ_N, λ ≤ l_max,

    v̂ = K(r) p + v̂_ext,        (M, F),  F = N (l_max+1)²,  index n(l_max+1)² + λ² + λ + µ,

and to their energy

    E_H(r, p) = ½ ⟨p, J(r) p⟩ + ⟨p, U_ext(r)⟩,    V = ∂E_H/∂p = J p + U_ext,

both with self-interaction: J, and K where the probe has the width σ_ρ and the same λ, are symmetric
positive semi-definite, and V is the projection on the density's own functions. Everything that an
equilibration, its forces and a fit ask of the two is here, the same whatever the size and the
boundary: :class:`.pairwise_projection.PairwiseProjection` for clusters,
:class:`.summed_projection.SummedProjection` for the rest.

Units Hartree, bohr, e. V is what an electron feels: external *physical* charges q > 0 attract,
see :func:`scc.electrostatics.multipoles.external.physical_charges`. Their mutual energy is not in
E_H. External charges do not move with the atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.pair_blocks import LARGEST_L
from scc.electrostatics.multipoles.pairwise_projection import PairwiseProjection
from scc.electrostatics.multipoles.sites import checked_widths
from scc.electrostatics.multipoles.summed_projection import SummedProjection
from scc.errors import InputError

LARGEST_PAIRWISE = 3000
"""Atoms up to which sums over all pairs are the fastest in open boundaries."""


class ProjectionOperator(Protocol):
    """v̂ = K p + v̂_ext and E_H at one geometry; see the module docstring. Atoms M, features F."""

    configuration: Configuration
    n_features: int

    @property
    def external(self) -> FloatArray:
        """v̂_ext (M, F)."""
        ...

    def apply(self, multipoles: FloatArray) -> FloatArray:
        """K p, (M, F), without v̂_ext."""
        ...

    def transpose(self, cotangent: FloatArray) -> FloatArray:
        """Kᵀ w, (M, 9), for w (M, F)."""
        ...

    def jvp_positions(self, multipoles: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_m dr_m·∂(K p + v̂_ext)/∂r_m at fixed p, (M, F)."""
        ...

    def vjp_positions(self, multipoles: FloatArray, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, K p + v̂_ext⟩/∂r at fixed p, (M, 3)."""
        ...

    def energy(self, multipoles: FloatArray) -> float:
        """E_H(p), external energy included, Hartree."""
        ...

    def potential(self, multipoles: FloatArray) -> FloatArray:
        """V = ∂E_H/∂p = J p + U_ext, (M, 9)."""
        ...

    def kernel(self, multipoles: FloatArray) -> FloatArray:
        """J p, (M, 9): the linear part of :meth:`potential`."""
        ...

    def forces_fixed_p(self, multipoles: FloatArray) -> FloatArray:
        """−∂E_H/∂r at fixed p, (M, 3)."""
        ...

    def position_gradient(self, multipoles: FloatArray, cotangent: FloatArray | None) -> FloatArray:
        """∂[E_H + ⟨w, K p + v̂_ext⟩]/∂r at fixed p, (M, 3), as one sum; w (M, F) or None for 0."""
        ...

    def potential_jvp_positions(
        self, multipoles: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        """Σ_m dr_m·∂V/∂r_m at fixed p, (M, 9)."""
        ...

    @property
    def matrix(self) -> FloatArray:
        """K dense, (M F, 9 M), row a F + feature, column b 9 + component."""
        ...

    @property
    def energy_matrix(self) -> FloatArray:
        """J dense, (9 M, 9 M)."""
        ...

    def position_jacobian(self, multipoles: FloatArray) -> FloatArray:
        """∂(K p + v̂_ext)/∂r at fixed p, dense: (M F, 3 M), column 3 m + axis."""
        ...


def projection_operator(
    configuration: Configuration,
    density_width: float,
    widths: Sequence[float],
    l_max: int,
    *,
    external: Sequence[UniformField | ExternalCharges] = (),
    tolerance: float = 1e-10,
    method: str = "auto",
) -> ProjectionOperator:
    """The operator for a configuration, whatever its size and boundary.

    Args:
        density_width: σ_ρ > 0, bohr.
        widths, l_max: σ_n ≥ 0, bohr, and largest λ ∈ {0, 1, 2} of the probes; no widths, F = 0.
        external: fields and charges, in the sign of ρ − ν.
        tolerance: relative error of energy and forces where they are not exact to rounding, see
            :class:`.electrostatics.MultipoleElectrostatics`.
        method: "auto", by which open clusters of up to 3000 atoms are summed over kept matrices of
            all pairs; or a method of :class:`.electrostatics.MultipoleElectrostatics`.
    Raises:
        InputError: any of these out of its range.
    """
    if l_max not in range(LARGEST_L + 1):
        raise InputError(f"probe l_max is {l_max}, must be one of 0, 1, …, {LARGEST_L}")
    sigma = checked_widths(np.asarray(widths, dtype=np.float64), len(widths), "feature")
    if not 0.0 < density_width < np.inf:
        raise InputError(f"density width is {density_width}, must be finite and > 0")
    small = len(configuration) <= LARGEST_PAIRWISE and not any(configuration.periodic)
    if method == "auto" and small:
        return PairwiseProjection(configuration, density_width, sigma, l_max, external)
    return SummedProjection(configuration, density_width, sigma, l_max, external, tolerance, method)
