"""Fermi levels of polynomials in brackets narrower than rounding can resolve."""

import numpy as np
import pytest

from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError
from scc.theory import remark_10
from scc.theory._fermi_level_family import FermiLevelFamily
from scc.theory.random_systems import Recipe, random_system
from scc.theory.statement import violations

LEVELS = np.array([-0.7, -0.4, 0.3, 0.8])


@pytest.mark.parametrize("seed", range(4))
def test_a_bracket_of_rounding_size_about_the_level_is_no_error(seed) -> None:
    family = FermiLevelFamily(SpectralSet(((-1.0, 1.0),)), 20, 3.0)
    mu = float(np.random.default_rng(seed).uniform(-0.2, 0.2))
    electrons = family.count(LEVELS, mu)
    found = family.fermi_level(LEVELS, electrons * (1.0 + 1e-15), mu - 1e-17, mu + 1e-17)
    assert abs(found - mu) <= 1e-16
    with pytest.raises(InputError):  # half a millionth of an electron is not rounding
        family.fermi_level(LEVELS, electrons + 5e-7, mu - 1e-17, mu + 1e-17)


def test_a_polynomial_as_good_as_rounding_has_its_level() -> None:
    """Two atoms at a high temperature: the bound of the shift is below the rounding of n_N."""
    recipe = Recipe(
        model="orthonormal",
        atoms=2,
        seed=4003263462,
        splitting=0.08341384215687571,
        disorder=0.07283437092738437,
        beta=1.4846630513804266,
        gap=1.2463924955324184,
        share=0.3809188412978284,
        spacing=1.3527096010796147,
        decay=0.9690210877920513,
    )
    checks = remark_10.checks(random_system(recipe))
    assert len(checks) == 5
    assert violations(checks) == []
