"""PBE/def2-TZVP labels of one geometry: energy, forces, dipole, atomic multipoles.

Density fitting, grid level 3, SCF converged to 1e-9 Hartree (PySCF). Atomic multipoles partition
the electron density with Stratmann-Scuseria-Frisch cells without radii adjustment (R. E. Stratmann,
G. E. Scuseria, M. J. Frisch, Chem. Phys. Lett. 257, 213 (1996)), on the atoms' own integration
grids. External charges act on electrons and nuclei; their mutual energy is left out.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray
from pyscf import dft, gto, qmmm
from pyscf.dft import gen_grid

GRID_LEVEL = 3
TOLERANCE = 1e-9


def label(atoms: Atoms, charges: NDArray[np.float64]) -> Atoms:
    """A copy of the atoms with labels; eV, Å, e, e·bohr, e·bohr². RuntimeError if not converged.

    ``ref_charge``, ``ref_atomic_dipole``, ``ref_atomic_quadrupole`` (traceless Cartesian,
    3/2 x_a x_b − ½ r² δ_ab, row-major) are moments of nuclei + electrons, electrons negative, about
    the atom; ``ref_dipole`` is that of the whole system about the origin.
    """
    molecule, field = solved(atoms.get_chemical_symbols(), atoms.positions, charges)
    gradient = field.nuc_grad_method().kernel()
    density = field.make_rdm1()
    charge, dipole, quadrupole = atomic_multipoles(molecule, field, density)
    labelled = Atoms(atoms.get_chemical_symbols(), atoms.positions)
    labelled.arrays["ref_forces"] = -gradient * units.Hartree / units.Bohr
    labelled.arrays["ref_charge"] = charge
    labelled.arrays["ref_atomic_dipole"] = dipole
    labelled.arrays["ref_atomic_quadrupole"] = quadrupole.reshape(len(atoms), 9)
    labelled.info["ref_energy"] = float(field.e_tot) * units.Hartree
    labelled.info["ref_dipole"] = field.dip_moment(unit="au", verbose=0)
    return labelled


def solved(
    symbols: Sequence[str],
    positions: NDArray[np.float64],
    charges: NDArray[np.float64] | None = None,
) -> tuple[gto.Mole, dft.rks.RKS]:
    """The molecule and its converged SCF. RuntimeError if it did not converge.

    ``symbols``: PySCF's, ``ghost-H`` is the basis of H alone. Positions (M, 3) and external
    charges (K, 4), x, y, z in Å and q in e.
    """
    molecule = gto.M(
        atom=list(zip(symbols, positions, strict=True)),
        basis="def2-tzvp",
        unit="Angstrom",
        verbose=0,
    )
    field = dft.RKS(molecule, xc="pbe").density_fit()
    if charges is not None and len(charges):
        field = qmmm.mm_charge(field, charges[:, :3], charges[:, 3], unit="Angstrom")
    field.grids.level = GRID_LEVEL
    field.conv_tol = TOLERANCE
    field.kernel()
    if not field.converged:
        raise RuntimeError("the SCF did not converge")
    return molecule, field


def atomic_multipoles(
    molecule: gto.Mole, field: dft.rks.RKS, density: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(charge (M,), dipole (M, 3), quadrupole (M, 3, 3)) of nuclei + electrons about each atom."""
    charge, dipole, quadrupole = electron_multipoles(molecule, field, density)
    return molecule.atom_charges() + charge, dipole, quadrupole


def electron_multipoles(
    molecule: gto.Mole, field: dft.rks.RKS, density: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of electrons alone, negative; ``density``: a density matrix, or the change of one."""
    tables = field.grids.gen_atomic_grids(molecule, level=GRID_LEVEL)
    points, weights = gen_grid.get_partition(
        molecule, tables, radii_adjust=None, becke_scheme=gen_grid.stratmann, concat=False
    )
    numint = field._numint
    size = molecule.natm
    charge, dipole, quadrupole = np.zeros(size), np.zeros((size, 3)), np.zeros((size, 3, 3))
    for atom, (x, w) in enumerate(zip(points, weights, strict=True)):
        electrons = w * numint.eval_rho(molecule, numint.eval_ao(molecule, x), density)
        r = x - molecule.atom_coord(atom)
        charge[atom] = -np.sum(electrons)
        dipole[atom] = -electrons @ r
        second = np.einsum("g,ga,gb->ab", electrons, r, r)
        quadrupole[atom] = -(1.5 * second - 0.5 * np.trace(second) * np.eye(3))
    return charge, dipole, quadrupole
