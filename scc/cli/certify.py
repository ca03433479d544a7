"""``scc certify``: a proof about the exact solution, and the independent check of one."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scc.cli.errors import CommandError
from scc.errors import InputError

if TYPE_CHECKING:
    from scc.certify.certificate import Certificate
    from scc.equilibration.equilibrium import Equilibrium

_CHAIN = {"M": 1, "spacings": 2, "gap": 1, "charges": 2, "decay": 1}
_CHAIN_FORM = "M=80,spacings=1:1.3,gap=2,charges=1.4:0.6"


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--chain", metavar=_CHAIN_FORM, help="Instead of FILE: a chain of on-site model B.")
@click.option("--check", "to_check", type=click.Path(path_type=Path), help="Verify a certificate.")
@click.option("--model", metavar="gaussian|onsite", help="Local model.  [default: gaussian]")
@click.option("--index", type=int, default=-1, help="Frame of the file.  [default: the last]")
@click.option(
    "--beta",
    type=float,
    default=math.inf,
    show_default=True,
    help="Inverse electronic temperature in 1/Hartree; inf is zero temperature.",
)
@click.option("--electrons", type=float, help="Canonical: valence electrons.  [default: neutral]")
@click.option("--mu", type=float, help="Grand-canonical: chemical potential in Hartree.")
@click.option("--degree", type=int, help="Also the polynomial model T_N of this degree N.")
@click.option("--out", type=click.Path(path_type=Path), help="The certificate, *.json.")
def certify(
    file: Path | None,
    chain: str | None,
    to_check: Path | None,
    model: str | None,
    index: int,
    beta: float,
    electrons: float | None,
    mu: float | None,
    degree: int | None,
    out: Path | None,
) -> None:
    """Prove, in ball arithmetic, that an exact solution exists next to the computed one.

    The input is FILE, any structure ASE reads, or --chain: M atoms of alternating spacings (bohr)
    and nuclear charges, levels ∓gap/2, hopping -exp(-decay (r - 1)). The certificate states how far
    the solution is at most, within what it is the only one, and enclosures of energy, charges,
    levels, gap and forces. --check verifies all of that anew, by another and shorter way.

    Exit status: 0 certified or verified, 1 not, 2 bad usage or input.
    """
    if to_check is not None:
        if any(given is not None for given in (file, chain, model, electrons, mu, degree, out)):
            raise InputError("--check takes a certificate and nothing else")
        _check(to_check)
        return
    if (file is None) == (chain is None):
        raise InputError(f"give a structure file or --chain {_CHAIN_FORM}, one of them")
    if chain is not None and model not in (None, "onsite"):
        raise InputError(f"--chain is the on-site model, not {model!r}")
    if out is None:
        raise InputError("give --out FILE, the certificate to write")
    if not beta > 0:  # NaN included
        raise InputError(f"--beta must be positive, got {beta}")
    if electrons is not None and mu is not None:
        raise InputError("give --electrons or --mu, not both")
    if degree is not None and degree < 2:
        raise InputError(f"--degree must be at least 2, got {degree}")
    name = "onsite" if chain is not None else model or "gaussian"

    from scc.certify.registry import PROVERS, find
    from scc.models.registry import MODELS
    from scc.output import check_writable

    if name not in MODELS:
        raise InputError(f"no model {name!r}; known models: {', '.join(MODELS)}")
    find(PROVERS, name)
    bound = _model_b(chain) if chain is not None else _from_file(file, index, name)
    check_writable(out)
    start = time.monotonic()

    def progress(stage: str) -> None:
        click.echo(f"[{time.monotonic() - start:6.1f} s] {stage}", err=True)

    progress("equilibrating")
    result = _equilibrium(bound, beta, electrons, mu)

    from scc.certify.api import certify as prove

    certificate = prove(result, degree, progress)
    certificate.save(out)
    for line in _summary(certificate):
        click.echo(line)
    click.echo(f"{out} ({time.monotonic() - start:.1f} s)")


def _check(path: Path) -> None:
    from scc.certify.certificate import load
    from scc.certify.failure import RefusedError

    start = time.monotonic()

    def progress(stage: str) -> None:
        click.echo(f"[{time.monotonic() - start:6.1f} s] {stage}", err=True)

    try:
        lines = load(path).check(progress)
    except RefusedError as refused:
        raise CommandError(f"refused: {refused}", 1) from refused
    for line in lines:
        click.echo(line)
    click.echo(f"valid ({time.monotonic() - start:.1f} s)")


def chain_values(text: str) -> dict[str, list[float]]:
    """``M=80,spacings=1:1.3,…`` to numbers by name. InputError names what it cannot read."""
    found: dict[str, list[float]] = {}
    for part in text.split(","):
        name, separator, values = part.strip().partition("=")
        if not separator or name not in _CHAIN or name in found:
            raise InputError(f"--chain: cannot read {part!r}; it is {_CHAIN_FORM}")
        try:
            numbers = [float(value) for value in values.split(":")]
        except ValueError:
            raise InputError(f"--chain: {name} is {values!r}, not a number") from None
        if len(numbers) > _CHAIN[name] or not all(math.isfinite(number) for number in numbers):
            raise InputError(
                f"--chain: {name} is {values!r}, at most {_CHAIN[name]} finite numbers"
            )
        found[name] = numbers
    atoms = found.get("M", [0.0])[0]
    if atoms < 1 or atoms != int(atoms):
        raise InputError(f"--chain needs M=atoms, a positive integer: {text!r}")
    return found


def _model_b(text: str) -> Any:
    from scc.configuration import chain
    from scc.models.hopping import ExponentialHopping
    from scc.models.model_systems import model_b
    from scc.models.onsite import OnsiteTightBinding

    values = chain_values(text)
    spacings = values.get("spacings", [1.0])
    charges = values.get("charges", [1.0])
    configuration = chain(int(values["M"][0]), (spacings[0], spacings[-1]), ("Na", "Cl"))
    hopping = ExponentialHopping(decay=values.get("decay", [1.0])[0])
    gap = values.get("gap", [0.0])[0]
    parameters = model_b(gap, (charges[0], charges[-1]), hopping=hopping)
    return OnsiteTightBinding(parameters).prepare(configuration)


def _from_file(file: Path | None, index: int, model: str) -> Any:
    from scc.configuration.files import read
    from scc.models.registry import model_by_name

    assert file is not None
    return model_by_name(model).prepare(read(file, index))


def _equilibrium(bound: Any, beta: float, electrons: float | None, mu: float | None) -> Equilibrium:
    from scc.certify.failure import CertificationError
    from scc.equilibration.equilibrate import equilibrate
    from scc.functional.energy import EnergyFunctional
    from scc.occupations.ensemble import Canonical, GrandCanonical

    ensemble: Canonical | GrandCanonical | None = None
    if electrons is not None:
        ensemble = Canonical(electrons)
    elif mu is not None:
        ensemble = GrandCanonical(mu)
    functional = EnergyFunctional(bound, beta=beta, ensemble=ensemble)
    try:
        return equilibrate(functional)
    except InputError as error:
        # A degenerate system is good input; what cannot be had is its certificate.
        if str(error).startswith("no gap"):
            raise CertificationError(f"{error} (gap 0, must be above 0)") from error
        raise


def _summary(certificate: Certificate) -> list[str]:
    document = certificate.document
    lines = []
    for part, words in (("exact", "exact solution"), ("polynomial", "polynomial solution")):
        if part not in document:
            continue
        found = document[part]
        radius = found["uniqueness_radius"]
        unique = "the only one" if radius == "inf" else f"the only one within {radius}"
        lines.append(f"{words}: exists within {found['existence_radius']} of the centre, {unique}")
        enclosed = found["enclosures"]
        for name in ("energy", "gap"):
            if enclosed.get(name) is not None:
                middle, radius = enclosed[name]
                lines.append(f"  {name} {middle} ± {radius} Hartree")
    if "distance" in document:
        middle, radius = next(iter(document["distance"].values()))
        lines.append(f"distance of the two: {middle} ± {radius}")
    return lines
