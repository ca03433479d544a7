r"""Theorem 4, the exchange–correlation part of E_ℓ: ∫_{N_ℓ} ε_xc(ρ) is local, at half the rate.

Statement. E^xc_ℓ = ∫_{N_ℓ} ε_xc(ρ) with dist(r_m, N_ℓ) ≥ ½ r_ℓm has |∂E^xc_ℓ/∂u_m| ≤ C e^{−η r_ℓm},
hypotheses as in :mod:`scc.theory.theorem_4`. Tried with Dirac exchange, ε_xc = −c₀ρ^{4/3}.

The cells are those of the code, a smooth partition of unity (sharp cells are not differentiable
once discretised): E^xc_ℓ = Σ_{g owned by ℓ} w_g ε_xc(ρ(x_g)), x_g moving with atom ℓ,
:mod:`scc.functional.quadrature`. Its cells satisfy dist(r_m, N_ℓ) ≥ 0.18 r_ℓm instead of ½ r_ℓm.

Proof with constants. ρ = 2φᵀF(H)φ; with A = ∂H and φ′ = ∂φ(x)/∂u_m at fixed x,

    |∂ρ(x)| ≤ 2 Σ_k w_k min_η a_m(η) ‖e^{−ηψ}φ(x)‖² / c(η, s_k)² + 4‖φ′(x)‖ ‖φ(x)‖,   ψ = r_·m,

decays in |x − r_m| with the smaller of 2η and the rates of the orbitals, and for x in N_ℓ that
distance is at least a fixed share of r_ℓm, ½ or 0.18. So

    |∂E^xc_ℓ| ≤ Σ_g { w_g |ε_xc′(ρ_g)| (|∂ρ(x_g)| + δ_ℓm |∇ρ(x_g)|) + |∂w_g| |ε_xc(ρ_g)| },

∂w_g = 0 unless atom m is near g, |∇ρ| ≤ 4‖∇φ‖‖φ‖; ε_xc′ is bounded since ρ is.
"""

import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.basis.evaluate import evaluate
from scc.functional.quadrature import SWITCHING_WIDTH, MolecularGrid
from scc.functional.xc import Dirac
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import theorem_4, theorem_4_density
from scc.theory._daleckii_krein import directional
from scc.theory._perturbations import Perturbation, compared
from scc.theory._resolvent_bounds import ResolventBounds, resolvent_bounds
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MODELS = ("gaussian",)

SAMPLED_ATOMS = 2
RADIAL, DEGREE = 4, 5
"""Of the quadrature; any positive weights will do, for the inequality holds point by point."""

_EXCHANGE = Dirac()


