"""Lemma 11 with its constants: the extreme eigenvalues of −DF(H) in closed form."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "lemma-11-bound",
    statement=(
        "−DF(H) lies between min{−F′(λ_1), −F′(λ_n)} and max{−F[a₋, a₊], −F′(a₋), −F′(a₊)} ≤ β/4, "
        "a± the levels next to µ, both attained; at β = ∞ between 1/(λ_n − λ_1) and 1/(a₊ − a₋) on "
        "the occupied–unoccupied block, zero elsewhere. At fixed N constants go to zero and "
        "both bounds hold on trace-free matrices."
    ),
    source="Lemma 11",
)
