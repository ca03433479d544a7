r"""Mean square errors of a MeshSum, mode by mode, for random multipoles: what tables are held to.

Spread on a mesh and read from it, e^{ik·(y−r)} becomes, with κ_j = k·a_j/(2πn_j) cycles a node
along cell vector a_j of n_j nodes, mesh wave vectors g_j = n_j b_j and the influence denominator,

    Σ_n Σ_n' √(a_n a_n') e^{i(k+n·g)·y − i(k+n'·g)·r},   a_n = Π_j ŵ(κ_j+n_j)²/Σ_m ŵ(κ_j+m)² .

All terms but n = n' = 0 are errors, and a_0 falls short of 1. For y and r anywhere in the mesh
they are orthogonal, so that with Γ = G(k) e^{−(k²+κ²)W/2} a unit charge causes at a unit charge

    ⟨δU²⟩ = Σ_k Γ² 2(1 − a_0),      ⟨|δ∇U|²⟩ = Σ_k Γ² [k²(1 − 2a_0) + Σ_n a_n |k + n·g|²] .

Modes outside of the mesh are missing: 1 and k² in place of the brackets. To leading order, with
ε_jn = |κ_j/(κ_j+n)|^p, the brackets are 2 Σ_j Σ_{n≠0} ε_jn² and Σ_j Σ_{n≠0} |k + n g_j|² ε_jn².
A multipole multiplies Γ² by k^{2λ}/((2λ+1)(2λ−1)!!²); sources at random places add up.

A site also feels its own aliases, the same in every mode: U_A changes across the mesh like

    Σ_j 2 C^j_AB cos(g_j·y) c_B,   C^j_AB = Σ_k Γ s_j Re i^{λA−λB} R_A R_B/((2λA−1)!!(2λB−1)!!),
    s = Σ_n ŵ(κ+n) ŵ(κ+n+1)/Σ_n ŵ(κ+n)²,

with mean squares 2C²c² for U_A and g²C²c²/2 for its gradient. In dilute systems this is the
larger part. Its mean over y vanishes, by the choice of the influence function, and the own energy
lacks nothing but that of the missing modes. Crystals commensurate with the mesh are the exception,
every site of them being at the same y.

With mean squares P_λ = ⟨Σ_µ c_λµ²⟩ of a site's multipoles the force on it has the mean square error
Σ_λ P_λ/(2λ+1) (gradient_λ² + own_gradient_λ²), and the energy of N sites
N Σ_λ P_λ/(2λ+1) (potential_λ²/2 + own_potential_λ²/4).

Reference: V. Ballenegger, J. J. Cerdà, C. Holm, J. Chem. Theory Comput. 8, 936 (2012);
R. W. Hockney, J. W. Eastwood, Computer Simulation Using Particles (IOP 1988), chapter 8.
"""

from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.basis.solid_harmonics import solid_harmonics
from scc.electrostatics.multipoles.mesh_grid import ReciprocalGrid, gaussian
from scc.electrostatics.multipoles.moments import double_factorial
from scc.electrostatics.multipoles.reciprocal_kernels import ReciprocalKernel

_ALIASES = np.arange(-6, 7)  # (κ/(κ+6))^{2p} < 1e-4 for p = 2, |κ| ≤ 1/2


class MeshErrors(NamedTuple):
    """Root mean squares of one component each, λ = 0…target_l (Hartree, bohr).

    Attributes:
        potential: of U_A, from the aliases of all sources at random places.
        gradient: of |∇U_A|, from the same.
        own_potential, own_gradient: from the site's own aliases and missing modes.
    """

    potential: FloatArray
    gradient: FloatArray
    own_potential: FloatArray
    own_gradient: FloatArray


