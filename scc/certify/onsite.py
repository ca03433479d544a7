r"""On-site certificates: exact occupations by convexity.

With G concave, g(v̂) = 2 Tr G(H⁰ + diag v̂) (canonical: its Legendre transform
sup_µ 2 Tr G_µ + µN; at β = ∞ twice the sum of the lowest levels) is concave and ∂g/∂v̂ = p. J is
positive definite (Gaussian charges at different places are linearly independent), so

    Ψ(v̂) = ½ v̂ᵀJ⁻¹v̂ + Zᵀv̂ − g(v̂),     ∇Ψ = J⁻¹v̂ + Z − p(v̂) = J⁻¹Φ(v̂),     Φ(v̂) = v̂ − J(p − Z),

is strongly convex: it has exactly one minimiser v̂*, and that is the only v̂ at all with T(v̂) = 0
(at β = ∞: the only one with a gap at the electron number). At the centre v̄, with h = v̂* − v̄,

    hᵀJ⁻¹h ≤ −hᵀJ⁻¹Φ(v̄)   ⇒   ‖h‖₂² ≤ ‖J‖₂ Φ(v̄)ᵀJ⁻¹Φ(v̄) .

At β = ∞ this minimiser solves T = 0 if g is differentiable there: if ‖h‖_∞ is less than half the
gap (grand-canonical: than the distance of µ from the levels). J⁻¹ − χ₀ ≥ J⁻¹ also bounds the
inverse of the linearised problem, ‖(1 − Jχ₀)⁻¹J‖₂ ≤ ‖J‖₂ =: ``inverse``, at every v̂.

What follows from v̂* is enclosed by Lipschitz constants: ‖p(v̂) − p(v̄)‖₂ ≤ 2 n L ‖v̂ − v̄‖₂ with n the
largest number of orbitals on an atom and L that of F (canonical: −Dp = X − X11ᵀX/1ᵀX1 ≤ X), levels
move by at most ‖h‖_∞, µ likewise, and the energy, stationary at v̂*, by at most
‖Dp‖ sup‖Φ‖ ‖h‖, since its gradient in v̂ is −(Dp)ᵀΦ.
"""

from __future__ import annotations

import math
from typing import Any

import flint
import numpy as np

from scc.certify import decimals
from scc.certify.ball_occupations import BallOccupation, FermiDiracBall, FrozenOccupation
from scc.certify.certificate import Certificate
from scc.certify.failure import CertificationError
from scc.certify.norms import column, floats, frobenius, identity, matrix, spectral
from scc.certify.onsite_conventions import CONVENTIONS
from scc.certify.onsite_enclosures import SLACK, enclosures
from scc.certify.onsite_input import statement
from scc.certify.onsite_matrices import OnsiteMatrices
from scc.certify.onsite_polynomial import prove_polynomial
from scc.certify.onsite_refine import refined
from scc.certify.onsite_state import OnsiteState, Selected, chemical_potential
from scc.certify.registry import Progress
from scc.equilibration.equilibrium import Equilibrium
from scc.occupations.ensemble import Canonical

_BITS = 192


def prove(equilibrium: Equilibrium, degree: int | None, progress: Progress) -> Certificate:
    """The certificate of an on-site equilibrium, see :func:`scc.certify.api.certify`."""
    stated = statement(equilibrium)
    with flint.ctx.workprec(_precision(equilibrium)):
        progress("enclosing the Hamiltonian and the Coulomb matrix")
        matrices = OnsiteMatrices(stated)
        parts: dict[str, Any] = {"conventions": CONVENTIONS, "input": stated}
        parts["exact"] = _exact(equilibrium, matrices, progress)
        if degree is not None:
            parts["polynomial"] = prove_polynomial(equilibrium, matrices, degree, progress)
            parts["distance"] = _distance(parts["exact"], parts["polynomial"])
            mu = decimals.exact(equilibrium.fermi_level)
            parts["provenance"] = {"polynomial interpolates G at the chemical potential": mu}
    return Certificate.of(**parts)


def _precision(equilibrium: Equilibrium) -> int:
    """Bits that resolve β⁻¹F′ at µ, which is e^{-β·distance to the next level}."""
    functional = equilibrium.functional
    if math.isinf(functional.beta) or not isinstance(functional.ensemble, Canonical):
        return _BITS
    levels = np.asarray(getattr(equilibrium.state.local, "eigenvalues"))  # noqa: B009
    nearest = float(np.min(np.abs(levels - equilibrium.fermi_level)))
    return _BITS + min(int(1.5 * functional.beta * nearest), 1 << 13)


def _exact(
    equilibrium: Equilibrium, matrices: OnsiteMatrices, progress: Progress
) -> dict[str, Any]:
    selected = _selection(equilibrium)
    features, orbitals = refined(equilibrium, matrices, selected, progress)
    progress("enclosing the solution")
    state = OnsiteState.at(matrices, [decimals.ball(v) for v in features], selected, orbitals)
    inverse = decimals.ball(decimals.upper(spectral(matrices.coulomb), 12))
    radius = decimals.upper(2 * _distance_bound(state, inverse) + SLACK)
    _require_gap(state, decimals.ball(radius), equilibrium)
    constants, enclosed = enclosures(state, decimals.ball(radius), inverse)
    return {
        "centre": features,
        "norms": {"existence": "2", "uniqueness": "infinity"},
        "existence_radius": radius,
        "uniqueness_radius": "inf",
        "constants": {"inverse": decimals.upper(inverse, 12), **constants},
        "enclosures": enclosed,
    }


