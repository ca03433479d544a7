"""Löwdin orthogonalisation keeps exponential locality: S^{−1/2} with explicit constants.

The proofs assume orthonormal orbitals with |∂^α φ| ≤ c_φ e^{−η_φ|x|} (2.12). Orthogonalised
orbitals φ^L = Xφ, X = S^{−1/2}, have that decay too, at another rate.

Statement. Let S be symmetric and positive, r_ℓk the distances of its orbitals' atoms, η ≥ 0 and

    s(η) = min_k λ_min( S∘cosh η(r_ik − r_jk) )  ≥  λ_min(S) − δ(η),   δ(η) = ‖ |S|∘(cosh ηr − 1) ‖.

Where s(η) > 0, with M_m the matrix |∂S/∂r_m|∘e^{η(r_ℓm + r_mk)},

    |X_ℓk| ≤ s(η)^{−1/2} e^{−ηr_ℓk},     |∂X_ℓk/∂r_m| ≤ ½ s(η)^{−3/2} ‖M_m‖ e^{−η(r_ℓm + r_mk)},
    |φ^L_ℓ(x)| ≤ s(η)^{−1/2} · min_{η′>η} c_φ(η′) Z(η′ − η) · e^{−η|x−r_ℓ|},

c_φ(η′) = Σ_b sup |φ_b| e^{η′|x|} over the orbitals b of an atom, Z the lattice sum about any point.

Derivation. X = π⁻¹ ∫ t^{−1/2} (S+t)^{−1} dt. The symmetric part of e^f S e^{−f} is
S∘cosh(f_i − f_j), the antisymmetric part adds nothing to the real part of the form, so that for
f_i = ηr_ik ‖e^f (S+t)^{−1} e^{−f}‖ ≤ 1/(s(η) + t). Integrate. The derivative is
dX = −π⁻¹ ∫ t^{−1/2} (S+t)^{−1} dS (S+t)^{−1} dt, and e^f dX e^f with f_i = ηr_im is bounded alike.

The form with δ needs one norm instead of M eigenvalues; the usual Combes–Thomas form has e^{ηr} − 1
in it for cosh ηr − 1. Both forget the signs of S∘cosh, and with them most of the rate.

The exact rate is known for one Gaussian e^{−ax²} on every site of a chain of spacing d: the symbol
of S is Jacobi's ϑ₃(k/2, e^{−ad²/2}), whose zeros lie at k = π + i·ad²/2. So X_ℓk ~ n^{−1/2}
e^{−n·ad²/2}: a rate ad/2 a bohr, at which s(η) vanishes on the infinite chain. The denser the
chain, the slower: that is what Löwdin costs. It is an upper limit to the rate of H too, in which X
multiplies overlaps that decay faster than any exponential.
"""

import math

import mpmath
import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.basis.evaluate import evaluate
from scc.models.gaussian import GaussianAssembly
from scc.theory._orbital_envelope import shell_envelope
from scc.theory._weighted_norms import perron_bound
from scc.theory.packing import best_lattice_sum, packings
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MODELS = ("gaussian",)
SHARES = (0.2, 0.4, 0.6, 0.8, 0.9, 0.97)
"""Rates tried, in units of the largest, where s(η) = 0."""

_EPS = float(np.finfo(np.float64).eps)
_STEEPER = (0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5)


def gaussian_assembly(system: TightBindingSystem) -> GaussianAssembly:
    """The assembly of a Gaussian model. Raises TypeError for another."""
    if not isinstance(system.assembly, GaussianAssembly):
        raise TypeError(f"{type(system.assembly).__name__} has no overlap matrix")
    return system.assembly


def smallest_eigenvalue(overlap: FloatArray) -> float:
    """A lower bound s of the overlap's spectrum: computed, less the backward error of eigvalsh."""
    levels = np.linalg.eigvalsh(overlap)
    return float(levels[0] - 4.0 * len(levels) * _EPS * levels[-1])


def tilt(overlap: FloatArray, r: FloatArray, eta: float) -> float:
    """δ(η) = ‖ |S|∘(cosh ηr − 1) ‖, from above."""
    weight = 2.0 * np.sinh(0.5 * eta * r) ** 2
    return float(perron_bound(np.abs(overlap) * weight))


def tilted_eigenvalue(overlap: FloatArray, r: FloatArray, eta: float) -> float:
    """s(η) = min_k λ_min(S∘cosh η(r_ik − r_jk)), from below."""
    tilts = eta * (r[:, :, None] - r[:, None, :])
    matrices = overlap * np.cosh(tilts)
    rounding = 4.0 * len(overlap) * _EPS * np.max(np.sum(np.abs(matrices), axis=-1))
    return float(np.min(np.linalg.eigvalsh(matrices)) - rounding)


