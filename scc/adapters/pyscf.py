"""LDA, PBE and reduced Hartree–Fock through PySCF, with a view into the SCF.

PySCF: Q. Sun et al., J. Chem. Phys. 153 (2020) 024109. Spin-restricted, open boundaries.
*Reduced Hartree–Fock* leaves exchange out: it is (2.1) with ε_xc = 0, in PySCF's integrals.
"""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from pyscf import dft, gto, qmmm, scf
from pyscf.scf.addons import smearing_
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from scc.adapters.solution import Solution, Start, require_open, restart_of, unsolved
from scc.adapters.surroundings import VACUUM, Surroundings
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import ConvergenceError, InputError

# Our names, and PySCF's for the functional: Slater exchange with VWN's fifth fit, and PBE.
_FUNCTIONALS = {"lda": "lda,vwn", "pbe": "pbe,pbe", "rhf": None}
_LAST_ELEMENT = {"sto-3g": 54, "def2-svp": 36}
_DENSE_BELOW = 400  # occupied–virtual pairs


class Extremes(NamedTuple):
    """Smallest and largest eigenvalue of ``operator``; stable iff the smallest is positive."""

    smallest: float
    largest: float
    operator: str


class PySCFSubject:
    """A restricted mean field.

    Parameters
    ----------
    functional
        ``lda``, ``pbe`` or ``rhf``.
    basis
        One of PySCF's; electrons in the core are all treated.
    density_fitting
        Coulomb integrals through PySCF's default auxiliary basis.
    name
        By which it is called in tables.
    threshold
        Hartree; convergence is judged by the change of energy (PySCF's own default: 1e-9).
    gradient_threshold
        And by the norm of the orbital gradient, Hartree; PySCF's own default is √``threshold``.
        Energies stop at rounding long before the gradient does, so it may be given apart.
    temperature
        kT of Fermi occupations, Hartree; 0 for pairs in the lowest levels. Energies are free ones.
    max_iterations, total_charge
        As they say.
    grid_level
        Of PySCF's grids, 0 to 9, its default 3; ``rhf`` needs none.
    grid_response
        Whether forces contain the derivative of grid weights (PySCF's default: no).
    largest
        Atoms up to which a solution takes about a second on one core.

    Raises InputError for another functional, or numbers that cannot be.
    """

    def __init__(
        self,
        functional: str = "pbe",
        *,
        basis: str = "def2-svp",
        density_fitting: bool = True,
        name: str | None = None,
        threshold: float = 1e-10,
        gradient_threshold: float | None = None,
        temperature: float = 0.0,
        max_iterations: int = 100,
        total_charge: float = 0.0,
        grid_level: int = 3,
        grid_response: bool = False,
        largest: int = 6,
    ) -> None:
        if functional not in _FUNCTIONALS:
            raise InputError(f"no functional {functional!r} here; known: {', '.join(_FUNCTIONALS)}")
        if not (math.isfinite(threshold) and threshold > 0.0):
            raise InputError(f"threshold must be positive and finite, got {threshold}")
        gradient = math.sqrt(threshold) if gradient_threshold is None else gradient_threshold
        if not (math.isfinite(gradient) and gradient > 0.0):
            raise InputError(f"gradient_threshold must be positive and finite, got {gradient}")
        if not (math.isfinite(temperature) and temperature >= 0.0):
            raise InputError(f"temperature must be finite and not negative, got {temperature}")
        if max_iterations < 1:
            raise InputError(f"max_iterations must be at least 1, got {max_iterations}")
        if grid_level not in range(10):
            raise InputError(f"grid_level is 0 to 9, got {grid_level}")
        self.functional = functional
        self.basis = basis
        self.density_fitting = density_fitting
        self.name = name if name is not None else f"pyscf-{functional}"
        self.threshold, self.gradient_threshold = threshold, gradient
        self.temperature = temperature
        self.max_iterations = max_iterations
        self.total_charge = total_charge
        self.grid_level = grid_level
        self.grid_response = grid_response
        self.largest = largest
        last = _LAST_ELEMENT.get(basis.lower())
        self.elements = None if last is None else frozenset(chemical_symbols[1 : last + 1])
        # Charges are linear in what is left of the gradient, amplified by (1 − Kχ₀)⁻¹/gap.
        self.accuracy = 10.0 * gradient
        self.energy_accuracy = 10.0 * threshold

    def solve(
        self,
        configuration: Configuration,
        initial: Start = None,
        surroundings: Surroundings = VACUUM,
        shift: float = 0.0,
    ) -> Solution:
        """Solve; ``initial`` may also be a density matrix (n, n) in PySCF's orbitals.

        ``shift``: a constant potential, Hartree, felt by every electron; a nucleus gets −Z times
        it. ``residuals`` are PySCF's norm of the orbital gradient.

        Raises:
            InputError: periodic, unknown element, an odd number of electrons, ``initial`` of other
                atoms or another shape.
        """
        molecule = self.molecule(configuration)
        field = self.mean_field(molecule, surroundings, shift)
        told: list[float] = []
        field.callback = lambda environment: told.append(float(environment["norm_gorb"]))
        start = self._start(field, configuration, initial)
        try:
            field.kernel(dm0=start)
        except np.linalg.LinAlgError:
            # DIIS has gone round at rounding for long: LAPACK gives up on its matrix.
            return unsolved(configuration, told)
        # After convergence PySCF diagonalises once more, and does not call back.
        iterations = len(told) + (1 if field.converged else 0)
        total = field.e_free if self.temperature > 0.0 else field.e_tot
        energy = float(total) if field.converged else math.nan
        constant = -shift * float(np.sum(molecule.atom_charges()))
        return Solution(
            configuration,
            bool(field.converged),
            told,
            iterations,
            energy + constant,
            field,
            partial(_read, field, surroundings.uniform, shift, self.grid_response),
        )

    def solve_shifted(self, configuration: Configuration, shift: float) -> Solution:
        """Every electron feels ``shift`` (Hartree) more, every nucleus of charge Z −Z·shift."""
        return self.solve(configuration, shift=shift)

    def stability(self, solved: Solution) -> Extremes:
        """Extreme eigenvalues of ε = 1 − Kχ₀ on pairs of occupied and virtual orbitals.

        With D = Σ x_ai (a iᵀ + i aᵀ) and the gaps g_ai = λ_a − λ_i, χ₀ is −2/g on ai, so ε is
        similar to 1 + 2 g^{-1/2} K g^{-1/2}, K of Hartree and exchange–correlation. Raises
        ConvergenceError where nothing converged, the spectrum did not, or a gap is not positive;
        NotImplementedError at kT > 0.
        """
        if not solved.converged:
            raise ConvergenceError("no spectrum: the SCF did not converge")
        if self.temperature > 0.0:
            raise NotImplementedError("the spectrum of the adapter of PySCF is that at kT = 0")
        return _dielectric_extremes(solved.restart)

    def molecule(self, configuration: Configuration) -> gto.Mole:
        """PySCF's molecule. Raises InputError as :meth:`solve`."""
        require_open(configuration, "PySCF")
        for atom, symbol in enumerate(configuration.species):
            if atomic_numbers[symbol] < 1 or (self.elements and symbol not in self.elements):
                raise InputError(f"atom {atom}: {self.name} has no element {symbol}")
        if self.total_charge != round(self.total_charge):
            raise InputError(f"PySCF wants a whole charge, got {self.total_charge}")
        charge = round(self.total_charge)
        electrons = sum(atomic_numbers[symbol] for symbol in configuration.species) - charge
        if electrons % 2 or electrons < 0:
            raise InputError(f"{self.name} is spin-restricted: {electrons} electrons are no pairs")
        try:
            with warnings.catch_warnings():
                # Of a package that knows more basis sets: what follows is an error anyway.
                warnings.simplefilter("ignore", UserWarning)
                return gto.M(
                    atom=list(zip(configuration.species, configuration.positions, strict=True)),
                    basis=self.basis,
                    unit="Bohr",
                    charge=charge,
                    verbose=0,
                )
        except (KeyError, RuntimeError, gto.BasisNotFoundError) as error:
            raise InputError(f"PySCF refuses: {' '.join(str(error).split())}") from error

    def mean_field(
        self, molecule: gto.Mole, surroundings: Surroundings = VACUUM, shift: float = 0.0
    ) -> Any:
        """PySCF's mean field, not yet run."""
        expression = _FUNCTIONALS[self.functional]
        if expression is None:
            field = scf.RHF(molecule)
        else:
            field = dft.RKS(molecule, xc=expression)
            field.grids.level = self.grid_level
        _without_checkpoint(field)
        if self.density_fitting:
            field = field.density_fit()
        if len(surroundings.charges):
            field = qmmm.mm_charge(field, surroundings.positions, surroundings.charges, unit="Bohr")
        if expression is None:
            field.get_veff = partial(_coulomb, field)
        if surroundings.uniform or shift != 0.0:
            _immerse(field, surroundings.field, shift)
        if self.temperature > 0.0:
            field = smearing_(field, sigma=self.temperature, method="fermi")
        field.conv_tol, field.conv_tol_grad = self.threshold, self.gradient_threshold
        field.max_cycle = self.max_iterations
        return field

    def _start(self, field: Any, configuration: Configuration, initial: Start) -> Any:
        if initial is None:
            return None
        if isinstance(initial, Solution):
            return restart_of(initial, configuration).make_rdm1()
        if isinstance(initial, np.random.Generator):
            return _random_density(field, initial)
        density = np.asarray(initial, dtype=np.float64)
        size = field.mol.nao
        if density.shape != (size, size):
            raise InputError(
                f"an initial density of shape {density.shape}: PySCF's matrix is {size} x {size}"
            )
        if not np.all(np.isfinite(density)):
            raise InputError("the initial density is not finite")
        return 0.5 * (density + density.T)


