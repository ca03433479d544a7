"""Remark 12: projection (4.1) and expansion (2.19) of the potential; what inverting costs.

Statement. Let Ξ_i be normalised functions (all atoms and channels), S_ij = ⟨Ξ_i, Ξ_j⟩ their Gram
matrix with eigenvalues λ_min … λ_max, κ = λ_max/λ_min. For V = Σ v̂_i Ξ_i the projections are
π = S v̂. So the two descriptions are the same *if and only if* S = 1, and otherwise

    (i)   ‖δπ‖/λ_max ≤ ‖δv̂‖ ≤ ‖δπ‖/λ_min,     ‖δv̂‖/‖v̂‖ ≤ κ ‖δπ‖/‖π‖,
    (ii)  ‖δπ‖/√λ_max ≤ ‖δV‖ ≤ ‖δπ‖/√λ_min:   V loses half the digits its coefficients lose,
    (iii) taking π for the coefficients errs by ‖Σ π_iΞ_i − V‖ ≤ max_i |λ_i − 1| ‖V‖,
    (iv)  for V outside the span, S⁻¹π is the best approximation of V; what is orthogonal is lost.

All are attained, along eigenvectors of S. Ill-posed is therefore a matter of λ_min, and λ_min one
of the *density* of the functions and not of the size of the system:

    (v)   Gaussians e^{−a|x|²} on atoms: S_ij = e^{−ar²/2}, λ_min ≥ 1 − max_i Σ_{j≠i} e^{−ar_ij²/2};
          on a uniform chain of spacing b, of any length, with q = e^{−ab²/2},
          θ₄(q) ≤ λ ≤ θ₃(q),   κ ≤ θ₃(q)/θ₄(q) → ½ e^{π²/(2ab²)} as ab² → 0,
          that is π²/(2 ln 10 · ab²) decimal digits, exponentially many in the overlap: ill-posed in
          the limit of a complete set, well-posed for each fixed one.

*On-site model.* Its v̂_ℓ = ∫V m_ℓ is a projection on the charge m_ℓ, V = v_C Σ q_k m_k, and
v̂ = Jq: the statement holds with S = J in the energy norm ⟨V,V⟩ = (4π)⁻¹∫|∇V|² (normalised to unit
diagonal). From erf(τr)/r = (2/√π) ∫₀^τ e^{−t²r²} dt and (v) at every t,

    (vi)  λ_min ≥ τ⁻¹ ∫₀^τ (1 − max_i Σ_{j≠i} e^{−t²r_ij²})₊ dt          (equal widths, τ = 1/2σ).
"""

from collections.abc import Sequence

import mpmath
import numpy as np

from scc.arrays import FloatArray
from scc.basis.hermite import HermiteExpansion, bilinear_form, gaussian_kernel
from scc.basis.three_centre import PotentialFunction, potential_functions
from scc.theory import _remark_12_steps
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

EPS = float(np.finfo(np.float64).eps)
_NODES = 400
"""Steps of the lower sum of (vi), whose integrand increases."""


def gram_matrix(positions: FloatArray, functions: Sequence[PotentialFunction]) -> FloatArray:
    """S of the same functions on every atom, normalised to unit diagonal: (M·n_c, M·n_c)."""
    return _normalised(_overlaps(potential_functions(positions, functions)[0]))


def system_gram(system: TightBindingSystem) -> FloatArray:
    """S of the potential functions of the system, or of its charges in the energy norm."""
    three_centre = getattr(system.assembly, "three_centre", None)
    if three_centre is not None:
        return _normalised(_overlaps(three_centre.functions))
    (term,) = system.model.electrostatics
    return _normalised(np.asarray(term.matrix))


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """S is invertible in double precision: κ n eps < 10⁻³."""
    levels = np.linalg.eigvalsh(system_gram(system))
    unit = len(levels) * EPS * float(levels[-1])
    return {
        "S is numerically invertible": bool(levels[0] > 1e3 * unit),
        "condition number": float(levels[-1] / max(levels[0], unit)),
    }


def bound(gram: FloatArray) -> tuple[float, float]:
    """(λ_min, λ_max): the constants of (i)-(iii)."""
    levels = np.linalg.eigvalsh(gram)
    return float(levels[0]), float(levels[-1])


