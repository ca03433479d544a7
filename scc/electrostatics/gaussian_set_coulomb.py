r"""Coulomb energy between atoms that carry several concentric Gaussian charges each.

Atom ℓ has the density n_ℓ = Σ_a D_ℓa m(x − r_ℓ; σ_ℓa), D (M, K), electrons in excess. The energy of
*different* atoms (images of an atom are different atoms) is

    E(D) = ½ Σ_{ℓ≠k} Σ_ab D_ℓa D_kb erf(τ_ab r_ℓk)/r_ℓk + (external),  τ_ab = 1/√(2(σ_ℓa² + σ_kb²)).

What an atom does to itself is left to the model (its hardness), so the form is not positive.

Evaluation. Far away only the charges Q_ℓ = Σ_a D_ℓa count: with one Gaussian of width w an atom,

    E = E_w(Q) − own + ½ Σ_{pairs} Σ_ab D_ℓa D_kb [erf(τ_ab r) − erf(r/2w)]/r ,

E_w being :class:`.multipole_coulomb.MultipoleCoulomb` (any boundary condition; mesh), and the pairs
those within the reach of the bracket: all of them for small clusters. In three periodic directions
a potential has zero cell average for E_w; the Gaussians of one atom differ in width, which adds
(2π/Ω)(σ_ℓa² + σ_kb² − 2w²) D_ℓa D_kb for each pair, so that the convention is the usual one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from ase.neighborlist import primitive_neighbor_list

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.radial import coulomb_radial, coulomb_radial_slope
from scc.errors import InputError

ALL_PAIRS = 1000
"""Atoms in open boundaries up to which no pair is left out, whatever the reach."""

_TILE = 1 << 19  # numbers in the arrays of one tile
_KEPT = 1 << 26  # numbers kept between applications: 512 MB


class GaussianSetCoulomb:
    """A :class:`scc.functional.terms.DensityTerm` on D (M, K); see the module docstring.

    Args:
        configuration: positions, cell.
        widths: σ_ℓa (M, K), bohr, > 0.
        reach: bohr; beyond it the atoms are to each other as their charges are. What that neglects
            is the model's knowledge: how far its densities with the wide Gaussians' weights reach.
        external: fields and charges, in the sign of ρ − ν; charges count as seen by width w.
        tolerance: of the far part where it is not exact.
    Raises:
        InputError: widths of another shape or not positive; as MultipoleCoulomb.
    """

    convex = False  # an atom's own energy is left out

    def __init__(
        self,
        configuration: Configuration,
        widths: FloatArray,
        reach: float,
        *,
        external: Sequence[UniformField | ExternalCharges] = (),
        tolerance: float = 1e-10,
    ) -> None:
        if widths.ndim != 2 or len(widths) != len(configuration) or not np.all(widths > 0.0):
            raise InputError(
                f"Gaussian sets need positive widths (M, K), found shape {widths.shape} for "
                f"{len(configuration)} atoms"
            )
        self._configuration = configuration
        self._variances = widths**2
        self._far_width = 1.0
        self._far = MultipoleCoulomb(
            configuration, self._far_width, external=external, tolerance=tolerance
        )
        open_boundary = not any(configuration.periodic)
        if open_boundary and len(configuration) <= ALL_PAIRS:
            reach = np.inf
        self._first, self._second, self._arms = _neighbours(configuration, reach)
        self._background = 0.0
        if all(configuration.periodic):
            assert configuration.cell is not None
            self._background = 2.0 * np.pi / float(abs(np.linalg.det(configuration.cell)))

    def energy(self, density: FloatArray) -> float:
        """E(D), Hartree."""
        charges = density.sum(axis=1)
        far = self._far.energy(charges) - 0.5 * float(charges @ (self._own * charges))
        return far + 0.5 * float(np.vdot(density, self._near(density)))

    def potential(self, density: FloatArray) -> FloatArray:
        """V = ∂E/∂D (M, K): what an electron in each Gaussian feels from other atoms."""
        charges = density.sum(axis=1)
        far = self._far.potential(charges) - self._own * charges
        return np.asarray(far[:, None] + self._near(density))

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """J dD, (M, K)."""
        charges = direction.sum(axis=1)
        far = self._far.kernel(charges, charges) - self._own * charges
        return np.asarray(far[:, None] + self._near(direction))

    def position_gradient(self, density: FloatArray) -> FloatArray:
        """∂E/∂r at fixed D, (M, 3), Hartree/bohr."""
        gradient = self._far.position_gradient(density.sum(axis=1))
        for pairs, slope in self._tiles(coulomb_radial_slope, self._kept_slopes):
            i, j = self._first[pairs], self._second[pairs]
            strength = np.einsum("pab,pa,pb->p", slope, density[i], density[j], optimize=True)
            push = strength[:, None] * self._arms[pairs]  # ½ from counting twice, 2 from both ends
            np.add.at(gradient, j, 0.5 * push)
            np.add.at(gradient, i, -0.5 * push)
        return gradient

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂V/∂r·dr at fixed D, (M, K)."""
        far = self._far.potential_position_jvp(density.sum(axis=1), displacement)
        change = np.repeat(far[:, None], density.shape[1], axis=1)
        for pairs, slope in self._tiles(coulomb_radial_slope, self._kept_slopes):
            i, j = self._first[pairs], self._second[pairs]
            stretch = np.sum(self._arms[pairs] * (displacement[j] - displacement[i]), axis=1)
            moved = np.einsum("pab,pb->pa", slope, density[j] * stretch[:, None], optimize=True)
            np.add.at(change, i, moved)
        return change

    def site_energies(self, density: FloatArray) -> None:
        """None: electrostatics is the non-local part."""
        return None

    @cached_property
    def _own(self) -> FloatArray:
        """What E_w has an atom do to itself, (M,)."""
        return np.asarray(self._far.own)

    def _near(self, density: FloatArray) -> FloatArray:
        """The bracket's part of V, and the cell averages."""
        result = np.zeros_like(density)
        for pairs, values in self._tiles(coulomb_radial, self._kept_values):
            i, j = self._first[pairs], self._second[pairs]
            np.add.at(result, i, np.einsum("pab,pb->pa", values, density[j], optimize=True))
        if self._background:
            wide = self._variances - self._far_width**2
            result += self._background * (wide * density.sum() + float(np.sum(wide * density)))
        return result

    @cached_property
    def _kept_values(self) -> list[FloatArray] | None:
        return [] if self._is_small else None

    @cached_property
    def _kept_slopes(self) -> list[FloatArray] | None:
        return [] if self._is_small else None

    @property
    def _is_small(self) -> bool:
        return bool(len(self._first) * self._variances.shape[1] ** 2 <= _KEPT)

    def _tiles(
        self, radial: object, kept: list[FloatArray] | None
    ) -> Iterator[tuple[slice, FloatArray]]:
        """Some pairs at a time, with the bracket's values or slopes (pairs, K, K)."""
        assert callable(radial)
        step = max(1, _TILE // self._variances.shape[1] ** 2)
        fill = kept is not None and not kept
        for number, start in enumerate(range(0, len(self._first), step)):
            pairs = slice(start, min(start + step, len(self._first)))
            if kept is not None and not fill:
                yield pairs, kept[number]
                continue
            distance = np.linalg.norm(self._arms[pairs], axis=1)[:, None, None]
            i, j = self._first[pairs], self._second[pairs]
            variance = self._variances[i][:, :, None] + self._variances[j][:, None, :]
            values = radial(distance, 1.0 / np.sqrt(2.0 * variance))
            values = values - radial(distance, 0.5 / self._far_width)
            if fill and kept is not None:
                kept.append(values)
            yield pairs, values


def _neighbours(
    configuration: Configuration, reach: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """Ordered pairs (i, j), images included, with r_j − r_i within ``reach``."""
    number = len(configuration)
    if np.isinf(reach):
        i, j = np.nonzero(~np.eye(number, dtype=bool))
        arms = configuration.positions[j] - configuration.positions[i]
        return i.astype(np.int64), j.astype(np.int64), arms
    cell = np.eye(3) if configuration.cell is None else configuration.cell
    i, j, arms = primitive_neighbor_list(  # type: ignore[no-untyped-call]
        "ijD", configuration.periodic, cell, configuration.positions, reach
    )
    return np.asarray(i, np.int64), np.asarray(j, np.int64), np.asarray(arms, np.float64)
