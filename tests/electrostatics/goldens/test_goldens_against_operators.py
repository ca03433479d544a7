"""The operators of scc against every golden system: energies, potentials, features, forces, stress.

Tolerances are relative to what is summed: ½Σ|pV| for energies and strain, the rms force for forces,
the largest entry for potentials and features. 1e-12 leaves some thousand roundings of 2e-16.
"""

from pathlib import Path

import numpy as np
import pytest

from scc.configuration import Configuration
from scc.electrostatics.goldens import SYSTEMS, load
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.errors import InputError

DATA = Path(__file__).parent / "data"
GOLDENS = {name: load(DATA / f"{name}.json") for name in SYSTEMS}
EXACT = 1e-12
FINEST = 1e-13  # the tolerance asked for: truncation out of the way of rounding


def operator(golden, method, tolerance, **changes):
    external = []
    if golden.external_field is not None:
        # Here a charge q has the energy −qF·x; multipoles of scc are those of electrons, +𝓔·x.
        external.append(UniformField(-golden.external_field))
    if len(golden.external_charges):
        external.append(ExternalCharges(golden.external_positions, golden.external_charges))
    cell, positions = changes.get("cell", golden.cell), changes.get("positions", golden.positions)
    return MultipoleElectrostatics(
        Configuration(golden.species, positions, cell, golden.periodic),
        golden.widths,
        golden.l_max,
        screening=golden.screening,
        surface_permittivity=golden.surface_permittivity,
        external=external,
        method=method,
        tolerance=tolerance,
    )


def method_of(golden):
    return "direct" if golden.kind == "open" else "ewald"


@pytest.fixture(scope="module", params=SYSTEMS)
def case(request):
    golden = GOLDENS[request.param]
    return golden, operator(golden, method_of(golden), FINEST)


def energy_scale(golden):
    return 0.5 * np.sum(np.abs(golden.multipoles * golden.potential))


def force_scale(golden):
    """Rms force; where symmetry leaves none, energies over distances of one bohr."""
    rms = np.sqrt(np.mean(np.sum(golden.forces**2, axis=1)))
    return rms if rms > 0.0 else energy_scale(golden)


def largest(array):
    return np.max(np.abs(array))


def test_energy(case):
    golden, own = case
    assert abs(own.energy(golden.multipoles) - golden.energy) <= EXACT * energy_scale(golden)


def test_potential(case):
    golden, own = case
    difference = own.potential(golden.multipoles) - golden.potential
    assert largest(difference) <= EXACT * largest(golden.potential)


def test_forces(case):
    golden, own = case
    difference = own.forces(golden.multipoles) - golden.forces
    assert largest(difference) <= EXACT * force_scale(golden)


def test_stress(case):
    golden, own = case
    if golden.strain_derivative is None:
        with pytest.raises(InputError, match="not defined in an external field"):
            own.stress(golden.multipoles)
        return
    strain = own.stress(golden.multipoles) * own.boundary.measure
    difference = strain - golden.strain_derivative
    assert largest(difference) <= EXACT * max(
        energy_scale(golden), largest(golden.strain_derivative)
    )


def test_potential_at_points(case):
    golden, own = case
    difference = own.potential_at(golden.multipoles, golden.points) - golden.potential_at
    # A plan is made for energies and forces; a bare point is narrower than any site.
    assert largest(difference) <= 1e-11 * largest(golden.potential_at)


def test_features(case):
    golden, own = case
    for feature in golden.features:
        projected = own.features([feature.width], feature.l_max, feature.self_interaction)
        difference = projected(golden.multipoles) - feature.values
        assert largest(difference) <= EXACT * largest(feature.values)


