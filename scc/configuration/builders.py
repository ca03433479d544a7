"""Model geometries in atomic units: chains, lattices, random clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.spatial import cKDTree

from scc.arrays import FloatArray
from scc.configuration.configuration import Configuration
from scc.errors import InputError

Species = str | Sequence[str]


def chain(
    n: int,
    spacing: float | tuple[float, float] = 1.0,
    species: Species = "H",
    jitter: float = 0.0,
    rng: np.random.Generator | None = None,
    periodic: bool = False,
) -> Configuration:
    """n atoms on the x axis, centred at the origin.

    Parameters
    ----------
    spacing:
        One nearest-neighbour distance in bohr, or two, (a, b), which alternate: a between atoms
        0 and 1, b between 1 and 2, and so on (dimerised chain).
    species:
        One chemical symbol, or several that repeat along the chain.
    jitter:
        Every coordinate (x, y and z) is moved by a uniform random number in [−jitter, jitter];
        smaller than half the shorter spacing, so that the order along x is kept.
    rng:
        Required when ``jitter`` > 0.
    periodic:
        Close the chain along x with the next spacing of the alternation; ``n`` must then be a
        multiple of the periods of spacings and species.

    Raises InputError for n < 1, non-positive spacing, impossible jitter or period.
    """
    n = _positive_integer(n, "number of atoms")
    steps = [_positive(step, "spacing") for step in _as_sequence(spacing)]
    if len(steps) not in (1, 2):
        raise InputError(f"spacing must be one or two distances, got {len(steps)}")
    symbols = _symbols(species)
    gaps = np.resize(steps, n)
    coordinates = np.concatenate([[0.0], np.cumsum(gaps[:-1])])
    positions = np.zeros((n, 3))
    positions[:, 0] = coordinates - 0.5 * coordinates[-1]
    positions += _jitter(jitter, min(steps), (n, 3), rng)
    labels = tuple(symbols[i % len(symbols)] for i in range(n))
    if not periodic:
        return Configuration(labels, positions)
    for count, what in ((len(steps), "spacings"), (len(symbols), "species")):
        if n % count:
            raise InputError(f"a periodic chain of {n} atoms cannot repeat {count} {what}")
    cell = np.zeros((3, 3))
    cell[0, 0] = float(gaps.sum())
    return Configuration(labels, positions, cell, (True, False, False))


def lattice(
    kind: Literal["cubic", "rock-salt", "square"],
    repeats: int | Sequence[int],
    spacing: float = 1.0,
    species: Species | None = None,
    periodic: bool = False,
    jitter: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Configuration:
    """Sites spacing · (i, j, k) of a simple cubic or square lattice, centred at the origin.

    Parameters
    ----------
    kind:
        ``"cubic"``: one species on all sites. ``"rock-salt"``: two species, alternating between
        nearest neighbours (the parity of i + j + k). ``"square"``: sites in the xy plane with one
        species, or two alternating ones.
    repeats:
        Number of sites along each axis: one integer for all, or 3 (square: 2) of them.
    spacing:
        Nearest-neighbour distance in bohr (half the conventional constant in rock salt).
    species:
        Default "H"; ("Na", "Cl") for rock salt.
    periodic:
        Periodic along all lattice axes; alternating species then need even ``repeats``. For
        ``"square"`` the third cell vector is zero (undefined, not periodic).
    jitter, rng:
        As in :func:`chain`; in the plane only for ``"square"``.

    Raises InputError for any other kind, or numbers that do not fit.
    """
    if kind not in ("cubic", "rock-salt", "square"):
        raise InputError(f"unknown lattice {kind!r}: choose cubic, rock-salt or square")
    dimension = 2 if kind == "square" else 3
    sizes = [repeats] * dimension if isinstance(repeats, int | np.integer) else list(repeats)
    if len(sizes) != dimension:
        raise InputError(f"{kind} lattice needs {dimension} repeats, got {len(sizes)}")
    sizes = [_positive_integer(size, "repeats") for size in sizes]
    spacing = _positive(spacing, "spacing")
    symbols = _symbols(species or (("Na", "Cl") if kind == "rock-salt" else "H"))
    allowed = {"cubic": (1,), "rock-salt": (2,), "square": (1, 2)}[kind]
    if len(symbols) not in allowed:
        raise InputError(f"{kind} lattice takes {allowed[-1]} species, got {len(symbols)}")

    sites = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), axis=-1)
    sites = sites.reshape(-1, dimension)
    labels = tuple(symbols[int(parity) % len(symbols)] for parity in sites.sum(axis=1))
    positions = np.zeros((len(sites), 3))
    positions[:, :dimension] = spacing * (sites - 0.5 * (np.array(sizes) - 1))
    positions[:, :dimension] += _jitter(jitter, spacing, sites.shape, rng)
    if not periodic:
        return Configuration(labels, positions)
    if len(symbols) == 2 and any(size % 2 for size in sizes):
        raise InputError(f"a periodic {kind} lattice needs even repeats, got {sizes}")
    cell = np.zeros((3, 3))
    cell[range(dimension), range(dimension)] = spacing * np.array(sizes)
    return Configuration(labels, positions, cell, (True, True, dimension == 3))


DEFAULT_PACKING = {1: 0.5, 2: 0.35, 3: 0.2}
"""Packing fraction of :func:`cluster` by dimension, well below where random addition saturates
(0.748, 0.547 and 0.384: Rényi 1958; Feder, J. Theor. Biol. 87, 237 (1980); Cooper 1988)."""

_ROUNDS = 300


def cluster(
    n: int,
    minimal_spacing: float,
    rng: np.random.Generator,
    density: float | None = None,
    dimension: Literal[1, 2, 3] = 3,
    species: Species = "H",
) -> Configuration:
    """n atoms at random in a ball, no two nearer than ``minimal_spacing`` (𝔪 of Lemma 9).

    Random sequential addition: points drawn uniformly in the ball are kept if they are far enough
    from all kept before. In dimension 2 the ball is a disc in the xy plane, in dimension 1 an
    interval on the x axis, centred at the origin.

    Parameters
    ----------
    minimal_spacing:
        In bohr, at least 1e-6.
    density:
        Atoms per bohr^dimension in the ball; default: packing fraction :data:`DEFAULT_PACKING`
        of hard balls with diameter ``minimal_spacing``.
    species:
        One symbol, or several given to the atoms in turn (that is, at random in space).

    Raises InputError when the atoms do not fit; it gives up after a fixed number of draws.
    """
    n = _positive_integer(n, "number of atoms")
    minimal_spacing = _positive(minimal_spacing, "minimal spacing")
    if dimension not in DEFAULT_PACKING:
        raise InputError(f"dimension must be 1, 2 or 3, got {dimension!r}")
    if not isinstance(rng, np.random.Generator):
        raise InputError("a random cluster needs a numpy random Generator")
    symbols = _symbols(species)
    unit_ball = {1: 2.0, 2: math.pi, 3: 4.0 * math.pi / 3.0}[dimension]
    atom_volume = unit_ball * (0.5 * minimal_spacing) ** dimension
    if density is None:
        density = DEFAULT_PACKING[dimension] / atom_volume
    density = _positive(density, "density")
    radius = (n / density / unit_ball) ** (1.0 / dimension)

    kept = np.empty((0, dimension))
    for _ in range(_ROUNDS):
        fresh = _uniform_in_ball(n, dimension, radius, rng)
        if len(kept):
            distance, _ = cKDTree(kept).query(fresh)
            fresh = fresh[distance >= minimal_spacing]
        kept = np.concatenate([kept, _thinned(fresh, minimal_spacing)])[:n]
        if len(kept) == n:
            break
    else:
        raise InputError(
            f"only {len(kept)} of {n} atoms with minimal spacing {minimal_spacing:g} bohr fit at "
            f"density {density:.4g} per bohr^{dimension} "
            f"(packing fraction {density * atom_volume:.3g})"
        )
    positions = np.zeros((n, 3))
    positions[:, :dimension] = kept
    return Configuration(tuple(symbols[i % len(symbols)] for i in range(n)), positions)


def _uniform_in_ball(n: int, dimension: int, radius: float, rng: np.random.Generator) -> FloatArray:
    """n points uniform in the ball: Gaussian directions, radii distributed as U^(1/dimension)."""
    directions = rng.normal(size=(n, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radii = radius * rng.uniform(size=(n, 1)) ** (1.0 / dimension)
    return np.asarray(radii * directions, dtype=np.float64)


def _thinned(points: FloatArray, minimal_spacing: float) -> FloatArray:
    """The points that are at least ``minimal_spacing`` from every earlier point kept."""
    dropped = np.zeros(len(points), dtype=bool)
    if len(points) == 0:
        return points
    # Pairs sorted by their later member, so that each verdict on an earlier one is final.
    pairs = cKDTree(points).query_pairs(minimal_spacing, output_type="ndarray")
    apart = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    pairs = np.sort(pairs[apart < minimal_spacing], axis=1)
    for earlier, later in pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]:
        dropped[later] |= not dropped[earlier]
    return points[~dropped]


def _as_sequence(value: float | Sequence[float]) -> list[float]:
    return [float(value)] if np.isscalar(value) else [float(item) for item in value]  # type: ignore[arg-type, union-attr]


def _symbols(species: Species) -> tuple[str, ...]:
    symbols = (species,) if isinstance(species, str) else tuple(species)
    if not symbols:
        raise InputError("species must name at least one chemical symbol")
    return symbols


def _positive_integer(value: object, name: str) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise InputError(f"{name} must be a positive integer, got {value!r}")
    return int(value)


def _positive(value: float, name: str) -> float:
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(f"{name} must be positive and finite, got {value}")
    return float(value)


def _jitter(
    amplitude: float, spacing: float, shape: tuple[int, ...], rng: np.random.Generator | None
) -> FloatArray:
    """Uniform random moves in [−amplitude, amplitude]; amplitude 0 draws nothing."""
    if amplitude == 0.0:
        return np.zeros(shape)
    if not 0.0 < amplitude < 0.5 * spacing:
        raise InputError(
            f"jitter must lie in [0, half the spacing = {0.5 * spacing:g}), got {amplitude}"
        )
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"jitter {amplitude} needs a numpy random Generator")
    return rng.uniform(-amplitude, amplitude, size=shape)
