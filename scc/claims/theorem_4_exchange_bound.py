"""Theorem 4, exchange energies of sites, with constants."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "theorem-4-exchange-bound",
    statement=(
        "With Dirac exchange the derivatives of the site energies ∫ ε_x(ρ) over the cell of "
        "ℓ, with respect to v̂_m and r_m, lie below an explicit bound that decays in r_ℓm. "
        "On-site models have no density in space and decide nothing."
    ),
    source="Theorem 4, eqs. (3.4), (3.5)",
    onsite=False,
)