def largest_rate(overlap: FloatArray, r: FloatArray) -> float:
    """A rate η up to which s(η) > 0, and beyond which it is not, nearly; 1/bohr, at most 10."""
    low, high = 0.0, min(10.0, 300.0 / max(float(np.max(r)), 1e-300))
    for _ in range(20):
        middle = 0.5 * (low + high)
        positive = tilted_eigenvalue(overlap, r, middle) > 0.0
        low, high = (middle, high) if positive else (low, middle)
    return low


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Gaussian orbitals, orthogonalised; S is positive (or the model would have refused)."""
    assembly = system.assembly
    return {
        "Loewdin orthogonalisation": isinstance(assembly, GaussianAssembly)
        and assembly.loewdin is not None,
        "open boundaries": not any(system.configuration.periodic),
    }


def bound(system: TightBindingSystem, eta: float) -> tuple[float, FloatArray, float]:
    """(constant of X, constants of ∂X/∂r_m (M,), constant of φ^L) at the rate η in 1/bohr.

    All infinite where s(η) ≤ 0.
    """
    assembly = gaussian_assembly(system)
    overlap, r = assembly.overlap.matrix, system.orbital_distances
    rest = tilted_eigenvalue(overlap, r, eta)
    if not rest > 0.0:
        return math.inf, np.full(system.atoms, np.inf), math.inf
    moved = np.linalg.norm(assembly.overlap.position_derivative(), axis=1)
    inverse_root = rest**-0.5
    derivative = 0.5 * rest**-1.5 * perron_bound(moved * tilting(system, eta))
    found = packings(system.configuration.positions)
    orbital = min(
        orbital_constant(system, eta + more) * best_lattice_sum(more, found, False)
        for more in _STEEPER
    )
    return inverse_root, derivative, inverse_root * orbital


def tilting(system: TightBindingSystem, eta: float) -> FloatArray:
    """e^{η(r_ℓm + r_mk)} between orbitals, (M, n, n)."""
    from_m = system.distances[:, system.owner]
    return np.asarray(np.exp(eta * (from_m[:, :, None] + from_m[:, None, :])))


def orbital_constant(system: TightBindingSystem, alpha: float) -> float:
    """c_φ(α): the largest over atoms of Σ_b sup |φ_b(x)| e^{α|x−r|}, raw orbitals."""
    atoms = set(gaussian_assembly(system).basis.shells)
    return max(
        sum((2 * s.angular_momentum + 1) * shell_envelope(s, alpha).value for s in shells)
        for shells in atoms
    )


def checks(system: TightBindingSystem) -> list[Check]:
    """X, ∂X/∂r_m and φ^L everywhere against the best of the rates tried."""
    assembly = gaussian_assembly(system)
    assert assembly.loewdin is not None
    overlap, r = assembly.overlap.matrix, system.orbital_distances
    root, n = assembly.loewdin.inverse_square_root, len(overlap)
    fastest, smallest = largest_rate(overlap, r), smallest_eigenvalue(overlap)
    points = _points(system)
    away = np.linalg.norm(points[:, None] - system.configuration.positions[None], axis=-1)
    away = away[:, system.owner]
    limits = [np.full(r.shape, np.inf), np.full((system.atoms, n, n), np.inf), np.inf * away]
    coarse = np.full(r.shape, np.inf)
    for share in SHARES:
        eta = share * fastest
        rest = smallest - tilt(overlap, r, eta)
        if rest > 0.0:
            coarse = np.minimum(coarse, rest**-0.5 * np.exp(-eta * r))
        inverse_root, derivative, orbital = bound(system, eta)
        decay = np.exp(-eta * r), 1.0 / tilting(system, eta), np.exp(-eta * away)
        limits[0] = np.minimum(limits[0], inverse_root * decay[0])
        limits[1] = np.minimum(limits[1], derivative[:, None, None] * decay[1])
        limits[2] = np.minimum(limits[2], orbital * decay[2])
    changes = assembly.overlap.position_derivative()
    moved = np.array([[assembly.loewdin.derivative(d) for d in atom] for atom in changes])
    orbitals = evaluate(assembly.basis, points)[0] @ root
    # Backward error of eigh, n ε ‖S‖, times the Lipschitz constants of s^{−1/2} and its derivative.
    backward = 4.0 * n * _EPS * float(np.max(np.sum(np.abs(overlap), axis=1)))
    change = float(np.max(np.sum(np.abs(changes), axis=-1)))
    first, second = backward * smallest**-1.5, backward * change * smallest**-2.5
    size = float(np.max(np.abs(evaluate(assembly.basis, points)[0])))
    rates = (measured_rate(r, root), fastest)
    return [
        Check.of("|S^(-1/2)|", root, limits[0], first, rates),
        Check.of("|S^(-1/2)| by the norm delta", root, coarse, first),
        Check.of(
            "|dS^(-1/2)/dr_m| [1/bohr]", np.linalg.norm(moved, axis=1), limits[1], 4.0 * second
        ),
        Check.of("|orthogonalised orbital(x)| [bohr^-3/2]", orbitals, limits[2], n * size * first),
    ]


def measured_rate(r: FloatArray, matrix: FloatArray) -> float:
    """Slope of −ln |A| against r by least squares over different atoms, 1/bohr; NaN for one."""
    apart = (r > 0.0) & (np.abs(matrix) > 1e-14 * np.max(np.abs(matrix)))
    if not np.any(apart) or np.ptp(r[apart]) < 1e-6:
        return math.nan
    return -float(np.polyfit(r[apart], np.log(np.abs(matrix[apart])), 1)[0])


def _points(system: TightBindingSystem) -> FloatArray:
    """200 points in the box of the atoms, widened by three bohr."""
    positions = system.configuration.positions
    rng = np.random.default_rng(system.atoms)
    low, high = positions.min(axis=0) - 3.0, positions.max(axis=0) + 3.0
    return rng.uniform(low, high, (200, 3))


def derivation() -> dict[str, bool]:
    """The integrals, the tilted form, and the zeros of the symbol of a chain."""
    c, x = sp.symbols("c x", positive=True)
    steps: dict[str, bool] = {}
    powers = ((1, 1 / sp.sqrt(c)), (2, sp.Rational(1, 2) * c ** sp.Rational(-3, 2)))
    for power, value in powers:
        # t = x²: ∫ t^{−1/2} (t + c)^{−p} dt = 2 ∫ (x² + c)^{−p} dx.
        integral = 2 * sp.integrate((x**2 + c) ** -power, (x, 0, sp.oo)) / sp.pi
        steps[f"integral of the resolvent, power {power}"] = sp.simplify(integral - value) == 0
    f, g, overlap = sp.symbols("f g S", real=True)
    tilted = overlap * sp.exp(f - g), overlap * sp.exp(g - f)
    symmetric = sp.simplify((sum(tilted) / 2 - overlap * sp.cosh(f - g)).rewrite(sp.exp))
    steps["symmetric part of the tilted matrix is S∘cosh"] = symmetric == 0
    rng = np.random.default_rng(1)
    accretive = []
    for _ in range(50):
        form, skew = rng.normal(size=(2, 6, 6))
        symmetric_part = form @ form.T + 0.3 * np.eye(6)
        least = np.linalg.eigvalsh(symmetric_part)[0]
        inverse = np.linalg.inv(symmetric_part + 3.0 * (skew - skew.T))
        accretive.append(np.linalg.norm(inverse, 2) <= (1.0 + 1e-12) / least)
    steps["an antisymmetric part does not enlarge the inverse"] = all(accretive)
    spacing, a = mpmath.mpf(2), mpmath.mpf("0.4")
    nome = mpmath.exp(-a * spacing**2 / 2)

    def symbol(k: mpmath.mpf) -> mpmath.mpf:
        return mpmath.jtheta(3, k / 2, nome)

    steps["the symbol of S is ϑ₃"] = bool(
        abs(symbol(0.7) - sum(nome ** (n * n) * mpmath.cos(0.7 * n) for n in range(-9, 10))) < 1e-12
    )
    steps["its zero nearest to the real axis is π + i·ad²/2"] = bool(
        abs(symbol(mpmath.pi + 1j * a * spacing**2 / 2)) < 1e-12
        and _zeros_below(symbol, 0.99 * a * spacing**2 / 2) == 0
        and _zeros_below(symbol, 1.01 * a * spacing**2 / 2) == 1
    )
    coefficients = [
        mpmath.quad(lambda k, n=n: symbol(k) ** -0.5 * mpmath.cos(n * k), [0, 1, 2, 3, mpmath.pi])
        for n in (16, 17)
    ]
    ratio = -mpmath.log(-coefficients[1] / coefficients[0])
    expected = a * spacing**2 / 2 + mpmath.log(mpmath.mpf(17) / 16) / 2
    steps["X_n ~ n^(−1/2) e^(−n ad²/2) with alternating signs"] = bool(abs(ratio - expected) < 2e-3)
    return steps


def _zeros_below(symbol: object, height: mpmath.mpf) -> int:
    """Zeros of a 2π-periodic even function with 0 < Im k < height: winding along that line."""
    assert callable(symbol)
    angles = np.linspace(0.0, 2.0 * np.pi, 400)
    line = [complex(symbol(mpmath.mpc(angle, height))) for angle in angles]
    turns = np.sum(np.angle(np.array(line[1:]) / np.array(line[:-1]))) / (2.0 * np.pi)
    # Real axis: positive, no winding. Counter-clockwise means right below, left above.
    return -round(float(turns))
