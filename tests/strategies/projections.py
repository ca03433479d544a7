"""Random clusters with multipoles and probes: what a projection operator is made of."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import UniformField, physical_charges
from strategies.configurations import generators
from strategies.multipoles import random_multipoles


class ProjectionCase(NamedTuple):
    """Arguments of an operator, multipoles p (M, 9), cotangent w (M, F), displacement dr (M, 3)."""

    configuration: Configuration
    density_width: float
    widths: tuple[float, ...]
    l_max: int
    external: tuple[object, ...]
    multipoles: np.ndarray
    cotangent: np.ndarray
    displacement: np.ndarray

    @property
    def arguments(self):
        return self.configuration, self.density_width, self.widths, self.l_max, self.external

    def moved(self, step):
        """The arguments with the atoms displaced by ``step`` dr."""
        positions = self.configuration.positions + step * self.displacement
        return Configuration(self.configuration.species, positions), *self.arguments[1:]


@st.composite
def projection_cases(draw, max_atoms=40, min_widths=0, external=None):
    """Spacings 1–15 bohr, widths 0.3–3 bohr (some equal), 0–3 probes, with or without external."""
    number = draw(st.integers(2, max_atoms))
    n_widths = draw(st.integers(min_widths, 3))
    l_max = draw(st.integers(0, 2))
    outside = draw(st.booleans()) if external is None else external
    generator = draw(generators())
    spacing = float(np.exp(generator.uniform(0.0, np.log(15.0))))
    grid = int(np.ceil(number ** (1 / 3)))
    cells = generator.choice(grid**3, size=number, replace=False)
    places = np.stack(np.unravel_index(cells, (grid,) * 3), axis=1)
    positions = spacing * (places + generator.uniform(-0.2, 0.2, size=(number, 3)))
    density, *widths = np.exp(generator.uniform(np.log(0.3), np.log(3.0), size=n_widths + 1))
    if n_widths and generator.uniform() < 0.5:
        widths[0] = density
    sources = ()
    if outside:
        away = positions.max() + 3.0 + generator.uniform(0.0, 20.0, size=(3, 3))
        sources = (
            physical_charges(away, generator.normal(size=3)),
            UniformField(0.01 * generator.normal(size=3)),
        )
    return ProjectionCase(
        Configuration(("X",) * number, positions),
        float(density),
        tuple(float(w) for w in widths),
        l_max,
        sources,
        random_multipoles(generator, number, 2),
        generator.normal(size=(number, n_widths * (l_max + 1) ** 2)),
        generator.normal(size=(number, 3)),
    )