def mesh_errors(
    kernel: ReciprocalKernel,
    variance: float,
    shape: tuple[int, int, int],
    order: int,
    source_power: FloatArray,
    number: int,
    target_l: int,
) -> MeshErrors:
    """Errors of a mesh for sources of random sign and place; the module docstring's sums.

    Args:
        variance: W; with the smooth variance s of a sum it covers wider pairs, too.
        shape, order: of the mesh; no check of their range.
        source_power: Σ_k Σ_µ c_kλµ² for λ = 0…: (l+1,). Where the sites fill only the part Ω' of
            ``kernel.cell``, Ω/Ω' times that.
        number: N, sites that share ``source_power``.
        target_l: largest λ of the targets.
    """
    source_l = len(source_power) - 1
    squares = np.zeros((2, target_l + 1, source_l + 1))
    own = np.zeros((4, (target_l + 1) ** 2, (source_l + 1) ** 2))
    doubled = (2 * shape[0], 2 * shape[1], 2 * shape[2])
    axes = [_Axis.of(n, order) for n in shape]
    mesh_waves = 2.0 * np.pi * np.linalg.inv(kernel.cell).T * np.array(shape)[:, None]
    for rows, k, _ in ReciprocalGrid(kernel, doubled, order).planes():
        part = (axes[0].only(rows), axes[1], axes[2].only(slice(0, shape[2] + 1)))
        twice = np.where(np.arange(shape[2] + 1) > 0, 2.0, 1.0)
        smooth = kernel.values(k) * gaussian(k, variance, kernel)
        inside = _product([axis.inside for axis in part])
        kept = _product([axis.kept for axis in part])
        squared = np.einsum("xyzi,xyzi->xyz", k, k)
        aliases = squared * (1.0 - 2.0 * kept) + _mean_square(k, part, mesh_waves)
        errors = np.array([2.0 * (1.0 - kept), aliases])
        errors = np.where(inside > 0.0, errors, np.array([np.ones_like(squared), squared]))
        weight = twice * smooth**2 * errors
        for t in range(target_l + 1):
            for s in range(source_l + 1):
                squares[:, t, s] += np.einsum("exyz,xyz->e", weight, squared ** (t + s))
        for axis in range(3):
            folded = twice * smooth * inside * _along(part[axis].neighbours, axis)
            own[axis] += _moments(folded, k, target_l, source_l)
        own[3] += _moments(twice * smooth * (1.0 - inside), k, target_l, source_l)
    norms = [(2 * d + 1) * double_factorial(2 * d - 1) ** 2 for d in range(max(squares.shape))]
    unit = source_power / np.array(norms[: source_l + 1])
    potential, gradient = np.sqrt(squares @ unit / np.array(norms[: target_l + 1]))
    share = np.repeat(source_power / (2 * np.arange(source_l + 1) + 1) / number, _sizes(source_l))
    own_squares = np.einsum("jab,b->ja", own**2, share)
    lengths = np.linalg.norm(mesh_waves, axis=1) ** 2
    return MeshErrors(
        potential,
        gradient,
        np.sqrt(_shell_means(np.array([2.0, 2.0, 2.0, 1.0]) @ own_squares)),
        np.sqrt(_shell_means(0.5 * lengths @ own_squares[:3])),
    )


class _Axis(NamedTuple):
    """Functions of κ on one axis, in the order of a transform of twice the length."""

    inside: FloatArray  # 1 for modes of the mesh, 0 beyond
    kept: FloatArray  # a_0
    first: FloatArray  # Σ_n n a_n
    second: FloatArray  # Σ_n n² a_n
    neighbours: FloatArray  # s

    @classmethod
    def of(cls, number: int, order: int) -> "_Axis":
        kappa = np.rint(np.fft.fftfreq(2 * number) * 2 * number) / number
        inside = np.abs(kappa) < 0.5
        place = np.where(inside, kappa, 0.0)[:, None] + _ALIASES
        transform = np.sinc(place) ** order
        total = np.sum(transform**2, axis=1)
        shares = transform**2 / total[:, None]
        neighbours = np.sum(transform[:, 1:] * transform[:, :-1], axis=1) / total
        return cls(
            inside.astype(np.float64),
            shares[:, len(_ALIASES) // 2],
            shares @ _ALIASES,
            shares @ _ALIASES**2,
            neighbours,
        )

    def only(self, rows: slice) -> "_Axis":
        return _Axis(*(values[rows] for values in self))


def _along(values: FloatArray, axis: int) -> FloatArray:
    return values.reshape([-1 if i == axis else 1 for i in range(3)])


def _product(values: list[FloatArray]) -> FloatArray:
    return np.asarray(_along(values[0], 0) * _along(values[1], 1) * _along(values[2], 2))


def _mean_square(k: FloatArray, axes: tuple[_Axis, ...], mesh_waves: FloatArray) -> FloatArray:
    """Σ_n a_n |k + n·g|² = |k + ⟨n⟩·g|² + Σ_j (⟨n_j²⟩ − ⟨n_j⟩²) g_j²."""
    shifted = k.copy()
    spread = np.zeros(k.shape[:-1])
    for axis, (values, wave) in enumerate(zip(axes, mesh_waves, strict=True)):
        shifted += _along(values.first, axis)[..., None] * wave
        spread += _along(values.second - values.first**2, axis) * (wave @ wave)
    return np.asarray(np.einsum("xyzi,xyzi->xyz", shifted, shifted) + spread)


def _moments(weight: FloatArray, k: FloatArray, target_l: int, source_l: int) -> FloatArray:
    """Σ_k weight Re i^{λA−λB} R_A R_B/((2λA−1)!!(2λB−1)!!): (n_t, n_s)."""
    left, right = _harmonics(target_l, k), _harmonics(source_l, k)
    return np.asarray(np.real((np.conj(left) * weight.reshape(-1, 1)).T @ right))


def _harmonics(l_max: int, k: FloatArray) -> FloatArray:
    """(−i)^λ R_λµ(k)/(2λ−1)!!: (modes, n)."""
    degrees = np.repeat(np.arange(l_max + 1), _sizes(l_max))
    scale = np.array([(-1j) ** d / double_factorial(2 * int(d) - 1) for d in degrees])
    return np.asarray(scale * solid_harmonics(l_max, k.reshape(-1, 3)))


def _sizes(l_max: int) -> IntArray:
    """2λ + 1 for λ ≤ l_max."""
    return 2 * np.arange(l_max + 1) + 1


def _shell_means(values: FloatArray) -> FloatArray:
    """Means over the components of each λ: (l+1,) from (n,)."""
    sizes = _sizes(int(np.sqrt(len(values))) - 1)
    return np.add.reduceat(values, np.cumsum(sizes) - sizes) / sizes
