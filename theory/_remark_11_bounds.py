"""The constants of Remark 11: radius, floor, flows, and the polynomial they are stated for.

Letters and parts, (A) to (E), are those of :mod:`scc.theory.remark_11`.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.bodyorder.suprema import polynomial_errors
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory._occupation_derivatives import second_constant
from scc.theory._screened import ScreenedInteraction, max_norm
from scc.theory.system import TightBindingSystem

_DEGREES = (8, 12, 16, 24, 32, 48)
_HARDNESSES = (0.0, 1.0, 8.0)
"""α of (D) in units of the largest J_ℓℓ; the last makes e ≥ 0 on all lattices of the claim."""
_MARGIN = 0.05
"""How far X reaches beyond the spectrum, Hartree: room for v*_N − v*; less in small gaps."""


def row_sum_bound(atoms: int, spacing: float, dimension: int, diagonal: float) -> float:
    """Bound of ‖J‖_∞: the j-th neighbour is at least max(𝔪, ½𝔪((j+1)^{1/d} − 1)) away (packing)."""
    j = np.arange(1, atoms, dtype=np.float64)
    distance = np.maximum(spacing, 0.5 * spacing * ((j + 1.0) ** (1.0 / dimension) - 1.0))
    return diagonal + float(np.sum(1.0 / distance))


def radius(s: float, curvature: float, eta: float) -> float:
    """r of (C) in Hartree, L = 2 · ``curvature``; ∞ where 4s²Lη > 1."""
    discriminant = 1.0 - 8.0 * s**2 * curvature * eta
    if not discriminant >= 0.0:
        return np.inf
    return 4.0 * s * eta / (1.0 + float(np.sqrt(discriminant)))  # the root without cancellation


def floor(kernel: FloatArray, charge: float, flown: FloatArray) -> float:
    """Largest |Q|/‖e‖₁ − α‖q‖_∞ of (D) over some α, at least 0, Hartree.

    charge: Q, electrons; flown: q = p_N(v*_N) − p(v*), (M,).
    """
    found = [0.0]
    for multiple in _HARDNESSES:
        hardness = multiple * float(np.max(np.diag(kernel)))
        hardened = kernel + hardness * np.eye(len(kernel))
        e = scipy.linalg.solve(hardened, np.ones(len(kernel)), assume_a="sym")
        found.append(abs(charge) / float(np.sum(np.abs(e))) - hardness * np.max(np.abs(flown)))
    return float(max(found))


def flow_bound(kernel: FloatArray, charges: FloatArray, distances: FloatArray) -> float:
    """Bound of ‖Jδ̃‖_∞ by a flow between atoms whose divergence is δ̃, Hartree; see (E).

    The flow is a gradient, D_ℓk = (φ_ℓ − φ_k)/r_ℓk⁴, between near atoms above all; what rounding or
    Σδ̃ ≠ 0 leaves of δ̃ is counted with ‖J‖_∞.
    """
    with np.errstate(divide="ignore"):
        weights = np.where(distances > 0.0, distances**-4.0, 0.0)
    laplacian = np.diag(np.sum(weights, axis=1)) - weights
    potential = np.linalg.lstsq(laplacian, charges, rcond=None)[0]
    flow = np.abs(weights * (potential[:, None] - potential[None, :]))
    left = charges - np.sum(weights * (potential[:, None] - potential[None, :]), axis=1)
    carried = [0.5 * float(np.sum(flow * np.abs(row[:, None] - row[None, :]))) for row in kernel]
    return max(carried) + max_norm(kernel) * float(np.max(np.abs(left)))


@dataclass(frozen=True)
class Bounds:
    """What the statement says of one system and polynomial. Hartree, electrons.

    eta: proved ‖F−F_N‖_X, times the orbitals of an atom; eta_energy: ‖G−G_N‖_X; s; curvature C₂;
    radius r of (C), ∞ where its condition fails or X is too small for it; margin: of X around the
    spectrum; mean_square: of (|w|²/M)^{1/2} to first order; unconditional: of |w_ℓ| by (B), (M,).
    """

    eta: float
    eta_energy: float
    s: float
    curvature: float
    radius: float
    margin: float
    mean_square: float
    unconditional: FloatArray


def polynomial(system: TightBindingSystem, s: float) -> tuple[PolynomialOccupation, float]:
    """(F_N, margin of its X around the spectrum), N the least tried with which (C) applies."""
    margin = _MARGIN
    low, high = system.levels[0], system.levels[-1]
    if system.zero_temperature:
        margin = min(margin, 0.2 * system.gap_below, 0.2 * system.gap_above)
        lower = (low - margin, system.mu - system.gap_below + margin)
        X = SpectralSet((lower, (system.mu + system.gap_above - margin, high + margin)))
    else:
        X = SpectralSet(((low - margin, high + margin),))
    curvature = _curvature(system, margin)
    exact, points = FermiDirac(system.beta, system.mu), X.sample(200)
    family = PolynomialOccupation.sequence(X, _DEGREES, system.beta, system.mu)
    for found in family:
        eta = float(np.max(np.abs(exact.occupation(points) - found.occupation(points))))
        if radius(s, curvature, 1.1 * eta) <= margin:
            return found, margin
    return family[2], margin


def _curvature(system: TightBindingSystem, margin: float) -> float:
    """C₂ for all H within ``margin``, 1/Hartree²."""
    return second_constant(system.beta, min(system.gap_below, system.gap_above) - margin)


def bound(
    system: TightBindingSystem,
    occupation: PolynomialOccupation,
    margin: float,
    screened: ScreenedInteraction,
) -> Bounds:
    """The bounds (B) and (C) with v̂ of the system as v*."""
    errors = polynomial_errors(occupation)
    eta = errors.occupation.upper * int(np.max(np.bincount(system.owner)))
    s = screened.norm * (1.0 + screened.rounding)
    curvature = _curvature(system, margin)
    r = radius(s, curvature, eta)
    J = screened.kernel
    softest = screened.softest - len(J) * np.finfo(np.float64).eps * max_norm(screened.response)
    return Bounds(
        eta,
        errors.grand_potential.upper,
        s,
        curvature,
        r if r <= margin else np.inf,
        margin,
        2.0 * eta / softest if softest > 0.0 else np.inf,
        2.0 * eta * np.sqrt(np.diag(J) * float(np.sum(J))),
    )
