r"""Gaussian certificates: V̂ = V_nuc + J[D(V̂)] has an exact solution next to the computed one.

Existence and a radius by Newton–Kantorovich (:mod:`scc.certify.gaussian.kantorovich`). Uniqueness
of the exact solution among all symmetric V: D is the gradient of a concave function of V, and the
Coulomb energy is positive, so two solutions have ⟨D₁−D₂, V₁−V₂⟩ ≤ 0 and V₁−V₂ = J[D₁−D₂], hence
(D₁−D₂|D₁−D₂) = 0 and V₁ = V₂. T_N has no such argument: its radius of uniqueness is the engine's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat

from scc.arrays import FloatArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.certify import decimals
from scc.certify.ball_occupations import FermiDiracBall, FrozenOccupation, PolynomialBall
from scc.certify.certificate import Certificate
from scc.certify.failure import CertificationError
from scc.certify.gaussian.centre import Centre, MakeOccupation
from scc.certify.gaussian.enclosures import Enclosures, enclosures
from scc.certify.gaussian.integrals import GaussianIntegrals
from scc.certify.gaussian.kantorovich import FixedPoint
from scc.certify.gaussian.occupations import FermiDirac, Polynomial, Step
from scc.certify.gaussian.statement import CONVENTIONS, NORM, gaussian_assembly, statement
from scc.certify.newton_kantorovich import radii
from scc.certify.norms import frobenius, identity, matrix, spectral
from scc.certify.onsite_polynomial import body_ordered, spectral_set
from scc.certify.onsite_state import chemical_potential
from scc.certify.registry import Progress
from scc.equilibration.equilibrium import Equilibrium
from scc.models.tight_binding import TightBindingState
from scc.occupations.ensemble import Canonical

_BITS = 128
_PLACES = 24  # decimal places of a centre
_STEPS = 8
_SAFETY = arb("1.05")  # of radii and constants that are stated: the checker's bounds are its own
_SLACK = arb("1e-20")  # of enclosures: forces of tight orbitals are derivatives of large integrals


def prove(equilibrium: Equilibrium, degree: int | None, progress: Progress) -> Certificate:
    """The certificate of a Gaussian equilibrium, see :func:`scc.certify.api.certify`."""
    stated = statement(equilibrium)
    with flint.ctx.workprec(_precision(equilibrium) + (0 if degree is None else 4 * degree)):
        progress("enclosing the integrals")
        prover = _Prover.of(equilibrium, progress)
        parts: dict[str, Any] = {"conventions": CONVENTIONS, "input": stated}
        centre, parts["exact"] = prover.exact(equilibrium)
        if degree is not None:
            progress(f"interpolating G at degree {degree}")
            other, parts["polynomial"] = prover.polynomial(equilibrium, degree)
            parts["distance"] = _distance(centre, parts["exact"], other, parts["polynomial"])
    return Certificate.of(**parts)


def _precision(equilibrium: Equilibrium) -> int:
    """Bits that resolve F′ at µ, of size e^{−β·distance to the next level}, where µ needs it."""
    functional = equilibrium.functional
    if math.isinf(functional.beta) or not isinstance(functional.ensemble, Canonical):
        return _BITS
    local = equilibrium.state.local
    assert isinstance(local, TightBindingState)
    nearest = float(np.min(np.abs(local.eigenvalues - equilibrium.fermi_level)))
    return _BITS + min(int(1.5 * functional.beta * nearest), 1 << 13)


@dataclass(frozen=True)
class _Prover:
    """Integrals of one geometry, and how overlap is treated: S, or None for orthonormal."""

    integrals: GaussianIntegrals
    overlap: arb_mat | None
    equilibrium: Equilibrium
    progress: Progress

    @classmethod
    def of(cls, equilibrium: Equilibrium, progress: Progress) -> _Prover:
        assembly = gaussian_assembly(equilibrium)
        exponent = assembly.nuclear_exponent
        exponents = None if exponent is None else [exponent] * len(assembly.nuclear_charges)
        integrals = GaussianIntegrals(assembly.basis, assembly.nuclear_charges, exponents)
        overlap = None if assembly.loewdin is None else integrals.overlap
        return cls(integrals, overlap, equilibrium, progress)

    # -- the two solutions ---------------------------------------------------------------------

    def exact(self, equilibrium: Equilibrium) -> tuple[Centre, dict[str, Any]]:
        """The ``exact`` of the document."""
        functional, ensemble = equilibrium.functional, equilibrium.functional.ensemble
        canonical = isinstance(ensemble, Canonical)
        if math.isinf(functional.beta):
            mu = None if isinstance(ensemble, Canonical) else arb(ensemble.chemical_potential)
            frozen = FrozenOccupation(round(equilibrium.state.electrons / 2.0), mu)
            problem = self._refined(equilibrium.features, lambda levels, _: Step(frozen, levels))
            return problem.centre, self._stated(problem, None)
        beta = arb(functional.beta)
        electrons = arb(ensemble.electrons) if isinstance(ensemble, Canonical) else None

        def warm(levels: Sequence[arb], error: arb) -> FermiDirac:
            mu = arb(equilibrium.fermi_level)
            if electrons is not None:
                wide = [level + arb(0, error) for level in levels]
                mu = chemical_potential(wide, beta, electrons, equilibrium.fermi_level)
            return FermiDirac(FermiDiracBall(beta, mu, electrons), levels)

        problem = self._refined(equilibrium.features, warm)
        found = self._stated(problem, None)
        if canonical:
            # Levels, and µ with them, move by no more than ‖V* − V̄‖.
            assert isinstance(problem.centre.occupation, FermiDirac)
            level = problem.centre.occupation.mu + arb(0, decimals.ball(found["existence_radius"]))
            found["enclosures"]["chemical_potential"] = decimals.enclosure(level, _slack(level))
        return problem.centre, found

    def polynomial(self, equilibrium: Equilibrium, degree: int) -> tuple[Centre, dict[str, Any]]:
        """The ``polynomial`` of the document: v̂*_N at µ = the Fermi level of the equilibrium."""
        level = equilibrium.fermi_level
        occupation = PolynomialOccupation.interpolate(
            spectral_set(equilibrium), degree, equilibrium.functional.beta, level
        )
        start = body_ordered(equilibrium, occupation).features
        X = occupation.spectral_set
        ball = PolynomialBall(arb(X.lower), arb(X.upper), [arb(c) for c in occupation.coefficients])
        problem = self._refined(start, lambda levels, _: Polynomial(ball, levels))
        return problem.centre, {
            "degree": degree,
            "chemical_potential": decimals.exact(level),
            "interval": [decimals.exact(X.lower), decimals.exact(X.upper)],
            "coefficients": [decimals.exact(c) for c in occupation.coefficients],
            **self._stated(problem, ball),
        }

    # -- from a computed potential to a proof ----------------------------------------------------

    def _refined(self, features: FloatArray, occupation: MakeOccupation) -> FixedPoint:
        """Newton steps from float64 until they stop shrinking."""
        potential = matrix(np.asarray(0.5 * (features + features.T)))
        overlap = identity(self.integrals.n) if self.overlap is None else self.overlap
        best: FixedPoint | None = None
        smallest = arb("inf")
        for step in range(_STEPS):
            self.progress(f"refining the solution, step {step + 1}")
            potential = _decimal(potential)
            problem = FixedPoint(Centre(self.integrals, overlap, potential, occupation))
            size = problem.centre.residual_norm
            if best is not None and not size < smallest / 4:
                break
            best, smallest = problem, size
            potential = (potential + problem.step()).mid()
        assert best is not None
        return best

    def _stated(self, problem: FixedPoint, ball: PolynomialBall | None) -> dict[str, Any]:
        """What the document says of a solution; ``ball``: the polynomial, None for the exact F."""
        self.progress("enclosing the solution")
        centre = problem.centre
        found = radii(problem)
        wanted = found.existence
        coulomb = spectral(centre.coulomb)
        if ball is None:
            # What convexity gives (scc.certify.gaussian.check), to be verified without an inverse.
            convex = centre.residual_norm * (1 + (coulomb * centre.slope / 2).sqrt())
            wanted = wanted.max(convex.upper())
        radius = decimals.ball(decimals.upper(_SAFETY * wanted + arb(10) ** (-_PLACES - 4)))
        omega = problem.modulus(radius)
        if not (omega < 1 and problem.newton_step + omega * radius <= radius):
            raise CertificationError(
                f"Newton-Kantorovich condition fails at the stated radius {float(radius):.3g}: "
                f"step {float(problem.newton_step):.3g}, modulus {float(omega):.3g}"
            )
        self._require_level(centre, radius)
        charges = gaussian_assembly(self.equilibrium).nuclear_charges
        enclosed = enclosures(centre, radius, self.overlap, charges)
        within = (radius + centre.level_error).upper()
        constants = {
            "inverse": problem.inverse,
            "coulomb": coulomb,
            "slope": centre.occupation.slope(within),
            "curvature": centre.occupation.curvature(within),
        }
        if ball is not None:
            constants |= {"newton_step": problem.newton_step, "screened": problem.screened}
        return {
            "centre": [decimals.rounded(v, _digits(v)) for v in _triangle(centre.potential)],
            "norms": {"existence": NORM, "uniqueness": NORM},
            "existence_radius": decimals.upper(radius),
            "uniqueness_radius": (
                "inf" if ball is None else decimals.lower(found.uniqueness / _SAFETY)
            ),
            "constants": {
                name: decimals.upper(value * (1 + arb("1e-5")), 8)
                for name, value in constants.items()
            },
            "enclosures": self._enclosures(centre, enclosed, radius),
        }

    def _enclosures(self, centre: Centre, enclosed: Enclosures, radius: arb) -> dict[str, Any]:
        found: dict[str, Any] = {
            "energy": decimals.enclosure(enclosed.energy, _slack(enclosed.energy)),
            "charges": [decimals.enclosure(q, _slack(q)) for q in enclosed.charges],
            "eigenvalues": [decimals.enclosure(v, _slack(v)) for v in enclosed.levels],
            "gap": None,
            "forces": [[decimals.enclosure(f, _slack(f)) for f in row] for row in enclosed.forces],
        }
        below = _levels_below(centre, enclosed.levels, radius)
        if below is not None:
            gap = enclosed.levels[below] - enclosed.levels[below - 1]
            found["gap"] = decimals.enclosure(gap, _slack(gap))
        return found

    def _require_level(self, centre: Centre, radius: arb) -> None:
        """β = ∞, grand-canonical: µ lies in the gap at the solution."""
        ball = centre.occupation.ball
        if not isinstance(ball, FrozenOccupation) or ball.mu is None:
            return
        reach = centre.occupation.reached(radius + centre.level_error)
        room = [ball.mu - level for level in reach[: ball.filled][-1:]]
        room += [level - ball.mu for level in reach[ball.filled :][:1]]
        for distance in room:
            if not distance > 0:
                raise CertificationError(
                    f"the chemical potential is {float(distance.lower()):.3g} Hartree inside the "
                    "gap, must be above 0"
                )


def _levels_below(centre: Centre, levels: list[arb], radius: arb) -> int | None:
    """How many levels lie below µ, which moves by ``radius``; None if none, all, or not certain."""
    ball = centre.occupation.ball
    if isinstance(ball, FrozenOccupation):
        below = ball.filled
    elif isinstance(ball, FermiDiracBall):
        mu = ball.mu + arb(0, radius)
        below = sum(bool(level < mu) for level in levels)
        if below + sum(bool(level > mu) for level in levels) < len(levels):
            return None
    else:
        return None
    return below if 0 < below < len(levels) else None


def _distance(
    centre: Centre, exact: dict[str, Any], other: Centre, polynomial: dict[str, Any]
) -> dict[str, Any]:
    """‖v̂*_N − v̂*‖."""
    apart = frobenius(centre.transformed(other.potential - centre.potential))
    radius = decimals.ball(exact["existence_radius"])
    radius += decimals.ball(polynomial["existence_radius"])
    return {"hilbert-schmidt": decimals.enclosure(apart, _SAFETY * radius + _slack(apart))}


def _slack(value: arb) -> arb:
    """How much a stated radius exceeds ours: the checker rounds and bounds in its own way."""
    return (arb(value.rad()) + _SLACK * (1 + abs(value).upper())).upper()


def _triangle(potential: arb_mat) -> list[arb]:
    return [potential[a, b] for a in range(potential.nrows()) for b in range(a + 1)]


def _decimal(potential: arb_mat) -> arb_mat:
    """Symmetric, entries rounded to what is written."""
    n = potential.nrows()
    rounded = arb_mat(n, n)
    for a in range(n):
        for b in range(a + 1):
            value = (potential[a, b] + potential[b, a]) / 2
            text = decimals.rounded(value, _digits(value))
            rounded[a, b] = rounded[b, a] = decimals.ball(text)
    return rounded


def _digits(value: arb) -> int:
    """Significant digits for ``_PLACES`` decimal places."""
    size = float(abs(value.mid()))
    return max(1, _PLACES + (math.floor(math.log10(size)) + 1 if size > 0 else 0))
