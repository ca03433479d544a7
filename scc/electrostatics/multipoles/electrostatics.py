r"""The electrostatic operator of atom-centred Gaussian multipoles: the one class to use.

    n(x) = Σ_ℓλµ p_ℓλµ φ_λµ(x − r_ℓ; σ_ℓ)          (eq. (4.3), unit multipole moments)
    E(p, r) = ½ ∬ n(x) n(y) v(x − y) dx dy + ∫ n U_external,      V_ℓλµ = ∂E/∂p_ℓλµ

with v = 1/r (or e^{−κr}/r) repeated as the configuration's periodic directions say. Conventions:

- Sign: E does not care. In this package n = ρ − ν and V is what an electron feels.
- Self-interaction: E contains each Gaussian's own energy ½ p² K_own (positive; that makes E a
  positive semi-definite form). Points have none (it is infinite). ``self_interaction=False`` leaves
  it out for all; the form is then indefinite.
- Three periodic directions, no screening: every potential has zero average over the cell, which is
  the tin-foil Ewald sum with a neutralising background for charged cells. A Gaussian differs from
  its point limit by the average of what it lacks near its centre: for sites with charges q and
  widths σ the potential of the charges is (2π/Ω) Σ_k q_k (σ_k² + σ_probe²) *higher* for a Gaussian
  than for a point far away from overlap, and E(Gaussian) − E(point), own energies apart, is
  (2π/Ω) Q Σ_k q_k σ_k² for well separated sites of total charge Q.
- A finite ``surface_permittivity`` ε' adds 2π|M|²/((2ε'+1)Ω), M = Σ(q r + d) with positions as
  given.
- Forces −∂E/∂r_ℓ and stress (1/Ω) ∂E/∂ε at fixed multipole *components*: all nine entries, since
  without turning the multipoles along, E is not invariant under an antisymmetric ε.

Accuracy: ``tolerance`` bounds the error of the energy relative to ½Σ|p·V| and of the forces
relative to their root mean square. Parameters come from an a-priori estimate
(:mod:`.error_estimate`); every energy and force evaluation holds the estimate for its own
multipoles against what it found, and prepares the geometry again, tighter, if that is not enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.assemble import assembled
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.error_estimate import error_estimate
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.features import PotentialFeatures
from scc.electrostatics.multipoles.interaction import Field, SumOfInteractions
from scc.electrostatics.multipoles.plan import Plan, check_request, choose_plan, tighten
from scc.electrostatics.multipoles.sites import Sites, checked_coefficients, checked_widths
from scc.errors import ConvergenceError, InputError

_TIGHTENINGS = 8
_NEUTRAL = 1e-9  # |Σq| counts as zero below this times Σ|q|: charges written with ten digits


class Evaluation(NamedTuple):
    """Energy (Hartree), V (M, (l_max+1)²) and forces (M, 3), Hartree/bohr, of one set of p."""

    energy: float
    potential: FloatArray
    forces: FloatArray


class MultipoleElectrostatics:
    """E and everything derived from it at one geometry, prepared once and applied many times.

    Args:
        configuration: positions and, where periodic, the cell.
        widths: σ, bohr: one number, one per atom (M,), or one per species {"O": 1.0, …}; 0 is a
            point multipole.
        l_max: largest λ of the multipoles, 0…4.
        screening: κ ≥ 0, bohr⁻¹.
        surface_permittivity: ε' around an infinite crystal; inf is tin foil, 1 vacuum.
        external: :class:`UniformField` and :class:`ExternalCharges`, any number.
        self_interaction: whether E contains the Gaussians' own energies.
        method: "direct" (open only), "ewald", "mesh", or "auto" for the fastest.
        tolerance: relative error of energy and forces, see the module docstring.
        reference: typical multipoles (M, (l_max+1)²) to choose parameters by; None for independent
            unit ones. Only time depends on them.
        plan: parameters of an earlier geometry, to keep along a trajectory (``method`` and
            ``reference`` are then not looked at); within one plan, energies of a mesh are smooth
            and forces their exact derivatives. One that is not accurate enough here is replaced.
    Raises:
        InputError: anything above out of its range, one line naming the value.
    """

    def __init__(
        self,
        configuration: Configuration,
        widths: FloatArray | float | Mapping[str, float],
        l_max: int = 0,
        *,
        screening: float = 0.0,
        surface_permittivity: float = math.inf,
        external: Sequence[UniformField | ExternalCharges] = (),
        self_interaction: bool = True,
        method: str = "auto",
        tolerance: float = 1e-9,
        reference: FloatArray | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.configuration = configuration
        self.boundary = Boundary.of(configuration, screening, surface_permittivity)
        sigma = _widths_of_species(widths, configuration)
        self.sites = Sites(configuration.positions, sigma**2, l_max)
        self.self_interaction = self_interaction
        self.tolerance = tolerance
        self._external = tuple(external)
        for source in self._external:
            if isinstance(source, UniformField):
                source.check(self.boundary)
        if reference is not None:
            reference = checked_coefficients(reference, self.sites, "reference multipoles")
        check_request(self.boundary, tolerance, method if plan is None else plan.method)
        self._kept = plan is not None
        if plan is None:
            plan = choose_plan(self.boundary, self.sites, self.sites, tolerance, method, reference)
        self._use(plan)
        self._last: tuple[FloatArray, Evaluation] | None = None

    @property
    def plan(self) -> Plan:
        """Method and parameters in use."""
        return self._plan

    def evaluate(self, multipoles: FloatArray) -> Evaluation:
        """Energy, potential and forces together, within ``tolerance``.

        Raises:
            InputError: multipoles of another shape or not finite; a net charge where the energy
                then has no meaning (slab; surface term).
            ConvergenceError: no parameters reach the tolerance for these multipoles.
        """
        p = checked_coefficients(multipoles, self.sites)
        if self._last is not None and np.array_equal(p, self._last[0]):
            return self._last[1]
        self._check_charge(p)
        for _ in range(_TIGHTENINGS):
            inner = self._operator.field(p)
            outer = self._outer
            energy = float(np.sum(p * (0.5 * inner.potential + outer.potential)))
            gradient = inner.gradient + outer.gradient
            forces = -np.einsum("ac,aci->ai", p, gradient)
            excess = self._excess(p, inner.potential, forces)
            if excess <= 1.0:
                result = Evaluation(energy, inner.potential + outer.potential, forces)
                for array in result[1:]:
                    array.flags.writeable = False  # the same arrays are given out again
                self._last = (p.copy(), result)
                return result
            self._use(self._better(p, excess))
        raise ConvergenceError(
            f"no parameters reach the tolerance {self.tolerance} for these multipoles: the "
            f"estimated error is {excess:.2g} times as large"
        )

    def energy(self, multipoles: FloatArray) -> float:
        """E(p), Hartree. Raises as :meth:`evaluate`."""
        return self.evaluate(multipoles).energy

    def forces(self, multipoles: FloatArray) -> FloatArray:
        """−∂E/∂r_ℓ at fixed p, (M, 3), Hartree/bohr. Raises as :meth:`evaluate`."""
        return self.evaluate(multipoles).forces

    def potential(self, multipoles: FloatArray) -> FloatArray:
        """V = ∂E/∂p = K p + V_external, (M, (l_max+1)²), affine in p: parameters stay put.

        Raises:
            InputError: multipoles of another shape or not finite.
        """
        p = checked_coefficients(multipoles, self.sites)
        return np.asarray(self._operator.potential(p) + self._outer.potential)

    def kernel(self, multipoles: FloatArray) -> FloatArray:
        """K p, (M, (l_max+1)²): the linear part of :meth:`potential`.

        Raises:
            InputError: multipoles of another shape or not finite.
        """
        return np.asarray(self._operator.potential(checked_coefficients(multipoles, self.sites)))

    def potential_jvp_positions(
        self, multipoles: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        """Σ_m dr_m·∂V/∂r_m at fixed p, (M, (l_max+1)²), for dr (M, 3).

        Raises:
            InputError: multipoles of another shape or not finite.
        """
        p = checked_coefficients(multipoles, self.sites)
        gradient = self._operator.field(p).gradient + self._outer.gradient
        own = np.einsum("aci,ai->ac", gradient, displacement)
        return np.asarray(own + self._operator.moved(p, displacement))

    @property
    def external_field(self) -> Field:
        """What ``external`` does at the atoms: potential and gradient."""
        return self._outer

    def stress(self, multipoles: FloatArray) -> FloatArray:
        """(1/Ω) ∂E/∂ε_ij, (3, 3), at x → (1+ε)x of atoms and cell, multipole components fixed.

        Ω is the cell's volume (Hartree/bohr³), its area for a slab (Hartree/bohr²), 1 in open
        boundaries: then it is minus the virial of the forces.

        Raises:
            InputError: as :meth:`evaluate`; external fields, in which a strain is not defined.
        """
        if self._external:
            raise InputError("the stress is not defined in an external field")
        p = checked_coefficients(multipoles, self.sites)
        self.evaluate(p)
        return np.asarray(0.5 * self._operator.strain(p, p) / self.boundary.measure)

    def potential_at(self, multipoles: FloatArray, points: FloatArray) -> FloatArray:
        """The potential at points (n, 3) in bohr, own Gaussians included: (n,), Hartree.

        Raises:
            InputError: points of another shape, not finite, or on a point multipole.
        """
        p = checked_coefficients(multipoles, self.sites)
        points = np.array(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise InputError(f"points have shape {points.shape}, expected (n, 3)")
        if len(points) == 0:
            return np.zeros(0)
        targets = Sites(points, np.zeros(len(points)), 0)
        operator = assembled(self.boundary, self._plan, targets, self.sites, False, False)
        return np.asarray((operator.potential(p) + self._outside(targets).potential)[:, 0])

    def features(
        self,
        widths: Sequence[float] | FloatArray | float,
        l_max: int,
        self_interaction: bool = True,
    ) -> PotentialFeatures:
        """The operator p ↦ v̂ of eq. (4.1) for probes of widths σ_n (bohr) and λ ≤ l_max.

        Args:
            widths: σ_n, at least one; ψ of zero width takes V and its derivatives at the nucleus.
            self_interaction: False leaves out what an atom's own multipoles do at itself, exactly;
                the operator is then indefinite.
        Raises:
            InputError: no or negative widths; a probe of zero width on a point multipole with
                self-interaction.
        """
        sigma = checked_widths(np.atleast_1d(widths), np.size(widths), "feature")
        if len(sigma) == 0:
            raise InputError("features need at least one width")
        layers, outside = [], []
        for width in sigma:
            targets = Sites(self.sites.positions, np.full(len(self.sites), width**2), l_max)
            touching = targets.variances + self.sites.variances == 0.0
            if self_interaction and np.any(touching):
                atom = int(np.flatnonzero(touching)[0])
                raise InputError(
                    f"feature width 0 on the point multipole of atom {atom}: the self-interaction "
                    "is infinite"
                )
            layers.append(
                assembled(
                    self.boundary,
                    self._plan,
                    targets,
                    self.sites,
                    True,
                    self_interaction,
                    self._operator,
                )
            )
            outside.append(self._outside(targets))
        return PotentialFeatures(self.sites, l_max, layers, outside)

    def _use(self, plan: Plan) -> None:
        self._plan = plan
        self._operator: SumOfInteractions = assembled(
            self.boundary, plan, self.sites, self.sites, True, self.self_interaction
        )
        self._outer = self._outside(self.sites)

    def _better(self, p: FloatArray, excess: float) -> Plan:
        """A plan with errors ``excess`` times smaller; one made here if it was made elsewhere."""
        if self._kept:
            self._kept = False
            method = self._plan.method
            return choose_plan(self.boundary, self.sites, self.sites, self.tolerance, method, p)
        return tighten(self._plan, excess)

    def _outside(self, targets: Sites) -> Field:
        """Potential and gradient of everything external at the targets."""
        potential = np.zeros((len(targets), targets.n_components))
        gradient = np.zeros((*potential.shape, 3))
        for source in self._external:
            if isinstance(source, UniformField):
                field = source.field(targets)
            else:
                operator = assembled(self.boundary, self._plan, targets, source.sites, False, False)
                field = operator.field(source.charges[:, None])
            potential += field.potential
            gradient += field.gradient
        return Field(potential, gradient)

    def _excess(self, p: FloatArray, potential: FloatArray, forces: FloatArray) -> float:
        """Estimated errors over allowed ones, the larger of energy and forces."""
        if self._plan.method == "direct":
            return 0.0
        estimate = error_estimate(self._plan, self.boundary, self.sites, self.sites, p)
        allowed_force = self.tolerance * math.sqrt(float(np.mean(np.sum(forces**2, axis=1))))
        allowed_energy = self.tolerance * 0.5 * float(np.sum(np.abs(p * potential)))
        return max(
            _ratio(estimate.force, max(allowed_force, estimate.force_floor)),
            _ratio(estimate.energy, max(allowed_energy, estimate.energy_floor)),
        )

    def _check_charge(self, p: FloatArray) -> None:
        charges = np.concatenate(
            [p[:, 0], *[s.charges for s in self._external if isinstance(s, ExternalCharges)]]
        )
        net, size = float(np.sum(charges)), float(np.sum(np.abs(charges)))
        if abs(net) <= _NEUTRAL * size:
            return
        if self.boundary.kind == "slab":
            raise InputError(
                f"a slab of net charge {net} has no finite energy: its potential grows linearly"
            )
        if math.isfinite(self.boundary.surface_permittivity):
            raise InputError(
                f"the surface term needs a neutral cell, its net charge is {net}: the dipole "
                "moment would depend on the origin"
            )


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if numerator > 0.0 else 0.0


def _widths_of_species(
    widths: FloatArray | float | Mapping[str, float], configuration: Configuration
) -> FloatArray:
    if isinstance(widths, Mapping):
        missing = sorted(set(configuration.species) - set(widths))
        if missing:
            raise InputError(f"no width given for species {missing[0]}")
        widths = np.array([widths[symbol] for symbol in configuration.species])
    return checked_widths(widths, len(configuration), "multipole")
