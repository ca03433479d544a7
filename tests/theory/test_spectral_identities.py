"""The identities of F, G, S hold symbolically, and the code computes those very functions."""

import mpmath
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from scc.occupations.fermi_dirac import FermiDirac, entropy
from scc.theory import spectral_identities as identities


def test_kinetic_and_entropy_parts_combine_to_g() -> None:
    assert identities.free_energy_identity() == 0


def test_g_is_an_antiderivative_of_f() -> None:
    assert identities.derivative_identity() == 0


def test_entropy_slope_is_minus_beta_times_level() -> None:
    assert identities.entropy_slope_identity() == 0


def test_slope_of_f_has_the_factor_beta() -> None:
    assert identities.slope_identity() == 0


def test_zero_temperature_limits_have_the_right_side_occupied() -> None:
    d = sp.symbols("d", positive=True)
    assert identities.zero_temperature_limits() == {"below": (1, -d), "above": (0, 0)}


@given(
    beta=st.floats(1e-2, 1e3), mu=st.floats(-2, 2), level=st.floats(-3, 3, allow_subnormal=False)
)
def test_code_computes_the_functions_of_the_derivation(
    beta: float, mu: float, level: float
) -> None:
    occupation = FermiDirac(beta, mu)
    symbols = (identities.x, identities.mu, identities.beta)
    with mpmath.workdps(2300):  # 1 + e^{−5000} must not be rounded to 1
        exact = [
            float(sp.lambdify(symbols, expression, "mpmath")(*map(mpmath.mpf, (level, mu, beta))))
            for expression in (identities.fermi_dirac(), identities.grand_potential())
        ]
    # Rounding of β(x−µ), amplified by its size (≤ 5e3), bounds the relative error.
    tolerance = 4e-16 * (2 + abs(beta * (level - mu)))
    assert np.isclose(occupation.occupation(level), exact[0], rtol=tolerance, atol=1e-300)
    assert np.isclose(occupation.grand_potential(level), exact[1], rtol=tolerance, atol=1e-300)
    p = float(occupation.occupation(level))
    first_form = (level - mu) * p + float(entropy(p)) / beta
    assert np.isclose(first_form, exact[1], atol=1e-15 * (abs(level - mu) + 1 / beta))
