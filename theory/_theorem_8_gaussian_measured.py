"""What the checks of Theorem 8 in Gaussian orbitals compare: v̂*_N by Newton's method, its errors.

Newton on T_N from v̂*, DT_N by second divided differences; nothing of the bounds is used but the
ball for the second difference of T_N. Rounding, in the Frobenius norm, u that of the levels:

    F_N(H) − F(H*):   √n ((ℓ₁ + p₁)2u + η₀ + 16n eps),
    Φ_N:              2j of this + 8n² eps (‖Φ*‖ + ‖v(w)‖ + 2j‖F_N − F‖),
    DF_N[Φ_N]:        p₁ of this + ‖Φ_N‖(2u p₂ + η₁ + 16n eps p₁),

η₀, η₁ errors of F_N and of its divided differences; T is ‖W_mc‖_F, or w_F, of the last. A zero is
known to 2c times the rounding and the rest of T_N, and of T(v̂*), c = ‖DT_N⁻¹‖ there or at v̂*.
"""

import math

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.explicit import ExplicitOccupation
from scc.theory._explicit_divided_differences import evaluation_rounding
from scc.theory._joint_norms import as_map
from scc.theory._screened import max_norm
from scc.theory._stationary_gaussian import Spectral, StationaryMap
from scc.theory._theorem_8_gaussian_forms import Bounds
from scc.theory.system import TightBindingSystem

_STEPS = 40
_EPS = float(np.finfo(np.float64).eps)


def spectral_norm(matrix: FloatArray) -> float:
    """‖A‖_{ℓ²→ℓ²}."""
    return float(np.linalg.norm(matrix, 2))


def solve(
    stationary: StationaryMap, occupation: ExplicitOccupation
) -> tuple[FloatArray, FloatArray]:
    """(w, DT_N⁻¹ there): T_N(v̂* + w) = 0 by Newton's method from w = 0.

    The Jacobian is kept once steps are below 1e-6 of w; ends where steps no longer shrink.
    """
    w: FloatArray = np.zeros(len(stationary.perturbations))
    inverse = np.linalg.inv(stationary.jacobian(occupation, w))
    previous = math.inf
    for _ in range(_STEPS):
        change = inverse @ stationary.value(occupation, w)
        step, size = float(np.max(np.abs(change))), float(np.max(np.abs(w)))
        if step >= previous:
            break
        w = np.asarray(w - change)
        previous = step
        if step > 1e-6 * size:
            inverse = np.linalg.inv(stationary.jacobian(occupation, w))
    return w, np.asarray(inverse)


def solve_complete(
    stationary: StationaryMap, occupation: ExplicitOccupation
) -> tuple[FloatArray, FloatArray, float]:
    """(X, ε_N⁻¹, rest): X = 2J(F_N(H* + X) − F(H*)) by Newton; (n, n), (n², n²), ‖Φ_N(X)‖_F."""
    n = len(stationary.hamiltonian)
    units = np.eye(n * n).reshape(n * n, n, n)
    X: FloatArray = np.zeros((n, n))
    inverse: FloatArray = np.eye(n * n)
    previous = math.inf
    for _ in range(_STEPS):
        spectral = Spectral.of(occupation, stationary.hamiltonian + X)
        rest = X - 2.0 * stationary.potential(spectral.value - stationary.exact.value)
        if previous > 1e-6 * float(np.linalg.norm(X)):
            response = stationary.potential(spectral.first(units)).reshape(n * n, n * n)
            inverse = np.asarray(np.linalg.inv(np.eye(n * n) - 2.0 * response.T))
        change = (inverse @ rest.ravel()).reshape(n, n)
        step = float(np.linalg.norm(change))
        if step >= previous:
            break
        X = np.asarray(X - 0.5 * (change + change.T))
        previous = step
    change = Spectral.of(occupation, stationary.hamiltonian + X).value - stationary.exact.value
    rest = X - 2.0 * stationary.potential(change)
    return X, inverse, float(np.linalg.norm(rest))


