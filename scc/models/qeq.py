r"""QEq, charge equilibration of Rappé and Goddard (J. Phys. Chem. 95 (1991) 3358), eq. (1.2).

    E(r, q) = Σ_ℓ [χ_ℓ q_ℓ + ½ J_ℓ(q_ℓ) q_ℓ²] + ½ Σ_{ℓ≠k} q_ℓ q_k J_ℓk(r_ℓk; q),    Σ q_ℓ = Q

J_ℓk is the Coulomb integral of the squares of Slater ns functions with exponents

    ζ_ℓ = λ (2n_ℓ + 1)/(2 R_ℓ),

and hydrogen shrinks as it loses electrons: ζ_H(q) = ζ_H⁰ + q, J_H(q) = (1 + q/ζ_H⁰) J_H⁰. As a
local model: v̂ = q; ρ_ℓ is −q_ℓ times that Slater density, in Gaussians of fixed widths (the
coefficients D (M, K) of :mod:`scc.electrostatics.slater_gaussians` depend on q for hydrogen); E_ℓ
is the bracket, which contains what the atom does to itself. All is local with the shortest range
there is: E_ℓ and ρ_ℓ depend on q_ℓ alone.

Two readings of charge-dependent hydrogen. *Variational* (this model): E above is stationary in q.
*As published*: J_H and ζ_H are held fixed while the linear equations are solved, and follow in
rounds, so that the derivatives of J with respect to q are left out; what that converges to is no
stationary point of E, and its partial forces are not −dE/dr. It is
:func:`scc.equilibration.frozen_parameters.equilibrate_frozen` with ``hydrogens`` frozen here.

λ. The published charges of the twenty alkali halides are those of λ = 0.4913, to all three digits;
those of molecules of light elements are reproduced (two digits, in the published reading) by λ = ½,
the value for which R_H gives ζ_H⁰ = 1.0698 as well. ``tests/models/test_qeq.py`` has both tables.
Four of 23 such charges miss the last digit, by 0.006 where rounding is 0.005: H of C2H6 (0.154, not
0.16: half a degree in the angle HCC), C of H2CO (0.196, not the 0.19 that the rounded charges of O
and H leave), H of the hydroxyl of HCOOH and C of the nitrile of CH3CN. One is not reproduced: H of
SiH4, +0.13 in the transcription of caltechmsc/cheq (tests/hydrogen.rs, commit f9c45bc, which allows
itself errors up to 0.20 there), is −0.045 here, −0.040 to −0.047 for either λ and every reading of
hydrogen: χ_H > χ_Si puts electrons on H. Whether the 1991 table or the transcription has it so is
not known to us.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.special import gammaincc

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.gaussian_set_coulomb import GaussianSetCoulomb
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.slater_gaussians import SlaterExpansion, expansion
from scc.errors import InputError
from scc.models.charge_state import ChargeState
from scc.units import ANGSTROM, EV

# Gaussians per atom, and the smallest ζ_H/ζ_H⁰ their error holds for: q_H ≥ −0.8.
_GAUSSIANS = 32
_LOWEST = 0.25
_NEGLIGIBLE = 1e-14  # Hartree: what two Slater densities feel of each other beyond 1/r at the reach


@dataclass(frozen=True)
class QEqElement:
    """χ (eV), J (eV), R (Å) and the shell n of the Slater function."""

    chi: float
    hardness: float
    radius: float
    shell: int


@cache
def _published() -> dict[str, Any]:
    text = files("scc.models").joinpath("qeq_elements.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def published_elements() -> dict[str, QEqElement]:
    """Table I of the paper: H, Li, C, N, O, F, Na, Si, P, S, Cl, K, Br, Rb, I, Cs."""
    return {symbol: QEqElement(**row) for symbol, row in _published()["elements"].items()}


@dataclass(frozen=True)
class QEq:
    """Parameters of QEq; ``prepare`` binds them to a geometry.

    Attributes:
        scale: λ. hydrogen_exponent: ζ_H⁰, bohr⁻¹. elements: symbol → :class:`QEqElement`.
        charge_dependent: whether hydrogen follows its charge.
    """

    scale: float = field(default_factory=lambda: float(_published()["scale"]))
    hydrogen_exponent: float = field(
        default_factory=lambda: float(_published()["hydrogen_exponent"])
    )
    charge_dependent: bool = True
    elements: Mapping[str, QEqElement] = field(default_factory=published_elements)
    name: str = "qeq"

    def exponent(self, symbol: str) -> float:
        """ζ, bohr⁻¹, of the neutral atom."""
        if symbol == "H":
            return self.hydrogen_exponent
        element = self.elements[symbol]
        return self.scale * (2 * element.shell + 1) / (2.0 * element.radius * ANGSTROM)

    def prepare(
        self,
        configuration: Configuration,
        *,
        external: Sequence[UniformField | ExternalCharges] = (),
        hydrogens: FloatArray | None = None,
    ) -> BoundQEq:
        """Bind to a geometry.

        Args:
            external: fields and charges, in the sign of ρ − ν.
            hydrogens: charges (M,) at which J_H and ζ_H are held fixed (others are not looked at).
        Raises:
            InputError: an element without parameters; charges of another shape or not finite.
        """
        missing = sorted(set(configuration.species) - set(self.elements))
        if missing:
            raise InputError(
                f"QEq has no parameters for {missing[0]}; it has {', '.join(self.elements)}"
            )
        if hydrogens is not None and np.shape(hydrogens) != (len(configuration),):
            raise InputError(
                f"hydrogen charges have shape {np.shape(hydrogens)}, "
                f"expected ({len(configuration)},)"
            )
        if hydrogens is not None and not np.all(np.isfinite(hydrogens)):
            atom = int(np.argmin(np.isfinite(hydrogens)))
            raise InputError(f"hydrogen charge {atom} is {hydrogens[atom]}, must be finite")
        return BoundQEq(self, configuration, external, hydrogens)


class BoundQEq:
    """E(r, ·) at one geometry."""

    convex = False  # what an atom does to itself is given, not computed: nothing is certain of it

    def __init__(
        self,
        model: QEq,
        configuration: Configuration,
        external: Sequence[UniformField | ExternalCharges],
        hydrogens: FloatArray | None,
    ) -> None:
        self.model, self.configuration = model, configuration
        self.feature_shape = (len(configuration),)
        species = np.array(configuration.species)
        rows = [model.elements[symbol] for symbol in configuration.species]
        self.chi = np.array([row.chi for row in rows]) * EV
        self.hardness = np.array([row.hardness for row in rows]) * EV
        hydrogen = species == "H"
        exponents = np.array([model.exponent(symbol) for symbol in configuration.species])
        self.softening = np.zeros(len(rows))  # κ of J(q) = (1 + κq) J⁰; ∂ζ/∂q is 1 where κ > 0
        if model.charge_dependent and hydrogens is None:
            self.softening[hydrogen] = 1.0 / model.hydrogen_exponent
        elif model.charge_dependent and hydrogens is not None:
            shift = np.where(hydrogen, hydrogens, 0.0)
            self.hardness = self.hardness * (1.0 + shift / model.hydrogen_exponent)
            exponents = exponents + shift
        self.exponents = exponents
        self._sets: list[tuple[np.ndarray[Any, Any], SlaterExpansion]] = []
        widths = np.zeros((len(rows), _GAUSSIANS))
        reach = 0.0
        for symbol in sorted(set(configuration.species)):
            members = np.flatnonzero(species == symbol)
            shell, zeta = model.elements[symbol].shell, model.exponent(symbol)
            lowest = _LOWEST if symbol == "H" and model.charge_dependent else 1.0
            gaussians = expansion(shell, zeta, _GAUSSIANS, lowest)
            self._sets.append((members, gaussians))
            widths[members] = gaussians.widths
            reach = max(reach, _reach(shell, zeta * max(lowest, 0.5)))
        self.electrostatics = (GaussianSetCoulomb(configuration, widths, reach, external=external),)

    @property
    def affine(self) -> bool:
        """Whether no exponent depends on q."""
        return not np.any(self.softening)

    @property
    def curvature(self) -> FloatArray:
        """J_ℓ of neutral atoms (M,)."""
        return self.hardness

    @cached_property
    def electron_weights(self) -> FloatArray:
        """One for every Gaussian."""
        return np.ones((len(self.chi), _GAUSSIANS))

    def dipole_potentials(self) -> FloatArray:
        """x_a for every Gaussian of an atom, (3, M, K)."""
        return np.repeat(self.configuration.positions.T[:, :, None], _GAUSSIANS, axis=2)

    def evaluate(self, features: FloatArray) -> QEqState:
        """E_ℓ, D and their derivatives at charges q (M,).

        Raises:
            InputError: a hydrogen so negative that its exponent is outside the expansion's range.
        """
        exponents = self.exponents + np.where(self.softening > 0.0, features, 0.0)
        low = exponents < _LOWEST * self.model.hydrogen_exponent
        for atom in np.flatnonzero(low & (np.array(self.configuration.species) == "H")):
            charge = exponents[atom] - self.model.hydrogen_exponent  # its own, or the frozen one
            raise InputError(
                f"hydrogen {atom} has the charge {charge:.3g}, for which QEq's exponent "
                f"ζ = ζ⁰ + q = {exponents[atom]:.3g} is not meaningful"
            )
        return QEqState(self, features, exponents)

    def weights(self, exponents: FloatArray, order: int) -> FloatArray:
        """c (M, K) at ζ (M,), or its first or second derivative."""
        result = np.zeros((len(self.chi), _GAUSSIANS))
        for members, gaussians in self._sets:
            function = (
                gaussians.coefficients,
                gaussians.first_derivatives,
                gaussians.second_derivatives,
            )[order]
            result[members] = function(exponents[members])
        return result


class QEqState(ChargeState):
    """E_ℓ = χq + ½J⁰(1 + κq)q² and D_ℓ = −q c(ζ_ℓ(q_ℓ)); nothing depends on positions."""

    def __init__(self, bound: BoundQEq, charges: FloatArray, exponents: FloatArray) -> None:
        super().__init__(charges)
        self._bound, self._exponents = bound, exponents
        self._moves = (bound.softening > 0.0).astype(np.float64)  # ∂ζ/∂q
        self.density = -charges[:, None] * bound.weights(exponents, 0)

    @property
    def site_energies(self) -> FloatArray:
        b, q = self._bound, self.features
        return q * (b.chi + 0.5 * b.hardness * q * (1.0 + b.softening * q))

    def feature_energy_vjp(self) -> FloatArray:
        b, q = self._bound, self.features
        return b.chi + b.hardness * q * (1.0 + 1.5 * b.softening * q)

    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray:
        b, q = self._bound, self.features
        return b.hardness * (1.0 + 3.0 * b.softening * q) * direction

    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        return self.feature_energy_vjp() * direction

    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        return np.zeros_like(self.features)

    def feature_energy_position_vjp(self) -> FloatArray:
        return np.zeros((len(self.features), 3))

    def feature_energy_second_position_vjp(self, displacement: FloatArray) -> FloatArray:
        return np.zeros_like(self.features)

    def feature_energy_position_vjp_along(self, direction: FloatArray) -> FloatArray:
        return np.zeros((len(self.features), 3))

    def density_jvp(self, direction: FloatArray) -> FloatArray:
        """D′ dq, (M, K)."""
        return self._first * direction[:, None]

    def density_vjp(self, potential: FloatArray) -> FloatArray:
        """⟨A, D′⟩, (M,)."""
        return np.asarray(np.sum(self._first * potential, axis=1))

    def density_second_vjp(self, direction: FloatArray, potential: FloatArray) -> FloatArray:
        """⟨A, D″⟩ dq, (M,)."""
        if not np.any(self._moves):
            return np.zeros_like(direction)
        return np.asarray(np.sum(self._second * potential, axis=1) * direction)

    def density_second_position_vjp(
        self, displacement: FloatArray, potential: FloatArray
    ) -> FloatArray:
        return np.zeros_like(self.features)

    @cached_property
    def _first(self) -> FloatArray:
        """∂D_ℓ/∂q_ℓ = −c − q c′ζ′."""
        weights = self._bound.weights(self._exponents, 0)
        slope = self._bound.weights(self._exponents, 1) * self._moves[:, None]
        return -weights - self.features[:, None] * slope

    @cached_property
    def _second(self) -> FloatArray:
        """∂²D_ℓ/∂q_ℓ² = −2c′ζ′ − q c″ζ′²."""
        slope = self._bound.weights(self._exponents, 1)
        bend = self._bound.weights(self._exponents, 2)
        return (-2.0 * slope - self.features[:, None] * bend) * self._moves[:, None]


def _reach(shell: int, exponent: float) -> float:
    """Where the potential of |ns⟩² is 1/r to ``_NEGLIGIBLE``, plus a Slater radius, bohr."""
    alpha = 2.0 * exponent
    r = np.linspace(1.0, 200.0, 4000)
    inner = gammaincc(2 * shell + 1, alpha * r) / r
    outer = alpha / (2 * shell) * gammaincc(2 * shell, alpha * r)
    beyond = np.flatnonzero(np.maximum(inner, outer) > _NEGLIGIBLE)
    return float(r[beyond[-1]] if len(beyond) else r[0]) + (2 * shell + 1) / alpha
