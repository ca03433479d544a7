"""Lemma 3 with its constants: gradient, lower bound and error of the energy, best approximation."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "lemma-3-bound",
    statement=(
        "∂𝒢/∂v̂ = 2⟨DF(H)[W], V − v⟩ up to ½t² sup|𝒢″| with an explicit sup|𝒢″|; any density bounds "
        "the minimum from below, and 𝒢(v̂) − min 𝒢 ≤ (β/4)‖V − v‖²; solutions lie in an explicit "
        "box; a v with T = 0 is within √(λ_max/λ_min) (of −DF) of the best approximation of V in "
        "the Frobenius norm, and ‖v − V‖ ≤ ‖T‖/λ_min when Ξ is complete."
    ),
    source="Lemma 3, eqs. (2.24)–(2.26), Remark 7",
)
