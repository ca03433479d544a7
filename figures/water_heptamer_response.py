"""A water heptamer: charges that move when one hydrogen does, at fixed and at equilibrated v̂."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from scc.configuration import Configuration, read
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.response import LinearResponse
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.registry import model_by_name


def _heptamer() -> Configuration:
    """The example structure of a checkout."""
    path = Path(__file__).resolve().parent.parent / "examples" / "water_heptamer.xyz"
    if not path.exists():
        raise InputError(f"the example structure {path} is not part of this installation")
    return read(path)


def draw() -> Figure:
    """|∂q_ℓ/∂r_m| against |r_ℓ − r_m| for every hydrogen m, on-site model, β = 1000."""
    configuration = _heptamer()
    atoms = len(configuration)
    bound = model_by_name("onsite").prepare(configuration)
    equilibrium = equilibrate(EnergyFunctional(bound, beta=1000.0), tolerance=1e-12)
    response = LinearResponse(equilibrium)
    distances, fixed, screened = [], [], []
    for m in (k for k, symbol in enumerate(configuration.species) if symbol == "H"):
        displacement = np.zeros((atoms, 3))
        displacement[m] = 3**-0.5
        distance = np.linalg.norm(configuration.positions - configuration.positions[m], axis=1)
        others = distance > 0.0
        local = equilibrium.state.local.populations_position_jvp(displacement)
        distances.append(distance[others])
        fixed.append(np.abs(local[others]))
        screened.append(np.abs(response.to_displacement(displacement).charges[others]))
    figure = Figure(figsize=(5.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.semilogy(np.concatenate(distances), np.concatenate(fixed), ".", label=r"fixed $\hat v$")
    axes.semilogy(
        np.concatenate(distances), np.concatenate(screened), ".", ms=4, label="equilibrated"
    )
    axes.set_ylim(1e-12, 2.0)
    axes.set_xlabel("distance [bohr]")
    axes.set_ylabel(r"$|\partial q_\ell / \partial r_m|$ [1/bohr]")
    axes.set_title("water heptamer, one hydrogen displaced")
    axes.legend()
    return figure