def condition_bound_of_chain(exponent: float, spacing: float) -> float:
    """(v): θ₃(q)/θ₄(q) ≥ κ for Gaussians e^{−a|x|²} on a uniform chain of any length."""
    # At 50 digits: θ₄ is a small difference of sums of order one.
    with mpmath.workdps(50):
        q = mpmath.exp(-mpmath.mpf(exponent) * mpmath.mpf(spacing) ** 2 / 2)
        return float(mpmath.jtheta(3, 0, q) / mpmath.jtheta(4, 0, q))


def least_eigenvalue_bound(system: TightBindingSystem) -> float:
    """(v) by rows of S, or (vi): a lower bound of λ_min from distances alone; may be ≤ 0."""
    if getattr(system.assembly, "three_centre", None) is not None:
        off_diagonal = np.sum(np.abs(system_gram(system)), axis=1) - 1.0
        return float(1.0 - np.max(off_diagonal))
    parameters = system.assembly.parameters  # type: ignore[attr-defined]
    widths = parameters.widths(system.configuration)
    if float(np.ptp(widths)) > 0.0:
        return 0.0
    tau = 0.5 / float(widths[0])
    squared = system.distances**2
    left = tau * np.arange(_NODES) / _NODES
    crowding = np.array([np.max(np.sum(np.exp(-(t**2) * squared), axis=1)) - 1.0 for t in left])
    return float(np.mean(np.maximum(1.0 - crowding, 0.0)))


def checks(system: TightBindingSystem) -> list[Check]:
    """(i)-(iii) along random and along the extreme directions; (v), (vi)."""
    S = system_gram(system)
    least, largest = bound(S)
    n = len(S)
    rng = np.random.default_rng(n)
    levels, vectors = np.linalg.eigh(S)
    errors = [vectors[:, 0], vectors[:, -1], *rng.standard_normal((4, n))]
    potentials = [vectors[:, -1], vectors[:, 0], *rng.standard_normal((4, n))]
    rows = []
    for v, change in zip(potentials, errors, strict=True):
        v, change = v / np.linalg.norm(v), change / np.linalg.norm(change)
        recovered = np.linalg.solve(S, S @ v + change) - v
        taken = (S - np.eye(n)) @ v
        rows.append(
            (
                np.linalg.norm(recovered),
                np.linalg.norm(recovered) * np.linalg.norm(S @ v),
                np.sqrt(max(recovered @ S @ recovered, 0.0)),
                np.sqrt(max(taken @ S @ taken, 0.0)),
                np.sqrt(max(v @ S @ v, 0.0)),
            )
        )
    coefficients, relative, potential, instead, norm = np.array(rows).T
    # Solving and λ itself: relative errors of n·eps·κ, of unknowns of size ≤ 1 + 1/λ_min.
    unit = 16.0 * n * EPS * largest / least
    slack = unit * (1.0 + 1.0 / least)
    furthest = float(np.max(np.abs(levels - 1.0)))
    found = [
        Check.of("‖δv̂‖ for ‖δπ‖ = 1", coefficients, 1.0 / least, slack),
        Check.of("‖δv̂‖ from below", np.full(len(rows), 1.0 / largest), coefficients, slack),
        Check.of("relative error amplified, ‖δπ‖ = 1", relative, largest / least, slack * largest),
        Check.of("‖δV‖ for ‖δπ‖ = 1", potential, 1.0 / np.sqrt(least), slack * np.sqrt(largest)),
        Check.of(
            "‖δV‖ from below",
            np.full(len(rows), 1.0 / np.sqrt(largest)),
            potential,
            slack * np.sqrt(largest),
        ),
        Check.of(
            "projections taken for coefficients, ‖Σ π_iΞ_i − V‖",
            instead,
            furthest * norm,
            16.0 * n * EPS * largest**1.5,
        ),
    ]
    from_distances = max(least_eigenvalue_bound(system), 0.0)
    rounding = 4.0 * n * EPS * largest
    found.append(
        Check.of("λ_min from distances, against measured", from_distances, least, rounding)
    )
    return found


def _overlaps(expansion: HermiteExpansion) -> FloatArray:
    return bilinear_form(gaussian_kernel, expansion, expansion)


def _normalised(matrix: FloatArray) -> FloatArray:
    scale = 1.0 / np.sqrt(np.diagonal(matrix))
    return np.asarray(0.5 * (matrix + matrix.T) * scale[:, None] * scale[None, :])


def derivation() -> dict[str, bool]:
    """(i)-(vi) in symbols and, for θ-functions and lost digits, in extended precision."""
    return _remark_12_steps.steps()
