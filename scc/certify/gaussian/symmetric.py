r"""Symmetric matrices of balls as vectors, and pairs of orbitals in another set of orbitals.

A symmetric matrix is a vector (svec) of its entries a ≥ b, those off the diagonal times √2, so that
the Euclidean norm of the vector is the Hilbert–Schmidt norm of the matrix.
"""

from flint import arb, arb_mat

from scc.certify.gaussian.integrals import pair_number


def symmetrised(matrix: arb_mat) -> arb_mat:
    """½(A + Aᵀ)."""
    return (matrix + matrix.transpose()) / 2


def to_vector(matrix: arb_mat) -> arb_mat:
    """svec of a symmetric matrix, (n(n+1)/2, 1)."""
    n, root = matrix.nrows(), arb(2).sqrt()
    entries = [
        root * matrix[a, b] if b < a else matrix[a, a] for a in range(n) for b in range(a + 1)
    ]
    return arb_mat(len(entries), 1, entries)


def from_vector(column: arb_mat, n: int) -> arb_mat:
    """The symmetric matrix of an svec."""
    half = 1 / arb(2).sqrt()

    def entry(a: int, b: int) -> arb:
        value = column[pair_number(a, b), 0]
        return value if a == b else half * value

    return arb_mat([[entry(a, b) for b in range(n)] for a in range(n)])


def pair_transformation(x: arb_mat) -> arb_mat:
    """Y with w_ij (ij|kl) w_kl = Σ Y_{ij,ab} (ab|cd) Y_{kl,cd} for ψ_i = Σ_a φ_a X_ai.

    On pairs a ≥ b; w is 1 on the diagonal and √2 off it, as in svec: the left side is the matrix of
    A ↦ (ij|A) between svecs.
    """
    n, root = x.nrows(), arb(2).sqrt()
    rows = []
    for i in range(n):
        for j in range(i + 1):
            row = []
            for a in range(n):
                for b in range(a + 1):
                    value = x[a, i] * x[b, j]
                    if a != b:
                        value += x[b, i] * x[a, j]
                    row.append(value if i == j else root * value)
            rows.append(row)
    return arb_mat(rows)
