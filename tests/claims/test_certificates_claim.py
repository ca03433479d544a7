"""The claim certificates: its falsified certificate is false, and its figure can be drawn."""

import numpy as np

from scc.certify import certify, decimals
from scc.claims import certificates
from scc.claims._onsite_systems import equilibrium, model_b_chain
from scc.claims.claim import System


def small(kind):
    parameters = {"kind": kind, "atoms": 6, "degree": 30} | certificates._KINDS[kind]
    return System(f"{kind}, M = 6", parameters)


def test_small_systems_hold_and_are_drawn():
    results = [certificates.measure(small(kind)) for kind in certificates._KINDS]
    assert all(result.holds for result in results)
    for result in results:
        low, high = result.measured["distance of v_N and v [Hartree]"]
        assert 0.0 < low <= high
    assert len(certificates.draw(results).axes) == 2


def test_a_moved_centre_is_moved_by_ten_radii_and_refused():
    document = certify(equilibrium(model_b_chain(4, (1.0, 1.3), 2.0, (1.4, 0.6)), np.inf)).document
    moved = certificates._moved(document)
    before, after = (decimals.fraction(d["exact"]["centre"][0]) for d in (document, moved))
    assert after - before == 10 * decimals.fraction(document["exact"]["existence_radius"])
    assert certificates._refusal(document) is None
    assert "centre" in certificates._refusal(moved)


def test_depth_is_behind_full():
    short = {system.description for system in certificates.systems(False)}
    long = {system.description for system in certificates.systems(True)}
    assert short < long
