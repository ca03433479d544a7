"""Random densities, clusters and density matrices for exchange-correlation tests."""

import numpy as np
from hypothesis import strategies as st

from scc.arrays import FloatArray

#: Densities over the whole range a calculation meets, uniform in the exponent.
densities = st.floats(-15.0, 6.0).map(lambda exponent: 10.0**exponent)

#: Densities where ε_xc'' is not clipped, from the response floor upwards.
responding_densities = st.floats(-19.9, 6.0).map(lambda exponent: 10.0**exponent)

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def random_cluster(
    generator: np.random.Generator, size: int, spacing: float, extent: float
) -> FloatArray:
    """``size`` positions (bohr) in a ball-like cloud, pushed apart to at least ``spacing``."""
    positions: list[FloatArray] = []
    while len(positions) < size:
        candidate = generator.normal(size=3) * extent
        if all(np.linalg.norm(candidate - other) >= spacing for other in positions):
            positions.append(candidate)
        else:
            extent *= 1.02
    return np.array(positions)


@st.composite
def clusters(
    draw: st.DrawFn, min_size: int = 1, max_size: int = 7, spacing: float = 0.7
) -> FloatArray:
    """Positions (M,3) in bohr with a minimal spacing; compact, stretched and flat ones."""
    generator = draw(generators)
    size = draw(st.integers(min_size, max_size))
    extent = draw(st.floats(0.5, 6.0))
    positions = random_cluster(generator, size, spacing, extent)
    return positions + draw(st.sampled_from([0.0, -40.0]))
