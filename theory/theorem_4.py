r"""Theorem 4: at fixed v̂ site energies and densities are local, with C and η of this very system.

Statement. Let β < ∞, or g± > 0. With u_m = (r_m, v̂_m) and constants that do not depend on M,

    |∂E_ℓ/∂u_m| ≤ C e^{−η r_ℓm},      |∂ρ_ℓ(x)/∂u_m| ≤ C e^{−η(|x − r_ℓ| + r_ℓm)},
    η ~ β⁻¹ + min{g₋, g₊} as β⁻¹ + g → 0, at β = ∞ η ~ g.

E_ℓ = 2 tr[G(H) − vF(H)]_ℓℓ by (3.5), plus any short-range repulsion of the model; at β = ∞ this
*is* (3.4), because (x − µ)F = G there. ρ_ℓ by (3.6), populations p_ℓ = 2 tr F(H)_ℓℓ = ∫ρ_ℓ
(orthonormal orbitals); on-site they are all of ρ_ℓ. The density at points has a file of its own,
:mod:`scc.theory.theorem_4_density`.

Proof with constants. Let A = ∂H/∂u_m, B = ∂v/∂u_m, R = (z − H)⁻¹ on the spectral line
(:mod:`scc.theory._spectral_line`), where DF(H)[A] is the sum of RAR with positive weights and
DG(H)[A] is ½A + (E − µ)DF(H)[A] less an integral of Im(RAR). Hence, e a unit vector in ℓ,

    ∂p_ℓ = 2 Σ_e eᵀDF(H)[A]e,
    ∂E_ℓ = 2 Σ_e { eᵀ(½A − B F(H))e − ∫ν(s) eᵀIm(RAR)e ds − [(v − E + µ)e]ᵀ DF(H)[A] e }.

Weights φ = r_·m in Combes–Thomas (:mod:`scc.theory._resolvent_bounds`) bound every term by
a_m(η) = ‖e^{ηφ}Ae^{ηφ}‖, ‖e^{−ηφ}e‖ = e^{−ηr_ℓm} and ‖e^{−ηφ}(v − E + µ)e‖; ‖F − ½‖ ≤ ½ leaves
½|eᵀ(A − B)e| + ½‖Be‖ of the first, which by Lemma 10 have the decay of the orbitals. With one η
for all distances this is the statement:

    |∂p_ℓ/∂u_m| ≤ [2 n_b Σ_k w_k c(η, s_k)⁻²] · a_m(η) · e^{−2η r_ℓm}.

The rate is 2η, for any η < sup{η : c(η, s_0) > 0}, s_0 = π/β or 0: *twice* Combes–Thomas, because
the perturbation is pinned to m and the observable to ℓ. The paper's Corollary 14 halves it, and
its form of Lemma 12 with ½𝔡 halves it again. From (i) of Lemma 12, sup η solves
√((g_min − α)₊² + π²/β²) = s(η); s ~ h₁η and α ~ ½h₂η² with h_i = ‖|H|∘r^i‖ independent of M, so

    2η ≈ (2/h₁) √(g_min² + π²/β²),  and at β = ∞, the line in the middle of the gap, 2η ≈ g/h₁,

the asymptotics of the statement. On the nearest-neighbour chain at µ = 0, β < ∞, 2η is exact.

What this loses are the signs of H: on chains with several hoppings a factor of four in the rate.
On chains :mod:`scc.theory._tilted` keeps them, with a rate that is true to some per cent.

Moving atoms move H⁰, v and, for Löwdin's orbitals, S^{−1/2}: A and B are the model's own
derivatives, dense but localised about m; a_m(η) sees all of it and is finite for every η.

ε_xc, where present, adds ∫_{N_ℓ} ε_xc′(ρ) ∂ρ dx with |ε_xc′(ρ)| ≤ c ρ^{1/3} bounded;
dist(r_m, N_ℓ) ≥ ½r_ℓm turns the decay of ∂ρ(x) in |x − r_m| into one with half the rate:
:mod:`scc.theory.theorem_4_exchange`. The checks here are at ε_xc = 0.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scc.arrays import FloatArray
from scc.theory import _theorem_4_steps as steps_of
from scc.theory import lemma_12
from scc.theory._daleckii_krein import EPS
from scc.theory._perturbations import Perturbation, measured, sampled
from scc.theory._resolvent_bounds import ResolventBounds, resolvent_bounds
from scc.theory._spectral_line import representations_hold
from scc.theory._tilted import applies, projected_distances, tilted_bounds
from scc.theory.statement import Check, joined
from scc.theory.system import TightBindingSystem

LARGEST_TILTED = 16
"""On-site systems up to this size are also held against the bound from the tilted resolvent."""

SAMPLED_ATOMS = 5
"""Perturbed atoms m in :func:`checks`, spread evenly over the list; ℓ runs over all atoms."""


@dataclass(frozen=True, eq=False)
class LocalityBound:
    """Bounds of all derivatives with respect to one perturbation."""

    system: TightBindingSystem
    resolvent: ResolventBounds
    perturbation: Perturbation
    projected: FloatArray | None = None
    """|x_ℓ − x_k|, (M, M), where the resolvent bounds are about decay in that (tilted)."""

    @cached_property
    def log_distance_weight(self) -> FloatArray:
        """ln ‖e^{−ηφ}e‖ = −η r_am for every orbital a, (n, K)."""
        if self.projected is None:
            return np.asarray(-self._r[:, None] * self.resolvent.rates)
        along = self.projected[self.system.owner, self.perturbation.atom]
        return np.asarray(-along[:, None] * self.resolvent.rates)

    @cached_property
    def log_strength(self) -> FloatArray:
        """ln a_m(η), (K,): the smaller of Frobenius norm and largest row sum of e^{ηφ}|A|e^{ηφ}."""
        size = np.abs(self.perturbation.change)
        rows, columns = np.nonzero(size)
        if len(rows) == 0:
            return np.full(len(self.resolvent.rates), -np.inf)
        path = self._r[rows] + self._r[columns]
        entries = np.log(size[rows, columns])[:, None] + path[:, None] * self.resolvent.rates
        # Scaled by the largest entry: e^{2ηr} overflows where Löwdin's tails meet large η.
        top = np.max(entries, axis=0)
        scaled = np.exp(entries - top)
        frobenius = np.sqrt(np.sum(scaled**2, axis=0))
        sums = np.zeros((len(size), len(top)))
        np.add.at(sums, rows, scaled)
        return np.asarray(top + np.log(np.minimum(frobenius, np.max(sums, axis=0))))

    def populations(self) -> FloatArray:
        """Bound of |∂p_ℓ/∂u_m|, (M,) electrons per Hartree or bohr."""
        weight = self.log_strength + 2.0 * self.log_distance_weight
        return self._per_atom(2.0 * self.resolvent.occupation_response(weight))

    def site_energies(self) -> FloatArray:
        """Bound of |∂E_ℓ/∂u_m|, (M,) Hartree per Hartree or bohr."""
        near = self.log_strength + self.log_distance_weight
        grand = self.resolvent.grand_potential_response(near + self.log_distance_weight)
        response = self.resolvent.occupation_response(near + self._log_potential_weight)
        kinetic = np.abs(np.diagonal(self.perturbation.change - self.perturbation.potential))
        occupied = np.linalg.norm(self.perturbation.potential, axis=0)
        total = kinetic + occupied + 2.0 * grand + 2.0 * response
        return self._per_atom(total) + np.abs(self.perturbation.repulsion)

    def constant(self, eta: float) -> float:
        """C in |∂p_ℓ/∂u_m| ≤ C e^{−2η r_ℓm} for one η of the table (the nearest below)."""
        index = self._index(eta)
        weight = np.full(len(self.resolvent.rates), np.inf)
        weight[index] = self.log_strength[index]
        orbitals = np.bincount(self.system.owner)
        return float(2.0 * np.max(orbitals) * self.resolvent.occupation_response(weight))

    def rate_of(self, eta: float) -> float:
        """The η of the table nearest below, 1/bohr."""
        return float(self.resolvent.rates[self._index(eta)])

    def _index(self, eta: float) -> int:
        return int(np.searchsorted(self.resolvent.rates, eta, side="right")) - 1

    def paper_populations(self) -> FloatArray:
        """Bound of |∂p_ℓ/∂u_m| as the paper's lemmas give it, (M,): Lemma 12 with ½𝔡, one η_ct for
        all nodes, Corollary 14 with K(½η_ct)² and half of 2η_ct r_ℓm, A as |A| ≤ c e^{−η_ct d}."""
        system, line = self.system, self.resolvent.line
        eta = paper_rate(system)
        size = np.abs(self.perturbation.change)
        strength = float(np.max(size * np.exp(eta * (self._r[:, None] + self._r))))
        row_sum = float(np.max(np.sum(np.exp(-0.5 * eta * system.orbital_distances), axis=1)))
        distances = np.exp(-self.resolvent.whole_part[:, 0])
        nodes = line.occupation @ (2.0 / distances) ** 2
        last = line.occupation_tail(2) * (2.0 / line.heights[-1]) ** 2  # 𝔡(s) ≥ s
        constant = 2.0 * (nodes + last) * strength * row_sum**2
        return self._per_atom(constant * np.exp(-eta * self._r))

    @property
    def _r(self) -> FloatArray:
        """φ = r_am by orbital a, (n,)."""
        return np.asarray(self.system.distances[self.system.owner, self.perturbation.atom])

    @cached_property
    def _log_potential_weight(self) -> FloatArray:
        """ln ‖e^{−ηφ}(v − E + µ)e‖ for every orbital, (n, K)."""
        offset = self.resolvent.line.offset
        shifted = self.system.potential - offset * np.eye(len(self.system.potential))
        decay = np.exp(2.0 * self.log_distance_weight)
        with np.errstate(divide="ignore"):
            return np.asarray(0.5 * np.log(shifted.T**2 @ decay))

    def _per_atom(self, values: FloatArray) -> FloatArray:
        summed = np.bincount(self.system.owner, weights=values, minlength=self.system.atoms)
        return np.asarray(summed, dtype=np.float64)


def derivation() -> dict[str, bool]:
    """The representation of F and G along the line, and the asymptotics of the rate."""
    steps = representations_hold()
    steps["(3.4) is (3.5) at β = ∞: (x − µ)F − G = −β⁻¹S(F) → 0"] = steps_of.zero_temperature_form()
    steps["2η h₁ → 2√(g² + π²/β²) as both vanish"] = steps_of.small_gap_rate()
    steps["on the chain h₁ = 2t is the band's largest velocity"] = steps_of.chain_velocity()
    return steps


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """β < ∞, or µ in a gap."""
    gap = min(system.gap_below, system.gap_above)
    return {
        "beta < inf or gaps on both sides": not system.zero_temperature or gap > 0.0,
        "min{g-, g+}": gap,
        "minimal spacing": system.minimal_spacing,
    }


def rate(system: TightBindingSystem) -> float:
    """2 sup{η : c(η, s_0) > 0}, 1/bohr: every smaller rate has its finite constant."""
    return 2.0 * lemma_12.best_exponent(system, slowest_point(system))


def uniform_rate(
    system: TightBindingSystem, gap_below: float, gap_above: float, beta: float
) -> float:
    """The rate for every spectrum with these gaps, at this β: of H it sees |H| alone."""
    if np.isinf(beta):
        middle = 0.5 * (gap_below + gap_above)
        return 2.0 * lemma_12.exponent_at(system, middle, middle, 0.0)
    return 2.0 * lemma_12.exponent_at(system, gap_below, gap_above, np.pi / beta)


def paper_rate(system: TightBindingSystem) -> float:
    """η_ct of Lemma 12 as the paper has it, which Corollary 14 turns into the rate of Theorem 4
    (½ min{η_ct, η_H} · 2r_ℓm, provided the orbitals decay faster: η_H ≥ η_ct)."""
    return lemma_12.paper_exponent(system, slowest_point(system))


def slowest_point(system: TightBindingSystem) -> complex:
    """µ + iπ/β, or the middle of the gap."""
    if not system.zero_temperature:
        return complex(system.mu, np.pi / system.beta)
    if not np.isfinite(system.gap_below + system.gap_above):
        return complex(system.mu)
    return complex(system.mu + 0.5 * (system.gap_above - system.gap_below))


def bound(
    system: TightBindingSystem, perturbation: Perturbation, resolvent: ResolventBounds | None = None
) -> LocalityBound:
    """All bounds for one perturbation; ``resolvent`` where it is known already."""
    return LocalityBound(system, resolvent or resolvent_bounds(system), perturbation)


def tilted_bound(
    system: TightBindingSystem, perturbation: Perturbation, tilted: ResolventBounds
) -> LocalityBound:
    """The same with :func:`scc.theory._tilted.tilted_bounds`."""
    return LocalityBound(system, tilted, perturbation, projected_distances(system))


def rounding(locality: LocalityBound) -> tuple[float, float]:
    """Errors of (∂p_ℓ, ∂E_ℓ) as measured, in the units of those.

    Levels and orbitals are those of H + δ, ‖δ‖ ≤ u: DF moves by ‖D²F‖ u‖A‖, and so on. Each of the
    products CᵀAC, F[λ_i, λ_j]∘(·), C(·)Cᵀ adds n·eps of ‖DF‖‖A‖_F.
    """
    system, resolvent = locality.system, locality.resolvent
    u, unit = system.rounding_unit, product_rounding(system)
    a = float(np.linalg.norm(locality.perturbation.change))
    b = float(np.linalg.norm(locality.perturbation.potential))
    v = float(np.max(np.sum(np.abs(system.potential), axis=0)) + abs(resolvent.line.offset))
    slope, curvature = resolvent.occupation_moment(1), resolvent.occupation_moment(2)
    orbitals = float(np.max(np.bincount(system.owner)))
    of_f = a * (u * curvature + unit * slope)
    of_g = a * (u * resolvent.grand_potential_moment(2) + unit)
    of_vf = v * of_f + b * occupation_rounding(system, slope)
    return 2.0 * orbitals * of_f, 2.0 * orbitals * (of_g + of_vf)


def occupation_rounding(system: TightBindingSystem, slope: float) -> float:
    """Error of F(H) as computed, in norm: ‖DF‖ ≤ ``slope`` times u, and that of C F Cᵀ."""
    return system.rounding_unit * slope + product_rounding(system)


def product_rounding(system: TightBindingSystem) -> float:
    """Relative error of a product of n × n matrices of the eigenvectors, and of sums over n."""
    return 8.0 * len(system.levels) * EPS


def checks(system: TightBindingSystem) -> list[Check]:
    """All four derivatives, sharp; of ∂p by one rate for all distances, the statement; of
    small systems the tilted form too."""
    resolvent = resolvent_bounds(system)
    tilted = None
    if system.atoms <= LARGEST_TILTED and applies(system):
        tilted = tilted_bounds(system, resolvent)
    eta = 0.35 * rate(system)
    found: dict[str, list[tuple[FloatArray, FloatArray, float]]] = {}
    for perturbation in sampled(system, SAMPLED_ATOMS):
        locality = bound(system, perturbation, resolvent)
        errors = rounding(locality)
        derivatives = measured(system, perturbation)
        name = f"∂/∂{perturbation.name}_m"
        if tilted is not None:
            sharper = tilted_bound(system, perturbation, tilted)
            pairs = ((0, "p_ℓ", sharper.populations()), (1, "E_ℓ", sharper.site_energies()))
            for index, what, limit in pairs:
                triple = (derivatives[index], limit, errors[index])
                found.setdefault(f"|{name} {what}|, tilted", []).append(triple)
        distances = system.distances[:, perturbation.atom]
        for what, index, limit in (
            (f"|{name} p_ℓ|, sharp", 0, locality.populations()),
            (f"|{name} E_ℓ|, sharp", 1, locality.site_energies()),
            (
                f"|{name} p_ℓ|, one rate",
                0,
                locality.constant(eta) * np.exp(-2.0 * locality.rate_of(eta) * distances),
            ),
        ):
            found.setdefault(what, []).append((derivatives[index], limit, errors[index]))
    return joined(found)
