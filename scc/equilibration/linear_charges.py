r"""Charges, energy and forces of CENT by its linear equations, for many atoms.

    (U + J) q + µ1 = −χ(r),   1ᵀq = Q;      E = χ·q + ½ q·(U + J)q,
    −dE/dr = −Σ q ∂χ/∂r − ½ qᵀ ∂J/∂r q,

E being stationary in q. Open boundaries up to :data:`LARGEST_DENSE` atoms: J as a matrix
(:mod:`.mixed_precision`). Otherwise J on the mesh of :class:`MultipoleElectrostatics`, O(N log N)
an iteration, and conjugate gradients on 1ᵀq = Q; in crystals with the preconditioner of
:mod:`scc.electrostatics.smooth_preconditioner`, which keeps their number independent of N.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg.blas import dsymv
from threadpoolctl import threadpool_info, threadpool_limits

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.blocked_charges import BlockedCharges
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics
from scc.electrostatics.smooth_preconditioner import SmoothPreconditioner
from scc.equilibration.mixed_precision import solve_matrix
from scc.equilibration.saddle_point import solve_on_surface
from scc.errors import ConvergenceError, InputError
from scc.functional.closure import possible_charge
from scc.models.cent import CENT, BoundCENT

LARGEST_DENSE = 6000
"""Atoms in open boundaries up to which J is kept: 288 MB, and half of that for its factor."""

_FEW = 500  # atoms for which one thread does
_MESH_TOLERANCE = 1e-10
_CG_TOLERANCE = 1e-11
# Charges, e, conjugate gradients start from: without them equal electronegativities, or a symmetric
# crystal, would hide the direction in which there is no minimum.
_START = 1e-2
_ACCEPTED = 1e-8  # largest difference of electronegativities left, relative to the largest


@dataclass(frozen=True)
class LinearCharges:
    """A minimum of E at fixed total charge.

    Attributes:
        configuration: where. charges: q (M,), e.
        chemical_potential: µ of the electrons, Hartree: minus the common electronegativity.
        energy: E, Hartree. residual: largest |χ + (U + J)q + µ| left, Hartree.
        iterations: applications of J on the mesh; 1 for the matrix.
    """

    configuration: Configuration
    charges: FloatArray
    chemical_potential: float
    energy: float
    residual: float
    iterations: int
    _bound: BoundCENT
    _coulomb: BlockedCharges | MultipoleElectrostatics
    converged: bool = True

    @cached_property
    def forces(self) -> FloatArray:
        """−dE/dr (M, 3), Hartree/bohr."""
        own = self._bound.electronegativity.vjp(self.charges)
        if isinstance(self._coulomb, BlockedCharges):
            return -own - self._coulomb.position_gradient(self.charges)
        return -own + self._coulomb.forces(self.charges)

    @property
    def dipole(self) -> FloatArray:
        """Σ q r about the origin, (3,), e·bohr. InputError in a periodic cell."""
        if any(self.configuration.periodic):
            raise InputError("the dipole moment of a periodic configuration is not defined")
        return np.asarray(self.charges @ self.configuration.positions)


def linear_charges(
    bound: BoundCENT,
    total_charge: float = 0.0,
    *,
    method: str = "auto",
    tolerance: float = _MESH_TOLERANCE,
) -> LinearCharges:
    """Solve the equations of the module docstring.

    Args:
        bound: ``CENT().prepare(configuration)``.
        total_charge: Q, e. In a crystal a background neutralises it.
        method: "matrix" (open boundaries), "mesh", or "auto".
        tolerance: of the mesh, see MultipoleElectrostatics.
    Raises:
        InputError: U + J is singular or indefinite for charges of a given sum; Q that is not a
            finite number, or more than ΣZ; an external field, which is
            :func:`scc.equilibration.equilibrate`'s; a slab; an unknown method, or the matrix in a
            crystal.
        ConvergenceError: the equations are not solved.
    """
    configuration = bound.configuration
    periodic = configuration.periodic
    total = possible_charge(total_charge, configuration)
    if bound.external:
        raise InputError("charges in an external field are found by equilibrate, not here")
    if method not in ("auto", "matrix", "mesh"):
        raise InputError(f"method is {method!r}, must be auto, matrix or mesh")
    if any(periodic) and not all(periodic):
        raise InputError(
            f"charges need all three directions periodic or none, found periodic={tuple(periodic)}"
        )
    if method == "matrix" and any(periodic):
        raise InputError("method 'matrix' needs open boundaries")
    small = not any(periodic) and len(configuration) <= LARGEST_DENSE
    if method == "matrix" or (method == "auto" and small):
        return _by_matrix(bound, total)
    return _on_mesh(bound, total, tolerance)


def _by_matrix(bound: BoundCENT, total: float) -> LinearCharges:
    coulomb = BlockedCharges(bound.configuration.positions, bound.widths, _workers(bound))
    triangle = coulomb.lower_triangle()
    triangle[np.diag_indices(len(triangle))] += bound.hardness
    chi = bound.electronegativity.values
    # Threads of OpenBLAS that wait spin: on a busy machine they cost ten times what they gain here.
    with threadpool_limits(1, "blas") if len(chi) > _FEW else nullcontext():
        found = solve_matrix(triangle, -chi, total)
        image = dsymv(1.0, triangle.T, found.x, lower=0)
    return _result(bound, coulomb, found.x, found.multiplier, image, 1)


def _on_mesh(bound: BoundCENT, total: float, tolerance: float) -> LinearCharges:
    configuration, chi = bound.configuration, bound.electronegativity.values
    coulomb = MultipoleElectrostatics(configuration, bound.widths, 0, tolerance=tolerance)
    applied = 0

    def apply(charges: FloatArray) -> FloatArray:
        nonlocal applied
        applied += 1
        return np.asarray(coulomb.kernel(charges)[:, 0] + bound.hardness * charges)

    precondition = None
    if all(configuration.periodic):
        precondition = SmoothPreconditioner(configuration, bound.curvature)
    found = solve_on_surface(
        apply,
        np.ones(len(configuration)),
        -chi,
        total,
        bound.curvature,
        tolerance=_CG_TOLERANCE,
        truncate=True,
        precondition=precondition,
        start=_START * np.random.default_rng(0).standard_normal(len(configuration)),
    )
    if not found.definite:
        raise InputError(
            "the hardness matrix is indefinite for charges of a given sum: their energy has no "
            "minimum (atoms too close, or hardness too negative)"
        )
    image = apply(found.x)
    return _result(bound, coulomb, found.x, found.multiplier, image, applied)


def _result(
    bound: BoundCENT,
    coulomb: BlockedCharges | MultipoleElectrostatics,
    charges: FloatArray,
    multiplier: float,
    image: FloatArray,
    iterations: int,
) -> LinearCharges:
    chi = bound.electronegativity.values
    residual = float(np.max(np.abs(chi + image + multiplier)))
    scale = float(np.max(np.abs(chi)) + np.max(np.abs(image)))
    if not residual <= _ACCEPTED * scale:
        raise ConvergenceError(
            f"charges not converged: electronegativities still differ by {residual:.2e} hartree"
        )
    energy = float(charges @ (chi + 0.5 * image))
    return LinearCharges(
        bound.configuration, charges, multiplier, energy, residual, iterations, bound, coulomb
    )


def _workers(bound: BoundCENT) -> int:
    """As many threads as BLAS has."""
    if len(bound.configuration) <= _FEW:
        return 1
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max((int(pool["num_threads"]) for pool in pools), default=1)


class ChargeSolver:
    """``solve(configuration)``, as ASE calculators and the battery want it.

    ``AdapterCalculator(ChargeSolver())`` of :mod:`scc.adapters.calculator` is the ASE calculator.
    """

    def __init__(self, model: CENT | None = None, total_charge: float = 0.0) -> None:
        self.model, self.total_charge = model or CENT(), total_charge

    def solve(self, configuration: Configuration, initial: Any = None) -> LinearCharges:
        """The charges; ``initial`` is not needed. Raises as :func:`linear_charges`."""
        return linear_charges(self.model.prepare(configuration), self.total_charge)
