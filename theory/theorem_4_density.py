r"""Theorem 4 for the density at points, in Gaussian orbitals.

Statement. |∂ρ_ℓ(x)/∂u_m| ≤ C e^{−η(|x − r_ℓ| + r_ℓm)}, hypotheses and notation as in
:mod:`scc.theory.theorem_4`; ρ_ℓ(x) = 2 Σ_{a∈ℓ} φ_a(x) [F(H)φ(x)]_a, (3.6), with orthonormal
orbitals: the raw ones by assumption, or Löwdin's φX, X = S^{−1/2}.

Proof with constants. With A = ∂H/∂u_m and φ′ = ∂φ(x)/∂u_m (zero for v̂_m),

    ∂ρ_ℓ(x) = 2 Σ_a { φ_a(x) eᵀDF(H)[A]φ(x) + φ′_a [Fφ(x)]_a + φ_a(x) [Fφ′]_a },

and in the weights of r_·m (written ψ here)

    |eᵀDF[A]φ(x)| ≤ Σ_k w_k min_η a_m(η) e^{−ηr_am} ‖e^{−ηψ}φ(x)‖ / c(η, s_k)²,
    |[Fφ]_a| ≤ ‖φ(x)‖,
    |[Fφ′]_a| ≤ ½|φ′_a| + Σ_k w_k min_η e^{−ηr_am} ‖e^{ηψ}φ′‖ · ‖Re R‖_ψ,  and ≤ ‖φ′‖.

φ_a(x) has the decay in |x − r_ℓ|: |φ(x)| ≤ c_φ(η) e^{−η|x|} with c_φ(η) = N e^{η²/4α} for
N e^{−α|x|²}, for any η; φ′ is pinned to r_m, in the raw orbitals it is zero off atom m.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.basis.evaluate import evaluate
from scc.models.gaussian import GaussianAssembly
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import theorem_4
from scc.theory._daleckii_krein import directional
from scc.theory._perturbations import Perturbation, compared
from scc.theory._resolvent_bounds import ResolventBounds, resolvent_bounds
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MODELS = ("gaussian",)

SAMPLED_ATOMS = 3
SAMPLED_POINTS = 6
OFFSET = (0.35, 0.25, -0.15)
"""Points x are this far from atoms, bohr: nothing vanishes by symmetry."""


@dataclass(frozen=True, eq=False)
class Orbitals:
    """φ(x) and φ′ = ∂φ(x)/∂u_m at P points, (P, n) each."""

    values: FloatArray
    moved: FloatArray


def derivation() -> dict[str, bool]:
    """The product rule, and the exponential envelope of a Gaussian."""
    return {
        "product rule of φᵀF(H)φ": _product_rule(),
        "c_φ(η) = N e^{η²/4α} is the best constant": _gaussian_envelope(),
    }


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Those of Theorem 4, and orbitals that are functions."""
    gaussian = isinstance(system.assembly, GaussianAssembly)
    return theorem_4.hypotheses(system) | {"orbitals are functions of x": gaussian}


def sampled_points(system: TightBindingSystem) -> FloatArray:
    """x, (P, 3) bohr, spread over the atoms."""
    positions = system.configuration.positions
    chosen = np.linspace(0, len(positions) - 1, min(SAMPLED_POINTS, len(positions))).round()
    return np.asarray(positions[chosen.astype(int)] + np.array(OFFSET))


def orbitals_at(
    system: TightBindingSystem, points: FloatArray, perturbation: Perturbation
) -> Orbitals:
    """Orthonormal orbitals at the points, and their derivatives at fixed x."""
    assembly: Any = system.assembly
    raw, slopes = evaluate(assembly.basis, points, 1)
    moved = np.zeros_like(raw)
    if perturbation.name == "r":
        # ∂/∂r_k is minus the derivative in x, on the functions of atom k.
        direction = perturbation.direction[system.owner]
        moved = -np.einsum("ipa,ai->pa", slopes, direction)
    if assembly.loewdin is None:
        return Orbitals(raw, moved)
    x = assembly.loewdin.inverse_square_root
    moved = moved @ x
    if perturbation.name == "r":
        change = assembly.overlap.position_perturb(perturbation.direction)
        moved = moved + raw @ assembly.loewdin.derivative(change)
    return Orbitals(raw @ x, moved)


