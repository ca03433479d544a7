"""Chains long enough for the decay of Theorem 4 to show over many decades, down to rounding."""

import math

from hypothesis import strategies as st

from scc.theory.random_systems import Recipe


def decaying_chains():
    """On-site chains of 40 to 60 atoms with little disorder: hot ones, and insulators at β = ∞."""
    hot = st.tuples(st.floats(1.0, 4.0), st.floats(0.05, 1.0))
    insulating = st.tuples(st.just(math.inf), st.floats(1.5, 3.0))
    return st.one_of(hot, insulating).flatmap(
        lambda drawn: st.builds(
            Recipe,
            dimension=st.just(1),
            atoms=st.integers(40, 60),
            seed=st.integers(0, 2**32 - 1),
            splitting=st.just(drawn[1]),
            disorder=st.floats(0.0, 0.2),
            beta=st.just(drawn[0]),
            share=st.floats(0.3, 0.7),
            spacing=st.floats(1.0, 1.6),
            decay=st.floats(0.9, 1.5),
        )
    )
