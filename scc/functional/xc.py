"""Local exchange-correlation functionals: energy densities per volume of the unpolarised density.

    E_xc[ρ] = ∫ ε_xc(ρ(x)) dx,        V_xc = ε_xc'(ρ),        kernel ε_xc''(ρ)

All take any array of densities (electrons / bohr³) and return Hartree / bohr³, Hartree and
Hartree bohr³ respectively. Two conventions hold for every functional and are relied upon elsewhere:

* ρ ≤ 0 gives zero energy density and zero derivatives. Differences of densities and body-ordered
  (polynomial) densities can be negative in the tails; since ε_xc = O(ρ^{4/3}) this extension is C¹.
* ε_xc'' diverges like ρ^{-2/3} at ρ = 0. Below :data:`RESPONSE_FLOOR` it is returned as zero: such
  a point carries no response. What is neglected is |Δε'| ≤ 5e-7 Hartree, at points whose own energy
  density is below 1e-26 Hartree / bohr³. ε_xc and ε_xc' are never clipped for ρ > 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scc.arrays import FloatArray
from scc.errors import InputError

#: Density (electrons / bohr³) below which ε_xc'' is taken as zero; see the module docstring.
RESPONSE_FLOOR = 1e-20

#: Dirac's c₀ = (3/4)(3/π)^{1/3} in ε_x = −c₀ ρ^{4/3} (theory of section 2.1).
DIRAC_CONSTANT = 0.75 * (3.0 / math.pi) ** (1.0 / 3.0)


class ExchangeCorrelationFunctional(Protocol):
    """ε_xc(ρ) and its two derivatives, elementwise on arrays of densities; see the module."""

    @property
    def name(self) -> str:
        """Short name, as accepted by :func:`functional_from_name`."""
        ...

    def energy(self, rho: npt.ArrayLike) -> FloatArray:
        """ε_xc(ρ), Hartree / bohr³."""
        ...

    def derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """ε_xc'(ρ), Hartree."""
        ...

    def second_derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """ε_xc''(ρ), Hartree bohr³; zero for ρ < RESPONSE_FLOOR."""
        ...


@dataclass(frozen=True)
class NoExchangeCorrelation:
    """ε_xc = 0: the reduced Hartree-Fock model."""

    name: str = "none"

    def energy(self, rho: npt.ArrayLike) -> FloatArray:
        """Zero, with the shape of ``rho``."""
        return np.zeros(np.shape(rho))

    def derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """Zero, with the shape of ``rho``."""
        return np.zeros(np.shape(rho))

    def second_derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """Zero, with the shape of ``rho``."""
        return np.zeros(np.shape(rho))


@dataclass(frozen=True)
class Dirac:
    """Dirac (Slater) exchange ε_x(ρ) = −c₀ ρ^{4/3}, c₀ = (3/4)(3/π)^{1/3}; libxc's LDA_X."""

    name: str = "dirac"

    def energy(self, rho: npt.ArrayLike) -> FloatArray:
        """−c₀ ρ^{4/3}."""
        density = _positive_part(rho)
        value: FloatArray = -DIRAC_CONSTANT * density * np.cbrt(density)
        return value

    def derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """−(4/3) c₀ ρ^{1/3}."""
        value: FloatArray = -(4.0 / 3.0) * DIRAC_CONSTANT * np.cbrt(_positive_part(rho))
        return value

    def second_derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """−(4/9) c₀ ρ^{-2/3}, zero below RESPONSE_FLOOR."""
        density, responds = _responding_part(rho)
        value = -(4.0 / 9.0) * DIRAC_CONSTANT / np.cbrt(density) ** 2
        return np.where(responds, value, 0.0)


# Perdew & Wang, Phys. Rev. B 45, 13244 (1992), Table I, column ε_c(r_s, 0), p = 1.
_PW_A = 0.031091
_PW_ALPHA = 0.21370
_PW_BETA = (7.5957, 3.5876, 1.6382, 0.49294)


