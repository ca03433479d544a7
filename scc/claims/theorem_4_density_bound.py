"""Theorem 4 for the density at points, with constants."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "theorem-4-density-bound",
    statement=(
        "In Gaussian orbitals the derivatives of ρ_ℓ(x) with respect to v̂_m and r_m lie "
        "below an explicit bound that decays in |x − r_ℓ| + r_ℓm. On-site models have no "
        "orbitals at points and decide nothing."
    ),
    source="Theorem 4, eqs. (3.3), (3.6)",
    onsite=False,
)
