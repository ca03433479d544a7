"""‖DF(H)‖, ‖D²F(H)‖, ‖D³F(H)‖ by the distance d of µ from σ(H), for all β ∈ (0, ∞] at once.

F(H) = ½ − β⁻¹ Σ_{n∈Z} (H − µ − iy_n)⁻¹ (summed symmetrically), y_n = (2n+1)π/β, and
‖(H − µ − iy)⁻¹‖ ≤ (d² + y²)^{−1/2}. The j-th derivative of a resolvent R is the sum of RA₁R…RA_jR
over the j! orders, so that, the sums over n ≥ 0 counting twice,

    ‖D^jF(H)[A₁,…,A_j]‖ ≤ ℓ_j ‖A₁‖…‖A_j‖,   ℓ_j = (2 j!/β) Σ_{n≥0} (d² + y_n²)^{−(j+1)/2}:

    ℓ₁ = tanh(βd/2)/2d,   ℓ₃ = (3/2d³)(t − (βd/2)(1 − t²)), t = tanh(βd/2).

ℓ₁ = β/4, ℓ₂ = 7ζ(3)β²/2π³ and ℓ₃ = β³/8 at d = 0; 1/2d, 2/πd² and 3/2d³ at β = ∞. Spectral norms;
with one of the ‖A_i‖ and the left side in the Frobenius norm the same holds. In the Frobenius norm
alone divided differences do better, ½|F″(ξ)| at β < ∞, 1/(2d)² at β = ∞, twice which is ‖D²F‖.
"""

import math
from itertools import pairwise

import mpmath
import numpy as np
import sympy as sp

_POLES = 400


def first_constant(beta: float, distance: float) -> float:
    """ℓ₁ in 1/Hartree; ∞ at β = ∞ and d = 0."""
    if math.isinf(beta):
        return 0.5 / distance if distance > 0.0 else math.inf
    half = 0.5 * beta * max(distance, 0.0)
    return 0.25 * beta * (math.tanh(half) / half if half > 1e-8 else 1.0)


def second_constant(beta: float, distance: float) -> float:
    """ℓ₂ in 1/Hartree², rounded up; ∞ at β = ∞ and d = 0.

    400 poles, and beyond them ∫ (d²+y²)^{−3/2} dy from half a spacing before the next: the
    summand is convex there, y > d/2, or the number is the larger one at β = ∞ or at d = 0.
    """
    d = max(distance, 0.0)
    cold = 2.0 / (math.pi * d * d) if d > 0.0 else math.inf
    if math.isinf(beta):
        return cold
    warm = float(7.0 * mpmath.zeta(3) / (2.0 * mpmath.pi**3)) * beta**2 * (1.0 + 1e-12)
    last = 2.0 * _POLES * math.pi / beta
    if last <= d:
        return min(warm, cold)
    heights = (2.0 * np.arange(_POLES) + 1.0) * math.pi / beta
    total = 4.0 / beta * float(np.sum((d * d + heights * heights) ** -1.5))
    # ∫_Y^∞ (d²+y²)^{−3/2} dy = 1/(Y² + d² + Y√(Y²+d²)), times (4/β)(β/2π)
    tail = 2.0 / math.pi / (last**2 + d * d + last * math.hypot(last, d))
    return min(warm, cold, (total + tail) * (1.0 + 1e-12))


def third_constant(beta: float, distance: float) -> float:
    """ℓ₃ in 1/Hartree³; ∞ at β = ∞ and d = 0. Where its terms nearly cancel, β³/8 at d = 0."""
    d = max(distance, 0.0)
    if math.isinf(beta):
        return 1.5 / d**3 if d > 0.0 else math.inf
    half = 0.5 * beta * d
    if half < 0.1:
        return 0.125 * beta**3
    t = math.tanh(half)
    return min(1.5 / d**3 * (t - half * (1.0 - t) * (1.0 + t)), 0.125 * beta**3)


def frobenius_second_constant(beta: float, distance: float) -> float:
    """‖D²F(H)[A,B]‖_F ≤ this ‖A‖_F‖B‖_F, 1/Hartree²: max|F″| = β²/6√3, 1/2d² at β = ∞.

    Never more than :func:`second_constant`, which also bounds it.
    """
    if math.isinf(beta):
        return 0.5 / distance**2 if distance > 0.0 else math.inf
    return min(beta**2 / (6.0 * math.sqrt(3.0)), second_constant(beta, distance))


