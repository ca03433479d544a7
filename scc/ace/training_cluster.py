r"""A labelled cluster with its electrostatics as matrices: what the fits of the density work on.

    v̂ = K p + v̂_ext,   K (MF, 9M),     and the weights of the rows of p, (9M,):

one over the square of the error aimed at: a part (:data:`AIMS`) of the spread of that multipole
rank in that element over the training set. Without the aims, Gauss–Newton would bend dipoles, which
can be had to a percent, for a little less error in charges, which cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scc.ace.density_design import BoundDesign, DensityDesign
from scc.ace.density_model import N_MULTIPOLES
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.reference_set import ReferenceSet
from scc.arrays import FloatArray
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.projection import ProjectionOperator, projection_operator
from scc.errors import InputError

RANK = np.repeat([0, 1, 2], [1, 3, 5])
"""λ of each of the nine components."""


AIMS = np.array([0.1, 0.015, 0.035])
"""Errors aimed at, parts of the spread, by λ."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Mean of charges and root-mean-square deviation of multipoles, per element and λ.

    Attributes
    ----------
    species: chemical symbols.
    values: (n_species, 3): charges about their mean; dipoles and quadrupoles, whose mean over
        orientations is zero, per component.
    """

    species: tuple[str, ...]
    values: FloatArray

    @classmethod
    def of(cls, frames: ReferenceSet, species: Sequence[str]) -> Spread:
        """Over all atoms of a set. InputError for an element the set does not have."""
        symbols = np.concatenate([np.array(f.configuration.species) for f in frames.frames])
        multipoles = np.concatenate([f.multipoles for f in frames.frames])
        values = np.zeros((len(species), 3))
        for kind, symbol in enumerate(species):
            own = multipoles[symbols == symbol]
            if len(own) == 0:
                raise InputError(f"the training set has no {symbol}")
            values[kind, 0] = np.std(own[:, 0])
            values[kind, 1] = np.sqrt(np.mean(own[:, 1:4] ** 2))
            values[kind, 2] = np.sqrt(np.mean(own[:, 4:9] ** 2))
        # A set of equal molecules has no spread of charges.
        return cls(tuple(species), np.maximum(values, 1e-6))

    def rows(self, frame: ReferenceFrame) -> FloatArray:
        """The spread of each number in p, (M, 9)."""
        number = {symbol: index for index, symbol in enumerate(self.species)}
        kinds = [number[symbol] for symbol in frame.configuration.species]
        return np.asarray(self.values[kinds][:, RANK])


class TrainingCluster:
    """A frame bound to a design and to the operator of its widths."""

    def __init__(self, frame: ReferenceFrame, design: DensityDesign, spread: Spread) -> None:
        self.frame, self.spread = frame, spread.rows(frame)
        self._design = design
        self.operator = self._operator(() if frame.external is None else (frame.external,))

    def _operator(self, external: Sequence[UniformField | ExternalCharges]) -> ProjectionOperator:
        form = self._design.form
        features = form.specification.features
        return projection_operator(
            self.frame.configuration,
            form.width,
            features.widths,
            features.l_max,
            external=external,
        )

    @cached_property
    def bound(self) -> BoundDesign:
        """The design at this geometry."""
        return self._design.bind(self.frame.configuration)

    @cached_property
    def matrix(self) -> FloatArray:
        """K (MF, 9M)."""
        return self.operator.matrix

    @property
    def has_features(self) -> bool:
        """Whether the density sees potentials at all."""
        return self._design.form.specification.features.n_features > 0

    @property
    def weights(self) -> FloatArray:
        """1/(aim·spread)², (9M,)."""
        return np.asarray(1.0 / np.ravel(self.spread * AIMS[RANK]) ** 2)

    def features(self, multipoles: FloatArray) -> FloatArray:
        """v̂ (M, F) = K p + v̂_ext."""
        return self.tangent_features(multipoles) + self.operator.external

    def tangent_features(self, change: FloatArray) -> FloatArray:
        """K dp, (M, F)."""
        number = len(self.frame.configuration)
        return np.asarray((self.matrix @ np.ravel(change)).reshape(number, -1))

    @cached_property
    def field_features(self) -> FloatArray:
        """dv̂_ext/d𝓔_b of a uniform electric field, (3, M, F): an electron feels +𝓔·x."""
        return np.stack([self._operator((UniformField(axis),)).external for axis in np.eye(3)])

    def noise(self, rng: np.random.Generator) -> FloatArray:
        """Random multipoles (M, 9) of one spread, without net charge."""
        noise = rng.normal(size=(len(self.frame.configuration), N_MULTIPOLES)) * self.spread
        noise[:, 0] -= np.mean(noise[:, 0])
        return np.asarray(noise)
