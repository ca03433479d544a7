"""Random tight-binding problems: geometry, parameters, temperature, ensemble and features at once.

A :class:`Case` can be rebuilt at displaced positions, so that every derivative in r and v̂ can be
differenced; it also knows how far the spectrum is from the singularities of F, which sets the step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from hypothesis import assume, reject
from hypothesis import strategies as st

from scc.arrays import FloatArray
from scc.configuration import Configuration, cluster
from scc.electrostatics.site_terms import ExternalPotential, OnsiteHubbard
from scc.equilibration.equilibrate import equilibrate
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional, FunctionalState
from scc.models.extended_huckel import sourced_parameters
from scc.models.hopping import ExponentialHopping
from scc.models.model_systems import ModelSystem
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical
from strategies.configurations import generators
from strategies.synthetic_assembly import SyntheticAssembly

SPECIES = ("Na", "Cl")
ELEMENTS = ("H", "Li", "C", "N", "O", "F", "Na", "Al", "Si", "S", "Cl")
SOURCED = sourced_parameters()
Build = Callable[[Configuration], tuple[BoundTightBinding, tuple]]


@dataclass(frozen=True)
class Case:
    """A functional that can be rebuilt anywhere, with features v̂ to evaluate it at.

    ``scale``: distance (Hartree) from the spectrum to the nearest singularity of F, π/β or the
    distance of µ from the levels at β = ∞: F(H + A) is analytic for ‖A‖ below it.
    """

    configuration: Configuration
    build: Build
    beta: float
    ensemble: GrandCanonical | Canonical
    features: FloatArray
    scale: float

    @cached_property
    def functional(self) -> EnergyFunctional:
        return self.functional_at(self.configuration.positions)

    @cached_property
    def state(self) -> FunctionalState:
        return self.functional.evaluate(self.features)

    def functional_at(self, positions: FloatArray) -> EnergyFunctional:
        model, extra = self.build(replace_positions(self.configuration, positions))
        return EnergyFunctional(model, beta=self.beta, ensemble=self.ensemble, extra_terms=extra)

    def moved(self, displacement: FloatArray) -> FunctionalState:
        """The state at r + displacement, v̂ kept."""
        positions = self.configuration.positions + displacement
        return self.functional_at(positions).evaluate(self.features)

    def shifted(self, direction: FloatArray) -> FunctionalState:
        """The state at v̂ + direction, r kept."""
        return self.functional.evaluate(self.features + direction)

    def feature_step(self, direction: FloatArray) -> float:
        """Step for :func:`strategies.finite_differences.derivative` along ``direction``."""
        change = self.functional.model.assembly.feature_matrix(direction)
        norm = np.max(np.abs(change)) if change.ndim == 1 else np.linalg.norm(change, 2)
        return min(self.scale / (100.0 * float(norm)), 1e-2)

    def position_step(self, displacement: FloatArray) -> float:
        """The same for a displacement; 2e-3 bohr resolves the switching functions."""
        assembly = self.functional.model.assembly
        dh0, dv = assembly.hamiltonian_perturb(displacement, self.features)
        norm = float(np.linalg.norm(dh0 + dv, 2))
        return min(self.scale / (100.0 * max(norm, 1e-3)), 2e-3)


def replace_positions(configuration: Configuration, positions: FloatArray) -> Configuration:
    """The same atoms elsewhere."""
    return Configuration(
        configuration.species, positions, configuration.cell, configuration.periodic
    )


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """A random direction with largest component one."""
    direction = rng.normal(size=shape)
    return direction / np.max(np.abs(direction))


def temperatures(low=0.5, high=100.0):
    """β log-uniform in [low, high] Hartree⁻¹, or infinite."""
    finite = st.floats(math.log(low), math.log(high)).map(math.exp)
    return st.one_of(finite, st.just(math.inf))


@st.composite
def model_systems(draw, max_gap=3.0):
    """Two species, s orbitals, exponential hopping with a random switch, one width."""
    start = draw(st.floats(2.0, 4.0))
    hopping = ExponentialHopping(
        draw(st.floats(-1.5, -0.3)),
        draw(st.floats(0.5, 1.5)),
        1.0,
        (start, start + draw(st.floats(0.5, 2.0))),
    )
    gap = draw(st.floats(0.0, max_gap))
    charge = draw(st.floats(0.3, 1.7))
    return ModelSystem(
        hopping=hopping,
        onsite=dict(zip(SPECIES, (-0.5 * gap, 0.5 * gap), strict=True)),
        width=draw(st.floats(0.3, 1.5)),
        nuclear_charge=dict(zip(SPECIES, (charge, 2.0 - charge), strict=True)),
    )


@st.composite
def geometries(draw, min_atoms=2, max_atoms=14):
    """Random open clusters in one, two and three dimensions with alternating species."""
    return cluster(
        draw(st.integers(min_atoms, max_atoms)),
        draw(st.floats(0.8, 2.0)),
        draw(generators()),
        dimension=draw(st.sampled_from((1, 2, 3))),
        species=SPECIES,
    )


@st.composite
def extra_terms(draw, atoms, smallest_hubbard=-0.5):
    """Builders of explicit terms: nothing, on-site U of either sign, a uniform field, or both."""
    rng = draw(generators())
    kinds = draw(st.sets(st.sampled_from(("hubbard", "field"))))
    hubbard, field = rng.uniform(smallest_hubbard, 1.0, atoms), rng.uniform(-0.1, 0.1, 3)

    def build(configuration: Configuration, nuclear_charges: FloatArray) -> tuple:
        terms = []
        if "hubbard" in kinds:
            terms.append(OnsiteHubbard(hubbard, nuclear_charges))
        if "field" in kinds:
            uniform = ExternalPotential.uniform_field(configuration, field, nuclear_charges)
            terms.append(uniform)
        return tuple(terms)

    return build


def onsite_build(parameters, extra=lambda configuration, nuclear_charges: ()) -> Build:
    """Bind on-site tight binding with extra terms to a configuration."""

    def build(configuration: Configuration) -> tuple[BoundTightBinding, tuple]:
        model = OnsiteTightBinding(parameters).prepare(configuration)
        return model, extra(configuration, model.assembly.nuclear_charges)

    return build


@st.composite
def ensembles(draw, eigenvalues, beta):
    """(ensemble, distance to the nearest singularity of F) for a spectrum."""
    levels = np.sort(eigenvalues)
    n = len(levels)
    canonical = draw(st.booleans())
    if math.isinf(beta):
        gaps = np.diff(levels)
        wide = np.flatnonzero(gaps > 0.1)
        k = int(draw(st.sampled_from(list(wide)))) if len(wide) else int(np.argmax(gaps))
        if canonical:
            return Canonical(2.0 * (k + 1)), 0.5 * gaps[k]
        share = draw(st.floats(0.25, 0.75))
        return GrandCanonical(float(levels[k] + share * gaps[k])), 0.25 * gaps[k]
    if canonical:
        return Canonical(2.0 * n * draw(st.floats(0.05, 0.95))), math.pi / beta
    return GrandCanonical(draw(st.floats(-2.0, 2.0))), math.pi / beta


@st.composite
def molecules(draw, min_atoms=2, max_atoms=5):
    """Random clusters of main-group elements at the distances of bonds, for sourced parameters."""
    return cluster(
        draw(st.integers(min_atoms, max_atoms)),
        draw(st.floats(1.6, 3.0)),
        draw(generators()),
        dimension=draw(st.sampled_from((1, 2, 3))),
        species=draw(st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=3)),
    )


@st.composite
def onsite_cases(draw, max_atoms=14, betas=None, extra=True):
    """On-site tight binding anywhere: v̂ up to about one Hartree; one case in four is sourced."""
    sourced = draw(st.sampled_from((False, False, False, True)))
    configuration = draw(molecules() if sourced else geometries(max_atoms=max_atoms))
    atoms = len(configuration)
    terms = draw(extra_terms(atoms)) if extra else (lambda c, z: ())
    build = onsite_build(SOURCED if sourced else draw(model_systems()), terms)
    features = draw(st.floats(0.0, 1.0)) * draw(generators()).normal(size=atoms)
    return draw(_completed(configuration, build, features, betas))


@st.composite
def relaxable_cases(draw, max_atoms=10, betas=None, sourced=True):
    """On-site problems with E[ρ] convex, so that there is one equilibrium; v̂ = 0.

    At β = ∞ the canonical problem must have a solution with a gap above 0.1 Hartree, and µ of the
    grand-canonical ensemble is put into that gap.
    """
    chemical = sourced and draw(st.sampled_from((False, False, True)))
    configuration = draw(molecules(max_atoms=4) if chemical else geometries(max_atoms=max_atoms))
    atoms = len(configuration)
    terms = draw(extra_terms(atoms, smallest_hubbard=0.0))
    build = onsite_build(SOURCED if chemical else draw(model_systems()), terms)
    beta = draw(temperatures(high=50.0) if betas is None else betas)
    model, _ = build(configuration)
    neutral, largest = model.neutral_electrons, model.largest_electron_count
    canonical = draw(st.booleans())
    case = Case(configuration, build, beta, Canonical(0.0), np.zeros(atoms), math.pi / beta)
    if not math.isinf(beta):
        if canonical:
            charge = draw(st.floats(-0.2, 0.2)) * atoms
            return replace(case, ensemble=Canonical(float(neutral - charge)))
        return replace(case, ensemble=GrandCanonical(draw(st.floats(-1.0, 0.5))))
    pairs = float(np.clip(2.0 * round(neutral / 2.0), 2.0, largest - 2.0))
    case = replace(case, ensemble=Canonical(pairs))
    try:
        relaxed = equilibrate(case.functional)
    except InputError:  # degenerate at this electron number, the π levels of a line for example
        reject()
    assume(relaxed.converged and relaxed.gap > 0.1)
    if canonical:
        return replace(case, scale=0.5 * relaxed.gap)
    mu = relaxed.fermi_level + draw(st.floats(-0.25, 0.25)) * relaxed.gap
    return replace(case, ensemble=GrandCanonical(mu), scale=0.25 * relaxed.gap)


@st.composite
def synthetic_cases(draw, betas=None):
    """Random analytic matrices instead of a model: see :mod:`strategies.synthetic_assembly`."""
    configuration = draw(geometries(max_atoms=4))
    seed = draw(st.integers(0, 2**32 - 1))
    width = draw(st.integers(1, 3))

    def build(other: Configuration) -> tuple[BoundTightBinding, tuple]:
        return BoundTightBinding(SyntheticAssembly(other, seed, width)), ()

    features = draw(st.floats(0.0, 1.0)) * np.random.default_rng(seed).normal(
        size=(len(configuration), width)
    )
    return draw(_completed(configuration, build, features, betas))


@st.composite
def _completed(draw, configuration, build, features, betas):
    beta = draw(temperatures() if betas is None else betas)
    model, _ = build(configuration)
    eigenvalues = np.linalg.eigvalsh(model.hamiltonian(features))
    ensemble, scale = draw(ensembles(eigenvalues, beta))
    return Case(configuration, build, beta, ensemble, features, float(scale))


def cases(max_atoms=14, betas=None):
    """Either kind: what the spectral calculus promises, it promises for both."""
    return st.one_of(onsite_cases(max_atoms=max_atoms, betas=betas), synthetic_cases(betas=betas))
