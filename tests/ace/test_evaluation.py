"""Errors on labelled clusters: definitions by hand, and what each mode does with a reference."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import derivative
from strategies.fitted_models import moved, random_model, water

from scc.ace.evaluation import Outcome, errors, outcomes, self_consistent, teacher_forced
from scc.ace.predict import predict
from scc.ace.reference_frame import ReferenceFrame
from scc.electrostatics.multipoles import UniformField
from scc.units import ANGSTROM, EV

ROOT = Path(__file__).parents[2]


def labelled(configuration, found, external=None):
    """A frame whose labels are a model's own self-consistent answers."""
    number = len(configuration)
    return ReferenceFrame(
        name="frame",
        configuration=configuration,
        energy=found.energy,
        forces=found.forces,
        multipoles=found.multipoles,
        external=external,
        kind="thermal",
        molecules=np.arange(number) // 3,
        group="frame",
    )


def answers(model, number, generator):
    configuration = water(number, generator)
    return labelled(configuration, predict(model, configuration, tolerance=1e-12))


@settings(max_examples=6)
@given(st.sampled_from([(0, 0), (1, 0), (2, 1), (3, 2)]), generators())
def test_a_model_is_without_error_on_its_own_answers_in_both_modes(features, generator):
    model = random_model(*features)
    frames = [answers(model, number, generator) for number in (1, 2, 3)]
    for mode in (teacher_forced, self_consistent):
        figures = errors(outcomes(model, frames, mode))
        assert figures["energy_rmse_mev_per_molecule"] < 1e-4
        # Teacher-forced forces at a self-consistent density are the adjoint forces.
        assert figures["force_rmse_mev_per_angstrom"] < 1e-4
        for name in ("charge", "dipole", "quadrupole"):
            assert figures[f"{name}_rmse_percent"] < 1e-4
        assert figures["total_dipole_rmse_e_bohr"] < 1e-6
        assert figures["scf_unconverged"] == 0
        assert (figures["scf_iterations_max"] == 0) == (mode is teacher_forced)


@settings(max_examples=3)
@given(generators())
def test_teacher_forced_forces_are_differences_along_the_models_own_response(generator):
    """E(r, v̂, p) with dv̂ = d(Kp), dp = ∂ρ/∂r dr + χ dv̂: the line along which it is differenced."""
    model = random_model(2, 1)
    frame = answers(model, 2, generator)
    frame = replace(frame, multipoles=frame.multipoles + 0.05 * generator.normal(size=(6, 9)))
    forces = teacher_forced(model, frame).forces
    direction = generator.normal(size=(6, 3))
    # With an offset added to ρ, p^ref is the self-consistent density of another model, whose
    # response is the same: difference that one's self-consistent energy.
    operator = model.operator(frame.configuration)
    here = model.prepare(frame.configuration).evaluate(
        operator.apply(frame.multipoles) + operator.external
    )
    offset = frame.multipoles - here.density

    def energy(step):
        configuration = moved(frame.configuration, step * direction)
        bound, kernel = model.prepare(configuration), model.operator(configuration)
        p = frame.multipoles
        for _ in range(60):
            state = bound.evaluate(kernel.apply(p) + kernel.external)
            p = state.density + offset
        return state.feature_energy + kernel.energy(p)

    slope = float(derivative(energy, 5e-3)[0])
    assert -np.vdot(forces, direction) == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_the_figures_by_hand():
    generator = np.random.default_rng(0)
    found = []
    for number in (1, 2):
        configuration = water(number, generator)
        atoms = 3 * number
        frame = ReferenceFrame(
            "frame",
            configuration,
            energy=-76.0 * number,
            forces=generator.normal(size=(atoms, 3)),
            multipoles=generator.normal(size=(atoms, 9)),
            external=None,
            kind="thermal",
            molecules=np.arange(atoms) // 3,
            group="group",
        )
        found.append(
            Outcome(
                frame,
                frame.energy + 0.003 * EV * number,
                frame.forces + 0.02 * EV / ANGSTROM,
                frame.multipoles + generator.normal(size=(atoms, 9)),
                7 + number,
                True,
            )
        )
    figures = errors(found)
    assert figures["energy_rmse_mev_per_molecule"] == pytest.approx(3.0)
    assert figures["force_rmse_mev_per_angstrom"] == pytest.approx(20.0)
    assert figures["scf_iterations_max"] == 9
    oxygens, hydrogens = [0, 3, 6], [1, 2, 4, 5, 7, 8]
    reference = np.concatenate([one.frame.multipoles for one in found])
    predicted = np.concatenate([one.multipoles for one in found])
    for name, part in (("charge", [0]), ("dipole", [1, 2, 3]), ("quadrupole", [4, 5, 6, 7, 8])):
        error = np.sqrt(np.mean((predicted - reference)[:, part] ** 2))
        variance = (
            len(oxygens) * np.var(reference[np.ix_(oxygens, part)])
            + len(hydrogens) * np.var(reference[np.ix_(hydrogens, part)])
        ) / 9
        assert figures[f"{name}_rmse_percent"] == pytest.approx(100.0 * error / np.sqrt(variance))
    dipoles = []
    for one in found:
        change = one.multipoles - one.frame.multipoles
        positions = one.frame.configuration.positions
        dipoles.append(change[:, 0] @ positions + change[:, [3, 1, 2]].sum(axis=0))
    expected = np.sqrt(np.mean(np.array(dipoles) ** 2))
    assert figures["total_dipole_rmse_e_bohr"] == pytest.approx(expected)


def test_an_external_field_acts_in_both_modes():
    generator = np.random.default_rng(5)
    model = random_model(2, 1)
    configuration = water(2, generator)
    field = UniformField(np.array([0.01, 0.0, -0.02]))
    found = predict(model, configuration, external=(field,), tolerance=1e-12)
    frame = labelled(configuration, found, field)
    for mode in (teacher_forced, self_consistent):
        assert errors(outcomes(model, [frame], mode))["dipole_rmse_percent"] < 1e-5
        assert errors(outcomes(model, [replace(frame, external=None)], mode))[
            "dipole_rmse_percent"
        ] > (1e-3)


def test_frames_without_a_stable_solution_are_counted_not_averaged():
    generator = np.random.default_rng(0)
    frame = answers(random_model(3, 2), 4, generator)
    wild = random_model(3, 2, response=30.0)
    figures = errors(outcomes(wild, [frame], self_consistent))
    assert figures["scf_unconverged"] == 1
    assert np.isnan(figures["force_rmse_mev_per_angstrom"])
    assert figures["scf_iterations_max"] > 0
