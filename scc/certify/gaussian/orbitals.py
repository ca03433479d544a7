r"""Contracted Gaussians in balls: φ_a(x) = Σ_k p_ak(x − r) e^{−a_k|x − r|²}, polynomials p_ak.

Exponents, contraction coefficients and positions are the given floats, taken as exact numbers;
normalisation and solid harmonics are enclosed. Primitives of one exponent at one atom are kept
together: they share their products with all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb

from scc.basis.shells import BasisSet, Shell

Monomial = tuple[int, int, int]
Polynomial = dict[Monomial, arb]


@dataclass(frozen=True)
class Primitive:
    """e^{−a|x − r|²} at one atom and the polynomial each orbital multiplies it with."""

    atom: int
    centre: tuple[arb, arb, arb]
    exponent: arb
    orbitals: dict[int, Polynomial]

    @property
    def degree(self) -> int:
        """Largest degree of the polynomials."""
        return max(sum(m) for polynomial in self.orbitals.values() for m in polynomial)


def primitives(basis: BasisSet) -> list[Primitive]:
    """All primitives of a basis, ordered by atom; orbitals are numbered as in ``basis``."""
    found: dict[tuple[int, float], Primitive] = {}
    first = 0
    for atom, (position, shells) in enumerate(zip(basis.positions, basis.shells, strict=True)):
        centre = (arb(float(position[0])), arb(float(position[1])), arb(float(position[2])))
        for shell in shells:
            harmonics = solid_harmonics(shell.angular_momentum)
            for exponent, factor in zip(shell.exponents, radial_factors(shell), strict=True):
                key = (atom, float(exponent))
                if key not in found:
                    found[key] = Primitive(atom, centre, arb(float(exponent)), {})
                for component, harmonic in enumerate(harmonics):
                    # Two primitives of one shell may have the same exponent: they add up.
                    _add(found[key].orbitals.setdefault(first + component, {}), harmonic, factor)
            first += len(harmonics)
    return list(found.values())


def radial_factors(shell: Shell) -> list[arb]:
    """c_k of R_lµ Σ c_k e^{−a_k|x|²} with unit L² norm; see :class:`scc.basis.shells.Shell`."""
    l = shell.angular_momentum  # noqa: E741  (the field's letter)
    exponents = [arb(float(a)) for a in shell.exponents]
    plain = [
        arb(float(c)) / _norm(l, 2 * a).sqrt()
        for a, c in zip(exponents, shell.coefficients, strict=True)
    ]
    squared = arb(0)
    for a, c in zip(exponents, plain, strict=True):
        for b, d in zip(exponents, plain, strict=True):
            squared += c * d * _norm(l, a + b)
    return [c / squared.sqrt() for c in plain]


def _norm(angular_momentum: int, exponent_sum: arb) -> arb:
    """∫ R_lµ² e^{−s|x|²} = 2π Γ(l+3/2)/((2l+1) s^{l+3/2})."""
    power = angular_momentum + arb(3) / 2
    return 2 * arb.pi() * power.gamma() / ((2 * angular_momentum + 1) * exponent_sum**power)


def solid_harmonics(angular_momentum: int) -> list[Polynomial]:
    """R_lµ, µ = −l…l, as polynomials, by the recurrences named in scc.basis.solid_harmonics."""
    before: list[Polynomial] = []
    current: list[Polynomial] = [{(0, 0, 0): arb(1)}]
    for l in range(angular_momentum):  # noqa: E741
        first, last = current[0], current[-1]
        scale = (arb((2 if l == 0 else 1) * (2 * l + 1)) / (2 * l + 2)).sqrt()
        cross = arb(0 if l == 0 else 1) * scale
        bottom = combination((scale, multiplied(last, 1)), (cross, multiplied(first, 0)))
        top = combination((scale, multiplied(last, 0)), (-cross, multiplied(first, 1)))
        middle = []
        for m in range(-l, l + 1):
            root = arb((l + m + 1) * (l - m + 1)).sqrt()
            terms = [((2 * l + 1) / root, multiplied(current[l + m], 2))]
            if abs(m) < l:
                lower = before[l - 1 + m]
                weight = -arb((l + m) * (l - m)).sqrt() / root
                terms += [(weight, multiplied(multiplied(lower, u), u)) for u in range(3)]
            middle.append(combination(*terms))
        before, current = current, [bottom, *middle, top]
    return current


def multiplied(polynomial: Polynomial, axis: int) -> Polynomial:
    """x_axis · p."""
    return {_shifted(m, axis, 1): c for m, c in polynomial.items()}


def differentiated(polynomial: Polynomial, exponent: arb, axis: int) -> Polynomial:
    """q with ∂_axis(p e^{−a|x|²}) = q e^{−a|x|²}."""
    result: Polynomial = {}
    for m, c in polynomial.items():
        if m[axis] > 0:
            _add(result, {_shifted(m, axis, -1): c}, arb(m[axis]))
        _add(result, {_shifted(m, axis, 1): c}, -2 * exponent)
    return result


def combination(*terms: tuple[arb, Polynomial]) -> Polynomial:
    """Σ factor · polynomial."""
    result: Polynomial = {}
    for factor, polynomial in terms:
        _add(result, polynomial, factor)
    return result


def degree_of(polynomials: Sequence[Polynomial]) -> int:
    """Largest degree that occurs."""
    return max((sum(m) for polynomial in polynomials for m in polynomial), default=0)


def _add(target: Polynomial, polynomial: Polynomial, factor: arb) -> None:
    for m, c in polynomial.items():
        target[m] = target.get(m, arb(0)) + factor * c


def _shifted(monomial: Monomial, axis: int, step: int) -> Monomial:
    shifted = list(monomial)
    shifted[axis] += step
    return (shifted[0], shifted[1], shifted[2])
