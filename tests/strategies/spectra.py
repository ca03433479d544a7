"""Temperatures, energies that nearly coincide, eigenvalue lists and spectral sets."""

import math

from hypothesis import strategies as st

from scc.bodyorder.spectral_set import SpectralSet, spectral_set


def powers_of_ten(lowest: float, highest: float) -> st.SearchStrategy[float]:
    """10^x, x uniform in [lowest, highest]."""
    return st.floats(lowest, highest).map(lambda exponent: 10.0**exponent)


def inverse_temperatures(lowest: float = -2.0, highest: float = 4.0) -> st.SearchStrategy[float]:
    """β in 1/Hartree, logarithmic."""
    return powers_of_ten(lowest, highest)


@st.composite
def signed(draw: st.DrawFn, lowest: float, highest: float) -> float:
    """±10^x."""
    return draw(st.sampled_from((-1.0, 1.0))) * draw(powers_of_ten(lowest, highest))


@st.composite
def coalescing_energies(
    draw: st.DrawFn, count: int, beta: float, mu: float, largest: float = 6.0
) -> list[float]:
    """Energies with |β(x−µ)| up to 10^largest, apart by anything from nothing to their own size."""
    energies: list[float] = []
    for _ in range(count):
        fresh = mu + draw(st.one_of(st.just(0.0), signed(-6.0, largest))) / beta
        if energies and draw(st.integers(0, 3)):
            near = draw(st.sampled_from(energies))
            fresh = draw(
                st.one_of(
                    st.just(near),
                    signed(-16.0, 1.0).map(lambda step, near=near: near + step / beta),
                )
            )
        energies.append(fresh)
    return energies


@st.composite
def spectral_sets(draw: st.DrawFn, intervals: int) -> SpectralSet:
    """One or two intervals, widths over two decades, bands and gap not below 3 % of the hull."""
    lower = draw(st.floats(-5.0, 5.0))
    length = draw(powers_of_ten(-1.0, 1.0))
    if intervals == 1:
        return SpectralSet(((lower, lower + length),))
    first = draw(st.floats(0.03, 0.9))
    second = draw(st.floats(first + 0.03, 0.97))
    return SpectralSet(((lower, lower + first * length), (lower + second * length, lower + length)))


@st.composite
def spectral_problems(
    draw: st.DrawFn, intervals: int, zero_temperature: bool
) -> tuple[SpectralSet, float, float]:
    """(X, β, µ): µ in the gap of two intervals, near or inside one; β·length in 1…100, or ∞."""
    X = draw(spectral_sets(intervals))
    length = X.upper - X.lower
    if X.gap is None:
        mu = draw(st.floats(X.lower - 0.1 * length, X.upper + 0.1 * length))
    else:
        # Inside: at β = ∞ and µ on the edge F jumps on X, which the hypothesis g > 0 excludes.
        below, above = X.gap
        mu = below + draw(st.floats(0.01, 0.99)) * (above - below)
    beta = math.inf if zero_temperature else draw(powers_of_ten(0.0, 2.0)) / length
    return X, beta, mu


def gapped_sets() -> st.SearchStrategy[SpectralSet]:
    """Two intervals about µ = 0, either gap from 0.02 to 0.4, ends up to 3."""
    edges = st.tuples(
        st.floats(-3.0, -0.5), st.floats(0.5, 3.0), st.floats(0.02, 0.4), st.floats(0.02, 0.4)
    )
    return edges.map(lambda e: spectral_set(e[0], e[1], 0.0, e[2], e[3]))


def betas_or_zero_temperature(highest: float) -> st.SearchStrategy[float]:
    """β from 1 to e^highest, logarithmic, or ∞."""
    return st.one_of(st.floats(0.0, highest).map(math.exp), st.just(math.inf))
