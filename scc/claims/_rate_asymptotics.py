"""How θ, the rate of Lemma 7, depends on β and the gap.

Near µ the equilibrium density of the hull [a, b] is constant, so

    θ = ω Re √((g₋ + iy)(g₊ − iy)) (1 + o(1)),  y = π/β,  ω = 1/√((µ−a)(b−µ))       as y + g → 0,
    θ = ω (g₋ + g₊)/2 (1 + o(1))                                                     at β = ∞,

hence θ ≥ ω (π/β + √g₋√g₊)/√2: the paper's θ ~ β⁻¹ + √g₋√g₊ and, at β = ∞, θ ~ g. Where g₋ and g₊
are not comparable the paper's expression is a lower bound only: with µ at a band edge b₁, g₋ = 0,
Green's function starts like a square root and θ = 2(c−b₁) √(π/2β)/√((b₁−a)g₊(b−b₁)), larger by √β.
"""

import math
from typing import Any

import numpy as np

from scc.bodyorder.green import convergence_rate, critical_point
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.claims.claim import System, SystemResult


def asymptotics() -> list[System]:
    """Four ways of β⁻¹ + g → 0 in [-1, 1]."""
    paths: dict[str, dict[str, Any]] = {
        "beta = inf, g to 0": {"temperature": 0.0, "gaps": [1.0, 2.0], "comparable": True},
        "no gap, beta to inf": {"temperature": 1.0, "gaps": [0.0, 0.0], "comparable": True},
        "1/beta = g/3 to 0": {"temperature": 1.0 / 3.0, "gaps": [0.5, 0.5], "comparable": True},
        "mu at a band edge, beta to inf": {"temperature": 1.0, "gaps": None, "comparable": False},
    }
    return [
        System(
            f"asymptotics in [-1, 1]: {name}",
            {"kind": "asymptotics", **path},
            counterexample=not path["comparable"],
        )
        for name, path in paths.items()
    ]


def leading_rate(X: SpectralSet, beta: float, mu: float, below: float, above: float) -> float:
    """The leading term of θ as β⁻¹ + g → 0, see the module docstring; Hartree in, dimensionless."""
    density = 1.0 / math.sqrt((mu - X.lower) * (X.upper - mu))
    if math.isinf(beta):
        return density * 0.5 * (below + above)
    y = math.pi / beta
    if below == 0.0 < above:
        return 2.0 * (critical_point(X) - mu) * density * math.sqrt(0.5 * y / above)
    return density * float(np.sqrt(complex(below, y) * complex(above, -y)).real)


def measure_asymptotics(system: System) -> SystemResult:
    """θ and its leading term as scale → 0; β⁻¹ and the gaps proportional to it."""
    p = system.parameters
    mu = 0.1
    scales = np.geomspace(1e-1, 1e-4, 13)
    theta, leading, paper = np.empty((3, len(scales)))
    for k, scale in enumerate(scales):
        below, above = (0.0, 0.5) if p["gaps"] is None else [scale * gap for gap in p["gaps"]]
        temperature = scale * p["temperature"]
        beta = 1.0 / temperature if temperature else math.inf
        X = (
            spectral_set(-1.0, 1.0, mu, below, above)
            if p["gaps"] is not None
            else SpectralSet(((-1.0, mu), (mu + above, 1.0)))
        )
        theta[k] = convergence_rate(X, beta, mu)
        leading[k] = leading_rate(X, beta, mu, below, above)
        paper[k] = temperature + math.sqrt(below * above) if temperature else below + above
    # The exponent over the last decade; corrections are of the order of the scale.
    exponent = float(np.polyfit(np.log(scales[-5:]), np.log(theta[-5:]), 1)[0])
    expected = 1.0 if p["comparable"] else 0.5
    ratio = theta / leading
    return system.result(
        hypotheses={"both gaps comparable with each other or with 1/beta": p["comparable"]},
        measured={
            "exponent of theta in the scale": exponent,
            "theta over its leading term at the smallest scale": ratio[-1],
            "theta over the paper's expression, first and last": [
                theta[0] / paper[0],
                theta[-1] / paper[-1],
            ],
        },
        predicted={
            "exponent of theta in the scale": expected,
            "theta over its leading term at the smallest scale": 1.0,
        },
        holds=abs(exponent - expected) < 0.01 and abs(ratio[-1] - 1.0) < 1e-2,
        series={"scale": scales, "theta": theta, "leading": leading},
    )
