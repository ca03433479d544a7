"""Corollary 14: derivatives of F(H) and G(H) along decaying perturbations decay."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "corollary-14",
    statement=(
        "For perturbations |w_ab| ≤ c e^{−η_w d(a,b)} with r_ab ≤ d(a,b) ≤ r_am + d(m,b), "
        "D^jF(H)[w…] and D^jG(H)[w…] decay like e^{−(1−τ)η max d} for every τ in (0, 1) and η "
        "≤ min{η_ct, η_w}, with explicit constants; the paper's exponents are τ = ½. Where w "
        "is pinned to an atom or a point, nothing is lost: τ = 0."
    ),
    source="Corollary 14, Remark 13",
)
