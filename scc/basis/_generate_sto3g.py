"""Writes sto3g.json from PySCF's copy of the published tables: python -m scc.basis._generate_sto3g.

Only a developer runs this, PySCF being needed for the tests alone.
"""

import json
from pathlib import Path

from ase.data import chemical_symbols
from pyscf import __version__
from pyscf.gto.basis import load

PROVENANCE = {
    "name": "STO-3G, H–Ar",
    "references": [
        "W. J. Hehre, R. F. Stewart, J. A. Pople, J. Chem. Phys. 51, 2657 (1969) (H–Ne)",
        "W. J. Hehre, R. Ditchfield, R. F. Stewart, J. A. Pople, J. Chem. Phys. 52, 2769 (1970) "
        "(Na–Ar)",
    ],
    "copied_from": f"the tables distributed with PySCF {__version__} (pyscf.gto.basis)",
    "format": "element: list of shells [l, [exponents in bohr^-2], [coefficients of normalised "
    "primitives]]",
}


def main() -> None:
    """Writes the file next to this module."""
    elements = {}
    for symbol in chemical_symbols[1:19]:
        elements[symbol] = [
            [shell[0], [a for a, _ in shell[1:]], [c for _, c in shell[1:]]]
            for shell in load("sto-3g", symbol)
        ]
    lines = [f'  "{symbol}": {json.dumps(shells)}' for symbol, shells in elements.items()]
    text = (
        '{\n"provenance": '
        + json.dumps(PROVENANCE, indent=2, ensure_ascii=False)
        + ',\n"elements": {\n'
        + ",\n".join(lines)
        + "\n}\n}\n"
    )
    Path(__file__).with_name("sto3g.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
