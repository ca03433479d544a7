"""Real solid harmonics R_λµ(x, y, z) in Racah normalisation.

R_λµ = √(4π/(2λ+1)) r^λ Y_λµ with real Y_λµ without Condon–Shortley phase: R_00 = 1,
R_1 = (y, z, x) for µ = −1, 0, 1, R_20 = (3z² − r²)/2. One flat index λ² + λ + µ.

Reference: T. Helgaker, P. Jørgensen, J. Olsen, Molecular Electronic-Structure Theory (Wiley 2000),
section 6.4, recurrences (6.4.70)–(6.4.73).
"""

from functools import cache

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import coordinate_matrices, monomial_count


@cache
def solid_harmonic_coefficients(angular_momentum: int) -> FloatArray:
    """Monomial coefficients of R_lµ, µ = −l…l: (2l+1, n(l)) over ``monomial_exponents(l)``."""
    if angular_momentum == 0:
        return np.ones((1, 1))
    l = angular_momentum - 1  # noqa: E741  (the field's letter)
    previous = solid_harmonic_coefficients(l)
    x, y, z = coordinate_matrices(l)
    new = np.zeros((2 * l + 3, monomial_count(l + 1)))
    top, bottom = previous[2 * l], previous[0]
    scale = np.sqrt((2.0 if l == 0 else 1.0) * (2 * l + 1) / (2 * l + 2))
    second = 0.0 if l == 0 else 1.0
    new[2 * l + 2] = scale * (top @ x - second * (bottom @ y))
    new[0] = scale * (top @ y + second * (bottom @ x))
    for m in range(-l, l + 1):
        vertical = (2 * l + 1) * (previous[l + m] @ z)
        if abs(m) < l:
            lower = solid_harmonic_coefficients(l - 1)[l - 1 + m]
            squared = sum(
                lower @ u @ w for u, w in zip(coordinate_matrices(l - 1), (x, y, z), strict=True)
            )
            vertical = vertical - np.sqrt((l + m) * (l - m)) * squared
        new[l + 1 + m] = vertical / np.sqrt((l + m + 1) * (l - m + 1))
    return new


def solid_harmonic_shells(
    largest: int, x: FloatArray, y: FloatArray, z: FloatArray
) -> list[FloatArray]:
    """R_λµ at (x, y, z), one array (2λ+1, …) for each λ ≤ largest: the recurrences on values."""
    squared = x * x + y * y + z * z
    result = [np.ones((1, *x.shape))]
    for l in range(largest):  # noqa: E741  (the field's letter)
        last = result[-1]
        new = np.empty((2 * l + 3, *x.shape))
        if l == 0:
            new[0], new[1], new[2] = y, z, x
            result.append(new)
            continue
        scale = np.sqrt((2 * l + 1) / (2 * l + 2))
        new[2 * l + 2] = scale * (x * last[2 * l] - y * last[0])
        new[0] = scale * (y * last[2 * l] + x * last[0])
        for m in range(-l, l + 1):
            root = np.sqrt((l + m + 1) * (l - m + 1))
            new[l + 1 + m] = (2 * l + 1) / root * z * last[l + m]
            if abs(m) < l:
                lower = np.sqrt((l + m) * (l - m)) / root * squared
                new[l + 1 + m] -= lower * result[-2][l - 1 + m]
        result.append(new)
    return result


def solid_harmonics(largest: int, vectors: FloatArray) -> FloatArray:
    """R_λµ at vectors (..., 3) in bohr for λ ≤ largest: (..., (largest+1)²), index λ²+λ+µ."""
    axes = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    return np.moveaxis(np.concatenate(solid_harmonic_shells(largest, *axes)), 0, -1)
