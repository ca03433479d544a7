r"""The Boys functions F_n(T) = ∫₀¹ u^{2n} e^{−Tu²} du in balls.

The highest order is Kummer's function, F_n(T) = ₁F₁(n+½; n+3/2; −T)/(2n+1), which Arb encloses for
every real T; lower orders follow by F_n = (2T F_{n+1} + e^{−T})/(2n+1), an identity for all real T.

Reference: T. Helgaker, P. Jørgensen, J. Olsen, Molecular Electronic-Structure Theory (2000), §9.8.
"""

from flint import arb


def boys(order: int, argument: arb) -> list[arb]:
    """F_0, …, F_order at a ball T, whose lower end may be a rounding below zero."""
    half = arb(1) / 2
    values = [(-argument).hypgeom_1f1(order + half, order + 3 * half) / (2 * order + 1)]
    if order > 0:
        twice, decay = 2 * argument, (-argument).exp()
        for n in range(order - 1, -1, -1):
            values.append((twice * values[-1] + decay) / (2 * n + 1))
        values.reverse()
    return values
