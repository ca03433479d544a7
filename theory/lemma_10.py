"""Lemma 10: the Hamiltonian and its derivatives are exponentially localised, with constants.

Statement. For r and v̂ fixed, H = H⁰ + v, minimal spacing 𝔪, there are constants with

    |H_ℓk| ≤ (c₀ + c₁‖v̂‖_∞) e^{−ηr_ℓk},    |∂H_ℓk/∂v̂_mc| ≤ c₂ e^{−η(r_ℓm + r_mk)},
    |∂H_ℓk/∂r_m| ≤ (c₃ + c₄‖v̂‖_∞) e^{−η(r_ℓm + r_mk)}     (Euclidean norm of the gradient)

for every pair of orbitals at ℓ and k and every m. The constants depend on 𝔪 but not on M.

On-site. h has compact support: any η. c₀ = max(max|ε|, sup |h| e^{ηr}), c₁ = c₂ = 1, c₃ = sup |h′|
e^{ηr}, c₄ = 0, suprema over r ≥ 𝔪; only m ∈ {ℓ, k} moves H_ℓk, and then r_ℓm + r_mk = r_ℓk.

Gaussian orbitals, orthonormal by assumption. *Sharp*: for equal s Gaussians the integrals are
known, any η, see :mod:`scc.theory._gaussian_products`; Σ_m is a Gaussian lattice sum.
*Paper*: any shells. (2.12), (2.20) at rates α = 2η for φ and 2α for Ξ, with constants of
:mod:`scc.theory._orbital_envelope`, then Lemma 9 with half of every exponent spent:

    c₀ = ½c_∇φ² I,   c₁ = c_φ² C_Ξ Z(2α) I,   c₂ = c_φ² c_Ξ I/8,   I = 8π/α³,
    c₃ = ½ c_∇φ c_∇∇φ I,   c₄ = 2c_φ c_∇φ C_Ξ Z(2α) I + c_φ² C_∇Ξ I/8,

C = Σ_c c_Ξc, Z the lattice sum about any point, since |V(x)| ≤ ‖v̂‖ C_Ξ Z. The triangle inequality
|x−r_ℓ| + |x−r_k| + 2|x−r_m| ≥ r_ℓm + r_mk is where Ξ must decay twice as fast.

Löwdin. H = X(T + V)X with X = S^{−1/2}. No lattice sum is needed and no rate lost: tilted by e^f
with f_i = ηr_ik or f_i = ηr_im, every factor has a norm (:mod:`scc.theory.orthogonalisation`),
‖X‖ ≤ s^{−1/2}, ‖dX‖ ≤ ½s^{−3/2}‖dS‖, s = s(η) the tilted smallest overlap eigenvalue, so that

    c₀ = ‖T‖_η/s,   c₁ = ‖Σ_m|W_m|‖_η/s,   c₂ = max_m ‖W_m‖_ηη/s,
    c₃ + c₄‖v̂‖ = max_m [ ‖∂_mS‖_ηη ‖T + V‖_η/s² + ‖∂_m(T + V)‖_ηη/s ],

‖A‖_η = ‖|A|∘e^{ηr}‖, ‖A‖_ηη = ‖|A|∘e^{η(r_ℓm + r_mk)}‖; any η with s(η) > 0. The price of
orthogonalisation is this limit to η, and 1/s.
"""

import math
from dataclasses import dataclass

import numpy as np
import sympy as sp

from scc.arrays import FloatArray, IntArray
from scc.models.gaussian import GaussianAssembly
from scc.models.model_systems import ModelSystem
from scc.models.onsite import OnsiteAssembly
from scc.theory._hamiltonian_decay import (
    HamiltonianDecay,
    amplitude,
    loewdin_bound,
    onsite_bound,
    paper_bound,
    sharp_bound,
)
from scc.theory._hopping_envelope import hopping_envelope
from scc.theory.orthogonalisation import gaussian_assembly, largest_rate, measured_rate
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MOVED = 20
"""So many atoms m of a larger system are tried."""

_EPS = float(np.finfo(np.float64).eps)


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """A spacing, and a model whose constants are known."""
    return {
        "minimal spacing is positive": system.minimal_spacing > 0.0,
        "open boundaries": not any(system.configuration.periodic),
        "constants of the orbitals are known": known(system),
    }


def known(system: TightBindingSystem) -> bool:
    """On-site with a hopping in closed form, or Gaussian orbitals with features."""
    assembly = system.assembly
    if isinstance(assembly, OnsiteAssembly):
        parameters = assembly.parameters
        return isinstance(parameters, ModelSystem) and (
            hopping_envelope(parameters.hopping, 1.0, 1.0) is not None
        )
    return isinstance(assembly, GaussianAssembly) and assembly.features is not None


