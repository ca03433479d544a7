"""Lemma 6: the Euler–Lagrange equation of the body-ordered energy, and the term that (3.4) adds."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "lemma-6",
    statement=(
        "With F_N = G_N′ the gradient of 𝒢_N is −2T_N at every v̂. At β = ∞ with (3.4) it has the "
        "additional term 2Tr[(H − µ)F_N′(H)W], not zero but at most 2‖W‖₁ max_X |(x − µ)F_N′(x)|, "
        "which is of order N² ‖F − F_N‖_X."
    ),
    source="Lemma 6, eq. (3.11)",
)
