"""What Theorem 4 speaks of: derivatives of E_ℓ and of ρ_ℓ with respect to u_m = (r_m, v̂_m), at
fixed v̂, and the rate at which they should decay.

Measured are products of a :class:`scc.models.protocol.LocalState` with unit directions. The rate is
predicted from another object, Green's function G(z) = (z − H)⁻¹ (Lemma 12). By the contour
representation behind Lemma 13,

    DF(H)[A]_ℓℓ = β⁻¹ Σ_n [G(z_n) A G(z_n)]_ℓℓ,    z_n = µ + iπ(2n+1)/β,

and for A local to atom m every term is of the order of |G_ℓm(z)|² ~ e^{−2γ(z) r_ℓm}. At finite β
the pole next to the real axis decays slowest: the rate is 2γ(µ + iπ/β). At β = ∞ the sum is an
integral over any vertical line through the gap, and the rate is 2 max_E γ(E) over the gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray, IntArray
from scc.claims.claim import System
from scc.configuration import Configuration
from scc.locality import Decay, decide
from scc.models.protocol import BoundModel, LocalState
from scc.models.tight_binding import BoundTightBinding, TightBindingState

GAP_ENERGIES = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Energies tried at β = ∞, as fractions of the gap; γ(E) is flat about its maximum."""

CLEARLY_BETTER = 0.7
LEAST_FALL = 3.0


@dataclass(frozen=True)
class Case:
    """A tight-binding model at one (r, v̂, µ), grand-canonical.

    Attributes
    ----------
    model, state:
        Bound model and its state.
    dimension:
        Dimension d of the arrangement of the atoms: G(z) ~ r^{−(d−1)/2} e^{−γr}.
    """

    model: BoundTightBinding
    state: TightBindingState
    dimension: int

    @property
    def zero_temperature(self) -> bool:
        """β = ∞."""
        return bool(np.isinf(self.state.occupation.beta))


@dataclass(frozen=True)
class LocalDerivatives:
    """Magnitudes of derivatives with respect to u_m of a few atoms m, at fixed v̂; (K, M) each.

    Attributes
    ----------
    distance:
        r_ℓm, bohr.
    density_by_potential, energy_by_potential:
        |∂p_ℓ/∂v̂_m| (electrons a Hartree) and |∂E_ℓ/∂v̂_m|: norms over the features of atom m.
    density_by_position, energy_by_position:
        |∂p_ℓ/∂r_m| (electrons a bohr) and |∂E_ℓ/∂r_m| (Hartree a bohr): norms over the directions.
    """

    distance: FloatArray
    density_by_potential: FloatArray
    energy_by_potential: FloatArray
    density_by_position: FloatArray
    energy_by_position: FloatArray

    def items(self) -> list[tuple[str, FloatArray]]:
        """(name, magnitudes) of the four derivatives."""
        return [
            ("density by potential", self.density_by_potential),
            ("site energy by potential", self.energy_by_potential),
            ("density by position", self.density_by_position),
            ("site energy by position", self.energy_by_position),
        ]


def beta_of(system: System) -> float:
    """β of the parameters; infinity is written as the string ``"inf"``, which JSON can hold."""
    return float(system.parameters["beta"])


def distances_from(configuration: Configuration, atoms: Sequence[int]) -> FloatArray:
    """r_ℓm for m in ``atoms``, (K, M), bohr; minimum image where periodic."""
    if any(configuration.periodic):
        vectors = configuration.displacements()[list(atoms)]
    else:
        positions = configuration.positions
        vectors = positions[None, :, :] - positions[list(atoms), None, :]
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def spread_atoms(configuration: Configuration, number: int) -> list[int]:
    """``number`` atoms from the innermost to the outermost, evenly by their order from the centre.

    Outer ones too: only they have partners a whole diameter away.
    """
    offsets = configuration.positions - configuration.positions.mean(axis=0)
    order = np.argsort(np.linalg.norm(offsets, axis=1), kind="stable")
    chosen = np.linspace(0, len(order) - 1, min(number, len(order))).round().astype(int)
    return [int(order[place]) for place in chosen]


