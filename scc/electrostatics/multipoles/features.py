r"""Potential features (4.1): projections of the potential on Gaussian multipoles at the atoms.

    v̂_{ℓ,nλµ} = ∫ V(x) ψ_nλµ(x − r_ℓ) dx,    V = v_C n,

ψ_nλµ of width σ_n and unit multipole moment, so v̂ ≈ V(r_ℓ) for λ = 0 and ≈ ∇V (order y, z, x) for
λ = 1. As an operator on the multipoles p and the positions r, v̂ = K(r) p; equilibration and fits
differentiate through it, so its products with vectors from both sides are here.

With self-interaction, v̂ sees the atom's own Gaussian, and for ψ = φ the operator K is the
symmetric positive semi-definite matrix of the Coulomb energy. Without it the own-site blocks vanish
*exactly* (in open boundaries; an atom's periodic images are other atoms); K then has zero trace and
is indefinite: fixed-point iterations and minimisations that rely on positivity may not be used
with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.interaction import Field, Interaction
from scc.electrostatics.multipoles.sites import Sites, checked_coefficients
from scc.errors import InputError


class PotentialFeatures:
    """v̂ = K p + v̂_external at one geometry; made by ``MultipoleElectrostatics.features``.

    Features have shape (M, n_widths·(λ_max+1)²), index n(λ_max+1)² + λ² + λ + µ for width n.
    """

    def __init__(
        self,
        sources: Sites,
        l_max: int,
        layers: Sequence[Interaction],
        external: Sequence[Field],
    ) -> None:
        self._sources, self._layers, self._external = sources, tuple(layers), tuple(external)
        self._components = (l_max + 1) ** 2
        self.n_features = len(self._layers) * self._components

    def __call__(self, multipoles: FloatArray) -> FloatArray:
        """v̂ (M, n_features), Hartree/(e bohr^λ), for multipoles p (M, (l_max+1)²)."""
        values = self.jvp_multipoles(multipoles)
        return values + self._join([field.potential for field in self._external])

    def jvp_multipoles(self, change: FloatArray) -> FloatArray:
        """dv̂ = K dp, (M, n_features)."""
        change = checked_coefficients(change, self._sources)
        return self._join([layer.potential(change) for layer in self._layers])

    def vjp_multipoles(self, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, v̂⟩/∂p = Kᵀ w, (M, (l_max+1)²), for w (M, n_features)."""
        pieces = self._split(cotangent)
        return np.asarray(
            sum(
                layer.transposed.potential(piece)
                for layer, piece in zip(self._layers, pieces, strict=True)
            )
        )

    def jvp_positions(self, multipoles: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_m dr_m·∂v̂/∂r_m at fixed p, (M, n_features); dr (M, 3). External charges stay."""
        multipoles = checked_coefficients(multipoles, self._sources)
        displacement = self._checked_displacement(displacement)
        changes = []
        for layer, outside in zip(self._layers, self._external, strict=True):
            gradient = layer.field(multipoles).gradient + outside.gradient
            change = np.einsum("aci,ai->ac", gradient, displacement)
            changes.append(change + layer.moved(multipoles, displacement))
        return self._join(changes)

    def vjp_positions(self, multipoles: FloatArray, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, v̂⟩/∂r_m at fixed p, (M, 3), for w (M, n_features)."""
        multipoles = checked_coefficients(multipoles, self._sources)
        result = np.zeros((len(self._sources), 3))
        pieces = self._split(cotangent)
        for layer, outside, piece in zip(self._layers, self._external, pieces, strict=True):
            gradient = layer.field(multipoles).gradient + outside.gradient
            result += np.einsum("ac,aci->ai", piece, gradient)
            back = layer.transposed.field(piece).gradient
            result += np.einsum("ac,aci->ai", multipoles, back)
        return result

    def strain_gradient(self, multipoles: FloatArray, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, v̂⟩/∂ε_ij, (3, 3), at x → (1+ε)x of atoms and cell, p and widths fixed.

        Raises:
            InputError: in external fields, which a strain of the system leaves undefined.
        """
        if any(np.any(field.potential) or np.any(field.gradient) for field in self._external):
            raise InputError("the strain derivative is not defined in an external field")
        multipoles = checked_coefficients(multipoles, self._sources)
        pieces = self._split(cotangent)
        return np.asarray(
            sum(
                layer.strain(piece, multipoles)
                for layer, piece in zip(self._layers, pieces, strict=True)
            )
        )

    def _join(self, pieces: Sequence[FloatArray]) -> FloatArray:
        return np.concatenate(pieces, axis=1)

    def _split(self, cotangent: FloatArray) -> list[FloatArray]:
        cotangent = np.asarray(cotangent, dtype=np.float64)
        expected = (len(self._sources), self.n_features)
        if cotangent.shape != expected:
            raise InputError(f"cotangent has shape {cotangent.shape}, expected {expected}")
        if not np.all(np.isfinite(cotangent)):
            raise InputError("cotangent has values that are not finite")
        return [
            np.ascontiguousarray(cotangent[:, n : n + self._components])
            for n in range(0, self.n_features, self._components)
        ]

    def _checked_displacement(self, displacement: FloatArray) -> FloatArray:
        displacement = np.asarray(displacement, dtype=np.float64)
        expected = (len(self._sources), 3)
        if displacement.shape != expected or not np.all(np.isfinite(displacement)):
            raise InputError(
                f"displacement must be finite, of shape {expected}, found {displacement.shape}"
            )
        return displacement
