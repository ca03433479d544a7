r"""The density as a linear function of its coefficients: design matrices, and θ ↔ a DensityModel.

    p(r, v̂) = D(r, v̂) θ,       D (9M, n), row 9i + λ²+λ+µ

with the columns

    flows       (Z, α, k): centres of element Z, function B⁰_α or the constant 1, channel k
    dipoles     (Z, α):    B¹_α,          quadrupoles   (Z, α):   B²_α

Of the flows only those with functions of degree ≤ ``flow_degree`` and between different elements
are fitted; the others have coefficient zero. D is affine in v̂: D(v̂ + w) − D(v̂) is its derivative.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from scc.ace.basis import Basis, BasisSpecification, BasisState, BoundBasis
from scc.ace.charge_flow import ChargeFlow
from scc.ace.density_model import N_MULTIPOLES, DensityModel
from scc.ace.radial import flow_functions
from scc.arrays import BoolArray, FloatArray, IntArray
from scc.configuration import Configuration


@dataclass(frozen=True)
class DensityForm:
    """What a density is made of, coefficients apart.

    Attributes
    ----------
    specification: basis with outputs 0, 1, 2, feature degree at most 1.
    width: σ_ρ, bohr.
    n_flow: radial functions of the charge flows.
    flow_degree: largest degree of the functions in the flows' strengths.
    """

    specification: BasisSpecification
    width: float
    n_flow: int
    flow_degree: float

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"specification": self.specification.as_dict()}


class DensityDesign:
    """Columns of θ for a :class:`DensityForm`, and what binds to geometries."""

    def __init__(self, form: DensityForm) -> None:
        self.form = form
        self.basis = Basis(form.specification)
        self.n_species = len(form.specification.species)
        self.n_channels = form.n_flow * self.n_species
        degree = {L: np.asarray(self.basis.degrees(L)) for L in (0, 1, 2)}
        order = {L: np.asarray(self.basis.orders(L)) for L in (0, 1, 2)}
        centre = np.arange(self.n_species)[:, None, None]
        other = (np.arange(self.n_channels) % self.n_species)[None, None, :]
        with_constant = np.append(degree[0], 0.0)
        few = (with_constant <= form.flow_degree)[None, :, None]
        self.flows: BoolArray = few & (centre != other)
        """(n_species, n_0 + 1, n_channels): which flow coefficients are fitted."""
        columns = np.broadcast_to(with_constant[None, :, None], self.flows.shape)[self.flows]
        orders = np.broadcast_to(np.append(order[0], 0)[None, :, None], self.flows.shape)
        self.degree: FloatArray = np.concatenate(
            [columns, *[np.tile(degree[L], self.n_species) for L in (1, 2)]]
        )
        """Degree of the function of each column, (n,)."""
        self.order: IntArray = np.concatenate(
            [orders[self.flows], *[np.tile(order[L], self.n_species) for L in (1, 2)]]
        )
        """Number of factors of the function of each column, (n,)."""
        rank = {L: np.asarray(self.basis.feature_degrees(L)) for L in (0, 1, 2)}
        ranks = np.broadcast_to(np.append(rank[0], 0)[None, :, None], self.flows.shape)
        self.feature_degree: IntArray = np.concatenate(
            [ranks[self.flows], *[np.tile(rank[L], self.n_species) for L in (1, 2)]]
        )
        """Number of features among the factors, 0 or 1, (n,)."""
        number = {L: self.basis.functions(L) for L in (1, 2)}
        ends = np.cumsum(
            [0, int(self.flows.sum()), *[number[L] for L in (1, 2) for _ in range(self.n_species)]]
        )
        spans = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.n_columns = int(ends[-1])
        self.flow_span = spans[0]
        self.spans = {
            (L, kind): spans[1 + (L - 1) * self.n_species + kind]
            for L in (1, 2)
            for kind in range(self.n_species)
        }

    def bind(self, configuration: Configuration) -> BoundDesign:
        """Everything that depends on the geometry alone."""
        return BoundDesign(self, configuration)

    def model(self, theta: FloatArray) -> DensityModel:
        """The density with coefficients θ (n,)."""
        n_0 = self.basis.functions(0)
        flows = np.zeros(self.flows.shape)
        flows[self.flows] = theta[self.flow_span]
        coefficients = {0: flows[:, :n_0, :]}
        for L in (1, 2):
            coefficients[L] = np.stack(
                [theta[self.spans[L, kind]] for kind in range(self.n_species)]
            )[:, :, None]
        form = self.form
        return DensityModel(
            form.specification, form.width, form.n_flow, coefficients, flows[:, n_0, :]
        )


class BoundDesign:
    """D(r, ·) at one geometry."""

    def __init__(self, design: DensityDesign, configuration: Configuration) -> None:
        self.design = design
        specification = design.form.specification
        self.basis: BoundBasis = design.basis.prepare(configuration)
        self.kind = self.basis.kind
        self.flow = ChargeFlow(
            configuration,
            specification.species,
            specification.cutoff,
            flow_functions(specification.cutoff, design.form.n_flow),
        )

    @cached_property
    def _flow_matrix(self) -> FloatArray:
        number = len(self.kind)
        dense = self.flow.matrix.toarray()
        return np.asarray(dense.reshape(number, number, self.design.n_channels))

    def blocks(self) -> list[tuple[IntArray, slice]]:
        """Rows and columns of D that are not zero: charges, and each (λ, element)."""
        components = np.arange(N_MULTIPOLES * len(self.kind)).reshape(-1, N_MULTIPOLES)
        found = [(components[:, 0], self.design.flow_span)]
        for (L, kind), span in self.design.spans.items():
            own = components[self.kind == kind, L * L : (L + 1) ** 2]
            found.append((own.ravel(), span))
        return found

    def rows(self, features: FloatArray) -> FloatArray:
        """D(r, v̂) (9M, n) at v̂ (M, F)."""
        return self.rows_of(self.basis.evaluate(features))

    def rows_of(self, state: BasisState) -> FloatArray:
        """D from functions already evaluated."""
        design, number = self.design, len(self.kind)
        rows = np.zeros((number, N_MULTIPOLES, design.n_columns))
        scalars = np.concatenate([state.values(0)[:, 0, :], np.ones((number, 1))], axis=1)
        used = np.flatnonzero(design.flows.any(axis=(0, 2)))
        flows = []
        for kind in range(design.n_species):
            own = np.flatnonzero(self.kind == kind)
            kept = design.flows[kind][used]
            # Σ_ℓ of this element: what ℓ's strength in channel k does at atom i.
            all_pairs = np.tensordot(self._flow_matrix[:, own], scalars[np.ix_(own, used)], (1, 0))
            flows.append(all_pairs.transpose(0, 2, 1)[:, kept])
        rows[:, 0, design.flow_span] = np.concatenate(flows, axis=1)
        for L in (1, 2):
            values = state.values(L)
            for kind in range(design.n_species):
                own = np.flatnonzero(self.kind == kind)
                rows[own, L * L : (L + 1) ** 2, design.spans[L, kind]] = values[own]
        return rows.reshape(number * N_MULTIPOLES, design.n_columns)
