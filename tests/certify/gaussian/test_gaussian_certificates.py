"""Gaussian certificates: true ones hold against other codes, false ones are refused."""

from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from itertools import chain, product

import flint
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import gaussian_certificates as made
from strategies.configurations import generators
from strategies.pyscf_reference import hartree_only

from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.certify.api import certify
from scc.certify.ball_occupations import FrozenOccupation
from scc.certify.certificate import Certificate, load
from scc.certify.failure import CertificationError, RefusedError
from scc.certify.gaussian import prove
from scc.certify.gaussian.centre import Centre
from scc.certify.gaussian.enclosures import density, energy_weighted
from scc.certify.gaussian.integrals import GaussianIntegrals
from scc.certify.gaussian.kantorovich import FixedPoint
from scc.certify.gaussian.occupations import Step
from scc.certify.newton_kantorovich import radii
from scc.certify.norms import matrix
from scc.cli.main import cli
from scc.configuration import Configuration
from scc.configuration.files import read
from scc.equilibration.equilibrate import equilibrate
from scc.errors import InputError, SccError
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding

WATER = "examples/water.xyz"
CHAIN = "examples/hydrogen_chain.xyz"


@cache
def helium_hydride():
    """With the polynomial model: everything a certificate can state."""
    return made.certificate(made.helium_hydride(), degree=16, electrons=2.0)


@cache
def warm_dimer():
    """Canonical at finite temperature: µ is enclosed, too."""
    return made.certificate(made.hydrogen_chain(2), beta=5.0)


def middle(enclosure):
    return float(enclosure[0])


def radius(enclosure):
    return float(enclosure[1])


def assert_describes(certificate, equilibrium, tolerance=1e-9):
    """Enclosures hold the float64 results, to the latter's accuracy."""
    found = certificate.document["exact"]["enclosures"]
    for enclosure, value in [
        (found["energy"], equilibrium.energy),
        (found["gap"], equilibrium.gap),
        *zip(found["charges"], equilibrium.charges, strict=True),
        *zip(chain(*found["forces"]), equilibrium.forces.ravel(), strict=True),
    ]:
        assert radius(enclosure) < 1e-12
        assert abs(middle(enclosure) - value) < tolerance


# -- true certificates -----------------------------------------------------------------------------

CASES = {
    "H2": (made.hydrogen_chain(2), {}),
    "H4": (made.hydrogen_chain(4), {}),
    "HeH+": (made.helium_hydride(), {"electrons": 2.0}),
    "H4, warm": (made.hydrogen_chain(4), {"beta": 8.0}),
    "H2, room temperature": (made.hydrogen_chain(2), {"beta": 1000.0}),
    "H4, grand-canonical": (made.hydrogen_chain(4), {"mu": 0.45}),
    "H2, warm, grand-canonical": (made.hydrogen_chain(2), {"mu": 0.3, "beta": 4.0}),
    "H4, smeared nuclei": (made.hydrogen_chain(4), {"nuclear_exponent": 3.0}),
    "H2, orthonormal, warm": (made.hydrogen_chain(2), {"overlap": "orthonormal", "beta": 3.0}),
    "FH": (Configuration(("F", "H"), np.array([[0.0, 0.1, 0.2], [0.8, 1.2, 1.2]])), {}),
    "H4, one Gaussian": (
        made.hydrogen_chain(4),
        {"basis": partial(single_gaussian, exponent=0.5), "nuclear_exponent": 2.0},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_certificates_hold_and_describe_the_equilibrium(name):
    configuration, how = CASES[name]
    equilibrium = made.equilibrium(configuration, **how)
    certificate = certify(equilibrium)
    lines = certificate.check()
    assert len(lines) == 2
    assert_describes(certificate, equilibrium)
    assert float(certificate.document["exact"]["existence_radius"]) < 1e-20


@settings(max_examples=4)
@given(
    short=st.floats(1.1, 1.8),
    long=st.floats(2.0, 4.0),
    beta=st.sampled_from([np.inf, 25.0]),
)
def test_energies_that_differ_from_those_of_pyscf(short, long, beta):
    configuration = made.hydrogen_chain(4, short, long)
    found = made.certificate(configuration, beta=beta).document["exact"]["enclosures"]
    field = hartree_only(configuration, beta)
    energy = field.kernel()
    reference = energy if np.isinf(beta) else field.e_free
    assert abs(middle(found["energy"]) - reference) < 1e-9 > radius(found["energy"])
    levels = [middle(level) for level in found["eigenvalues"]]
    np.testing.assert_allclose(levels, field.mo_energy, atol=1e-7)


def test_filled_shells_respond_to_nothing_and_have_no_gap():
    """He₂ in one orbital an atom: F = 1 whatever V, so that V is known as well as the integrals."""
    pair = Configuration(("He", "He"), np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 4.0]]))
    certificate = made.certificate(pair)
    assert certificate.check()
    solution = certificate.document["exact"]
    assert solution["enclosures"]["gap"] is None
    assert float(solution["constants"]["slope"]) == 0.0
    ten = 10 * Fraction(solution["existence_radius"])
    with pytest.raises(RefusedError):
        made.changed(certificate, ("exact", "centre", 0), made.plus(ten)).check()


