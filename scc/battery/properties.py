"""All properties, in the order of the table."""

from __future__ import annotations

from scc.battery import (
    conservation,
    equilibrated_decay,
    forces,
    gauge,
    initial_guess,
    invariances,
    locality,
    size_consistency,
    smoothness,
    stability,
    system_size,
)
from scc.battery.property import Property

PROPERTIES: tuple[Property, ...] = (
    locality.ENERGY,
    locality.DENSITY,
    equilibrated_decay.PROPERTY,
    stability.PROPERTY,
    system_size.PROPERTY,
    forces.PROPERTY,
    conservation.PROPERTY,
    invariances.PROPERTY,
    gauge.PROPERTY,
    size_consistency.PROPERTY,
    smoothness.PROPERTY,
    initial_guess.PROPERTY,
)
