"""What Gaussian orbitals add to the proof of Theorem 8, run: rational matrices, polynomials F.

F = Σ c_k H^k and a kernel J(A) = Σ_i P_iᵀAP_i of rational matrices stand for any F and any positive
J: the identities are those of derivatives of words in H, differentiated here in t by sympy.
"""

import itertools
import math

import numpy as np
import sympy as sp

from scc.theory import _explicit_divided_differences
from scc.theory._stationary_gaussian import StationaryMap
from scc.theory.random_systems import Recipe, random_system

_F = {1: sp.Rational(1, 3), 2: sp.Rational(-1, 2), 4: sp.Rational(2, 5)}
_FN = {1: sp.Rational(1, 4), 2: sp.Rational(-2, 5), 3: sp.Rational(1, 7)}


def derivation() -> dict[str, bool]:
    """Every step by name, True when it holds."""
    return {
        "T_k[x, y] is a product of two U": _explicit_divided_differences.derivation(),
        "T = -grad G / 2": _gradient(),
        "DT and D^2T": _product_rule(),
        "DT_N - DT in four terms": _defect(),
        "energy at v* in three terms": _energy_at_solution(),
        "|v(d)|^2 <= |d|^2 |sum W^2|": _cauchy_schwarz(),
        "|v(d)| <= sum |W|, equal for W >= 0": _joint(),
        "|J(A)| <= |J(1)| |A| for a positive map": _positive_map(),
        "Coulomb potentials of A >= 0 are >= 0": _coulomb_is_positive(),
        "an external potential makes any v critical": _critical(),
        "complete features: zeros of Phi_N": _complete(),
    }


def _matrix(seed: int) -> sp.Matrix:
    """A symmetric 2 × 2 rational matrix."""
    a, b, c = (int(x) for x in np.random.default_rng(seed).integers(-5, 6, 3))
    return sp.Matrix(
        [[sp.Rational(a, 3), sp.Rational(b, 4)], [sp.Rational(b, 4), sp.Rational(c, 2)]]
    )


_H, _A, _B, _PHI = (_matrix(seed) for seed in (1, 2, 3, 5))
_P = sp.Matrix([[1, sp.Rational(1, 2)], [sp.Rational(-1, 3), sp.Rational(2, 3)]])


def _kernel(X: sp.Matrix) -> sp.Matrix:
    """A positive, symmetric map: PᵀXP + PXPᵀ."""
    return _P.T * X * _P + _P * X * _P.T


def _word(letters: tuple[sp.Matrix, ...]) -> sp.Matrix:
    product = sp.eye(2)
    for letter in letters:
        product = product * letter
    return product


def _derivative(series: dict[int, sp.Rational], H: sp.Matrix, *directions: sp.Matrix) -> sp.Matrix:
    """D^jF(H)[A₁…A_j]: Σ_k c_k of all words with the A_i at j different places of H^k."""
    total = sp.zeros(2, 2)
    for k, coefficient in series.items():
        for places in itertools.permutations(range(k), len(directions)):
            letters = [H] * k
            for place, direction in zip(places, directions, strict=True):
                letters[place] = direction
            total += coefficient * _word(tuple(letters))
    return total


def _is_zero(X: sp.Expr | sp.Matrix) -> bool:
    return bool(sp.Matrix([X]).applyfunc(sp.expand).is_zero_matrix)


def _gradient() -> bool:
    """𝒢 = 2Tr[G − vF] + ⟨V₀, 2F⟩ + 2⟨F, JF⟩, G′ = F: ∂𝒢 = −2⟨DF[A], v − V₀ − 2JF⟩ along A."""
    t = sp.symbols("t")
    H, v = _H + t * _A, _B + t * _A
    V0 = _PHI
    G = {k + 1: c / (k + 1) for k, c in _F.items()}
    F = _derivative(_F, H)
    energy = 2 * (_derivative(G, H) - v * F).trace() + 2 * (V0 * F).trace()
    energy += 2 * (F * _kernel(F)).trace()
    T = (_derivative(_F, H, _A) * (v - V0 - 2 * _kernel(F))).trace()
    return _is_zero(sp.Matrix([energy.diff(t) + 2 * T]))


