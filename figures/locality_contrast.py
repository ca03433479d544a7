"""The one idea: site energies are local at fixed v̂ and long-ranged once v̂ has equilibrated."""

import numpy as np
from matplotlib.figure import Figure

from scc.configuration import chain
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.response import LinearResponse
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding

ATOMS = 600


def draw() -> Figure:
    """Response of E_ℓ and q_ℓ to the displacement of one atom, model B, D = 2, β = ∞."""
    configuration = chain(ATOMS, (1.0, 1.3), ("Na", "Cl"))
    model = OnsiteTightBinding(model_b(gap=2.0, charges=(1.4, 0.6)))
    equilibrium = equilibrate(EnergyFunctional(model.prepare(configuration)), tolerance=1e-12)
    moved = ATOMS // 2
    displacement = np.zeros((ATOMS, 3))
    displacement[moved, 0] = 1.0
    change = LinearResponse(equilibrium).to_displacement(displacement)
    fixed = equilibrium.state.site_energies_position_jvp(displacement)

    r = configuration.positions[:, 0] - configuration.positions[moved, 0]
    beyond = r > 0.5
    figure = Figure(figsize=(8.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, reach in ((left, 60.0), (right, 250.0)):
        shown = beyond & (r < reach)
        axes.plot(r[shown], np.abs(fixed[shown]), ".", ms=4, label=r"$E_\ell$ at fixed $\hat v$")
        axes.plot(
            r[shown], np.abs(change.site_energies[shown]), ".", ms=4, label=r"$E_\ell$ equilibrated"
        )
        axes.plot(
            r[shown], np.abs(change.charges[shown]), ".", ms=4, label=r"$q_\ell$ equilibrated"
        )
        axes.set_yscale("log")
        axes.set_xlabel("distance from the moved atom [bohr]")
    distance = np.linspace(8.0, 250.0, 200)
    right.plot(distance, 2.0 * distance**-3.0, "k:", lw=1, label=r"$r^{-3}$")
    right.set_xscale("log")
    left.set_ylim(1e-16, 3.0)
    left.set_ylabel("derivative by one position [Hartree/bohr, 1/bohr]")
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    left.set_title("exponential: a local model can learn it")
    right.set_title("algebraic: what self-consistency adds")
    return figure
