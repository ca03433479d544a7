"""Certificates: the computed v̂* and v̂*_N become theorems about exact ones, at a cost seen in M.

For chains of model B a certificate of degree N is made and checked by its independent checker. It
holds if the check succeeds, the existence radii are at most 10⁻¹⁰ Hartree, and the certificate
falsified by moving the centre ten radii is refused. The exact solution is unique among all v̂; the
polynomial one within the radius drawn, where F_N is neither monotone nor bounded by what it
approximates. ‖v̂*_N − v̂*‖_∞ is enclosed to the sum of the existence radii (Theorem 8's left side).
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scc.certify import decimals
from scc.certify.api import certify
from scc.certify.certificate import Certificate
from scc.certify.failure import RefusedError
from scc.claims._onsite_systems import equilibrium, model_b_chain
from scc.claims._size_axis import size_axis
from scc.claims.claim import Claim, System, SystemResult

_LARGEST_RADIUS = 1e-10
_KINDS: dict[str, dict[str, Any]] = {
    "insulator": {"gap": 2.0, "charges": [1.4, 0.6], "spacings": [1.0, 1.3], "beta": "inf"},
    "metal": {"gap": 0.0, "charges": [1.2, 0.8], "spacings": [1.0, 1.0], "beta": "10"},
}


def systems(full: bool) -> list[System]:
    found = []
    for kind, parameters in _KINDS.items():
        largest = 160 if full else 80 if kind == "insulator" else 40
        for atoms in (10, 20, 40, 80, 160):
            if atoms > largest:
                break
            degree = 24 if kind == "insulator" else 40
            found.append(
                System(
                    f"{kind}, M = {atoms}, degree {degree}",
                    {"kind": kind, "atoms": atoms, "degree": degree} | parameters,
                )
            )
    return found


def measure(system: System) -> SystemResult:
    p = system.parameters
    model = model_b_chain(p["atoms"], tuple(p["spacings"]), p["gap"], tuple(p["charges"]))
    found = equilibrium(model, float(p["beta"]))
    start = time.monotonic()
    certificate = certify(found, p["degree"])
    proved = time.monotonic()
    refusal = _refusal(certificate.document)
    verified = time.monotonic()
    moved = _refusal(_moved(certificate.document))
    exact, polynomial = certificate.document["exact"], certificate.document["polynomial"]
    radii = [float(part["existence_radius"]) for part in (exact, polynomial)]
    unique = float(polynomial["uniqueness_radius"])
    distance, width = (float(text) for text in certificate.document["distance"]["infinity"])
    seconds = [proved - start, verified - proved]
    return system.result(
        hypotheses={"beta = inf: gap [Hartree]": found.gap} if math.isinf(float(p["beta"])) else {},
        measured={
            "existence radius [Hartree]": max(radii),
            "distance of v_N and v [Hartree]": [distance - width, distance + width],
            "uniqueness radius of v_N [Hartree]": unique,
            "uniqueness radius of v": exact["uniqueness_radius"],
            "check": refusal or "valid",
            "check after moving the centre ten radii": moved or "valid",
            "seconds to prove, to check": seconds,
        },
        predicted={"existence radius [Hartree]": _LARGEST_RADIUS, "check": "valid"},
        holds=refusal is None and moved is not None and max(radii) <= _LARGEST_RADIUS,
        series={
            "atoms, existence, uniqueness, distance, proof, check": np.array(
                [p["atoms"], max(radii), unique, distance, *seconds]
            )
        },
    )


def _refusal(document: dict[str, Any]) -> str | None:
    """The line a checker refuses a document with, None if it is valid."""
    try:
        Certificate(document).check()
    except RefusedError as refused:
        return str(refused)
    return None


def _moved(document: dict[str, Any]) -> dict[str, Any]:
    """The document with one coordinate of the exact centre moved by ten existence radii."""
    changed = copy.deepcopy(document)
    solution = changed["exact"]
    move = 10 * decimals.fraction(solution["existence_radius"])
    moved = decimals.fraction(solution["centre"][0]) + move
    places = 40
    solution["centre"][0] = f"{round(moved * 10**places)}E-{places}"
    return changed


def draw(results: Sequence[SystemResult]) -> Figure:
    """Radii, and seconds, against M."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes: set[float] = set()
    for kind, style in (("insulator", "C0o"), ("metal", "C1s")):
        rows = [next(iter(r.series.values())) for r in results if r.parameters["kind"] == kind]
        if not rows:
            continue
        atoms, existence, uniqueness, distance, proof, check = np.array(rows).T
        left.plot(atoms, uniqueness, f"{style}-", label=f"{kind}: no other v_N within")
        left.plot(atoms, distance, f"{style}--", mfc="w", label=f"{kind}: |v_N − v|")
        left.plot(atoms, existence, f"{style}:", label=f"{kind}: v, v_N exist within")
        right.plot(atoms, proof, f"{style}-", label=f"{kind}: proof")
        right.plot(atoms, check, f"{style}--", mfc="w", label=f"{kind}: check")
        sizes |= set(atoms)
    left.axhline(_LARGEST_RADIUS, color="k", lw=0.8, label="existence radius asked for")
    left.set_ylabel("radius or distance (Hartree)")
    right.set_ylabel("process time (s)")
    for axes in (left, right):
        size_axis(axes, sizes)
        axes.set_yscale("log")
        axes.legend(fontsize=7)
    return figure


CLAIM = Claim(
    id="certificates",
    statement=(
        "The computed critical points of model-B chains, exact and of polynomial degree N, lie "
        "within 1e-10 Hartree of exact ones: proved in ball arithmetic, verified independently, "
        "and a certificate with its centre moved ten radii is refused."
    ),
    source="Theorem 8 with its constants for one system; eq. (2.24), (3.12)",
    systems=systems,
    measure=measure,
    draw=draw,
)