def _without_checkpoint(field: Any) -> None:
    """Checkpoint files are of no use here, and warn when the garbage collector finds them."""
    file = getattr(field, "_chkfile", None)
    if file is not None:
        file.close()
    field._chkfile = field.chkfile = None


def _coulomb(field: Any, mol: Any = None, dm: Any = None, *_: Any, **__: Any) -> Any:
    """The mean field of reduced Hartree–Fock: J[D]."""
    return field.get_j(dm=field.make_rdm1() if dm is None else dm)


def _immerse(field: Any, uniform: FloatArray, shift: float) -> None:
    """Add +E·x + shift to what an electron feels, and its counterpart to the nuclei's energy."""
    molecule = field.mol
    with molecule.with_common_orig((0.0, 0.0, 0.0)):
        extra = np.einsum("x,xij->ij", uniform, molecule.intor_symmetric("int1e_r", comp=3))
    extra = extra + shift * molecule.intor_symmetric("int1e_ovlp")
    hamiltonian = field.get_hcore() + extra
    nuclei = -float(molecule.atom_charges() @ (molecule.atom_coords() @ uniform))
    repulsion = field.energy_nuc() + nuclei
    field.get_hcore = lambda *_: hamiltonian
    field.energy_nuc = lambda *_: repulsion


def _random_density(field: Any, rng: np.random.Generator) -> FloatArray:
    """Occupied orbitals of the bare Hamiltonian plus noise of its own size: N/2 pairs, any shape.

    Noise is a symmetric Gaussian matrix in Löwdin's orbitals.
    """
    overlap, bare = field.get_ovlp(), field.get_hcore()
    values, vectors = np.linalg.eigh(overlap)
    inverse_root = (vectors / np.sqrt(values)) @ vectors.T
    hamiltonian = inverse_root @ bare @ inverse_root
    size = len(hamiltonian)
    noise = rng.standard_normal((size, size)) / math.sqrt(size)
    hamiltonian = hamiltonian + 0.5 * np.std(np.diagonal(hamiltonian)) * (noise + noise.T)
    orbitals = inverse_root @ np.linalg.eigh(hamiltonian)[1]
    occupied = orbitals[:, : field.mol.nelectron // 2]
    density: FloatArray = 2.0 * occupied @ occupied.T
    return density


def _read(field: Any, uniform: bool, shift: float, grid_response: bool, name: str) -> FloatArray:
    if name == "charges":
        charges: FloatArray = field.mulliken_pop(verbose=0)[1]
        return charges
    if name == "dipole":
        with field.mol.with_common_orig((0.0, 0.0, 0.0)):
            dipole: FloatArray = field.dip_moment(unit="AU", verbose=0)
        return dipole
    if uniform:
        raise NotImplementedError("PySCF's gradients do not know of a uniform field")
    gradient = field.nuc_grad_method()
    if hasattr(field, "xc"):
        gradient.grid_response = grid_response
    else:
        gradient.get_veff = lambda mol=None, dm=None: _coulomb(gradient, mol, dm)
    # PySCF's gradient does not know that shift·S moves with the atoms: Tr(D dS) shift − Tr(W dS)
    # with the energy-weighted W is that of levels without the shift.
    forces: FloatArray = -gradient.kernel(mo_energy=field.mo_energy - shift)
    return forces


def _dielectric_extremes(field: Any) -> Extremes:
    occupied, virtual = field.mo_occ > 0, field.mo_occ == 0
    gaps = field.mo_energy[virtual][:, None] - field.mo_energy[occupied]
    if np.min(gaps, initial=math.inf) <= 0.0:
        raise ConvergenceError(f"no spectrum: the gap is {np.min(gaps):.3e} Hartree")
    orbitals, virtuals = field.mo_coeff[:, occupied], field.mo_coeff[:, virtual]
    roots = np.sqrt(gaps)
    label = "ε = 1 − Kχ₀"
    if gaps.size == 0:
        return Extremes(1.0, 1.0, label)
    if hasattr(field, "xc"):
        respond = field.gen_response(hermi=1)
    else:
        respond = partial(_hartree, field)

    def apply(flat: FloatArray) -> FloatArray:
        x = flat.reshape(gaps.shape) / roots
        half = virtuals @ x @ orbitals.T
        potential = virtuals.T @ respond(half + half.T) @ orbitals
        return np.asarray(flat.ravel() + 2.0 * (potential / roots).ravel())

    operator = LinearOperator((gaps.size, gaps.size), matvec=apply, dtype=np.float64)
    if gaps.size <= _DENSE_BELOW:
        matrix = operator @ np.eye(gaps.size)
        values = np.linalg.eigvalsh(0.5 * (matrix + matrix.T))
        return Extremes(float(values[0]), float(values[-1]), label)
    start = np.random.default_rng(0).standard_normal(gaps.size)
    try:
        # Of a symmetric operator: eigenvalues are off by the square of the tolerance of vectors.
        values = eigsh(operator, k=2, which="BE", v0=start, tol=1e-4, return_eigenvectors=False)
    except ArpackError as error:
        raise ConvergenceError(f"spectrum of the response: {error}") from error
    return Extremes(float(np.min(values)), float(np.max(values)), label)


def _hartree(field: Any, density: FloatArray) -> FloatArray:
    potential: FloatArray = field.get_j(dm=density)
    return potential
