"""Names, files and objects become subjects; whatever is none of these is refused in one line."""

import ase.calculators.emt
import ase.calculators.tip3p
import numpy as np
import pytest
from strategies.battery import DIMER

from scc.ace.registry import fitted_model
from scc.battery.ase_subject import CalculatorSubject
from scc.battery.bench import Bench
from scc.battery.direct_subject import DirectSubject
from scc.battery.models import known_names, subject_of
from scc.battery.projected_subject import ProjectedSubject
from scc.battery.structures import water
from scc.battery.subject import Subject, UnsupportedError
from scc.battery.variational_subject import VariationalSubject
from scc.configuration import Configuration
from scc.errors import InputError
from scc.models.registry import model_by_name
from scc.units import ANGSTROM, EV


@pytest.mark.parametrize(
    ("name", "kind"),
    [("onsite", VariationalSubject), ("eem", DirectSubject), ("water", ProjectedSubject)],
)
def test_the_closure_follows_the_model(name, kind):
    subject = subject_of(name, [DIMER])
    assert isinstance(subject, kind)
    assert subject.name == name


def test_objects_are_models_too():
    assert isinstance(subject_of(model_by_name("onsite"), [DIMER]), VariationalSubject)
    assert isinstance(subject_of(fitted_model("water"), [DIMER]), ProjectedSubject)
    calculator = subject_of(ase.calculators.emt.EMT())
    assert isinstance(calculator, CalculatorSubject)
    assert subject_of(calculator) is calculator


def test_module_and_object_are_imported_and_called(tmp_path, monkeypatch):
    (tmp_path / "of_mine.py").write_text(
        "from scc.models.registry import model_by_name\n"
        "def made():\n    return model_by_name('eem')\n"
        "there = made()\n"
        "broken = 1 / 0 if False else 3\n"
        "def fails():\n    raise RuntimeError('not today')\n"
    )
    monkeypatch.chdir(tmp_path)
    for name in ("of_mine:made", "of_mine:there", f"{tmp_path}/of_mine.py:made"):
        assert isinstance(subject_of(name, [DIMER]), DirectSubject)
    for name, says in (
        ("of_mine:nothing", "has no 'nothing'"),
        ("of_mine:broken", "a int is no model"),
        ("of_mine:fails", "RuntimeError: not today"),
        ("no_such_module:x", "cannot import no_such_module"),
        ("no_such_file.py:x", "no such file"),
        ("no-such-model", "no model 'no-such-model'"),
    ):
        with pytest.raises(InputError, match=says):
            subject_of(name, [DIMER])


def test_every_shipped_name_is_known_with_a_line():
    names = known_names()
    assert {"onsite", "gaussian", "qeq", "eem", "cent", "water", "gfn2", "gfn1"} <= set(names)
    assert all(line.strip() for line in names.values())


@pytest.mark.parametrize("name", ["onsite", "eem", "water"])
def test_a_random_start_and_a_restart_find_the_same(name):
    subject: Subject = subject_of(name, [DIMER])
    own = subject.solve(DIMER)
    for start in (np.random.default_rng(3), own):
        again = subject.solve(DIMER, start)
        assert again.converged
        assert again.charges == pytest.approx(own.charges, abs=10 * subject.accuracy)
        assert again.forces == pytest.approx(own.forces, abs=10 * subject.accuracy)


@pytest.mark.parametrize("name", ["onsite", "eem", "water"])
def test_a_restart_costs_less_than_a_start(name):
    subject = subject_of(name, [DIMER])
    own = subject.solve(DIMER)
    assert subject.solve(DIMER, own).iterations <= own.iterations


@pytest.mark.parametrize("name", ["onsite", "eem", "water"])
def test_the_response_is_the_derivative_of_the_charges(name):
    subject = subject_of(name, [DIMER])
    direction = np.random.default_rng(1).normal(size=(6, 3))
    h = 1e-3
    ahead, behind = (subject.solve(DIMER.displaced(s * h * direction)) for s in (1.0, -1.0))
    expected = (ahead.charges - behind.charges) / (2.0 * h)
    found = subject.charge_response(subject.solve(DIMER), direction)
    # h²/6 times a third derivative of some hundred times the first (|direction| ≈ 4).
    assert found == pytest.approx(expected, abs=1e-4 * np.max(np.abs(expected)))


