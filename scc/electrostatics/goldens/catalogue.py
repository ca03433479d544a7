"""All reference systems by name."""

from __future__ import annotations

from scc.electrostatics.goldens.crystals import CRYSTALS
from scc.electrostatics.goldens.molecular import MOLECULAR
from scc.electrostatics.goldens.system import System
from scc.electrostatics.goldens.triclinic import TRICLINIC

SYSTEMS: dict[str, System] = {system.name: system for system in (*CRYSTALS, *TRICLINIC, *MOLECULAR)}
