r"""What multiplies e^{ik·(y − r)} in a sum over wave vectors, for each boundary condition.

Two smooth Gaussians of joint variance W interact by

    v_W(y − r) = Σ_k G(k) e^{−k²W/2} e^{ik·(y−r)},      k ∈ 2π (cell)^{-T} Z³ ,

where ``cell`` is the lattice itself in periodic boundaries and a box in directions that do not
repeat. There G is the transform of an interaction cut off at a distance R: no site then sees
another one's copy in the next box, and inside the box nothing has changed. With D the extent of all
sites together, the smeared interaction of a pair reaches t ("tail") beyond D and the copies stay
away if

    R ≥ D + t,      box ≥ D + R + t,

the error being what of a Gaussian of variance W lies farther than t from its centre: the potential
of a unit charge misses at most

    8 (1 + t/√W) e^{−t²/2W} × 1/√W  (free),      × [1/√W + 2πR/A]  (slab, A the area of its cell),

and every further derivative (multipole, force) multiplies that by about t/W.

References: C. A. Rozzi et al., Phys. Rev. B 73, 205119 (2006) (cut-off in one and three
directions); C. W. Hockney, Methods Comput. Phys. 9, 135 (1970) (the doubled box).
"""

import math
from typing import Protocol

import numpy as np
from scipy.special import gammainc

from scc.arrays import FloatArray
from scc.errors import InputError


class ReciprocalKernel(Protocol):
    """G of the module docstring, the factor 1/Ω of ``cell`` included. Hartree, bohr."""

    @property
    def cell(self) -> FloatArray:
        """(3, 3), one vector a row: the sum runs over its reciprocal lattice."""

    @property
    def projector(self) -> FloatArray:
        """P (3, 3) on the directions that repeat: identity, the plane of a slab, or zero."""

    @property
    def squared_screening(self) -> float:
        """κ², bohr⁻²: the Gaussian factors of a screened sum are e^{−(k²+κ²)W/2}."""

    def values(self, vectors: FloatArray) -> FloatArray:
        """G (...) at k (..., 3), k = 0 included."""

    def slopes(self, vectors: FloatArray) -> FloatArray:
        """s (...) such that ∂G/∂ε_ij = −P_ij G + s (Pk)_i (Pk)_j for a strain ε = PεP.

        The cell and the wave vectors follow the strain, k → (1 − εᵀ)k; box lengths and R in the
        directions that do not repeat stay.
        """


class PeriodicKernel:
    """G = 4π/(Ω(k² + κ²)); without screening G(0) = 0, every potential having zero cell average.

    Args:
        cell: (3, 3), bohr.
        screening: κ ≥ 0, bohr⁻¹.
    Raises:
        InputError: cell vectors in one plane; κ < 0 or not finite.
    """

    def __init__(self, cell: FloatArray, screening: float = 0.0) -> None:
        self.cell = np.array(cell, dtype=np.float64)
        self.projector = np.eye(3)
        self.squared_screening = _checked_length(screening, "screening") ** 2
        self._volume = _volume(self.cell)

    def values(self, vectors: FloatArray) -> FloatArray:
        """See :class:`ReciprocalKernel`."""
        return np.asarray(4.0 * np.pi / self._volume * self._propagator(vectors))

    def slopes(self, vectors: FloatArray) -> FloatArray:
        """s = −2 ∂G/∂(k²) = 8π/(Ω(k² + κ²)²)."""
        return np.asarray(8.0 * np.pi / self._volume * self._propagator(vectors) ** 2)

    def _propagator(self, vectors: FloatArray) -> FloatArray:
        """1/(k² + κ²), and 0 in place of 1/0."""
        squared = np.einsum("...i,...i->...", vectors, vectors) + self.squared_screening
        return np.where(squared > 0.0, 1.0, 0.0) / np.where(squared > 0.0, squared, 1.0)


