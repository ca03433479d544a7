"""What a molecule may stand in: a uniform electric field and point charges."""

from dataclasses import dataclass
from dataclasses import field as default

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError


def _nothing() -> FloatArray:
    return np.zeros((0, 3))


@dataclass(frozen=True)
class Surroundings:
    """External charges and field, Hartree atomic units.

    Attributes:
        field: E (3,), Hartree/(e bohr). An electron feels +E·x, a nucleus of charge Z −Z E·x: the
            energy changes by −E·d with the dipole d.
        positions: of point charges, (K, 3), bohr.
        charges: (K,), e; a positive one attracts electrons. Their mutual energy is left out.

    Raises:
        InputError: wrong shapes, or something that is not finite.
    """

    field: FloatArray = default(default_factory=lambda: np.zeros(3))
    positions: FloatArray = default(default_factory=_nothing)
    charges: FloatArray = default(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        for name in ("field", "positions", "charges"):
            value = np.array(getattr(self, name), dtype=np.float64)
            if not np.all(np.isfinite(value)):
                raise InputError(f"{name} of the surroundings: not finite: {value.tolist()}")
            object.__setattr__(self, name, value)
        if self.field.shape != (3,):
            raise InputError(f"a field has three components, not shape {self.field.shape}")
        if self.charges.ndim != 1 or self.positions.shape != (len(self.charges), 3):
            raise InputError(
                f"point charges of shape {self.charges.shape} at positions of shape "
                f"{self.positions.shape}: need (K,) and (K, 3)"
            )

    @property
    def uniform(self) -> bool:
        """Whether there is a field."""
        return bool(np.any(self.field != 0.0))


VACUUM = Surroundings()
