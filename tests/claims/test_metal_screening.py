"""The reciprocal-space route of metal-screening against the real-space model; its predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.claims import _cubic_metal, metal_screening
from scc.claims.claim import System
from scc.configuration import lattice
from scc.equilibration.dielectric import DielectricOperator
from scc.functional.energy import EnergyFunctional
from scc.locality import envelope, fit_exponential
from scc.models.hopping import NearestNeighbourHopping
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical
from scc.occupations.fermi_dirac import FermiDirac


def real_space(sites):
    hopping = NearestNeighbourHopping(1.0, cutoff=1.2)  # 1.5 would reach the face diagonals
    parameters = model_b(0.0, (1.0, 1.0), hopping=hopping, width=_cubic_metal.WIDTH)
    configuration = lattice("cubic", sites, 1.0, "Na", periodic=True)
    return OnsiteTightBinding(parameters).prepare(configuration)


@settings(max_examples=6)
@given(st.sampled_from([3, 4, 5]), st.floats(0.1, 4.0), st.floats(-3.0, 3.0))
def test_lattice_convolution_not_the_response_of_the_model(sites, beta, mu):
    metal = _cubic_metal.cubic_metal(sites, beta, mu)
    model = real_space(sites)
    local = model.evaluate(np.zeros(sites**3), FermiDirac(beta, mu))
    unit = np.eye(sites**3)[0]
    scale = beta  # −F′ ≤ β/4; sites³ products of numbers below one
    assert local.potential_response(unit).reshape((sites,) * 3) == pytest.approx(
        metal.independent, abs=1e-13 * scale * sites**3
    )


def test_interaction_not_the_ewald_sum():
    sites = 4
    metal = _cubic_metal.cubic_metal(sites, 1.0, 0.0)
    (coulomb,) = real_space(sites).electrostatics
    row = coulomb.matrix[0].reshape((sites,) * 3)
    # e^{−σ²K²} of the images left out is 5e-13 at the edge of the zone.
    assert np.fft.ifftn(metal.interaction).real == pytest.approx(row, abs=1e-11)


@settings(max_examples=4)
@given(st.sampled_from([4, 5]), st.floats(0.2, 4.0), st.floats(-2.0, 2.0))
def test_screened_response_not_that_of_the_dielectric_operator(sites, beta, mu):
    metal = _cubic_metal.cubic_metal(sites, beta, mu)
    model = real_space(sites)
    features = np.zeros(sites**3)
    grand = EnergyFunctional(model, beta=beta, ensemble=GrandCanonical(mu))
    electrons = grand.evaluate(features).electrons
    state = EnergyFunctional(model, beta=beta, ensemble=Canonical(electrons)).evaluate(features)
    dielectric = DielectricOperator(state)
    unit = np.eye(sites**3)[0]
    screened = dielectric.solve_adjoint(dielectric.independent_response(unit))
    # GMRES to 1e-13 of the right-hand side, in a system of condition ≤ λ_max(ε) < 100.
    assert -screened.reshape((sites,) * 3) == pytest.approx(metal.response, abs=1e-10)


@pytest.mark.parametrize("beta", [0.3, 2.0, 6.0])
def test_imaginary_time_quadrature_too_coarse(beta):
    metal = _cubic_metal.cubic_metal(12, beta, -1.0)
    k = 2.0 * np.pi * np.arange(12) / 12
    band = _cubic_metal.outer_sum(-2.0 * np.cos(k))
    exactly = 2.0 * np.mean(FermiDirac(beta, -1.0).derivative(band))
    assert metal.independent.sum() == pytest.approx(exactly, rel=1e-12)


@pytest.mark.parametrize("direction", ["[100]", "[110]", "[111]"])
def test_friedel_rate_not_that_of_greens_function(direction):
    beta, mu, sites = 2.0, -1.0, 96
    k = 2.0 * np.pi * np.arange(sites) / sites
    band = _cubic_metal.outer_sum(-2.0 * np.cos(k))
    green = np.fft.ifftn(1.0 / (complex(mu, np.pi / beta) - band))
    ones = {"[100]": 1, "[110]": 2, "[111]": 3}[direction]
    n = np.arange(1, 34)
    line = np.abs(green[n, n * (ones > 1), n * (ones > 2)]) ** 2
    r = n * np.sqrt(ones)
    data = envelope(r, line, floor=1e-30)
    fit = fit_exponential(data, 2.0, (8.0 * np.sqrt(ones), 33.0 * np.sqrt(ones)))
    predicted = _cubic_metal.friedel_rate(beta, mu, direction)
    # Other branches of the Fermi surface beat with the slowest one.
    assert fit.rate == pytest.approx(predicted, rel=0.03)


def test_debye_rate_off():
    system = System("hot", {"sites": 40, "beta": 0.1, "mu": -1.0})
    result = metal_screening.measure(system)
    assert result.holds
    assert result.measured["regime"] == "Debye"
    assert result.measured["rate"] == pytest.approx(result.predicted["rate"], rel=2e-3)


def test_debye_length_of_a_hot_dilute_gas():
    """κ² → 4π |χ₀(q=0)| when κ is small: the textbook Debye length."""
    metal = _cubic_metal.cubic_metal(32, 0.002, -1.0)
    kappa = np.sqrt(-4.0 * np.pi * metal.independent.sum())
    found = _cubic_metal.debye_rate(metal, 3.0)
    assert found == pytest.approx(kappa, rel=kappa**2)


def test_an_unscreened_response_passing_for_a_screened_one(monkeypatch):
    right = metal_screening.cubic_metal

    def unscreened(sites, beta, mu):
        metal = right(sites, beta, mu)
        bare = np.fft.ifftn(metal.interaction).real
        return _cubic_metal.CubicMetal(
            metal.independent, metal.interaction, metal.dielectric, bare - bare.min()
        )

    monkeypatch.setattr(metal_screening, "cubic_metal", unscreened)
    system = System("bare", {"sites": 32, "beta": 0.1, "mu": -1.0})
    assert metal_screening.measure(system).holds is False


def test_figure():
    results = [
        metal_screening.measure(System(f"beta {beta}", {"sites": 32, "beta": beta, "mu": -1.0}))
        for beta in (2.0, 0.1)
    ]
    assert len(metal_screening.CLAIM.draw(results).axes) == 2
    assert len(metal_screening.CLAIM.draw([]).axes) == 2