@pytest.mark.parametrize("name", ["onsite", "eem", "water"])
def test_local_derivatives_add_up_to_those_of_the_whole(name):
    subject = subject_of(name, [DIMER])
    local = subject.local(subject.solve(DIMER))
    # A rigid move changes no site energy and no charge.
    rigid = np.ones((6, 3))
    assert local.energies_by_positions(rigid) == pytest.approx(0.0, abs=1e-10)
    charge = local.densities_by_positions(rigid)
    charge = charge if charge.ndim == 1 else charge[:, 0]
    assert charge == pytest.approx(0.0, abs=1e-10)
    assert all(d.shape == local.feature_directions(0)[0].shape for d in local.feature_directions(5))


def test_a_calculator_in_atomic_units_and_its_gaps():
    metal = Configuration(("Cu", "Cu"), np.array([[0.0, 0.0, 0.0], [4.5, 0.0, 0.0]]))
    subject = subject_of(ase.calculators.emt.EMT())
    solved = subject.solve(metal)
    calculator = ase.calculators.emt.EMT()
    atoms = ase.Atoms("Cu2", positions=metal.positions / ANGSTROM, calculator=calculator)
    assert solved.energy == pytest.approx(atoms.get_potential_energy() * EV)
    assert solved.forces == pytest.approx(atoms.get_forces() * EV / ANGSTROM)
    with pytest.raises(NotImplementedError, match="charges"):
        _ = solved.charges
    with pytest.raises(NotImplementedError):
        subject.solve(metal, solved)


def test_unknown_elements_are_left_out_and_the_rest_is_kept():
    gold = Configuration(("Au",), np.zeros((1, 3)))
    bench = Bench.of(subject_of("eem", [water(1)]), [gold, water(1)])
    assert len(bench.structures) == 1
    assert "Au" in bench.refused[0]
    with pytest.raises(InputError, match="no structure that eem accepts"):
        Bench.of(subject_of("eem", [water(1)]), [gold])
    with pytest.raises(InputError):
        subject_of("eem", [gold])


def test_growth_stops_at_what_the_subject_can_bear():
    subject = subject_of("eem", [water(1)])
    bench = Bench.of(subject, [water(1)])
    assert len(bench.grown(12)) == 12
    subject.largest = 7
    assert len(bench.grown(12)) == 6
    subject.largest = 5
    with pytest.raises(UnsupportedError, match="too costly"):
        bench.grown(12)


@pytest.mark.parametrize("name", ["water", "bpopnn-water", "4g-water", "scfnn-water"])
def test_what_was_trained_on_water_is_given_nothing_else(name):
    subject = subject_of(name, [water(1)])
    for symbols in (("H",), ("O", "H")):
        radical = Configuration(symbols, 1.8 * np.arange(3.0 * len(symbols)).reshape(-1, 3))
        with pytest.raises(InputError, match="are not water molecules"):
            Bench.of(subject, [radical])
    assert Bench.of(subject, [radical, water(1)]).refused[0].endswith("not water molecules")


@pytest.mark.parametrize("name", ["gfn2", "gfn1", "pyscf-rhf"])
def test_codes_are_converged_to_what_the_battery_takes_them_at(name):
    pytest.importorskip("tblite" if name.startswith("gfn") else "pyscf")
    subject = subject_of(name, [DIMER])
    assert subject.accuracy <= 1.01e-7
    own = subject.solve(DIMER)
    for seed in range(3):  # a start of its own for each: what convergence leaves shows
        other = subject.solve(DIMER, np.random.default_rng(seed))
        assert np.max(np.abs(other.charges - own.charges)) <= subject.accuracy
        assert abs(other.energy - own.energy) <= subject.energy_accuracy + 1e-13 * abs(own.energy)


def test_a_calculator_that_breaks_in_its_forces_says_so():
    class Broken(ase.calculators.emt.EMT):
        def get_property(self, name, atoms=None, allow_calculation=True):
            if name == "forces":
                raise RuntimeError("segment 7")
            return super().get_property(name, atoms, allow_calculation)

    metal = Configuration(("Cu", "Cu"), np.array([[0.0, 0.0, 0.0], [4.5, 0.0, 0.0]]))
    with pytest.raises(NotImplementedError, match="RuntimeError: segment 7"):
        _ = subject_of(Broken()).solve(metal).forces
