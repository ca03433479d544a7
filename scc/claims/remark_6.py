"""Remark 6: how far the Fermi level follows v̂ at fixed electron number."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "remark-6",
    statement=(
        "At fixed N, dε_F/dv̂ = ⟨F′(H), W⟩/Tr F′(H), of order 1/M; ε_F(H + W) differs from its "
        "first order by at most (β/8)(λ_max(W) − λ_min(W))², and at fixed µ the electron "
        "number from its first order by at most β²‖W‖²/(6√3)."
    ),
    source="Remarks 6 and 7, eq. (2.27)",
)