def bound(system: TightBindingSystem, eta: float) -> HamiltonianDecay | None:
    """The best constants at the rate η; None where there are none (Löwdin: s(η) ≤ 0)."""
    if isinstance(system.assembly, OnsiteAssembly):
        return onsite_bound(system, eta)
    if gaussian_assembly(system).loewdin is not None:
        return loewdin_bound(system, eta)
    return sharp_bound(system, eta) or paper_bound(system, eta)


def rates(system: TightBindingSystem) -> list[float]:
    """The rates η that a system is tried at, 1/bohr."""
    assembly = system.assembly
    if isinstance(assembly, OnsiteAssembly):
        assert isinstance(assembly.parameters, ModelSystem)
        decay = abs(getattr(assembly.parameters.hopping, "decay", 1.0)) or 1.0
        return [0.5 * decay, decay, 2.0 * decay]
    gaussian = gaussian_assembly(system)
    if gaussian.loewdin is None:
        smallest = min(min(s.exponents) for atom in gaussian.basis.shells for s in atom)
        return [share * math.sqrt(smallest) for share in (0.5, 1.0, 2.0)]
    fastest = largest_rate(gaussian.overlap.matrix, system.orbital_distances)
    return [share * fastest for share in (0.3, 0.6, 0.9)]


def checks(system: TightBindingSystem) -> list[Check]:
    """All H_ℓk and all their derivatives against the constants at several rates."""
    measured = _measure(system)
    results: list[Check] = []
    for name, eta in zip(("slow", "medium", "fast"), rates(system), strict=True):
        found = bound(system, eta)
        if found is not None:
            results += _compare(system, found, f"{name} rate", measured)
    assembly = system.assembly
    if isinstance(assembly, GaussianAssembly) and assembly.loewdin is None:
        eta = rates(system)[0]
        coarse = paper_bound(system, eta)
        results += _compare(system, coarse, "paper's route", measured)
    return results


@dataclass(frozen=True)
class _Measured:
    """|∂H/∂v̂_mc|, largest over c, and |∂H/∂r_m| for the atoms m: (K, n, n) each; rounding of H and
    of both."""

    atoms: IntArray
    by_feature: FloatArray
    moved: FloatArray
    rounding: tuple[float, float, float]


