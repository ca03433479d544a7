"""Lemma 11: −DF(H) is positive in the Frobenius inner product; its extreme eigenvalues, exactly.

Statement. In the eigenbasis of H, DF(H)[A]_ij = F[λ_i, λ_j] A_ij (Daleckii–Krein), so on symmetric
matrices the spectrum of −DF(H) is {−F[λ_i, λ_j] : i ≤ j}.

*β < ∞.* With a± = µ ± g± the levels next to µ,

    min{−F′(λ_1), −F′(λ_n)}  ≤  −DF(H)  ≤  max{−F[a₋, a₊], −F′(a₋), −F′(a₊)}  ≤  β/4,

and the first two are attained. Below: −F[x,y] = √(F′(x)F′(y)) · sinh(z)/z with z = β(x−y)/2, a
geometric mean times something ≥ 1, and −F′ is unimodal about µ. Above: −F[x,y] is the mean of −F′
between x and y; on one side of µ a mean of values ≤ −F′(a±), across the gap a convex combination
of the mean over the gap and of such values.

*β = ∞.* DF(H) vanishes on occupied–occupied and empty–empty pairs: it is negative *semi*-definite,
and definite on the occupied–unoccupied block only, contrary to the wording of the lemma. There
1/(λ_n − λ_1) ≤ −DF(H) ≤ 1/(a₊ − a₋), both attained.

*Canonical, β < ∞* (Remark 6). DF_N = DF∘Π, ΠA = A − (⟨F′(H),A⟩/Tr F′(H)) 1, i.e.
−DF_N = −DF − F′(H)⊗F′(H)/|Tr F′(H)|: self-adjoint again, 0 ≤ −DF_N ≤ −DF, its null space is
exactly the constants, and on trace-free matrices it keeps the lower bound of −DF, because ΠA of a
trace-free A is not shorter than A.

Measurement. No divided difference is used: a difference quotient
−⟨A, F(H+tA) − F(H−tA)⟩/2t is the mean of −⟨A, DF(H+sA)[A]⟩ over |s| ≤ t, hence lies between the
bounds for *all* H + sA, whose levels differ from those of H by at most δ = t‖A‖ (Weyl); the Fermi
level moves by no more than δ as well. That is the ``shift`` of :func:`bound`.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.occupations.ensemble import fermi_level
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import _lemma_11_steps
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

_SHIFT = 1e-3
"""δ in units of 1/β, or of the gap at β = ∞: what the difference quotients cost, relatively."""


def bound(levels: FloatArray, beta: float, mu: float, shift: float = 0.0) -> tuple[float, float]:
    """(least, largest) eigenvalue of −DF, 1/Hartree, for every H whose levels relative to µ are
    within ``shift`` (Hartree) of ``levels``.

    β = ∞: of the occupied–unoccupied block; (0, 0) without one, largest = ∞ if it may close.
    """
    below, above = levels[levels <= mu], levels[levels > mu]
    if np.isinf(beta):
        if not (len(below) and len(above)):
            return 0.0, 0.0
        gap = float(above[0] - below[-1]) - 2.0 * shift
        width = float(levels[-1] - levels[0]) + 2.0 * shift
        return 1.0 / width, (1.0 / gap if gap > 0.0 else np.inf)
    F = FermiDirac(beta, mu)
    ends = np.array([levels[0] - shift, levels[-1] + shift])
    candidates = []
    nearest = []
    if len(below):
        nearest.append(min(float(below[-1]) + shift, mu))
    if len(above):
        nearest.append(max(float(above[0]) - shift, mu))
    candidates += [-float(F.derivative(x)) for x in nearest]
    if len(nearest) == 2:
        candidates.append(-float(F.divided_difference(nearest[0], nearest[1])))
    return float(np.min(-F.derivative(ends))), max(candidates)


def papers_bound(beta: float) -> float:
    """β/4, the bound that knows no gap."""
    return beta / 4.0


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """β < ∞, or µ in a gap inside the spectrum."""
    gapped = system.gap_below > 0.0 and system.gap_above > 0.0
    inside = bool(system.levels[0] < system.mu < system.levels[-1])
    return {
        "beta < inf or mu in a gap": not system.zero_temperature or (gapped and inside),
        "gap": system.gap_below + system.gap_above,
    }


def checks(system: TightBindingSystem) -> list[Check]:
    """Rayleigh quotients of difference quotients of H ↦ F(H), grand-canonical and canonical."""
    quotient = _Quotient(system.hamiltonian, system.beta, system.mu)
    if system.zero_temperature:
        return _at_zero_temperature(system, quotient)
    unit = system.rounding_unit
    found = _between(quotient, system.levels, system.mu, _directions(system, quotient), 1.0, unit)
    electrons = system.state.electrons
    # N as a rounded number defines ε_F: deep in a gap it need not be the µ that N came from.
    level = fermi_level(system.levels, electrons, system.beta)
    canonical = _Quotient(system.hamiltonian, system.beta, level, electrons)
    n = len(system.levels)
    trace_free = [_trace_free(A) for A in _directions(system, canonical)[:-1]]
    found += _between(canonical, system.levels, level, trace_free, 2.0, unit, ", canonical")
    value, rounding = canonical(np.eye(n) / np.sqrt(n), unit)
    found.append(Check.of("−DF on constants, canonical [1/Hartree]", value, 0.0, rounding))
    return found


class _Quotient:
    """A ↦ −⟨A, F(H+tA) − F(H−tA)⟩/2t for ‖A‖_F = 1, t = δ/‖A‖, at fixed µ or at fixed N."""

    def __init__(
        self, hamiltonian: FloatArray, beta: float, mu: float, electrons: float | None = None
    ) -> None:
        self.hamiltonian = hamiltonian
        self.occupation = FermiDirac(beta, mu)
        self.electrons = electrons
        levels = np.asarray(np.linalg.eigvalsh(hamiltonian), dtype=np.float64)
        if np.isinf(beta):
            above, below = levels[levels > mu], levels[levels <= mu]
            self.shift = _SHIFT * float(min(above[0] - mu, mu - below[-1]))
        else:
            self.shift = _SHIFT / beta
        self.largest = bound(levels, beta, mu, 2.0 * self.shift)[1]

    def density(self, hamiltonian: FloatArray) -> FloatArray:
        levels, vectors = np.linalg.eigh(hamiltonian)
        occupation = self.occupation
        if self.electrons is not None:
            level = fermi_level(levels, self.electrons, occupation.beta)
            occupation = occupation.with_chemical_potential(level)
        return np.asarray((vectors * occupation.occupation(levels)) @ vectors.T)

    def difference(self, direction: FloatArray) -> tuple[FloatArray, float]:
        """((F(H−tA) − F(H+tA))/2t, t)."""
        t = self.shift / float(np.linalg.norm(direction, 2))
        H = self.hamiltonian
        return (self.density(H - t * direction) - self.density(H + t * direction)) / (2.0 * t), t

    def __call__(self, direction: FloatArray, unit: float) -> tuple[float, float]:
        """(the quotient, its rounding): F(H) is Lipschitz with ‖DF‖, eigh backward stable; and a
        Fermi level is found to the accuracy of the levels plus a few roundings of 1/β."""
        change, t = self.difference(direction)
        n = len(direction)
        eps = float(np.finfo(np.float64).eps)
        thermal = 64.0 * eps / self.occupation.beta
        error = np.sqrt(n) * (2.0 * self.largest * (unit + thermal) + n * eps)
        return float(np.vdot(direction, change)), float(error / t)


def _directions(system: TightBindingSystem, quotient: _Quotient) -> list[FloatArray]:
    """Unit symmetric matrices: the pairs of levels where the extremes sit, random ones, and the
    outcome of a few steps of the power method; the constant last."""
    C = np.linalg.eigh(system.hamiltonian)[1]
    n = len(C)
    occupied = int(np.clip(np.count_nonzero(system.levels <= system.mu), 1, n - 1))
    pairs = [(0, 0), (n - 1, n - 1), (occupied - 1, occupied - 1), (occupied, occupied)]
    found = [_unit(np.outer(C[:, i], C[:, j])) for i, j in [*pairs, (occupied - 1, occupied)]]
    rng = np.random.default_rng(n)
    found += [_unit(rng.standard_normal((n, n))) for _ in range(2)]
    power = found[-1]
    for _ in range(3):
        change = quotient.difference(power)[0]
        if not np.any(change):
            break
        power = _unit(change)
    return [*found, power, np.eye(n) / np.sqrt(n)]


def _between(
    quotient: _Quotient,
    levels: FloatArray,
    mu: float,
    directions: list[FloatArray],
    moved: float,
    unit: float,
    label: str = "",
) -> list[Check]:
    least, largest = bound(levels, quotient.occupation.beta, mu, moved * quotient.shift)
    values, rounding = np.array([quotient(A, unit) for A in directions]).T
    name = f"−DF{label} [1/Hartree]"
    return [
        Check.of(f"largest eigenvalue of {name}", np.maximum(values, 0.0), largest, rounding),
        Check.of(
            f"lower bound of {name}, against measured",
            np.full(len(values), least),
            np.maximum(values, 0.0),
            rounding,
        ),
    ]


def _at_zero_temperature(system: TightBindingSystem, quotient: _Quotient) -> list[Check]:
    """The block of H moves with H + sA: by ‖P_s − P‖ ≤ δ/(g − δ) (Davis–Kahan), so that a unit A
    of the block of H has a part of length ≥ 1 − 2√2 δ/(g − δ) in that of H + sA."""
    unit = system.rounding_unit
    rng = np.random.default_rng(len(system.levels))
    C = np.linalg.eigh(system.hamiltonian)[1]
    filled = system.levels <= system.mu
    P, Q = C[:, filled] @ C[:, filled].T, C[:, ~filled] @ C[:, ~filled].T
    full = _directions(system, quotient)
    block = [
        A for A in (_unit(P @ B @ Q) for B in (rng.standard_normal(P.shape), P + Q)) if A.any()
    ]
    top, bottom = int(np.count_nonzero(filled)) - 1, 0
    block += [
        _unit(np.outer(C[:, top], C[:, top + 1])),
        _unit(np.outer(C[:, bottom], C[:, -1])),
    ]
    least, largest = bound(system.levels, np.inf, system.mu, quotient.shift)
    gap = system.gap_below + system.gap_above
    turned = quotient.shift / (gap - quotient.shift)
    values, rounding = np.array([quotient(A, unit) for A in full + block]).T
    in_block, rounding_in_block = values[len(full) :], rounding[len(full) :]
    inner = least * max(0.0, 1.0 - 2.0 * np.sqrt(2.0) * turned) ** 2
    return [
        Check.of(
            "largest eigenvalue of −DF [1/Hartree]", np.maximum(values, 0.0), largest, rounding
        ),
        Check.of(
            "lower bound of −DF on the block [1/Hartree], against measured",
            np.full(len(in_block), inner),
            np.maximum(in_block, 0.0),
            rounding_in_block,
        ),
    ]


def _unit(matrix: FloatArray) -> FloatArray:
    """Symmetric part of unit Frobenius norm (0 where there is nothing)."""
    symmetric = 0.5 * (matrix + matrix.T)
    norm = float(np.linalg.norm(symmetric))
    return np.asarray(symmetric / norm if norm > 1e-8 else np.zeros_like(symmetric))


def _trace_free(matrix: FloatArray) -> FloatArray:
    return _unit(matrix - np.trace(matrix) / len(matrix) * np.eye(len(matrix)))


def derivation() -> dict[str, bool]:
    """Daleckii–Krein; the two bounds; β → ∞; the rank-one term."""
    return _lemma_11_steps.steps()
