"""Integrals of primitive Gaussians by quadrature in mpmath, axis by axis: slow, independent.

The rule is the trapezoidal one, which converges exponentially for integrands analytic in a strip:
with steps h/√a of a Gaussian e^{−ax²} the error is e^{−π²/h²} relative, e^{−109} for h = 0.3
(L. N. Trefethen, J. A. C. Weideman, SIAM Rev. 56, 385 (2014)).
"""

from functools import cache

import mpmath as mp
import numpy as np

from scc.basis.polynomials import monomial_exponents
from scc.basis.solid_harmonics import solid_harmonic_coefficients

DIGITS = 30
STEP = mp.mpf(3) / 10
REACH = 34  # e^{−(34·0.3)²} = e^{−104} of the peak is left out


@cache
def moment(factors, power):
    """∫ x^power Π (x−c)^i e^{−a(x−c)²} dx over factors (i, a, c), about the exact optimum."""
    with mp.workdps(DIGITS):
        total = mp.fsum(a for _, a, _ in factors)
        middle = mp.fsum(mp.mpf(a) * c for _, a, c in factors) / total
        shift = mp.fsum(a * (c - middle) ** 2 for _, a, c in factors)
        step = STEP / mp.sqrt(total)
        result = mp.mpf(0)
        for k in range(-REACH, REACH + 1):
            x = middle + k * step
            value = x**power * mp.exp(-((k * STEP) ** 2))
            for i, _, c in factors:
                value *= (x - c) ** i
            result += value
        return mp.exp(-shift) * step * result


def product_integral(functions, powers=(0, 0, 0)):
    """∫ x^powers Π f of f = (Σ_t coef_t monomial_t) e^{−a|x−c|²}: (coefs, order, a, c) each."""
    total = mp.mpf(0)
    lists = [
        [(c, t) for c, t in zip(coefs, monomial_exponents(order), strict=True) if c != 0]
        for coefs, order, _, _ in functions
    ]

    def add(n, coefficient, chosen):
        nonlocal total
        if n < len(lists):
            for c, t in lists[n]:
                add(n + 1, coefficient * mp.mpf(float(c)), [*chosen, t])
            return
        value = coefficient
        for axis in range(3):
            factors = tuple(
                (int(t[axis]), float(f[2]), float(f[3][axis]))
                for t, f in zip(chosen, functions, strict=True)
            )
            value *= moment(factors, powers[axis])
        total += value

    with mp.workdps(DIGITS):
        add(0, mp.mpf(1), [])
    return float(total)


def primitive(shell, component, position):
    """One function of a shell with one primitive, for :func:`product_integral`."""
    coefficients = (
        shell.radial_coefficients[0]
        * solid_harmonic_coefficients(shell.angular_momentum)[component]
    )
    return coefficients, shell.angular_momentum, shell.exponents[0], np.array(position)


def differentiated(function, axis):
    """∂f/∂x_axis of such a function."""
    coefficients, order, exponent, position = function
    index = {tuple(t): n for n, t in enumerate(monomial_exponents(order + 1))}
    new = np.zeros(len(index))
    for c, t in zip(coefficients, monomial_exponents(order), strict=True):
        up, down = np.array(t), np.array(t)
        up[axis] += 1
        down[axis] -= 1
        new[index[tuple(up)]] += -2 * exponent * c
        if t[axis] > 0:
            new[index[tuple(down)]] += t[axis] * c
    return new, order + 1, exponent, position
