"""One interface to everything that is timed: this package, its peers and the direct k-space sum.

All in bohr and Hartree. ``Code.words`` name a code and its settings, so that a fresh process can
make the same one to measure memory; :func:`code_of` reads them.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from direct_k_space import DirectKSpace
from water_boxes import ANGSTROM

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics

_HARTREE = 27.211386245988  # eV; pymatgen's unit of energy


class Result(NamedTuple):
    """E (Hartree), forces (M, 3) in Hartree/bohr and, where asked for, features (M, n)."""

    energy: float
    forces: FloatArray
    features: FloatArray | None = None


class Prepared(Protocol):
    """A code at one geometry."""

    def __call__(self, multipoles: FloatArray) -> Result:
        """Of charges (M,) or, for Gaussians, multipoles (M, 4)."""

    def settings(self) -> str:
        """In words."""


@dataclass(frozen=True)
class Code:
    """``prepare`` takes positions (and typical charges) and does all that can be done before.

    ``keeps`` says whether there is anything to prepare, so that a second application is quicker.
    """

    name: str
    words: tuple[str, ...]
    prepare: Callable[[Configuration, FloatArray], Prepared]
    keeps: bool = True


def available(*modules: str) -> bool:
    """Whether all can be imported."""
    return all(importlib.util.find_spec(module) is not None for module in modules)


def code_of(words: tuple[str, ...]) -> Code:
    """The code that ``Code.words`` belong to."""
    kind, *rest = words
    numbers = [float(word) for word in rest[1:]]
    if kind == "scc":
        return scc_code(rest[0], *numbers)
    if kind == "torch":
        return torch_code(rest[0], TorchSettings(*numbers))
    if kind == "pymatgen":
        return pymatgen_code(float(rest[0]))
    if kind == "scc-gaussian":
        return gaussian_code(float(rest[0]), *numbers)
    assert kind == "k-space"
    return direct_code(float(rest[0]), *numbers)


# --- this package ---------------------------------------------------------------------------


class Scc:
    """Point charges (width 0), or Gaussian charges and dipoles with features of two widths."""

    def __init__(
        self,
        configuration: Configuration,
        typical: FloatArray,
        tolerance: float,
        method: str = "auto",
        width: float = 0.0,
        feature_widths: tuple[float, ...] = (),
    ) -> None:
        self._operator = MultipoleElectrostatics(
            configuration,
            width,
            l_max=0 if width == 0.0 else 1,
            tolerance=tolerance,
            method=method,
            reference=typical,
        )
        self._widths = feature_widths
        self._features = self._operator.features(feature_widths, 1) if feature_widths else None

    def __call__(self, multipoles: FloatArray) -> Result:
        found = self._operator.evaluate(multipoles)
        features = None if self._features is None else self._features(multipoles)
        return Result(found.energy, found.forces, features)

    def settings(self) -> str:
        plan = self._operator.plan
        smearing = plan.smooth_variance**0.5 / ANGSTROM
        words = f"{plan.method}, √s {smearing:.2f} Å, cut-off {plan.real_cutoff / ANGSTROM:.2f} Å"
        if plan.mesh_shape is not None:
            return f"{words}, mesh {plan.mesh_shape[0]}³, order {plan.spline_order}"
        if plan.reciprocal_cutoff is not None:
            return f"{words}, k ≤ {plan.reciprocal_cutoff * ANGSTROM:.2f}/Å"
        return words


def scc_code(method: str, tolerance: float) -> Code:
    """Point charges."""
    return Code(
        f"scc {method}",
        ("scc", method, repr(tolerance)),
        lambda configuration, charges: Scc(configuration, charges, tolerance, method),
    )


def gaussian_code(tolerance: float, width: float, *feature_widths: float) -> Code:
    """Gaussian multipoles λ ≤ 1 with features λ ≤ 1."""
    return Code(
        "scc auto",
        ("scc-gaussian", repr(tolerance), repr(width), *map(repr, feature_widths)),
        lambda configuration, multipoles: Scc(
            configuration, multipoles, tolerance, "auto", width, feature_widths
        ),
    )


# --- direct k-space sum ---------------------------------------------------------------------


class Direct:
    """The baseline of :mod:`direct_k_space`."""

    def __init__(
        self, configuration: Configuration, cutoff: float, width: float, *feature_widths: float
    ) -> None:
        self._sum = DirectKSpace(configuration, width, feature_widths, cutoff)
        self._cutoff = cutoff

    def __call__(self, multipoles: FloatArray) -> Result:
        return Result(*self._sum.energy_forces_features(multipoles))

    def settings(self) -> str:
        return f"k ≤ {self._cutoff * ANGSTROM:.2f}/Å, {len(self._sum)} of ±k"


def direct_code(cutoff: float, width: float, *feature_widths: float) -> Code:
    """Gaussian multipoles λ ≤ 1 with features λ ≤ 1."""
    return Code(
        "direct k-space",
        ("k-space", repr(cutoff), repr(width), *map(repr, feature_widths)),
        lambda configuration, _: Direct(configuration, cutoff, width, *feature_widths),
    )


# --- torch-pme ------------------------------------------------------------------------------


@dataclass(frozen=True)
class TorchSettings:
    """Cut-off over smearing, cut-off (bohr), and the method's own: the other of the last is 0."""

    ratio: float
    cutoff: float
    mesh: float = 0.0  # P3M: nodes along an edge, a power of two
    wavelength: float = 0.0  # Ewald: shortest, bohr