def test_energy_without_self_interaction():
    for name in ("water_dimer", "triclinic_gaussians_l2"):
        golden = GOLDENS[name]
        own = MultipoleElectrostatics(
            Configuration(golden.species, golden.positions, golden.cell, golden.periodic),
            golden.widths,
            golden.l_max,
            self_interaction=False,
            tolerance=FINEST,
            method=method_of(golden),
        )
        expected = golden.energy - golden.self_energy
        error = abs(own.energy(golden.multipoles) - expected)
        assert error <= EXACT * energy_scale(golden)


# In a crystal symmetry leaves no forces that an error could be relative to.
MESHED = [n for n, g in GOLDENS.items() if g.kind != "open" and np.any(g.forces)]


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("name", MESHED)
def test_the_mesh_keeps_its_tolerance(name, tolerance):
    golden = GOLDENS[name]
    own = operator(golden, "mesh", tolerance)
    error = abs(own.energy(golden.multipoles) - golden.energy)
    assert error <= tolerance * energy_scale(golden)
    difference = own.forces(golden.multipoles) - golden.forces
    assert np.sqrt(np.mean(np.sum(difference**2, axis=1))) <= tolerance * force_scale(golden)


CRYSTALS = [name for name, golden in GOLDENS.items() if golden.madelung is not None]


def madelung(name, energy):
    """From an energy per cell, by the rule of the catalogue."""
    rule = SYSTEMS[name].madelung
    return -energy * np.sqrt(rule.squared_distance) / (rule.units * rule.charge**2)


@pytest.mark.parametrize("name", CRYSTALS)
def test_madelung_constants_to_twelve_digits(name):
    golden = GOLDENS[name]
    found = madelung(name, operator(golden, "ewald", FINEST).energy(golden.multipoles))
    assert abs(found - golden.madelung) <= 0.5e-12 * golden.madelung


UNIMODULAR = [
    np.array([[1, 2, -1], [0, 1, 3], [0, 0, 1]]),
    np.array([[1, 0, 0], [-2, 1, 0], [1, -1, 1]]),
    np.array([[2, 1, 1], [1, 1, 1], [1, 0, 1]]),
]


@pytest.mark.parametrize(
    "name", ["nacl", "fluorite", "wigner_bcc", "triclinic_gaussians_l2", "triclinic_charged"]
)
@pytest.mark.parametrize("change", range(len(UNIMODULAR)))
def test_unimodular_changes_of_the_cell_change_nothing(name, change):
    golden, matrix = GOLDENS[name], UNIMODULAR[change]
    assert round(np.linalg.det(matrix)) == 1
    own = operator(golden, "ewald", FINEST, cell=matrix @ golden.cell)
    scale = energy_scale(golden)
    assert abs(own.energy(golden.multipoles) - golden.energy) <= 1e-11 * scale
    difference = own.forces(golden.multipoles) - golden.forces
    assert largest(difference) <= 1e-11 * force_scale(golden)


@pytest.mark.parametrize("name", ["cscl", "zincblende", "wigner_fcc", "triclinic_points_l2"])
@pytest.mark.parametrize("repeats", [(2, 1, 1), (1, 3, 1), (2, 1, 2)])
def test_supercells_have_so_many_times_the_energy(name, repeats):
    golden = GOLDENS[name]
    shifts = np.array([n for n in np.ndindex(*repeats)]) @ golden.cell
    positions = (golden.positions[None] + shifts[:, None]).reshape(-1, 3)
    number = len(shifts)
    large = MultipoleElectrostatics(
        Configuration(
            golden.species * number,
            positions,
            golden.cell * np.array(repeats)[:, None],
            (True,) * 3,
        ),
        np.tile(golden.widths, number),
        golden.l_max,
        method="ewald",
        tolerance=FINEST,
    )
    multipoles = np.tile(golden.multipoles, (number, 1))
    energy = large.energy(multipoles) / number
    assert abs(energy - golden.energy) <= 1e-11 * energy_scale(golden)
    forces = large.forces(multipoles).reshape(number, -1, 3)
    assert largest(forces - golden.forces) <= 1e-11 * force_scale(golden)
