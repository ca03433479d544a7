"""The chains of the body-order claims, and the spectral sets X their polynomials are fitted on.

Model A: one s Gaussian e^{−0.4r²} an atom, Ξ = e^{−0.4r²}, nuclei ∝ e^{−2r²}, uniform spacing 1.8.
Model B: on-site, hopping −e^{−(r−1)}, levels ∓D/2, J = erf(r)/r. Both open and half filled.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.configuration import chain
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.problems import Iterate
from scc.equilibration.solvers import Anderson, NewtonKrylov, Solver
from scc.errors import ConvergenceError
from scc.functional.energy import EnergyFunctional, FunctionalState
from scc.models.gaussian import GaussianTightBinding, OverlapMode
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding, TightBindingState
from scc.occupations.ensemble import GrandCanonical

TOLERANCE = 1e-12
"""Density residual of all solves, electrons."""

EXPONENT = 0.4
"""Of the orbitals and of Ξ in model A, bohr⁻²."""

NUCLEAR_EXPONENT = 2.0
"""Of the smeared nuclei in model A, bohr⁻²."""


def gaussian_model(overlap: OverlapMode) -> GaussianTightBinding:
    """Model A."""
    return GaussianTightBinding(
        basis=lambda configuration: single_gaussian(configuration, EXPONENT),
        features=(PotentialFunction(0, EXPONENT),),
        overlap=overlap,
        nuclear_exponent=NUCLEAR_EXPONENT,
    )


def gaussian_chain(
    atoms: int, overlap: OverlapMode = "loewdin", spacing: float = 1.8
) -> BoundTightBinding:
    """Model A on a uniform chain of hydrogen, one electron an atom."""
    return gaussian_model(overlap).prepare(chain(atoms, spacing))


def onsite_chain(
    atoms: int, gap: float, spacing: float | tuple[float, float] = 1.0
) -> BoundTightBinding:
    """Model B on a chain; Z = 1 on all atoms without a gap parameter D, 1.4 and 0.6 with one."""
    charges = (1.0, 1.0) if gap == 0.0 else (1.4, 0.6)
    model = OnsiteTightBinding(model_b(gap=gap, charges=charges))
    return model.prepare(chain(atoms, spacing, species=("Na", "Cl")))


def neutral_features(model: BoundTightBinding) -> FloatArray:
    """v̂ of superposed neutral atoms."""
    potential = EnergyFunctional(model).potential(model.initial_density())
    return model.fit_features(potential)


def spectral_hull(levels: FloatArray, margin: float, mu: float | None = None) -> SpectralSet:
    """[λ_min − margin, λ_max + margin], or, with µ, its two parts below and above the gap at µ.

    By Weyl's inequality it contains σ(H + A) for every ‖A‖ ≤ margin; on-site, for ‖v̂ − v̂*‖_∞ ≤
    margin.
    """
    low, high = float(np.min(levels)) - margin, float(np.max(levels)) + margin
    if mu is None:
        return SpectralSet(((low, high),))
    below = float(np.max(levels[levels < mu])) + margin
    above = float(np.min(levels[levels > mu])) - margin
    return SpectralSet(((low, below), (above, high)))


def independent_response_matrix(state: TightBindingState) -> FloatArray:
    """χ₀ = 2DF(H) between populations, (M, M) electrons/Hartree, for one orbital an atom.

    2 Σ_ij F[λ_i, λ_j] (C_i∘C_j)(C_i∘C_j)ᵀ with orbitals i ≤ j; equals ``feature_response`` of the
    on-site model, by matrix products of half the size.
    """
    orbitals, levels = state.eigenvectors, state.eigenvalues
    divided = state.occupation.divided_difference(levels[:, None], levels[None, :])
    response = np.zeros((len(orbitals), len(orbitals)))
    for i in range(len(levels)):
        products = orbitals[:, i:] * orbitals[:, i, None]
        weights = 4.0 * divided[i, i:]
        weights[0] = 2.0 * divided[i, i]
        response += (products * weights) @ products.T
    return response


def onsite_stability(equilibrium: Equilibrium) -> tuple[float, float]:
    """(‖ε⁻¹‖_∞, c_stab) of an on-site equilibrium with one orbital an atom, see (3.12).

    v̂ = V there, so DT = ½χ₀ε with ε = 1 − Jχ₀; c_stab = ‖DT⁻¹‖_∞ in Hartree/electron, infinite at
    β = ∞ where χ₀ does not see a constant.
    """
    state = equilibrium.state
    response = independent_response_matrix(tight_binding_state(state))
    identity = np.eye(len(response))
    kernel = np.array([equilibrium.functional.kernel(state.density, unit) for unit in identity])
    inverse = scipy.linalg.inv(identity - kernel @ response)
    norm = float(np.max(np.sum(np.abs(inverse), axis=1)))
    if np.isinf(equilibrium.functional.beta):
        return norm, float("inf")
    product = 2.0 * inverse @ scipy.linalg.inv(response)
    return norm, float(np.max(np.sum(np.abs(product), axis=1)))


def chain_model(parameters: Mapping[str, Any], atoms: int) -> BoundTightBinding:
    """``model``: onsite, loewdin or orthonormal; ``spacing``: one or two distances; ``gap``."""
    spacing = parameters["spacing"]
    if parameters["model"] == "onsite":
        distances = spacing[0] if len(spacing) == 1 else (spacing[0], spacing[1])
        return onsite_chain(atoms, parameters["gap"], distances)
    return gaussian_chain(atoms, parameters["model"], spacing[0])


def tight_binding_state(state: FunctionalState) -> TightBindingState:
    """The local state, which has eigenvalues in both models."""
    assert isinstance(state.local, TightBindingState)
    return state.local


def neutral_level(model: BoundTightBinding, beta: float) -> tuple[float, FloatArray]:
    """(µ at which the grand-canonical critical point is neutral, v̂ near it).

    With complete features that is the canonical Fermi level. In the expansion form the canonical
    V − v is determined up to a constant, which is not in the span of W; from the canonical level µ
    then follows by the secant method, to 1e-6 electrons.
    """
    half_filled = equilibrate(
        EnergyFunctional(model, beta=beta), Anderson(), tolerance=1e-9, throw=True
    )
    mu, features = half_filled.fermi_level, half_filled.features
    if model.complete:
        return mu, features
    previous_mu, previous_charge = math.nan, math.nan
    for _ in range(12):
        grand = EnergyFunctional(model, beta=beta, ensemble=GrandCanonical(mu))
        solution = equilibrate(grand, Anderson(), features=features, tolerance=1e-9, throw=True)
        charge, features = float(np.sum(solution.charges)), solution.features
        if abs(charge) < 1e-6:
            return mu, features
        slope = (charge - previous_charge) / (mu - previous_mu)
        previous_mu, previous_charge = mu, charge
        # A first step against the sign of the charge, long enough to measure a slope.
        mu += 1e-3 * math.copysign(1.0, charge) if math.isnan(slope) else -charge / slope
    raise ConvergenceError(f"no neutral chemical potential: {charge:.2e} electrons are left")


class Chain:
    """One geometry: v̂* at a given µ, v̂*_N for any polynomial, and what is compared."""

    def __init__(self, parameters: Mapping[str, Any], atoms: int, mu: float | None = None) -> None:
        self.atoms = atoms
        self.complete = parameters["model"] == "onsite"
        self.beta = float(parameters["beta"])
        self.margin = float(parameters["margin"])
        self.model = chain_model(parameters, atoms)
        # Newton's Hessian of model A costs M² rows of second divided differences an application.
        self.solver: Solver = NewtonKrylov() if self.complete else Anderson()
        start = None
        if mu is None:
            mu, start = neutral_level(self.model, self.beta)
        self.mu = mu
        grand = EnergyFunctional(self.model, beta=self.beta, ensemble=GrandCanonical(mu))
        self.exact = equilibrate(
            grand, self.solver, features=start, tolerance=TOLERANCE, throw=True
        )

    @property
    def levels(self) -> FloatArray:
        """σ(H(v̂*)), Hartree."""
        return tight_binding_state(self.exact.state).eigenvalues

    def spectral_set(self) -> SpectralSet:
        """X for this chain."""
        return spectral_hull(self.levels, self.margin, self.mu if math.isinf(self.beta) else None)

    def body_ordered(self, occupation: PolynomialOccupation) -> "BodyOrdered":
        """v̂*_N."""
        return BodyOrdered(self, occupation)

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of the entries of :attr:`stability`."""
        if not self.complete:
            return ("c_stab (3.12)",)
        if math.isinf(self.beta):
            return ("norm of the inverse dielectric operator",)
        return ("norm of the inverse dielectric operator", "c_stab (3.12)")

    @cached_property
    def stability(self) -> dict[str, float]:
        """‖ε⁻¹‖_∞ (on-site) and c_stab of (3.12) where it is finite."""
        if not self.complete:
            return {self.constants[0]: self.exact.stability_constant()}
        return dict(zip(self.constants, onsite_stability(self.exact), strict=False))

    @property
    def newton_constant(self) -> float:
        """c that bounds the first Newton step by c ε_N, see :meth:`BodyOrdered.first_step`."""
        return self.stability[self.constants[0]]


