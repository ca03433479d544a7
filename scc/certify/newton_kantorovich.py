r"""Newton–Kantorovich: from bounds at one point to an exact zero of Φ, and its uniqueness.

Φ: X → X with invertible derivative at x̄, ‖·‖ the norm of X, and |·| a weaker norm (|x| ≤ ‖x‖),
whose balls U_r = {|x − x̄| ≤ r} are the larger ones. Given upper bounds

    Y ≥ ‖DΦ(x̄)⁻¹ Φ(x̄)‖,      ω(r) ≥ sup { ‖DΦ(x̄)⁻¹ (DΦ(x) − DΦ(x̄))‖ : |x − x̄| ≤ r },  ω increasing,

the simplified Newton map T(x) = x − DΦ(x̄)⁻¹Φ(x) has ‖DT(x)‖ ≤ ω(r) on U_r. Hence, for

    existence:  Y + ω(ρ) ρ ≤ ρ, ω(ρ) < 1:  T contracts {‖x − x̄‖ ≤ ρ} into itself: one zero there;
    uniqueness: ω(R) < 1, R ≥ ρ:  two zeros in U_R have ‖x − y‖ ≤ ω(R) ‖x − y‖: no other one there.

With ω(r) = κLr this is Theorem 8's condition 2κL·2Y < 1 up to the constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import flint

from scc.certify.failure import CertificationError


class NewtonKantorovichProblem(Protocol):
    """What the engine asks of a model; every number an upper bound (its ``upper()`` is used)."""

    @property
    def newton_step(self) -> flint.arb:
        """Y ≥ ‖DΦ(x̄)⁻¹Φ(x̄)‖, e.g. ‖AΦ(x̄)‖/(1−z) with an approximate inverse A and
        z ≥ ‖1 − A DΦ(x̄)‖ (CertificationError where z ≥ 1)."""

    def modulus(self, radius: flint.arb) -> flint.arb:
        """ω(r), increasing; infinite where its hypotheses end (a gap closes, a spectrum leaves the
        set a polynomial was made for)."""


@dataclass(frozen=True)
class Radii:
    """A zero exists within ``existence`` of x̄ (strong norm), no other within ``uniqueness`` (weak).

    Both are exact numbers (balls of radius 0).
    """

    existence: flint.arb
    uniqueness: flint.arb


def radii(problem: NewtonKantorovichProblem, largest: float = 64.0) -> Radii:
    """The smallest existence and the largest uniqueness radius found, at most ``largest``.

    Raises CertificationError if no ρ satisfies the conditions, with the value of Y/ρ + ω(ρ) where
    it is smallest.
    """
    step = problem.newton_step.upper()
    if not step.is_finite():
        raise CertificationError("the Newton step at the centre has no finite bound")

    def contracts(radius: flint.arb) -> bool:
        return bool(step + problem.modulus(radius) * radius <= radius) and bool(
            problem.modulus(radius) < 1
        )

    # Doubling finds an interval of good radii if there is one wider than a factor 2; Y itself is
    # within ω(2Y) of the smallest.
    candidate, smallest, tried = step * 2 + flint.arb(2) ** -400, None, []
    while candidate <= largest:
        if contracts(candidate.upper()):
            smallest = candidate.upper()
            break
        tried.append(step / candidate + problem.modulus(candidate))
        candidate *= 2
    if smallest is None:
        best = min((float(t.upper()) for t in tried), default=float("inf"))
        raise CertificationError(
            f"Newton-Kantorovich condition fails: step/radius + modulus is {best:.4g} at best, "
            f"must be below 1 (Newton step {float(step):.3g})"
        )
    for fraction in (flint.arb(33) / 64, flint.arb(5) / 8):
        tighter = (smallest * fraction).upper()
        if contracts(tighter):
            smallest = tighter
            break
    return Radii(smallest, _largest(problem, smallest, largest))


def _largest(problem: NewtonKantorovichProblem, smallest: flint.arb, largest: float) -> flint.arb:
    """The largest r (to 1 %) with ω(r) < 1."""
    good, bad = smallest, flint.arb(largest)
    if problem.modulus(bad) < 1:
        return bad
    for _ in range(200):
        if bad <= good * flint.arb("1.01"):
            break
        middle = (good * bad).sqrt().mid()
        if problem.modulus(middle) < 1:
            good = middle
        else:
            bad = middle
    return good
