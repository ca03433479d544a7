r"""Two-centre overlaps of Slater s and p orbitals, each expanded in three Gaussians.

A Slater orbital r^{n-1} e^{-ζr} Y_lμ is replaced by Σ_i d_i N_i e^{-α_i ζ² r²} (times y, z, x for
l = 1), with Stewart's least-squares α, d for ζ = 1 (slater_expansions.json, J. Chem. Phys. 52
(1970) 431).  For two primitives e^{-a|x-A|²}, e^{-b|x-B|²} and D = B - A, p = a + b,

    ⟨s|s⟩ = S_0 = (π/p)^{3/2} e^{-(ab/p) D²}
    ⟨s|p_ν⟩  = (1/2b) ∂S_0/∂B_ν  = -(a/p) D_ν S_0
    ⟨p_μ|s⟩  = (1/2a) ∂S_0/∂A_μ  = +(b/p) D_μ S_0
    ⟨p_μ|p_ν⟩ = (1/4ab) ∂²S_0/∂A_μ∂B_ν = [δ_μν/2p - (ab/p²) D_μ D_ν] S_0 .

So each pair of shells has radial functions g(r), sums of nine Gaussians, and a block of the form

    ss: g        sp: g D_ν        ps: g D_μ        pp: g δ_μν + g' D_μ D_ν ,

smooth at D = 0.  In the notation of Slater and Koster (Phys. Rev. 94 (1954) 1498):
ssσ = g, spσ = r g, psσ = r g, ppπ = g, ppσ = g + r² g'.

Orbital order within a shell is that of the real solid harmonics R_1 = (y, z, x), μ = -1, 0, 1.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError

_CARTESIAN = [1, 2, 0]  # μ = -1, 0, 1 → y, z, x

RadialFactor = tuple[FloatArray, FloatArray]
"""A function w(r) at the distances of the pairs: its values and w'(r)/r, each (P,)."""


@dataclass(frozen=True)
class SlaterShell:
    """Slater shell: principal quantum number n = 1…3, l = 0 or 1, exponent ζ in bohr⁻¹.

    Raises:
        InputError: from :meth:`primitives`, for a shell without tabulated expansion.
    """

    n: int
    l: int  # noqa: E741 - the field's symbol
    exponent: float

    @property
    def size(self) -> int:
        """Number of orbitals, 2l + 1."""
        return 2 * self.l + 1

    def primitives(self) -> tuple[FloatArray, FloatArray]:
        """Exponents (3,) in bohr⁻², and coefficients (3,) of bare e^{-ar²} or (y, z, x) e^{-ar²}.

        The contraction is normalised to one to machine precision.
        """
        label = f"{self.n}{'spdf'[self.l]}"
        table = _expansions()
        if label not in table:
            raise InputError(f"no Gaussian expansion of a {label} Slater orbital")
        exponents = np.array(table[label]["exponents"]) * self.exponent**2
        # ∫ e^{-2ar²} = (π/2a)^{3/2};  ∫ x² e^{-2ar²} = (π/2a)^{3/2}/4a
        norms = (2.0 * exponents / np.pi) ** 0.75 * (2.0 * np.sqrt(exponents)) ** self.l
        coefficients = np.array(table[label]["coefficients"]) * norms
        total = exponents[:, None] + exponents[None, :]
        overlap = (np.pi / total) ** 1.5 * (0.5 / total) ** self.l
        return exponents, coefficients / np.sqrt(coefficients @ overlap @ coefficients)


def overlap_blocks(
    first: SlaterShell,
    second: SlaterShell,
    displacement: FloatArray,
    factor: Callable[[FloatArray], RadialFactor] | None = None,
    gradient: bool = False,
) -> tuple[FloatArray, FloatArray | None]:
    """w(r) ⟨first at 0 | second at D⟩ and its gradient in D.

    Args:
        first, second: the shells, with n₁ and n₂ orbitals.
        displacement: D (P, 3), bohr.
        factor: r (P,) ↦ (w, w'/r), for instance a cut-off; None for w = 1.
        gradient: whether to compute the second result.
    Returns:
        Blocks (P, n₁, n₂), and gradients (P, n₁, n₂, 3) in bohr⁻¹ or None.
    """
    radial, slopes = _radial_functions(first, second, displacement, factor)
    d = displacement[:, _CARTESIAN]
    unit = np.eye(3)
    count = len(displacement)
    if first.l == 0 and second.l == 0:
        if not gradient:
            return radial[0][:, None, None], None
        return radial[0][:, None, None], (slopes[0][:, None] * displacement)[:, None, None, :]
    # Rows of the identity in the orbital order: ∂D_μ/∂D_α.
    turn = unit[_CARTESIAN]
    if first.l + second.l == 1:
        line = radial[0][:, None] * d
        shape = (count, first.size, second.size)
        if not gradient:
            return line.reshape(shape), None
        change = slopes[0][:, None, None] * d[:, :, None] * displacement[:, None, :]
        change += radial[0][:, None, None] * turn
        return line.reshape(shape), change.reshape(*shape, 3)
    pair = d[:, :, None] * d[:, None, :]
    blocks = radial[0][:, None, None] * unit + radial[1][:, None, None] * pair
    if not gradient:
        return blocks, None
    isotropic = slopes[0][:, None, None] * unit + slopes[1][:, None, None] * pair
    change = isotropic[..., None] * displacement[:, None, None, :]
    rotating = turn[None, :, None, :] * d[:, None, :, None]
    rotating = rotating + turn[None, None, :, :] * d[:, :, None, None]
    return blocks, change + radial[1][:, None, None, None] * rotating


def _radial_functions(
    first: SlaterShell,
    second: SlaterShell,
    displacement: FloatArray,
    factor: Callable[[FloatArray], RadialFactor] | None,
) -> tuple[list[FloatArray], list[FloatArray]]:
    """The radial functions w g of the module docstring and their (1/r) d/dr, at each pair."""
    decay, amplitudes = _gaussian_sums(first, second)
    squared = np.sum(displacement**2, axis=1)
    gaussians = np.exp(-squared[:, None] * decay)
    values = [gaussians @ amplitude for amplitude in amplitudes]
    slopes = [gaussians @ (-2.0 * decay * amplitude) for amplitude in amplitudes]
    if factor is not None:
        weight, weight_slope = factor(np.sqrt(squared))
        slopes = [s * weight + v * weight_slope for v, s in zip(values, slopes, strict=True)]
        values = [v * weight for v in values]
    return values, slopes


@cache
def _gaussian_sums(first: SlaterShell, second: SlaterShell) -> tuple[FloatArray, list[FloatArray]]:
    """Exponents (9,) in D², and the amplitudes (9,) of each radial function."""
    a, c = first.primitives()
    b, d = second.primitives()
    a, b = np.repeat(a, len(b)), np.tile(b, len(a))
    p = a + b
    overlap = np.repeat(c, len(d)) * np.tile(d, len(c)) * (np.pi / p) ** 1.5
    amplitudes = {
        (0, 0): [overlap],
        (0, 1): [-a / p * overlap],
        (1, 0): [b / p * overlap],
        (1, 1): [0.5 / p * overlap, -a * b / p**2 * overlap],
    }
    return a * b / p, amplitudes[first.l, second.l]


@cache
def _expansions() -> dict[str, dict[str, list[float]]]:
    text = files("scc.models").joinpath("slater_expansions.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, list[float]]] = json.loads(text)["expansions"]
    return table