@pytest.mark.parametrize(
    "species", [pytest.param(("N", "N"), marks=pytest.mark.slow), ("Be",)], ids="-".join
)
def test_levels_degenerate_by_symmetry_are_certified(species):
    """π levels and p shells coincide: no eigenvector is determined, F(H) is."""
    positions = np.array([[0.0, 0.3, 2.0], [0.0, 0.0, 0.0]])[: len(species)]
    certificate = made.certificate(Configuration(species, positions))
    assert certificate.check()


def test_forces_are_the_slopes_of_certified_energies():
    """Energies known to 1e-19: central differences of two step sizes, error h⁴ f⁽⁵⁾."""
    start = made.helium_hydride()
    direction = np.array([[0.3, -0.2, 0.5], [-0.1, 0.7, 0.2]])

    def energy(t):
        moved = Configuration(start.species, start.positions + t * direction)
        found = made.certificate(moved, electrons=2.0).document["exact"]["enclosures"]
        return Decimal(found["energy"][0])

    h = 1e-3
    one = float(energy(h) - energy(-h)) / (2 * h)
    two = float(energy(2 * h) - energy(-2 * h)) / (4 * h)
    forces = helium_hydride().document["exact"]["enclosures"]["forces"]
    slope = -sum(middle(forces[i][j]) * direction[i, j] for i, j in product(range(2), range(3)))
    assert abs((4 * one - two) / 3 - slope) < 1e-9


def test_the_distance_to_the_polynomial_solution_shrinks_with_the_degree():
    apart = []
    for degree in (8, 16, 24):
        certificate = made.certificate(made.hydrogen_chain(2), degree=degree)
        assert any("apart" in line for line in certificate.check())
        apart.append(middle(certificate.document["distance"]["hilbert-schmidt"]))
    assert apart[2] < 0.1 * apart[1] < 0.01 * apart[0]


# -- false certificates ----------------------------------------------------------------------------


def false_ones(certificate):
    """(name, false certificate): one number after the other is off by more than is stated of it."""
    document = certificate.document
    for part in ("exact", "polynomial"):
        if part not in document:
            continue
        solution = document[part]
        existence = Fraction(solution["existence_radius"])
        for k in range(len(solution["centre"])):
            yield (
                f"{part} centre {k} by ten radii",
                made.changed(certificate, (part, "centre", k), made.plus(10 * existence)),
            )
        yield (
            f"{part} existence radius",
            made.changed(certificate, (part, "existence_radius"), made.times(Fraction(1, 2))),
        )
        for name in solution["constants"]:
            yield (
                f"{part} constant {name}",
                made.changed(certificate, (part, "constants", name), made.times(Fraction(99, 100))),
            )
        for path in made.enclosures(solution["enclosures"]):
            width = Fraction(solution_at(solution["enclosures"], path)[1])
            yield (
                f"{part} {path}",
                made.changed(certificate, (part, "enclosures", *path, 0), made.plus(2 * width)),
            )
    if "polynomial" in document:
        yield (
            "uniqueness radius",
            made.changed(certificate, ("polynomial", "uniqueness_radius"), made.times(3)),
        )
        width = Fraction(document["distance"]["hilbert-schmidt"][1])
        yield (
            "distance",
            made.changed(certificate, ("distance", "hilbert-schmidt", 0), made.plus(2 * width)),
        )
        for k in range(len(document["polynomial"]["coefficients"])):
            yield (
                f"coefficient {k}",
                made.changed(
                    certificate,
                    ("polynomial", "coefficients", k),
                    made.plus(Fraction(1, 10**9)),
                ),
            )
    sixth = Fraction(1, 10**6)
    for atom, axis in product(range(len(document["input"]["positions"])), range(3)):
        yield (
            f"position {atom} {axis}",
            made.changed(certificate, ("input", "positions", atom, axis), made.plus(sixth)),
        )
    for path in (
        ("shells", 0, 0, "exponents", 0),
        ("shells", 0, 0, "coefficients", 1),
        ("nuclear_charges", 0),
    ):
        yield (
            f"parameter {path}",
            made.changed(certificate, ("input", "parameters", *path), made.plus(sixth)),
        )
    yield (
        "nuclei",
        made.changed(certificate, ("input", "parameters", "nuclear_exponent"), lambda _: "1000000"),
    )
    yield (
        "overlap",
        made.changed(certificate, ("input", "parameters", "overlap"), lambda _: "orthonormal"),
    )
    yield (
        "electrons",
        made.changed(certificate, ("input", "ensemble", "electrons"), lambda _: "4"),
    )
    yield "temperature", made.changed(certificate, ("input", "beta"), lambda _: "3")


