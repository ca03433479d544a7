"""Theorem 5: a polynomial of degree N of a three-body Hamiltonian has body order 2N + 1.

    P_N(H)_ℓk = Σ_{n=0}^{2N−1} Σ_{k₁<…<k_n} U_nN(u_ℓ, u_k; u_{k₁}, …, u_{k_n}),
    U_nN = Σ_{K ⊆ {k₁…k_n}} (−1)^{n−|K|} [P_N(H of the atoms ℓ, k, K)]_ℓk = 0   for n ≥ 2N.

N factors of H pass through N − 1 intermediate atoms, and each may bring one third centre: 2N − 1.
Every Hamiltonian is assembled anew from the atoms of its sub-cluster and their v̂. Tried on
P_N = G_N and on P_N = F_{N+1} = G_{N+1}', which has degree N too: the degree is what counts. Site
energies E_ℓ = 2 tr[G_N(H) − vF_N(H)]_ℓℓ end at the same n, for v is a factor like H.

The on-site Hamiltonian is a two-body one (no third centres; v̂ enters the diagonal) and its
expansion ends at n = N already.

Rounding: U_n is a signed sum of 2ⁿ matrix elements, each good to a few roundings of max|P_N|, so
that zero means |U_n| ≤ 2ⁿ · 10 · eps · max|P_N|, for E_ℓ of what it is the sum of. The
last non-zero term must exceed that by 10⁴.

Löwdin's S^{−1/2} depends on all atoms: with it no U_n vanishes. Those from n = 2N on are what
orthonormality by assumption buys; their size is measured (counterexample).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.claims._random_clusters import EPS, Expansion, RandomCluster
from scc.claims.claim import Claim, Series, System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result

SEPARATION = 1e4
"""By how much the last term exceeds the rounding of those after it."""

_ENDED = "number of atoms at which U_n has ended"
_BEYOND = "max |U_n| after the end over 2^n 10 eps max|P_N|"

_LABEL = {
    "onsite": "on-site model B",
    "onsite spd": "on-site, sourced C, O, H",
    "gaussian": "Gaussian s, orthonormal by assumption",
    "gaussian sp": "Gaussian sp, orthonormal by assumption",
    "loewdin": "Gaussian s, Loewdin",
    "loewdin dilute": "Gaussian s, Loewdin, dilute",
}


# In the dilute cluster the terms of high order are too small to be told from rounding.
_MODELS = tuple(model for model in _LABEL if not model.endswith("dilute"))


def systems(full: bool) -> list[System]:
    cases: list[tuple[str, int]] = [
        *(("gaussian", degree) for degree in ((1, 2, 3, 4) if full else (1, 2, 3))),
        *(("gaussian sp", degree) for degree in (1, 2)),
        *(("onsite", degree) for degree in (1, 2, 4)),
        ("onsite spd", 3),
        *(("loewdin", degree) for degree in (1, 2, 3)),
        ("loewdin dilute", 2),
    ]
    return [
        _system(model, degree, seed) for seed in range(3 if full else 1) for model, degree in cases
    ]


def _system(model: str, degree: int, seed: int) -> System:
    return System(
        f"{_LABEL[model]}, N = {degree}, seed {seed}",
        {"model": model, "degree": degree, "seed": seed},
        counterexample=model.startswith("loewdin"),
    )


def last_order(model: str, degree: int) -> int:
    """The largest n with U_nN ≠ 0: 2N − 1, and N − 1 for two-body Hamiltonians."""
    return degree - 1 if model.startswith("onsite") else 2 * degree - 1


def measure(system: System) -> SystemResult:
    p = system.parameters
    last = last_order(p["model"], p["degree"])
    problem = RandomCluster(p["model"], last + 4, p["seed"])
    fitted = {
        "G": PolynomialOccupation.interpolate(problem.spectral_set, p["degree"], 5.0, problem.mu),
        "F": PolynomialOccupation.interpolate(
            problem.spectral_set, p["degree"] + 1, 5.0, problem.mu
        ),
    }
    expansions = {
        **{
            f"{which}, {'diagonal' if k == 0 else 'off-diagonal'}": problem.expand(
                problem.matrix_element(fitted[which], which, k), k, last + 2
            )
            for which in ("G", "F")
            for k in (0, 1)
        },
        "site energy": problem.expand(
            problem.site_energy(fitted["G"]), 0, last + 2, problem.site_energy_terms(fitted["G"])
        ),
    }
    found = verdict(p["model"], last, expansions)
    return system.result(
        hypotheses=found.hypotheses,
        measured=found.measured,
        predicted=found.predicted,
        holds=found.holds,
        series=found.series,
    )


class Verdict(NamedTuple):
    """The arguments of :meth:`System.result`."""

    hypotheses: Mapping[str, bool | str | float]
    measured: Mapping[str, Any]
    predicted: Mapping[str, Any]
    holds: bool
    series: Series


def verdict(model: str, last: int, expansions: Mapping[str, Expansion]) -> Verdict:
    """Does every expansion end after n = ``last``, and no earlier?"""
    orthonormal = not model.startswith("loewdin")
    excess = {name: e.largest / e.rounding for name, e in expansions.items()}
    orders = np.arange(len(next(iter(excess.values()))))
    nonzero = np.max(list(excess.values()), axis=0) > 1.0
    beyond = max(float(np.max(values[last + 1 :])) for values in excess.values())
    # E_1,ℓ ∝ (H − v)_ℓℓ = H⁰_ℓℓ knows no other atom: its body order is lower than 2N + 1.
    end = min(float(v[last]) for name, v in excess.items() if name != "site energy")
    # Σ over all subsets of all their subsets: 3ⁿ elements.
    rounding_of_sums = 3.0 ** len(orders) * 10.0 * EPS
    sums = max(float(e.mismatch[last] / e.size) for e in expansions.values())
    if orthonormal:
        holds = beyond <= 1.0 and end >= SEPARATION and sums <= rounding_of_sums
    else:
        holds = beyond >= SEPARATION
    absolute = max(float(np.max(e.largest[last + 1 :])) / e.size for e in expansions.values())
    return Verdict(
        hypotheses={"orthonormal by assumption": orthonormal},
        measured={
            _ENDED: int(orders[nonzero][-1]) + 1,
            _BEYOND: beyond,
            "max |U_n| after the end over max|P_N|": absolute,
            f"max |U_{last}| over its rounding, least of F and G": end,
            f"P_N less the sum of U_n to n = {last}, over max|P_N|": sums,
        },
        predicted={
            # Löwdin: as many as there are.
            _ENDED: last + 1 if orthonormal else len(orders),
            _BEYOND: ("at most 1" if orthonormal else f"at least {SEPARATION:g}"),
            f"max |U_{last}| over its rounding, least of F and G": f"at least {SEPARATION:g}",
            f"P_N less the sum of U_n to n = {last}, over max|P_N|": (
                f"rounding, {rounding_of_sums:.1e}" if orthonormal else "no bound"
            ),
        },
        holds=holds,
        series={
            "last": np.array(last),
            "largest": np.max([e.largest / e.size for e in expansions.values()], axis=0),
            "mismatch": np.max([e.mismatch / e.size for e in expansions.values()], axis=0),
            "rounding": 2.0**orders * 10.0 * EPS,
        },
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(9.6, 7.4), layout="constrained")
    panels = figure.subplots(2, 2)
    titles = {
        "gaussian": "(a) Gaussian s orbitals, $S = 1$ assumed: zero from $n = 2N$",
        "onsite": "(b) on-site, two-body $H$: zero from $n = N$",
        "loewdin": "(c) Gaussian s orbitals, Löwdin: no finite body order",
    }
    first = [result for result in results if result.parameters["seed"] == 0]
    for axes, (model, title) in zip(panels.flat, titles.items(), strict=False):
        own = [r for r in first if r.parameters["model"] in (model, f"{model} dilute")]
        _draw_orders(axes, own, title)
    _draw_sums(panels[1, 1], [r for r in first if r.parameters["model"] in titles])
    return figure


def _draw_orders(axes: Axes, results: Sequence[SystemResult], title: str) -> None:
    for result, colour in zip(results, ("C0", "C1", "C2", "C3", "C4"), strict=False):
        largest = result.series["largest"]
        orders = np.arange(len(largest))
        # An exact zero has no place on a logarithm; it is drawn at the lower edge.
        shown = np.maximum(largest, 1e-18)
        axes.semilogy(
            orders,
            shown,
            "o-",
            ms=5,
            color=colour,
            label=f"$N = {result.parameters['degree']}${_note(result)}",
        )
        end = int(result.series["last"]) + 0.5
        axes.axvline(end, color=colour, lw=1, ls=":")
    if results:
        longest = max(results, key=lambda result: len(result.series["rounding"]))
        rounding = longest.series["rounding"]
        axes.semilogy(
            np.arange(len(rounding)), rounding, "k--", lw=1, label=r"$2^n \cdot 10\,\epsilon$"
        )
    axes.set_ylim(3e-19, 30)
    axes.set_xlabel("number $n$ of further atoms")
    axes.set_ylabel(r"$\max\,|U_{nN}|\ /\ \max\,|P_N(H)_{\ell k}|$")
    axes.set_title(title, fontsize="medium")
    if results:
        axes.legend(fontsize="x-small", loc="lower left" if "wdin" in title else "upper right")


def _note(result: SystemResult) -> str:
    return ", dilute" if result.parameters["model"].endswith("dilute") else ""


def _draw_sums(axes: Axes, results: Sequence[SystemResult]) -> None:
    """What is left of P_N when the expansion is cut after n, at the largest degree."""
    styles = {"gaussian": "o-", "onsite": "s-", "loewdin": "^-"}
    for model, style in styles.items():
        own = [result for result in results if result.parameters["model"] == model]
        if not own:
            continue
        result = max(own, key=lambda r: r.parameters["degree"])
        mismatch = np.maximum(result.series["mismatch"], 1e-18)
        label = f"{_LABEL[model]}, $N = {result.parameters['degree']}$"
        axes.semilogy(np.arange(len(mismatch)), mismatch, style, ms=5, label=label)
    axes.set_ylim(3e-19, 30)
    axes.set_xlabel("body order kept: $n$ further atoms")
    axes.set_ylabel(r"$|P_N(H)_{\ell k} - \sum_{n' \leq n} U_{n'N}|\ /\ \max\,|P_N|$")
    axes.set_title("(d) the truncated expansion", fontsize="medium")
    if results:
        axes.legend(fontsize="x-small", loc="lower left")


def _family_system(values: Mapping[str, Any]) -> System:
    return _system(values["model"], values["degree"], values["seed"])


FAMILY = Family(
    (
        Parameter("degree", 2, "N of P_N", 1, 4),
        Parameter("model", "gaussian", "Hamiltonian", choices=_MODELS),
        Parameter("seed", 0, "of positions and v̂", 0, 2**31 - 1),
    ),
    _family_system,
    "number of atoms at which U_n has ended, 2N or N on-site; Löwdin: all there are",
    "=",
    of_result(_ENDED, _ENDED, beyond=_BEYOND),
    ("beyond",),
)


CLAIM = Claim(
    id="theorem-5",
    statement=(
        "A polynomial of degree N of a Hamiltonian with three-centre terms is a sum of "
        "contributions U_n of at most 2N-1 further atoms (two-centre: N-1), found by "
        "inclusion-exclusion over Hamiltonians rebuilt from sub-clusters; with Loewdin "
        "orthogonalisation the expansion does not end. Dense random clusters, in units of the "
        "rounding of U_n."
    ),
    source="Theorem 5",
    systems=systems,
    measure=measure,
    draw=draw,
    family=FAMILY,
)
