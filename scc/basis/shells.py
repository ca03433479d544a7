"""Contracted Gaussian shells at atoms: φ_{ℓlµ}(x) = R_lµ(x − r_ℓ) Σ_k c_k e^{−a_k |x − r_ℓ|²}.

R_lµ are real solid harmonics in Racah normalisation; every φ has unit L² norm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gamma

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError

if TYPE_CHECKING:
    from scc.basis.pairs import PairDensities


def solid_harmonic_norm(angular_momentum: int, exponent_sum: FloatArray) -> FloatArray:
    """∫ R_lµ(x)² e^{−s|x|²} dx = 2π Γ(l+3/2) / ((2l+1) s^{l+3/2}), any µ."""
    power = angular_momentum + 1.5
    factor = 2 * np.pi * gamma(power) / (2 * angular_momentum + 1)
    norm: FloatArray = factor * np.asarray(exponent_sum, dtype=np.float64) ** -power
    return norm


@dataclass(frozen=True)
class Shell:
    """The 2l+1 functions R_lµ(x) Σ_k c_k e^{−a_k |x|²}, µ = −l…l, of unit L² norm.

    ``exponents`` a_k in bohr⁻²; ``coefficients`` multiply *normalised* primitives, as basis-set
    tables print them. ``radial_coefficients`` are the c_k of the formula above: the contraction is
    rescaled to unit norm, since tables do that to some seven digits only.

    Raises InputError for l < 0, exponents that are not positive, or a contraction of norm zero.
    """

    angular_momentum: int
    exponents: tuple[float, ...]
    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.angular_momentum < 0:
            raise InputError(f"angular momentum {self.angular_momentum} is negative")
        if len(self.exponents) == 0 or len(self.exponents) != len(self.coefficients):
            raise InputError(
                f"a shell with {len(self.exponents)} exponents and "
                f"{len(self.coefficients)} coefficients"
            )
        for exponent in self.exponents:
            if not (exponent > 0 and np.isfinite(exponent)):
                raise InputError(f"Gaussian exponent {exponent} is not a positive number")
        if not np.all(np.isfinite(self.coefficients)) or not np.any(self.coefficients):
            raise InputError(f"contraction coefficients {self.coefficients} have no finite norm")

    @cached_property
    def radial_coefficients(self) -> FloatArray:
        """c_k such that each φ has unit L² norm (k,)."""
        a = np.array(self.exponents)
        primitive = np.array(self.coefficients) / np.sqrt(
            solid_harmonic_norm(self.angular_momentum, 2 * a)
        )
        norm = primitive @ solid_harmonic_norm(self.angular_momentum, a[:, None] + a) @ primitive
        contracted: FloatArray = primitive / np.sqrt(norm)
        return contracted


class PrimitiveShells(NamedTuple):
    """All primitive shells of one angular momentum, one row each."""

    angular_momentum: int
    shell: IntArray  # (k,) the contracted shell it belongs to
    atom: IntArray  # (k,)
    first_function: IntArray  # (k,) index of its µ = −l function in the basis
    exponent: FloatArray  # (k,) bohr⁻²
    coefficient: FloatArray  # (k,)
    label: IntArray  # (k,) equal for primitives of one atom with one exponent


class BasisSet:
    """The orbitals φ_a of a configuration: shells at each of M atoms, n functions in all.

    Functions are ordered by atom, then shell, then µ = −l…l (p functions: y, z, x).

    Parameters: ``positions`` (M, 3) in bohr; ``shells``: M sequences of :class:`Shell`.
    Raises InputError when the two do not match or there is no function at all.
    """

    def __init__(self, positions: FloatArray, shells: Sequence[Sequence[Shell]]) -> None:
        self.positions = np.array(positions, dtype=np.float64)
        self.positions.setflags(write=False)
        self.shells = tuple(tuple(atom) for atom in shells)
        if self.positions.ndim != 2 or self.positions.shape[1:] != (3,):
            raise InputError(f"positions have shape {self.positions.shape}, not (M, 3)")
        if len(self.shells) != len(self.positions):
            raise InputError(f"{len(self.shells)} lists of shells for {len(self.positions)} atoms")
        if self.n_functions == 0:
            raise InputError("the basis has no functions")

    def __len__(self) -> int:
        """Number of atoms M."""
        return len(self.positions)

    @cached_property
    def atom_of_function(self) -> IntArray:
        """The atom each function sits at (n,)."""
        return np.array(
            [
                atom
                for atom, shells in enumerate(self.shells)
                for shell in shells
                for _ in range(2 * shell.angular_momentum + 1)
            ],
            dtype=np.int64,
        )

    @property
    def n_functions(self) -> int:
        """Number of orbitals n."""
        return len(self.atom_of_function)

    def with_positions(self, positions: FloatArray) -> "BasisSet":
        """The same shells at other positions (M, 3)."""
        return BasisSet(positions, self.shells)

    @cached_property
    def pair_densities(self) -> "PairDensities":
        """The products φ_a φ_b as Hermite Gaussians, from which all integrals are made."""
        from scc.basis.pairs import PairDensities

        return PairDensities(self)

    @cached_property
    def primitives(self) -> tuple[PrimitiveShells, ...]:
        """Primitive shells grouped by angular momentum."""
        rows = []
        labels: dict[tuple[int, float], int] = {}
        shell_index = function = 0
        for atom, shells in enumerate(self.shells):
            for shell in shells:
                for exponent, coefficient in zip(
                    shell.exponents, shell.radial_coefficients, strict=True
                ):
                    label = labels.setdefault((atom, exponent), len(labels))
                    rows.append(
                        (
                            shell.angular_momentum,
                            shell_index,
                            atom,
                            function,
                            exponent,
                            float(coefficient),
                            label,
                        )
                    )
                shell_index += 1
                function += 2 * shell.angular_momentum + 1
        groups = []
        for angular_momentum in sorted({row[0] for row in rows}):
            _, shell_of, atom_of, first, exponents, coefficients, label_of = zip(
                *(row for row in rows if row[0] == angular_momentum), strict=True
            )
            groups.append(
                PrimitiveShells(
                    angular_momentum,
                    np.array(shell_of),
                    np.array(atom_of),
                    np.array(first),
                    np.array(exponents),
                    np.array(coefficients),
                    np.array(label_of),
                )
            )
        return tuple(groups)


def single_gaussian(configuration: Configuration, exponent: float) -> BasisSet:
    """One normalised s orbital (2a/π)^{3/4} e^{−a|x−r_ℓ|²} at every atom; a in bohr⁻²."""
    shell = Shell(0, (float(exponent),), (1.0,))
    return BasisSet(configuration.positions, [[shell]] * len(configuration))
