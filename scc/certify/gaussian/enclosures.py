r"""What follows for every V within ρ of V̄: density, energy, charges, levels, gap and forces.

F moves by δ_P = sup|F[x,y]| ρ at most in Hilbert–Schmidt norm, and from that

    E_q[D] = Tr(T+V_nuc)D + ½(D|D) + E_nn:    |ΔE_q| ≤ 2‖Xᵀ(T+V[D̄])X‖ δ_P + ‖K‖ δ_P²,
    2Tr φ(H):   |Δ| ≤ 2√n sup|φ′| (ρ + η),          λ_i:  |Δ| ≤ ρ + η (Weyl),
    q_ℓ = Z_ℓ − 2 tr[UFUᵀ]_ℓℓ, U = S^{1/2}X:  |Δ| ≤ 2√n_ℓ δ_P with n_ℓ orbitals on the atom,
    W = 2X F H Xᵀ:  ‖Δ(FH)‖ ≤ δ_P‖H‖ + ‖F‖ρ,       |(XAXᵀ)_ab| ≤ |X_a||X_b| ‖A‖ (rows X_a).

The energy gradient at a solution is that at fixed D and W (the terms of F and X combine).
S^{1/2} = B + Δ with B = QsQᵀ ≥ 0 from a computed eigensystem: S^{1/2}Δ + ΔB = S − B², so that
‖Δ‖ ≤ ‖S − B²‖/λ_min(S)^{1/2}, and λ_min(S)^{1/2} ≥ 1/‖X‖.
"""

from dataclasses import dataclass

from flint import arb, arb_mat

from scc.arrays import FloatArray
from scc.certify.eigensystem import eigensystem
from scc.certify.failure import CertificationError
from scc.certify.gaussian.centre import Centre
from scc.certify.gaussian.integrals import Gradient
from scc.certify.norms import diagonal, frobenius, spectral, widened


@dataclass(frozen=True)
class Enclosures:
    """Balls that hold at every solution within ρ of the centre."""

    energy: arb
    charges: list[arb]
    levels: list[arb]
    forces: Gradient


def enclosures(
    centre: Centre,
    radius: arb,
    overlap: arb_mat | None,
    nuclear_charges: FloatArray,
) -> Enclosures:
    """``overlap`` is S, or None where orbitals count as orthonormal.

    Raises CertificationError where occupations have no bounded derivative within ρ.
    """
    reach = (radius + centre.level_error).upper()
    slope = centre.occupation.slope(reach)
    if not slope.is_finite():
        raise CertificationError(
            f"the gap closes within the existence radius {float(radius):.3g} Hartree"
        )
    # Convexity alone gives 2 sup|F[x,y]| ‖Φ‖ (scc.certify.gaussian.check): what is stated here must
    # hold on that way, too.
    shift = (slope * radius.max(2 * centre.residual_norm)).upper()
    slack = arb(0, reach)
    return Enclosures(
        energy=_energy(centre, shift, reach),
        charges=_charges(centre, shift, overlap, nuclear_charges),
        levels=[level + slack for level in centre.levels],
        forces=_forces(centre, shift, radius, overlap),
    )


def _energy(centre: Centre, shift: arb, reach: arb) -> arb:
    integrals, density = centre.integrals, centre.density
    n = centre.n
    core = integrals.kinetic + integrals.nuclear
    repulsion = centre.output - integrals.nuclear
    energy = (core * density).trace() + (repulsion * density).trace() / 2
    energy += integrals.nuclear_energy
    energy += centre.occupation.rest()
    first = frobenius(centre.transformed(integrals.kinetic + centre.output))
    error = 2 * first * shift + spectral(centre.coulomb) * shift * shift
    error += 2 * arb(n).sqrt() * centre.occupation.rest_slope(reach) * reach
    return energy + arb(0, error.upper())


def _charges(
    centre: Centre, shift: arb, overlap: arb_mat | None, nuclear_charges: FloatArray
) -> list[arb]:
    integrals = centre.integrals
    u = centre.x if overlap is None else square_root(overlap, centre.x) * centre.x
    populations = (2 * u * centre.occupied * u.transpose()).tolist()
    charges = []
    for atom, charge in enumerate(nuclear_charges):
        own = [a for a, owner in enumerate(integrals.owner) if owner == atom]
        count = sum((populations[a][a] for a in own), arb(0))
        error = (2 * arb(len(own)).sqrt() * shift).upper()
        charges.append(arb(float(charge)) - count + arb(0, error))
    return charges


def square_root(overlap: arb_mat, x: arb_mat) -> arb_mat:
    """S^{1/2} for XᵀSX = 1."""
    found = eigensystem(overlap)
    q = found.orbitals
    root = q * diagonal([level.sqrt() for level in found.levels]) * q.transpose()
    error = frobenius(overlap - root * root) * spectral(x)
    return widened(root, error)


def _forces(centre: Centre, shift: arb, radius: arb, overlap: arb_mat | None) -> Gradient:
    weighted = None if overlap is None else energy_weighted(centre, shift, radius)
    gradient = centre.integrals.energy_gradient(density(centre, shift), weighted)
    return [[-value for value in row] for row in gradient]


def density(centre: Centre, shift: arb) -> arb_mat:
    """D at every solution: ‖F − F̄‖ ≤ ``shift``."""
    return _row_widened(centre.density, centre.x, 2 * shift)


def energy_weighted(centre: Centre, shift: arb, radius: arb) -> arb_mat:
    """W at every solution: ‖F − F̄‖ ≤ ``shift`` and ‖H − H̄‖ ≤ ``radius``."""
    x = centre.x
    size = abs(centre.levels[0]).max(abs(centre.levels[-1])) + centre.level_error
    product = centre.occupied * widened(diagonal(centre.levels), centre.level_error)
    filling = spectral(centre.occupied) + shift
    middle = 2 * x * product * x.transpose()
    error = shift * size + filling * radius
    return _row_widened((middle + middle.transpose()) / 2, x, 2 * error)


def _row_widened(raw: arb_mat, x: arb_mat, radius: arb) -> arb_mat:
    """XAXᵀ for every A within ``radius`` of the one given as ``raw`` = XĀXᵀ."""
    sizes = [frobenius(arb_mat([row])) for row in x.tolist()]
    return arb_mat(
        [
            [value + arb(0, (radius * sizes[a] * sizes[b]).upper()) for b, value in enumerate(row)]
            for a, row in enumerate(raw.tolist())
        ]
    )