def _measure(system: TightBindingSystem) -> _Measured:
    """All atoms m, or :data:`MOVED` spread over a larger system."""
    count = min(system.atoms, MOVED)
    atoms = np.linspace(0, system.atoms - 1, count).round().astype(np.int64)
    n, assembly = len(system.hamiltonian), system.assembly
    by_feature, squares = np.zeros((count, n, n)), np.zeros((count, n, n))
    for row, atom in enumerate(atoms):
        for feature in range(system.features.size // system.atoms):
            unit = np.zeros((system.atoms, system.features.size // system.atoms))
            unit[atom, feature] = 1.0
            w = np.abs(assembly.feature_matrix(unit.reshape(system.features.shape)))
            by_feature[row] = np.maximum(by_feature[row], np.diag(w) if w.ndim == 1 else w)
        for axis in range(3):
            displacement = np.zeros((system.atoms, 3))
            displacement[atom, axis] = 1.0
            free, potential = assembly.hamiltonian_perturb(displacement, system.features)
            squares[row] += (free + potential) ** 2
    return _Measured(atoms, by_feature, np.sqrt(squares), _rounding(system))


def _compare(
    system: TightBindingSystem,
    found: HamiltonianDecay,
    name: str,
    measured: _Measured,
) -> list[Check]:
    r, rounding = system.orbital_distances, measured.rounding
    from_m = np.exp(-found.eta * system.distances[np.ix_(measured.atoms, system.owner)])
    decay = from_m[:, :, None] * from_m[:, None, :]
    return [
        Check.of(
            f"|H_lk| [Hartree], {name}",
            system.hamiltonian,
            found.value * np.exp(-found.eta * r),
            rounding[0],
            (measured_rate(r, system.hamiltonian), found.eta),
        ),
        Check.of(
            f"|dH_lk/dv_m|, {name}", measured.by_feature, found.by_feature * decay, rounding[1]
        ),
        Check.of(
            f"|dH_lk/dr_m| [Hartree/bohr], {name}",
            measured.moved,
            found.moved * decay,
            rounding[2],
        ),
    ]


def _rounding(system: TightBindingSystem) -> tuple[float, float, float]:
    """Of H, ∂H/∂v̂ and ∂H/∂r as computed: sums of M products, times ‖X‖² and its errors in Löwdin.

    Raw entries are good to a few tens of roundings of the largest one; X to n ε ‖S‖ s^{−3/2}, its
    derivative to that times ‖dS‖/s.
    """
    assembly = system.assembly
    largest = float(np.max(np.abs(system.hamiltonian)))
    if not isinstance(assembly, GaussianAssembly):
        return 16.0 * _EPS * largest, 0.0, 16.0 * _EPS * largest * 20.0
    base = 64.0 * _EPS * (system.atoms + 1) * (1.0 + amplitude(system))
    if assembly.loewdin is None:
        return base, base, 4.0 * base
    levels, n = assembly.loewdin.eigenvalues, len(system.hamiltonian)
    amplified = n * base * float(levels[-1]) * float(levels[0]) ** -2.0
    return amplified, amplified, 16.0 * amplified / float(levels[0])


def derivation() -> dict[str, bool]:
    """Gaussian product theorem, its inequalities, Racah's sums, and the constants of Lemma 9."""
    a, b, r, x, eta = sp.symbols("a b r x eta", positive=True)
    steps: dict[str, bool] = {}
    # ½∫∇φ_ℓ·∇φ_k from S: T = −½ΔS in the distance, S = e^{−ar²/2}.
    overlap = sp.exp(-a * r**2 / 2)
    kinetic = -(sp.diff(overlap, r, 2) + 2 * sp.diff(overlap, r) / r) / 2
    steps["T(r) = (a/2)(3 − ar²) e^{−ar²/2}"] = (
        sp.simplify(kinetic - a / 2 * (3 - a * r**2) * overlap) == 0
    )
    first, k, m = (sp.symbols(f"{name}0:3", real=True) for name in "lkm")
    y = sp.symbols("y0:3", real=True)

    def square(u: tuple[sp.Symbol, ...], v: tuple[sp.Expr, ...]) -> sp.Expr:
        return sum((p - q) ** 2 for p, q in zip(u, v, strict=True))

    centre = tuple((p + q) / 2 for p, q in zip(first, k, strict=True))
    mean = tuple((2 * a * c + b * s) / (2 * a + b) for c, s in zip(centre, m, strict=True))
    q = 2 * a * b / (2 * a + b)
    exponent = a * square(y, first) + a * square(y, k) + b * square(y, m)
    completed = (2 * a + b) * square(y, mean) + a / 2 * square(first, k) + q * square(m, centre)
    steps["product of three Gaussians"] = sp.simplify(exponent - completed) == 0
    sides, diagonals = square(m, first) + square(m, k), 4 * square(m, centre) + square(first, k)
    steps["2(r_lm² + r_mk²) = 4d² + r²"] = sp.expand(2 * sides - diagonals) == 0
    steps["a/2 − q/4 > 0"] = bool(sp.simplify(a / 2 - q / 4).is_positive)
    gaussian = sp.sqrt(sp.E * q) * x * sp.exp(-q * x**2 / 2)
    top = gaussian.subs(x, 1 / sp.sqrt(q))
    steps["d e^{−qd²} ≤ e^{−qd²/2}/√(eq)"] = bool(
        sp.simplify(top - 1) == 0 and sp.simplify(sp.diff(gaussian, x).subs(x, 1 / sp.sqrt(q))) == 0
    )
    for degree in (1, 2, 3):
        laplacian = sp.diff(r ** (2 * degree + 1), r, 2) / r
        found = sp.simplify(laplacian / 2 - degree * (2 * degree + 1) * r ** (2 * degree - 2))
        steps[f"Σ_µ|∇R_lµ|² = l(2l+1) r^(2l−2), l = {degree}"] = found == 0
    # Lemma 9 with σ = ½: E = 2α for two orbitals, 4α with Ξ at 2α.
    integrals = [8 * sp.pi / (total * eta / 2) ** 3 for total in (2, 4)]
    steps["I = 8π/α³, and I/8 with Ξ"] = bool(
        sp.simplify(integrals[0] - 8 * sp.pi / eta**3) == 0
        and sp.simplify(integrals[1] * 8 - integrals[0]) == 0
    )
    s, tilted = sp.symbols("s t", positive=True)
    twice = 2 * (s ** sp.Rational(-3, 2) / 2) * tilted * s ** sp.Rational(-1, 2)
    steps["dX(T+V)X and its transpose: ‖dS‖‖T+V‖/s²"] = sp.simplify(twice - tilted / s**2) == 0
    return steps
