"""The constants of Theorem 8 for Gaussian orbitals: about T_N, about A⁻¹T_N, and about complete Ξ.

A = DT(v̂*), v(d) = Σ d_mc W_mc, p_j = ℓ_j + m_j of Theorem 8 on-site (bounds of ‖D^jF_N‖ on the
ball; ‖D^j(F − F_N)‖ ≤ m_j), E_mc = W_mc − 2J DF(H)[W_mc], B = A⁻¹W, R_mc = 2J DF(H)[B_mc].
Norms of (n, n) matrices and of v̂ go together, in either of two ways:

* ℓ^∞: spectral norms. Because |v(d)| ≤ ‖d‖_∞ Σ|W_mc| as forms, w = ‖Σ|W_mc|‖ ≥ ‖v(d)‖/‖d‖_∞, and
  equality where Ξ ≥ 0. |⟨W, X⟩| ≤ ‖W‖₁‖X‖ (trace norm). A ≥ 0 has Jv_C-potential ≥ 0, hence
  ±J(A) ≤ ‖A‖J(1), so that ‖J‖ = ‖J(1)‖: the potential of one electron in each orbital, nothing
  else, is where M enters. r = 1, w_F = w.
* ℓ²: Frobenius norms. w_F = ‖W‖ as a map, w = min{w_F, ‖ΣW²‖^½} ≥ ‖v(d)‖/‖d‖_2 (spectral), ‖J‖
  the largest eigenvalue, r = √n: ‖(F_N−F)(H)‖_F ≤ √n m₀.

With j = ‖J‖, φ = ‖Φ*‖, ψ = ‖E‖, ω = ‖W*‖ (largest trace norm, or w_F), χ, f bounds of DΦ_N and
Φ_N on the ball ‖d‖ ≤ δ, on which levels move by wδ ≤ η at most, and e = 2jωℓ₁ ≥ ‖W*DF(H)2J‖:

    ε_N = ωm₁(φ + 2jrm₀) + erm₀,
    κ   = ω(m₂wφ + p₂w·2jrm₀ + m₁ψ) + (e + 2jωm₁)m₁w_F,
    L   = ω(p₃w²f + 2p₂wχ) + (e + 2jω(m₁ + ℓ₂wδ))p₂ww_F,
    χ   = min{w_F(1 + 2jp₁), ψ + 2jw_F(m₁ + ℓ₂wδ)},   f = φ + 2jrm₀ + δχ,

and c = ‖A⁻¹‖. Sharper, about A⁻¹T_N: c = 1, ω the norm of B in place of W, e that of R.
L grows with δ through f; any δ will do, and each degree has the smallest that its 2c_Nε_N fits in,
of the largest one over powers of four.

*Complete Ξ* (2.26), v̂ = v an (n, n) matrix: T_N = DF_N[Φ_N], zeros of Φ_N are zeros of T_N. About
Φ_N, DΦ = ε = 1 + 2JR₀, R₀ = −DF ≥ 0, Frobenius: ε_N = 2j√n m₀, κ = 2jm₁, L = 2j(ℓ₂ + m₂), c =
‖ε⁻¹‖; about ε⁻¹Φ_N the same with c = 1 and ‖ε⁻¹J‖ for j: the theorem on-site, J any operator.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.theory._explicit_errors import Errors, Geometry
from scc.theory._joint_norms import as_map, joint_norm, square_norm, trace_norms
from scc.theory._newton_kantorovich import NewtonKantorovich
from scc.theory._screened import max_norm
from scc.theory._stationary_gaussian import StationaryMap
from scc.theory.system import TightBindingSystem

_EPS = float(np.finfo(np.float64).eps)
# δ is tried over powers of four.
_RADII = 10


@dataclass(frozen=True)
class Sizes:
    """w, w_F, ω, j, φ, ψ, e, r of the module docstring, and c. Hartree and electrons."""

    inverse: float
    fold: float
    frobenius_fold: float
    contract: float
    kernel: float
    mismatch: float
    slope: float
    echo: float
    root: float

    def newton_kantorovich(self, errors: Errors, geometry: Geometry) -> NewtonKantorovich:
        """ε_N, κ, L for each degree, with the smallest δ that serves (the largest if none does)."""
        best = self.on_ball(errors, geometry.radius)
        for power in range(1, _RADII):
            smaller = self.on_ball(errors, geometry.radius / 4.0**power)
            better = smaller.holds
            best = NewtonKantorovich(
                self.inverse,
                smaller.residual,
                smaller.defect,
                np.where(better, smaller.lipschitz, best.lipschitz),
                np.where(better, smaller.radius, best.radius),
            )
        return best

    def on_ball(self, errors: Errors, shift: float) -> NewtonKantorovich:
        """The same on the ball where levels move by ``shift`` = wδ at most, ε_N and κ as ever."""
        m0, m1, m2 = errors.value, errors.first, errors.second
        l1, l2 = errors.first_constant, errors.second_constant
        p1, p2, p3 = l1 + m1, l2 + m2, errors.third_constant + errors.third
        w, wF, omega, echo = self.fold, self.frobenius_fold, self.contract, self.echo
        double, root = 2.0 * self.kernel, self.root
        moved = m1 + l2 * shift
        chi = np.minimum(wF * (1.0 + double * p1), self.slope + double * wF * moved)
        induced = double * root * m0
        f = self.mismatch + induced + shift / w * chi
        return NewtonKantorovich(
            self.inverse,
            omega * m1 * (self.mismatch + induced) + echo * root * m0,
            omega * (m2 * w * self.mismatch + p2 * w * induced + m1 * self.slope)
            + (echo + double * omega * m1) * m1 * wF,
            omega * (p3 * w**2 * f + 2.0 * p2 * w * chi)
            + (echo + double * omega * moved) * p2 * w * wF,
            np.full(len(m0), shift / w),
        )


@dataclass(frozen=True)
class Bounds:
    """The theorem in six forms, one entry a degree; ∞ where it does not apply.

    largest, euclidean: about T_N with c_stab of (3.12). screened_…: about A⁻¹T_N. complete,
    complete_screened: Φ_N of complete features, Frobenius. fold: w in ℓ^∞. widest: euclidean with
    the largest δ, for the energy.
    """

    errors: Errors
    geometry: Geometry
    map: StationaryMap
    inverse: FloatArray
    fold: float
    trace_mismatch: float
    jacobian_norm: float
    kernel: float
    largest: NewtonKantorovich
    euclidean: NewtonKantorovich
    widest: NewtonKantorovich
    screened_largest: NewtonKantorovich
    screened_euclidean: NewtonKantorovich
    complete: NewtonKantorovich
    complete_screened: NewtonKantorovich

    @property
    def paper(self) -> FloatArray:
        """Bound of ‖v̂*_N − v̂*‖_∞ by 2c_Nε_N, Hartree."""
        return np.minimum(self.largest.distance, self.euclidean.distance)

    @property
    def spread(self) -> FloatArray:
        """Bound of ‖v̂*_N − v̂*‖_2 by the best of all, Hartree."""
        count = math.sqrt(len(self.map.perturbations))
        largest = np.minimum(self.largest.sharper_distance, self.screened_largest.sharper_distance)
        return np.minimum(
            np.minimum(self.euclidean.sharper_distance, self.screened_euclidean.sharper_distance),
            count * largest,
        )

    @property
    def sharper(self) -> FloatArray:
        """Bound of ‖v̂*_N − v̂*‖_∞ by the best of all, Hartree."""
        largest = np.minimum(self.largest.sharper_distance, self.screened_largest.sharper_distance)
        return np.minimum(largest, self.spread)

    @property
    def complete_spread(self) -> FloatArray:
        """Bound of ‖v*_N − v*‖_F for complete Ξ, Hartree."""
        return np.minimum(self.complete.sharper_distance, self.complete_screened.sharper_distance)

    @property
    def energy(self) -> FloatArray:
        """Bound of |𝒢_N(v̂*_N) − 𝒢(v̂*)|, Hartree.

        2n‖G_N−G‖ + 2‖Φ*‖₁m₀ + 2jnm₀² at v̂*, and ‖w‖²sup‖DT_N‖ from there to v̂*_N (T_N = −½∇𝒢_N).
        """
        n, e = len(self.map.hamiltonian), self.errors
        there = 2.0 * n * e.grand_potential + 2.0 * self.trace_mismatch * e.value
        there = there + 2.0 * self.kernel * n * e.value**2
        size, form = self.spread, self.widest
        known = np.isfinite(size) & (size <= form.radius)
        w = np.where(known, size, 0.0)
        steepest = self.jacobian_norm + form.defect + form.lipschitz * w
        return np.where(known, there + steepest * w**2, np.inf)

    @property
    def complete_energy(self) -> FloatArray:
        """The same for complete Ξ: 2n‖G−G_N‖ + √n m₀‖w‖ + 2(ℓ₁ + m₁)‖w‖²."""
        n, e, size = len(self.map.hamiltonian), self.errors, self.complete_spread
        slope = e.first_constant + e.first
        return np.asarray(
            2.0 * n * e.grand_potential + math.sqrt(n) * e.value * size + 2.0 * slope * size**2
        )

    def decided(self) -> tuple[bool, bool]:
        """Some degree is sufficient (for the system's features, for complete ones)."""
        return bool(np.any(np.isfinite(self.sharper))), bool(
            np.any(np.isfinite(self.complete_spread))
        )


def response_matrix(stationary: StationaryMap) -> FloatArray:
    """R₀ = −DF(H) on matrices, (n², n²), 1/Hartree."""
    n = len(stationary.hamiltonian)
    units = np.eye(n * n).reshape(n * n, n, n)
    return np.asarray(-stationary.exact.first(units).reshape(n * n, n * n))


def bound(
    system: TightBindingSystem, degrees: ArrayLike, stationary: StationaryMap | None = None
) -> Bounds:
    """Errors and the theorem in its six forms for explicit polynomials of even degrees N."""
    S = StationaryMap.of(system) if stationary is None else stationary
    geometry = Geometry.of(system)
    errors = Errors.of(geometry, np.asarray(degrees, dtype=np.float64))
    W, n, l1 = S.perturbations, len(S.hamiltonian), errors.first_constant
    slope = W - 2.0 * S.potential(S.exact.first(W))
    A = S.jacobian(S.exact.occupation, np.zeros(len(W)))
    kernel = S.kernel.reshape(n * n, n * n)
    jF = float(np.linalg.norm(kernel, 2))
    j = float(np.linalg.norm(S.potential(np.eye(n)), 2))
    w, wF = joint_norm(W), as_map(W)
    phi = S.mismatch
    largest = (w, w, j, float(np.linalg.norm(phi, 2)), min(joint_norm(slope), w * (1 + 2 * j * l1)))
    euclidean = (
        *(min(wF, square_norm(W)), wF, jF, float(np.linalg.norm(phi))),
        min(as_map(slope), wF * (1.0 + 2.0 * jF * l1)),
    )
    omega, root = float(np.max(trace_norms(W))), math.sqrt(n)
    inverse, relative = _inverse(A, system, (errors, w, wF, *euclidean[3:], omega))
    B = np.tensordot(inverse, W, 1)
    R = 2.0 * S.potential(S.exact.first(B))
    screened, screened_two = float(np.max(trace_norms(B))), as_map(B)

    def form(c: float, contract: float, echo: float, r: float, sizes: tuple[float, ...]) -> Sizes:
        fold, frobenius_fold, kernel_norm, mismatch, slope_norm = (
            size * (1.0 + 64.0 * n * _EPS) for size in sizes
        )
        return Sizes(
            *(c * relative, fold, frobenius_fold, contract, kernel_norm),
            *(mismatch, slope_norm, min(echo, 2.0 * kernel_norm * contract * l1), r),
        )

    about_T = form(float(np.linalg.norm(inverse, 2)), wF, math.inf, root, euclidean)
    forms = (
        form(max_norm(inverse), omega, math.inf, 1.0, largest),
        about_T,
        form(1.0, screened, float(np.max(trace_norms(R))), 1.0, largest),
        form(1.0, screened_two, as_map(R), root, euclidean),
    )
    in_max, in_two, screened_max, screened_euclidean = (
        found.newton_kantorovich(errors, geometry) for found in forms
    )
    complete, complete_screened = _complete(S, errors, geometry, kernel)
    return Bounds(
        errors=errors,
        geometry=geometry,
        map=S,
        inverse=inverse,
        fold=w,
        trace_mismatch=float(trace_norms(phi)),
        jacobian_norm=float(np.linalg.norm(A, 2)),
        kernel=jF,
        largest=in_max,
        euclidean=in_two,
        widest=about_T.on_ball(errors, geometry.radius),
        screened_largest=screened_max,
        screened_euclidean=screened_euclidean,
        complete=complete,
        complete_screened=complete_screened,
    )


def _inverse(
    A: FloatArray,
    system: TightBindingSystem,
    sizes: tuple[Errors, float, float, float, float, float],
) -> tuple[FloatArray, float]:
    """(A⁻¹, 1/(1 − ‖A⁻¹‖‖δA‖)), the second ∞ where rounding δA of A leaves nothing certain.

    δA in ℓ^∞ and ℓ² alike: levels good to 2u through ℓ₂, ℓ₃, and products of matrices.
    """
    errors, w, wF, phi, psi, omega = sizes
    n, u = len(system.levels), system.rounding_unit
    l1, l2, l3 = errors.first_constant, errors.second_constant, errors.third_constant
    relative = 64.0 * n * _EPS
    scale = max(wF, omega)
    defect = scale * (
        w * phi * (l2 * relative + 2.0 * u * l3) + psi * (l1 * relative + 2.0 * u * l2)
    )
    try:
        inverse = np.asarray(np.linalg.inv(A))
    except np.linalg.LinAlgError:
        return np.zeros_like(A), math.inf
    lost = max(max_norm(inverse), float(np.linalg.norm(inverse, 2))) * defect * len(A)
    return inverse, (1.0 / (1.0 - lost) if lost < 0.5 else math.inf)


def _complete(
    S: StationaryMap, errors: Errors, geometry: Geometry, kernel: FloatArray
) -> tuple[NewtonKantorovich, NewtonKantorovich]:
    size = len(kernel)
    dielectric = np.eye(size) + 2.0 * kernel @ response_matrix(S)
    inverse = np.linalg.inv(dielectric)
    condition = float(np.linalg.norm(dielectric, 2) * np.linalg.norm(inverse, 2))
    slack = 1.0 + 8.0 * size * _EPS * condition**2
    root = math.sqrt(len(S.hamiltonian))

    def form(c: float, j: float) -> NewtonKantorovich:
        return NewtonKantorovich(
            c * slack,
            2.0 * j * slack * root * errors.value,
            2.0 * j * slack * errors.first,
            2.0 * j * slack * (errors.frobenius_second_constant + errors.second),
            geometry.radius,
        )

    return (
        form(float(np.linalg.norm(inverse, 2)), float(np.linalg.norm(kernel, 2))),
        form(1.0, float(np.linalg.norm(inverse @ kernel, 2))),
    )
