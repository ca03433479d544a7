r"""All integrals of the Gaussian-orbital model in balls, and their forces at a given density.

S, T = ½∫∇φ⊗∇φ, V_nuc,ab = −Σ_k Z_k ∬ φ_aφ_b(x) m_k(y)/|x−y| with point or Gaussian nuclei m_k,
(ab|cd), and the nuclei's energy. Pairs a ≥ b are numbered a(a+1)/2 + b. Hartree, bohr.

Moving atom k moves its orbitals: with g_ab = I[(∇φ_a)φ_b] for a linear functional I of the product,
Σ_ab A_ab ∂I_ab/∂r_k = −2 Σ_{a at k} Σ_b A_ab g_ab for symmetric A.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flint import arb, arb_mat

from scc.arrays import FloatArray
from scc.basis.polynomials import monomial_count, monomial_exponents, monomial_index, sum_index
from scc.basis.shells import BasisSet
from scc.certify.gaussian.hermite import Point, PrimitivePair, coulomb_derivatives
from scc.certify.gaussian.orbitals import Polynomial, differentiated, primitives

Gradient = list[list[arb]]  # (M, 3), Hartree/bohr


def pair_number(a: int, b: int) -> int:
    """Index of the pair {a, b}."""
    return a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a


@dataclass
class _Block:
    """The orbital products that contain one pair of primitives.

    ``products``: (pair number, coefficients of Λ_t, |t| ≤ order); ``gradients``: (a, b, axis,
    coefficients of (∂_axis φ_a)φ_b, |t| ≤ order + 1); ``start``: of its Λ_t among all.
    """

    p: arb
    centre: Point
    order: int
    start: int
    products: list[tuple[int, list[arb]]] = field(default_factory=list)
    gradients: list[tuple[int, int, int, list[arb]]] = field(default_factory=list)


class GaussianIntegrals:
    """Enclosures at one geometry.

    Parameters: the basis; Z_k (M,); exponents a_k (M,) of nuclei ∝ e^{−a_k|x|²}, None: points.
    ``overlap``, ``kinetic``, ``nuclear`` are arb_mat (n, n), ``repulsion`` (n_pairs, n_pairs).
    """

    def __init__(
        self,
        basis: BasisSet,
        nuclear_charges: FloatArray,
        nuclear_exponents: Sequence[float] | None = None,
    ) -> None:
        self.n = basis.n_functions
        self.n_pairs = self.n * (self.n + 1) // 2
        self.atoms = len(basis)
        self.owner = [int(atom) for atom in basis.atom_of_function]
        self._centres = [[arb(float(x)) for x in position] for position in basis.positions]
        self._charges = [arb(float(z)) for z in nuclear_charges]
        self._spreads = [
            arb(0) if nuclear_exponents is None else 1 / arb(float(nuclear_exponents[k]))
            for k in range(self.atoms)
        ]  # 1/a_k, zero for a point
        self.overlap, self.kinetic = arb_mat(self.n, self.n), arb_mat(self.n, self.n)
        self._overlap_gradient = self._zero_gradient_matrices()
        self._kinetic_gradient = self._zero_gradient_matrices()
        self._blocks: list[_Block] = []
        self._make_blocks(basis)
        self._make_nuclear()
        self._make_repulsion()
        self.nuclear_energy, self._nuclear_energy_gradient = self._nuclei()

    # -- making --------------------------------------------------------------------------------

    def _zero_gradient_matrices(self) -> list[arb_mat]:
        return [arb_mat(self.n, self.n) for _ in range(3)]

    def _make_blocks(self, basis: BasisSet) -> None:
        parts = primitives(basis)
        start = 0
        for i, left in enumerate(parts):
            for j, right in enumerate(parts[: i + 1]):
                # Two derivatives on either side: the gradient of the kinetic energy.
                pair = PrimitivePair(left, right, (left.degree + 2, right.degree + 2))
                order = left.degree + right.degree
                block = _Block(pair.p, pair.centre, order, start)
                start += monomial_count(order)
                for a, p in left.orbitals.items():
                    for b, q in right.orbitals.items():
                        self._add_products(block, pair, (a, b, p, q), same=i == j)
                self._blocks.append(block)
        self._size = start

    def _add_products(
        self,
        block: _Block,
        pair: PrimitivePair,
        functions: tuple[int, int, Polynomial, Polynomial],
        same: bool,
    ) -> None:
        """φ_a at the left primitive times φ_b at the right one, and what is made of it.

        Different primitives stand for both orders of the two (``same`` False): (a, b) and (b, a).
        """
        a, b, p, q = functions
        left, right = pair.left.exponent, pair.right.exponent
        dp = [differentiated(p, left, axis) for axis in range(3)]
        dq = [differentiated(q, right, axis) for axis in range(3)]
        if not same or a >= b:
            twice = 2 if not same and a == b else 1
            coefficients = [twice * c for c in pair.expand(p, q, block.order)]
            block.products.append((pair_number(a, b), coefficients))
        overlap = pair.expand(p, q, 0)[0]
        kinetic = sum((pair.expand(u, v, 0)[0] for u, v in zip(dp, dq, strict=True)), arb(0)) / 2
        self._add_both_orders(self.overlap, a, b, overlap, same)
        self._add_both_orders(self.kinetic, a, b, kinetic, same)
        for axis in range(3):
            block.gradients.append((a, b, axis, pair.expand(dp[axis], q, block.order + 1)))
            self._overlap_gradient[axis][a, b] += pair.expand(dp[axis], q, 0)[0]
            bent = [differentiated(dp[axis], left, j) for j in range(3)]
            self._kinetic_gradient[axis][a, b] += _half_sum(pair, bent, dq)
            if not same:
                block.gradients.append((b, a, axis, pair.expand(p, dq[axis], block.order + 1)))
                self._overlap_gradient[axis][b, a] += pair.expand(p, dq[axis], 0)[0]
                bent = [differentiated(dq[axis], right, j) for j in range(3)]
                self._kinetic_gradient[axis][b, a] += _half_sum(pair, dp, bent)

    def _add_both_orders(self, matrix: arb_mat, a: int, b: int, value: arb, same: bool) -> None:
        matrix[a, b] += value
        if not same:
            matrix[b, a] += value

    def _make_nuclear(self) -> None:
        """−Σ Z_k R_t at every Λ_t with one order to spare, and V_nuc."""
        self._nuclear_potentials = []
        self.nuclear = arb_mat(self.n, self.n)
        packed = [arb(0)] * self.n_pairs
        for block in self._blocks:
            potential = [arb(0)] * monomial_count(block.order + 1)
            for charge, values in zip(self._charges, self._at_nuclei(block), strict=True):
                potential = [v - charge * w for v, w in zip(potential, values, strict=True)]
            self._nuclear_potentials.append(potential)
            for pair, coefficients in block.products:
                packed[pair] += _dot(coefficients, potential)
        for a in range(self.n):
            for b in range(self.n):
                self.nuclear[a, b] = packed[pair_number(a, b)]

    def _at_nuclei(self, block: _Block) -> list[list[arb]]:
        """R_t(P − r_k), |t| ≤ order + 1, for each nucleus k."""
        found = []
        for centre, spread in zip(self._centres, self._spreads, strict=True):
            separation = [u - v for u, v in zip(block.centre, centre, strict=True)]
            alpha = block.p / (1 + block.p * spread)
            found.append(coulomb_derivatives(alpha, separation, block.order + 1))
        return found

    def _make_repulsion(self) -> None:
        """(ab|cd), and what each product cd does at every Λ_t with one order to spare."""
        expansion = arb_mat(self.n_pairs, self._size)
        for block in self._blocks:
            for pair, coefficients in block.products:
                for t, c in enumerate(coefficients):
                    expansion[pair, block.start + t] += c
        columns = expansion.transpose()
        self._pair_potentials = []
        rows: list[list[arb]] = []
        for block in self._blocks:
            potentials = arb_mat(self._interactions(block)) * columns
            self._pair_potentials.append(potentials)
            rows.extend(potentials.tolist()[: monomial_count(block.order)])
        self.repulsion = expansion * arb_mat(rows)

    def _interactions(self, block: _Block) -> list[list[arb]]:
        """∬ Λ_t Λ_s/|x−y| for |t| ≤ order + 1 of this block and all Λ_s: (n_t, all)."""
        rows: list[list[arb]] = [[] for _ in range(monomial_count(block.order + 1))]
        for other in self._blocks:
            separation = [u - v for u, v in zip(block.centre, other.centre, strict=True)]
            alpha = block.p * other.p / (block.p + other.p)
            values = coulomb_derivatives(alpha, separation, block.order + 1 + other.order)
            index = sum_index(block.order + 1, other.order)
            odd = monomial_exponents(other.order).sum(axis=1) % 2 == 1
            for t, row in enumerate(rows):
                row.extend(
                    -values[k] if o else values[k] for k, o in zip(index[t], odd, strict=True)
                )
        return rows

    def _nuclei(self) -> tuple[arb, Gradient]:
        """Σ_{i<j} Z_i Z_j erf(√α r)/r and its gradient."""
        energy, gradient = arb(0), _zeros(self.atoms)
        for i in range(self.atoms):
            for j in range(i):
                x = [u - v for u, v in zip(self._centres[i], self._centres[j], strict=True)]
                spread = self._spreads[i] + self._spreads[j]
                product = self._charges[i] * self._charges[j]
                if spread == 0:
                    r = sum((u * u for u in x), arb(0)).sqrt()
                    values = [1 / r, *(-u / r**3 for u in x)]
                else:
                    values = coulomb_derivatives(1 / spread, x, 1)
                energy += product * values[0]
                for axis in range(3):
                    gradient[i][axis] += product * values[1 + axis]
                    gradient[j][axis] -= product * values[1 + axis]
        return energy, gradient

    # -- using ---------------------------------------------------------------------------------

    def coulomb_matrix(self, density: arb_mat) -> arb_mat:
        """J[D]_ab = Σ (ab|cd) D_cd."""
        return self.unpacked(self.repulsion * self.packed(density))

    def packed(self, density: arb_mat) -> arb_mat:
        """D_ab + D_ba on pairs a > b and D_aa: Σ_ab D_ab I_ab = Σ_pairs packed · I."""
        column = arb_mat(self.n_pairs, 1)
        for a in range(self.n):
            for b in range(a):
                column[pair_number(a, b), 0] = density[a, b] + density[b, a]
            column[pair_number(a, a), 0] = density[a, a]
        return column

    def unpacked(self, values: arb_mat) -> arb_mat:
        """The symmetric matrix of values on pairs (n_pairs, 1)."""
        return arb_mat(
            [[values[pair_number(a, b), 0] for b in range(self.n)] for a in range(self.n)]
        )

    def energy_gradient(self, density: arb_mat, weighted: arb_mat | None) -> Gradient:
        """∂/∂r [Tr TD + Tr V_nuc D + ½(D|D) + E_nn − Tr WS] at fixed D and W, (M, 3).

        ``weighted``: the energy-weighted density matrix W; None where the overlap counts as 1.
        """
        gradient = [list(row) for row in self._nuclear_energy_gradient]
        for axis in range(3):
            for a in range(self.n):
                total = arb(0)
                for b in range(self.n):
                    total += density[a, b] * self._kinetic_gradient[axis][a, b]
                    if weighted is not None:
                        total -= weighted[a, b] * self._overlap_gradient[axis][a, b]
                gradient[self.owner[a]][axis] -= 2 * total
        packed = self.packed(density)
        for block, nuclear, pairs in zip(
            self._blocks, self._nuclear_potentials, self._pair_potentials, strict=True
        ):
            electronic = pairs * packed
            potential = [v + electronic[t, 0] for t, v in enumerate(nuclear)]
            for a, b, axis, coefficients in block.gradients:
                value = density[a, b] * _dot(coefficients, potential)
                gradient[self.owner[a]][axis] -= 2 * value
            self._add_nuclear_motion(gradient, block, packed)
        return gradient

    def _add_nuclear_motion(self, gradient: Gradient, block: _Block, packed: arb_mat) -> None:
        """∂/∂r_k of −Z_k Σ_t ρ_t R_t(P − r_k) is Z_k Σ_t ρ_t R_{t+e}."""
        carried = [arb(0)] * monomial_count(block.order)
        for pair, coefficients in block.products:
            carried = [r + packed[pair, 0] * c for r, c in zip(carried, coefficients, strict=True)]
        index = monomial_index(block.order + 1)
        for k, values in enumerate(self._at_nuclei(block)):
            for t, (i, j, m) in enumerate(monomial_exponents(block.order)):
                up = ((i + 1, j, m), (i, j + 1, m), (i, j, m + 1))
                for axis in range(3):
                    gradient[k][axis] += self._charges[k] * carried[t] * values[index[up[axis]]]


def _half_sum(pair: PrimitivePair, left: list[Polynomial], right: list[Polynomial]) -> arb:
    """½ Σ_j ∫ left_j right_j."""
    return sum((pair.expand(u, v, 0)[0] for u, v in zip(left, right, strict=True)), arb(0)) / 2


def _dot(coefficients: Sequence[arb], values: Sequence[arb]) -> arb:
    """Σ c_t v_t over the coefficients there are."""
    total = arb(0)
    for c, v in zip(coefficients, values, strict=False):
        total += c * v
    return total


def _zeros(atoms: int) -> Gradient:
    return [[arb(0)] * 3 for _ in range(atoms)]