@dataclass(frozen=True)
class PerdewWangCorrelation:
    """Perdew-Wang 1992 correlation of the unpolarised gas; libxc's LDA_C_PW, PySCF's ``pw``.

        ε_c(ρ) = ρ e(r_s),   r_s = (3/4πρ)^{1/3},   e(r_s) = Q₀ ln(1 + 1/Q₁)
        Q₀ = −2A(1 + α₁ r_s),  Q₁ = 2A(β₁ r_s^{1/2} + β₂ r_s + β₃ r_s^{3/2} + β₄ r_s²)

    with the published digits A = 0.031091 (libxc's LDA_C_PW_MOD has A = 0.0310907 instead).
    J. P. Perdew, Y. Wang, Phys. Rev. B 45, 13244 (1992), eq. (10) and Table I.
    """

    name: str = "pw92-correlation"

    def energy(self, rho: npt.ArrayLike) -> FloatArray:
        """ρ e(r_s)."""
        density = _positive_part(rho)
        per_electron, _, _ = _perdew_wang(_wigner_seitz_radius(density), order=0)
        return density * per_electron

    def derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """e − (r_s/3) e'(r_s)."""
        density = _positive_part(rho)
        radius = _wigner_seitz_radius(density)
        e, de, _ = _perdew_wang(radius, order=1)
        return np.where(density > 0.0, e - radius * de / 3.0, 0.0)

    def second_derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """−(r_s/9ρ)(2 e'(r_s) − r_s e''(r_s)), zero below RESPONSE_FLOOR."""
        density, responds = _responding_part(rho)
        radius = _wigner_seitz_radius(density)
        _, de, d2e = _perdew_wang(radius, order=2)
        value = -(radius / (9.0 * density)) * (2.0 * de - radius * d2e)
        return np.where(responds, value, 0.0)


@dataclass(frozen=True)
class LocalDensityApproximation:
    """Dirac exchange plus Perdew-Wang 1992 correlation; PySCF's ``lda,pw``."""

    name: str = "lda"

    def energy(self, rho: npt.ArrayLike) -> FloatArray:
        """ε_x + ε_c."""
        return Dirac().energy(rho) + PerdewWangCorrelation().energy(rho)

    def derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """ε_x' + ε_c'."""
        return Dirac().derivative(rho) + PerdewWangCorrelation().derivative(rho)

    def second_derivative(self, rho: npt.ArrayLike) -> FloatArray:
        """ε_x'' + ε_c'', zero below RESPONSE_FLOOR."""
        return Dirac().second_derivative(rho) + PerdewWangCorrelation().second_derivative(rho)


def functional_from_name(name: str) -> ExchangeCorrelationFunctional:
    """The functional called ``"none"``, ``"dirac"`` or ``"lda"``.

    Raises:
        InputError: for any other name.
    """
    known: tuple[ExchangeCorrelationFunctional, ...] = (
        NoExchangeCorrelation(),
        Dirac(),
        LocalDensityApproximation(),
    )
    for functional in known:
        if functional.name == name:
            return functional
    raise InputError(
        f"unknown exchange-correlation functional {name!r}: "
        f"choose from {', '.join(functional.name for functional in known)}"
    )


def _positive_part(rho: npt.ArrayLike) -> FloatArray:
    return np.maximum(np.asarray(rho, dtype=np.float64), 0.0)


def _responding_part(rho: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Densities lifted to RESPONSE_FLOOR, and where they were not below it."""
    density = np.asarray(rho, dtype=np.float64)
    return np.maximum(density, RESPONSE_FLOOR), density >= RESPONSE_FLOOR


def _wigner_seitz_radius(density: FloatArray) -> FloatArray:
    """r_s = (3/4πρ)^{1/3}, bohr. The smallest normal number stands in for ρ = 0: r_s = 2e102."""
    return np.cbrt(0.75 / (math.pi * np.maximum(density, np.finfo(np.float64).tiny)))


def _perdew_wang(radius: FloatArray, order: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """e(r_s), e'(r_s), e''(r_s) of Perdew and Wang; derivatives above ``order`` left at zero."""
    b1, b2, b3, b4 = _PW_BETA
    root = np.sqrt(radius)
    q0 = -2.0 * _PW_A * (1.0 + _PW_ALPHA * radius)
    q1 = 2.0 * _PW_A * root * (b1 + root * (b2 + root * (b3 + root * b4)))
    # ln(1 + 1/Q₁) by log1p: Q₁ reaches 1e17 already at ρ = 1e-26.
    logarithm = np.log1p(1.0 / q1)
    e = q0 * logarithm
    de = d2e = np.zeros_like(e)
    if order >= 1:
        dq0 = -2.0 * _PW_A * _PW_ALPHA
        dq1 = _PW_A * (b1 / root + 2.0 * b2 + root * (3.0 * b3 + 4.0 * root * b4))
        # (ln(1+1/Q₁))' = −Q₁'/(Q₁(1+Q₁)), each factor divided separately to stay in range.
        dlogarithm = -(dq1 / q1) / (1.0 + q1)
        de = dq0 * logarithm + q0 * dlogarithm
    if order >= 2:
        d2q1 = _PW_A * (-0.5 * b1 / root**3 + 1.5 * b3 / root + 4.0 * b4)
        d2logarithm = ((dq1 / q1) ** 2 * (1.0 + 2.0 * q1) / (1.0 + q1) - d2q1 / q1) / (1.0 + q1)
        d2e = 2.0 * dq0 * dlogarithm + q0 * d2logarithm
    return e, de, d2e
