"""Gaussian certificates to look at, and ways of making them false with a correct checksum."""

import copy
from decimal import Decimal, localcontext

import numpy as np

from scc.certify.api import certify
from scc.certify.certificate import Certificate, checksum
from scc.certify.decimals import fraction
from scc.configuration import Configuration
from scc.equilibration.equilibrate import equilibrate
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical


def hydrogen_chain(atoms, short=1.4, long=2.5):
    """Dimers on the x axis."""
    steps = np.resize([short, long], atoms)
    x = np.concatenate([[0.0], np.cumsum(steps[:-1])])
    return Configuration(("H",) * atoms, np.stack([x, 0.1 * x, -0.2 * x], axis=1))


def helium_hydride():
    """HeH⁺ without a symmetry of the frame."""
    return Configuration(("He", "H"), np.array([[0.1, -0.2, 0.3], [0.5, 0.9, 1.1]]))


def equilibrium(configuration, beta=np.inf, electrons=None, mu=None, **model):
    """Converged, in STO-3G unless ``basis`` says otherwise."""
    bound = GaussianTightBinding(**model).prepare(configuration)
    ensemble = None
    if electrons is not None:
        ensemble = Canonical(electrons)
    if mu is not None:
        ensemble = GrandCanonical(mu)
    functional = EnergyFunctional(bound, beta=beta, ensemble=ensemble)
    return equilibrate(functional).require_converged()


def certificate(configuration, degree=None, **settings):
    """Of :func:`equilibrium`."""
    return certify(equilibrium(configuration, **settings), degree)


def changed(original, path, change):
    """The same certificate with one entry replaced by ``change(entry)`` and the checksum redone.

    ``path``: keys and indices.
    """
    document = copy.deepcopy(original.document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = change(place[path[-1]])
    document["checksum"] = checksum(document)
    return Certificate(document)


def _all_digits(value):
    """A rational number to 80 digits."""
    with localcontext(prec=80):
        return str(Decimal(value.numerator) / Decimal(value.denominator))


def plus(amount):
    """A decimal text moved by a rational number."""
    return lambda text: _all_digits(fraction(text) + amount)


def times(factor):
    """A decimal text multiplied."""
    return lambda text: _all_digits(fraction(text) * factor)


def enclosures(part, inner=()):
    """Paths of all enclosures [m, r] below."""
    if isinstance(part, list) and len(part) == 2 and all(isinstance(x, str) for x in part):
        yield inner
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from enclosures(value, (*inner, key))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from enclosures(value, (*inner, index))