def solution_at(place, path):
    for key in path:
        place = place[key]
    return place


@pytest.mark.parametrize("which", [helium_hydride, warm_dimer], ids=lambda f: f.__name__)
def test_false_certificates_are_refused(which):
    certificate = which()
    assert certificate.check()
    reasons = {}
    for name, false in false_ones(certificate):
        try:
            false.check()
        except RefusedError as refused:
            reasons[name] = str(refused)
        else:
            reasons[name] = "accepted"
    assert len(reasons) > 30
    assert [name for name, reason in reasons.items() if reason == "accepted"] == []
    # Another geometry is another problem, not one the checker cannot compute.
    moved = [reason for name, reason in reasons.items() if name.startswith("position")]
    assert len(moved) == 6
    assert all("known within" in r or "chemical_potential" in r for r in moved), moved


def test_statements_the_checker_does_not_know_are_refused():
    """Nothing in a valid certificate is there without having been verified."""
    certificate = helium_hydride()
    extra = {"dipole": ["0", "1"]}
    for path, change in (
        (("exact", "enclosures"), lambda found: found | extra),
        (("exact", "constants"), lambda found: found | {"lipschitz": "1"}),
        (("polynomial", "enclosures", "gap"), lambda _: ["1", "0.5"]),
        (("distance",), lambda found: found | {"infinity": ["0", "1"]}),
        (("conventions", 0), lambda text: text.replace("Hartree", "Rydberg")),
        (("exact", "norms", "existence"), lambda _: "maximum norm"),
        (("exact",), lambda part: part | {"dipole": ["0", "1"]}),
        (("input", "parameters"), lambda found: found | {"exchange_correlation": "lda"}),
        (("input", "species"), lambda found: [*found, "H"]),
        (("input", "ensemble"), lambda found: found | {"chemical_potential": "1"}),
    ):
        with pytest.raises(RefusedError):
            made.changed(certificate, path, change).check()
    document = {key: part for key, part in certificate.document.items() if key != "polynomial"}
    with pytest.raises(RefusedError, match="parts"):
        Certificate(document).check()


def test_a_true_statement_with_room_to_spare_is_accepted():
    """The checker verifies statements, not the digits the prover chose."""
    certificate = helium_hydride()
    for path in (("exact", "existence_radius"), ("exact", "constants", "inverse")):
        assert made.changed(certificate, path, made.times(2)).check()
    energy = ("exact", "enclosures", "energy", 1)
    assert made.changed(certificate, energy, made.times(1000)).check()


@given(
    path=st.sampled_from(
        [
            ("exact",),
            ("exact", "centre"),
            ("exact", "constants", "slope"),
            ("exact", "existence_radius"),
            ("exact", "enclosures", "forces"),
            ("exact", "norms"),
            ("polynomial", "interval"),
            ("polynomial", "coefficients"),
            ("input", "positions"),
            ("input", "ensemble"),
            ("input", "parameters"),
            ("input", "parameters", "shells_of_atom"),
            ("input", "parameters", "shells", 0, 0, "exponents", 1),
            ("input", "parameters", "nuclear_exponent"),
        ]
    ),
    junk=st.sampled_from([None, [], {}, "", "nan", "-1", 3, ["0"], [["0", "1"]], "1e999999"]),
)
@settings(max_examples=40)
def test_malformed_certificates_are_refused_in_one_line(path, junk):
    if junk is None:
        assume(path[-1] != "nuclear_exponent")  # points: what it was
    with pytest.raises(RefusedError) as caught:
        made.changed(helium_hydride(), path, lambda _: junk).check()
    assert "\n" not in str(caught.value)


# -- what has no certificate -----------------------------------------------------------------------


