"""What the energy functional asks of a pair (G, F): grand-potential function and its derivative.

The exact Fermi-Dirac pair and its polynomial approximations implement the same protocol, so the
body-ordered functional (3.7) is the functional (3.1) with another occupation put in.
"""

from typing import Protocol, Self

from numpy.typing import ArrayLike

from scc.arrays import FloatArray


class Occupation(Protocol):
    """A spectral function pair G, F = G' with all divided differences that derivatives need.

    Arguments are energies in Hartree, of any shapes that broadcast. In the eigenbasis of H,
    DF(H)[A]_ij = F[λ_i, λ_j] A_ij (section 2.3 of the paper), and the second derivative of F(H)
    has the coefficients F[λ_i, λ_j, λ_k].
    """

    @property
    def beta(self) -> float:
        """Inverse temperature in 1/Hartree, in (0, ∞]."""
        ...

    @property
    def chemical_potential(self) -> float:
        """µ in Hartree."""
        ...

    def grand_potential(self, x: ArrayLike) -> FloatArray:
        """G(x) in Hartree: the grand potential of one level at energy x and one spin."""
        ...

    def occupation(self, x: ArrayLike) -> FloatArray:
        """F(x) = G'(x)."""
        ...

    def derivative(self, x: ArrayLike) -> FloatArray:
        """F'(x) in 1/Hartree."""
        ...

    def divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """F[x, y] in 1/Hartree; F'(x) where the arguments coalesce."""
        ...

    def grand_potential_divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """G[x, y]; F(x) where the arguments coalesce."""
        ...

    def second_divided_difference(self, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> FloatArray:
        """F[x, y, z] in 1/Hartree²; F''(x)/2 where all three arguments coalesce."""
        ...

    def with_chemical_potential(self, chemical_potential: float) -> Self:
        """The same family at another µ; InputError where that would need a new approximation."""
        ...
