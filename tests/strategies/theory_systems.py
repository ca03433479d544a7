"""Random systems for the bounds of theory/: see :mod:`scc.theory.random_systems`."""

import math

from hypothesis import reject
from hypothesis import strategies as st

from scc.errors import InputError
from scc.theory.random_systems import Recipe, random_system
from strategies.spectra import betas_or_zero_temperature


def betas():
    """β from 1 to 200 log-uniform, or infinite."""
    return betas_or_zero_temperature(math.log(200.0))


def recipes(model="onsite", largest=60, beta=None):
    """Recipes: dimension 1-3, 2 ≤ M ≤ largest, disorder, gaps from 0.05 to 3, β from 1 to ∞."""
    models = st.sampled_from(("orthonormal", "loewdin")) if model == "gaussian" else st.just(model)
    gaps = st.floats(math.log(0.05), math.log(3.0)).map(math.exp)
    return st.builds(
        Recipe,
        model=models,
        dimension=st.sampled_from((1, 2, 3)),
        atoms=st.integers(2, largest),
        seed=st.integers(0, 2**32 - 1),
        splitting=gaps,
        disorder=st.floats(0.0, 0.5),
        beta=betas() if beta is None else beta,
        gap=gaps,
        share=st.floats(0.2, 0.8),
        spacing=st.floats(0.9, 2.0),
        decay=st.floats(0.6, 1.5),
    )


def onsite_recipes(largest=60, beta=None):
    """On-site systems."""
    return recipes("onsite", largest, beta)


def gaussian_recipes(largest=12, beta=None):
    """Gaussian-orbital systems, both treatments of the overlap."""
    return recipes("gaussian", largest, beta)


def built(recipe):
    """The system; the example is rejected where no splitting opens the gap asked for."""
    try:
        return random_system(recipe)
    except InputError:
        reject()