class SlabKernel:
    r"""Two directions repeat, the third is open: e^{−γ|z|}/γ cut off at |z| = R, γ² = k∥² + κ².

        G = 4π/(Ω(γ² + k_z²)) [1 − e^{−γR} cos k_zR],      R = L/2,  L = 2(D + t) ,

    L the length of the box along the normal, for which sin k_zR = 0. Without screening the terms
    k∥ = 0 are those of −2π|z|/A, hence G(0) = −2πR²/Ω; a charged slab so gets the energy in that
    potential, whose zero is arbitrary.

    Args:
        plane: (2, 3), the two lattice vectors, of any orientation, bohr.
        extent: D, largest distance of two sites (targets and sources together) along the normal.
        tail: t of the module docstring.
        screening: κ ≥ 0, bohr⁻¹.
    Raises:
        InputError: parallel vectors; D < 0, t ≤ 0 or κ < 0, or not finite.
    """

    def __init__(
        self, plane: FloatArray, extent: float, tail: float, screening: float = 0.0
    ) -> None:
        plane = np.array(plane, dtype=np.float64)
        self._radius = _checked_length(extent, "extent") + _checked_tail(tail)
        self._normal = unit_normal(plane)
        self.cell = np.vstack([plane, 2.0 * self._radius * self._normal])
        self.projector = np.eye(3) - np.outer(self._normal, self._normal)
        self.squared_screening = _checked_length(screening, "screening") ** 2
        self._volume = _volume(self.cell)

    @classmethod
    def covering(
        cls, plane: FloatArray, positions: FloatArray, tail: float, screening: float = 0.0
    ) -> "SlabKernel":
        """The kernel whose extent is that of ``positions`` (N, 3), all targets and sources."""
        height = positions @ unit_normal(np.asarray(plane, dtype=np.float64))
        return cls(plane, float(np.ptp(height)) if len(height) else 0.0, tail, screening)

    def values(self, vectors: FloatArray) -> FloatArray:
        """See :class:`ReciprocalKernel`."""
        gamma, squared, decay, parity = self._parts(vectors)
        # 1 − e^{−γR}(±1) without cancellation at small γR
        bracket = np.where(parity > 0.0, -np.expm1(-gamma * self._radius), 1.0 + decay)
        origin = squared == 0.0
        result = 4.0 * np.pi * bracket / np.where(origin, 1.0, squared)
        result = np.where(origin, -2.0 * np.pi * self._radius**2, result)
        return np.asarray(result / self._volume)

    def slopes(self, vectors: FloatArray) -> FloatArray:
        """s = −(1/γ) ∂G/∂γ = 4π/Ω [2(1 − e^{−γR}cos)/K⁴ − R e^{−γR}cos/(γK²)], K² = γ² + k_z².

        At γ = 0 it is not needed, since Pk = 0: 0 is returned.
        """
        gamma, squared, decay, parity = self._parts(vectors)
        bracket = np.where(parity > 0.0, -np.expm1(-gamma * self._radius), 1.0 + decay)
        flat = gamma == 0.0
        squared, gamma = np.where(flat, 1.0, squared), np.where(flat, 1.0, gamma)
        result = 2.0 * bracket / squared**2 - self._radius * decay * parity / (gamma * squared)
        return np.where(flat, 0.0, 4.0 * np.pi / self._volume * result)

    def _parts(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """γ, K² = γ² + k_z², e^{−γR}, cos k_zR = ±1."""
        normal_part = vectors @ self._normal
        in_plane = vectors - normal_part[..., None] * self._normal
        squared = np.einsum("...i,...i->...", in_plane, in_plane) + self.squared_screening
        gamma = np.sqrt(squared)
        parity = 1.0 - 2.0 * np.mod(np.rint(normal_part * self._radius / np.pi), 2.0)
        return gamma, squared + normal_part**2, np.exp(-gamma * self._radius), parity


class FreeKernel:
    r"""No direction repeats: e^{−κr}/r cut off at r = R, in a box with axes along x, y, z.

        G = 4π/(Ω(k² + κ²)) [1 − e^{−κR}(cos kR + (κ/k) sin kR)]      (κ = 0: 8π sin²(kR/2)/Ωk²)

    R = (largest distance of two sites) + t, box lengths D_i + R + t.

    Args:
        extent: (D_x, D_y, D_z), extents of all sites, targets and sources together, bohr.
        tail: t of the module docstring.
        screening: κ ≥ 0, bohr⁻¹.
        diameter: a bound on the distance of any two sites where one smaller than the diagonal
            √(D_x² + D_y² + D_z²) is known.
    Raises:
        InputError: D < 0, t ≤ 0, κ < 0, diameter < 0, or not finite.
    """

    def __init__(
        self,
        extent: FloatArray,
        tail: float,
        screening: float = 0.0,
        diameter: float | None = None,
    ) -> None:
        lengths = np.array([_checked_length(float(d), "extent") for d in extent])
        longest = float(np.linalg.norm(lengths))
        if diameter is not None:
            longest = min(longest, _checked_length(diameter, "diameter"))
        self._radius = longest + _checked_tail(tail)
        self._screening = _checked_length(screening, "screening")
        self.squared_screening = self._screening**2
        self.cell = np.diag(lengths + self._radius + tail)
        self.projector = np.zeros((3, 3))
        self._volume = _volume(self.cell)

    @classmethod
    def covering(cls, positions: FloatArray, tail: float, screening: float = 0.0) -> "FreeKernel":
        """The kernel for ``positions`` (N, 3), all targets and sources."""
        if len(positions) == 0:
            return cls(np.zeros(3), tail, screening)
        low, high = positions.min(axis=0), positions.max(axis=0)
        distance = np.linalg.norm(positions - 0.5 * (low + high), axis=1)
        return cls(high - low, tail, screening, 2.0 * float(distance.max()))

    def values(self, vectors: FloatArray) -> FloatArray:
        """See :class:`ReciprocalKernel`."""
        length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
        a, b = self._screening * self._radius, length * self._radius
        if a == 0.0:
            return np.asarray(
                2.0 * np.pi * self._radius**2 / self._volume * np.sinc(b / (2.0 * np.pi)) ** 2
            )
        # 1 − e^{−a}(cos b + a sin b/b) as a sum of positive terms; 1 − e^{−a}(1 + a) = P(2, a)
        bracket = gammainc(2.0, a) + math.exp(-a) * (
            2.0 * np.sin(0.5 * b) ** 2 + a * _one_minus_sinc(b)
        )
        return np.asarray(4.0 * np.pi / self._volume * bracket / (length**2 + self._screening**2))

    def slopes(self, vectors: FloatArray) -> FloatArray:
        """Zero: the box does not follow a strain of the sites."""
        return np.zeros(np.shape(vectors)[:-1])


def unit_normal(plane: FloatArray) -> FloatArray:
    """a₁ × a₂/|a₁ × a₂| of the rows of a (2, 3) array.

    Raises:
        InputError: another shape, parallel vectors, or a value that is not finite.
    """
    if plane.shape != (2, 3) or not np.all(np.isfinite(plane)):
        raise InputError(f"a slab needs two finite lattice vectors (2, 3), found {plane.tolist()}")
    normal = np.cross(plane[0], plane[1])
    area = float(np.linalg.norm(normal))
    if not area > 1e-12 * float(np.linalg.norm(plane[0]) * np.linalg.norm(plane[1])):
        raise InputError(f"lattice vectors {plane.tolist()} of the slab are parallel")
    return np.asarray(normal / area)


def _volume(cell: FloatArray) -> float:
    if cell.shape != (3, 3) or not np.all(np.isfinite(cell)):
        raise InputError(f"cell must be (3, 3) and finite, found {cell.tolist()}")
    volume = float(abs(np.linalg.det(cell)))
    if not volume > 1e-12 * float(np.prod(np.linalg.norm(cell, axis=1))):
        raise InputError(f"cell vectors {cell.tolist()} lie in one plane")
    return volume


def _checked_length(value: float, name: str) -> float:
    if not 0.0 <= value < math.inf:
        raise InputError(f"{name} is {value}, must be finite and ≥ 0")
    return value


def _checked_tail(tail: float) -> float:
    if not 0.0 < tail < math.inf:
        raise InputError(f"tail is {tail}, must be finite and > 0")
    return tail


def _one_minus_sinc(b: FloatArray) -> FloatArray:
    """1 − sin b/b; its series below 1/2, where the difference would cancel."""
    small = b < 0.5
    square = np.where(small, b * b, 0.0)
    series = np.zeros_like(square)
    for n in range(7, 0, -1):  # b²/6 (1 − b²/20 (1 − …)); the first term left out is below 1e-18
        series = square / ((2 * n) * (2 * n + 1)) * (1.0 - series)
    return np.where(small, series, 1.0 - np.sinc(b / np.pi))
