r"""One labelled water cluster: read from an extended-XYZ frame, checked, in atomic units.

Labels, in the units of ``data/water``: ``ref_energy`` eV, ``ref_forces`` eV/Å, ``ref_dipole``
e·bohr, per atom ``ref_charge`` e, ``ref_atomic_dipole`` e·bohr, ``ref_atomic_quadrupole`` e·bohr²
(∫(3/2 x_a x_b − ½ r² δ_ab), nine numbers row-major) of nuclei + electrons, electrons negative.
Those are moments of ν − ρ; the multipoles here are those of ρ − ν, in real solid harmonics in
Racah normalisation, hence *minus* the labels:

    p_00 = −q,   p_1 = −(µ_y, µ_z, µ_x),
    p_2 = −(2θ_xy/√3, 2θ_yz/√3, θ_zz, 2θ_xz/√3, (θ_xx − θ_yy)/√3).

Some frames also have the response of the moments to a uniform field, ``ref_charge_response`` and
so on, in atomic units. Wrong units are found by what they contradict: bond lengths, the energy of a
water molecule, the sum of charges, Σ(q r + µ) against the dipole.
"""

# mypy: disable-error-code="no-untyped-call"
# (ASE is only partly typed.)

from __future__ import annotations

from dataclasses import dataclass

import ase
import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration, from_ase
from scc.electrostatics.multipoles.external import ExternalCharges, physical_charges
from scc.electrostatics.multipoles.moments import total_dipole
from scc.errors import InputError
from scc.units import ANGSTROM, EV

FORCE = EV / ANGSTROM
"""1 eV/Å in Hartree/bohr."""

BOND = (0.6, 1.6)
"""Shortest and longest O–H bond of a water molecule, Å: outside, positions are not in Å or the
molecule is not one (hottest training frames: 0.84 to 1.10 Å)."""

ENERGY = (-2090.0, -2060.0)
"""Energy of a water molecule, eV, by any all-electron method: Hartree–Fock −2069.8, exact −2080.1,
half an atomic unit on either side for small bases, heat and external fields."""

LARGEST_FORCE = 100.0
"""eV/Å: twice what an O–H bond stretched or compressed by 1 Å would give."""

NET_CHARGE = 1e-3
"""Largest |Σq|, e: integration grids leave some 1e-6 e an atom."""

RESPONSE_CHARGE = 1e-2
"""Largest |Σ dq/d𝓔|, bohr² (e per atomic unit of field)."""

DIPOLE = 2e-3, 2e-5
"""Largest defect of Σ(q r + µ) = ref_dipole: so much e·bohr, and so much e times Σ|r|, since the
charges' grid errors count at the atoms' distances."""


@dataclass(frozen=True, eq=False)
class ReferenceFrame:
    """A cluster of water molecules with its labels; atomic units throughout.

    Attributes
    ----------
    name: where it came from, ``file, frame n`` and the frame's own name.
    configuration: M atoms, H and O.
    energy: Hartree; external charges act, their energy among themselves is left out.
    forces: (M, 3), Hartree/bohr.
    multipoles: p of ρ − ν, (M, 9), index λ²+λ+µ, e·bohr^λ.
    external: fixed charges in the sign convention of p (amounts of ρ − ν), or None.
    kind: ``thermal``, ``pair``, ``field``, ``charges``, or whatever the file says.
    molecules: (M,), number of the molecule each atom belongs to.
    group: what must not be split: frames of one trajectory share it.
    polarisation: dp/d𝓔_b in a uniform electric field 𝓔 (its force on positive charges), (M, 9, 3),
        index b = x, y, z, or None: atomic units.
    """

    name: str
    configuration: Configuration
    energy: float
    forces: FloatArray
    multipoles: FloatArray
    external: ExternalCharges | None
    kind: str
    molecules: IntArray
    group: str
    polarisation: FloatArray | None = None

    @property
    def n_molecules(self) -> int:
        """Number of water molecules."""
        return len(self.configuration) // 3

    @property
    def dipole(self) -> FloatArray:
        """Σ(p_00 r + p_1) of ρ − ν about the origin, (3,), x y z, e·bohr."""
        return total_dipole(self.configuration.positions, self.multipoles)


def racah_multipoles(charge: FloatArray, dipole: FloatArray, quadrupole: FloatArray) -> FloatArray:
    """(M, 9) in Racah normalisation from q (M,), µ (M, 3) and traceless θ (M, 3, 3); same sign."""
    root = np.sqrt(3.0)
    columns = [
        charge,
        *dipole[:, [1, 2, 0]].T,
        2.0 / root * quadrupole[:, 0, 1],
        2.0 / root * quadrupole[:, 1, 2],
        quadrupole[:, 2, 2],
        2.0 / root * quadrupole[:, 0, 2],
        (quadrupole[:, 0, 0] - quadrupole[:, 1, 1]) / root,
    ]
    return np.stack(columns, axis=1)


