"""Tight binding in Gaussian orbitals, the faithful model: (2.13)–(2.16) and its features (2.19).

H(r, v̂) = H⁰ + v with H⁰ = ½∫∇φ⊗∇φ and v = Σ v̂_mc ∫ φ⊗φ Ξ_mc. Two honest treatments of overlap:

* ``loewdin``: φ ← S^{-1/2}φ. Densities are exactly normalised, ∫ρ = 2 Tr F(H); S^{-1/2} is
  exponentially local but not of finite body order.
* ``orthonormal``: H is built from the raw orbitals as if S = 1, the setting of the paper's proofs
  in which Theorem 5 is exact. Electrons are then counted by 2 Tr F(H), which differs from
  ∫ρ = 2 Tr(F S); neutrality refers to 2 Tr F(H).

Without a feature set the potential itself is the variable, v̂_ab = ∫ φ_a φ_b V (complete, (2.26)):
this is (2.16), reduced Hartree–Fock or LDA in the basis.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from scc.arrays import FloatArray
from scc.basis.orthogonalisation import Loewdin
from scc.basis.overlap import OneElectronIntegral, dipole, kinetic, overlap
from scc.basis.shells import BasisSet
from scc.basis.sto3g import sto3g
from scc.basis.three_centre import PotentialFunction, ThreeCentreOverlap
from scc.configuration import Configuration
from scc.electrostatics.pair_density import PairDensityCoulomb
from scc.errors import InputError
from scc.models.onsite import total_charge
from scc.models.tight_binding import BoundTightBinding

OverlapMode = Literal["loewdin", "orthonormal"]


class GaussianTightBinding:
    """LocalModel in contracted Gaussians.

    Parameters
    ----------
    basis
        configuration ↦ BasisSet; STO-3G by default, or ``single_gaussian`` for the model systems.
    features
        Ξ_c as a sequence of :class:`PotentialFunction` on every atom; None for the complete set.
    overlap
        ``loewdin`` or ``orthonormal`` (see the module docstring).
    nuclear_charges
        Z by chemical symbol; the atomic number by default (all electrons are treated).
    nuclear_exponent
        a of smeared nuclei ∝ e^{−a|x|²} (Remark 1), Bohr⁻²; None for point nuclei.

    ``prepare`` raises InputError for unknown elements and linearly dependent orbitals.
    """

    name = "gaussian"

    def __init__(
        self,
        basis: Callable[[Configuration], BasisSet] = sto3g,
        features: Sequence[PotentialFunction] | None = None,
        overlap: OverlapMode = "loewdin",
        nuclear_charges: Mapping[str, float] | None = None,
        nuclear_exponent: float | None = None,
    ) -> None:
        if overlap not in ("loewdin", "orthonormal"):
            raise InputError(f"overlap is {overlap!r}: choose 'loewdin' or 'orthonormal'")
        self.basis = basis
        self.features = None if features is None else tuple(features)
        self.overlap: OverlapMode = overlap
        self.nuclear_charges = nuclear_charges
        self.nuclear_exponent = nuclear_exponent

    def prepare(self, configuration: Configuration) -> BoundTightBinding:
        """Integrals at a geometry. Open boundaries only (InputError otherwise)."""
        if any(configuration.periodic):
            raise InputError("the Gaussian-orbital model has open boundaries: the cell is periodic")
        assembly = GaussianAssembly(
            configuration,
            self.basis(configuration),
            self.features,
            self.overlap,
            self._charges(configuration),
            self.nuclear_exponent,
        )
        return BoundTightBinding(assembly)

    def _charges(self, configuration: Configuration) -> FloatArray:
        if self.nuclear_charges is None:
            return np.asarray(configuration.atomic_numbers, dtype=np.float64)
        for atom, symbol in enumerate(configuration.species):
            if symbol not in self.nuclear_charges:
                raise InputError(f"atom {atom}: no nuclear charge for element {symbol}")
        return np.array([self.nuclear_charges[s] for s in configuration.species], dtype=np.float64)


class GaussianAssembly:
    """S, H⁰, W at one geometry (HamiltonianAssembly). X = S^{-1/2}, or 1 when orthonormal.

    ``features`` are the functions Ξ_c at every atom, None for the complete set.
    """

    diagonal = False

    def __init__(
        self,
        configuration: Configuration,
        basis: BasisSet,
        features: tuple[PotentialFunction, ...] | None,
        mode: OverlapMode,
        nuclear_charges: FloatArray,
        nuclear_exponent: float | None,
    ) -> None:
        self.configuration = configuration
        self.basis = basis
        self.atom_of_orbital = basis.atom_of_function
        self.nuclear_charges = nuclear_charges
        self.neutral_electrons = total_charge(nuclear_charges)
        self.complete = features is None
        self.features = features
        self.three_centre = None if features is None else ThreeCentreOverlap(basis, features)
        size = basis.n_functions
        self.feature_shape: tuple[int, ...] = (
            (size, size)
            if features is None
            else (len(configuration), sum(2 * f.angular_momentum + 1 for f in features))
        )
        self.loewdin = Loewdin(self.overlap.matrix) if mode == "loewdin" else None
        # X as a plain matrix keeps the formulas of both modes the same.
        self._x = np.eye(size) if self.loewdin is None else self.loewdin.inverse_square_root
        self.nuclear_exponent = nuclear_exponent

    @cached_property
    def overlap(self) -> OneElectronIntegral:
        """S."""
        return overlap(self.basis)

    @cached_property
    def kinetic(self) -> OneElectronIntegral:
        """½∫∇φ⊗∇φ in the raw orbitals."""
        return kinetic(self.basis)

    @cached_property
    def electrostatics(self) -> tuple[Any, ...]:
        """E_el[ρ] with the nuclei, and their mutual repulsion."""
        exponents = (
            None
            if self.nuclear_exponent is None
            else np.full(len(self.configuration), self.nuclear_exponent)
        )
        return (PairDensityCoulomb(self.basis, self.nuclear_charges, exponents),)

    @cached_property
    def free_hamiltonian(self) -> FloatArray:
        return self._transform(self.kinetic.matrix)

    # -- features -----------------------------------------------------------------------------

    def feature_matrix(self, features: FloatArray) -> FloatArray:
        return self._transform(self._raw_potential(features))

    def feature_contract(self, matrix: FloatArray) -> FloatArray:
        raw = self._transform(matrix)
        return raw if self.three_centre is None else self.three_centre.feature_contract(raw)

    def feature_position_jvp(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        moved = self._transform_perturb(matrix, displacement)
        if self.three_centre is None:
            return moved
        raw = self._transform(matrix)
        return self.three_centre.feature_contract(moved) + self.three_centre.feature_position_jvp(
            raw, displacement
        )

    def _raw_potential(self, features: FloatArray) -> FloatArray:
        if self.three_centre is None:
            return 0.5 * (features + features.T)
        return self.three_centre.feature_matrix(features)

    # -- Hamiltonian --------------------------------------------------------------------------

    def hamiltonian_perturb(
        self, displacement: FloatArray, features: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        dh0 = self._transform(self.kinetic.position_perturb(displacement))
        dh0 = dh0 + self._transform_perturb(self.kinetic.matrix, displacement)
        dv = self._transform_perturb(self._raw_potential(features), displacement)
        if self.three_centre is not None:
            dv = dv + self._transform(self.three_centre.position_perturb(displacement, features))
        return dh0, dv

    def hamiltonian_contract(
        self, free: FloatArray, potential: FloatArray, features: FloatArray
    ) -> FloatArray:
        gradient = self.kinetic.position_contract(self._transform(free))
        gradient = gradient + self._transform_contract(free, self.kinetic.matrix)
        gradient = gradient + self._transform_contract(potential, self._raw_potential(features))
        if self.three_centre is not None:
            raw = self._transform(potential)
            gradient = gradient + self.three_centre.position_contract(raw, features)
        return gradient

    # -- density ------------------------------------------------------------------------------

    def extract(self, matrix: FloatArray) -> FloatArray:
        return self._transform(matrix)

    def embed(self, potential: FloatArray) -> FloatArray:
        return self._transform(potential)

    def extract_perturb(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        return self._transform_perturb(matrix, displacement)

    def embed_perturb(self, potential: FloatArray, displacement: FloatArray) -> FloatArray:
        return self._transform_perturb(potential, displacement)

    def extract_contract(self, matrix: FloatArray, potential: FloatArray) -> FloatArray:
        return self._transform_contract(potential, matrix)

    def initial_density(self) -> FloatArray:
        """Neutral atoms that do not bond: Z_ℓ electrons spread evenly over the raw orbitals of ℓ.

        The orbitals have unit norm, so Tr(DS) = Σ Z_ℓ.
        """
        orbitals = np.bincount(self.atom_of_orbital, minlength=len(self.configuration))
        share = self.nuclear_charges / np.maximum(orbitals, 1)
        return np.diag(share[self.atom_of_orbital])

    def dipole_potentials(self) -> FloatArray:
        """∫ φ_a x_i φ_b, (3, n, n), Bohr."""
        return np.array([component.matrix for component in self._dipole])

    def dipole_potentials_perturb(self, displacement: FloatArray) -> FloatArray:
        return np.array([component.position_perturb(displacement) for component in self._dipole])

    @cached_property
    def _dipole(self) -> tuple[OneElectronIntegral, ...]:
        return dipole(self.basis)

    def repulsion_energies(self) -> FloatArray:
        return np.zeros(len(self.configuration))

    def repulsion_jvp(self, displacement: FloatArray) -> FloatArray:
        return np.zeros(len(self.configuration))

    def repulsion_contract(self, weights: FloatArray) -> FloatArray:
        return np.zeros((len(self.configuration), 3))

    # -- A ↦ XAX and its derivative -----------------------------------------------------------

    def _transform(self, matrix: FloatArray) -> FloatArray:
        return matrix if self.loewdin is None else np.asarray(self._x @ matrix @ self._x)

    def _transform_perturb(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂_r(XAX) · dr at fixed A."""
        if self.loewdin is None:
            return np.zeros_like(matrix)
        dx = self.loewdin.derivative(self.overlap.position_perturb(displacement))
        half = dx @ matrix @ self._x
        return np.asarray(half + half.T)

    def _transform_contract(self, weights: FloatArray, matrix: FloatArray) -> FloatArray:
        """⟨B, ∂_r(XAX)⟩ at fixed symmetric A, B, (M, 3)."""
        if self.loewdin is None:
            return np.zeros((len(self.configuration), 3))
        half = weights @ self._x @ matrix
        return self.overlap.position_contract(self.loewdin.adjoint(half + half.T))
