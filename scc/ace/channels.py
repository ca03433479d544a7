r"""The one-body objects A⁰ and A¹ of a basis: which there are, and where their components stand.

    A⁰_i[Z,n,l,m]        = Σ_{j: Z_j=Z} R_n(r_ij) Y_lm(r̂_ij)
    A¹_i[Z,n,(l,aλ)→k,m] = Σ_{j: Z_j=Z} R_n(r_ij) [Y_l(r̂_ij) ⊗ w_{j,aλ}]_km,    k + l + λ even
    A¹_i[centre,aλ,µ]    = w_{i,aλµ}

w are the features v̂, and for λ = 0 their differences to the centre's first, v̂_{i,100}: a constant
shift of the potential shifts every v̂_{n00} alike and changes nothing. w_{i,100} = 0 is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scc.ace.specification import BasisSpecification, TotalDegree
from scc.arrays import FloatArray, IntArray

NEIGHBOURS, NEIGHBOUR_FEATURES, CENTRE = 0, 1, 2
_NONE = -1


@dataclass(frozen=True, order=True)
class Channel:
    """One A⁰ or A¹; the order of the fields sorts channels the same way in every basis.

    ``rank`` is l of A⁰, k of A¹; ``kind`` one of NEIGHBOURS, NEIGHBOUR_FEATURES, CENTRE;
    ``species`` numbers Z; (``width``, ``feature_rank``) = (a, λ); −1 where there is no such thing.
    """

    rank: int
    kind: int
    species: int = _NONE
    n: int = _NONE
    l: int = _NONE  # noqa: E741  (the field's letter)
    width: int = _NONE
    feature_rank: int = _NONE

    @property
    def feature_degree(self) -> int:
        """How often a feature appears: 0 in A⁰, 1 in A¹."""
        return 0 if self.kind == NEIGHBOURS else 1

    def degree(self, weights: TotalDegree) -> float:
        """See :mod:`.specification`."""
        neighbours = self.n + weights.angular * self.l
        feature = weights.width * self.width + weights.rank * self.feature_rank
        if self.kind == NEIGHBOURS:
            return neighbours
        if self.kind == CENTRE:
            return weights.centre + feature
        return weights.neighbour + neighbours + feature

    def name(self, species: tuple[str, ...]) -> str:
        """For readers: A[O,n,l], A[O,n,(l,v_aλ)→k], v_aλ."""
        feature = f"v{self.width + 1}{self.feature_rank}"
        if self.kind == CENTRE:
            return feature
        symbol = species[self.species]
        if self.kind == NEIGHBOURS:
            return f"A[{symbol},{self.n},{self.l}]"
        return f"A[{symbol},{self.n},({self.l},{feature})→{self.rank}]"


@dataclass(frozen=True, eq=False)
class Channels:
    """The sorted channels of a basis, and the components m = −l … l of all of them in one row.

    Attributes
    ----------
    channels: sorted.
    ranks, feature_degrees, degrees: of each.
    """

    channels: tuple[Channel, ...]
    ranks: IntArray
    feature_degrees: IntArray
    degrees: FloatArray

    @property
    def offsets(self) -> IntArray:
        """Where the components of each start."""
        return np.cumsum(2 * self.ranks + 1) - (2 * self.ranks + 1)

    @property
    def n_components(self) -> int:
        """Components of all of them."""
        return int(np.sum(2 * self.ranks + 1))

    def select(self, which: IntArray) -> Channels:
        """Some of them, in increasing order."""
        return Channels(
            tuple(self.channels[index] for index in which),
            self.ranks[which],
            self.feature_degrees[which],
            self.degrees[which],
        )


def channels_of(specification: BasisSpecification) -> Channels:
    """All channels that some product within the degree limits can contain."""
    weights = specification.degree
    found = _neighbour_channels(specification)
    if specification.feature_degree > 0:
        found += _feature_channels(specification)
    largest = [_largest_degree(specification, d) for d in (0, 1)]
    kept = sorted(c for c in found if c.degree(weights) <= largest[c.feature_degree])
    ranks = np.array([c.rank for c in kept], dtype=np.int64)
    features = np.array([c.feature_degree for c in kept], dtype=np.int64)
    degrees = np.array([c.degree(weights) for c in kept], dtype=np.float64)
    return Channels(tuple(kept), ranks, features, degrees)


def _largest_degree(specification: BasisSpecification, least: int) -> float:
    """Of products with that many A¹ or more; −∞: there are none."""
    limits = [
        specification.degree.limit(order, d)
        for order in range(1, specification.order + 1)
        for d in range(least, specification.feature_degree + 1)
    ]
    return max(limits, default=-np.inf)


def _radial_numbers(specification: BasisSpecification, least: int) -> range:
    return range(max(0, int(np.floor(max(_largest_degree(specification, least), -1.0))) + 1))


def _neighbour_channels(specification: BasisSpecification) -> list[Channel]:
    return [
        Channel(l, NEIGHBOURS, species, n, l)
        for species in range(len(specification.species))
        for n in _radial_numbers(specification, 0)
        for l in range(specification.degree.l_max + 1)  # noqa: E741
    ]


def _feature_channels(specification: BasisSpecification) -> list[Channel]:
    largest = specification.degree.feature_l_max
    found = []
    for width, rank, _ in specification.features.shells():
        if (width, rank) != (0, 0):
            found.append(Channel(rank, CENTRE, width=width, feature_rank=rank))
        found += [
            Channel(k, NEIGHBOUR_FEATURES, species, n, l, width, rank)
            for species in range(len(specification.species))
            for n in _radial_numbers(specification, 1)
            for l in range(largest + 1)  # noqa: E741
            for k in range(abs(l - rank), min(l + rank, largest) + 1, 2)
        ]
    return found
