r"""Newton–Kantorovich for Φ(V) = V − V_nuc − J[D(V)], for the engine of scc.certify.

With h = XᵀVX, H = XᵀTX + h and K: P ↦ 2Xᵀ J[XPXᵀ]X,

    DΦ(V̄) = 1 − K DF(H̄),    DΦ(V) − DΦ(V̄) = −K (DF(H) − DF(H̄)),    ‖DF(H) − DF(H̄)‖ ≤ L‖H − H̄‖,

L = ``occupation.curvature``; at a fixed electron number F stands for H ↦ F(H − µ(H)). M, the same
with DF at diag(Λ), is within ‖K‖Lη of DΦ(V̄); A ≈ M⁻¹ is a float matrix, and all that is needed of
it is z ≥ ‖1 − A·DΦ(V̄)‖ < 1: then ‖DΦ(V̄)⁻¹B‖ ≤ ‖AB‖/(1 − z).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import arb, arb_mat

from scc.certify.failure import CertificationError
from scc.certify.gaussian.centre import Centre
from scc.certify.gaussian.symmetric import from_vector
from scc.certify.norms import floats, frobenius, identity, matrix, spectral


@dataclass(frozen=True)
class FixedPoint:
    """The problem at one centre."""

    centre: Centre

    @cached_property
    def jacobian(self) -> arb_mat:
        """M."""
        response = self.centre.response
        return identity(response.nrows()) - self.centre.coulomb * response

    @cached_property
    def approximate_inverse(self) -> arb_mat:
        """A, exact floats."""
        try:
            return matrix(np.linalg.inv(floats(self.jacobian)))
        except np.linalg.LinAlgError:
            raise CertificationError("the dielectric operator 1 - K chi0 is singular") from None

    @cached_property
    def _unscaled_screened(self) -> arb:
        return spectral(self.approximate_inverse * self.centre.coulomb)

    @cached_property
    def defect(self) -> arb:
        """z. Raises CertificationError where it is not below one."""
        a = self.approximate_inverse
        z = spectral(identity(a.nrows()) - a * self.jacobian)
        eta = self.centre.level_error
        z = (z + self._unscaled_screened * self.centre.occupation.curvature(eta) * eta).upper()
        if not z < 1:
            raise CertificationError(
                f"no bound for the inverse of 1 - K chi0: ||1 - A DPhi|| <= {float(z):.3g}, "
                "must be below 1"
            )
        return z

    @cached_property
    def screened(self) -> arb:
        """Upper bound of ‖DΦ(V̄)⁻¹K‖."""
        return (self._unscaled_screened / (1 - self.defect)).upper()

    @cached_property
    def inverse(self) -> arb:
        """Upper bound of ‖DΦ(V̄)⁻¹‖."""
        return (spectral(self.approximate_inverse) / (1 - self.defect)).upper()

    @cached_property
    def newton_step(self) -> arb:
        """Upper bound of ‖DΦ(V̄)⁻¹Φ(V̄)‖."""
        step = self.approximate_inverse * self.centre.residual_vector
        return (frobenius(step) / (1 - self.defect)).upper()

    def modulus(self, radius: arb) -> arb:
        """ω(r) = ‖DΦ(V̄)⁻¹K‖ L r."""
        reach = (radius + self.centre.level_error).upper()
        return (self.screened * self.centre.occupation.curvature(reach) * radius).upper()

    def step(self) -> arb_mat:
        """dV of one Newton step, approximately: to polish V̄ with."""
        moved = -self.approximate_inverse * self.centre.residual_vector
        return self.centre.untransformed(from_vector(moved, self.centre.n))
