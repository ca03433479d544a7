r"""The interaction of two spherical Gaussians and its radial derivatives, at any distance.

With w = σ_a² + σ_b² and screening κ ≥ 0,

    u_w(r) = (2π)^{−1/2} ∫_w^∞ t^{−3/2} e^{−r²/2t − κ²t/2} dt = e^{−κ²w/2} v_w(r),

v_w being the potential of a Gaussian of variance w (its transform is 4π e^{−k²w/2}/(k²+κ²); erf/r
for κ = 0), and

    ((1/r) d/dr)^n u_w = (−1)^n I_n/√(2π),      I_n = ∫_w^∞ t^{−n−3/2} e^{−r²/2t − κ²t/2} dt.

Integration by parts raises n,

    (r²/2) I_{n+1} = (n+½) I_n + (κ²/2) I_{n−1} − w^{−n−½} e^{−r²/2w−κ²w/2},

from the closed forms of I_0 and I_{−1}. It loses 2 log₂(√w/r) bits a step at small r, which are
added beforehand.
"""

from __future__ import annotations

import flint

from scc.electrostatics.goldens.numbers import BITS, ExactArray, Real, zeros


def radial_derivatives(
    order: int, variance: Real, screening: Real, squared: ExactArray
) -> ExactArray:
    """((1/r) d/dr)^n u_w(r), n = 0…order, at r² (N,): (order+1, N). w = 0 only for r > 0."""
    result = zeros(order + 1, len(squared))
    for column, value in enumerate(squared):
        with flint.ctx.workprec(BITS + _extra_bits(order, variance, value)):
            integrals = _integrals(order, variance, screening, value)
            root = (2 * flint.arb.pi()).sqrt()
            scaled = [(-1) ** n * integral / root for n, integral in enumerate(integrals)]
        result[:, column] = scaled
    return result


def _extra_bits(order: int, variance: Real, squared: Real) -> int:
    if variance == 0 or squared == 0 or squared > variance:
        return 0
    return int((order + 2) * (float((variance / squared).log()) / 0.69 + 4))


def _integrals(order: int, variance: Real, screening: Real, squared: Real) -> list[Real]:
    half = screening**2 / 2
    if squared == 0:
        return [_at_origin(n, variance, half) for n in range(order + 1)]
    distance = squared.sqrt()
    root = (2 * flint.arb.pi()).sqrt()
    current, previous = root / distance, flint.arb(0)
    if screening > 0:
        minus, plus = _waves(variance, screening, distance)
        current = root * (minus - plus) / (2 * distance)
        previous = root * (minus + plus) / (2 * screening)
    elif variance > 0:
        current *= (distance / (2 * variance).sqrt()).erf()
    boundary = flint.arb(0)
    if variance > 0:
        boundary = (-squared / (2 * variance) - half * variance).exp() / variance.sqrt()
    result = [current]
    for n in range(order):
        inner = (2 * n + 1) * current / 2 + half * previous - boundary
        previous, current = current, 2 * inner / squared
        result.append(current)
        if variance > 0:
            boundary = boundary / variance
    return result


def _waves(variance: Real, screening: Real, distance: Real) -> tuple[Real, Real]:
    """e^{∓κr} erfc(κ√(w/2) ∓ r/√(2w)), 2e^{−κr} and 0 for a point."""
    decay = (-screening * distance).exp()
    if variance == 0:
        return 2 * decay, flint.arb(0)
    width = (2 * variance).sqrt()
    damping, reach = screening * width / 2, distance / width
    return decay * (damping - reach).erfc(), (damping + reach).erfc() / decay


def _at_origin(n: int, variance: Real, half: Real) -> Real:
    power = flint.arb(2 * n + 1) / 2
    if half == 0:
        return variance ** (-power) / power
    return half**power * (half * variance).gamma_upper(-power)