def derivation() -> dict[str, bool]:
    """Closed forms, both limits, and the largest |F″|."""
    d, y, beta = sp.symbols("d y beta", positive=True)
    poles = first = second = third = True
    for b, distance in ((3, 0.5), (11, 0.2)):
        heights = [(2 * k + 1) * mpmath.pi / b for k in range(1000)]
        # Σ beyond Y = y_{k−½} by its integral, the next term being ~ (spacing/Y)² of it.
        Y, spacing = 2000 * mpmath.pi / b, 2 * mpmath.pi / b
        e = mpmath.mpf(distance)
        simple = mpmath.fsum(1 / (e**2 + h**2) for h in heights)
        simple += mpmath.atan(e / Y) / (e * spacing)
        cubic = mpmath.fsum((e**2 + h**2) ** -1.5 for h in heights)
        cubic += 1 / (2 * Y**2 * spacing)
        poles &= abs(0.5 - 2 * e / b * simple - 1 / (1 + mpmath.exp(b * e))) < 1e-10
        first &= abs(2 / b * simple - first_constant(b, distance)) < 1e-10
        fourth = mpmath.fsum((e**2 + h**2) ** -2 for h in heights)
        third &= abs(12 / b * fourth / third_constant(b, distance) - 1) < 1e-9
        second &= -1e-9 < second_constant(b, distance) / (4 / b * cubic) - 1 < 1e-7
    second &= abs(second_constant(5.0, 1e-9) / second_constant(5.0, 0.0) - 1.0) < 1e-9
    integral = sp.integrate((d**2 + y**2) ** sp.Rational(-3, 2), (y, 0, sp.oo))
    limit = sp.simplify(4 / beta * beta / (2 * sp.pi) * integral - 2 / (sp.pi * d**2)) == 0
    cold = abs(second_constant(1e5, 0.3) / second_constant(math.inf, 0.3) - 1.0) < 1e-6
    odd = mpmath.zeta(3, mpmath.mpf(1) / 2) / 8  # Σ (2n+1)⁻³
    warm = abs(4 / mpmath.pi**3 * odd - second_constant(1.0, 0.0)) < 1e-11
    t = sp.symbols("t", positive=True)  # t = e^{β(x−µ)}: F″ = β² t(t−1)/(1+t)³
    curvature = t * (t - 1) / (1 + t) ** 3
    stationary = sp.solve(sp.numer(sp.together(sp.diff(curvature, t))), t)
    largest = max(abs(curvature.subs(t, root)) for root in stationary)
    return {
        "F is the sum over its poles": bool(poles),
        "l1 = tanh(beta d/2)/2d": bool(first),
        "l2 sums up": bool(second),
        "l3 = 3(t - (beta d/2)(1 - t^2))/2d^3": bool(third) and _third_limits(),
        "l2 at beta = inf": bool(limit) and cold,
        "l2 at d = 0": bool(warm),
        "max |F''| = beta^2/6 sqrt 3": sp.simplify(largest - 1 / (6 * sp.sqrt(3))) == 0,
        "F[x,y,z] of a step": _step_divided_difference(),
    }


def _third_limits() -> bool:
    """ℓ₃/β³ falls with βd from 1/8, and ℓ₃d³ tends to 3/2."""
    with mpmath.workdps(30):

        def rise(x: float) -> mpmath.mpf:  # t − x(1 − t²), x = βd/2
            t = mpmath.tanh(x)
            return t - x * (1 - t * t)

        scaled = [rise(mpmath.mpf(k) / 64) / (mpmath.mpf(k) / 64) ** 3 for k in range(1, 500)]
        small = mpmath.mpf(10) ** -6
        at_zero = abs(1.5 * rise(small) / small**3 / 8 - mpmath.mpf(1) / 8) < 1e-9
        falls = all(later < earlier for earlier, later in pairwise(scaled))
        return bool(at_zero and falls and abs(rise(mpmath.mpf(40)) - 1) < 1e-30)


def _step_divided_difference() -> bool:
    """x below µ, y, z above: F[x,y,z] = 1/((y−x)(z−x)) ≤ 1/(2d)²."""
    x, y, z = sp.symbols("x y z", real=True)
    first, second = -1 / (y - x), sp.Integer(0)  # F[x,y], F[y,z]
    return bool(sp.simplify((first - second) / (x - z) - 1 / ((y - x) * (z - x))) == 0)
