"""Lemma 12: the resolvent of a tight-binding Hamiltonian decays exponentially (Combes–Thomas)."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "lemma-12",
    statement=(
        "|[(z − H)⁻¹]_ℓk| ≤ (2/𝔡) e^{−η r_ℓk} for the largest η with max_ℓ Σ_k |H_ℓk|(e^{ηr} "
        "− 1) ≤ 𝔡/2, 𝔡 = dist(z, σ(H)); and sharper, with e^{−ηr}/c(η), c from the symmetric "
        "and the antisymmetric part of the tilted H, at the poles of the Fermi function and "
        "in gaps."
    ),
    source="Lemma 12",
)
