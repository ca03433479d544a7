"""A step beyond the extrapolated density, by closure: χ₀ with one mean gap for all of them.

Given x with the predicted residual r = Φ(x) − x, the self-consistent density is, to first order,
x + (1 − χ₀K)⁻¹ r. Without an application of χ₀ there is still its closure (A. Unsöld, Z. Phys. 43
(1927) 563): with the mean inverse gap w for all pairs of levels and the density operator P,

    r ≈ −2w R,   χ_ab = −4w (δ_ab n_a − Σ_{i∈a, j∈b} P_ij²),   n_a = Σ_{i∈a} P_ii,

R the mismatch of :mod:`scc.equilibration.commutator_diis`, χ_ab the response of the charge on atom
a to a potential on atom b (at β = ∞: ⟨DF[W_a], W_b⟩ with W the projectors on atoms). The charges
r_a of r are screened by q = (1 − χK)⁻¹ r, K of Gaussian charges whose self-interaction is that of
the model's own orbitals; the rest of r passes as it is. No density is built for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from scc.arrays import FloatArray, IntArray
from scc.functional.energy import EnergyFunctional
from scc.models.tight_binding import BoundTightBinding


@dataclass(frozen=True)
class ClosureStep:
    """What of the step depends on the geometry alone.

    Attributes:
        atom_of_orbital: (n,).
        kernel: K_ab (M, M), Hartree.
    """

    atom_of_orbital: IntArray
    kernel: FloatArray

    def step(self, mismatch: FloatArray, operator: FloatArray, inverse_gap: float) -> FloatArray:
        """(1 − χ₀K)⁻¹ r by closure, twice a change of P in the orthonormal basis (n, n).

        ``mismatch`` R (n, n), ``operator`` P (n, n), ``inverse_gap`` w, Hartree⁻¹.
        """
        atoms, atom = len(self.kernel), self.atom_of_orbital
        step = -2.0 * inverse_gap * mismatch
        charges = np.bincount(atom, weights=np.diagonal(step), minlength=atoms)
        bonds = np.zeros((atoms, atoms))
        np.add.at(bonds, (atom[:, None], atom[None, :]), operator**2)
        populations = np.bincount(atom, weights=np.diagonal(operator), minlength=atoms)
        response = -4.0 * inverse_gap * (np.diag(populations) - bonds)
        screened = np.linalg.solve(np.eye(atoms) - response @ self.kernel, charges)
        orbitals = np.bincount(atom, minlength=atoms)
        step = step + np.diag(((screened - charges) / np.maximum(orbitals, 1))[atom])
        return np.asarray(step)


def closure_step(functional: EnergyFunctional, density: FloatArray) -> ClosureStep:
    """The step of a tight-binding functional; K is applied once for each chemical element.

    ``density``: where K is taken, D. An element whose orbitals do not repel counts as infinitely
    wide.
    """
    model = functional.model
    assert isinstance(model, BoundTightBinding)
    assembly = model.assembly
    species = model.configuration.species
    atom = assembly.atom_of_orbital
    inverse_widths: dict[str, float] = {}
    for index, symbol in enumerate(species):
        own = (atom == index).astype(np.float64)
        if symbol in inverse_widths or not np.any(own):
            continue
        spread = assembly.extract(np.diag(own / np.sum(own)))
        hardness = float(np.vdot(spread, functional.kernel(density, spread)))
        # ∬ of a Gaussian charge of width σ with itself is 1/(σ√π).
        inverse_widths[symbol] = max(hardness, 0.0) * np.sqrt(np.pi)
    inverse = np.array([inverse_widths.get(symbol, 0.0) for symbol in species])
    squares = 1.0 / np.maximum(inverse, 1e-8) ** 2
    wide = np.sqrt(2.0 * (squares[:, None] + squares[None, :]))
    positions = model.configuration.positions
    distances = np.linalg.norm(positions[:, None] - positions[None, :], axis=2)
    apart = distances > 0.0
    kernel = 2.0 / (np.sqrt(np.pi) * wide)
    kernel[apart] = erf(distances[apart] / wide[apart]) / distances[apart]
    return ClosureStep(atom, kernel)
