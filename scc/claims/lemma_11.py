"""Lemma 11: −DF(H) is positive in the Frobenius inner product, with computable bounds.

In the eigenbasis of H, DF(H)[A]_ij = F[λ_i, λ_j] A_ij, so the spectrum of −DF(H) on symmetric
matrices is {−F[λ_i, λ_j] : i ≤ j}. For β < ∞, −F′ is unimodal, and a divided difference a mean of
F′ between its arguments; hence min_i −F′(λ_i) ≤ −DF(H) ≤ β/4. At β = ∞ the occupied–unoccupied
block lies between 1/(λ_max − λ_min) and 1/(λ_{N+1} − λ_N), and the rest is zero.

Measured: eigenvalues of the linear map H ↦ F(H) itself, assembled column by column by fourth-order
central differences of the density, with no divided difference in sight. The on-site model sees DF
through diagonals only; a compression of −2DF keeps its bounds.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from scc.arrays import FloatArray
from scc.basis.shells import single_gaussian
from scc.claims.claim import Claim, System, SystemResult
from scc.configuration import cluster
from scc.models.gaussian import GaussianTightBinding
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.fermi_dirac import FermiDirac

# Fourth-order differences with the step h = 0.01/β (or 0.01 gap) have relative errors (hβ)⁴ ~ 1e-8
# in DF; 1e-6 leaves room for the constant. Occupied–occupied pairs at β = ∞ vanish to that.
_SLACK = 1e-6


def systems(full: bool) -> list[System]:
    found = []
    for model in ("onsite", "gaussian"):
        for beta in (1.0, 5.0, 50.0, math.inf):
            for seed in range(12 if full else 3):
                for dimension in (1, 3):
                    label = f"{beta:g}"
                    found.append(
                        System(
                            f"{model}, beta = {label}, {dimension}D cluster, seed {seed}",
                            {
                                "model": model,
                                "beta": label,
                                "dimension": dimension,
                                "seed": seed,
                                "atoms": 8,
                            },
                        )
                    )
    return found


def measure(system: System) -> SystemResult:
    p = system.parameters
    beta = float(p["beta"])
    rng = np.random.default_rng(p["seed"])
    configuration = cluster(p["atoms"], 1.2, rng, dimension=p["dimension"], species=("Na", "Cl"))
    bound = _model(p["model"]).prepare(configuration)
    features = 0.3 * rng.standard_normal(bound.feature_shape)
    if features.shape == (features.shape[0],) * 2:
        features = 0.5 * (features + features.T)
    levels = np.linalg.eigvalsh(bound.hamiltonian(features))
    half = len(levels) // 2
    mu = 0.5 * float(levels[half - 1] + levels[half])
    gap = float(levels[half] - levels[half - 1])
    step = 0.01 * min(gap, 1.0) if math.isinf(beta) else 0.01 / max(beta, 1.0)
    spectrum = _response_spectrum(bound, features, FermiDirac(beta, mu), step)
    if math.isinf(beta):
        lower = 1.0 / float(levels[-1] - levels[0])
        upper = 1.0 / float(levels[half] - levels[half - 1])
        # The map vanishes on occupied–occupied and empty–empty pairs.
        nonzero = spectrum[spectrum > 0.5 * lower]
        blocks = half * (len(levels) - half)
        complete_block = p["model"] == "onsite" or len(nonzero) == blocks
        least = float(nonzero[0]) if p["model"] == "gaussian" else float(spectrum[0])
        bound_below = lower if p["model"] == "gaussian" else 0.0
    else:
        lower = float(np.min(-FermiDirac(beta, mu).derivative(levels)))
        upper = beta / 4.0
        complete_block = True
        least, bound_below = float(spectrum[0]), lower
    greatest = float(spectrum[-1])
    slack = _SLACK * max(1.0, upper)
    return system.result(
        hypotheses={
            "beta finite or a gap at mu": not math.isinf(beta) or levels[half] > levels[half - 1],
            "gap": gap,
        },
        measured={"smallest eigenvalue": least, "largest eigenvalue": greatest},
        predicted={"lower bound": bound_below, "upper bound": upper},
        holds=bool(least >= bound_below - slack and greatest <= upper + slack and complete_block),
        series={"spectrum": spectrum, "bounds": np.array([bound_below, upper])},
    )


def _model(name: str) -> OnsiteTightBinding | GaussianTightBinding:
    if name == "onsite":
        return OnsiteTightBinding(model_b(gap=1.0))
    return GaussianTightBinding(
        basis=lambda configuration: single_gaussian(configuration, 0.5), overlap="orthonormal"
    )


def _response_spectrum(
    bound: BoundTightBinding, features: FloatArray, occupation: FermiDirac, step: float
) -> FloatArray:
    """Eigenvalues of −DF(H) on the model's potentials (orthonormal symmetric basis)."""

    def density(shift: FloatArray) -> FloatArray:
        return bound.evaluate(features + shift, occupation).density

    directions = []
    if len(bound.feature_shape) == 1:
        directions = list(np.eye(bound.feature_shape[0]))
    else:
        n = bound.feature_shape[0]
        for i in range(n):
            for j in range(i + 1):
                unit = np.zeros((n, n))
                unit[i, j] = unit[j, i] = 1.0 if i == j else math.sqrt(0.5)
                directions.append(unit)
    columns = []
    for direction in directions:
        near = density(step * direction) - density(-step * direction)
        far = density(2.0 * step * direction) - density(-2.0 * step * direction)
        columns.append((8.0 * near - far) / (12.0 * step))
    matrix = -0.5 * np.array(
        [[float(np.vdot(direction, column)) for column in columns] for direction in directions]
    )
    return np.asarray(np.linalg.eigvalsh(0.5 * (matrix + matrix.T)))


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for position, result in enumerate(results):
        spectrum = np.asarray(result.series["spectrum"])
        lower, upper = result.series["bounds"]
        visible = spectrum[spectrum > 1e-7]
        colour = "C0" if result.parameters["model"] == "onsite" else "C1"
        axes.plot(np.full(len(visible), position), visible, ".", ms=3, color=colour)
        axes.plot([position - 0.4, position + 0.4], [upper, upper], "k-", lw=1)
        if lower > 1e-12:
            axes.plot([position - 0.4, position + 0.4], [lower, lower], "k-", lw=1)
    axes.set_yscale("log")
    axes.set_xlabel("system (β = 1, 5, 50, ∞; on-site blue, Gaussian orange)")
    axes.set_ylabel(r"eigenvalues of $-\mathrm{D}F(H)$  [1/Hartree]")
    axes.set_title("Lemma 11: spectrum of −DF(H) between its bounds (bars)")
    return figure


CLAIM = Claim(
    id="lemma-11",
    statement=(
        "−DF(H) is positive definite in the Frobenius inner product: bounded by "
        "min −F′(λ) and β/4 at finite temperature, and on the occupied–unoccupied block by "
        "1/(λ_max − λ_min) and 1/(λ_{N+1} − λ_N) at zero temperature."
    ),
    source="Lemma 11",
    systems=systems,
    measure=measure,
    draw=draw,
)
