"""Linear response of an equilibrium, by solving with ε (never by differencing).

At v̂*, differentiate the self-consistency. Complete features, V[D] = v̂ and D = D(r, v̂):

    ε† dD = ∂_r D · dr + χ₀ (dV_ext + ∂_r V · dr),     dv̂ = K dD + ∂_r V · dr + dV_ext,

with ∂_r D at fixed v̂ and ∂_r V at fixed D. Expansion in Ξ: ∂²𝒢/∂v̂² dv̂ = −(change of ∂𝒢/∂v̂).
Polarisability α = dµ/dE, Born charges Z*_ℓ = dµ/dr_ℓ, µ = Σ Z_ℓ r_ℓ − ∫ x ρ, where an electron in
a uniform field E feels +E·x (charge −1).
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.equilibration.equilibrium import Equilibrium
from scc.errors import InputError

# Relative size below which curvature counts as a redundancy of Ξ.
_REDUNDANT = 1e-11


@dataclass(frozen=True)
class Change:
    """First-order change of an equilibrium: dv̂ (shape of v̂), dD (shape of D), dp (M,), dE_ℓ (M,).

    ``charges`` are −dp; ``site_energies`` belong to (3.5) with v̂ equilibrated.
    """

    features: FloatArray
    density: FloatArray
    populations: FloatArray
    site_energies: FloatArray

    @property
    def charges(self) -> FloatArray:
        """dq = −dp, (M,)."""
        return -self.populations


class LinearResponse:
    """Response of a converged equilibrium. Raises ConvergenceError for any other.

    Each solve is a Krylov iteration on ε (complete features) or a dense factorisation of the
    Hessian of 𝒢, made once (expansion).
    """

    def __init__(self, equilibrium: Equilibrium) -> None:
        equilibrium.require_converged()
        self.equilibrium = equilibrium
        self.state = equilibrium.state
        self.model = equilibrium.functional.model

    def to_potential(self, potential: FloatArray) -> Change:
        """Response to an external potential dV_ext (shape of D, Hartree)."""
        if self.model.complete:
            dielectric = self.equilibrium.dielectric
            density = dielectric.solve_adjoint(dielectric.independent_response(potential))
            features = dielectric.kernel(density) + potential
        else:
            features = self._solve_hessian(-self.state.local.density_vjp(potential))
            density = self.state.local.density_jvp(features)
        return Change(
            features,
            density,
            self.state.local.populations_jvp(features),
            self.state.site_energies_jvp(features),
        )

    def to_displacement(self, displacement: FloatArray) -> Change:
        """Response to a displacement dr (M, 3) of the atoms, Bohr."""
        displacement = self._checked(displacement)
        state = self.state
        explicit = state.local.density_position_jvp(displacement)
        if self.model.complete:
            dielectric = self.equilibrium.dielectric
            moved = state.potential_position_jvp(displacement)
            source = explicit + dielectric.independent_response(moved)
            density = dielectric.solve_adjoint(source)
            features = dielectric.kernel(density) + moved
        else:
            features = self._solve_hessian(-state.gradient_position_jvp(displacement))
            density = explicit + state.local.density_jvp(features)
        return Change(
            features,
            density,
            state.local.populations_jvp(features)
            + state.local.populations_position_jvp(displacement),
            state.site_energies_jvp(features) + state.site_energies_position_jvp(displacement),
        )

    def polarisability(self) -> FloatArray:
        """α_ab = ∂µ_a/∂E_b = −⟨x_a, dD[x_b]⟩, (3, 3), Bohr³. Open boundaries only."""
        fields = self._dipole_potentials()
        changes = [self.to_potential(field).density for field in fields]
        alpha = -np.array([[np.vdot(a, change) for change in changes] for a in fields])
        return np.asarray(alpha)

    def born_charges(self) -> FloatArray:
        """Z*_ℓ,ab = ∂µ_a/∂r_ℓb, (M, 3, 3), elementary charges. Open boundaries only.

        3M displacement responses; Σ_ℓ Z*_ℓ is the total charge times the identity.
        """
        fields = self._dipole_potentials()
        atoms = len(self.model.configuration)
        born = np.zeros((atoms, 3, 3))
        for atom in range(atoms):
            for axis in range(3):
                displacement = np.zeros((atoms, 3))
                displacement[atom, axis] = 1.0
                density = self.to_displacement(displacement).density
                moved = self.model.dipole_potentials_perturb(displacement)
                for a in range(3):
                    born[atom, a, axis] = -np.vdot(fields[a], density) - np.vdot(
                        moved[a], self.state.density
                    )
            born[atom] += np.eye(3) * self.model.nuclear_charges[atom]
        return born

    def _dipole_potentials(self) -> FloatArray:
        if any(self.model.configuration.periodic):
            raise InputError("the dipole moment of a periodic configuration is not defined")
        return self.model.dipole_potentials()

    def _checked(self, displacement: FloatArray) -> FloatArray:
        expected = (len(self.model.configuration), 3)
        displacement = np.asarray(displacement, dtype=np.float64)
        if displacement.shape != expected:
            raise InputError(f"displacement has shape {displacement.shape}, expected {expected}")
        return displacement

    def _solve_hessian(self, right: FloatArray) -> FloatArray:
        values, vectors = self._hessian_spectrum()
        largest = np.max(np.abs(values))
        if largest <= 1e-14:  # all orbitals full or empty: v̂ does nothing
            return np.zeros_like(right)
        keep = np.abs(values) > _REDUNDANT * largest
        inner = vectors[:, keep].T @ right.ravel()
        return np.asarray((vectors[:, keep] @ (inner / values[keep])).reshape(right.shape))

    def _hessian_spectrum(self) -> tuple[FloatArray, FloatArray]:
        if not hasattr(self, "_spectrum"):
            values, vectors = scipy.linalg.eigh(self.equilibrium.hessian)
            self._spectrum = (values, vectors)
        return self._spectrum
