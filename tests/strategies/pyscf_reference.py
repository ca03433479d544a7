"""PySCF mean fields in STO-3G that our Gaussian-orbital model must reproduce."""

import numpy as np
from pyscf import dft, gto, scf
from pyscf.scf.addons import smearing_

from scc.basis.sto3g import sto3g
from strategies.basis import pyscf_order

# No checkpoint files: left to the garbage collector, they warn.
scf.hf.MUTE_CHKFILE = True


def molecule(configuration, electrons=None):
    """The configuration in STO-3G; closed shell, charged when ``electrons`` says so."""
    atoms = list(zip(configuration.species, configuration.positions.tolist(), strict=True))
    neutral = int(np.sum(configuration.atomic_numbers))
    return gto.M(
        atom=atoms,
        unit="B",
        basis="sto-3g",
        charge=0 if electrons is None else neutral - electrons,
        verbose=0,
    )


def hartree_only(configuration, beta=np.inf, electrons=None):
    """Restricted Hartree–Fock without exchange, the reduced model; Fermi smearing at finite β."""
    field = scf.RHF(molecule(configuration, electrons))
    field.get_veff = lambda mol=None, dm=None, *args, **options: field.get_j(dm=dm)
    return _finished(field, beta)


def local_density(configuration, level=6, beta=np.inf, response=True):
    """Dirac exchange and Perdew–Wang correlation, PySCF's ``lda,pw``, on its own grid."""
    field = dft.RKS(molecule(configuration))
    field.xc = "lda,pw"
    field.grids.level = level
    field.grids.prune = None
    field.grid_response = response
    # Energies are quadratic in what is left of the residual, and the grid is a worse error.
    return _finished(field, beta, 1e-10, 1e-6)


def _finished(field, beta, energy=1e-13, gradient=1e-8):
    if np.isfinite(beta):
        field = smearing_(field, sigma=1.0 / beta, method="fermi")
    field.conv_tol, field.conv_tol_grad, field.max_cycle = energy, gradient, 200
    return field


def in_our_order(matrix, configuration):
    """A PySCF matrix in our order of orbitals."""
    order = pyscf_order(sto3g(configuration))
    return matrix[np.ix_(order, order)]


def in_their_order(matrix, configuration):
    """One of our matrices in PySCF's order of orbitals."""
    order = np.argsort(pyscf_order(sto3g(configuration)))
    return matrix[np.ix_(order, order)]


def diis_iterations(field, start, tolerance):
    """Iterations of PySCF's DIIS until max |D − D_last| ≤ tolerance; None if it never gets there.

    ``start``: density matrix in PySCF's order, or None for its own guess.
    """
    counted = []

    def look(environment):
        counted.append(float(np.max(np.abs(environment["dm"] - environment["dm_last"]))))
        if counted[-1] <= tolerance:
            raise StopIteration

    field.callback = look
    field.conv_tol = field.conv_tol_grad = 1e-30
    try:
        field.kernel(start)
    except StopIteration:
        return len(counted)
    return None
