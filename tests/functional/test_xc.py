"""Exchange-correlation energy densities: against libxc, against mpmath, and at the edges."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyscf.dft import libxc
from strategies.xc import densities, responding_densities

from scc.errors import InputError
from scc.functional.xc import (
    RESPONSE_FLOOR,
    Dirac,
    LocalDensityApproximation,
    NoExchangeCorrelation,
    PerdewWangCorrelation,
    functional_from_name,
)

FUNCTIONALS = [
    NoExchangeCorrelation(),
    Dirac(),
    PerdewWangCorrelation(),
    LocalDensityApproximation(),
]
IDS = [functional.name for functional in FUNCTIONALS]
LIBXC_CODES = {"dirac": "lda,", "pw92-correlation": ",pw", "lda": "lda,pw"}


def mpmath_energy(name):
    """ε(ρ) restated from the defining formulas in arbitrary precision."""

    def dirac(rho):
        return -mpmath.mpf(3) / 4 * mpmath.cbrt(3 / mpmath.pi) * rho ** (mpmath.mpf(4) / 3)

    def correlation(rho):
        a, alpha = mpmath.mpf("0.031091"), mpmath.mpf("0.21370")
        beta = [mpmath.mpf(b) for b in ("7.5957", "3.5876", "1.6382", "0.49294")]
        rs = mpmath.cbrt(3 / (4 * mpmath.pi * rho))
        q1 = 2 * a * sum(b * rs ** (mpmath.mpf(i + 1) / 2) for i, b in enumerate(beta))
        return -rho * 2 * a * (1 + alpha * rs) * mpmath.log1p(1 / q1)

    parts = {
        "dirac": [dirac],
        "pw92-correlation": [correlation],
        "lda": [dirac, correlation],
    }[name]
    return lambda rho: sum(part(rho) for part in parts)


@pytest.mark.parametrize("functional", FUNCTIONALS[1:], ids=IDS[1:])
@given(rho=responding_densities)
def test_formula_or_derivative_mistyped(functional, rho):
    """ε, ε', ε'' agree with mpmath (30 digits, ε differentiated there) to a few ulps."""
    with mpmath.workdps(40):
        energy = mpmath_energy(functional.name)
        x = mpmath.mpf(float(rho))
        # Differences in units of ρ itself, so that mpmath's fixed step suits every density.
        scaled = [mpmath.diff(lambda t: energy(x * t), 1, n) / x**n for n in range(3)]
        expected = [float(value) for value in scaled]
    measured = [functional.energy(rho), functional.derivative(rho)]
    measured.append(functional.second_derivative(rho))
    # ~20 roundings of eps, amplified at most 10× by the cancellation in e' at small r_s.
    np.testing.assert_allclose(np.ravel(measured), expected, rtol=5e-14)


@pytest.mark.parametrize("functional", FUNCTIONALS[1:], ids=IDS[1:])
@given(rho=densities)
def test_another_parameter_set_than_libxc(functional, rho):
    """PySCF's ``lda,pw`` (LDA_X + LDA_C_PW) to 1e-12.

    libxc drops densities below ~2e-15, and forms ln(1 + 1/Q₁) directly, with a relative rounding
    error eps Q₁ ~ eps (0.03 r_s²): below 1e-6 that exceeds 1e-13, and the bound says so.
    """
    rho = max(rho, 1e-13)
    exc, (vxc, *_), (fxc, *_), _ = libxc.eval_xc(
        LIBXC_CODES[functional.name], np.array([rho]), deriv=2
    )
    radius = np.cbrt(3 / (4 * np.pi * rho))
    bound = 1e-12
    if functional.name != "dirac":
        bound += 4 * np.finfo(float).eps * (1 + 0.03 * radius**2)
    np.testing.assert_allclose(functional.energy(rho), rho * exc[0], rtol=bound)
    np.testing.assert_allclose(functional.derivative(rho), vxc[0], rtol=bound)
    np.testing.assert_allclose(functional.second_derivative(rho), np.ravel(fxc)[0], rtol=bound)


@pytest.mark.parametrize("functional", FUNCTIONALS, ids=IDS)
@given(rho=st.floats(-1e300, 1e200) | st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e-310]))
def test_nan_or_overflow_at_the_edges(functional, rho):
    """No NaN, no infinity, no warning (they are errors here), and ε, ε', ε'' ≤ 0."""
    values = np.array(
        [functional.energy(rho), functional.derivative(rho), functional.second_derivative(rho)]
    )
    assert np.all(np.isfinite(values))
    assert np.all(values <= 0.0)
    if rho <= 0.0:
        assert np.all(values == 0.0)


@pytest.mark.parametrize("functional", FUNCTIONALS, ids=IDS)
def test_clipping_larger_than_documented(functional):
    """Below RESPONSE_FLOOR the neglected potential and energy are as small as the module says."""
    assert functional.second_derivative(0.999 * RESPONSE_FLOOR) == 0.0
    assert abs(functional.derivative(RESPONSE_FLOOR)) <= 5e-7
    assert abs(functional.energy(RESPONSE_FLOOR)) <= 1e-26


@given(rho=densities)
def test_assumption_on_the_functional_broken(rho):
    """Section 2.1 assumes −ρ^{1/3} ≲ ε_xc' ≤ 0; for the LDA the constant is 1.92."""
    derivative = LocalDensityApproximation().derivative(rho)
    # Exchange 4c₀/3 = 0.985; correlation (4/3)(α₁/β₄)(4π/3)^{1/3} = 0.932 as ρ → 0, less above.
    assert -1.92 * np.cbrt(rho) <= derivative <= 0.0


def test_shape_of_the_density_lost():
    """Every functional is elementwise: any shape in, the same shape out."""
    rho = np.linspace(-1.0, 2.0, 24).reshape(2, 3, 4)
    for functional in FUNCTIONALS:
        for method in (functional.energy, functional.derivative, functional.second_derivative):
            assert method(rho).shape == rho.shape


def test_unknown_name_taken_silently():
    for functional in (FUNCTIONALS[0], FUNCTIONALS[1], FUNCTIONALS[3]):
        assert functional_from_name(functional.name) == functional
    with pytest.raises(InputError, match="'pbe'"):
        functional_from_name("pbe")
