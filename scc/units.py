"""Conversion factors at the border; everything inside scc is in Hartree atomic units.

CODATA 2018 values, as compiled in :mod:`ase.units` (``create_units("2018")``): pinned, so that a
later ASE with newer constants does not move reference numbers.
"""

from typing import Final

from ase.units import create_units

_units = create_units("2018")  # type: ignore[no-untyped-call, unused-ignore]

ANGSTROM: Final[float] = 1.0 / float(_units["Bohr"])
"""One ångström in bohr: ``positions_bohr = positions_angstrom * ANGSTROM``."""

EV: Final[float] = 1.0 / float(_units["Hartree"])
"""One electronvolt in hartree: ``energy_hartree = energy_ev * EV``."""

KELVIN: Final[float] = float(_units["kB"]) * EV
"""One kelvin times Boltzmann's constant, in hartree: β = 1 / (temperature_kelvin * KELVIN)."""
