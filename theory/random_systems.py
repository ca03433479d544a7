"""Random systems for the bounds: geometry, species, disorder, gap and temperature from one seed.

Property tests draw the parameters with Hypothesis, claims from fixed seeds; both build here.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from scc.arrays import FloatArray
from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.configuration import Configuration, chain, cluster
from scc.errors import InputError
from scc.models.gaussian import GaussianTightBinding
from scc.models.hopping import ExponentialHopping
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding
from scc.theory.system import TightBindingSystem

Model = Literal["onsite", "orthonormal", "loewdin"]
SPECIES = ("Na", "Cl")
LARGEST_SPLITTING = 64.0


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a random system; plain numbers, so that a claim can keep them.

    Attributes
    ----------
    model: ``onsite``, ``orthonormal`` or ``loewdin`` (the last two: Gaussian orbitals).
    dimension: 1, 2 or 3, of the arrangement of the atoms.
    atoms: M.
    seed: of the geometry and of v̂.
    splitting: levels ∓splitting/2 of the two species at v̂ = 0 (on-site), Hartree.
    disorder: v̂ uniform in ±disorder, Hartree.
    beta: 1/Hartree, may be inf.
    gap: at β = ∞ the splitting (on-site) or the disorder in v̂ that separates the species
        (Gaussian) grows until the gap at µ is at least this; at β < ∞ it is not looked at.
    share: µ lies at this fraction of the gap nearest to half filling, in (0, 1).
    spacing: smallest distance in bohr (1D: mean distance); decay: of the hopping, 1/bohr.
    """

    model: Model = "onsite"
    dimension: Literal[1, 2, 3] = 1
    atoms: int = 20
    seed: int = 0
    splitting: float = 1.0
    disorder: float = 0.2
    beta: float = 10.0
    gap: float = 0.05
    share: float = 0.5
    spacing: float = 1.2
    decay: float = 1.0

    def describe(self) -> str:
        """One line."""
        parts = [f"{name} {value}" for name, value in asdict(self).items()]
        return ", ".join(parts)


def random_system(recipe: Recipe) -> TightBindingSystem:
    """Build it. Raises InputError if no splitting up to 64 Hartree opens the gap asked for."""
    rng = np.random.default_rng(recipe.seed)
    configuration = _configuration(recipe, rng)
    splitting = recipe.splitting
    noise: FloatArray | None = None
    while True:
        model = _model(recipe, configuration, splitting)
        if noise is None:
            noise = rng.uniform(-1.0, 1.0, model.feature_shape)
        features = recipe.disorder * noise
        if recipe.model != "onsite":
            # Ξ > 0: a potential that is low on one species and high on the other.
            signs = np.array([-1.0 if s == SPECIES[0] else 1.0 for s in configuration.species])
            features = features + 0.5 * splitting * signs[:, None]
        levels = np.linalg.eigvalsh(model.hamiltonian(features))
        filled = min(max(_lower_levels(configuration), 1), len(levels) - 1)
        gap = float(levels[filled] - levels[filled - 1])
        if not np.isinf(recipe.beta) or gap >= recipe.gap:
            mu = float(levels[filled - 1]) + recipe.share * gap
            return TightBindingSystem(model, features, recipe.beta, mu, recipe.describe())
        splitting *= 1.5
        if splitting > LARGEST_SPLITTING:
            raise InputError(f"no gap of {recipe.gap} Hartree: {recipe.describe()}")


def _lower_levels(configuration: Configuration) -> int:
    """How many atoms belong to the species with the lower level."""
    return sum(species == SPECIES[0] for species in configuration.species)


def _configuration(recipe: Recipe, rng: np.random.Generator) -> Configuration:
    scale = recipe.spacing if recipe.model == "onsite" else 1.5 * recipe.spacing
    if recipe.dimension == 1:
        return chain(recipe.atoms, scale, SPECIES, jitter=0.2 * scale, rng=rng)
    return cluster(recipe.atoms, scale, rng, dimension=recipe.dimension, species=SPECIES)


def _model(recipe: Recipe, configuration: Configuration, splitting: float) -> BoundTightBinding:
    if recipe.model == "onsite":
        hopping = ExponentialHopping(decay=recipe.decay)
        return OnsiteTightBinding(model_b(gap=splitting, hopping=hopping)).prepare(configuration)
    gaussian = GaussianTightBinding(
        basis=lambda c: single_gaussian(c, 0.4 * recipe.decay),
        features=(PotentialFunction(0, 0.4 * recipe.decay),),
        overlap=recipe.model,
        nuclear_charges=dict.fromkeys(SPECIES, 1.0),
        nuclear_exponent=2.0,
    )
    return gaussian.prepare(configuration)
