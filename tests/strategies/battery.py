"""What tests of the battery share: measure one property of one subject."""

import numpy as np

from scc.battery.bench import Bench
from scc.battery.check import judged
from scc.battery.properties import PROPERTIES
from scc.battery.structures import water
from scc.configuration import Configuration

DIMER = water(2)
ROCKY = Configuration(("Na", "Cl"), np.array([[0.0, 0.0, 0.0], [4.5, 0.2, 0.1]]))


def verdict_on(subject, property_id, structures=(DIMER,)):
    """The verdict on one property by name."""
    (one,) = [p for p in PROPERTIES if p.id == property_id]
    (verdict,) = judged(Bench.of(subject, list(structures)), [one])
    return verdict
