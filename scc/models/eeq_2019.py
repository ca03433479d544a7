r"""EEQ-2019: the environment-dependent electronegativity and hardness of DFT-D4's charge model.

    χ_ℓ(r) = χ_A − κ_A √CN_ℓ(r),      A_ℓℓ = η_A + √(2/π)/a_A,      A_ℓk = erf(r/√(a_A² + a_B²))/r

E. Caldeweyher et al., J. Chem. Phys. 150 (2019) 154122: CENT (Ghasemi et al., Phys. Rev. B 92
(2015) 045131) with CN of :mod:`scc.models.coordination_numbers`. A charge radius a is √2 σ in the
convention of this package, m ∝ e^{−x²/2σ²}: then τ = 1/√(2(σ_ℓ² + σ_k²)) and 1/(σ√π) = √(2/π)/a is
what a Gaussian charge does to itself, so that U = η is the hardness beyond J_ℓℓ. U is negative for
18 elements (H: −0.35): two such atoms nearer than some distance (H: 0.757 bohr, Fe: 1.24, the
largest) gain without bound by exchanging charge.

Numbers and their origin: eeq_2019.json, H–Rn.
"""

from __future__ import annotations

import json
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError
from scc.models.coordination_numbers import CoordinationNumbers
from scc.units import ANGSTROM


class CoordinationElectronegativity:
    """χ_ℓ = χ_A − κ_A √CN_ℓ, Hartree per elementary charge: values, and products with ∂χ/∂r.

    √CN is differentiable also at CN = 0, where no atom is in reach: counts and their slopes vanish
    like e^{−x²}, √CN like e^{−x²/2}.

    Args:
        numbers: CN. bare: χ_A (M,). shift: κ_A (M,).
    """

    def __init__(self, numbers: CoordinationNumbers, bare: FloatArray, shift: FloatArray) -> None:
        self._numbers, self._shift = numbers, shift
        self.values: FloatArray = bare - shift * np.sqrt(numbers.values)

    def jvp(self, displacement: FloatArray) -> FloatArray:
        """∂χ_ℓ/∂r·dr (M,) for dr (M, 3)."""
        return self._slope * self._numbers.jvp(displacement)

    def vjp(self, weights: FloatArray) -> FloatArray:
        """∂(Σ a_ℓ χ_ℓ)/∂r (M, 3)."""
        return self._numbers.vjp(weights * self._slope)

    @cached_property
    def _slope(self) -> FloatArray:
        """dχ/dCN = −κ/(2√CN), and 0 for an atom nobody is near."""
        root = np.sqrt(self._numbers.values)
        apart = root == 0.0
        return np.where(apart, 0.0, -0.5 * self._shift / np.where(apart, 1.0, root))


class EEQ2019:
    """Parameters by element, for :class:`scc.models.cent.CENT`; Hartree, bohr, e."""

    name = "EEQ-2019"

    def electronegativity(self, configuration: Configuration) -> CoordinationElectronegativity:
        """χ(r).

        Raises:
            InputError: an element beyond Rn, or a dummy, naming the atom.
        """
        data = _data()
        scale = data["covalent_radius_scale"][0] / data["covalent_radius_scale"][1] * ANGSTROM
        radii = scale * _by_species(configuration, "covalent_radius")
        steepness, largest = data["counting_steepness"], data["largest_coordination"]
        return CoordinationElectronegativity(
            CoordinationNumbers(configuration, radii, steepness, largest),
            _by_species(configuration, "electronegativity"),
            _by_species(configuration, "coordination_shift"),
        )

    def hardness(self, configuration: Configuration) -> FloatArray:
        """U = η (M,). Raises as :meth:`electronegativity`."""
        return _by_species(configuration, "hardness")

    def widths(self, configuration: Configuration) -> FloatArray:
        """σ = a/√2 (M,). Raises as :meth:`electronegativity`."""
        return np.asarray(_by_species(configuration, "charge_radius") / np.sqrt(2.0))


def _by_species(configuration: Configuration, name: str) -> FloatArray:
    elements = _data()["elements"]
    for atom, symbol in enumerate(configuration.species):
        if symbol not in elements:
            raise InputError(
                f"atom {atom}: EEQ-2019 has no parameters for element {symbol} (it has H to Rn)"
            )
    return np.array([elements[symbol][name] for symbol in configuration.species], dtype=np.float64)


@cache
def _data() -> dict[str, Any]:
    text = files("scc.models").joinpath("eeq_2019.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
