"""A fitted model of water against GFN2-xTB: energy and forces of droplets, side by side in one run.

    python benchmarks/water.py [--model NAME or FILE] [molecules ...]

GFN2-xTB is tblite's (`pip install tblite`), its defaults, one thread. Both start from nothing but
positions: neighbours, operators and integrals are made anew each time, and the codes take turns.
Times are CPU seconds of one thread in the program itself. What the system spends beside them,
nearly all of it on finding memory, is a column of its own (*sys*, of the model): it depends on what
else the machine does. Droplets are those of `droplets.py`, larger than anything a fit has seen;
they grow in open boundaries.

The breakdown of the model's time: *basis* is neighbours, one-body functions and ∂p/∂v̂; *K* the
electrostatic operator; *solve* the self-consistency from zero field to 1e-8; *energy* is E_i and
E_H; *adjoint* the adjoint equation; *forces* the derivatives that it multiplies.
"""

import argparse
import gc
import math
import os
import resource
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import numpy as np
from droplets import droplet

from scc.ace.predict import Prediction, PredictiveModel, predict
from scc.ace.registry import fitted_model
from scc.configuration import Configuration
from scc.functional.projection_functional import ResponsiveModel

DEFAULT = [8, 20, 64, 216, 512]
WITH_PEER = 216  # molecules: GFN2-xTB of more takes minutes
SHORT, LONG = 0.5, 20.0  # seconds: shorter calculations take more turns, longer peers one
STAGES = ("basis", "K", "solve", "energy", "adjoint", "forces")


class Prepared:
    """A model bound to one geometry, where binding has been timed already."""

    def __init__(self, model: PredictiveModel, configuration: Configuration) -> None:
        self.name, self._model = model.name, model
        self._bound = model.prepare(configuration)
        zero = np.zeros(self._bound.feature_shape)
        self._bound.evaluate(zero).density_vjp(np.zeros((len(zero), 9)))

    def connect(self, configuration: Configuration) -> None:
        """Make K, with everything that it keeps."""
        self._operator = self._model.operator(configuration)
        self._operator.apply(np.zeros((len(configuration), 9)))

    def prepare(self, configuration: Configuration) -> ResponsiveModel:
        return self._bound

    def operator(self, configuration: Configuration, external=()):
        return self._operator


def main() -> None:
    """The table, then the figures of merit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="water")
    parser.add_argument("molecules", type=int, nargs="*", default=DEFAULT)
    options = parser.parse_args()
    model = fitted_model(options.model)
    peer = gfn2_or_none()
    own_forces(model, droplet(2))  # first calls import and tabulate
    print(
        f"{'mol.':>5} {'scc/s':>8} {'sys':>6} {'GFN2/s':>8} {'scc/GFN2':>8} {'power':>6} "
        f"{'iter.':>5} {'radius':>7}  " + " ".join(f"{stage:>7}" for stage in STAGES)
    )
    times: dict[int, float] = {}
    for molecules in sorted(options.molecules):
        configuration = droplet(molecules)
        with_peer = peer if molecules <= WITH_PEER else None
        own, other, system = in_turns(
            partial(own_forces, model, configuration),
            with_peer and partial(with_peer, configuration),
        )
        power = math.nan
        if times:
            before = max(times)
            power = math.log(own / times[before]) / math.log(molecules / before)
        times[molecules] = own
        parts, found = breakdown(model, configuration)
        assert found.converged
        print(
            f"{molecules:5d} {own:8.3f} {system:6.3f} {other:8.3f} {own / other:8.3f} {power:6.2f} "
            f"{found.scf_iterations:5d} {found.equilibrium.radius:7.3f}  "
            + " ".join(f"{part:7.3f}" for part in parts),
            flush=True,
        )
    if len(times) > 1:
        sizes = np.log(list(times))
        slope = np.polyfit(sizes, np.log(list(times.values())), 1)[0]
        print(
            f"time of energy and forces grows like M^{slope:.2f} from {min(times)} to "
            f"{max(times)} molecules (least squares of logarithms)"
        )


def own_forces(model: PredictiveModel, configuration: Configuration) -> None:
    """Energy and forces from positions."""
    found = predict(model, configuration)
    assert math.isfinite(found.energy)
    assert np.all(np.isfinite(found.forces))


def gfn2_or_none() -> Callable[[Configuration], None] | None:
    """Energy and forces by GFN2-xTB, where tblite is installed."""
    try:
        from tblite.interface import Calculator
    except ImportError:
        print("tblite: not installed, left out")
        return None
    from ase.data import atomic_numbers

    def forces(configuration: Configuration) -> None:
        numbers = np.array([atomic_numbers[symbol] for symbol in configuration.species])
        calculator = Calculator("GFN2-xTB", numbers, configuration.positions)
        calculator.set("verbosity", 0)
        found = calculator.singlepoint()
        assert np.all(np.isfinite(found.get("gradient")))

    return forces


def in_turns(
    own: Callable[[], None], other: Callable[[], None] | None
) -> tuple[float, float, float]:
    """Median seconds of both, and the system's for the model.

    At least three turns of the model; a peer that takes long has one.
    """
    owns, systems, others = [], [], []
    turns = 3
    while len(owns) < turns:
        seconds, system = cpu_seconds(own)
        owns.append(seconds)
        systems.append(system)
        if other and (not others or others[0] < LONG):
            others.append(cpu_seconds(other)[0])
        turns = 7 if owns[0] + (others[0] if others else 0.0) < SHORT else 3
    return median(owns), median(others) if others else math.nan, median(systems)


def cpu_seconds(run: Callable[[], None]) -> tuple[float, float]:
    """Of one call: in the program, in the system."""
    gc.collect()
    start = resource.getrusage(resource.RUSAGE_SELF)
    run()
    end = resource.getrusage(resource.RUSAGE_SELF)
    return end.ru_utime - start.ru_utime, end.ru_stime - start.ru_stime


def own_seconds() -> float:
    """CPU seconds of this program so far, without the system's."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def breakdown(
    model: PredictiveModel, configuration: Configuration
) -> tuple[Sequence[float], Prediction]:
    """CPU seconds of the six stages, in a run of their own."""
    marks = [own_seconds()]
    prepared = Prepared(model, configuration)
    marks.append(own_seconds())
    prepared.connect(configuration)
    marks.append(own_seconds())
    found = predict(prepared, configuration)
    marks.append(own_seconds())
    assert math.isfinite(found.energy)
    marks.append(own_seconds())
    assert np.all(np.isfinite(found.equilibrium.adjoint))
    marks.append(own_seconds())
    assert np.all(np.isfinite(found.forces))
    marks.append(own_seconds())
    return np.diff(marks).tolist(), found


if __name__ == "__main__":
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    if any(os.environ.get(name) != "1" for name in threads):
        # libraries read these when they are loaded
        import sys

        os.execve(
            sys.executable, [sys.executable, *sys.argv], os.environ | dict.fromkeys(threads, "1")
        )
    main()
