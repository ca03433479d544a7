"""The words of on-site certificates, shared by prover and checker: what the numbers mean.

A document with other words states something else about the same numbers, so it is refused.
"""

CONVENTIONS = [
    "Hartree atomic units; every decimal of the input and of a centre is an exact number.",
    "An enclosure [m, r] states |x - m| <= r.",
    "H = H0 + diag(v) with v_l on every orbital of atom l; populations p_l = 2 sum F(H)_aa over "
    "the orbitals of l; T(v) = 0 is v = J (p - Z), J_lk = erf(r/sqrt(2 s_l^2 + 2 s_k^2))/r.",
    "H0: 'levels' on the diagonal, 'hopping' between atoms; a switch [a, b] multiplies by "
    "1/(1 + exp(1/(1-x) - 1/x)), x = (r-a)/(b-a): 1 below a, 0 above b.",
    "F(x) = 1/(1 + exp(beta (x-mu))); at beta = inf the lowest levels are occupied. Canonical: mu "
    "such that 2 Tr F(H) = electrons.",
    "Energy: 2 Tr G(H) - sum v p + (p-Z) J (p-Z)/2 - sum_l Z_l^2 J_ll/2 + repulsion, G' = F, "
    "G(-inf) = x - mu; plus mu N in the canonical ensemble. Charges Z - p. Forces: minus the "
    "derivative of the energy by positions. Gap: between the two levels next to mu.",
    "existence_radius: Euclidean norm of v - centre. uniqueness_radius: maximum norm; inf: no "
    "other solution at all (at beta = inf: none with a gap).",
    "Polynomial: G_N = sum_k c_k T_k((2x - a - b)/(b - a)) on the interval [a, b], F_N = G_N', "
    "in place of G and F, without mu N; its gap is above the levels_below_gap lowest levels.",
]

FORMULAS = {
    "exponential": "prefactor exp(-decay (r - reference)) switch(r)",
    "constant": "-t for r < cutoff, else 0",
    "slater shells": "H0_ab = (K - 1) (level_a + level_b)/2 S_ab switch(r), S_ab the overlap of "
    "sum_i c_i (1, or y, z, x) exp(-e_i r^2); repulsion of a pair Y Y'/r "
    "exp(-sqrt(alpha alpha') r^k) switch(r)",
}
"""Of the hopping between atoms, by its kind."""
