"""Polynomials in the presence of atoms, t_m ∈ {0, 1}: which atoms appear in a product of matrices.

t_m² = t_m, so that a monomial is a set of atoms and a product of monomials is the union. A quantity
of a sub-cluster is a function on {0, 1}^M; its only multilinear polynomial has as coefficients the
inclusion–exclusion sums of Theorem 5 (Möbius inversion): U(u_ℓ, u_k; K) is that of Π_K t_m.
Coefficients are integers or fractions and exact.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

Monomial = frozenset[int]
Polynomial = dict[Monomial, Fraction]
Row = list[Polynomial]


def add(first: Polynomial, second: Polynomial, factor: Fraction | int = 1) -> Polynomial:
    """first + factor · second, zero coefficients dropped."""
    total = dict(first)
    for monomial, value in second.items():
        total[monomial] = total.get(monomial, Fraction(0)) + factor * value
    return {monomial: value for monomial, value in total.items() if value != 0}


def multiply(first: Polynomial, second: Polynomial) -> Polynomial:
    """The product, t_m² = t_m."""
    total: Polynomial = {}
    for one, a in first.items():
        for other, b in second.items():
            union = one | other
            total[union] = total.get(union, Fraction(0)) + a * b
    return {monomial: value for monomial, value in total.items() if value != 0}


def row_times(row: Row, matrix: Sequence[Row]) -> Row:
    """Row vector times matrix."""
    result: Row = [{} for _ in matrix[0]]
    for i, entry in enumerate(row):
        if entry:
            for k, factor in enumerate(matrix[i]):
                if factor:
                    result[k] = add(result[k], multiply(entry, factor))
    return result


def apply_polynomial(row: Row, matrix: Sequence[Row], coefficients: Sequence[int]) -> Row:
    """row · Σ_j c_j matrix^j."""
    result: Row = [{} for _ in row]
    power = row
    for j, c in enumerate(coefficients):
        if j > 0:
            power = row_times(power, matrix)
        result = [add(total, term, c) for total, term in zip(result, power, strict=True)]
    return result


def present(polynomial: Polynomial, atoms: Iterable[int]) -> Fraction:
    """Its value where exactly these atoms are present."""
    chosen = frozenset(atoms)
    return sum((value for monomial, value in polynomial.items() if monomial <= chosen), Fraction(0))


def order(polynomial: Polynomial, pair: Iterable[int]) -> int:
    """The largest number of atoms in a monomial besides the pair; −1 for zero."""
    known = frozenset(pair)
    return max((len(monomial - known) for monomial in polynomial), default=-1)
