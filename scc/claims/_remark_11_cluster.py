"""Remark 11 on one cluster: v_N − v* in full, and what it cannot be below.

With q = p_N(v_N) − p(v*), w = v_N − v* = Jq, and e = (J + α)⁻¹1, α ≥ 0, (D) of theory/remark_11 is

    ‖w‖_∞ ≥ |Σq|/‖e‖₁ − α‖q‖_∞

at any temperature. At β = ∞ Σq is the charge that F_N creates; at β < ∞ it is what is left of it by
screening. Σq is counted from the two spectra. Distance of w from its first order Sδ, which no
statement bounds beyond small w, is reported. Exponents of M are for who has measured several.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.claims._growth_systems import ROUNDING, Cluster, common_polynomial
from scc.claims.claim import System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result
from scc.errors import ConvergenceError, InputError
from scc.theory._remark_11_bounds import floor

_HOPPING: dict[int, dict[str, float]] = {
    1: {"hopping": 1.0, "decay": 1.0, "margin": 0.02},
    2: {"hopping": 0.1, "decay": 4.0, "margin": 0.05},
    3: {"hopping": 0.05, "decay": 4.0, "margin": 0.05},
}
"""By dimension, those of the claim's own lattices."""

LARGEST = 4096
"""Atoms."""

_REFERENCE = {1: 160, 2: 20, 3: 8}
"""Atoms along an axis of the cluster whose X and µ serve all lengths: one polynomial for a sweep
over them, as the remark has it."""


def measure_one(system: System) -> SystemResult:
    """‖v_N − v*‖_∞ against the lower bound (D)."""
    p = dict(system.parameters)
    cluster = Cluster(p, p["length"])
    reference = Cluster(p, _REFERENCE[p["dimension"]])
    conditions: dict[str, bool | str | float] = {}
    if math.isinf(cluster.beta):
        gap = reference.levels[reference.filled] - reference.levels[reference.filled - 1]
        conditions["X leaves a gap"] = gap > 2.0 * reference.margin
        if not conditions["X leaves a gap"]:
            return system.result(hypotheses=conditions, measured={}, predicted={}, holds=None)
    polynomial, exact = common_polynomial([reference], p["degree"], 0.5)
    room = _room(cluster.levels, polynomial.spectral_set.intervals)
    conditions["X contains the spectrum"] = room > 0.0
    if room <= 0.0:
        return system.result(hypotheses=conditions, measured={}, predicted={}, holds=None)
    if math.isinf(cluster.beta):
        conditions["half the orbitals are occupied"] = (
            int(np.sum(cluster.levels < exact.chemical_potential)) == cluster.filled
        )
    created = cluster.populations(polynomial.occupation) - cluster.populations(exact.occupation)
    (first,) = cluster.screened(exact, [created])
    conditions["|S delta| is within the margin of X"] = np.max(np.abs(first)) <= room
    conditions["|S delta| can be told from rounding"] = np.max(np.abs(first)) >= 1e3 * ROUNDING
    if not all(conditions.values()):
        return system.result(hypotheses=conditions, measured={}, predicted={}, holds=None)
    try:
        solved = cluster.solution(exact, polynomial, neutral=False)
    except ConvergenceError:
        conditions["T_N has a zero within the margin of X"] = False
        return system.result(hypotheses=conditions, measured={}, predicted={}, holds=None)
    size = float(np.max(np.abs(solved)))
    conditions["T_N has a zero within the margin of X"] = size <= room
    levels = np.linalg.eigvalsh(cluster.hamiltonian + np.diag(solved))
    flown = scipy.linalg.solve(cluster.kernel, solved, assume_a="sym")
    charge = 2.0 * float(
        np.sum(polynomial.occupation(levels)) - np.sum(exact.occupation(cluster.levels))
    )
    least = floor(cluster.kernel, charge, flown)
    return system.result(
        hypotheses=conditions,
        measured={
            "|v_N - v*| [Ha]": size,
            "|v_N - v* - S delta| / |v_N - v*|": float(np.max(np.abs(solved - first))) / size,
            "charge per atom": charge / cluster.atoms,
        },
        predicted={"|v_N - v*| [Ha]": least},
        holds=least <= size * (1.0 + 1e-6),
    )


def _room(levels: FloatArray, intervals: Sequence[tuple[float, float]]) -> float:
    """By how much all levels can move without leaving X, Hartree; negative outside."""
    inside = [np.minimum(levels - low, high - levels) for low, high in intervals]
    return float(np.min(np.max(inside, axis=0)))


def _family_system(values: Mapping[str, Any]) -> System:
    dimension, length = values["dimension"], values["length"]
    if (atoms := length**dimension) > LARGEST:
        raise InputError(f"{atoms} atoms are more than the {LARGEST} that are diagonalised here")
    p = {"dimension": dimension, "length": length, "degree": values["degree"]}
    p |= {"gap": values["gap"], "beta": repr(values["beta"])}
    return System(
        f"one cluster, {dimension}D, length {length}, gap = {values['gap']:g}, "
        f"beta = {values['beta']:g}, N = {values['degree']}",
        {"kind": "one cluster", **_HOPPING[dimension], **p},
    )


FAMILY = Family(
    (
        Parameter("length", 40, "atoms along each axis", 4, 2000),
        Parameter("dimension", 1, "chain, square lattice, rock salt", 1, 3),
        Parameter("beta", math.inf, "inverse temperature, 1/Hartree; inf", 0.5, math.inf),
        Parameter("gap", 2.0, "splitting of the levels of the two species, Hartree", 0.0, 16.0),
        Parameter("degree", 20, "N of F_N", 4, 80),
    ),
    _family_system,
    "max |v_N − v*|, Hartree; predicted: charge that F_N brings over the capacity",
    ">=",
    of_result(
        "|v_N - v*| [Ha]",
        "|v_N - v*| [Ha]",
        beyond_first_order="|v_N - v* - S delta| / |v_N - v*|",
        charge_per_atom="charge per atom",
    ),
    ("beyond_first_order", "charge_per_atom"),
)
