"""Central differences of order eight with the rounding they must carry."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from scc.arrays import FloatArray

# f'(0) ≈ Σ_k c_k (f(kh) − f(−kh)) / h; the error is h⁸ f⁽⁹⁾/630 (Fornberg, Math. Comp. 51 (1988)
# 699). A function analytic in a disc of radius R has f⁽⁹⁾ ≤ 9! max|f|/R⁹, so h = R/100 leaves
# a truncation error of 576/100⁸ = 6e-14 of max|f|/R.
_COEFFICIENTS = (4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0)


def derivative(f: Callable[[float], FloatArray | float], step: float) -> tuple[FloatArray, float]:
    """(f'(0), bound on its rounding error), f scalar or array valued.

    Values carry a rounding error of some ε max|f|; 20 ε max|f|/h covers an evaluation that loses
    one decimal digit.
    """
    total: FloatArray | float = 0.0
    largest = 0.0
    for k, coefficient in enumerate(_COEFFICIENTS, start=1):
        ahead, behind = np.asarray(f(k * step)), np.asarray(f(-k * step))
        total = total + coefficient * (ahead - behind) / step
        largest = max(largest, float(np.max(np.abs(ahead), initial=0.0)))
    return np.asarray(total), 20.0 * np.finfo(np.float64).eps * largest / step


def assert_derivative(
    analytic: FloatArray | float,
    f: Callable[[float], FloatArray | float],
    step: float,
    size: float,
    relative: float = 1e-8,
    noise: float = 0.0,
) -> None:
    """|analytic − f'(0)| ≤ relative · size + rounding.

    ``size`` is the largest component of the gradient; ``noise`` an absolute error of f beyond
    rounding of its own value (sums of larger terms).
    """
    measured, rounding = derivative(f, step)
    error = float(np.max(np.abs(np.asarray(analytic) - measured), initial=0.0))
    allowed = relative * size + rounding + 2.0 * noise / step
    assert error <= allowed, f"derivative off by {error:.3e}, allowed {allowed:.3e}, size {size}"


def assert_scan(
    analytic: FloatArray | float,
    f: Callable[[float], FloatArray | float],
    steps: tuple[float, ...] = (4e-2, 2e-2, 1e-2, 5e-3),
) -> None:
    """Central differences approach ``analytic`` as h²: a wrong derivative leaves a plateau.

    [f(h) − f(−h)]/2h − f′ = h² f‴/6 + O(h⁴): halving h divides the error by 4 up to O(h²), and
    Richardson's 4D(h/2) − D(h) leaves O(h⁴). Errors that are rounding already say nothing of slope.
    """
    differences = [
        (np.asarray(f(h), dtype=np.float64) - np.asarray(f(-h), dtype=np.float64)) / (2.0 * h)
        for h in steps
    ]
    size = max(float(np.max(np.abs(differences[-1]), initial=0.0)), 1e-6)
    errors = [float(np.max(np.abs(np.asarray(analytic) - d), initial=0.0)) for d in differences]
    for coarse, fine in pairwise(errors):
        assert fine <= 0.5 * coarse + 1e-10 * size, f"errors {errors} do not fall with the step"
    extrapolated = (4.0 * differences[-1] - differences[-2]) / 3.0
    left = float(np.max(np.abs(np.asarray(analytic) - extrapolated), initial=0.0))
    assert left <= 1e-2 * errors[-1] + 1e-9 * size, f"errors {errors}, extrapolated {left}"
