"""G and F in ball arithmetic (python-flint): every value comes with a rigorous error bound."""

import math
from collections.abc import Callable

import flint

from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

BallFunction = Callable[[flint.arb], flint.arb]


def grand_potential_ball(X: SpectralSet, beta: float, mu: float) -> BallFunction:
    """G(x) = −β⁻¹ ln(1+e^{−β(x−µ)}) on X, min(x−µ, 0) at β = ∞; Hartree.

    Raises InputError for β ≤ 0, µ not finite, and at β = ∞ for µ inside an interval of X.
    """
    level, inverse_temperature = _parameters(X, beta, mu)
    if inverse_temperature is None:
        return lambda x: x - level if x < level else flint.arb(0)
    # Exponents of balls are unbounded: nothing overflows at any β(x−µ).
    return lambda x: -(-inverse_temperature * (x - level)).exp().log1p() / inverse_temperature


def occupation_ball(X: SpectralSet, beta: float, mu: float) -> BallFunction:
    """F(x) = 1/(1+e^{β(x−µ)}) on X, indicator of (−∞, µ) at β = ∞. Raises as the above."""
    level, inverse_temperature = _parameters(X, beta, mu)
    if inverse_temperature is None:
        return lambda x: flint.arb(1) if x < level else flint.arb(0)
    return lambda x: 1 / (1 + (inverse_temperature * (x - level)).exp())


def _parameters(X: SpectralSet, beta: float, mu: float) -> tuple[flint.arb, flint.arb | None]:
    if not beta > 0.0:
        raise InputError(f"inverse temperature beta must be in (0, inf], got {beta}")
    if not math.isfinite(mu):
        raise InputError(f"chemical potential must be finite, got {mu}")
    if math.isfinite(beta):
        return flint.arb(mu), flint.arb(beta)
    if any(low < mu < high for low, high in X.intervals):
        raise InputError(f"at beta = inf the chemical potential {mu} must lie in a gap of {X}")
    return flint.arb(mu), None