def _selection(equilibrium: Equilibrium) -> Selected:
    """The occupation the functional means, as a function of the levels."""
    functional, ensemble = equilibrium.functional, equilibrium.functional.ensemble
    canonical = isinstance(ensemble, Canonical)
    if math.isinf(functional.beta):
        filled = round(equilibrium.state.electrons / 2.0)
        mu = None if isinstance(ensemble, Canonical) else flint.arb(ensemble.chemical_potential)
        frozen = FrozenOccupation(filled, mu)

        def with_gap(levels: list[flint.arb]) -> BallOccupation:
            gap = frozen.gap(levels)
            if not gap > 0:
                raise CertificationError(
                    f"no gap: the highest occupied and the lowest empty level are {float(gap):.3g} "
                    "Hartree apart at least, must be above 0"
                )
            return frozen

        return with_gap
    beta = flint.arb(functional.beta)
    if not canonical:
        return lambda levels: FermiDiracBall(beta, flint.arb(equilibrium.fermi_level))
    electrons = flint.arb(equilibrium.functional.electrons or 0.0)

    def balanced(levels: list[flint.arb]) -> BallOccupation:
        mu = chemical_potential(levels, beta, electrons, equilibrium.fermi_level)
        return FermiDiracBall(beta, mu, electrons)

    return balanced


def _distance_bound(state: OnsiteState, inverse: flint.arb) -> flint.arb:
    """(‖J‖₂ ΦᵀJ⁻¹Φ)^{1/2}."""
    residual, coulomb = state.residual, state.matrices.coulomb
    try:
        approximate = matrix(np.linalg.inv(floats(coulomb)))
    except np.linalg.LinAlgError:
        raise CertificationError("the Coulomb matrix J is singular: two charges coincide") from None
    defect = frobenius(identity(state.matrices.atoms) - approximate * coulomb)
    if not defect < 1:
        raise CertificationError(
            "the Coulomb matrix J is not certainly invertible, two charges nearly coincide: "
            f"|1 - A J| is {float(defect):.3g}, must be below 1"
        )
    # ΦᵀJ⁻¹Φ = Φᵀy + ΦᵀJ⁻¹(Φ − Jy), y = AΦ, ‖J⁻¹‖ ≤ ‖A‖/(1 − ‖1 − AJ‖).
    solved = approximate * residual
    rest = frobenius(residual - coulomb * solved) * frobenius(approximate) / (1 - defect)
    square = abs((residual.transpose() * solved)[0, 0]) + frobenius(residual) * rest
    bound = (inverse * square).upper()
    if not bound.is_finite():
        raise CertificationError("the residual at the centre has no finite bound")
    return bound.sqrt().upper()


def _require_gap(state: OnsiteState, radius: flint.arb, equilibrium: Equilibrium) -> None:
    """At β = ∞: the occupied levels stay the occupied ones on the whole ball."""
    if not isinstance(state.occupation, FrozenOccupation):
        return
    occupation, levels = state.occupation, state.system.enclosed()
    half = occupation.gap(levels) / 2
    if not half > radius:
        raise CertificationError(
            f"half the gap is {float(half):.3g} Hartree, must exceed the existence radius "
            f"{float(radius):.3g}"
        )
    if occupation.mu is None:
        return
    occupied, empty = levels[: occupation.filled], levels[occupation.filled :]
    room = [occupation.mu - level.upper() for level in occupied[-1:]]
    room += [level.lower() - occupation.mu for level in empty[:1]]
    for distance in room:
        if not distance > radius:
            raise CertificationError(
                f"the chemical potential is {float(distance.lower()):.3g} Hartree inside the gap, "
                f"must exceed the existence radius {float(radius):.3g}"
            )


def _distance(exact: dict[str, Any], polynomial: dict[str, Any]) -> dict[str, Any]:
    """‖v̂*_N − v̂*‖ in both norms."""
    apart = [
        decimals.ball(a) - decimals.ball(b)
        for a, b in zip(polynomial["centre"], exact["centre"], strict=True)
    ]
    radius = decimals.ball(exact["existence_radius"])
    radius += decimals.ball(polynomial["existence_radius"])
    largest = apart[0]
    for value in apart:
        largest = abs(value).max(abs(largest))
    return {
        "infinity": decimals.enclosure(largest, radius),
        "2": decimals.enclosure(_euclidean(apart), radius),
    }


def _euclidean(values: list[flint.arb]) -> flint.arb:
    square = (column(values).transpose() * column(values))[0, 0]
    if square > 0:
        return square.sqrt()
    return flint.arb(0).union(square.upper().sqrt())  # the two centres coincide