def test_degenerate_square_of_hydrogen_has_no_certificate():
    """Four electrons, two of them in a level that is twofold by symmetry."""
    corners = np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])
    with pytest.raises((CertificationError, InputError), match="gap"):
        made.certificate(Configuration(("H",) * 4, corners))


def test_unconverged_equilibria_have_no_certificate():
    bound = GaussianTightBinding().prepare(made.hydrogen_chain(4))
    equilibrium = equilibrate(EnergyFunctional(bound), max_builds=2)
    assert not equilibrium.converged
    with pytest.raises(CertificationError, match="nothing to certify"):
        certify(equilibrium)


def test_a_potential_far_from_any_solution_is_not_certified():
    """The conditions decide, not the status: from nonsense a Newton step does not contract."""
    configuration = made.hydrogen_chain(4)
    equilibrium = made.equilibrium(configuration)
    assembly = equilibrium.functional.model.assembly
    rng = np.random.default_rng(3)
    noise = rng.normal(size=equilibrium.features.shape)
    with flint.ctx.workprec(128):
        integrals = GaussianIntegrals(assembly.basis, assembly.nuclear_charges)

        def problem(size):
            potential = matrix(equilibrium.features + size * (noise + noise.T))
            step = FrozenOccupation(2, None)
            centre = Centre(
                integrals, integrals.overlap, potential, lambda levels, _: Step(step, levels)
            )
            return FixedPoint(centre)

        assert radii(problem(1e-4)).existence > 1e-5
        with pytest.raises(CertificationError, match="condition fails"):
            radii(problem(0.3))


@settings(max_examples=10)
@given(rng=generators(), size=st.floats(1e-8, 1e-3))
def test_density_matrices_that_leave_their_enclosures(rng, size):
    """D and W at V̄ + dV, ‖dV‖ = size, lie within what is said of all such V at V̄."""
    assembly = GaussianTightBinding().prepare(made.hydrogen_chain(4)).assembly
    with flint.ctx.workprec(128):
        integrals = GaussianIntegrals(assembly.basis, assembly.nuclear_charges)
        root = np.linalg.inv(assembly.loewdin.inverse_square_root)
        noise = rng.normal(size=(4, 4))
        noise = noise + noise.T
        # ‖S^{-1/2} A S^{-1/2}‖ = size, less some rounding.
        step = root @ (noise * (1.0 - 1e-12) * size / np.linalg.norm(noise)) @ root

        def centre(potential):
            return Centre(
                integrals,
                integrals.overlap,
                matrix(0.5 * (potential + potential.T)),
                lambda levels, _: Step(FrozenOccupation(2, None), levels),
            )

        start = assembly.electrostatics[0].potential(assembly.initial_density())
        here, there = centre(start), centre(start + step)
        radius = flint.arb(size)
        shift = here.occupation.slope(radius) * radius
        zero = flint.arb(0)
        assert density(here, shift).contains(density(there, zero).mid())
        moved = energy_weighted(there, zero, zero).mid()
        assert energy_weighted(here, shift, radius).contains(moved)
        assert not energy_weighted(here, zero, zero).contains(moved)


def test_levels_that_want_to_cross_have_no_certificate():
    """An almost square rectangle is best off with fractional occupations: no gap, no solution."""
    a, b = 1.0, 1.0005
    corners = np.array([[a, b, 0.0], [a, -b, 0.0], [-a, -b, 0.0], [-a, b, 0.0]])
    bound = GaussianTightBinding().prepare(Configuration(("H",) * 4, corners))
    with pytest.raises((CertificationError, InputError), match=r"nothing to certify|no gap"):
        certify(equilibrate(EnergyFunctional(bound), max_builds=30))


def test_models_certificates_do_not_cover():
    bound = GaussianTightBinding(features=(PotentialFunction(0, 0.5),)).prepare(
        made.hydrogen_chain(2)
    )
    equilibrium = equilibrate(EnergyFunctional(bound, beta=5.0))
    with pytest.raises(InputError, match="complete"):
        certify(equilibrium)


# -- the acceptance cases --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("path", [WATER, CHAIN])
def test_water_and_ten_hydrogen_atoms(path, request):
    configuration = read(request.config.rootpath / path)
    equilibrium = made.equilibrium(configuration)
    certificate = certify(equilibrium)
    assert certificate.check()
    assert_describes(certificate, equilibrium)
    reference = hartree_only(configuration).kernel()
    energy = certificate.document["exact"]["enclosures"]["energy"]
    assert abs(middle(energy) - reference) < 1e-9
    ten = 10 * Fraction(certificate.document["exact"]["existence_radius"])
    sixth = made.plus(Fraction(1, 10**6))
    for false in (
        made.changed(certificate, ("exact", "centre", 0), made.plus(ten)),
        made.changed(certificate, ("input", "positions", 1, 0), sixth),
    ):
        with pytest.raises(RefusedError):
            false.check()


