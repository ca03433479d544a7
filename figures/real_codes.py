"""tblite and PySCF: iterations with size, charges at infinity, energies that see the grid."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.figures._real_codes import rotated_energies, sodium_chains, stretched, versions, xtb

SIZES = (4, 8, 16, 32, 64)
DISTANCES = (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 20.0)  # Å
LEVELS = (0, 1, 2, 3, 4)
ROTATIONS = 4
HOT = 0.02  # Hartree, 6300 K


def draw() -> Figure:
    """Three panels; the codes run while the figure is drawn, half a minute."""
    gfn1, gfn2 = xtb("gfn1"), xtb("gfn2")
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for subject in (gfn1, gfn2):
        solved = sodium_chains(subject, SIZES)
        counts = [s.iterations if s.converged else np.nan for s in solved]
        left.loglog(SIZES, counts, "o-", label=subject.name)
    left.set_xticks(SIZES, map(str, SIZES))
    left.minorticks_off()
    left.set_xlabel("atoms of the chain")
    left.set_ylabel("SCF iterations")
    left.set_title("Na chains, 3.70 Å")
    left.legend()
    _charges(middle)
    _rotations(right)
    figure.suptitle(versions(), fontsize="small")
    return figure


def _charges(axes: Axes) -> None:
    from scc.adapters.tblite import TBLiteSubject

    for temperature, mark in ((9.5e-4, "o"), (HOT, "s")):
        for pair in (("Na", "Cl"), ("Li", "F")):
            subject = TBLiteSubject(temperature=temperature)
            solved = stretched(subject, pair, DISTANCES)
            converged = np.array([s.converged for s in solved])
            charges = np.array([s.charges[0] if s.converged else np.nan for s in solved])
            label = f"{''.join(pair)}, kT = {temperature:g} Hartree"
            (line,) = axes.plot(DISTANCES, charges, f"{mark}-", label=label)
            axes.plot(
                np.array(DISTANCES)[~converged],
                np.zeros(np.sum(~converged)),
                f"{mark}",
                mfc="none",
                color=line.get_color(),
            )
    axes.set_xlabel("distance [Å]")
    axes.set_ylabel("charge of the metal [e]")
    axes.set_ylim(-0.05, 0.8)
    axes.set_title("GFN2-xTB (open: no SCF solution)")
    axes.legend(fontsize="x-small")


def _rotations(axes: Axes) -> None:
    from scc.adapters.pyscf import PySCFSubject

    spreads = [
        np.ptp(rotated_energies(PySCFSubject("pbe", grid_level=level), ROTATIONS))
        for level in LEVELS
    ]
    axes.semilogy(LEVELS, spreads, "o-", label="PBE/def2-SVP")
    own = float(np.ptp(rotated_energies(xtb("gfn2"), ROTATIONS)))
    # Rounding, which may be 0 and then has no place on this axis.
    axes.axhline(max(own, 1e-16), color="C1", label=f"gfn2: {own:.0e}")
    axes.set_xlabel("grid level")
    axes.set_ylabel("spread of the energy [Hartree]")
    axes.set_title(f"H₂O in {ROTATIONS} orientations")
    axes.legend()
