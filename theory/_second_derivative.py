"""‖D²F(H)[A,B]‖ ≤ C₂‖A‖‖B‖ in the spectral norm, independent of the size of H.

β < ∞: F(H) = ∫ F̂(t) e^{itH} dt/2π and ‖D²e^{itH}[A,B]‖ ≤ t²‖A‖‖B‖ give C₂ = ∫ |t||tF̂(t)| dt/2π;
itF̂ is the transform of F′, −(πt/β)/sinh(πt/β), and ∫₀^∞ u²/sinh u du = 7ζ(3)/2, hence
C₂ = 7ζ(3)β²/2π³ = 0.1357 β². β = ∞: F(H) = ½ + ∫ (µ + iy − H)⁻¹ dy/2π (principal value), whose
second derivative is at most 2 ∫ (d² + y²)^{−3/2} dy/2π = 2/πd², d the distance of µ from σ(H).
On-site, A = diag(w) has ‖A‖ = ‖w‖_∞: constants in ℓ^∞ without any sum over atoms.
"""

import mpmath
import numpy as np
import sympy as sp


def second_derivative_constant(beta: float, distance: float) -> float:
    """C₂ in ‖D²F(H)[A,B]‖ ≤ C₂‖A‖‖B‖, 1/Hartree²; ``distance`` of µ from the levels, for β = ∞."""
    if np.isinf(beta):
        return float(2.0 / (np.pi * distance**2)) if distance > 0.0 else np.inf
    return float(7.0 * mpmath.zeta(3) / (2.0 * np.pi**3)) * beta**2


def derivation() -> dict[str, bool]:
    """C₂ at both temperatures, by quadrature."""

    def transform(frequency: float) -> mpmath.mpf:  # of F′ at β = 1
        return 2 * mpmath.quad(
            lambda e: -mpmath.cos(frequency * e) / (4 * mpmath.cosh(e / 2) ** 2), [0, 4, 12, 60]
        )

    fourier = all(
        abs(transform(f) + mpmath.pi * f / mpmath.sinh(mpmath.pi * f)) < 1e-9 for f in (0.3, 1.1)
    )
    moment = mpmath.quad(lambda q: q**2 / mpmath.sinh(q), [0, 1, 10, 100])
    d, y = sp.symbols("d y", positive=True)
    contour = 2 * sp.integrate((d**2 + y**2) ** sp.Rational(-3, 2), (y, 0, sp.oo)) / sp.pi
    return {
        "Fourier transform of F'": bool(fourier),
        "C_2 = 7 zeta(3) beta^2 / 2 pi^3": bool(
            abs(moment / mpmath.pi**3 - second_derivative_constant(1.0, 0.0)) < 1e-10
            and abs(moment - 7 * mpmath.zeta(3) / 2) < 1e-10
        ),
        "C_2 = 2 / pi d^2": sp.simplify(contour - 2 / (sp.pi * d**2)) == 0
        and abs(float(contour.subs(d, 0.3)) - second_derivative_constant(np.inf, 0.3)) < 1e-12,
    }
