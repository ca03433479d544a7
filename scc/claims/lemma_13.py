"""Lemma 13: entries of F(H), G(H) and their derivatives decay along chains of atoms."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "lemma-13",
    statement=(
        "The j-th derivatives of F(H)_ℓk and G(H)_ℓk with respect to entries of H, j = 0, 1, "
        "2, are bounded by a constant times e^{−ηL}, L the length of the chain ℓ → ℓ₁, k₁ → "
        "ℓ₂, …, k_j → k, summed over orderings; those of F − F_N and G − G_N too, with "
        "constants that fall as e^{−θN}. Constants from the poles of F, and from a contour "
        "with Hermite's formula."
    ),
    source="Lemma 13, eq. (6.10)",
)
