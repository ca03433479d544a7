"""Nuclei as point or Gaussian charges: their mutual energy, and what external charges do.

Nucleus k carries Z_k as the Gaussian Z_k (a/π)^{3/2} e^{−a|x−r_k|²} (Remark 1) or, for exponent
inf, as a point.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from scc.arrays import FloatArray
from scc.basis.hermite import HermiteBlock, HermiteExpansion, bilinear_form
from scc.basis.overlap import OneElectronIntegral
from scc.basis.shells import BasisSet
from scc.electrostatics.hermite_coulomb import coulomb_kernel
from scc.errors import InputError


def checked_exponents(exponents: FloatArray | Sequence[float] | None, n_charges: int) -> FloatArray:
    """Exponents (n_charges,) in bohr⁻², inf for points; None stands for points throughout.

    Raises InputError naming the charge when one is not positive, or the length is wrong.
    """
    if exponents is None:
        return np.full(n_charges, np.inf)
    array = np.array(exponents, dtype=np.float64)
    if array.shape != (n_charges,):
        raise InputError(f"nuclear exponents have shape {array.shape}, not ({n_charges},)")
    for k, exponent in enumerate(array):
        if not exponent > 0:
            raise InputError(f"exponent {exponent} of nucleus {k} is not positive")
    return array


def unit_charges(positions: FloatArray, exponents: FloatArray) -> HermiteExpansion:
    """One normalised charge distribution at each of k positions, k functions."""
    k = len(positions)
    block = HermiteBlock(0, exponents, np.asarray(positions, float), sp.csr_array(sp.eye_array(k)))
    return HermiteExpansion((block,), k)


def nuclear_repulsion(
    positions: FloatArray, charges: FloatArray, exponents: FloatArray
) -> tuple[float, FloatArray]:
    r"""E_nn = Σ_{i<j} Z_i Z_j erf(√α_ij r_ij)/r_ij, 1/α_ij = 1/a_i + 1/a_j, and ∂E_nn/∂r (M, 3).

    The self-interaction i = j of smeared nuclei, a constant, is left out. Hartree and Hartree/bohr.
    Raises InputError when two point nuclei coincide.
    """
    i, j = np.tril_indices(len(positions), -1)
    separation = positions[i] - positions[j]
    product = charges[i] * charges[j]
    with np.errstate(divide="ignore"):  # two points: α = inf
        alpha = 1.0 / (1.0 / exponents[i] + 1.0 / exponents[j])
    value = np.zeros((4, len(i)))  # v and its gradient
    point = np.isinf(alpha)
    if np.any(~point):
        value[:, ~point] = coulomb_kernel(alpha[~point], separation[~point], 1)
    if np.any(point):
        x = separation[point]
        distance = np.linalg.norm(x, axis=1)
        if not np.all(distance > 0):
            first = int(np.nonzero(point)[0][np.argmin(distance)])
            raise InputError(f"point nuclei {j[first]} and {i[first]} coincide")
        value[0, point] = 1.0 / distance
        value[1:, point] = -x.T / distance**3
    gradient = np.zeros_like(np.asarray(positions, dtype=np.float64))
    np.add.at(gradient, i, (product * value[1:]).T)
    np.add.at(gradient, j, -(product * value[1:]).T)
    return float(product @ value[0]), gradient


def external_charges(
    basis: BasisSet,
    positions: FloatArray,
    charges: FloatArray,
    exponents: FloatArray | Sequence[float] | None = None,
) -> OneElectronIntegral:
    """∫ φ_a V φ_b for an electron's potential energy V = −Σ q_k /|x − R_k| of fixed charges q_k.

    ``positions`` (K, 3) in bohr, ``charges`` (K,), ``exponents`` as for nuclei. The charges do not
    move with the atoms; position derivatives are those of the orbitals.
    """
    charges = np.asarray(charges, dtype=np.float64)
    smeared = unit_charges(positions, checked_exponents(exponents, len(charges)))
    source = smeared.combine(-charges)
    pairs = basis.pair_densities
    values = bilinear_form(coulomb_kernel, pairs.expansion, source)[:, 0]

    def gradient() -> FloatArray:
        form = bilinear_form(coulomb_kernel, pairs.gradient_expansion, source)
        return pairs.unpack_gradient(form[:, 0])

    return OneElectronIntegral(basis, pairs.unpack(values), gradient)