class TorchPME:
    """torch-pme with vesin's neighbour list (half, as torch-pme prefers), float64, one thread."""

    def __init__(self, configuration: Configuration, settings: TorchSettings) -> None:
        import torch
        import torchpme
        import vesin

        torch.set_num_threads(1)
        self._torch, self._given = torch, settings
        cell = np.array(configuration.cell)
        search = vesin.NeighborList(cutoff=settings.cutoff, full_list=False)
        i, j, shifts = search.compute(
            points=np.array(configuration.positions), box=cell, periodic=True, quantities="ijS"
        )
        self._pairs = torch.from_numpy(np.stack([i, j], axis=1).astype(np.int64))
        self._shifts = torch.from_numpy(shifts.astype(np.float64) @ cell)
        self._positions = torch.tensor(np.array(configuration.positions), requires_grad=True)
        self._cell = torch.tensor(cell)
        potential = torchpme.CoulombPotential(smearing=settings.cutoff / settings.ratio)
        calculator: Any
        if settings.mesh:
            # it takes 2 L/h + 1 nodes, rounded up to a power of two
            calculator = torchpme.P3MCalculator(
                potential,
                mesh_spacing=2.0 * float(cell[0, 0]) / (settings.mesh - 1.5),
                interpolation_nodes=5,
                full_neighbor_list=False,
            )
        else:
            calculator = torchpme.EwaldCalculator(
                potential, lr_wavelength=settings.wavelength, full_neighbor_list=False
            )
        self._calculator = calculator.to(dtype=torch.float64)

    def __call__(self, multipoles: FloatArray) -> Result:
        q = self._torch.tensor(multipoles)[:, None]
        r, pairs = self._positions, self._pairs
        distances = self._torch.linalg.norm(r[pairs[:, 1]] - r[pairs[:, 0]] + self._shifts, dim=1)
        potential = self._calculator.forward(q, self._cell, r, pairs, distances)
        energy = self._torch.sum(potential * q)  # its potential has the factor ½
        (gradient,) = self._torch.autograd.grad(energy, r)
        return Result(energy.item(), -gradient.numpy())

    def settings(self) -> str:
        cutoff = f"cut-off {self._given.cutoff / ANGSTROM:.2f} Å = {self._given.ratio:g} smearings"
        if self._given.mesh:
            return f"{cutoff}, mesh {self._given.mesh:.0f}³, 5 nodes"
        return f"{cutoff}, wavelength ≥ {self._given.wavelength / ANGSTROM:.2f} Å"


def torch_code(method: str, settings: TorchSettings) -> Code:
    """Point charges by "P3M" or "Ewald"."""
    given = (settings.ratio, settings.cutoff, settings.mesh, settings.wavelength)
    return Code(
        f"torch-pme {method}",
        ("torch", method, *(repr(float(value)) for value in given)),
        lambda configuration, _: TorchPME(configuration, settings),
    )


# --- pymatgen -------------------------------------------------------------------------------


class Pymatgen:
    """pymatgen's EwaldSummation, whose cut-offs follow from one number (``acc_factor``)."""

    def __init__(self, configuration: Configuration, acc_factor: float) -> None:
        from pymatgen.core import Lattice, Structure

        assert configuration.cell is not None
        self._acc_factor = acc_factor
        self._structure = Structure(
            Lattice(configuration.cell / ANGSTROM),
            list(configuration.species),
            configuration.positions / ANGSTROM,
            coords_are_cartesian=True,
        )

    def __call__(self, multipoles: FloatArray) -> Result:
        from pymatgen.analysis.ewald import EwaldSummation

        self._structure.add_oxidation_state_by_site(multipoles.tolist())
        found = EwaldSummation(self._structure, acc_factor=self._acc_factor, compute_forces=True)
        forces = np.asarray(found.forces) / (_HARTREE * ANGSTROM)
        return Result(float(found.total_energy) / _HARTREE, forces)

    def settings(self) -> str:
        return f"acc_factor {self._acc_factor:g}"


def pymatgen_code(acc_factor: float) -> Code:
    """Point charges by Ewald; it keeps nothing of a geometry."""
    return Code(
        "pymatgen Ewald",
        ("pymatgen", repr(acc_factor)),
        lambda configuration, _: Pymatgen(configuration, acc_factor),
        keeps=False,
    )
