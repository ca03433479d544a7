"""Chains of Gaussian orbitals with complete features (2.26) for remark 11.

v̂ is the potential matrix ∫φφV_eff, D the density matrix; w = v*_N − v* = ε⁻¹Jδ to first order with
δ = D_N − D at v*, exactly as on-site. Differences are judged by the diagonal of v.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.claims._body_order_systems import spectral_hull, tight_binding_state
from scc.claims._gaussian_systems import model_a_chain
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.solvers import Anderson
from scc.functional.energy import EnergyFunctional
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

_TOLERANCE = 1e-11
_MARGIN = 0.02


class GaussianChain:
    """One chain at its neutral equilibrium; ``mu`` None: its own Fermi level."""

    def __init__(self, p: Mapping[str, Any], atoms: int, mu: float | None) -> None:
        self.atoms, self.beta = atoms, float(p["beta"])
        self.model: BoundTightBinding = model_a_chain(
            {**p, "atoms": atoms, "overlap": "loewdin"}, complete=True
        )
        start = None
        if mu is None:
            ensemble = Canonical(float(atoms))
            neutral = EnergyFunctional(self.model, beta=self.beta, ensemble=ensemble)
            found = equilibrate(neutral, Anderson(), tolerance=_TOLERANCE, throw=True)
            mu, start = found.fermi_level, found.features
        self.mu = mu
        functional = EnergyFunctional(self.model, beta=self.beta, ensemble=GrandCanonical(mu))
        self.exact = equilibrate(
            functional, Anderson(), features=start, tolerance=_TOLERANCE, throw=True
        )

    @property
    def levels(self) -> FloatArray:
        """σ(H(v*)), Hartree."""
        return tight_binding_state(self.exact.state).eigenvalues

    def solution(self, polynomial: PolynomialOccupation) -> FloatArray:
        """v*_N − v*, features. Raises ConvergenceError."""
        functional = EnergyFunctional(
            self.model, ensemble=GrandCanonical(self.mu), occupation=polynomial
        )
        found = equilibrate(
            functional,
            Anderson(),
            features=self.exact.features,
            tolerance=_TOLERANCE,
            throw=True,
        )
        return found.features - self.exact.features

    def first_order(self, polynomial: PolynomialOccupation, neutral: bool) -> FloatArray:
        """ε⁻¹Jδ; ``neutral``: with −Q/2n added to F_N (E1)."""
        state = tight_binding_state(self.exact.state)
        levels = state.eigenvalues
        change = 2.0 * (polynomial.occupation(levels) - state.occupation.occupation(levels))
        if neutral:
            change = change - np.mean(change)
        C = state.eigenvectors
        delta = self.model.assembly.extract((C * change) @ C.T)
        potential = self.exact.functional.kernel(self.exact.density, delta)
        return self.exact.dielectric.solve(potential)

    def created_charge(self, polynomial: PolynomialOccupation) -> float:
        """Q = 2Tr F_N(H) − 2Tr F(H) at v*, electrons."""
        occupied = polynomial.occupation(self.levels)
        return 2.0 * float(np.sum(occupied)) - self.exact.state.electrons

    def _diagonal(self, features: FloatArray) -> FloatArray:
        v = self.model.assembly.feature_matrix(features)
        return np.asarray(np.diagonal(v))

    def size(self, features: FloatArray) -> float:
        """Largest |v_ℓℓ|, Hartree."""
        return float(np.max(np.abs(self._diagonal(features))))

    def middle(self, features: FloatArray) -> float:
        """Mean v_ℓℓ of the four atoms in the middle, Hartree."""
        return float(np.mean(self._diagonal(features)[self.atoms // 2 - 2 : self.atoms // 2 + 2]))


def gaussian_polynomial(chains: Sequence[GaussianChain], degree: int) -> PolynomialOccupation:
    """One F_N for all chains (which have the same µ and β), X their spectra and 0.02 Hartree."""
    levels = np.concatenate([chain.levels for chain in chains])
    mu, beta = chains[0].mu, chains[0].beta
    X = spectral_hull(levels, _MARGIN, mu if math.isinf(beta) else None)
    return PolynomialOccupation.interpolate(X, degree, beta, mu)
