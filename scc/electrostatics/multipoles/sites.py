r"""Where Gaussian multipoles sit: positions, widths and the largest λ, without the coefficients.

A density on sites is

    n(x) = Σ_kB c_kB φ_B(x − r_k; σ_k),      φ_λµ(x; σ) = R_λµ(x) σ^{-2λ}/(2λ−1)!! · g_σ(x),
    g_σ(x) = (2πσ²)^{-3/2} e^{−x²/2σ²},

with real solid harmonics R in Racah normalisation, so that φ has unit multipole moment,
∫ φ_λµ R_λ'µ' = δδ (eq. (4.3)). Equivalently φ_λµ(x − r) = R_λµ(∇_r)/(2λ−1)!! g_σ(x − r), which
also makes sense for σ = 0: a point multipole.
"""

from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError

LARGEST_L = 4


@dataclass(frozen=True, eq=False)
class Sites:
    """N places that carry (or feel) multipoles up to ``l_max``.

    Attributes:
        positions: r_k (N, 3), bohr.
        variances: σ_k² (N,), bohr²; 0 is a point.
        l_max: largest λ; coefficients have shape (N, (l_max+1)²), index λ²+λ+µ.
    Raises:
        InputError: shapes that do not match, a value that is not finite, a negative variance,
            l_max outside 0…4.
    """

    positions: FloatArray
    variances: FloatArray
    l_max: int

    def __post_init__(self) -> None:
        number = len(self.positions)
        if self.positions.shape != (number, 3) or self.variances.shape != (number,):
            raise InputError(
                f"sites need positions (N, 3) and variances (N,), found {self.positions.shape} "
                f"and {self.variances.shape}"
            )
        if not np.all(np.isfinite(self.positions)):
            bad = int(np.flatnonzero(~np.all(np.isfinite(self.positions), axis=1))[0])
            raise InputError(f"position of site {bad} is {self.positions[bad]}, must be finite")
        for index in np.flatnonzero(~((self.variances >= 0.0) & np.isfinite(self.variances))):
            raise InputError(f"variance of site {index} is {self.variances[index]}, must be ≥ 0")
        if self.l_max not in range(LARGEST_L + 1):
            raise InputError(f"l_max is {self.l_max}, must be one of 0, 1, …, {LARGEST_L}")

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def n_components(self) -> int:
        """(l_max+1)²."""
        return (self.l_max + 1) ** 2


def checked_coefficients(values: FloatArray, sites: Sites, name: str = "multipoles") -> FloatArray:
    """``values`` as float64 (N, (l_max+1)²); (N,) is taken for l_max = 0.

    Raises:
        InputError: another shape, or a value that is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1 and sites.l_max == 0:
        array = array[:, None]
    expected = (len(sites), sites.n_components)
    if array.shape != expected:
        raise InputError(f"{name} have shape {np.shape(values)}, expected {expected}")
    if not np.all(np.isfinite(array)):
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise InputError(f"{name}[{row}, {column}] is {array[row, column]}, must be finite")
    return array


def checked_widths(widths: FloatArray | float, number: int, name: str) -> FloatArray:
    """σ (number,) from one number or one per site.

    Raises:
        InputError: not numbers; another shape; a width that is negative or not finite, naming it.
    """
    try:
        array = np.array(widths, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} widths must be numbers, found {widths!r}") from None
    if array.ndim == 0:
        array = np.full(number, float(array))
    if array.shape != (number,):
        raise InputError(f"{name} widths have shape {array.shape}, expected ({number},)")
    for index in np.flatnonzero(~((array >= 0.0) & np.isfinite(array))):
        raise InputError(f"{name} width {index} is {array[index]}, must be finite and ≥ 0")
    return array
