"""Codes by name: name → one line, and name → subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scc.errors import InputError

if TYPE_CHECKING:
    from scc.adapters.pyscf import PySCFSubject
    from scc.adapters.tblite import TBLiteSubject

SUBJECTS: dict[str, str] = {
    "gfn2": "GFN2-xTB by tblite, charges, dipoles and quadrupoles self-consistent, Z ≤ 86",
    "gfn1": "GFN1-xTB by tblite, self-consistent shell charges, Z ≤ 86",
    "pyscf-lda": "Kohn–Sham LDA (Slater, VWN5) by PySCF, def2-SVP, density fitting, Z ≤ 36",
    "pyscf-pbe": "Kohn–Sham PBE by PySCF, def2-SVP, density fitting, Z ≤ 36",
    "pyscf-rhf": "reduced Hartree–Fock (no exchange) by PySCF, STO-3G: `gaussian` by other hands",
}

_TIGHT = 1e-4
"""tblite's accuracy: a residual of 2e-9 e."""


def _gfn2() -> TBLiteSubject:
    from scc.adapters.tblite import TBLiteSubject

    return TBLiteSubject("GFN2-xTB", name="gfn2", threshold=_TIGHT)


def _gfn1() -> TBLiteSubject:
    from scc.adapters.tblite import TBLiteSubject

    return TBLiteSubject("GFN1-xTB", name="gfn1", threshold=_TIGHT)


def _pyscf(functional: str, basis: str, fitted: bool, name: str, largest: int) -> PySCFSubject:
    from scc.adapters.pyscf import PySCFSubject

    return PySCFSubject(
        functional,
        basis=basis,
        density_fitting=fitted,
        name=name,
        threshold=1e-12,  # hundred times the rounding of energies
        gradient_threshold=1e-8,  # one or two iterations more than PySCF's own 1e-5
        largest=largest,
    )


_FACTORIES: dict[str, Callable[[], TBLiteSubject | PySCFSubject]] = {
    "gfn2": _gfn2,
    "gfn1": _gfn1,
    "pyscf-lda": lambda: _pyscf("lda", "def2-svp", True, "pyscf-lda", 6),
    "pyscf-pbe": lambda: _pyscf("pbe", "def2-svp", True, "pyscf-pbe", 6),
    "pyscf-rhf": lambda: _pyscf("rhf", "sto-3g", False, "pyscf-rhf", 48),
}
_PACKAGES = {"gfn": "tblite", "pyscf": "pyscf"}


def subject_by_name(name: str) -> TBLiteSubject | PySCFSubject:
    """A code with its default settings.

    Raises:
        InputError: unknown name; or the code is not installed, and the line says how to get it.
    """
    if name not in _FACTORIES:
        raise InputError(f"no code {name!r}; known codes: {', '.join(SUBJECTS)}")
    try:
        return _FACTORIES[name]()
    except ImportError as error:
        package = next(p for prefix, p in _PACKAGES.items() if name.startswith(prefix))
        raise InputError(
            f"{name} needs {package}, which cannot be imported ({error}): "
            f"pip install {package}, or pip install 'self-consistent-coulomb[adapters]'"
        ) from error