class BodyOrdered:
    """v̂*_N near v̂* and its distance; everything in Hartree and electrons.

    ``outside``: how far any spectrum met while solving leaves X; ``farthest``: the largest
    ‖v̂ − v̂*‖_∞ met.
    """

    def __init__(self, chain: Chain, occupation: PolynomialOccupation) -> None:
        self.chain, exact = chain, chain.exact
        self.functional = EnergyFunctional(
            chain.model, ensemble=GrandCanonical(chain.mu), occupation=occupation
        )
        self.outside = self.farthest = 0.0
        X = occupation.spectral_set

        def watch(_: int, iterate: Iterate) -> None:
            levels = tight_binding_state(iterate.state).eigenvalues
            self.outside = max(self.outside, float(np.max(X.distance(levels))))
            moved = iterate.state.features - exact.features
            self.farthest = max(self.farthest, float(np.max(np.abs(moved))))

        self.solution = equilibrate(
            self.functional,
            chain.solver,
            features=exact.features,
            tolerance=TOLERANCE,
            callback=watch,
            throw=True,
        )
        self.difference = self.solution.features - exact.features
        self.error = float(np.max(np.abs(self.difference)))
        populations = self.solution.state.local.populations - exact.state.local.populations
        self.population_error = float(np.max(np.abs(populations)))
        self.left_charge = float(np.sum(populations))
        self.energy_error = abs(self.solution.energy - exact.energy)

    def first_step(self) -> tuple[FloatArray, float]:
        """(first Newton step from v̂*, size ε_N of the residual it removes)."""
        exact, at_exact = self.chain.exact, self.functional.evaluate(self.chain.exact.features)
        if self.chain.complete:
            potential = exact.functional.kernel(exact.density, at_exact.density - exact.density)
            return exact.dielectric.solve(potential), float(np.max(np.abs(potential)))
        gradient = at_exact.gradient.ravel()
        step = -scipy.linalg.solve(exact.hessian, gradient, assume_a="sym")
        return step.reshape(exact.features.shape), 0.5 * float(np.max(np.abs(gradient)))

    def created_charge(self) -> float:
        """Σ (p_N − p) at v̂*, electrons."""
        at_exact = self.functional.evaluate(self.chain.exact.features)
        return at_exact.electrons - self.chain.exact.state.electrons
