"""The bounds of theory/remark_10 on random systems, see scc.theory.remark_10."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "remark-10-bound",
    statement=(
        "With 2 Tr F_N,mu(H) = N the polynomial's Fermi level exists within "
        "-ln(1 - 2 n eta beta/D)/beta of the exact one at finite temperature, populations follow, "
        "the energy by the square of the shift; at zero temperature it is a quotient of two errors "
        "and only populations and energy are bounded."
    ),
    source="Remark 10",
)
