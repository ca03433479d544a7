r"""Gauge: a constant potential for everybody changes nothing in a neutral system.

Electrons gain c each and nuclei lose cZ, so the energy changes by −cQ, charges and forces not at
all. A local model that reads the value of the potential at its site, rather than differences of it,
breaks this.
"""

from __future__ import annotations

from scc.battery.bench import Bench, observables
from scc.battery.comparison import differences, draw_ratios, judged
from scc.battery.property import Finding, Property
from scc.battery.subject import TakesConstantPotential, UnsupportedError, unsupported_is_said

SHIFT = 0.1
"""Hartree: the potential that a solvent or a surface puts on a molecule."""


def measure(bench: Bench) -> Finding:
    """The structures with and without :data:`SHIFT`."""
    subject = bench.subject
    if not isinstance(subject, TakesConstantPotential):
        raise UnsupportedError("cannot be solved in an external potential")
    cases: dict[str, dict[str, float]] = {}
    for structure in bench.structures:
        with unsupported_is_said():
            reference = subject.solve_shifted(structure, 0.0)
            shifted = subject.solve_shifted(structure, SHIFT)
        if not reference.converged:
            raise UnsupportedError("no converged solution in an external potential")
        if not shifted.converged:
            return Finding(False, f"no solution after a shift of {SHIFT:g} Hartree", {})
        expected = observables(reference)
        expected["energy"] = expected["energy"] - SHIFT * subject.total_charge
        found = differences(observables(shifted), expected)
        known = cases.setdefault(f"shift by {SHIFT:g} Hartree", found)
        cases[f"shift by {SHIFT:g} Hartree"] = {n: max(known[n], v) for n, v in found.items()}
    return judged(bench, cases)


PROPERTY = Property(
    "gauge",
    "A constant added to the potential changes neither charges nor forces, nor a neutral energy.",
    "10 times the accuracy of the solutions, of charges and forces, and of energies.",
    measure,
    draw_ratios,
)