def bound(
    system: TightBindingSystem,
    points: FloatArray,
    perturbation: Perturbation,
    resolvent: ResolventBounds | None = None,
) -> FloatArray:
    """Bound of |∂ρ_ℓ(x)/∂u_m|, (P, M), electrons/bohr³ per Hartree or bohr."""
    resolvent = resolvent or resolvent_bounds(system)
    locality = theorem_4.bound(system, perturbation, resolvent)
    orbitals = orbitals_at(system, points, perturbation)
    near = locality.log_distance_weight  # (n, K)
    values, moved = np.abs(orbitals.values), np.abs(orbitals.moved)
    with np.errstate(divide="ignore"):
        at_points = 0.5 * np.log(values**2 @ np.exp(2.0 * near))  # ‖e^{−ηψ}φ(x)‖
    response = resolvent.occupation_response(locality.log_strength + near + at_points[:, None, :])
    total = values * response
    if perturbation.name == "r":
        norm = np.linalg.norm(values, axis=1)[:, None]
        norm_moved = np.linalg.norm(moved, axis=1)[:, None]
        with np.errstate(divide="ignore"):
            # ‖e^{ηψ}φ′‖ by its largest entry, that large weights do not overflow; φ′ may underflow.
            terms = np.log(moved)[..., None] - near
            top = np.maximum(np.max(terms, axis=1), -700.0)
            stretched = np.log(np.sum(np.exp(2.0 * (terms - top[:, None, :])), axis=1))
        stretched = top + 0.5 * stretched
        occupied = 0.5 * moved + resolvent.occupation(near + stretched[:, None, :])
        total += moved * norm + values * np.minimum(occupied, norm_moved)
    return _per_atom(system, 2.0 * total)


def measured(
    system: TightBindingSystem, points: FloatArray, perturbation: Perturbation
) -> FloatArray:
    """∂ρ_ℓ(x)/∂u_m, (P, M)."""
    orbitals = orbitals_at(system, points, perturbation)
    occupation = FermiDirac(system.beta, system.mu)
    eigenvectors = system.state.eigenvectors
    change = directional(occupation, "F", system.levels, eigenvectors, [perturbation.change])
    f = system.state.density_operator
    values, moved = orbitals.values, orbitals.moved
    total = values * (values @ change) + moved * (values @ f) + values * (moved @ f)
    return _per_atom(system, 2.0 * total)


def checks(system: TightBindingSystem) -> list[Check]:
    """∂ρ_ℓ(x)/∂v̂_m and ∂ρ_ℓ(x)/∂r_m at points."""
    resolvent = resolvent_bounds(system)
    points = sampled_points(system)

    def compare(perturbation: Perturbation) -> tuple[FloatArray, FloatArray, FloatArray]:
        arguments = (system, points, perturbation)
        limit, error = bound(*arguments, resolvent), _rounding(*arguments, resolvent)
        return measured(*arguments), limit, error

    return compared(system, SAMPLED_ATOMS, "|∂ρ_ℓ(x)/∂{}_m|", compare)


def _rounding(
    system: TightBindingSystem,
    points: FloatArray,
    perturbation: Perturbation,
    resolvent: ResolventBounds,
) -> FloatArray:
    """Errors of F and DF[A] as in Theorem 4, times the orbitals they multiply, (P, M)."""
    of_populations, _ = theorem_4.rounding(theorem_4.bound(system, perturbation, resolvent))
    of_f = theorem_4.occupation_rounding(system, resolvent.occupation_moment(1))
    orbitals = orbitals_at(system, points, perturbation)
    values, moved = np.abs(orbitals.values), np.abs(orbitals.moved)
    norm = np.linalg.norm(values, axis=1)[:, None]
    norm_moved = np.linalg.norm(moved, axis=1)[:, None]
    total = values * norm * 0.5 * of_populations + of_f * (moved * norm + values * norm_moved)
    return _per_atom(system, 2.0 * total)


def _per_atom(system: TightBindingSystem, values: FloatArray) -> FloatArray:
    """Sum (P, n) over the orbitals of each atom, (P, M)."""
    belongs = system.owner[:, None] == np.arange(system.atoms)
    return np.asarray(values @ belongs, dtype=np.float64)


# -- the derivation ------------------------------------------------------------------------------


def _product_rule() -> bool:
    """With F(H) = H², the simplest function with DF(H)[A] = HA + AH, and two orbitals."""
    t = sp.symbols("t")
    h = sp.Matrix(2, 2, lambda i, j: sp.Function(f"h{min(i, j)}{max(i, j)}")(t))
    phi = sp.Matrix([sp.Function("p")(t), sp.Function("q")(t)])
    f, change = h * h, h * h.diff(t) + h.diff(t) * h
    rho = 2 * phi[0] * (f * phi)[0]
    moved = phi.diff(t)
    expected = 2 * (phi[0] * (change * phi)[0] + moved[0] * (f * phi)[0] + phi[0] * (f * moved)[0])
    return bool(sp.simplify(rho.diff(t) - expected) == 0)


def _gaussian_envelope() -> bool:
    r, eta, alpha = sp.symbols("r eta alpha", positive=True)
    excess = -alpha * r**2 + eta * r
    best = sp.solve(sp.diff(excess, r), r)
    return bool(
        len(best) == 1
        and sp.simplify(excess.subs(r, best[0]) - eta**2 / (4 * alpha)) == 0
        and sp.diff(excess, r, 2) == -2 * alpha
    )