def _product_rule() -> bool:
    """Along A: DT = D²F[A, Φ] + DF[DΦ], D²T = D³F[A, A, Φ] + 2D²F[A, DΦ] − DF[2J D²F[A, A]]."""
    t = sp.symbols("t")
    H = _H + t * _A
    phi = _PHI + t * _A - 2 * _kernel(_derivative(_F, H) - _derivative(_F, _H))
    T = _derivative(_F, H, _B)  # ⟨DF[B], Φ⟩ = ⟨B, DF[Φ]⟩
    scalar = (T * phi).trace()
    slope = _A - 2 * _kernel(_derivative(_F, _H, _A))
    first = _derivative(_F, _H, _A, _PHI) + _derivative(_F, _H, slope)
    second = (
        _derivative(_F, _H, _A, _A, _PHI)
        + 2 * _derivative(_F, _H, _A, slope)
        - _derivative(_F, _H, 2 * _kernel(_derivative(_F, _H, _A, _A)))
    )
    at_zero = [sp.expand(scalar.diff(t, order)).subs(t, 0) for order in (1, 2)]
    expected = [(_B * first).trace(), (_B * second).trace()]
    return all(sp.expand(x - y) == 0 for x, y in zip(at_zero, expected, strict=True))


def _defect() -> bool:
    """e = F_N − F: DT_N − DT on A is D²e[A, Φ*] + D²F_N[A, −2Je] + De[EA] − DF_N[2J De[A]]."""
    error = {k: _FN.get(k, 0) - _F.get(k, 0) for k in {*_F, *_FN}}
    at = {name: _derivative(series, _H) for name, series in (("F", _F), ("N", _FN))}
    shift = -2 * _kernel(at["N"] - at["F"])

    def jacobian(series: dict[int, sp.Rational], phi: sp.Matrix) -> sp.Matrix:
        slope = _A - 2 * _kernel(_derivative(series, _H, _A))
        return _derivative(series, _H, _A, phi) + _derivative(series, _H, slope)

    left = jacobian(_FN, _PHI + shift) - jacobian(_F, _PHI)
    E = _A - 2 * _kernel(_derivative(_F, _H, _A))
    right = (
        _derivative(error, _H, _A, _PHI)
        + _derivative(_FN, _H, _A, shift)
        + _derivative(error, _H, E)
        - _derivative(_FN, _H, 2 * _kernel(_derivative(error, _H, _A)))
    )
    return _is_zero(left - right)


def _energy_at_solution() -> bool:
    """𝒢_N(v̂*) − 𝒢(v̂*) = 2Tr(G_N − G) − 2⟨Φ*, Δ⟩ + 2⟨Δ, JΔ⟩, Δ = F_N − F, Φ* = v − V₀ − 2JF."""
    V0 = _B
    energies, values, free = [], [], []
    for series in (_F, _FN):
        G = {k + 1: c / (k + 1) for k, c in series.items()}
        F = _derivative(series, _H)
        free.append(2 * _derivative(G, _H).trace())
        values.append(F)
        rest = -2 * (_A * F).trace() + 2 * (V0 * F).trace() + 2 * (F * _kernel(F)).trace()
        energies.append(free[-1] + rest)
    change = values[1] - values[0]
    phi = _A - V0 - 2 * _kernel(values[0])
    right = free[1] - free[0] - 2 * (phi * change).trace()
    right += 2 * (change * _kernel(change)).trace()
    return bool(sp.expand(energies[1] - energies[0] - right) == 0)


def _cauchy_schwarz() -> bool:
    """|d|²ΣW² − (Σ d W)² = Σ_{i<j} (d_iW_j − d_jW_i)² ≥ 0, W not commuting."""
    W = sp.symbols("W1:4", commutative=False)
    d = sp.symbols("d1:4", real=True)
    left = sum(x * x for x in d) * sum(w * w for w in W)
    v = sum(x * w for x, w in zip(d, W, strict=True))
    squares = sum(
        (d[i] * W[j] - d[j] * W[i]) * (d[i] * W[j] - d[j] * W[i])
        for i, j in itertools.combinations(range(3), 2)
    )
    return bool(sp.expand(left - v * v - squares) == 0)


