"""The contract of a local model: (r, v̂, µ) ↦ site energies E_ℓ and densities ρ_ℓ, eq. (3.2).

Three objects, in the order they come to life:

* :class:`LocalModel` – parameters only; ``prepare`` binds it to a configuration;
* :class:`BoundModel` – everything that depends on the geometry r alone, computed once;
* :class:`LocalState` – everything at (r, v̂, µ), with derivative products. Nothing in it knows
  about 1/r: news from far away enters through v̂ only.

v̂ has shape (M, features per atom); a model whose features are the conjugate potential itself says
``complete = True`` (the complete Ξ of (2.26)) and its v̂ has the shape of the density coefficients.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from scc.arrays import FloatArray
from scc.configuration import Configuration


class Occupation(Protocol):
    """What a model may ask of the electron reservoir; see :mod:`scc.occupations.occupation`."""

    @property
    def beta(self) -> float: ...
    @property
    def chemical_potential(self) -> float: ...


class LocalState(Protocol):
    """E_ℓ(r, v̂), ρ_ℓ(r, v̂) and their derivative products at one (r, v̂, µ).

    ``direction`` dv̂ has the shape of v̂, ``displacement`` dr is (M, 3), ``weights`` a is (M,),
    ``potential`` A has the shape of the density coefficients D. Hartree, Bohr.
    """

    @property
    def features(self) -> FloatArray: ...
    @property
    def chemical_potential(self) -> float: ...
    @property
    def electrons(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def density(self) -> FloatArray: ...
    @property
    def site_energies(self) -> FloatArray: ...
    @property
    def feature_energy(self) -> float:
        """Σ_ℓ E_ℓ."""
        ...

    def density_jvp(self, direction: FloatArray) -> FloatArray: ...
    def density_vjp(self, potential: FloatArray) -> FloatArray: ...
    def density_position_jvp(self, displacement: FloatArray) -> FloatArray: ...
    def density_position_vjp(self, potential: FloatArray) -> FloatArray: ...
    def site_energies_jvp(self, direction: FloatArray) -> FloatArray: ...
    def site_energies_vjp(self, weights: FloatArray) -> FloatArray: ...
    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray: ...
    def site_energies_position_vjp(self, weights: FloatArray) -> FloatArray: ...


class BoundModel(Protocol):
    """A model at a fixed geometry."""

    @property
    def configuration(self) -> Configuration: ...
    @property
    def feature_shape(self) -> tuple[int, ...]: ...
    @property
    def complete(self) -> bool: ...
    @property
    def neutral_electrons(self) -> float: ...
    @property
    def electrostatics(self) -> Sequence[Any]: ...

    def evaluate(
        self, features: FloatArray, occupation: Any, electrons: float | None = None
    ) -> LocalState:
        """State at v̂; ``electrons`` fixes Σ∫ρ_ℓ (canonical) and lets µ follow."""
        ...


class LocalModel(Protocol):
    """Parameters of a model; ``prepare`` checks that every atom has them."""

    @property
    def name(self) -> str: ...

    def prepare(self, configuration: Configuration) -> BoundModel: ...
