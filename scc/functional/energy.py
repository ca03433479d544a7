"""The energy functional 𝒢(r, v̂) = Σ_ℓ E_ℓ(r, v̂) + E_el[ρ(r, v̂)] + ∫ ε_xc(ρ), eq. (3.1)/(3.2).

A functional is a bound local model, the explicit terms of the density, a temperature and an
ensemble. Its state at v̂ has the value, the site decomposition, both gradients, Hessian products
and the residual T. With V = ∂E[ρ]/∂D the effective potential in the basis and v = Σ v̂ W,

    ∂𝒢/∂v̂_mc = 2 ⟨DF(H)[W_mc], V − v⟩ = −2 T(v̂)_mc,        T of (2.24)/(2.27),

because the kinetic and entropy parts combine through β⁻¹S′(F(H)) = −(H − µ). In the canonical
ensemble the energy is 𝒢 + µN and DF carries the rank-one term of Remark 6. Energies include the
nucleus–nucleus interaction, so −∂E/∂r are physical forces.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError
from scc.functional.closure import Conjugate, Expansion
from scc.functional.terms import DensityTerm, LocalDensityTerm
from scc.models.protocol import BoundModel, LocalState
from scc.occupations.ensemble import Canonical, GrandCanonical
from scc.occupations.fermi_dirac import FermiDirac
from scc.occupations.occupation import Occupation


class EnergyFunctional:
    """𝒢(r, ·) at a fixed geometry.

    Parameters
    ----------
    model
        A bound local model (``LocalModel.prepare(configuration)``).
    beta
        Inverse temperature β ∈ (0, ∞], Hartree⁻¹.
    ensemble
        ``GrandCanonical(µ)`` or ``Canonical(N)``, N electrons counted with spin; by default
        canonical and neutral.
    terms
        Explicit density terms; by default the electrostatics of the model.
    extra_terms
        Added to ``terms``: exchange–correlation, external potentials, ….
    occupation
        Replaces Fermi–Dirac by another (G, F), e.g. the polynomials of (3.7); grand-canonical.

    Raises InputError when β ≤ 0, the ensemble does not go with the occupation, or the model is not
    bound or has no electronic levels (models of charges: :mod:`scc.functional.direct_functional`).
    """

    def __init__(
        self,
        model: BoundModel,
        *,
        beta: float = float("inf"),
        ensemble: GrandCanonical | Canonical | None = None,
        terms: Sequence[DensityTerm] | None = None,
        extra_terms: Sequence[DensityTerm] = (),
        occupation: Occupation | None = None,
    ) -> None:
        if not hasattr(model, "neutral_electrons"):
            raise InputError(
                f"{type(model).__name__} is no bound model with electronic levels: prepare() binds "
                "one, and models of charges go to DirectFunctional"
            )
        self.model = model
        self.ensemble: GrandCanonical | Canonical = (
            ensemble if ensemble is not None else Canonical(model.neutral_electrons)
        )
        self.terms: tuple[DensityTerm, ...] = (
            *(model.electrostatics if terms is None else terms),
            *extra_terms,
        )
        if occupation is not None:
            if isinstance(self.ensemble, Canonical):
                raise InputError(
                    "a polynomial occupation needs the grand-canonical ensemble: "
                    "its chemical potential is fixed"
                )
            if occupation.chemical_potential != self.ensemble.chemical_potential:
                raise InputError(
                    f"occupation has chemical potential {occupation.chemical_potential}, "
                    f"the ensemble {self.ensemble.chemical_potential}"
                )
            self.occupation: Occupation = occupation
        else:
            mu = (
                self.ensemble.chemical_potential
                if isinstance(self.ensemble, GrandCanonical)
                else 0.0
            )
            self.occupation = FermiDirac(beta, mu)
        self.beta = self.occupation.beta

        self.has_exact_occupation = occupation is None
        self.closure: Conjugate | Expansion = Conjugate(self) if model.complete else Expansion()

    def with_ensemble(self, ensemble: GrandCanonical | Canonical) -> "EnergyFunctional":
        """The same functional (exact occupations, prepared terms kept) in another ensemble.

        Raises InputError for a polynomial occupation, which belongs to its chemical potential.
        """
        if not self.has_exact_occupation:
            raise InputError("a polynomial occupation cannot change its ensemble")
        return EnergyFunctional(self.model, beta=self.beta, ensemble=ensemble, terms=self.terms)

    @property
    def configuration(self) -> Configuration:
        return self.model.configuration

    @property
    def convex(self) -> bool:
        """Whether E[ρ] is convex in ρ, so that the dielectric operator satisfies ε ≥ 1."""
        return all(term.convex for term in self.terms)

    @property
    def electrons(self) -> float | None:
        return self.ensemble.electrons if isinstance(self.ensemble, Canonical) else None

    def initial_features(self) -> FloatArray:
        """v̂ = 0: no effective potential."""
        return np.zeros(self.model.feature_shape)

    def evaluate(self, features: FloatArray) -> "FunctionalState":
        """Everything at v̂; see :class:`FunctionalState`."""
        local = self.model.evaluate(features, self.occupation, self.electrons)
        return FunctionalState(self, local)

    def density_energy(self, density: FloatArray) -> float:
        """E[ρ] of the explicit terms, Hartree."""
        return float(sum(term.energy(density) for term in self.terms))

    def potential(self, density: FloatArray) -> FloatArray:
        """V = ∂E[ρ]/∂D: the effective potential V_eff[ρ] tested with the density functions."""
        return sum((term.potential(density) for term in self.terms), np.zeros_like(density))

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """K dD = ∂V/∂D · dD (v_C, plus ε_xc″)."""
        return sum((term.kernel(density, direction) for term in self.terms), np.zeros_like(density))


class FunctionalState:
    """𝒢 and its derivatives at one v̂. ``local`` is the model's state, D its density."""

    def __init__(self, functional: EnergyFunctional, local: LocalState) -> None:
        self.functional = functional
        self.local = local
        self.features = local.features
        self.density = local.density

    @property
    def chemical_potential(self) -> float:
        return self.local.chemical_potential

    @property
    def electrons(self) -> float:
        return self.local.electrons

    @cached_property
    def energy(self) -> float:
        """𝒢(r, v̂) (grand-canonical) or 𝒢 + µN (canonical), Hartree, eq. (3.1)."""
        return self.local.feature_energy + self.functional.density_energy(self.density)

    @cached_property
    def kinetic_form_energy(self) -> float:
        """The same by 2 Tr[(H⁰ − µ)F + β⁻¹S(F)] + E[ρ], the first line of (3.1)."""
        local = float(np.sum(self.local.kinetic_site_energies))
        return local + self.functional.density_energy(self.density)

    @cached_property
    def site_energies(self) -> FloatArray:
        """E_ℓ of (3.4)/(3.5) with ε_xc, (M,); Σ E_ℓ + :attr:`long_range_energy` = energy."""
        total = self.local.site_energies.copy()
        for term in self.functional.terms:
            part = term.site_energies(self.density)
            if part is not None:
                total = total + part
        return total

    @property
    def long_range_energy(self) -> float:
        """E_el[ρ]: the terms without a site decomposition, Hartree."""
        return float(
            sum(
                term.energy(self.density)
                for term in self.functional.terms
                if term.site_energies(self.density) is None
            )
        )

    @cached_property
    def potential(self) -> FloatArray:
        """V[ρ(v̂)], the shape of D."""
        return self.functional.potential(self.density)

    @cached_property
    def gradient(self) -> FloatArray:
        """∂𝒢/∂v̂ (at fixed N: of 𝒢 + µN), the shape of v̂; equals −2T(v̂)."""
        return self.local.feature_energy_vjp() + self.local.density_vjp(self.potential)

    @property
    def residual(self) -> FloatArray:
        """T(v̂)_mc = ⟨DF(H)[W_mc], v − ∫φ⊗φ V_eff[ρ]⟩, eq. (2.24)/(2.27)."""
        return -0.5 * self.gradient

    @cached_property
    def position_gradient(self) -> FloatArray:
        """∂𝒢/∂r at fixed v̂, (M, 3), Hartree/Bohr.

        Pulay contributions of φ, Ξ, S and quadrature weights included. The force at a critical
        point of 𝒢 in v̂ is minus this (Hellmann–Feynman).
        """
        gradient = self.local.feature_energy_position_vjp()
        gradient = gradient + self.local.density_position_vjp(self.potential)
        for term in self.functional.terms:
            gradient = gradient + term.position_gradient(self.density)
        return gradient

    def hessian_vector_product(self, direction: FloatArray) -> FloatArray:
        """∂²𝒢/∂v̂² · dv̂, the shape of v̂.

        (∂D/∂v̂)ᵀ(K dD − dv) + ⟨∂²D/∂v̂²[dv̂, ·], V − v⟩; the second vanishes where V = v.
        """
        response = self.local.density_jvp(direction)
        kernel = self.functional.kernel(self.density, response)
        first = self.local.density_vjp(kernel)
        return (
            first
            + self.local.density_second_vjp(direction, self.potential)
            + self.local.feature_energy_second_vjp(direction)
        )

    def gradient_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂_r(∂𝒢/∂v̂) · dr at fixed v̂, the shape of v̂."""
        response = self.local.density_position_jvp(displacement)
        moved = self.functional.kernel(self.density, response) + self.potential_position_jvp(
            displacement
        )
        return (
            self.local.density_vjp(moved)
            + self.local.density_second_position_vjp(displacement, self.potential)
            + self.local.feature_energy_second_position_vjp(displacement)
        )

    def potential_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂V/∂r · dr at fixed D, the shape of D."""
        moved = [
            t.potential_position_jvp(self.density, displacement) for t in self.functional.terms
        ]
        return sum(moved, np.zeros_like(self.density))

    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        """∂E_ℓ/∂v̂ · dv̂ with the local terms, (M,)."""
        total = self.local.site_energies_jvp(direction)
        response: FloatArray | None = None
        for term in self.functional.terms:
            if isinstance(term, LocalDensityTerm):
                response = self.local.density_jvp(direction) if response is None else response
                total = total + term.site_energies_jvp(self.density, response)
        return total

    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂E_ℓ/∂r · dr at fixed v̂ with the local terms, (M,)."""
        total = self.local.site_energies_position_jvp(displacement)
        response: FloatArray | None = None
        for term in self.functional.terms:
            if isinstance(term, LocalDensityTerm):
                if response is None:
                    response = self.local.density_position_jvp(displacement)
                total = (
                    total
                    + term.site_energies_jvp(self.density, response)
                    + term.site_position_jvp(self.density, displacement)
                )
        return total
