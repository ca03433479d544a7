"""The bounds of theory/remark_11 on random systems, see scc.theory.remark_11."""

from scc.claims._bounds import bound_claim

CLAIM = bound_claim(
    "remark-11-bound",
    statement=(
        "v_N - v* = S(p_N - p) with the screened interaction S: bounded by s and sup |F - F_N| "
        "without a factor M, by row sums of J without stability, from below in insulators by the "
        "created charge over the capacity; a zero of T_N exists where 4 s^2 L sup |F - F_N| <= 1."
    ),
    source="Remark 11, Theorem 8",
    gaussian=False,
)
