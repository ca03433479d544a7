"""On-site certificates hold what mpmath finds, survive their check, and false ones do not."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from strategies.certificates import (
    DIGITS,
    Small,
    Solved,
    every_falsehood,
    falsified,
    molecules,
    small_systems,
)

from scc.certify import CertificationError, RefusedError, certify, load
from scc.certify.certificate import Certificate, checksum
from scc.configuration import chain
from scc.electrostatics.site_terms import OnsiteHubbard
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.solvers import NewtonKrylov
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b, nearest_neighbour_chain
from scc.models.onsite import OnsiteTightBinding

# Central differences of the reference forces: h² ~ 1e-26 times third derivatives below 100.
FORCE_ERROR = mpmath.mpf("1e-23")

SMALL = Small(1, 4, 1, 1.0, 0.2, 0.5, 1.0, 20.0, None, False)


def certified(system, degree=None):
    """(equilibrium, certificate); examples without either are no examples."""
    equilibrium = system.equilibrium()
    assume(equilibrium is not None and equilibrium.converged)
    # Below 1e-6 Hartree float64 cannot tell which side of a crossing it is on.
    assume(not math.isinf(system.beta) or equilibrium.gap > 1e-3)
    try:
        return equilibrium, certify(equilibrium, degree)
    except CertificationError:
        if degree is None:  # only F_N may have no critical point to be found
            raise
        reject()


def holds(stated, value, error=0):
    middle, radius = (mpmath.mpf(x) for x in stated)
    return abs(value - middle) <= radius + error


def all_hold(stated, values, error=0):
    return len(stated) == len(values) and all(
        holds(one, other, error) for one, other in zip(stated, values, strict=True)
    )


def assert_contains(part, solved):
    centre = [mpmath.mpf(v) for v in part["centre"]]
    distance = mpmath.norm([a - b for a, b in zip(centre, solved.features, strict=True)], 2)
    assert distance <= mpmath.mpf(part["existence_radius"])
    enclosed = part["enclosures"]
    assert holds(enclosed["energy"], solved.energy)
    assert all_hold(enclosed["charges"], solved.charges)
    assert holds(enclosed["electrons"], solved.electrons)
    assert all_hold(enclosed["eigenvalues"], solved.levels)
    for stated, force in zip(enclosed["forces"], solved.forces, strict=True):
        assert all_hold(stated, force, FORCE_ERROR)


@settings(max_examples=20)
@given(small_systems(largest=6))
def test_the_exact_solution_lies_in_every_certified_ball(system):
    equilibrium, certificate = certified(system)
    with mpmath.workdps(DIGITS):
        solved = Solved(certificate.document, equilibrium.features.tolist())
        part = certificate.document["exact"]
        assert_contains(part, solved)
        if "chemical_potential" in part["enclosures"]:
            # The reference knows N to its digits, and µ to those of N over dN/dµ ~ e^{−β gap/2}.
            beta = mpmath.mpf(certificate.document["input"]["beta"])
            filled = [1 / (1 + mpmath.exp(beta * (x - solved.mu))) for x in solved.levels]
            rate = sum(2 * beta * f * (1 - f) for f in filled)
            known = mpmath.mpf(10) ** (3 - DIGITS) / rate
            assert holds(part["enclosures"]["chemical_potential"], solved.mu, known)
        if part["enclosures"]["gap"] is not None:
            gaps = [b - a for a, b in zip(solved.levels, solved.levels[1:], strict=False)]
            assert any(holds(part["enclosures"]["gap"], gap) for gap in gaps)
            assert holds(part["enclosures"]["gap"], equilibrium.gap, 1e-10)


@settings(max_examples=12)
@given(small_systems(largest=5), st.integers(4, 30))
def test_the_polynomial_solution_lies_in_every_certified_ball(system, degree):
    _, certificate = certified(system, degree)
    part = certificate.document["polynomial"]
    with mpmath.workdps(DIGITS):
        start = [mpmath.nstr(mpmath.mpf(v), 8) for v in part["centre"]]
        solved = Solved(certificate.document, start, part)
        assert_contains(part, solved)
        exact = Solved(certificate.document, certificate.document["exact"]["centre"])
        apart = [a - b for a, b in zip(solved.features, exact.features, strict=True)]
        assert holds(certificate.document["distance"]["infinity"], max(abs(x) for x in apart))
        assert holds(certificate.document["distance"]["2"], mpmath.norm(apart, 2))


@given(small_systems(), st.one_of(st.none(), st.integers(6, 30)))
def test_every_certificate_passes_its_independent_check(system, degree):
    _, certificate = certified(system, degree)
    lines = certificate.check()
    assert any("no other one at all" in line for line in lines)
    assert (degree is not None) == any(line.startswith("polynomial") for line in lines)


@settings(max_examples=4 * settings().max_examples)
@given(st.data(), small_systems(), st.one_of(st.none(), st.integers(6, 30)))
def test_a_false_certificate_is_refused(data, system, degree):
    _, certificate = certified(system, degree)
    done, document = data.draw(falsified(certificate.document))
    with pytest.raises(RefusedError) as refused:
        Certificate(document).check()
    assert len(str(refused.value).splitlines()) == 1, done


def test_each_single_number_of_a_certificate_matters():
    document = certify(SMALL.equilibrium(), 40).document
    Certificate(document).check()
    accepted = []
    for name, changed in every_falsehood(document):
        try:
            Certificate(changed).check()
        except RefusedError:
            continue
        accepted.append(name)
    assert not accepted


@settings(max_examples=15)
@given(st.data(), molecules(), st.one_of(st.none(), st.just(12)))
def test_molecules_with_p_shells_agree_with_the_library_and_falsehoods_are_refused(
    data, equilibrium, degree
):
    assume(equilibrium.converged and not equilibrium.gap < 1e-3)
    try:
        certificate = certify(equilibrium, degree)
    except CertificationError:
        if degree is None:
            raise
        reject()
    certificate.check()
    part = certificate.document["exact"]["enclosures"]

    def floats(stated):
        return np.array([float(middle) for middle, _ in stated])

    # Solved to 1e-10 electrons; forces and charges respond with constants of at most 10³.
    np.testing.assert_allclose(floats(part["charges"]), equilibrium.charges, atol=1e-7)
    assert float(part["energy"][0]) == pytest.approx(equilibrium.energy, abs=1e-9)
    forces = np.array([floats(row) for row in part["forces"]])
    np.testing.assert_allclose(forces, equilibrium.forces, atol=1e-7)
    done, document = data.draw(falsified(certificate.document))
    with pytest.raises(RefusedError) as refused:
        Certificate(document).check()
    assert str(refused.value), done


def test_a_file_round_trips_and_its_checksum_guards_against_accidents(tmp_path):
    certificate = certify(SMALL.equilibrium())
    path = tmp_path / "cert.json"
    certificate.save(path)
    assert load(path).document == certificate.document
    text = path.read_text()
    assert list(tmp_path.iterdir()) == [path]
    energy = certificate.document["exact"]["enclosures"]["energy"][0]
    path.write_text(text.replace(energy, energy[:-1] + ("1" if energy[-1] != "1" else "2")))
    with pytest.raises(RefusedError, match="checksum"):
        load(path)
    assert certificate.document["checksum"] == checksum(certificate.document)


def test_an_unstable_equilibrium_is_refused_with_the_eigenvalue_that_makes_it_so():
    """Half filling on a bipartite chain: v̂ = 0 solves T, and an attraction makes it unstable."""
    model = OnsiteTightBinding(nearest_neighbour_chain()).prepare(chain(4, 1.0, "Na"))
    attraction = OnsiteHubbard(np.full(4, -6.0), np.ones(4))
    found = equilibrate(EnergyFunctional(model, beta=5.0, extra_terms=[attraction]), NewtonKrylov())
    assert found.status == "unstable"
    with pytest.raises(CertificationError, match=r"eigenvalue of the dielectric operator -\d"):
        certify(found)


def test_what_certificates_do_not_cover_is_named():
    functional = SMALL.equilibrium().functional
    repulsion = OnsiteHubbard(np.full(4, 0.5), functional.model.nuclear_charges)
    other = equilibrate(EnergyFunctional(functional.model, beta=20.0, extra_terms=[repulsion]))
    with pytest.raises(InputError, match="OnsiteHubbard"):
        certify(other)
    with pytest.raises(InputError, match="degree"):
        certify(SMALL.equilibrium(), 1)


@pytest.mark.parametrize(
    ("gap", "charges", "spacings", "beta", "degree"),
    [
        (0.0, (1.2, 0.8), (1.0, 1.0), 10.0, 40),
        (2.0, (1.4, 0.6), (1.0, 1.3), math.inf, 24),
        (2.0, (1.4, 0.6), (1.0, 1.3), 300.0, None),
    ],
)
@pytest.mark.parametrize("atoms", [21, 34])
def test_balls_do_not_widen_with_the_number_of_atoms(atoms, gap, charges, spacings, beta, degree):
    """In proof and check alike: naive elimination in balls loses a bit or two an atom."""
    atoms -= atoms % 2 if math.isinf(beta) else 0
    geometry = chain(atoms, spacings, ("Na", "Cl"))
    model = OnsiteTightBinding(model_b(gap, charges)).prepare(geometry)
    certificate = certify(equilibrate(EnergyFunctional(model, beta=beta)), degree)
    for part in ("exact", "polynomial"):
        if part in certificate.document:
            assert float(certificate.document[part]["existence_radius"]) < 1e-28
    certificate.check()
