r"""Powers and rates by which equilibrated ionic lattices approach the infinite crystal.

Identities behind the claim thermodynamic-limit (its systems: nearest-neighbour hopping h, spacing
a, levels ∓D/2, two sublattices related by particle-hole symmetry, n sites along each of d axes).

*Open boundaries.* Alternate charges ±Q on the 2^d corners ±L/2 of the lattice, L = na, are the only
charges that are left of the surface on a large scale, rows parallel to it being neutral.

1. d = 1: E(n) = en + s − Q²/(na) gives E(4n) − 3E(2n) + 2E(n) = −¾Q²/(na); the energy of a cell
   beyond the surface term, [E(2n) − E(n)]/n − e = Q²/(2n²a), has power 2.
2. d = 3: the cubic through n₁…n₄ of en³ + sn² + ln + c + q/n has leading coefficient
   e − q/(n₁n₂n₃n₄), and q = −(12 − 12/√2 + 4/√3) Q²/a.
3. The corners' potential is odd in each of the d coordinates: its first term is c Π x_i/L^{d+1},
   the force on an atom next to the centre of power d + 1; the next one has degree d + 2 and power
   d + 3. A site that is a centre of inversion answers to its Laplacian in the plane of the lattice,
   which is not zero for d = 1, 2 and is for d = 3, where the potential is harmonic.

*Periodic boundaries.* Two bands, det(z − H(k)) = z² − Δ² − ε_k² with ε_k = 2hΣ cos k_i a.

4. z = iω is an eigenvalue where Σ cos k_i a = ±iy, y = √(Δ² + ω²)/2|h|. Along an axis, transverse
   momenta 0 and π, k_x = π/2a + iκ: sinh κa = y, the rate arcsinh y a site.
5. Other ways around the torus are longer: along a diagonal of m axes sinh κa = y/m on each of them,
   and m arcsinh(y/m) > arcsinh y. *In space* it is the other way round for y ≤ 3: diagonals, with
   √m arcsinh(y/m)/a, decay slower than the axis. (For y → ∞ the axis is the slowest again.)
"""

import itertools

import mpmath
import sympy as sp


def derivation() -> dict[str, bool]:
    """The five steps."""
    return {
        "1: end charges of a chain": _end_charges(),
        "2: the cubic through four sizes": _cubic(),
        "2: pairs of corners of a cube": _corner_pairs(),
        **{f"3: first term of the potential, d = {d}": _first_term(d) for d in (1, 2, 3)},
        **{f"3: Laplacian of the second term, d = {d}": _second_term(d) for d in (1, 2, 3)},
        "4: complex momentum on the axis": _axis(),
        "5: the axis is the shortest way around, the diagonal the slowest decay": _diagonals(),
    }


def _end_charges() -> bool:
    n, a, e, s, q = sp.symbols("n a e s Q", positive=True)

    def energy(size: sp.Expr) -> sp.Expr:
        return e * size + s - q**2 / (size * a)

    combined = (
        energy(4 * n) - 3 * energy(2 * n) + 2 * energy(n) + sp.Rational(3, 4) * q**2 / (n * a)
    )
    cell = (energy(2 * n) - energy(n)) / n - e - q**2 / (2 * n**2 * a)
    return bool(sp.simplify(combined) == 0 and sp.simplify(cell) == 0)


def _cubic() -> bool:
    sizes = sp.symbols("n1:5", positive=True)
    e, s, edge, c, q = sp.symbols("e s l c q")
    values = [e * n**3 + s * n**2 + edge * n + c + q / n for n in sizes]
    lagrange = sum(
        value / sp.prod([n - other for other in sizes if other != n])
        for n, value in zip(sizes, values, strict=True)
    )
    return bool(sp.simplify(lagrange - (e - q / sp.prod(sizes))) == 0)


def _corner_pairs() -> bool:
    corners = list(itertools.product((0, 1), repeat=3))
    total = sum(
        (-1) ** (sum(one) + sum(two))
        / sp.sqrt(sum((i - j) ** 2 for i, j in zip(one, two, strict=True)))
        for one, two in itertools.combinations(corners, 2)
    )
    return bool(sp.simplify(total + 12 - 12 / sp.sqrt(2) + 4 / sp.sqrt(3)) == 0)


def _potential(d: int) -> tuple[sp.Expr, list[sp.Symbol]]:
    """Σ Π(signs)/|x − corner| for L = 2, in the d coordinates of the lattice."""
    x = list(sp.symbols("x1:4")[:d])
    total = sp.Integer(0)
    for signs in itertools.product((-1, 1), repeat=d):
        apart = sum((xi - sign) ** 2 for xi, sign in zip(x, signs, strict=True))
        total += sp.prod(signs) / sp.sqrt(apart)
    return total, x


def _taylor(d: int, degree: int) -> sp.Expr:
    """The homogeneous part of that degree of the potential about the centre."""
    potential, x = _potential(d)
    t = sp.Symbol("t")
    along = potential.subs({xi: t * xi for xi in x}, simultaneous=True)
    part = along.diff(t, degree).subs(t, 0) / sp.factorial(degree) if degree else along.subs(t, 0)
    return sp.expand(sp.simplify(part))


def _first_term(d: int) -> bool:
    _, x = _potential(d)
    lower = all(_taylor(d, degree) == 0 for degree in range(d))
    ratio = sp.simplify(_taylor(d, d) / sp.prod(x))
    return bool(lower and ratio.is_number and ratio != 0)


def _second_term(d: int) -> bool:
    _, x = _potential(d)
    if _taylor(d, d + 1) != 0:
        return False
    laplacian = sp.simplify(sum(_taylor(d, d + 2).diff(xi, 2) for xi in x))
    return bool((laplacian == 0) == (d == 3))


def _axis() -> bool:
    kappa, delta, omega, h = sp.symbols("kappa Delta omega h", positive=True)
    bands = sp.Matrix([[-delta, h], [h, delta]])
    determinant = (sp.I * omega * sp.eye(2) - bands).det()
    cosines = sp.cos(sp.pi / 2 + sp.I * kappa) + sp.cos(0) + sp.cos(sp.pi)
    on_axis = sp.simplify(cosines.rewrite(sp.exp) + sp.I * sp.sinh(kappa).rewrite(sp.exp))
    hopping = 2 * h * (-sp.I * sp.sqrt(delta**2 + omega**2) / (2 * h))
    return bool(on_axis == 0 and sp.simplify(determinant.subs(h, hopping)) == 0)


def _diagonals() -> bool:
    values = [mpmath.mpf(k) / 10 for k in range(1, 400)]
    for m in (2, 3):
        around = [m * mpmath.asinh(y / m) for y in values]
        longer = all(r > mpmath.asinh(y) for r, y in zip(around, values, strict=True))
        slower = [r < mpmath.sqrt(m) * mpmath.asinh(y) for r, y in zip(around, values, strict=True)]
        if not (longer and all(slower[:30]) and not slower[-1]):
            return False
    return True
