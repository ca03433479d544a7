"""Random densities, clusters and density matrices for exchange-correlation tests."""

import numpy as np
from hypothesis import strategies as st

from scc.arrays import FloatArray
from scc.basis.shells import BasisSet, Shell

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


@st.composite
def small_bases(draw: st.DrawFn, min_size: int = 1, max_size: int = 4) -> BasisSet:
    """Clusters with one or two random s or p shells, of one or two primitives, on every atom."""
    positions = draw(clusters(min_size=min_size, max_size=max_size, spacing=0.9))
    generator = draw(generators)
    shells = [
        [
            Shell(
                int(generator.integers(0, 2)),
                tuple(10.0 ** generator.uniform(-0.8, 0.6, size=primitives)),
                tuple(generator.uniform(0.3, 1.0, size=primitives)),
            )
            for primitives in generator.integers(1, 3, size=generator.integers(1, 3))
        ]
        for _ in positions
    ]
    return BasisSet(positions, shells)


def positive_density_matrix(generator: np.random.Generator, size: int) -> FloatArray:
    """D with eigenvalues above 0.5: a density ρ > 0 wherever an orbital lives."""
    factor = generator.normal(size=(size, size)) / np.sqrt(size)
    return factor @ factor.T + 0.5 * np.eye(size)


def symmetric_matrix(generator: np.random.Generator, size: int) -> FloatArray:
    """An indefinite symmetric matrix of spectral norm 1."""
    matrix = generator.normal(size=(size, size))
    matrix = matrix + matrix.T
    return matrix / np.linalg.norm(matrix, 2)
