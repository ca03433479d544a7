"""equilibrated-decay: powers on shorter chains, and that a wrong power or a wrong metal fails."""

import numpy as np
import pytest

from scc.claims import equilibrated_decay
from scc.claims.claim import System
from scc.models.hopping import ExponentialHopping
from scc.occupations.fermi_dirac import FermiDirac

DIMER = {
    "model": "onsite",
    "beta": "inf",
    "atoms": 300,
    "spacings": [1.0, 1.3],
    "gap": 2.0,
    "charges": [1.4, 0.6],
    "window": [40.0, 110.0],
    "symmetry": "none",
}


@pytest.fixture(scope="module")
def contrast():
    return equilibrated_decay.measure(System("dimer", DIMER))


def test_powers_of_a_shorter_chain(contrast):
    assert contrast.holds, (contrast.measured, contrast.predicted)


def test_exponential_at_fixed_potential_and_algebraic_after_equilibration(contrast):
    fixed = contrast.series["fixed charge"]
    equilibrated = contrast.series["equilibrated charge"]
    far = 20.0
    assert fixed[1][fixed[0] > far].max() < 1e-9
    assert equilibrated[1][np.abs(equilibrated[0] - far) < 2.0].min() > 1e-6


def test_inversion_symmetry_taken_for_none():
    uniform = {**DIMER, "spacings": [1.0, 1.0], "window": [30.0, 90.0]}
    assert equilibrated_decay.measure(System("uniform", uniform)).holds is False
    named = {**uniform, "symmetry": "inversion at the atoms"}
    assert equilibrated_decay.measure(System("uniform", named)).holds is True


def test_gaussian_orbitals_show_the_same():
    parameters = {
        "model": "gaussian",
        "overlap": "loewdin",
        "beta": "inf",
        "atoms": 120,
        "spacings": [1.6, 3.0],
        "exponent": 0.8,
        "charges": [1.3, 0.7],
        "window": [30.0, 90.0],
        "symmetry": "none",
    }
    result = equilibrated_decay.measure(System("gaussian", parameters))
    assert result.holds, (result.measured, result.predicted)


def metal(atoms):
    return System("metal", {"model": "onsite", "beta": 6.0, "atoms": atoms, "symmetry": "metal"})


def test_metallic_chain_against_the_infinite_one():
    result = equilibrated_decay.measure(metal(500))
    assert result.holds, (result.measured, result.predicted)


def test_a_metal_without_its_logarithm_passing(monkeypatch):
    right = equilibrated_decay.infinite_metallic_chain

    def simple_power(beta, longest):
        mu, potential, charge = right(beta, longest)
        r = np.arange(longest + 1) + 1e-9
        return mu, potential[20] * 20.0 / r, charge[20] * 20.0 / r

    monkeypatch.setattr(equilibrated_decay, "infinite_metallic_chain", simple_power)
    assert equilibrated_decay.measure(metal(300)).holds is False


def test_infinite_chain_sum_rules():
    """J(q) by direct summation, χ₀(0) from the band; at q → 0 the response vanishes."""
    beta = 6.0
    mu, potential, charge = equilibrated_decay.infinite_metallic_chain(beta, 2000)
    k = 2.0 * np.pi * np.arange(4096) / 4096
    hopping = ExponentialHopping()
    band = sum(2.0 * float(hopping(np.array(float(n)))) * np.cos(n * k) for n in (1, 2, 3, 4))
    assert np.mean(FermiDirac(beta, mu).occupation(band)) == pytest.approx(0.5, abs=1e-12)
    # Partial sums of a response that decays like 1/(r ln² r) tend to zero like 1/ln r.
    partial = charge[0] + 2.0 * np.cumsum(charge[1:])
    assert abs(partial[-1]) < abs(partial[100]) < abs(partial[10])
    # Between atoms: Poisson's equation in the form v = V_ext + J p, p = −q, at the site itself.
    r = np.arange(1.0, 2001.0)
    from scipy.special import erf

    interaction = np.concatenate([[2.0 / np.sqrt(np.pi)], erf(r) / r])
    tail = interaction - interaction[-1]  # the sum of q is zero, so a constant does not matter
    self_consistent = 1.0 - (tail[0] * charge[0] + 2.0 * np.sum(tail[1:] * charge[1:]))
    assert self_consistent == pytest.approx(potential[0], abs=2e-3)


def test_figure(contrast):
    figure = equilibrated_decay.CLAIM.draw([contrast, equilibrated_decay.measure(metal(200))])
    assert len(figure.axes) == 4
    assert len(equilibrated_decay.CLAIM.draw([contrast]).axes) == 4
