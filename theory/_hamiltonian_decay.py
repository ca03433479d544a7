"""The five constants of Lemma 10, model by model; the lemma says what they are."""

import math
from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.models.model_systems import ModelSystem
from scc.models.onsite import OnsiteAssembly
from scc.theory._gaussian_products import equal_exponent, feature_peaks, kinetic_peaks
from scc.theory._hopping_envelope import hopping_envelope
from scc.theory._orbital_envelope import potential_envelope, shell_envelope
from scc.theory._weighted_norms import perron_bound
from scc.theory.orthogonalisation import gaussian_assembly, tilted_eigenvalue, tilting
from scc.theory.packing import best_lattice_sum, packings
from scc.theory.system import TightBindingSystem


@dataclass(frozen=True)
class HamiltonianDecay:
    """The five constants at the rate ``eta`` (1/bohr), and ``amplitude`` = ‖v̂‖_∞.

    ``free``, ``potential``: c₀ (Hartree), c₁; ``by_feature``: c₂; ``moved_free``: c₃ (Hartree a
    bohr), ``moved_potential``: c₄ (1/bohr).
    """

    eta: float
    amplitude: float
    free: float
    potential: float
    by_feature: float
    moved_free: float
    moved_potential: float

    @property
    def value(self) -> float:
        """c₀ + c₁‖v̂‖_∞."""
        return self.free + self.potential * self.amplitude

    @property
    def moved(self) -> float:
        """c₃ + c₄‖v̂‖_∞."""
        return self.moved_free + self.moved_potential * self.amplitude


def amplitude(system: TightBindingSystem) -> float:
    """‖v̂‖_∞."""
    return float(np.max(np.abs(system.features)))


def onsite_bound(system: TightBindingSystem, eta: float) -> HamiltonianDecay:
    """A model system with a hopping in closed form."""
    assembly = system.assembly
    assert isinstance(assembly, OnsiteAssembly)
    assert isinstance(assembly.parameters, ModelSystem)
    found = hopping_envelope(assembly.parameters.hopping, eta, system.minimal_spacing)
    assert found is not None
    level = float(np.max(np.abs(assembly.parameters.onsite_energies(system.configuration))))
    return HamiltonianDecay(eta, amplitude(system), max(level, found[0]), 1.0, 1.0, found[1], 0.0)


def sharp_bound(system: TightBindingSystem, eta: float) -> HamiltonianDecay | None:
    """Equal s Gaussians; None for other orbitals or features."""
    assembly = gaussian_assembly(system)
    a, features = equal_exponent(assembly.basis), assembly.features
    if a is None or features is None or any(f.angular_momentum for f in features):
        return None
    at_site, bond, slope = kinetic_peaks(a, eta, min(system.minimal_spacing, 1e3))
    found = packings(system.configuration.positions)
    peaks = np.array([feature_peaks(a, function, eta, found) for function in features])
    return HamiltonianDecay(
        eta,
        amplitude(system),
        max(at_site, bond),
        float(np.sum(peaks[:, 0])),
        float(np.max(peaks[:, 1])),
        slope,
        float(np.sum(peaks[:, 2])),
    )


def paper_bound(system: TightBindingSystem, eta: float) -> HamiltonianDecay:
    """Raw orbitals by (2.12), (2.20) and Lemma 9, any shells and features."""
    assembly = gaussian_assembly(system)
    assert assembly.features is not None
    alpha = 2.0 * eta
    shells = {shell for atom in assembly.basis.shells for shell in atom}
    value, gradient, hessian = np.max([shell_envelope(s, alpha) for s in shells], axis=0)
    features = [(f, potential_envelope(f, 2.0 * alpha)) for f in assembly.features]
    count = [2 * f.angular_momentum + 1 for f, _ in features]
    total, moved = (
        sum(n * envelope[i] for n, (_, envelope) in zip(count, features, strict=True))
        for i in (0, 1)
    )
    everywhere = total * best_lattice_sum(
        2.0 * alpha, packings(system.configuration.positions), centre_is_a_point=False
    )
    integral = 8.0 * math.pi / alpha**3
    return HamiltonianDecay(
        eta,
        amplitude(system),
        float(0.5 * gradient**2 * integral),
        float(value**2 * everywhere * integral),
        float(value**2 * max(e.value for _, e in features) * integral / 8.0),
        float(0.5 * gradient * hessian * integral),
        float(2.0 * value * gradient * everywhere * integral + value**2 * moved * integral / 8.0),
    )


def loewdin_bound(system: TightBindingSystem, eta: float) -> HamiltonianDecay | None:
    """Orthogonalised orbitals; None where s(η) ≤ 0."""
    assembly = gaussian_assembly(system)
    assert assembly.three_centre is not None
    rest = tilted_eigenvalue(assembly.overlap.matrix, system.orbital_distances, eta)
    if not rest > 0.0:
        return None
    decay, pair_decay = np.exp(eta * system.orbital_distances), tilting(system, eta)
    kinetic = float(perron_bound(np.abs(assembly.kinetic.matrix) * decay))
    features = np.abs(assembly.three_centre.full())  # (M, c, n, n)
    potential = float(perron_bound(np.sum(features, axis=(0, 1)) * decay))
    by_feature = float(np.max(perron_bound(features * pair_decay[:, None])))

    def moved(derivative: FloatArray) -> FloatArray:
        """‖·‖_ηη of the lengths of gradients (M, 3, n, n): (M,)."""
        return perron_bound(np.linalg.norm(derivative, axis=1) * pair_decay)

    overlap = moved(assembly.overlap.position_derivative())
    free = overlap * kinetic / rest**2 + moved(assembly.kinetic.position_derivative()) / rest
    every = np.linalg.norm(assembly.three_centre.full_position_derivative(), axis=1)
    change = perron_bound(np.sum(every, axis=(1, 2)) * pair_decay)
    return HamiltonianDecay(
        eta,
        amplitude(system),
        kinetic / rest,
        potential / rest,
        by_feature / rest,
        float(np.max(free)),
        float(np.max(overlap * potential / rest**2 + change / rest)),
    )