def derivation() -> dict[str, bool]:
    """Dirac's ε_xc′, and the share of r_ℓm that separates r_m from the cells of the code."""
    return {
        "ε_xc′ = −(4/3)c₀ρ^{1/3}": _slope_of_exchange(),
        "dist(r_m, N_ℓ) ≥ ½(1 − a) r_ℓm": _distance_of_cells(),
    }


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Those of the density at points."""
    return theorem_4_density.hypotheses(system)


def grid_of(system: TightBindingSystem) -> MolecularGrid:
    """The points and weights of E^xc."""
    return MolecularGrid(system.configuration.positions, RADIAL, DEGREE)


def bound(
    system: TightBindingSystem,
    grid: MolecularGrid,
    perturbation: Perturbation,
    resolvent: ResolventBounds | None = None,
) -> FloatArray:
    """Bound of |∂E^xc_ℓ/∂u_m|, (M,) Hartree per Hartree or bohr."""
    resolvent = resolvent or resolvent_bounds(system)
    locality = theorem_4.bound(system, perturbation, resolvent)
    orbitals = theorem_4_density.orbitals_at(system, grid.points, perturbation)
    with np.errstate(divide="ignore"):
        weight = np.log(orbitals.values**2 @ np.exp(2.0 * locality.log_distance_weight))
    change = 2.0 * resolvent.occupation_response(locality.log_strength + weight)
    norm = np.linalg.norm(orbitals.values, axis=1)
    change += 4.0 * np.linalg.norm(orbitals.moved, axis=1) * norm
    rho = _density(system, orbitals.values)
    total = grid.weights * np.abs(_EXCHANGE.derivative(rho)) * change
    if perturbation.name == "r":
        moving = grid.owner == perturbation.atom
        gradient = np.linalg.norm(_gradients(system, grid, perturbation), axis=1)
        total += np.abs(grid.weight_jvp(perturbation.direction) * _EXCHANGE.energy(rho))
        drag = 4.0 * gradient * norm
        total += moving * grid.weights * np.abs(_EXCHANGE.derivative(rho)) * drag
    return grid.site_sums(total)


def measured(
    system: TightBindingSystem, grid: MolecularGrid, perturbation: Perturbation
) -> FloatArray:
    """∂E^xc_ℓ/∂u_m, (M,)."""
    orbitals = theorem_4_density.orbitals_at(system, grid.points, perturbation)
    occupation, eigenvectors = FermiDirac(system.beta, system.mu), system.state.eigenvectors
    df = directional(occupation, "F", system.levels, eigenvectors, [perturbation.change])
    f, values = system.state.density_operator, orbitals.values
    change = 2.0 * np.sum(values * (values @ df), axis=1)
    change += 4.0 * np.sum(orbitals.moved * (values @ f), axis=1)
    rho = _density(system, values)
    total = grid.weights * _EXCHANGE.derivative(rho) * change
    if perturbation.name == "r":
        moving = grid.owner == perturbation.atom
        drag = 4.0 * np.sum(_gradients(system, grid, perturbation) * (values @ f), axis=1)
        total += grid.weight_jvp(perturbation.direction) * _EXCHANGE.energy(rho)
        total += moving * grid.weights * _EXCHANGE.derivative(rho) * drag
    return grid.site_sums(total)


def checks(system: TightBindingSystem) -> list[Check]:
    """∂E^xc_ℓ/∂v̂_m and ∂E^xc_ℓ/∂r_m."""
    resolvent, grid = resolvent_bounds(system), grid_of(system)

    def compare(perturbation: Perturbation) -> tuple[FloatArray, FloatArray, FloatArray]:
        arguments = (system, grid, perturbation)
        limit, error = bound(*arguments, resolvent), _rounding(*arguments, resolvent)
        return measured(*arguments), limit, error

    return compared(system, SAMPLED_ATOMS, "|∂Exc_ℓ/∂{}_m|", compare)


def _density(system: TightBindingSystem, values: FloatArray) -> FloatArray:
    """ρ(x_g) = 2φᵀFφ, (G,) electrons/bohr³."""
    rho = 2.0 * np.sum(values * (values @ system.state.density_operator), axis=1)
    return np.asarray(np.maximum(rho, 0.0))


def _gradients(
    system: TightBindingSystem, grid: MolecularGrid, perturbation: Perturbation
) -> FloatArray:
    """∂φ/∂x along the displacement, at fixed atoms, of the orthonormal orbitals, (G, n)."""
    assembly = system.assembly
    _, slopes = evaluate(assembly.basis, grid.points, 1)  # type: ignore[attr-defined]
    along = np.einsum("ipa,i->pa", slopes, perturbation.direction[perturbation.atom])
    loewdin = assembly.loewdin  # type: ignore[attr-defined]
    return np.asarray(along if loewdin is None else along @ loewdin.inverse_square_root)


def _rounding(
    system: TightBindingSystem,
    grid: MolecularGrid,
    perturbation: Perturbation,
    resolvent: ResolventBounds,
) -> FloatArray:
    """Errors of F and DF[A] as in Theorem 4, and eps of every term of the sums, (M,)."""
    of_populations, _ = theorem_4.rounding(theorem_4.bound(system, perturbation, resolvent))
    orbitals = theorem_4_density.orbitals_at(system, grid.points, perturbation)
    norm = np.linalg.norm(orbitals.values, axis=1)
    moved = np.linalg.norm(orbitals.moved, axis=1)
    if perturbation.name == "r":
        moved = moved + np.linalg.norm(_gradients(system, grid, perturbation), axis=1)
    unit = theorem_4.product_rounding(system)
    of_f = theorem_4.occupation_rounding(system, resolvent.occupation_moment(1))
    change = of_populations * norm**2 + 4.0 * moved * norm * (of_f + unit)
    rho = _density(system, orbitals.values)
    # |ε_xc′(ρ + δ) − ε_xc′(ρ)| ≤ |ε_xc′(δ)|: a cube root is subadditive.
    error_of_rho = 2.0 * norm**2 * (of_f + unit)
    slope = _EXCHANGE.derivative(error_of_rho)
    size = resolvent.occupation_moment(1) * float(np.linalg.norm(perturbation.change))
    derivative = 2.0 * size * norm**2 + 4.0 * moved * norm
    total = grid.weights * (np.abs(_EXCHANGE.derivative(rho)) * change + np.abs(slope) * derivative)
    if perturbation.name == "r":
        shift = np.abs(grid.weight_jvp(perturbation.direction))
        steepest = np.abs(_EXCHANGE.derivative(rho + error_of_rho))
        total += shift * (steepest * error_of_rho + unit * np.abs(_EXCHANGE.energy(rho)))
    return grid.site_sums(total)


# -- the derivation ------------------------------------------------------------------------------


def _slope_of_exchange() -> bool:
    rho = sp.symbols("rho", positive=True)
    c = sp.Rational(3, 4) * (3 / sp.pi) ** sp.Rational(1, 3)
    slope = sp.diff(-c * rho ** sp.Rational(4, 3), rho)
    exact = sp.simplify(slope + sp.Rational(4, 3) * c * rho ** sp.Rational(1, 3)) == 0
    return bool(exact and abs(float(slope.subs(rho, 0.3)) - _EXCHANGE.derivative(0.3)) < 1e-14)


def _distance_of_cells() -> bool:
    """On supp p_ℓ, μ_ℓm = (|x − r_ℓ| − |x − r_m|)/r_ℓm < a; with |x − r_ℓ| ≥ r_ℓm − |x − r_m| that
    leaves |x − r_m| > ½(1 − a) r_ℓm: the inequality at its worst point, and at random ones."""
    r, d, a = sp.symbols("r d a", positive=True)
    worst = sp.solve(sp.Eq((r - 2 * d) / r, a), d)
    rng = np.random.default_rng(4)
    positions = rng.uniform(-3.0, 3.0, (5, 3))
    grid = MolecularGrid(positions, radial=12, degree=7)
    distance = np.linalg.norm(grid.points[:, None] - positions, axis=-1)
    apart = np.linalg.norm(positions[:, None] - positions, axis=-1)[grid.owner]
    holds = np.all(distance >= 0.5 * (1.0 - SWITCHING_WIDTH) * apart - 1e-12)
    return bool(holds and sp.simplify(worst[0] - r * (1 - a) / 2) == 0)
