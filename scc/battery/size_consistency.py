r"""Size-consistency: two fragments far apart are the sum of each alone, in energy and in charge.

The smallest structure and, far from it, itself stretched by 4 %: two fragments that are not equal,
so that nothing but the model keeps charge from flowing. At distances up to 1000 bohr: the net
charge of a fragment, its charges against those alone, and the energy against the sum. Between
neutral fragments what is left is the dipole–dipole energy, ~ µ²/r³: 1e-9 Hartree at 1000 bohr.
Equalising electronegativities over any distance, as charge equilibration does, leaves fractional
charges at infinity. With more structures: also each next one against the smallest.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.battery.arrangements import far_apart, require_open, stretched
from scc.battery.bench import Bench, charges_of, described
from scc.battery.decay_figure import double_logarithmic
from scc.battery.property import Finding, Property
from scc.battery.subject import UnsupportedError
from scc.configuration import Configuration

DISTANCES = (30.0, 100.0, 300.0, 1000.0)
STRETCH = 1.04
PARTNERS = 2
"""Other structures tried beside the stretched one."""

COULOMB = 1e-6
"""e and Hartree: at 1000 bohr a dipole of 10 e·bohr makes a potential of 1e-5 Hartree/e, whose
difference over a molecule is 1e-7, and an energy of 1e-7 Hartree with another such dipole."""


def measure(bench: Bench) -> Finding:
    """Deviations from the sum at each distance, judged at the largest."""
    first = bench.smallest
    require_open(first)
    numbers: dict[str, object] = {"distances [bohr]": DISTANCES}
    allowed = {"charges": COULOMB + bench.tolerance, "energy": COULOMB + bench.energy_tolerance}
    numbers["allowed [e, Hartree]"] = allowed
    curves = []
    for second in _partners(bench):
        alone = bench.solution(first), bench.fresh(second)
        apart = np.concatenate([charges_of(alone[0]), charges_of(alone[1])])
        energy = alone[0].energy + alone[1].energy
        charge_errors, energy_errors = [], []
        for distance in DISTANCES:
            both = bench.fresh(far_apart(first, second, distance))
            charge_errors.append(float(np.max(np.abs(charges_of(both) - apart))))
            energy_errors.append(abs(both.energy - energy))
        name = f"{described(first)} + {described(second)}"
        while name in numbers:
            name += "'"
        numbers[name] = {
            "largest change of a charge [e]": charge_errors,
            "|E(both) - sum| [Hartree]": energy_errors,
            "charge of the first fragment, farthest [e]": float(
                np.sum(charges_of(both)[: len(first)])
            ),
        }
        curves.append((charge_errors, energy_errors))
    # NumPy's maximum of numbers one of which is none is none, and not within anything.
    worst_charge, worst_energy = np.max([[c[-1], e[-1]] for c, e in curves], axis=0)
    holds = bool(worst_charge <= allowed["charges"] and worst_energy <= allowed["energy"])
    summary = (
        f"{DISTANCES[-1]:g} bohr apart: charges off by {worst_charge:.1e} e "
        f"(allowed {allowed['charges']:.1e}), energy by {worst_energy:.1e} Hartree "
        f"(allowed {allowed['energy']:.1e})"
    )
    series = {
        "distance": np.array(DISTANCES),
        "charges": np.array([c for c, _ in curves]),
        "energy": np.array([e for _, e in curves]),
    }
    return Finding(holds, summary, numbers, series)


def _partners(bench: Bench) -> list[Configuration]:
    first, most = bench.smallest, bench.subject.largest
    others = [s for s in bench.structures if s is not first and not any(s.periodic)]
    # A single atom cannot be stretched, and between two that are equal nothing would flow.
    found = [*([stretched(first, STRETCH)] if len(first) > 1 else []), *others[:PARTNERS]]
    if not found:
        raise UnsupportedError("a single atom, and no other fragment that charge could flow to")
    found = [second for second in found if len(first) + len(second) <= most]
    if not found:
        raise UnsupportedError(f"{bench.subject.name} is too costly for two fragments at once")
    return found


def draw(axes: Axes, finding: Finding) -> None:
    """Deviations against distance."""
    r = finding.series["distance"]
    for row, (charges, energy) in enumerate(
        zip(finding.series["charges"], finding.series["energy"], strict=True)
    ):
        label = ("charges [e]", "energy [Hartree]") if row == 0 else (None, None)
        axes.plot(r, np.maximum(charges, 1e-16), "o-", color="C0", label=label[0])
        axes.plot(r, np.maximum(energy, 1e-16), "s--", color="C1", label=label[1])
    double_logarithmic(axes, "distance [bohr]", "deviation from the fragments alone", COULOMB)


PROPERTY = Property(
    "size consistency",
    "Two fragments far apart have the energies and the charges each has alone.",
    f"{COULOMB:g} e and Hartree at {DISTANCES[-1]:g} bohr, what dipoles of 10 e·bohr leave there, "
    "plus 10 times the accuracy.",
    measure,
    draw,
)