def _joint() -> bool:
    """|W| ± W ≥ 0, the eigenvalues being |λ| ± λ; Σ|W| is attained by d = 1 where all W ≥ 0."""
    x = sp.symbols("x", real=True)
    sign = all(
        sp.simplify((sp.Abs(x) + s * x).subs(x, value)) >= 0
        for s in (1, -1)
        for value in (-2, 0, sp.Rational(3, 7))
    )
    absolute = sp.Matrix([[1, 2], [2, 1]])  # levels 3 and −1: |W| = [[2, 1], [1, 2]]
    modulus = sp.Matrix([[2, 1], [1, 2]])
    square = (modulus * modulus - absolute * absolute).is_zero_matrix
    return bool(sign and square and modulus.is_positive_definite)


def _positive_map() -> bool:
    """‖A‖1 ± A ≥ 0 are mapped to ≥ 0: ‖J(A)‖ ≤ ‖J(1)‖‖A‖. Not so for a map that is not positive:
    A ↦ Tr(A)1 − 3A has J(1) = −1 and ‖J(diag(1, −1))‖ = 3."""
    P = np.array(_P.tolist(), dtype=np.float64)
    rng = np.random.default_rng(0)
    holds = True
    one = np.linalg.norm(P.T @ P + P @ P.T, 2)
    for _ in range(50):
        A = rng.normal(size=(2, 2))
        A = A + A.T
        holds &= bool(
            np.linalg.norm(P.T @ A @ P + P @ A @ P.T, 2) <= one * np.linalg.norm(A, 2) * (1 + 1e-12)
        )
    A = sp.diag(1, -1)
    other = A.trace() * sp.eye(2) - 3 * A
    identity = sp.eye(2).trace() * sp.eye(2) - 3 * sp.eye(2)
    return holds and identity == -sp.eye(2) and max(abs(x) for x in other) == 3


def _example() -> StationaryMap:
    recipe = Recipe(model="loewdin", atoms=4, dimension=3, beta=9.0, seed=3, disorder=0.3)
    return StationaryMap.of(random_system(recipe))


def _coulomb_is_positive() -> bool:
    """J(bbᵀ) ≥ 0 for random b, in Löwdin-orthonormalised orbitals; J is symmetric and J ≥ 0."""
    J = _example().kernel
    n = len(J)
    rng = np.random.default_rng(1)
    lowest = [
        float(np.linalg.eigvalsh(np.einsum("ijkl,i,j->kl", J, b, b))[0])
        for b in rng.normal(size=(30, n))
    ]
    flat = J.reshape(n * n, n * n)
    symmetric = float(np.max(np.abs(flat - flat.T))) < 1e-12
    return min(lowest) > 0.0 and symmetric and float(np.linalg.eigvalsh(flat)[0]) > -1e-12


def _critical() -> bool:
    """T(v̂*) = 0 to rounding although Φ* ≠ 0, while a shifted v̂ has T ≠ 0."""
    S = _example()
    zero = np.zeros(len(S.perturbations))
    at_zero = np.max(np.abs(S.value(S.exact.occupation, zero)))
    beside = np.max(np.abs(S.value(S.exact.occupation, zero + 0.01)))
    return bool(at_zero < 1e-13 and beside > 1e-5 and np.linalg.norm(S.mismatch) > 1e-3)


def _complete() -> bool:
    """With every (n, n) matrix a feature T_N = DF_N[Φ_N], zero where Φ_N = 0; at incomplete ones
    T = 0 does not need Φ = 0: ⟨DF[W], Φ⟩ = 0 has solutions Φ ≠ 0."""
    derivative = _derivative(_FN, _H, sp.zeros(2, 2))
    a, b, c = sp.symbols("a b c")
    phi = sp.Matrix([[a, b], [b, c]])
    projection = sp.expand((_derivative(_FN, _H, phi) * _A).trace())
    solutions = sp.solve(projection, a, b, c, dict=True)
    free = 3 - len(solutions[0]) if solutions else 0
    return bool(derivative.is_zero_matrix and free == 2 and math.isfinite(free))
