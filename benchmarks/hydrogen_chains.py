"""Density builds on chains of hydrogen, rHF in STO-3G: `equilibrate` against PySCF's DIIS.

    python benchmarks/hydrogen_chains.py [atoms ...]

PySCF by `pip install pyscf`. Both have the same energy functional (no exchange, β = ∞) and are
judged by the same number, max |Φ(x) − x| over the entries of a density matrix x, Φ(x) the density
of H[x]: PySCF's Fock matrix and diagonalisation evaluate it for both. `scc` counts density builds
and applications of χ₀. PySCF's columns count its diagonalisations until its density has the
residual; *it does not know that yet*: measuring the residual is one diagonalisation more, which
its kernel makes at the end (`extra cycle`), and which `scc`'s count contains. It starts from its
own guess (minao) and from superposed atoms, where `scc` starts. Nothing depends on the clock.
"""

import argparse

import numpy as np
from pyscf import gto, scf

from scc.arrays import FloatArray
from scc.configuration import Configuration, chain
from scc.equilibration.equilibrate import equilibrate
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding

# Checkpoint files: left to the garbage collector, they warn.
scf.hf.MUTE_CHKFILE = True

SPACINGS = (1.4, 1.8, 2.4, (1.4, 2.2))  # bohr
TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)  # electrons
_MOST = 60


def reduced_hartree_fock(configuration: Configuration) -> scf.hf.RHF:
    """PySCF's restricted Hartree–Fock without exchange."""
    atoms = list(zip(configuration.species, configuration.positions.tolist(), strict=True))
    field = scf.RHF(gto.M(atom=atoms, unit="B", basis="sto-3g", verbose=0))
    field.get_veff = lambda mol=None, dm=None, *_, **__: field.get_j(dm=dm)
    return field


def density_residual(field: scf.hf.RHF, density: FloatArray) -> float:
    """max |Φ(x) − x|."""
    fock = field.get_hcore() + field.get_j(dm=density)
    levels, orbitals = field.eig(fock, field.get_ovlp())
    return float(
        np.max(np.abs(field.make_rdm1(orbitals, field.get_occ(levels, orbitals)) - density))
    )


def diis_residuals(field: scf.hf.RHF, start: FloatArray | None) -> list[float]:
    """Of PySCF's densities after 1, 2, … diagonalisations."""
    found: list[FloatArray] = []
    field.conv_tol = field.conv_tol_grad = 1e-30
    field.max_cycle = _MOST
    field.callback = lambda environment: found.append(environment["dm"])
    field.kernel(start)
    return [density_residual(field, density) for density in found]


def own_residuals(configuration: Configuration, field: scf.hf.RHF) -> tuple[list[float], int]:
    """Of the densities that `equilibrate` builds from, and its applications of χ₀."""
    found: list[FloatArray] = []
    functional = EnergyFunctional(GaussianTightBinding().prepare(configuration))
    result = equilibrate(
        functional,
        tolerance=min(TOLERANCES),
        callback=lambda count, iterate: found.append(iterate.x),
    )
    assert result.converged
    assert result.density_builds == len(found)
    return [density_residual(field, density) for density in found], result.response_applications


def builds(residuals: list[float], tolerance: float) -> int | None:
    """How many it took; None where they never got there."""
    return next((k for k, r in enumerate(residuals, start=1) if r <= tolerance), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("atoms", type=int, nargs="*", default=[20, 40, 60])
    print(
        f"{'atoms':>5} {'spacing':>10} {'residual':>8} {'scc':>4} {'χ₀':>3} {'minao':>6} "
        f"{'atoms':>6}"
    )
    for atoms in parser.parse_args().atoms:
        for spacing in SPACINGS:
            configuration = chain(atoms, spacing, "H")
            field = reduced_hartree_fock(configuration)
            own, applications = own_residuals(configuration, field)
            minao = diis_residuals(field, None)
            superposed = diis_residuals(field, np.eye(atoms))
            for tolerance in TOLERANCES:
                ours, theirs, same = (
                    builds(residuals, tolerance) for residuals in (own, minao, superposed)
                )
                print(
                    f"{atoms:5d} {spacing!s:>10} {tolerance:8.0e} {ours!s:>4} {applications:3d} "
                    f"{theirs!s:>6} {same!s:>6}",
                    flush=True,
                )
    print(f"None: not within {_MOST} iterations")


if __name__ == "__main__":
    main()
