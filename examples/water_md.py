"""Molecular dynamics of a water hexamer whose charges equilibrate at every step.

    python examples/water_md.py [--model NAME or FILE] [--picoseconds 5] [--timestep 0.5]

A tutorial of the ASE calculator: relax a cluster, look at its charges and its response, let it move
at constant energy and see how well the energy is kept. ``--quick`` does the same for a few steps.
"""

# 1. A structure. Any neutral ASE atoms of water will do, Å as always in ASE. Here: the heptamer
#    next to this file, without the molecule farthest from its centre.

import argparse
from pathlib import Path

import ase
import numpy as np
from ase import units
from ase.io import read
from ase.md.velocitydistribution import Stationary, ZeroRotation
from ase.md.verlet import VelocityVerlet
from ase.optimize import LBFGS

from scc.ace.calculator import SCCCalculator

HEPTAMER = Path(__file__).with_name("water_heptamer.xyz")


def hexamer() -> ase.Atoms:
    """Six water molecules."""
    atoms = read(HEPTAMER)
    oxygens = [atom.index for atom in atoms if atom.symbol == "O"]
    away = np.linalg.norm(atoms.positions[oxygens] - atoms.get_center_of_mass(), axis=1)
    leaving = oxygens[int(np.argmax(away))]
    distances = atoms.get_distances(leaving, range(len(atoms)))
    del atoms[np.argsort(distances)[:3]]
    return atoms


# 2. A calculator. ``SCCCalculator()`` takes the model that ships with the package, a name or a file
#    takes another. Each geometry is solved to self-consistency from the features v̂ of the last one,
#    and forces are exact derivatives (by the adjoint equation): that is what keeps the energy.
#    The calculator raises ConvergenceError rather than return numbers without a solution.


def relax(atoms: ase.Atoms, fmax: float, steps: int) -> None:
    """To the nearest minimum, forces below ``fmax`` eV/Å."""
    before = atoms.get_potential_energy()
    optimizer = LBFGS(atoms, logfile=None)
    optimizer.run(fmax=fmax, steps=steps)
    after = atoms.get_potential_energy()
    largest = np.linalg.norm(atoms.get_forces(), axis=1).max()
    print(
        f"relaxed in {optimizer.nsteps} steps by {before - after:.4f} eV; largest force "
        f"{largest:.4f} eV/Å"
    )


# 3. What the equilibrium knows. Beyond ASE's properties, ``calc.prediction`` has multipoles up to
#    quadrupoles, polarisability and the spectrum of the response (its radius tells how hard the
#    self-consistency is: below 1 the plain iteration v̂ → ρ → v̂ would converge).


def describe(atoms: ase.Atoms) -> None:
    """Charges, dipole, polarisability, self-consistency."""
    charges, prediction = atoms.get_charges(), atoms.calc.prediction
    for symbol in ("O", "H"):
        own = charges[[s == symbol for s in atoms.symbols]]
        print(f"charges of {symbol}: {own.min():+.3f} to {own.max():+.3f} e")
    dipole = np.linalg.norm(atoms.get_dipole_moment())
    alpha = np.trace(prediction.polarisability()) / 3.0
    print(
        f"dipole {dipole:.3f} e·Å = {dipole / units.Debye:.2f} D; "
        f"polarisability {alpha / (len(atoms) // 3):.2f} bohr³ a molecule"
    )
    radius = prediction.equilibrium.spectrum.radius
    print(
        f"self-consistent after {prediction.scf_iterations} applications, "
        f"spectral radius {radius:.3f}"
    )


# 4. Dynamics at constant energy. Velocity Verlet makes an error of the energy that oscillates, of
#    order timestep² and without drift, as long as forces are derivatives of one function.


def dynamics(
    atoms: ase.Atoms, picoseconds: float, timestep: float, temperature: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Times (ps) and total energies (eV) at every step; prints a few of them."""
    rng = np.random.default_rng(seed)
    # Maxwell–Boltzmann; at a minimum, since half of the energy becomes potential energy at once.
    thermal = np.sqrt(2.0 * units.kB * atoms.get_masses() * temperature)
    atoms.set_momenta(thermal[:, None] * rng.standard_normal((len(atoms), 3)))
    Stationary(atoms)
    ZeroRotation(atoms)
    steps = round(1000.0 * picoseconds / timestep)
    verlet = VelocityVerlet(atoms, timestep * units.fs)
    times, energies = [], []
    print(f"{'t/ps':>8} {'E_pot/eV':>14} {'E_kin/eV':>10} {'E_tot/eV':>14} {'T/K':>6} {'µ/D':>6}")

    def record() -> None:
        potential, kinetic = atoms.get_potential_energy(), atoms.get_kinetic_energy()
        times.append(verlet.get_time() / (1000.0 * units.fs))
        energies.append(potential + kinetic)
        if verlet.nsteps % max(1, steps // 20) == 0:
            dipole = np.linalg.norm(atoms.get_dipole_moment()) / units.Debye
            print(
                f"{times[-1]:8.3f} {potential:14.5f} {kinetic:10.5f} {energies[-1]:14.5f} "
                f"{atoms.get_temperature():6.0f} {dipole:6.2f}",
                flush=True,
            )

    verlet.attach(record, interval=1)
    verlet.run(steps)
    return np.array(times), np.array(energies)


def drift(times: np.ndarray, energies: np.ndarray, molecules: int) -> tuple[float, float]:
    """(change over the run by a straight line, rms about that line), meV per molecule."""
    slope, offset = np.polyfit(times, energies, 1)
    rest = energies - (slope * times + offset)
    scale = 1000.0 / molecules
    return scale * slope * (times[-1] - times[0]), scale * float(np.sqrt(np.mean(rest**2)))


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """All of it. Returns drift and rms fluctuation in meV per molecule."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="water", help="name or file of a fitted model")
    parser.add_argument("--picoseconds", type=float, default=5.0)
    parser.add_argument("--timestep", type=float, default=0.5, help="fs")
    parser.add_argument("--temperature", type=float, default=150.0, help="K")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="20 steps of everything")
    options = parser.parse_args(arguments)
    atoms = hexamer()
    atoms.calc = SCCCalculator(options.model)
    relax(atoms, fmax=0.01, steps=20 if options.quick else 500)
    describe(atoms)
    length = 0.02 * options.timestep if options.quick else options.picoseconds
    times, energies = dynamics(atoms, length, options.timestep, options.temperature, options.seed)
    change, fluctuation = drift(times, energies, len(atoms) // 3)
    print(
        f"total energy over {times[-1]:.3f} ps: drift {change:+.4f}, rms about it "
        f"{fluctuation:.4f} meV per molecule"
    )
    return {"drift": change, "fluctuation": fluctuation}


if __name__ == "__main__":
    main()
