"""What Löwdin orthogonalisation costs: no finite body order, and a limit to the locality.

Body order: U_n of G_N(H) on jittered chains, sub-clusters orthogonalised among themselves, against
the bounds of theory/orthogonalised_body_order. With orbitals taken as orthonormal they vanish from
n = 2N on; with Löwdin they fall by a factor that the overlap sets.

Locality: on uniform chains S^{−1/2} decays at the rate ad/2, the zero of its symbol, and
∂E_ℓ/∂v̂_m at fixed v̂ at twice the imaginary part of the complex band at µ + iπ/β, in either
treatment of the overlap. With Löwdin the poles µ + iπ(2n+1)/β of F have bands that accumulate at
the zero of the symbol, so that no rate exceeds ad in the end; where 2 Im k of the first pole is
larger, the rate measured over a finite range lies between. The bands of the two treatments differ
(H of raw orbitals lacks what S^{−1/2} adds and is narrower), so that the slower decay with Löwdin
at large spacing is that of another Hamiltonian, not the price of S^{−1/2}; at small spacing ad is.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.arrays import FloatArray
from scc.claims._local_derivatives import local_derivatives
from scc.claims._onsite_systems import grand_canonical_state
from scc.claims._overlap_chain import (
    EXPONENT,
    energy_rate,
    gaussian_chain,
    inverse_root_rate,
    symbols,
)
from scc.claims.claim import Claim, System, SystemResult
from scc.models.gaussian import GaussianAssembly, OverlapMode
from scc.theory import orthogonalisation
from scc.theory._cluster_expansion import ClusterExpansion
from scc.theory._orthogonalised_expansion import OrthogonalisedExpansion
from scc.theory.statement import violations
from scc.theory.system import TightBindingSystem

BETA = 6.0
"""Of the site energies, 1/Hartree."""

FEATURE = -0.3
"""v̂ of all atoms of the uniform chains, Hartree."""

TOLERANCE = 0.15
"""Of rates of E_ℓ. A prefactor r^±1 from 6 to 25 bohr changes a slope by ln(25/6)/19 = 0.075/bohr,
5 to 10 % of these rates, and so does an oscillation at the ends."""

ROOT_TOLERANCE = 0.02
"""Of the rate of S^{−1/2}, whose prefactor n^{−1/2} is known."""


def systems(full: bool) -> list[System]:
    spacings = (1.6, 2.0, 2.6, 3.2, 4.0) if full else (2.0, 2.6, 3.2, 4.0)
    orders = [
        System(
            f"body order, spacing {d}, N = {degree}",
            {"kind": "body order", "spacing": d, "degree": degree, "atoms": 10 if full else 9},
        )
        for degree in ((1, 2, 3) if full else (1, 2))
        for d in spacings
    ]
    local = [
        System(
            f"locality, spacing {d}",
            {"kind": "locality", "spacing": d, "atoms": 80 if full else 60},
        )
        for d in (
            (1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2)
            if full
            else (1.6, 2.0, 2.4, 2.8, 3.2)
        )
    ]
    return orders + local


def measure(system: System) -> SystemResult:
    """One chain, by its ``kind``."""
    return (_body_order if system.parameters["kind"] == "body order" else _locality)(system)


def _body_order(system: System) -> SystemResult:
    p = system.parameters
    rng = np.random.default_rng(5)
    model = gaussian_chain(p["atoms"], p["spacing"], "loewdin", 0.1 * p["spacing"], rng)
    features = rng.uniform(-1.0, 1.0, model.feature_shape)
    case = TightBindingSystem(model, features, BETA, 0.0)
    middle = p["atoms"] // 2
    places = sorted(range(p["atoms"]), key=lambda atom: abs(atom - middle))
    found = ClusterExpansion(case, tuple(places), p["degree"])
    limits = OrthogonalisedExpansion(found)
    rows = [row for row in found.contributions("G", 0) if row[0]]
    order = np.array([len(chosen) for chosen, _ in rows])
    measured = np.array([value for _, value in rows])
    bound = np.array([limits.bound(0, chosen) for chosen, _ in rows])
    rounding = np.array([limits.rounding(len(chosen)) for chosen, _ in rows])
    largest, allowed, unresolved = (
        np.array([np.max(values[order == n]) for n in range(1, p["atoms"])])
        for values in (measured, bound, rounding)
    )
    beyond = slice(2 * p["degree"] - 1, None)
    resolved = np.flatnonzero(largest > unresolved)
    resolved = resolved[resolved >= 2 * p["degree"] - 2]
    fall = largest[resolved][1:] / largest[resolved][:-1]
    return system.result(
        hypotheses={
            "condition number of S": limits.condition,
            "norm of S - 1": float(limits.overlap_norms[0]),
        },
        measured={
            "max |U_n|, n = 2N, 2N + 1, ...": [float(v) for v in largest[beyond]],
            "factor an atom, geometric mean": (
                float(np.exp(np.mean(np.log(fall)))) if len(fall) else "below rounding"
            ),
            "largest |U_n|/(bound + rounding)": float(np.max(measured / (bound + rounding))),
        },
        predicted={
            "max |U_n|, n = 2N, 2N + 1, ...": [float(v) for v in allowed[beyond]],
            "factor an atom, geometric mean": (
                f"below {limits.overlap_norms[0]:.3g}"
                if limits.overlap_norms[0] < 1.0
                else "no bound below one"
            ),
            "largest |U_n|/(bound + rounding)": 1.0,
        },
        holds=bool(np.all(measured <= bound + rounding)),
        series={"largest": largest, "bound": allowed, "rounding": unresolved},
    )


def _locality(system: System) -> SystemResult:
    p = system.parameters
    d = p["spacing"]
    rates: dict[str, float] = {}
    predicted: dict[str, float] = {}
    held = []
    modes: tuple[OverlapMode, ...] = ("orthonormal", "loewdin")
    for mode in modes:
        model = gaussian_chain(p["atoms"], d, mode)
        features = np.full(model.feature_shape, FEATURE)
        levels = np.linalg.eigvalsh(model.hamiltonian(features))
        filled = p["atoms"] // 2
        mu = 0.5 * float(levels[filled - 1] + levels[filled])
        state = grand_canonical_state(model, features, BETA, mu)
        found = local_derivatives(model, state, [0], np.zeros((0, 3)))
        name = f"rate of dE_l/dv_m, {mode} [1/bohr]"
        rates[name] = _slope(found.distance[0], found.energy_by_potential[0])
        overlap, hamiltonian = symbols(model, features)
        first = energy_rate(overlap, hamiltonian, complex(mu, np.pi / BETA), mode, d)
        predicted[name] = first
        least = min(first, EXPONENT * d) if mode == "loewdin" else first
        held.append((1 - TOLERANCE) * least <= rates[name] <= (1 + TOLERANCE) * first)
    case = TightBindingSystem(model, features, BETA, mu)
    assembly = model.assembly
    assert isinstance(assembly, GaussianAssembly)
    assert assembly.loewdin is not None
    held.append(violations(orthogonalisation.checks(case)) == [])
    root = np.abs(assembly.loewdin.inverse_square_root[p["atoms"] // 2])
    steps = np.abs(np.arange(p["atoms"]) - p["atoms"] // 2)
    name = "rate of S^(-1/2) [1/bohr]"
    shown = (steps >= 4) & (steps <= p["atoms"] // 2 - 8) & (root > 1e-12)
    scaled = root[shown] * steps[shown] ** 0.5
    rates[name] = -float(np.polyfit(d * steps[shown], np.log(scaled), 1)[0])
    predicted[name] = inverse_root_rate(overlap, d)
    held.append(abs(rates[name] / predicted[name] - 1.0) <= ROOT_TOLERANCE)
    held.append(abs(predicted[name] / (0.5 * EXPONENT * d) - 1.0) <= 1e-6)
    fastest = orthogonalisation.largest_rate(assembly.overlap.matrix, case.orbital_distances)
    return system.result(
        hypotheses={
            "condition number of S": float(
                assembly.loewdin.eigenvalues[-1] / assembly.loewdin.eigenvalues[0]
            )
        },
        measured=rates,
        predicted={**predicted, "largest rate with a bound of S^(-1/2) [1/bohr]": fastest},
        holds=all(held),
        series={
            "rates": np.array([*rates.values(), fastest]),
            "predicted": np.array([*predicted.values(), EXPONENT * d]),
        },
    )


def _slope(distance: FloatArray, values: FloatArray) -> float:
    """−slope of ln values from 6 bohr to where rounding begins."""
    shown = (distance > 6.0) & (values > 1e-12 * np.max(values))
    return -float(np.polyfit(distance[shown], np.log(values[shown]), 1)[0])


def draw(results: Sequence[SystemResult]) -> Figure:
    """U_n with its bounds; rates of S^{−1/2} and of E_ℓ against the spacing."""
    figure = Figure(figsize=(13.2, 4.3), layout="constrained")
    orders, roots, energies = figure.subplots(1, 3)
    own = [r for r in results if r.parameters["kind"] == "body order"]
    _draw_orders(orders, [r for r in own if r.parameters["degree"] == 1])
    local = [r for r in results if r.parameters["kind"] == "locality"]
    spacing = np.array([r.parameters["spacing"] for r in local])
    rates = np.array([r.series["rates"] for r in local]).reshape(-1, 4).T
    predicted = np.array([r.series["predicted"] for r in local]).reshape(-1, 4).T
    roots.plot(spacing, rates[2], "ko", ms=5, label="measured")
    roots.plot(spacing, predicted[2], "k-", lw=1, label=r"zero of $\vartheta_3$: $ad/2$")
    roots.plot(spacing, rates[3], "C3v", ms=5, label="largest rate with a bound")
    roots.set_title(r"(b) rate of $S^{-1/2}$", fontsize="medium")
    for row, mode in ((0, "orthonormal by assumption"), (1, "Löwdin")):
        energies.plot(spacing, rates[row], "o", ms=5, color=f"C{row}", label=mode)
        energies.plot(spacing, predicted[row], "-", lw=1, color=f"C{row}")
    energies.plot(spacing, predicted[3], "k:", lw=1, label=r"$ad$, limit of Löwdin's")
    energies.set_title(
        r"(c) rate of $\partial E_\ell/\partial\hat v_m$; lines: complex bands", fontsize="medium"
    )
    for axes in (roots, energies):
        axes.set_xlabel("spacing $d$ [bohr]")
        axes.set_ylabel("rate [1/bohr]")
        axes.set_ylim(bottom=0.0)
        axes.legend(fontsize="small")
    return figure


def _draw_orders(axes: Axes, results: Sequence[SystemResult]) -> None:
    for index, result in enumerate(results):
        largest, bound = result.series["largest"], result.series["bound"]
        n = np.arange(1, len(largest) + 1)
        resolved = largest > 0.01 * result.series["rounding"]
        label = f"$d = {result.parameters['spacing']}$"
        axes.semilogy(n[resolved], largest[resolved], "o", ms=4, color=f"C{index}", label=label)
        axes.semilogy(n, bound, "-", lw=1, color=f"C{index}")
    axes.axvline(1.5, color="k", lw=1, ls=":")
    axes.set_xlabel("number $n$ of further atoms")
    axes.set_ylabel(r"max $|U_n|$ of $G_1(H)_{\ell\ell}$ [Hartree]")
    axes.set_title("(a) body order, $N = 1$; lines: bounds", fontsize="medium")
    if results:
        axes.legend(fontsize="small")


CLAIM = Claim(
    id="orthogonalisation",
    statement=(
        "With Loewdin-orthogonalised orbitals no body-ordered term U_n of a polynomial of H "
        "vanishes, but from n = 2N on they fall by a factor an atom that is at most the norm of "
        "S - 1, and stay below bounds computed for the chain; S^(-1/2) decays at the rate ad/2 of "
        "the zero of its symbol, within its bound, and site energies at fixed v at the rate of the "
        "complex band in either treatment of the overlap."
    ),
    source="Theorem 5, Lemma 10; sections 2.2 and 3.1",
    systems=systems,
    measure=measure,
    draw=draw,
)
