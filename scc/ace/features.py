"""Which potential features a model sees: Gaussian widths σ_n and λ ≤ λ_max.

v̂ has shape (M, F), F = n_max (λ_max+1)², index n(λ_max+1)² + λ² + λ + µ, as
``MultipoleElectrostatics.features`` makes it. Sets are named (n_max, λ_max); (0, 0) has no feature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scc.errors import InputError


@dataclass(frozen=True)
class FeatureSet:
    """Widths σ_n in bohr, n = 0 … n_max−1, and λ_max.

    Raises
    ------
    InputError: a width that is not positive and finite, one that comes twice, λ_max < 0, or
        λ_max > 0 without any width.
    """

    widths: tuple[float, ...] = ()
    l_max: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(float(width) for width in self.widths))
        for width in self.widths:
            if not (math.isfinite(width) and width > 0.0):
                raise InputError(f"feature widths must be positive, got {width}")
        if len(set(self.widths)) < len(self.widths):
            raise InputError(f"a feature width comes twice in {self.widths}")
        if self.l_max < 0 or (self.l_max > 0 and not self.widths):
            raise InputError(f"largest λ {self.l_max} with {len(self.widths)} feature widths")

    @property
    def n_components(self) -> int:
        """(λ_max+1)² features of one width."""
        return (self.l_max + 1) ** 2

    @property
    def n_features(self) -> int:
        """F."""
        return len(self.widths) * self.n_components

    def shells(self) -> tuple[tuple[int, int, int], ...]:
        """(n, λ, index of the feature with µ = −λ) of every shell; µ = −λ … λ follow each other."""
        return tuple(
            (n, rank, n * self.n_components + rank * rank)
            for n in range(len(self.widths))
            for rank in range(self.l_max + 1)
        )
