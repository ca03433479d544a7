"""Synthetic decaying quantities over all pairs of atoms, whose law is known."""

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from scc.configuration import chain, cluster, lattice
from strategies.configurations import generators

GEOMETRIES = ("chain", "dimer", "jitter", "1d", "2d", "3d", "cubic")
NOISE = 1e-16
"""Rounding noise, relative to the maximum."""


@dataclass(frozen=True)
class Sample:
    """Distances (M, M), quantity (M, M) and the law it was made by."""

    r: np.ndarray = field(repr=False)
    a: np.ndarray = field(repr=False)
    geometry: str
    rate: float = 0.0
    power: float = 0.0
    wave_number: float | None = None
    scatter: float = 0.0

    @property
    def diameter(self):
        return self.r.max()

    @property
    def safe_r(self):
        """Distances with the diagonal replaced by 1, for powers."""
        return np.where(self.r > 0.0, self.r, 1.0)

    def times(self, factor):
        return replace(self, a=self.a * factor)


def distances(geometry, atoms, rng):
    """Pair distances of about ``atoms`` atoms (lattices: the nearest cube)."""
    return {
        "chain": lambda: chain(atoms),
        "dimer": lambda: chain(atoms, (1.0, rng.uniform(1.05, 1.6))),
        "jitter": lambda: chain(atoms, jitter=0.2, rng=rng),
        "1d": lambda: cluster(atoms, 0.7, rng, dimension=1),
        "2d": lambda: cluster(atoms, 0.8, rng, dimension=2),
        "3d": lambda: cluster(atoms, 0.9, rng, density=0.45),
        "cubic": lambda: lattice("cubic", max(3, round(atoms ** (1 / 3)))),
    }[geometry]().distances()


def _geometry(draw, rng, geometries, min_atoms, max_atoms):
    geometry = draw(st.sampled_from(geometries))
    atoms = round(min_atoms * (max_atoms / min_atoms) ** draw(st.floats(0.0, 1.0)))
    return geometry, distances(geometry, atoms, rng)


def _disturbed(draw, sample, rng, visible, oscillation, scatters):
    """cos²(kr + φ) with at least four periods in the visible range, log-normal noise, rounding."""
    a = sample.a
    wave_number = None
    smallest = max(0.25, 4.0 * np.pi / visible)
    # On a lattice k and π − k look alike: below π/2 there is no slower alias.
    if oscillation and smallest < np.pi / 2 and draw(st.booleans()):
        wave_number = draw(st.floats(smallest, np.pi - smallest))
        a = a * np.cos(wave_number * sample.r + draw(st.floats(0.0, np.pi))) ** 2
    scatter = draw(st.sampled_from(scatters))
    noise = rng.normal(size=a.shape)
    a = a * np.exp(scatter * (noise + noise.T) / np.sqrt(2.0))
    a[np.diag_indices(len(a))] = 1.0
    a = a + NOISE * a.max() * rng.normal(size=a.shape)
    return replace(sample, a=a, wave_number=wave_number, scatter=scatter)


@st.composite
def exponentials(
    draw,
    geometries=GEOMETRIES,
    min_atoms=40,
    max_atoms=250,
    prefactor_powers=(0.0, 0.5, 1.0, 2.0),
    oscillation=True,
    scatters=(0.0, 0.1, 0.5, 1.0),
    least=10.0,
    max_rate=3.0,
):
    """r^{−s} e^{−ηr}, η from 0.05 to ``max_rate``, with η × diameter ≥ ``least``."""
    rng = draw(generators())
    geometry, r = _geometry(draw, rng, geometries, min_atoms, max_atoms)
    lowest = max(0.05, least / r.max())
    assume(lowest < max_rate)
    rate = lowest * (max_rate / lowest) ** draw(st.floats(0.0, 1.0))
    power = draw(st.sampled_from(prefactor_powers))
    sample = Sample(r, np.zeros_like(r), geometry, rate=rate, power=power)
    sample = replace(sample, a=sample.safe_r**-power * np.exp(-rate * r))
    visible = min(r.max(), 29.0 / rate)
    return _disturbed(draw, sample, rng, visible, oscillation, scatters)


@st.composite
def powers(
    draw,
    geometries=GEOMETRIES,
    min_atoms=40,
    max_atoms=250,
    min_power=1.0,
    max_power=7.0,
    oscillation=True,
    scatters=(0.0, 0.1, 0.5, 1.0),
    edge=1.0,
    near_field=True,
):
    """r^{−p}; edges that fall or rise as (1 − r/diameter)^q, |q| ≤ ``edge``; an exponential near
    field that has died out, to 3 % of the power, from a fifteenth of the range above the noise."""
    rng = draw(generators())
    geometry, r = _geometry(draw, rng, geometries, min_atoms, max_atoms)
    power = draw(st.floats(min_power, max_power))
    sample = Sample(r, np.zeros_like(r), geometry, power=power)
    a = sample.safe_r**-power
    if edge and draw(st.booleans()):
        exponent = draw(st.floats(-edge, edge))
        margin = 1.02 if exponent > 0.0 else 1.1
        a = a * (margin - r / r.max()) ** exponent
    visible = min(r.max(), 3e-14 ** (-1.0 / power))
    beyond = np.geomspace(visible / 15.0, visible, 100)
    if near_field and draw(st.booleans()):
        rate = draw(st.floats(1.0, 2.0))
        if (np.exp(-rate * beyond) < 0.03 * beyond**-power).all():
            a = a + np.exp(-rate * r)
    return _disturbed(draw, replace(sample, a=a), rng, visible, oscillation, scatters)
