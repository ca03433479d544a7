"""Charges, energies and gradients of EEQ-2019 by tad-multicharge, for tests/models/test_cent.py.

    python -m venv peer && peer/bin/pip install tad-multicharge==0.7.0 ase
    peer/bin/python tests/models/eeq_2019/write_peer_charges.py

writes peer_charges.json beside this file, with the versions it was made by. ``peer`` is imported by
the test that runs where tad-multicharge is installed.
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

BOHR = 0.529177210903  # ångström, CODATA 2018
G2 = (
    *("H2O", "NH3", "CH3CH2OH", "CH3COOH", "LiF", "NaCl", "Si2H6", "PF3", "SO2", "ClF3", "BF3"),
    *("C6H6", "CH3NO2", "AlCl3"),
)


def peer(numbers, positions, charge):
    """Charges (M,), energy and its gradient (M, 3): atomic units, double precision."""
    import torch
    from tad_mctc.io.structure import Structure
    from tad_multicharge import eeq

    place = torch.tensor(np.asarray(positions), dtype=torch.double, requires_grad=True)
    structure = Structure(
        numbers=torch.tensor(np.asarray(numbers)),
        positions=place,
        charge=torch.tensor(float(charge), dtype=torch.double),
    )
    charges, energies = eeq.get_eeq(structure, return_energy=True)
    (gradient,) = torch.autograd.grad(energies.sum(), place)
    return charges.detach().numpy(), float(energies.detach().sum()), gradient.numpy()


def systems():
    """(name, numbers, positions in bohr, charge)."""
    from ase.build import molecule

    for name in G2:
        atoms = molecule(name)
        yield name, atoms.numbers, atoms.positions / BOHR, 0
    yield "OH-", np.array([8, 1]), np.array([[0.0, 0.0, 0.0], [1.83, 0.0, 0.0]]), -1
    ammonium = np.array([[0, 0, 0], [1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]]) * 1.115
    yield "NH4+", np.array([7, 1, 1, 1, 1]), ammonium, 1
    yield "He and H2O, 100 bohr apart", *_far(), 0
    rng = np.random.default_rng(2019)
    places = np.stack(np.unravel_index(np.arange(86), (5, 5, 4)), axis=1) * 5.0
    places = places + rng.uniform(-0.8, 0.8, size=(86, 3))
    yield "one atom of each element, H to Rn", 1 + rng.permutation(86), places, 2


def _far():
    from ase.build import molecule

    water = molecule("H2O")
    return (
        np.append(water.numbers, 2),
        np.vstack([water.positions / BOHR, [100.0, 0.0, 0.0]]),
    )


def main():
    """Write the file."""
    rows = []
    for name, numbers, positions, charge in systems():
        positions = np.round(positions, 10)  # what the file holds is what was computed
        charges, energy, gradient = peer(numbers, positions, charge)
        rows.append(
            {
                "name": name,
                "numbers": [int(z) for z in numbers],
                "positions_bohr": positions.tolist(),
                "total_charge": charge,
                "charges": charges.tolist(),
                "energy_hartree": energy,
                "gradient_hartree_per_bohr": gradient.tolist(),
            }
        )
    packages = ("tad-multicharge", "tad-mctc", "torch", "numpy", "ase")
    document = {
        "description": "EEQ-2019 charges, energies and gradients, double precision",
        "written_by": "tests/models/eeq_2019/write_peer_charges.py",
        "versions": {name: version(name) for name in packages}
        | {"python": platform.python_version()},
        "systems": rows,
    }
    text = json.dumps(document, indent=1)
    Path(__file__).with_name("peer_charges.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
