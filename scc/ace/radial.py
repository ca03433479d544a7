r"""Radial functions R_n(r): orthonormal polynomials in a transformed distance, times a switch.

    R_n(r) = s(r) P_n(x(r)),    x = 1/(1 + (r/r₀)²),    ∫₀^{r_c} R_n R_m dr = δ_nm,

deg P_n = n, s the C^∞ switch from r_c/2 to r_c, with which all derivatives vanish at r_c. x is even
and analytic at r = 0, and bounded, so that R_n is bounded however close two atoms are. With r₀ near
a bond length the zeros of P_n, spread evenly in arccos of x mapped to [−1, 1], are closest around
r₀ and still close near r_c, where dx/dr is small but so is the sine: for r₀ = 2.2 bohr and
r_c = 4 Å the zeros of P_10 are 0.3 Å apart at an OH bond, 0.5 Å at the neighbouring oxygen.

P_n comes from P_0 … P_{n−1} by Gram–Schmidt: fewer functions are the first of more. A transform of
this form: C. van der Oord et al., Mach. Learn.: Sci. Technol. 1, 015004 (2020), section 2.2.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import scipy.linalg
from numpy.polynomial import chebyshev
from numpy.polynomial.legendre import leggauss

from scc.arrays import FloatArray
from scc.errors import InputError
from scc.models.switching import SmoothSwitch

BOND_LENGTH = 2.2
"""r₀, bohr."""

_SWITCH_ON = 0.5
_QUADRATURE = 400  # R² is smooth: the switch of half the range needs most of these points


class RadialBasis:
    """R_0 … R_{N−1} of one cut-off.

    Parameters
    ----------
    cutoff: r_c, bohr.
    number: N ≥ 1, at most 24 (the Gram matrix of more is too ill-conditioned for Gram–Schmidt).
    bond_length: r₀, bohr.

    Raises
    ------
    InputError: a length that is not positive, N out of range.
    """

    def __init__(self, cutoff: float, number: int, bond_length: float = BOND_LENGTH) -> None:
        if not (math.isfinite(cutoff) and cutoff > 0.0):
            raise InputError(f"the cut-off must be positive, got {cutoff}")
        if not (math.isfinite(bond_length) and bond_length > 0.0):
            raise InputError(f"the bond length of radial functions must be positive: {bond_length}")
        if not 1 <= number <= 24:
            raise InputError(f"between 1 and 24 radial functions, not {number}")
        self.cutoff, self.number, self.bond_length = float(cutoff), number, float(bond_length)
        self._switch = SmoothSwitch(_SWITCH_ON * self.cutoff, self.cutoff)
        self._lowest = 1.0 / (1.0 + (self.cutoff / self.bond_length) ** 2)
        nodes, weights = _quadrature()
        distance = 0.5 * self.cutoff * (nodes + 1.0)
        values = self._switch(distance)[:, None] * self._polynomials(distance)[0]
        gram = (values * (0.5 * self.cutoff * weights)[:, None]).T @ values
        # P = T L^{-T} with Gram = L Lᵀ: row n of L⁻¹ uses T_0 … T_n only.
        self._mix = scipy.linalg.solve_triangular(
            np.linalg.cholesky(gram), np.eye(number), lower=True
        ).T

    def __call__(self, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """R_n and dR_n/dr at distances (P,) in bohr: (P, N) each, zero from the cut-off on."""
        distance = np.asarray(distance, dtype=np.float64)
        raw, slopes = self._polynomials(distance)
        polynomials, changes = raw @ self._mix, slopes @ self._mix
        inside = distance < self.cutoff
        switch = np.where(inside, self._switch(distance), 0.0)[:, None]
        switching = np.where(inside, self._switch.derivative(distance), 0.0)[:, None]
        return np.asarray(switch * polynomials), np.asarray(
            switch * changes + switching * polynomials
        )

    def _polynomials(self, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """T_n of x mapped to [−1, 1], and its derivative with respect to r."""
        x = 1.0 / (1.0 + (distance / self.bond_length) ** 2)
        scale = 2.0 / (1.0 - self._lowest)
        mapped = scale * (x - self._lowest) - 1.0
        slope = -2.0 * scale * distance / self.bond_length**2 * x**2
        derivatives = chebyshev.chebder(np.eye(self.number), axis=0)
        if len(derivatives) == 0:
            derivatives = np.zeros((1, self.number))
        values = chebyshev.chebvander(mapped, self.number - 1)
        changes = chebyshev.chebvander(mapped, len(derivatives) - 1) @ derivatives
        return np.asarray(values), np.asarray(slope[..., None] * changes)


@cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre nodes and weights on [−1, 1]."""
    nodes, weights = leggauss(_QUADRATURE)
    return nodes, weights


@cache
def flow_functions(cutoff: float, number: int) -> RadialBasis:
    """R̃_n of the charge flows: the same functions, so that a flow resolves what the basis does."""
    return RadialBasis(cutoff, number)
