"""Models by name and ``equilibrate`` in one call: what the command line and scripts start from."""

from scc.configuration import Configuration
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.solvers import solver_by_name
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.registry import CHARGE_MODELS, model_by_name
from scc.occupations.ensemble import Canonical, GrandCanonical


def equilibrate_configuration(
    configuration: Configuration,
    model: str,
    beta: float,
    electrons: float | None = None,
    chemical_potential: float | None = None,
    solver: str | None = None,
) -> Equilibrium:
    """Equilibrate a configuration with a shipped model (``scc list``).

    β in Hartree⁻¹; canonical and neutral unless ``electrons`` (with spin) or
    ``chemical_potential`` (Hartree) is given; ``solver`` by name, or the model's default. Raises
    InputError for unknown names, elements the model lacks, impossible counts, both of
    ``electrons`` and ``chemical_potential``, models of charges (no electronic levels).
    """
    if model in CHARGE_MODELS:
        raise InputError(f"{model} is a model of charges, without electronic levels")
    if electrons is not None and chemical_potential is not None:
        raise InputError("give electrons or a chemical potential, not both")
    bound = model_by_name(model).prepare(configuration)
    ensemble: Canonical | GrandCanonical | None = None
    if electrons is not None:
        ensemble = Canonical(electrons)
    elif chemical_potential is not None:
        ensemble = GrandCanonical(chemical_potential)
    functional = EnergyFunctional(bound, beta=beta, ensemble=ensemble)
    return equilibrate(functional, None if solver is None else solver_by_name(solver))
