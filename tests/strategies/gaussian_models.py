"""Random Gaussian-orbital problems: geometry, basis, overlap, features, nuclei, ε_xc, ensemble, v̂.

STO-3G molecules of two to four atoms and clusters of single Gaussians, with the complete potential
or an expansion in s and p functions Ξ, in both overlap modes, point and smeared nuclei, with and
without exchange–correlation on a grid so coarse that only differentiating the *discrete* energy
gives the right forces.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from hypothesis import assume, reject
from hypothesis import strategies as st

from scc.basis.evaluate import evaluate
from scc.basis.shells import BasisSet, single_gaussian
from scc.basis.sto3g import sto3g
from scc.basis.three_centre import PotentialFunction
from scc.configuration import Configuration, cluster
from scc.electrostatics.pair_density import PairDensityCoulomb
from scc.equilibration.equilibrate import equilibrate
from scc.errors import InputError
from scc.functional.exchange_correlation_term import ExchangeCorrelation
from scc.functional.quadrature import MolecularGrid
from scc.functional.xc import functional_from_name
from scc.models.gaussian import GaussianTightBinding
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical
from strategies.configurations import generators
from strategies.onsite import Case, ensembles, temperatures

# Species and the smallest distance (bohr) at which their STO-3G overlap is well conditioned.
MOLECULES = (
    (("H",), 1.2),
    (("Li", "H"), 2.4),
    (("O", "H"), 1.6),
    (("C", "O"), 1.9),
    (("Be", "H"), 2.0),
)
XC = ("none", "dirac", "lda")


@dataclass(frozen=True)
class UniformField:
    """The density term E = E·(∫xρ − Σ Z_ℓ r_ℓ): nuclei and electrons in a uniform field E.

    An electron feels +E·x (charge −1); E in Hartree/(bohr e). A :class:`DensityTerm`, for the
    response to be compared with: the library itself has fields only as perturbations.
    """

    model: BoundTightBinding
    field: np.ndarray
    convex: bool = field(default=True, init=False)

    def energy(self, density):
        positions = self.model.configuration.positions
        nuclei = self.model.nuclear_charges @ positions @ self.field
        return float(np.vdot(self.potential(density), density) - nuclei)

    def potential(self, density):
        return np.tensordot(self.field, self.model.dipole_potentials(), 1)

    def kernel(self, density, direction):
        return np.zeros_like(direction)

    def position_gradient(self, density):
        gradient = -np.outer(self.model.nuclear_charges, self.field)
        for index in np.ndindex(*gradient.shape):
            displacement = np.zeros_like(gradient)
            displacement[index] = 1.0
            gradient[index] += np.vdot(self.potential_position_jvp(density, displacement), density)
        return gradient

    def potential_position_jvp(self, density, displacement):
        return np.tensordot(self.field, self.model.dipole_potentials_perturb(displacement), 1)

    def site_energies(self, density):
        return None


@dataclass(frozen=True)
class Recipe:
    """Everything but the positions: called with a configuration, it binds model and extra terms.

    ``grid``: (radial points, Lebedev degree, radius) for ε_xc. ``field``: uniform, or None.
    """

    basis: Callable[[Configuration], BasisSet]
    features: tuple[PotentialFunction, ...] | None
    overlap: str
    nuclear_charges: dict[str, float] | None = None
    nuclear_exponent: float | None = None
    xc: str = "none"
    grid: tuple[int, int, float] = (10, 7, 1.0)
    field: tuple[float, float, float] | None = None

    def __call__(self, configuration: Configuration) -> tuple[BoundTightBinding, tuple]:
        model = GaussianTightBinding(
            self.basis, self.features, self.overlap, self.nuclear_charges, self.nuclear_exponent
        ).prepare(configuration)
        extra = []
        if self.xc != "none":
            grid = MolecularGrid(configuration.positions, *self.grid)
            functional = functional_from_name(self.xc)
            extra.append(ExchangeCorrelation(model.assembly.basis, grid, functional))
        if self.field is not None:
            extra.append(UniformField(model, np.array(self.field)))
        return model, tuple(extra)


class GaussianCase(Case):
    """A :class:`strategies.onsite.Case` whose steps also respect S^{-1/2} and the nodes of ρ."""

    def feature_step(self, direction):
        return self._away_from_nodes(
            super().feature_step(direction),
            lambda t: self._density_at_points(self.shifted(t * direction)),
        )

    def position_step(self, displacement):
        assembly = self.functional.model.assembly
        step = super().position_step(displacement)
        if assembly.loewdin is not None:
            # S^{-1/2} is analytic as long as S stays positive.
            change = np.linalg.norm(assembly.overlap.position_perturb(displacement), 2)
            step = min(step, assembly.loewdin.eigenvalues[0] / (100.0 * max(change, 1e-3)))
        if self._exchange is not None:
            # Quadrature weights are C³: a kink between the points of the formula costs h³.
            step = min(step, 5e-4)
        return self._away_from_nodes(
            step,
            lambda t: self._density_at_points(self.moved(t * displacement), t * displacement),
        )

    @cached_property
    def _exchange(self):
        found = [t for t in self.functional.terms if isinstance(t, ExchangeCorrelation)]
        return found[0] if found else None

    def _density_at_points(self, state, displacement=None):
        """ρ at the quadrature points of the undisplaced grid, carried along by their owners."""
        grid = self._exchange.grid
        points = grid.points if displacement is None else grid.points + displacement[grid.owner]
        orbitals = evaluate(state.functional.model.assembly.basis, points)[0]
        return np.einsum("ga,ga->g", orbitals @ state.density, orbitals)

    def _away_from_nodes(self, step, density):
        """ε_xc ~ ρ^{4/3} is analytic only as far as ρ stays away from zero at each point.

        A zero of ρ = 2φ² at complex distance R from t = 0 gives |Δρ|/ρ ≤ 0.1 at 4h for
        h = R/80. Points whose ε_xc is beyond notice do not count.
        """
        if self._exchange is None:
            return step
        rho = density(0.0)
        counts = self._exchange.grid.weights * np.maximum(rho, 0.0) ** (4.0 / 3.0) > 1e-14
        changes = [np.abs(density(t) - rho)[counts] / rho[counts] for t in (-4 * step, 4 * step)]
        largest = float(np.max(changes, initial=0.0))
        shrink = min(1.0, 0.1 / max(largest, 1e-300))
        assume(shrink > 0.05)
        return step * shrink


def energy_size(case_or_equilibrium):
    """Largest of the terms 𝒢 is a sum of, times their number: what its rounding is relative to.

    The electrostatic energy is a sum of nuclear attraction, Hartree and nuclear energies, which
    cancel.
    """
    state, functional = case_or_equilibrium.state, case_or_equilibrium.functional
    local, density = state.local, state.density
    assembly = functional.model.assembly
    v = np.linalg.norm(assembly.feature_matrix(state.features), 2)
    size = 2.0 * np.sum(np.abs(local.eigenvalues) + abs(local.chemical_potential) + v)
    size += np.linalg.norm(assembly.free_hamiltonian, 2)
    for term in functional.terms:
        if isinstance(term, PairDensityCoulomb):
            attraction = abs(float(np.vdot(term.nuclear_potential, density)))
            hartree = abs(float(np.vdot(term.kernel(density, density), density)))
            size += attraction + hartree + abs(term.nuclear_energy)
        else:
            size += abs(term.energy(density))
    return 1.0 + float(size)


def sto3g_molecules(largest=3):
    """Random STO-3G molecules (configuration, basis, nuclear charges)."""

    @st.composite
    def build(draw):
        species, spacing = draw(st.sampled_from(MOLECULES))
        atoms = draw(st.integers(2, largest + 1 if species == ("H",) else largest))
        configuration = cluster(
            atoms, draw(st.floats(spacing, spacing + 1.0)), draw(generators()), species=species
        )
        return configuration, sto3g, None

    return build()


def single_gaussians(largest=4):
    """Random clusters of one s Gaussian an atom, fractional nuclear charges on two species."""

    @st.composite
    def build(draw):
        exponent = draw(st.floats(0.3, 1.5))
        # Nearest neighbours overlap by e^{−a r²/2} ≤ 0.6.
        spacing = draw(st.floats(1.0, 2.0)) / math.sqrt(exponent)
        configuration = cluster(
            draw(st.integers(2, largest)),
            spacing,
            draw(generators()),
            dimension=draw(st.sampled_from((1, 2, 3))),
            species=("Na", "Cl"),
        )
        charge = draw(st.floats(0.5, 1.5))
        return (
            configuration,
            partial(single_gaussian, exponent=exponent),
            {"Na": charge, "Cl": 2.0 - charge},
        )

    return build()


def potential_functions():
    """One to three functions Ξ_c, s and p."""
    one = st.tuples(st.integers(0, 1), st.floats(-2.0, 1.5)).map(
        lambda drawn: PotentialFunction(drawn[0], math.exp(drawn[1]))
    )
    return st.lists(one, min_size=1, max_size=3).map(tuple)


@st.composite
def recipes(draw, atoms_basis_charges=None, xc=None, overlap=None, complete=None, field=False):
    """(configuration, recipe)."""
    source = st.one_of(sto3g_molecules(), single_gaussians())
    configuration, basis, charges = draw(
        source if atoms_basis_charges is None else atoms_basis_charges
    )
    full = draw(st.booleans()) if complete is None else complete
    # Atoms on a line or in a plane by chance only: functions Ξ_p across it do nothing, until an
    # atom moves off it and v̂ jumps to where the smallest response of all takes it.
    centred = configuration.positions - np.mean(configuration.positions, axis=0)
    generic = min(3, len(configuration) - 1)
    assume(full or np.linalg.svd(centred, compute_uv=False)[generic - 1] > 0.1)
    recipe = Recipe(
        basis,
        None if full else draw(potential_functions()),
        draw(st.sampled_from(("loewdin", "orthonormal"))) if overlap is None else overlap,
        charges,
        draw(st.sampled_from((None, 0.7, 3.0))),
        draw(st.sampled_from(XC)) if xc is None else xc,
        field=draw(st.sampled_from((None, (0.05, -0.02, 0.03)))) if field else None,
    )
    return configuration, recipe


@st.composite
def gaussian_cases(draw, betas=None, xc=None, overlap=None, complete=None, field=False):
    """A functional and a v̂ to evaluate it at: the potential of neutral atoms plus disorder."""
    configuration, recipe = draw(recipes(xc=xc, overlap=overlap, complete=complete, field=field))
    model, _ = recipe(configuration)
    if model.assembly.loewdin is not None:
        assume(model.assembly.loewdin.eigenvalues[0] > 0.05)
    features = draw(st.sampled_from((0.0, 1.0))) * model.fit_features(neutral_potential(model))
    noise = draw(generators()).normal(size=model.feature_shape)
    if model.complete:
        noise = 0.5 * (noise + noise.T)
    size = np.linalg.norm(model.assembly.feature_matrix(noise), 2)
    features = features + draw(st.floats(0.0, 1.0)) * noise / size
    # Functions Ξ that hardly touch an orbital would need astronomic coefficients.
    assume(np.max(np.abs(features)) < 1e3)
    beta = draw(temperatures(high=30.0) if betas is None else betas)
    eigenvalues = np.linalg.eigvalsh(model.hamiltonian(features))
    ensemble, scale = draw(ensembles(eigenvalues, beta))
    if math.isinf(beta):
        assume(scale > 0.02)
    return GaussianCase(configuration, recipe, beta, ensemble, features, float(scale))


def determined(equilibrium):
    """Whether v̂* is: no response of ∫ρΞ between 1e-6 of the largest and rounding.

    Directions of v̂ in that range are neither redundant nor resolved; what is solved for there
    carries the rounding of the residual, amplified.
    """
    if equilibrium.functional.model.complete:
        return True
    values = np.abs(np.linalg.eigvalsh(equilibrium.state.local.feature_response()))
    values = values / max(np.max(values), 1e-14)
    return not np.any((values > 1e-13) & (values < 1e-6))


def nodeless(equilibrium):
    """Whether ρ keeps away from zero at the quadrature points of ε_xc (true without ε_xc).

    ε_xc ~ ρ^{4/3} is not analytic in a node of ρ = 2φ². Where ρ is above a hundredth of what the
    orbitals could add up to, it takes changes of a tenth of the coefficients to reach zero.
    """
    for term in equilibrium.functional.terms:
        if isinstance(term, ExchangeCorrelation):
            orbitals = np.abs(evaluate(term.basis, term.grid.points)[0])
            possible = np.einsum("ga,ga->g", orbitals @ np.abs(equilibrium.density), orbitals)
            rho = term.density(equilibrium.density)
            counts = term.grid.weights * np.maximum(rho, 0.0) ** (4.0 / 3.0) > 1e-14
            if np.any(rho[counts] < 0.01 * possible[counts]):
                return False
    return True


@st.composite
def relaxable_gaussians(draw, betas=None, xc=None, overlap=None, complete=None, field=False):
    """Problems to equilibrate, with v̂ to start from; at β = ∞ the gap exceeds 0.05 Hartree."""
    configuration, recipe = draw(recipes(xc=xc, overlap=overlap, complete=complete, field=field))
    model, _ = recipe(configuration)
    if model.assembly.loewdin is not None:
        assume(model.assembly.loewdin.eigenvalues[0] > 0.05)
    beta = draw(temperatures(high=30.0) if betas is None else betas)
    features = model.fit_features(neutral_potential(model))
    assume(np.max(np.abs(features)) < 1e3)
    canonical = draw(st.booleans())
    neutral = model.neutral_electrons
    case = GaussianCase(configuration, recipe, beta, Canonical(neutral), features, math.pi / beta)
    if not math.isinf(beta):
        if canonical:
            charge = draw(st.floats(-0.3, 0.3))
            return replace(case, ensemble=Canonical(neutral - charge))
        levels = np.linalg.eigvalsh(model.hamiltonian(features))
        filled = float(levels[min(int(neutral / 2.0), len(levels) - 1)])
        return replace(case, ensemble=GrandCanonical(filled + draw(st.floats(-0.3, 0.3))))
    pairs = float(np.clip(2.0 * round(neutral / 2.0), 2.0, model.largest_electron_count - 2.0))
    case = replace(case, ensemble=Canonical(pairs))
    try:
        relaxed = equilibrate(case.functional, max_builds=60)
    except InputError:  # degenerate at this electron number
        reject()
    assume(relaxed.converged and relaxed.gap > 0.05)
    if canonical:
        return replace(case, scale=0.5 * relaxed.gap)
    mu = relaxed.fermi_level + draw(st.floats(-0.25, 0.25)) * relaxed.gap
    return replace(case, ensemble=GrandCanonical(mu), scale=0.25 * relaxed.gap)


def neutral_potential(model):
    """V of superposed neutral atoms."""
    return sum(term.potential(model.initial_density()) for term in model.electrostatics)
