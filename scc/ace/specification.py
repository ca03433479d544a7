r"""What makes a basis: plain numbers, which go into the model file.

Every one-body object (:mod:`.channels`) has a degree, and a product has the sum of its factors':

    A⁰[Z, n, l]                 n + angular·l
    A¹[Z, n, (l, aλ) → k]       neighbour + n + angular·l + width·a + rank·λ
    A¹[centre, aλ]              centre + width·a + rank·λ

with n and a counted from 0. ``limits[ν−1][d]`` is the largest degree of products of ν factors, d of
them A¹; without an entry there are none. Raising a limit, the order or the feature set, or adding
a width, only adds functions: the ones that were there stay the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scc.ace.features import FeatureSet
from scc.errors import InputError

LARGEST_ORDER = 3
LARGEST_L = 4


@dataclass(frozen=True)
class TotalDegree:
    """Weights and limits of the module docstring, and the largest l of A⁰ and A¹.

    Raises
    ------
    InputError: a weight that is negative (or zero for l, which would be without end), l out of
        range.
    """

    limits: tuple[tuple[float, ...], ...]
    angular: float = 1.0
    neighbour: float = 2.0
    centre: float = 1.0
    width: float = 1.0
    rank: float = 1.0
    l_max: int = 3
    feature_l_max: int = 2

    def __post_init__(self) -> None:
        limits = tuple(tuple(float(limit) for limit in row) for row in self.limits)
        object.__setattr__(self, "limits", limits)
        for name in ("angular", "neighbour", "centre", "width", "rank"):
            weight = getattr(self, name)
            if not (math.isfinite(weight) and weight >= 0.0):
                raise InputError(f"degree weight '{name}' must not be negative, got {weight}")
        if any(math.isnan(limit) or limit == math.inf for row in limits for limit in row):
            raise InputError(f"degree limits must be numbers, got {limits}")
        for name in ("l_max", "feature_l_max"):
            if not 0 <= getattr(self, name) <= LARGEST_L:
                raise InputError(f"{name} is {getattr(self, name)}, allowed are 0 to {LARGEST_L}")

    def limit(self, order: int, feature_degree: int) -> float:
        """Largest degree of products of that many factors, that many of them A¹; −∞: none."""
        row = self.limits[order - 1] if order <= len(self.limits) else ()
        return row[feature_degree] if feature_degree < len(row) else -math.inf


@dataclass(frozen=True)
class BasisSpecification:
    """Species, cut-off r_c (bohr), order ν, degree, features, their degree d_v, outputs L.

    Raises
    ------
    InputError: no species or one twice, r_c ≤ 0, ν not in 1 … 3, d_v not in 0 … 2, L not in 0 … 4.
    """

    species: tuple[str, ...]
    cutoff: float
    order: int
    degree: TotalDegree
    features: FeatureSet
    feature_degree: int
    l_out: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", tuple(self.species))
        object.__setattr__(self, "l_out", tuple(self.l_out))
        if not self.species or len(set(self.species)) < len(self.species):
            raise InputError(f"species of a basis must be different, got {self.species}")
        if not (math.isfinite(self.cutoff) and self.cutoff > 0.0):
            raise InputError(f"the cut-off must be positive, got {self.cutoff}")
        if not 1 <= self.order <= LARGEST_ORDER:
            raise InputError(f"the order is {self.order}, allowed are 1 to {LARGEST_ORDER}")
        if not 0 <= self.feature_degree <= 2:
            raise InputError(f"the feature degree is {self.feature_degree}, allowed are 0 to 2")
        if not self.l_out or not all(0 <= total <= LARGEST_L for total in self.l_out):
            raise InputError(f"outputs L are {self.l_out}, allowed are 0 to {LARGEST_L}")

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, as JSON has them."""
        data = asdict(self)
        data["species"], data["l_out"] = list(self.species), list(self.l_out)
        data["features"]["widths"] = list(self.features.widths)
        data["degree"]["limits"] = [list(row) for row in self.degree.limits]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BasisSpecification:
        """The inverse of :meth:`as_dict`. InputError for a missing or unknown key."""
        try:
            values = dict(data)
            degree = dict(values.pop("degree"))
            features = dict(values.pop("features"))
            return cls(
                degree=TotalDegree(**degree),
                features=FeatureSet(tuple(features.pop("widths")), **features),
                **values,
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"not a basis specification: {error}") from None
