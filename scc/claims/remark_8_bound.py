"""Remark 8 with its constants: what is left of the response at fixed N is ~ 1/M, two-sided."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "remark-8-bound",
    statement=(
        "At fixed N and v̂, β < ∞, |∂p_ℓ/∂v̂_m + 2 n_ℓ w_m/Σ F′| is below the exponentially small "
        "bound of Theorem 4, and 2 n_ℓ w_m/Σ F′ lies between 2c²τ/(Cn) and 2C²τ/(cn), c ≤ −F′ ≤ C "
        "on the spectrum: of order 1/M at every distance. The charge that goes far away is of "
        "order one."
    ),
    source="Remark 8",
)