def local_derivatives(
    model: BoundModel, state: LocalState, atoms: Sequence[int], directions: FloatArray
) -> LocalDerivatives:
    """All four derivatives for m in ``atoms``, moving atoms along ``directions`` (J, 3).

    ``state`` grand-canonical, or locality fails (Remark 8). p_ℓ are the populations 2 tr F(H)_ℓℓ:
    ∫ρ_ℓ, and all there is of ρ_ℓ in the on-site model.
    """
    configuration = model.configuration
    shape = (len(atoms), len(configuration))
    squares: list[FloatArray] = [np.zeros(shape) for _ in range(4)]
    per_atom = state.features.size // len(configuration)
    for row, atom in enumerate(atoms):
        for feature in range(per_atom):
            unit = np.zeros((len(configuration), per_atom))
            unit[atom, feature] = 1.0
            direction = unit.reshape(state.features.shape)
            squares[0][row] += state.populations_jvp(direction) ** 2
            squares[1][row] += state.site_energies_jvp(direction) ** 2
        for vector in directions:
            displacement = np.zeros((len(configuration), 3))
            displacement[atom] = vector
            squares[2][row] += state.populations_position_jvp(displacement) ** 2
            squares[3][row] += state.site_energies_position_jvp(displacement) ** 2
    return LocalDerivatives(distances_from(configuration, atoms), *map(np.sqrt, squares))


def green_function(case: Case, z: complex, atoms: Sequence[int]) -> FloatArray:
    """max |[(z − H)⁻¹]_ℓm| over the orbitals of ℓ and of m in ``atoms``, (K, M), Hartree⁻¹."""
    hamiltonian = case.model.hamiltonian(case.state.features)
    owner: IntArray = np.asarray(case.state.assembly.atom_of_orbital)
    columns = np.flatnonzero(np.isin(owner, atoms))
    matrix = z * np.eye(len(hamiltonian)) - hamiltonian
    unit = np.eye(len(hamiltonian))[:, columns]
    solution = np.abs(scipy.linalg.solve(matrix, unit))
    blocks = np.zeros((len(case.model.configuration),) * 2)
    np.maximum.at(blocks, (owner[columns][:, None], owner[None, :]), solution.T)
    return np.asarray(blocks[list(atoms)])


def predicted_rate(case: Case, atoms: Sequence[int]) -> tuple[float, Decay]:
    """2γ in bohr⁻¹ (inf if G is of finite range, NaN if it cannot be told), and the decay of G."""
    distance = distances_from(case.model.configuration, atoms)
    prefactor_power = 0.5 * (case.dimension - 1)
    decays = [
        decide(distance, green_function(case, z, atoms), prefactor_power) for z in _points(case)
    ]
    best = max(decays, key=lambda decay: np.nan_to_num(_rate(decay), nan=-1.0))
    return 2.0 * _rate(best), best


def decided(distance: FloatArray, values: FloatArray, prefactor_power: float) -> Decay:
    """:func:`scc.locality.decide`, and where that cannot tell, the better of the two laws.

    In a three-dimensional cluster r spans less than a decade and the values scatter, so that power
    and rate of the product r^{−p} e^{−ηr} are hard to separate. But s = ``prefactor_power`` is
    known, and C r^{−s} e^{−ηr} and C r^{−p} have two unknowns each: the exponential is taken when
    it leaves less than :data:`CLEARLY_BETTER` of the squared residuals, on the same points, and
    falls by more than e³. Scattered powers leave a ratio of about one or more, whatever p.
    """
    decay = decide(distance, values, prefactor_power)
    if decay.kind != "inconclusive" or decay.exponential is None:
        return decay
    low, high = decay.exponential.r_range
    inside = (decay.envelope.distance >= low) & (decay.envelope.distance <= high)
    r, logarithm = decay.envelope.distance[inside], np.log(decay.envelope.magnitude[inside])
    exponential = _squared_residuals(r, logarithm + prefactor_power * np.log(r))
    ratio = exponential / _squared_residuals(np.log(r), logarithm)
    if decay.exponential.rate * (high - low) < LEAST_FALL or not ratio < CLEARLY_BETTER:
        return decay
    reason = f"exponential leaves {ratio:.2f} of the squared residuals of a power; {decay.reason}"
    return replace(decay, kind="exponential", reason=reason)


def _squared_residuals(x: FloatArray, y: FloatArray) -> float:
    """Of the least-squares line through (x, y)."""
    design = np.stack([np.ones_like(x), x], axis=1)
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(residual @ residual)


def _rate(decay: Decay) -> float:
    """Rate of the exponential fit, also where the data do not exclude a power."""
    if decay.kind != "finite" and decay.exponential is not None:
        return decay.exponential.rate
    return decay.rate


def _points(case: Case) -> list[complex]:
    mu = case.state.chemical_potential
    if not case.zero_temperature:
        return [complex(mu, np.pi / case.state.occupation.beta)]
    levels = case.state.eigenvalues
    below, above = float(levels[levels < mu][-1]), float(levels[levels >= mu][0])
    return [complex(below + fraction * (above - below)) for fraction in GAP_ENERGIES]