def test_working_precision_is_left_as_it_was():
    before = flint.ctx.prec
    helium_hydride().check()
    assert flint.ctx.prec == before


# -- how honest the error bounds are: centres so coarse that they matter ---------------------------


@pytest.mark.parametrize(
    ("name", "places"),
    [("H4", 5), ("HeH+", 9), ("H4, warm", 9), ("H2, warm, grand-canonical", 5)],
)
def test_enclosures_about_coarse_centres_hold_the_fine_values(name, places, monkeypatch):
    """Radii of 1e-5 and 1e-9 instead of 1e-24, and nothing added for good measure."""
    configuration, how = CASES[name]
    fine = made.certificate(configuration, degree=12, **how)
    monkeypatch.setattr(prove, "_PLACES", places)
    monkeypatch.setattr(prove, "_SLACK", flint.arb(0))
    coarse = made.certificate(configuration, degree=12, **how)
    assert coarse.check()
    for part in ("exact", "polynomial"):
        stated, known = (c.document[part]["enclosures"] for c in (coarse, fine))
        existence = Fraction(coarse.document[part]["existence_radius"])
        assert Fraction(1, 10 ** (places + 3)) < existence < Fraction(1, 10 ** (places - 2))
        for path in made.enclosures(known):
            m, r = (Fraction(x) for x in solution_at(stated, path))
            value, width = (Fraction(x) for x in solution_at(known, path))
            assert abs(m - value) <= r + width, path
            # A force or charge that symmetry makes vanish is known exactly.
            assert r < 10**5 * existence, path
        apart = np.array(
            [
                float(Fraction(a) - Fraction(b))
                for a, b in zip(
                    coarse.document[part]["centre"], fine.document[part]["centre"], strict=True
                )
            ]
        )
        assert np.any(apart != 0.0)
    distance = [c.document["distance"]["hilbert-schmidt"] for c in (coarse, fine)]
    assert abs(middle(distance[0]) - middle(distance[1])) <= radius(distance[0]) * (1 + 1e-9)


@pytest.mark.parametrize("name", ["HeH+", "H2, warm, grand-canonical"])
def test_enclosures_narrower_than_the_checker_can_verify_are_refused(name, monkeypatch):
    """The checker has error bounds of its own, not only values: true or not, it cannot tell."""
    configuration, how = CASES[name]
    monkeypatch.setattr(prove, "_PLACES", 5)
    monkeypatch.setattr(prove, "_SLACK", flint.arb(0))
    certificate = made.certificate(configuration, **how)
    solution = certificate.document["exact"]
    for path in (("charges", 0), ("eigenvalues", 1), ("forces", 0, 0), ("gap",)):
        place = ("exact", "enclosures", *path, 1)
        assert made.changed(certificate, place, made.times(2)).check()
        with pytest.raises(RefusedError):
            made.changed(certificate, place, made.times(Fraction(1, 50))).check()
    assert solution["uniqueness_radius"] == "inf"


def test_stretched_hydrogen_has_no_certificate():
    """At 18 bohr the gap is e^{−R}: the condition that fails is named with its value."""
    with pytest.raises(SccError, match=r"condition fails|no gap|diverged|stalled"):
        made.certificate(made.hydrogen_chain(2, 18.0))


def test_the_command_certifies_and_verifies(tmp_path):
    """The default model of the command is this one."""
    structure, out = tmp_path / "dimer.xyz", tmp_path / "dimer.json"
    structure.write_text("2\n\nH 0 0 0\nH 0.1 0.2 0.7\n")
    run = CliRunner().invoke(cli, ["certify", str(structure), "--out", str(out)])
    assert run.exit_code == 0, run.output
    run = CliRunner().invoke(cli, ["certify", "--check", str(out)])
    assert run.exit_code == 0
    assert "valid" in run.output
    energy = ("exact", "enclosures", "energy", 0)
    made.changed(load(out), energy, made.plus(Fraction(1, 10**6))).save(out)
    run = CliRunner().invoke(cli, ["certify", "--check", str(out)])
    assert run.exit_code != 0
    assert isinstance(run.exception, SystemExit)
