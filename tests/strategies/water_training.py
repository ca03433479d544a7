"""Small labelled sets and small forms of models, for tests of the fit."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from scc.ace.density_design import DensityForm
from scc.ace.features import FeatureSet
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.ace.specification import BasisSpecification, TotalDegree

WATER = Path(__file__).resolve().parents[2] / "data" / "water"
CUTOFF = 7.5


@cache
def small_set(number: int = 6) -> ReferenceSet:
    """Frames of one to three molecules, one beside charges far away."""
    first = read_reference_set(WATER / "train_first.xyz")
    field = [f for f in read_reference_set(WATER / "train.xyz").frames if f.kind == "field"]
    small = [frame for frame in first.frames if frame.n_molecules <= 3]
    return ReferenceSet((*small[:: len(small) // (number - 1)][: number - 1], field[0]))


def with_responses(frames: ReferenceSet, seed: int) -> ReferenceSet:
    """Made-up responses of every frame; no net charge."""
    rng = np.random.default_rng(seed)
    found = []
    for frame in frames.frames:
        response = rng.normal(size=(len(frame.configuration), 9, 3))
        response[:, 0] -= response[:, 0].mean(axis=0)
        found.append(replace(frame, polarisation=response))
    return ReferenceSet(tuple(found))


def small_form(features: FeatureSet | None = None, order: int = 2) -> DensityForm:
    """A density of few coefficients."""
    features = FeatureSet((1.2,), 1) if features is None else features
    degree = TotalDegree(((3.0, 2.0), (2.0, 2.0), (2.0, 1.0))[:order], l_max=2, feature_l_max=1)
    specification = BasisSpecification(("H", "O"), CUTOFF, order, degree, features, 1, (0, 1, 2))
    return DensityForm(specification, 1.0, 2, 2.0)


def small_energy(features: FeatureSet | None = None) -> BasisSpecification:
    """An energy of few coefficients."""
    features = FeatureSet((1.2,), 1) if features is None else features
    degree = TotalDegree(((3.0, 2.0), (2.0, 2.0, 4.0)), l_max=2, feature_l_max=1)
    return BasisSpecification(("H", "O"), CUTOFF, 2, degree, features, 2, (0,))


class Kept:
    """Finished stages in memory, and the names of those that were computed."""

    def __init__(self, stop: str = "") -> None:
        self.arrays: dict[str, dict[str, np.ndarray]] = {}
        self.computed: list[str] = []
        self.stop = stop

    def run(self, name, compute):
        """One stage; KeyboardInterrupt in place of the one to stop at."""
        if name not in self.arrays:
            if name == self.stop:
                raise KeyboardInterrupt
            self.arrays[name] = {key: np.array(value) for key, value in compute().items()}
            self.computed.append(name)
        return self.arrays[name]
