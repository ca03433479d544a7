"""Blocks of J and its gradient against the arrays of all pairs; the preconditioner of crystals."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.charges import open_charges, periodic_charges
from strategies.configurations import generators

from scc.configuration import Configuration
from scc.electrostatics import blocked_charges
from scc.electrostatics.blocked_charges import BlockedCharges
from scc.electrostatics.ewald_charges import EwaldInteraction
from scc.electrostatics.gaussian_charges import OpenInteraction
from scc.electrostatics.smooth_preconditioner import SmoothPreconditioner
from scc.errors import InputError


@given(open_charges(max_atoms=40), st.sampled_from((1, 2)), st.sampled_from((1, 7, 100, 1 << 16)))
def test_blocks_are_the_matrix_and_its_gradient(charges, workers, entries):
    """Blocks of one row, of several, of everything; pairs on both sides of τr = 6."""
    positions = charges.configuration.positions * 3.0
    slow = OpenInteraction(positions, charges.widths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked_charges, "_ENTRIES", entries)
        fast = BlockedCharges(positions, charges.widths, workers)
        triangle = np.tril(fast.lower_triangle())
        gradient = fast.position_gradient(charges.populations)
    exact = np.tril(slow.matrix)
    assert np.all(np.abs(triangle - exact) <= 4e-16 * np.abs(exact))
    wanted = 0.5 * slow.position_contract(charges.populations, charges.populations)
    assert np.max(np.abs(gradient - wanted)) <= 1e-13 * max(1.0, np.abs(wanted).max())


@settings(max_examples=15)
@given(periodic_charges(), generators())
def test_the_preconditioner_is_symmetric_and_positive_definite(charges, generator):
    """However unevenly atoms are spread."""
    number = len(charges.configuration)
    diagonal = np.exp(generator.normal(size=number))
    precondition = SmoothPreconditioner(charges.configuration, diagonal)
    matrix = np.array([precondition(row) for row in np.eye(number)])
    assert np.max(np.abs(matrix - matrix.T)) < 1e-13 * np.abs(matrix).max()
    assert np.linalg.eigvalsh(matrix)[0] > 0.0


def crowded(number, generator):
    """A droplet in a corner of a large cell, and the rest of the cell empty."""
    cell = np.eye(3) * 40.0
    positions = generator.uniform(0.0, 12.0, size=(number, 3))
    return Configuration(("H",) * number, positions, cell, (True, True, True))


def test_the_preconditioner_is_positive_definite_for_a_droplet():
    generator = np.random.default_rng(0)
    configuration = crowded(60, generator)
    precondition = SmoothPreconditioner(configuration, np.full(60, 0.5))
    matrix = np.array([precondition(row) for row in np.eye(60)])
    assert np.linalg.eigvalsh(0.5 * (matrix + matrix.T))[0] > 0.0


def condition_numbers(edge):
    """Of D + J and of M⁻¹(D + J) for edge³ atoms, spread evenly but for a jitter."""
    generator = np.random.default_rng(1)
    grid = np.stack(np.unravel_index(np.arange(edge**3), (edge,) * 3), axis=1) * 4.0
    positions = grid + generator.normal(scale=0.4, size=grid.shape)
    number = len(positions)
    configuration = Configuration(
        ("H",) * number, positions, np.eye(3) * 4.0 * edge, (True, True, True)
    )
    hardness = np.full(number, 0.3)
    matrix = EwaldInteraction(configuration, np.ones(number)).matrix + np.diag(hardness)
    precondition = SmoothPreconditioner(configuration, hardness + 1.0 / np.sqrt(np.pi))
    inverse = np.array([precondition(row) for row in np.eye(number)])
    plain = np.linalg.eigvalsh(matrix)
    better = scipy.linalg.eigvalsh(matrix, np.linalg.inv(0.5 * (inverse + inverse.T)))
    return plain[-1] / plain[0], better[-1] / better[0]


def test_the_preconditioner_takes_the_length_out_of_the_condition_number():
    """4πn/k² of the longest wave against the hardness: grows with the square of the length."""
    plain, better = np.transpose([condition_numbers(edge) for edge in (4, 7)])
    assert plain[1] > 1.8 * plain[0]
    assert better[1] < 1.4 * better[0]
    assert better[1] < 0.5 * plain[1]


def test_the_preconditioner_refuses_open_boundaries_and_bad_diagonals():
    atom = Configuration(("H",), np.zeros((1, 3)))
    with pytest.raises(InputError, match="three directions periodic"):
        SmoothPreconditioner(atom, np.ones(1))
    crystal = Configuration(("H",), np.zeros((1, 3)), np.eye(3) * 9.0, (True, True, True))
    with pytest.raises(InputError, match="must be > 0"):
        SmoothPreconditioner(crystal, np.zeros(1))
