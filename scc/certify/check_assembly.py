"""What the checker of on-site certificates computes from the input alone: H⁰, J, slopes, F(H).

Nothing here is shared with the prover, not even mathematics where there was a choice: derivatives
by truncated power series, signs of eigenvalues by congruence, F(H) at β < ∞ by doubling β in

    F_{2β} = F_β² (F_β² + (1−F_β)²)⁻¹ ,      F_{β/2^k} = (1 + e^{β(H−µ)/2^k})⁻¹ ,

and at β = ∞ by Newton's iteration for the matrix sign, all in ball arithmetic.
"""

from __future__ import annotations

from typing import Any

import flint
import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.certify.decimals import ball
from scc.certify.failure import RefusedError

ArbMat = flint.arb_mat


def unit(size: int, value: flint.arb | int = 1) -> ArbMat:
    """value · 1."""
    return ArbMat([[value if i == j else 0 for j in range(size)] for i in range(size)])


def inverse(matrix: ArbMat) -> ArbMat:
    """A⁻¹ for every A in the balls: X + XR ± |X| r²/(1−r) from any X, R = 1 − AX, r = ‖R‖ < 1.

    LU factorisation in ball arithmetic would lose a bit or two a row instead.
    """
    size, middle = matrix.nrows(), matrix.mid()
    two = unit(size, 2)
    X = _matrix(np.linalg.inv(_floats(matrix)))
    for _ in range(8):
        product = middle * X
        X = (X * (two - product)).mid()
        if row_norm(two / 2 - product) < flint.arb(2) ** (-flint.ctx.prec // 2):
            break
    R = two / 2 - matrix * X
    r = row_norm(R)
    if not r < 1:
        raise RefusedError("a matrix is not certainly invertible")
    rest = flint.arb(0, (row_norm(X) * r * r / (1 - r)).upper())
    return ArbMat(size, size, [entry + rest for entry in (X + X * R).entries()])


def negative_eigenvalues(matrix: ArbMat) -> int:
    """Their number. RefusedError where it is not certain.

    X = UᵀAU with the float64 eigenvectors U of A, whatever they are worth, has the inertia of A
    (Sylvester) if it is not singular, and the signs of its diagonal if that dominates every row.
    """
    U = _matrix(np.linalg.eigh(_floats(matrix))[1])
    found = 0
    for i, row in enumerate((U.transpose() * matrix * U).tolist()):
        others = sum((abs(x) for j, x in enumerate(row) if j != i), flint.arb(0))
        if not abs(row[i]) > others:
            raise RefusedError(f"an eigenvalue near {row[i].str(3, radius=False)} has no sure sign")
        found += bool(row[i] < 0)
    return found


def positive(matrix: ArbMat) -> bool:
    """Whether a symmetric matrix is certainly positive definite."""
    try:
        return negative_eigenvalues(matrix) == 0
    except RefusedError:
        return False


def levels_below(H: ArbMat, energy: flint.arb) -> int:
    """Number of eigenvalues below an energy that is none."""
    return negative_eigenvalues(H - unit(H.nrows(), energy))


class Assembly:
    """H⁰, J, Z and the slopes of both along pairs, from the ``input`` of a document."""

    def __init__(self, stated: dict[str, Any]) -> None:
        self.positions = [[ball(x) for x in row] for row in stated["positions"]]
        parameters = stated["parameters"]
        self.nuclear = [ball(z) for z in parameters["nuclear_charges"]]
        self.variances = [ball(s) ** 2 for s in parameters["widths"]]
        self.rule = parameters["hamiltonian"]
        levels = [ball(level) for level in self.rule["levels"]]
        self.size = len(self.positions)
        sizes = {len(self.nuclear), len(self.variances), len(levels), len(stated["species"])}
        if sizes != {self.size} or any(len(row) != 3 for row in self.positions):
            raise RefusedError("the input has lists of different lengths")
        self.owner = list(range(self.size))
        self.most_orbitals = 1
        root_pi = flint.arb.pi().sqrt()
        self.J = unit(self.size)
        self.H0 = unit(self.size)
        self.slopes: dict[tuple[int, int], tuple[flint.arb, flint.arb, list[flint.arb]]] = {}
        for i in range(self.size):
            self.J[i, i] = 1 / (self.variances[i].sqrt() * root_pi)
            self.H0[i, i] = levels[i]
            for j in range(i):
                apart = [a - b for a, b in zip(self.positions[i], self.positions[j], strict=True)]
                r = (apart[0] ** 2 + apart[1] ** 2 + apart[2] ** 2).sqrt()
                if not r > 0:
                    raise RefusedError(f"atoms {j} and {i} are not certainly apart")
                line = flint.arb_series([r, 1], 2)
                width = (2 * (self.variances[i] + self.variances[j])).sqrt()
                coulomb, hopping = (line / width).erf() / line, self._hopping(line, r)
                self.J[i, j] = self.J[j, i] = coulomb[0]
                self.H0[i, j] = self.H0[j, i] = hopping[0]
                direction = [a / r for a in apart]
                self.slopes[i, j] = coulomb[1], hopping[1], direction

    def _hopping(self, line: flint.arb_series, r: flint.arb) -> flint.arb_series:
        """h along the pair, value and slope."""
        rule = self.rule["hopping"]
        if rule["kind"] == "constant":
            cutoff = ball(rule["cutoff"])
            if not (r < cutoff or r > cutoff):
                raise RefusedError(f"a pair {r.str(6)} bohr apart is at the jump of the hopping")
            return flint.arb_series([-ball(rule["t"]) if r < cutoff else 0], 2)
        if rule["kind"] != "exponential":
            raise RefusedError(f"unknown hopping {rule['kind']!r}")
        start, stop = ball(rule["switch"][0]), ball(rule["switch"][1])
        if not 0 <= start < stop:
            raise RefusedError("the switch is no interval")
        bare = (
            ball(rule["prefactor"]) * (ball(rule["decay"]) * (ball(rule["reference"]) - line)).exp()
        )
        x = (line - start) / (stop - start)
        # Within 1e-3 of an end the switch and its slope in x are within e^{-998} 10⁶ of 1 or 0.
        tail = flint.arb_series(
            [flint.arb(0, "1e-420"), flint.arb(0, "1e-420") / (stop - start)], 2
        )
        if x[0] < flint.arb("0.001"):
            return bare * (1 + tail)
        if x[0] > flint.arb("0.999"):
            return bare * tail if r < stop else flint.arb_series([0], 2)
        psi, mirrored = (-1 / x).exp(), (-1 / (1 - x)).exp()
        return bare * mirrored / (psi + mirrored)

    def forces(self, density: ArbMat, excess: list[flint.arb]) -> list[list[flint.arb]]:
        """−∂/∂r of 2 Tr FH⁰ + ½ q′Jq′."""
        found = [[flint.arb(0)] * 3 for _ in range(self.size)]
        for (i, j), (coulomb, hopping, direction) in self.slopes.items():
            tension = 4 * density[i, j] * hopping + excess[i] * excess[j] * coulomb
            for axis, cosine in enumerate(direction):
                found[i][axis] -= tension * cosine
                found[j][axis] += tension * cosine
        return found


def fermi(H: ArbMat, beta: flint.arb, mu: flint.arb) -> ArbMat:
    """F(H) at β < ∞ by doubling."""
    one = unit(H.nrows())
    exponent = (H - unit(H.nrows(), mu)) * beta
    doublings = 0
    while not row_norm(exponent) < 2:
        exponent, doublings = exponent / 2, doublings + 1
    F = inverse(one + exponent.exp())
    for _ in range(doublings):
        filled, empty = F * F, (one - F) * (one - F)
        F = filled * inverse(filled + empty)
        F = (F + F.transpose()) / 2
    return F


def projector(H: ArbMat, low: flint.arb, high: flint.arb) -> ArbMat:
    """The spectral projector below a gap (low, high) free of levels.

    Newton's X ← (X + X⁻¹)/2 commutes with H; on a level at x₀ ∈ [d, 1] (in units of ‖H − m‖) it has
    (x_k − 1)/(x_k + 1) = ((x₀−1)/(x₀+1))^{2^k}, so |x_k − 1| ≤ 2q/(1−q), q = ((1−d)/(1+d))^{2^k}.
    """
    size = H.nrows()
    X = H - unit(size, (low + high) / 2)
    scale = row_norm(X)
    distance = (high - low) / (2 * scale)
    X = X / scale
    q = (1 - distance) / (1 + distance)
    while not q < flint.arb(2) ** (-flint.ctx.prec * 3 // 4):
        X = (X + inverse(X)) / 2
        X, q = (X + X.transpose()) / 2, q * q
    error = flint.arb(0, (q / (1 - q)).upper())
    return ArbMat(size, size, [e + error for e in ((unit(size) - X) / 2).entries()])


def _floats(matrix: ArbMat) -> FloatArray:
    middles = [float(entry.mid()) for entry in matrix.entries()]
    return np.array(middles).reshape(matrix.nrows(), matrix.ncols())


def _matrix(values: ArrayLike) -> ArbMat:
    return ArbMat([[float(x) for x in row] for row in np.asarray(values)])


def row_norm(matrix: ArbMat) -> flint.arb:
    """max_i Σ_j |A_ij| ≥ ‖A‖₂ for symmetric A, an exact number."""
    sums = (sum((abs(x) for x in row), flint.arb(0)).upper() for row in matrix.tolist())
    return max(sums)


def length(values: list[flint.arb]) -> flint.arb:
    """Euclidean norm, an upper bound."""
    return sum((x * x for x in values), flint.arb(0)).upper().sqrt().upper()