class Rounding:
    """The module docstring's, for one polynomial (entry ``index`` of the bounds)."""

    def __init__(
        self, system: TightBindingSystem, bounds: Bounds, index: int, occupation: ExplicitOccupation
    ) -> None:
        e = bounds.errors
        self.map, self.j = bounds.map, bounds.kernel
        self.n, self.u = len(system.levels), system.rounding_unit
        self.l1 = e.first_constant
        self.p1 = e.first_constant + float(e.first[index])
        self.p2 = e.second_constant + float(e.second[index])
        self.p3 = e.third_constant + float(e.third[index])
        self.evaluated, self.divided = evaluation_rounding(occupation)
        self.occupation = occupation
        self.fold = as_map(self.map.perturbations)
        self.row = float(np.max(np.linalg.norm(self.map.perturbations, axis=(1, 2))))

    @property
    def value(self) -> float:
        """Of F_N(H) − F(H*)."""
        levels = (self.l1 + self.p1) * 2.0 * self.u
        return math.sqrt(self.n) * (levels + self.evaluated + 16.0 * self.n * _EPS)

    def defect(self, change: FloatArray, moved: FloatArray) -> float:
        """Of Φ_N, F_N − F = ``change``, v(w) = ``moved``."""
        size = float(np.linalg.norm(self.map.mismatch) + np.linalg.norm(moved))
        size += 2.0 * self.j * float(np.linalg.norm(change))
        return 2.0 * self.j * self.value + 8.0 * self.n**2 * _EPS * size

    @property
    def slope(self) -> float:
        """Of DF_N[X], ‖X‖ = 1."""
        return 2.0 * self.u * self.p2 + self.divided + 16.0 * self.n * _EPS * self.p1

    def response(self, w: FloatArray) -> float:
        """Of DF_N[Φ_N] at v̂* + w."""
        spectral, phi = self.map.at(self.occupation, w)
        change, moved = spectral.value - self.map.exact.value, self.map.operator(w)
        return self.p1 * self.defect(change, moved) + float(np.linalg.norm(phi)) * self.slope

    def jacobian(self) -> float:
        """Of ‖DT_N(v̂*)‖_∞: second divided differences by a recurrence good to eps k⁶ a term."""
        o = self.occupation
        k, a = np.arange(len(o.slope)), np.abs(o.slope)
        half = 0.5 * (o.outer - o.inner) * (o.outer + o.inner)
        first = _EPS * float(np.sum(a * (1.0 + k) ** 4)) / half
        second = _EPS * float(np.sum(a * (1.0 + k) ** 6)) / half**2
        divided = 1.5 * o.outer * first + 2.0 * o.outer**3 * second
        spectral, phi = self.map.at(o, np.zeros(len(self.map.perturbations)))
        size = float(np.linalg.norm(phi))
        tensor = 2.0 * divided + 2.0 * self.u * self.p3 + 32.0 * self.n * _EPS * self.p2
        defect = self.defect(spectral.value - self.map.exact.value, np.zeros((self.n, self.n)))
        folded = size * tensor + self.p2 * defect
        folded += self.slope * (1.0 + 4.0 * self.j * self.p1)
        return len(self.map.perturbations) * self.row * self.fold * folded


