"""Uniform chains of one s Gaussian e^{−ax²} an atom: symbols of S and H, complex bands, rates.

On the infinite chain of spacing d, all v̂ equal, S and H are convolutions with symbols s(k) and
h(k) = Σ_n H_0n e^{ikn}. Kernels decay like e^{−Im k · n}, k the singularity nearest to the real
axis: a zero of s for S^{−1/2}; for the density operator, hence twice for ∂E_ℓ/∂v̂_m, a solution of
h(k) = z s(k) with z = µ + iπ/β (s = 1 if the orbitals are taken as orthonormal).
"""

from functools import partial

import numpy as np

from scc.arrays import FloatArray
from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.configuration import chain
from scc.models.gaussian import GaussianAssembly, GaussianTightBinding, OverlapMode
from scc.models.tight_binding import BoundTightBinding

EXPONENT = 0.4
"""Of the orbitals and of Ξ, bohr⁻²."""

SPECIES = ("Na", "Cl")
_SMALLEST = 1e-15


def gaussian_chain(
    atoms: int,
    spacing: float,
    overlap: OverlapMode,
    jitter: float = 0.0,
    rng: np.random.Generator | None = None,
) -> BoundTightBinding:
    """Open chain, one s Gaussian and one Ξ an atom."""
    model = GaussianTightBinding(
        basis=partial(single_gaussian, exponent=EXPONENT),
        features=(PotentialFunction(0, EXPONENT),),
        overlap=overlap,
        nuclear_charges=dict.fromkeys(SPECIES, 1.0),
    )
    return model.prepare(chain(atoms, spacing, SPECIES, jitter=jitter, rng=rng))


def symbols(model: BoundTightBinding, features: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(S_0n, H_0n) from the middle atom of a long chain, n = 0, 1, …, raw orbitals."""
    assembly = model.assembly
    assert isinstance(assembly, GaussianAssembly)
    assert assembly.three_centre is not None
    middle = len(model.configuration) // 2
    # Half of the distance from the middle to the end: v of absent neighbours is not missed.
    reach = slice(middle, middle + middle // 2)
    raw = assembly.kinetic.matrix + assembly.three_centre.feature_matrix(features)
    return assembly.overlap.matrix[middle, reach], raw[middle, reach]


def nearest_zero(row: np.ndarray) -> float:
    """Least |Im k| of the zeros of Σ_n c_n e^{ikn}, c_{−n} = c_n given for n = 0, 1, …

    Roots of a polynomial in e^{ik}; those near the unit circle are well conditioned. Infinite if
    there is none.
    """
    kept = row[: int(np.max(np.flatnonzero(np.abs(row) > _SMALLEST * np.max(np.abs(row))))) + 1]
    if len(kept) < 2:
        return float("inf")
    roots = np.roots(np.concatenate([kept[:0:-1], kept]))
    return float(np.min(np.abs(np.log(np.abs(roots)))))


def inverse_root_rate(overlap: FloatArray, spacing: float) -> float:
    """Rate of S^{−1/2} on the infinite chain, 1/bohr."""
    return nearest_zero(overlap) / spacing


def energy_rate(
    overlap: FloatArray, hamiltonian: FloatArray, z: complex, mode: OverlapMode, spacing: float
) -> float:
    """Rate of ∂E_ℓ/∂v̂_m from the pole z of the Fermi function, 1/bohr."""
    identity = np.zeros_like(overlap)
    identity[0] = 1.0
    return (
        2.0 * nearest_zero(hamiltonian - z * (overlap if mode == "loewdin" else identity)) / spacing
    )
