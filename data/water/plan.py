"""Which frames the set consists of: a fixed list, every frame from its own seed.

Training: thermal clusters of 1-6 molecules, pairs of fragments 5-12 Å apart, and clusters again
beside external charges (one potential per geometry would leave ∂ρ/∂v̂ undetermined). Test: thermal
clusters of 1-6 and 8 molecules and pairs, from trajectories of their own.
"""

from dataclasses import dataclass

FRAMES_PER_TRAJECTORY = 5


@dataclass(frozen=True)
class Frame:
    """One frame to compute.

    Attributes
    ----------
    name: unique, also the name of its file while the set is being made.
    split: ``train`` or ``test``.
    kind: ``thermal``, ``pair``, ``field`` or ``charges`` (the last two: external charges).
    molecules: of the cluster, or of the first and the second fragment.
    trajectory: seed of the trajectory (or of the pair); frames of one trajectory belong together
        when data are split.
    frame: index in the trajectory.
    """

    name: str
    split: str
    kind: str
    molecules: tuple[int, ...]
    trajectory: int
    frame: int = 0


_THERMAL = {
    "train": {1: 2, 2: 6, 3: 7, 4: 8, 5: 7, 6: 10},
    "test": {1: 12, 2: 12, 3: 12, 4: 12, 5: 12, 6: 12, 8: 10},
}
"""Trajectories by size; five frames each for training, one for the test."""

_PAIRS = {
    "train": {(1, 1): 40, (1, 2): 30, (2, 2): 25, (1, 3): 20, (2, 3): 15},
    "test": {(1, 1): 8, (1, 2): 6, (2, 2): 5, (1, 3): 5},
}
_RESPONSE = {1: 10, 2: 40, 3: 40, 4: 30}
"""Training frames of trajectories of their own, half in a field, half beside charges."""


def frames() -> list[Frame]:
    """All frames, kinds and sizes interleaved, so that a part of the set is a set."""
    lists: list[list[Frame]] = []
    for split, base, each in (("train", 1000, FRAMES_PER_TRAJECTORY), ("test", 5000, 1)):
        for size, number in _THERMAL[split].items():
            lists.append(
                [
                    Frame(f"{split}-thermal-{size}-{t}-{f}", split, "thermal", (size,), seed, f)
                    for t in range(number)
                    for seed in [base + 100 * size + t]
                    for f in range(each)
                ]
            )
        for sizes, number in _PAIRS[split].items():
            label = "".join(map(str, sizes))
            first = base + 1000 + 100 * (3 * sizes[0] + sizes[1])
            lists.append(
                [
                    Frame(f"{split}-pair-{label}-{t}", split, "pair", sizes, first + t)
                    for t in range(number)
                ]
            )
    for size, number in _RESPONSE.items():
        lists.append(
            [
                Frame(f"train-{kind}-{size}-{t}", "train", kind, (size,), 9000 + 100 * size + t)
                for t in range(number)
                for kind in [("field", "charges")[t % 2]]
            ]
        )
    # Position in its own list, as a fraction, orders the whole.
    keyed = [(i / len(one), f) for one in lists for i, f in enumerate(one)]
    return [frame for _, frame in sorted(keyed, key=lambda item: (item[0], item[1].name))]
