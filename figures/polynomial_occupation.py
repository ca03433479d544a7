"""Body order: F_N = G_N′ on a gapped spectral set, and the Green's function that sets its rate."""

import math

import numpy as np
from matplotlib.figure import Figure

from scc.bodyorder.convergence import interpolation_errors
from scc.bodyorder.green import convergence_rate, critical_point, greens_function
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import spectral_set
from scc.occupations.fermi_dirac import FermiDirac

MU, DEGREE = 0.1, 16


def draw() -> Figure:
    """Left: F and F_16 at β = ∞. Middle: g(x). Right: error against N with slope θ."""
    X = spectral_set(-1.0, 1.0, MU, 0.2, 0.3)
    occupation = PolynomialOccupation.interpolate(X, DEGREE, math.inf, MU)
    x = np.linspace(-1.02, 1.02, 1001)
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.plot(x, FermiDirac(math.inf, MU).occupation(x), "k", lw=1, label="F")
    left.plot(x, occupation.occupation(x), label=f"$F_N = G_N'$, N = {DEGREE}")
    middle.plot(x, greens_function(X, x))
    middle.plot([critical_point(X)], [greens_function(X, critical_point(X))], "o", ms=4)
    for axes in (left, middle):
        axes.axvspan(*(X.gap or (0.0, 0.0)), color="0.9")
        axes.set_xlabel("energy [Hartree]")
    left.set_ylim(-0.4, 1.4)
    left.legend(fontsize=8)
    middle.set_title("Green's function of the complement")
    errors = interpolation_errors(X, math.inf, MU, 80)
    rate = convergence_rate(X, math.inf, MU)
    right.semilogy(errors.degrees[2:], errors.total[2:], ".", ms=4)
    degrees = errors.degrees[2:]
    right.semilogy(
        degrees, degrees * np.exp(-rate * degrees), "k:", lw=1, label=r"$N e^{-\theta N}$"
    )
    right.legend(fontsize=8)
    right.set_xlabel("degree N")
    right.set_title(rf"$\|F-F_N\|+\|G-G_N\|$, $\theta$ = {rate:.3f}")
    return figure