def measure(
    system: TightBindingSystem, bounds: Bounds, index: int, occupation: ExplicitOccupation
) -> dict[str, float]:
    """For the features of the system, at one polynomial."""
    S, rounding = bounds.map, Rounding(system, bounds, index, occupation)
    zero = np.zeros(len(S.perturbations))
    w, inverse = solve(S, occupation)
    at_zero, at_w = S.value(occupation, zero), S.value(occupation, w)
    unsolved = S.value(S.exact.occupation, zero)
    response = max(rounding.response(zero), rounding.response(w))
    norms = [f(x) for x in (inverse, bounds.inverse) for f in (max_norm, spectral_norm)]
    largest = max(norms)
    rest = float(np.linalg.norm(at_w) + np.linalg.norm(unsolved))
    solved = 2.0 * largest * (rest + 2.0 * rounding.fold * response)
    jacobian = S.jacobian(occupation, zero) - S.jacobian(S.exact.occupation, zero)
    # T_N(d) − 2T_N(0) + T_N(−d) is at most L‖d‖² on the ball.
    rng = np.random.default_rng(occupation.degree)
    radius = float(np.broadcast_to(bounds.largest.radius, len(bounds.errors.degrees))[index])
    d = radius * rng.choice([-1.0, 1.0], len(zero))
    second = S.value(occupation, d) - 2.0 * at_zero + S.value(occupation, -d)
    far = max(rounding.response(d), response)
    density = S.at(occupation, w)[0].value - S.exact.value
    energy = S.energy_change(occupation, w)
    gradient = float(np.linalg.norm(unsolved) + 2.0 * rounding.fold * response)
    return {
        "T": float(np.max(np.abs(at_zero))),
        "T rounding": float(np.max(np.abs(unsolved))) + 2.0 * rounding.row * response,
        "DT": max_norm(jacobian),
        "DT rounding": 2.0 * rounding.jacobian(),
        "second": float(np.max(np.abs(second))) / radius**2,
        "second rounding": 4.0 * rounding.row * far / radius**2,
        "moved": float(np.max(np.abs(w))),
        "moved, Euclidean": float(np.linalg.norm(w)),
        "solved": solved,
        "density": 2.0 * float(np.linalg.norm(density, 2)),
        "density rounding": 2.0 * (rounding.value + rounding.p1 * rounding.fold * solved),
        "energy": abs(energy),
        "energy rounding": _energy_rounding(system, rounding, S.operator(w), density)
        + 2.0 * (gradient + rest) * (float(np.linalg.norm(w)) + solved),
    }


def measure_complete(
    system: TightBindingSystem, bounds: Bounds, index: int, occupation: ExplicitOccupation
) -> dict[str, float]:
    """For complete Ξ, where Φ* = 0 and v(w) is any (n, n) matrix, at one polynomial."""
    S, rounding = bounds.map, Rounding(system, bounds, index, occupation)
    complete = StationaryMap(
        S.hamiltonian, S.perturbations, S.kernel, np.zeros_like(S.mismatch), S.exact
    )
    X, inverse, rest = solve_complete(complete, occupation)
    here = Spectral.of(occupation, S.hamiltonian)
    density = Spectral.of(occupation, S.hamiltonian + X).value - S.exact.value
    norm = max(float(np.linalg.norm(inverse, 2)), bounds.complete.inverse)
    solved = 2.0 * norm * (rest + rounding.defect(density, X))
    return {
        "value": float(np.linalg.norm(here.value - S.exact.value, 2)),
        "value rounding": rounding.value,
        "moved": float(np.linalg.norm(X)),
        "solved": solved,
        "density": 2.0 * float(np.linalg.norm(density, 2)),
        "density rounding": 2.0 * (rounding.value + rounding.p1 * solved),
        "energy": abs(complete.energy_of(occupation, X)),
        "energy rounding": _energy_rounding(system, rounding, X, density)
        + 2.0 * solved * (rounding.p1 * (rest + solved) + rounding.value),
    }


def _energy_rounding(
    system: TightBindingSystem, rounding: Rounding, moved: FloatArray, change: FloatArray
) -> float:
    """Of 𝒢_N − 𝒢: levels good to 2u through G_N′, about 1; every product by its factors."""
    n = rounding.n
    levels = 2.0 * n * (4.0 * rounding.u + rounding.occupation.outer * rounding.evaluated)
    phi, v = np.linalg.norm(rounding.map.mismatch), np.linalg.norm(moved)
    size = float(phi + v + 2.0 * rounding.j * np.linalg.norm(change))
    products = 2.0 * size * rounding.value + 2.0 * float(v) * math.sqrt(n) * 16.0 * n * _EPS
    return float(levels + products + 8.0 * n**2 * _EPS * size * np.linalg.norm(change))
