r"""Squares of Slater ns functions as sums of Gaussian charges of fixed widths.

A Slater function φ ∝ r^{n−1} e^{−ζr} has the charge distribution ρ = N r^{2n−2} e^{−2ζr}. As

    e^{−αr} = (α/2√π) ∫₀^∞ s^{−3/2} e^{−α²/4s} e^{−sr²} ds                    (a Laplace transform),

and r^{2n−2} is a derivative ∂_α^{2n−2} of that, ρ is exactly an integral over normalised Gaussians
e^{−r²/2σ²}. With x = √2 ζσ, the charge they carry in d ln x is

    c(x) = 2/(2n)! · x^{2n+1} H_{2n−1}(x) e^{−x²},      ∫ c d ln x = 1

(H the physicists' Hermite polynomials; c is positive only for n = 1). The trapezoidal rule in ln x
converges exponentially, c being analytic for |Im ln x| < π/4. What the rule leaves out below its
smallest x, where Gaussians are so tight that they act as points, is added to the tightest one, so
that the charge is exactly 1.

The widths are chosen once, for an exponent ζ⁰; a distribution of another exponent in the same
Gaussians has the weights c(x ζ/ζ⁰): smooth in ζ, which is how a charge-dependent exponent becomes a
density that is linear in nothing but its coefficients.

Error: :func:`expansion` with its default 28 Gaussians reproduces the Coulomb repulsion of two such
distributions at any distance to ``ERROR`` = 1e-8 times the larger ζ (Hartree), n = 1 … 6, ζ = ζ⁰;
held against exact integrals in the tests. With ``lowest`` < 1 the same Gaussians cover a longer
range, coarser: 32 of n = 1 with ``lowest`` = ¼ (hydrogen that follows its charge in QEq) are good
to ``FOLLOWING_ERROR`` = 5e-8 for ζ from ¼ to 2 ζ⁰. More is not promised: a large n needs more
Gaussians (28 with ``lowest`` = ¼, n = 6: 5e-4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import eval_hermite

from scc.arrays import FloatArray
from scc.errors import InputError

GAUSSIANS = 28
ERROR = 1e-8
"""Largest error of the repulsion of two distributions of 28 Gaussians each, in units of ζ."""

FOLLOWING_ERROR = 5e-8
"""The same of a 1s distribution of 32 Gaussians with ``lowest`` = ¼, against any other of 32."""

LARGEST_SHELL = 6
# Smallest and largest x of the rule for n = 1 … 6. Below the first c is ∝ x^{2n+2}; beyond the
# last, e^{−x²} x^{4n} is less than the errors stated.
_RANGES = {
    1: (0.03, 5.0),
    2: (0.1, 5.6),
    3: (0.2, 6.1),
    4: (0.28, 6.5),
    5: (0.35, 6.9),
    6: (0.41, 7.2),
}


@dataclass(frozen=True)
class SlaterExpansion:
    """ρ of shell n as Σ_a c_a(ζ) m(·; σ_a), m the normalised Gaussian charge of width σ.

    Attributes:
        shell: n. exponent: ζ⁰, bohr⁻¹, for which the widths are chosen.
        nodes: x_a (K,), increasing. step: of ln x.
    """

    shell: int
    exponent: float
    nodes: FloatArray
    step: float

    @property
    def widths(self) -> FloatArray:
        """σ_a = x_a/(√2 ζ⁰) (K,), bohr."""
        return self.nodes / (math.sqrt(2.0) * self.exponent)

    def coefficients(self, exponents: FloatArray) -> FloatArray:
        """c_a (…, K) for exponents ζ (…), Σ_a c_a = 1."""
        return self._with_rest(self._density(self._scaled(exponents)), 1.0)

    def first_derivatives(self, exponents: FloatArray) -> FloatArray:
        """∂c_a/∂ζ (…, K)."""
        x = self._scaled(exponents)
        n = self.shell
        # [x^{2n+1} H_{2n−1} e^{−x²}]′ is (2n+1) x^{2n} H_{2n−1} e^{−x²} − x^{2n+1} H_{2n} e^{−x²}
        slope = (2 * n + 1) * self._term(x, 2 * n, 2 * n - 1) - self._term(x, 2 * n + 1, 2 * n)
        return self._with_rest(slope * self._chain, 0.0)

    def second_derivatives(self, exponents: FloatArray) -> FloatArray:
        """∂²c_a/∂ζ² (…, K)."""
        x = self._scaled(exponents)
        n = self.shell
        bend = (
            (2 * n + 1) * (2 * n) * self._term(x, 2 * n - 1, 2 * n - 1)
            - 2 * (2 * n + 1) * self._term(x, 2 * n, 2 * n)
            + self._term(x, 2 * n + 1, 2 * n + 1)
        )
        return self._with_rest(bend * self._chain**2, 0.0)

    @property
    def _chain(self) -> FloatArray:
        """∂x/∂ζ."""
        return self.nodes / self.exponent

    def _scaled(self, exponents: FloatArray) -> FloatArray:
        return np.asarray(exponents)[..., None] * self._chain

    def _density(self, x: FloatArray) -> FloatArray:
        return self._term(x, 2 * self.shell + 1, 2 * self.shell - 1)

    def _term(self, x: FloatArray, power: int, degree: int) -> FloatArray:
        """h · 2/(2n)! · x^power H_degree(x) e^{−x²}."""
        factor = 2.0 * self.step / math.factorial(2 * self.shell)
        return np.asarray(factor * x**power * eval_hermite(degree, x) * np.exp(-x * x))

    @staticmethod
    def _with_rest(terms: FloatArray, total: float) -> FloatArray:
        terms[..., 0] += total - terms.sum(axis=-1)
        return terms


def expansion(
    shell: int, exponent: float, gaussians: int = GAUSSIANS, lowest: float = 1.0
) -> SlaterExpansion:
    """The expansion of |ns⟩² for exponents from ``lowest`` · ζ⁰ upwards.

    Args:
        shell: n = 1 … 6. exponent: ζ⁰ > 0, bohr⁻¹. gaussians: K ≥ 4. lowest: in (0, 1].
    Raises:
        InputError: any of these out of its range.
    """
    if shell not in _RANGES:
        raise InputError(f"shell is {shell}, must be one of 1, …, {LARGEST_SHELL}")
    if not (exponent > 0.0 and math.isfinite(exponent)):
        raise InputError(f"Slater exponent is {exponent}, must be positive and finite")
    if gaussians < 4:
        raise InputError(f"a Slater function needs at least 4 Gaussians, got {gaussians}")
    if not 0.0 < lowest <= 1.0:
        raise InputError(f"the lowest relative exponent is {lowest}, must be in (0, 1]")
    smallest, largest = _RANGES[shell]
    logarithms = np.linspace(math.log(smallest), math.log(largest / lowest), gaussians)
    return SlaterExpansion(
        shell, exponent, np.exp(logarithms), float(logarithms[1] - logarithms[0])
    )