def reference_frame(atoms: ase.Atoms, name: str, file: str) -> ReferenceFrame:
    """The frame of an ``ase.Atoms`` with labels in ``arrays`` and ``info`` (eV, Å, e·bohr^λ).

    Raises
    ------
    InputError
        One line that begins with ``name`` and says which label or atom is wrong and its value.
    """
    try:
        return _frame(atoms, name, file)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _frame(atoms: ase.Atoms, name: str, file: str) -> ReferenceFrame:
    if np.any(atoms.pbc):
        raise InputError(f"periodic ({atoms.pbc.tolist()}); labelled clusters are open")
    configuration = from_ase(atoms)
    molecules = water_molecules(configuration)
    number = len(atoms)
    charge = _array(atoms, "ref_charge", (number,))
    dipole = _array(atoms, "ref_atomic_dipole", (number, 3))
    quadrupole = _array(atoms, "ref_atomic_quadrupole", (number, 9)).reshape(number, 3, 3)
    forces = _array(atoms, "ref_forces", (number, 3))
    energy = float(_info(atoms, "ref_energy", (1,))[0])
    _check_energy(energy, number // 3)
    _check_forces(forces)
    _check_moments(charge, quadrupole)
    _check_dipole(charge, dipole, atoms.positions * ANGSTROM, _info(atoms, "ref_dipole", (3,)))
    own = atoms.info.get("name")
    kind = str(atoms.info.get("kind", "thermal"))
    return ReferenceFrame(
        name=name if own is None else f"{name} ({own})",
        configuration=configuration,
        energy=energy * EV,
        forces=forces * FORCE,
        multipoles=-racah_multipoles(charge, dipole, quadrupole),
        external=_external(atoms),
        kind=kind,
        molecules=molecules,
        group=_group(atoms, name, file),
        polarisation=_polarisation(atoms),
    )


def water_molecules(configuration: Configuration) -> IntArray:
    """(M,) number of the molecule of each atom: every H goes to the O nearest to it.

    Raises InputError for an element other than H and O, an O that does not get two H, and an O–H
    bond outside :data:`BOND`.
    """
    symbols = np.array(configuration.species)
    for index in np.flatnonzero((symbols != "H") & (symbols != "O")):
        raise InputError(f"atom {index} is {symbols[index]}; water has only H and O")
    oxygens, hydrogens = np.flatnonzero(symbols == "O"), np.flatnonzero(symbols == "H")
    if len(oxygens) == 0 or len(hydrogens) != 2 * len(oxygens):
        raise InputError(f"{len(oxygens)} O and {len(hydrogens)} H are not water molecules")
    apart = configuration.distances()[np.ix_(hydrogens, oxygens)] / ANGSTROM
    owner = np.argmin(apart, axis=1)
    for index, length in zip(hydrogens, np.min(apart, axis=1), strict=True):
        if not BOND[0] <= length <= BOND[1]:
            raise InputError(
                f"atom {index} (H) is {length:.4g} Å from the nearest O, no O–H bond: "
                f"expected {BOND[0]} to {BOND[1]} Å"
            )
    counts = np.bincount(owner, minlength=len(oxygens))
    for index in np.flatnonzero(counts != 2):
        raise InputError(f"atom {oxygens[index]} (O) has {counts[index]} H next to it, not two")
    molecules = np.empty(len(symbols), dtype=np.int64)
    molecules[oxygens] = np.arange(len(oxygens))
    molecules[hydrogens] = owner
    return molecules


def _array(atoms: ase.Atoms, key: str, shape: tuple[int, ...]) -> FloatArray:
    if key not in atoms.arrays:
        raise InputError(f"column {key} is missing")
    values = _numbers(atoms.arrays[key], key)
    if values.shape != shape:
        raise InputError(f"column {key} has shape {values.shape}, expected {shape}")
    for place in np.argwhere(~np.isfinite(values))[:1]:
        raise InputError(f"{key} of atom {place[0]} is {values[tuple(place)]}")
    return values


def _info(atoms: ase.Atoms, key: str, shape: tuple[int, ...]) -> FloatArray:
    if key not in atoms.info:
        raise InputError(f"{key} is missing")
    values = np.atleast_1d(_numbers(atoms.info[key], key))
    if values.shape != shape or not np.all(np.isfinite(values)):
        raise InputError(f"{key} is {atoms.info[key]}, expected {shape[0]} finite numbers")
    return values


def _numbers(values: object, key: str) -> FloatArray:
    try:
        array = np.array(values)
        if array.dtype.kind not in "fiu":
            raise ValueError
        return array.astype(np.float64)
    except ValueError:
        raise InputError(f"{key} is {str(values)[:40]!r}, not numbers") from None


def _check_energy(energy: float, molecules: int) -> None:
    each = energy / molecules
    if not ENERGY[0] <= each <= ENERGY[1]:
        raise InputError(
            f"ref_energy {energy:.8g} is {each:.6g} per molecule, but a water molecule has "
            f"{ENERGY[0]:g} to {ENERGY[1]:g} eV"
        )


def _check_forces(forces: FloatArray) -> None:
    atom, axis = np.unravel_index(np.argmax(np.abs(forces)), forces.shape)
    if abs(forces[atom, axis]) > LARGEST_FORCE:
        raise InputError(
            f"ref_forces of atom {atom} is {forces[atom, axis]:.5g} eV/Å, beyond {LARGEST_FORCE:g}"
        )


def _check_moments(charge: FloatArray, quadrupole: FloatArray) -> None:
    net = float(np.sum(charge))
    if abs(net) > NET_CHARGE:
        raise InputError(f"ref_charge adds up to {net:.4g} e; the model is for neutral clusters")
    largest = float(np.max(np.abs(quadrupole)))
    defect = np.abs(np.trace(quadrupole, axis1=1, axis2=2)) + np.max(
        np.abs(quadrupole - quadrupole.transpose(0, 2, 1)), axis=(1, 2)
    )
    atom = int(np.argmax(defect))
    # Eight decimals are written; a second moment with its trace is off by its own size.
    if defect[atom] > 1e-6 + 1e-4 * largest:
        raise InputError(
            f"ref_atomic_quadrupole of atom {atom} is not symmetric and traceless: off by "
            f"{defect[atom]:.3g} e bohr²"
        )


def _check_dipole(
    charge: FloatArray, dipole: FloatArray, positions: FloatArray, total: FloatArray
) -> None:
    found = charge @ positions + np.sum(dipole, axis=0)
    off = float(np.max(np.abs(found - total)))
    if off > DIPOLE[0] + DIPOLE[1] * float(np.sum(np.linalg.norm(positions, axis=1))):
        raise InputError(
            f"Σ(q r + µ) = {np.array2string(found, precision=4)} e bohr misses ref_dipole = "
            f"{np.array2string(total, precision=4)} by {off:.3g}: units or signs do not match"
        )


def _external(atoms: ase.Atoms) -> ExternalCharges | None:
    if "external_charges" not in atoms.info:
        return None
    values = np.ravel(_numbers(atoms.info["external_charges"], "external_charges"))
    if len(values) == 0 or len(values) % 4 or not np.all(np.isfinite(values)):
        raise InputError(
            f"external_charges has {len(values)} numbers, expected finite x, y, z, q row by row"
        )
    rows = values.reshape(-1, 4)
    return physical_charges(rows[:, :3] * ANGSTROM, rows[:, 3])


def _polarisation(atoms: ase.Atoms) -> FloatArray | None:
    """From ``ref_*_response``: dq/d𝓔 (M, 3), dµ/d𝓔 (M, 3·3), dθ/d𝓔 (M, 9·3), 𝓔 running fastest."""
    names = ("ref_charge", "ref_atomic_dipole", "ref_atomic_quadrupole")
    found = [f"{name}_response" in atoms.arrays for name in names]
    if not any(found):
        return None
    number = len(atoms)
    charge, dipole, quadrupole = (
        _array(atoms, f"{name}_response", (number, width))
        for name, width in zip(names, (3, 9, 27), strict=True)
    )
    if np.max(np.abs(np.sum(charge, axis=0))) > RESPONSE_CHARGE:
        raise InputError(f"ref_charge_response adds up to {np.sum(charge, axis=0)}, not to zero")
    alpha = charge.T @ (atoms.positions * ANGSTROM) + dipole.reshape(-1, 3, 3).sum(axis=0).T
    if np.min(np.linalg.eigvalsh(alpha + alpha.T)) <= 0.0:
        raise InputError("the polarisability of ref_*_response is not positive: a sign is wrong")
    columns = [
        -racah_multipoles(charge[:, b], dipole[:, b::3], quadrupole[:, b::3].reshape(-1, 3, 3))
        for b in range(3)
    ]
    return np.stack(columns, axis=2)


def _group(atoms: ase.Atoms, name: str, file: str) -> str:
    """The trajectory; else file, size and temperature; else the frame by itself."""
    if "trajectory" in atoms.info:
        return f"trajectory {atoms.info['trajectory']}"
    if "temperature_K" in atoms.info:
        return f"{file}, {len(atoms) // 3} molecules at {atoms.info['temperature_K']} K"
    return name
