r"""g⁰ of the variational model: linear least squares on energies and forces, nothing implicit.

At the equilibrium E is stationary in v̂, so that what response and electrostatics contribute,

    E_es = ½ Σ w² + E_H[p*],        F_es = −∂(½ Σ w² + E_H)/∂r at fixed v̂*,

is subtracted from the labels, and g⁰ = Σ_i (E^{Z_i} + Σ_α c^{Z_i}_α B⁰_α(i)) fitted to the rest.
"""

from __future__ import annotations

import numpy as np

from scc.ace.energy_fit import EnergyDesign, EnergyRows, design_rows
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.variational_model import VariationalModel
from scc.arrays import FloatArray
from scc.functional.projection_functional import ProjectionFunctional


def variational_energy_rows(
    design: EnergyDesign, frame: ReferenceFrame, model: VariationalModel, features: FloatArray
) -> EnergyRows:
    """What one cluster asks of the coefficients of g⁰, at the equilibrium v̂ (M, 9) of ``model``."""
    external = () if frame.external is None else (frame.external,)
    configuration = frame.configuration
    operator = model.operator(configuration, external)
    state = ProjectionFunctional(model.prepare(configuration), operator).evaluate(features)
    number = len(configuration)
    none = np.zeros((number, 0))
    values, forces = design_rows(design, frame, none, np.zeros((0, 3 * number)))
    local = model.energy.prepare(configuration).evaluate(none)
    return EnergyRows(
        values,
        frame.energy - state.energy + float(np.sum(local.site_energies)),
        forces,
        np.ravel(frame.forces - state.forces(np.zeros_like(features)))
        - np.ravel(local.vjp(np.ones(number))[0]),
        frame.n_molecules,
    )
