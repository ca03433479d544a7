"""Lemma 7 with its constants: theory/lemma_7.py on random systems."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "lemma-7-bound",
    statement=(
        "On X around the spectrum of H the errors of interpolants G_N and F_N in Leja points "
        "lie below Hermite's integral with the actual nodes, those of the explicit polynomials "
        "below C exp(-theta N) with C and theta in closed form, and theta lies above its closed "
        "lower bounds arcsinh((pi/beta + sqrt(g- g+))/sqrt(2 U)), for all temperatures and gaps."
    ),
    source="Lemma 7",
)
