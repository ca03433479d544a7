r"""On-site certificates of T_N(v̂) = 0 by Newton–Kantorovich.

Φ_N(v̂) = v̂ − J(p_N(v̂) − Z), p_N = 2 diag F_N(H) summed by atom, DΦ_N = 1 − Jχ_N with
χ_N = 2 Wᵀ diag DF_N(H)[diag W·]. F_N is not monotone, so nothing is convex. With n the largest
number of orbitals on an atom and D₂ the constant of D²F_N (:mod:`scc.certify.ball_occupations`),

    ‖χ_N(v̂) − χ_N(v̄)‖₂ ≤ 2 n D₂ ‖v̂ − v̄‖_∞  =: lipschitz · ‖v̂ − v̄‖_∞,

while σ(H) stays in the interval F_N is given on, so that ω(r) = inverse · lipschitz · r with
inverse ≥ ‖DΦ_N(v̄)⁻¹J‖₂ is the modulus the engine asks for: existence in the Euclidean norm,
uniqueness in the larger balls of the maximum norm. Inverses by an approximate A and
z ≥ ‖1 − A DΦ_N(v̄)‖_F < 1: ‖DΦ_N⁻¹B‖ ≤ ‖AB‖/(1 − z).

χ_N(v̄)_kl = 2 Σ_ij F_N[λ_i,λ_j] C_ki C_kj C_li C_lj = 2 Σ_i C_ki C_li (C diag(F_N[λ_i,·]) Cᵀ)_kl;
the error of (C, Λ) adds 2n (D₂η + 4δ(1+δ)³ L) in the Frobenius norm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.certify import decimals
from scc.certify.ball_occupations import PolynomialBall
from scc.certify.failure import CertificationError
from scc.certify.newton_kantorovich import radii
from scc.certify.norms import floats, frobenius, identity, matrix, spectral, widened
from scc.certify.onsite_enclosures import SLACK, enclosures
from scc.certify.onsite_matrices import OnsiteMatrices
from scc.certify.onsite_refine import inverse_dielectric, refined
from scc.certify.onsite_state import OnsiteState
from scc.certify.registry import Progress
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.solvers import NewtonKrylov
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.tight_binding import TightBindingState
from scc.occupations.ensemble import GrandCanonical

_OUTER_MARGIN = 0.05  # of the spectral width, on both sides
_INNER_MARGIN = 0.125  # of the gap, on both sides, β = ∞


def prove_polynomial(
    equilibrium: Equilibrium, matrices: OnsiteMatrices, degree: int, progress: Progress
) -> dict[str, Any]:
    """The ``polynomial`` of the document: v̂*_N at µ = the Fermi level of the equilibrium.

    Raises CertificationError if T_N has no zero that can be found or proved.
    """
    progress(f"interpolating G at degree {degree}")
    occupation = PolynomialOccupation.interpolate(
        spectral_set(equilibrium), degree, equilibrium.functional.beta, equilibrium.fermi_level
    )
    solution = body_ordered(equilibrium, occupation)
    X = occupation.spectral_set
    ball = PolynomialBall(
        flint.arb(X.lower), flint.arb(X.upper), [flint.arb(c) for c in occupation.coefficients]
    )
    features, orbitals = refined(solution, matrices, lambda _: ball, progress)
    centre = [decimals.ball(v) for v in features]
    state = OnsiteState.at(matrices, centre, lambda _: ball, orbitals)
    margin = ball.margin(state.system.enclosed())
    if not margin > 0:
        raise CertificationError(
            f"a level of H leaves the interval of the polynomial by {-float(margin):.3g} Hartree"
        )
    progress("enclosing the response of the polynomial model")
    problem = _problem(state, ball, inverse_dielectric(solution, matrices), margin)
    found = radii(problem)
    radius = decimals.upper(found.existence)
    if not problem.contracts(decimals.ball(radius)):
        raise CertificationError("the existence radius does not survive its rounding")
    norm = decimals.ball(decimals.upper(spectral(matrices.coulomb), 12))
    below = levels_below(equilibrium)
    more, enclosed = enclosures(state, decimals.ball(radius), norm, below)
    return {
        "degree": degree,
        "levels_below_gap": below,
        "interval": [decimals.exact(X.lower), decimals.exact(X.upper)],
        "coefficients": [decimals.exact(c) for c in occupation.coefficients],
        "centre": features,
        "norms": {"existence": "2", "uniqueness": "infinity"},
        "existence_radius": radius,
        "uniqueness_radius": decimals.lower(found.uniqueness),
        "constants": problem.stated() | {"population_lipschitz": more["lipschitz"]},
        "enclosures": enclosed,
    }


def levels_below(equilibrium: Equilibrium) -> int:
    """Number of levels below the Fermi level at v̂*."""
    local = equilibrium.state.local
    assert isinstance(local, TightBindingState)
    return round(local.electrons_below(equilibrium.fermi_level) / 2)


def spectral_set(equilibrium: Equilibrium) -> SpectralSet:
    """X about the levels at v̂*: their hull, at β = ∞ without the inner part of the gap."""
    local = equilibrium.state.local
    assert isinstance(local, TightBindingState)
    levels = local.eigenvalues
    margin = _OUTER_MARGIN * float(levels[-1] - levels[0]) or 0.1
    low, high = float(levels[0]) - margin, float(levels[-1]) + margin
    filled = levels_below(equilibrium)
    if not math.isinf(equilibrium.functional.beta) or not 0 < filled < len(levels):
        return SpectralSet(((low, high),))
    below, above, mu = float(levels[filled - 1]), float(levels[filled]), equilibrium.fermi_level
    inner = min(_INNER_MARGIN * (above - below), 0.5 * (mu - below), 0.5 * (above - mu))
    return SpectralSet(((low, below + inner), (above - inner, high)))


def body_ordered(equilibrium: Equilibrium, occupation: PolynomialOccupation) -> Equilibrium:
    """v̂*_N in float64, started from v̂*. Raises CertificationError if the iteration fails."""
    functional = EnergyFunctional(
        equilibrium.functional.model,
        ensemble=GrandCanonical(equilibrium.fermi_level),
        terms=equilibrium.functional.terms,
        occupation=occupation,
    )
    try:
        solution = equilibrate(
            functional, NewtonKrylov(), features=equilibrium.features, tolerance=1e-11
        )
    except InputError as error:  # a level left the spectral set: the message says by how much
        raise CertificationError(
            f"no critical point at degree {occupation.degree} found: {error}"
        ) from error
    if not solution.converged:
        raise CertificationError(
            f"no critical point of the polynomial model of degree {occupation.degree} found: "
            f"{solution.status}, residual {solution.residual:.2e} electrons"
        )
    return solution


@dataclass(frozen=True)
class _Problem:
    """Newton–Kantorovich constants as they are stated, see the module docstring."""

    newton_step: flint.arb
    inverse: flint.arb
    lipschitz: flint.arb
    margin: flint.arb

    def modulus(self, radius: flint.arb) -> flint.arb:
        """ω(r) = inverse · lipschitz · r; infinite where σ(H) may leave the interval."""
        if not radius <= self.margin:
            return flint.arb.pos_inf()
        return self.inverse * self.lipschitz * radius

    def contracts(self, radius: flint.arb) -> bool:
        """Whether the existence condition holds at this radius."""
        omega = self.modulus(radius)
        return bool(omega < 1) and bool(self.newton_step + omega * radius <= radius)

    def stated(self) -> dict[str, str]:
        """Decimals ≥ the constants (the margin: ≤)."""
        return {
            "newton_step": decimals.upper(self.newton_step, 12),
            "inverse": decimals.upper(self.inverse, 12),
            "lipschitz": decimals.upper(self.lipschitz, 12),
            "margin": decimals.lower(self.margin, 12),
        }


def _problem(
    state: OnsiteState, ball: PolynomialBall, approximate: flint.arb_mat, margin: flint.arb
) -> _Problem:
    """Its constants are the stated decimals, read back."""
    J = state.matrices.coulomb
    size = state.matrices.atoms
    dielectric = identity(size) - J * response(state, ball)
    defect = frobenius(identity(size) - approximate * dielectric)
    if not defect < 1:
        raise CertificationError(
            "the dielectric operator of the polynomial model has no certain inverse: "
            f"|1 - A epsilon| is {float(defect):.3g}, must be below 1"
        )
    inverse = spectral(approximate * J) / (1 - defect) * (1 + flint.arb("1e-9"))
    step = frobenius(approximate * state.residual) / (1 - defect)
    orbitals = state.matrices.most_orbitals
    # Spectral bounds on the checker's side are those of float64 eigenvectors, too.
    safe = margin - flint.arb("1e-10") * max(flint.arb(1), abs(ball.lower), abs(ball.upper))
    stated = _Problem(
        (2 * step + SLACK).upper(), inverse, 2 * orbitals * ball.second_derivative, safe
    ).stated()
    return _Problem(*(decimals.ball(text) for text in stated.values()))


def response(state: OnsiteState, ball: PolynomialBall) -> flint.arb_mat:
    """χ_N (M, M), electrons/Hartree: float64 with its a-priori rounding error.

    Σ_i C_ki C_mi (Σ_j f_ij C_kj C_mj) has terms of at most 5 rounded factors, 4 products and 2n
    sums in whatever order (no fast multiplication), so its relative error in each term is below
    γ = (2n+12)u/(1 − (2n+12)u), u = 2⁻⁵³ (Higham, Accuracy and Stability, §3.5), and the sum of the
    absolute values of the terms is at most max|f| |c_k|² |c_m|² ≤ max|f| (1+δ)²; underflow is
    covered by the factor 2.
    """
    system, matrices = state.system, state.matrices
    divided, C = floats(ball.divided_differences(system.levels)), floats(system.orbitals)
    size = len(C)
    total = np.zeros((size, size))
    for i in range(size):
        total += np.outer(C[:, i], C[:, i]) * ((C * divided[i]) @ C.T)
    by_atom = np.zeros((matrices.atoms, matrices.atoms))
    np.add.at(by_atom, (np.array(matrices.owner)[:, None], np.array(matrices.owner)), 2.0 * total)
    steps, unit = 2 * size + 12 + matrices.most_orbitals**2, flint.arb(2) ** -53
    relative = 2 * steps * unit / (1 - steps * unit)
    defect, orbitals = system.defect, matrices.most_orbitals
    largest = ball.lipschitz(system.enclosed())
    rounding = relative * 2 * orbitals**2 * largest * (1 + defect) ** 2
    error = ball.second_derivative * system.error
    error += 4 * defect * (1 + defect) ** 3 * largest
    return widened(matrix(by_atom), rounding + 2 * orbitals * error)
