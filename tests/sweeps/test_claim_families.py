"""Families of the claims: any point is a system the claim can measure, at both ends of ranges."""

import csv
import math

import pytest

from scc.claims import _remark_11_cluster
from scc.claims.registry import get_claim
from scc.figures import sweep as sweep_figure
from scc.sweeps.measure import family_of, measure_point, sweepable
from scc.sweeps.table import columns, read_table

SMALL = {
    "equilibrated-decay": {"M": 360, "gap": 4.0},
    "lemma-7": {"beta": 20.0},
    "metal-screening": {"sites": 32},
    "mixing": {"M": 40},
    "remark-8": {"M": 80},
    "remark-11": {"length": 20},
    "theorem-4": {"M": 80, "gap": 4.0},
    "theorem-5": {"degree": 2},
    "theorem-8": {"M": 24},
    "theorem-8-bound": {"M": 20},
}


@pytest.mark.parametrize("claim_id", [claim.id for claim in sweepable()])
def test_a_small_system_of_every_family_holds_with_numbers_in_all_columns(claim_id):
    family = family_of(claim_id)
    row = measure_point(claim_id, family.values(SMALL.get(claim_id, {"M": 8} | _seeded(family))))
    assert row.verdict == "holds", row
    assert math.isfinite(row.numbers["measured"])
    assert math.isfinite(row.numbers["predicted"])
    assert set(row.numbers) <= set(columns(family))
    if family.relation == "<=":
        assert row.numbers["measured"] <= row.numbers["predicted"]


def _seeded(family):
    return {"seed": 3} if any(p.name == "seed" for p in family.parameters) else {}


def test_parameters_reach_the_system_that_is_measured():
    """Each of them changes what comes out: none is accepted and dropped."""
    for claim_id, base, changes in (
        ("theorem-4", {"M": 80}, {"M": 100, "beta": 4.0, "gap": 4.0, "spacing": 1.6}),
        ("mixing", {"M": 20}, {"M": 24, "beta": 5.0, "gap": 1.0, "spacing": 1.4, "alpha": 0.9}),
        ("stability", {"M": 5}, {"M": 6, "beta": 5.0, "gap": 1.0, "model": "gaussian", "seed": 1}),
        ("lemma-7", {"beta": 20.0}, {"beta": 10.0, "gap": 0.7, "mu": 0.3}),
        (
            "remark-8",
            {"M": 60},
            {"M": 70, "beta": 5.0, "disorder": 0.3, "model": "loewdin", "seed": 2},
        ),
        (
            "remark-11",
            {"length": 12},
            {"length": 16, "dimension": 2, "beta": 5.0, "gap": 1.0, "degree": 24},
        ),
        ("theorem-8-bound", {"M": 12}, {"M": 16, "beta": 6.0, "gap": 0.5, "spacing": 1.2}),
        (
            "lemma-12",
            {"M": 8},
            {"M": 9, "beta": 4.0, "gap": 2.0, "disorder": 0.4, "dimension": 3, "seed": 1}
            | {"model": "loewdin"},
        ),
    ):
        family = family_of(claim_id)
        assert set(changes) == {p.name for p in family.parameters}, claim_id
        usual = measure_point(claim_id, family.values(base)).numbers
        for name, value in changes.items():
            other = measure_point(claim_id, family.values({**base, name: value}))
            assert other.numbers["measured"] != usual["measured"], (claim_id, name, other)


def test_damping_beyond_its_limit_diverges_at_the_predicted_rate():
    row = measure_point("mixing", family_of("mixing").values({"M": 60, "alpha": 1.05}))
    assert row.verdict == "holds"
    assert row.numbers["measured"] > 1.0


def test_a_decay_that_cannot_be_told_decides_nothing_and_has_no_number():
    """Between the rate of the gap and that of the pole, β = 32, two exponentials follow."""
    values = {"M": 400, "beta": 32.0, "gap": 1.25}
    row = measure_point("theorem-4", family_of("theorem-4").values(values))
    assert row.verdict == "inconclusive"
    assert math.isnan(row.numbers["measured"])


@pytest.mark.parametrize(
    ("model", "degree", "ends"),
    [("onsite", 3, 3), ("onsite spd", 2, 2), ("gaussian", 1, 2), ("loewdin", 1, 4)],
)
def test_body_order_ends_where_the_degree_says(model, degree, ends):
    """Löwdin: with the atoms, 2N + 2 beside ℓ and k."""
    rows = [
        measure_point("theorem-5", {"degree": degree, "model": model, "seed": seed})
        for seed in (1, 2)
    ]
    for row in rows:
        assert row.verdict == "holds"
        assert row.numbers["measured"] == row.numbers["predicted"] == ends
    assert rows[0].numbers["beyond"] != rows[1].numbers["beyond"]


@pytest.mark.parametrize("model", ["onsite", "loewdin"])
def test_the_distant_response_is_the_common_shift_and_falls_like_one_over_the_size(model):
    family = family_of("remark-8")
    near, far = (
        measure_point("remark-8", family.values({"M": M, "model": model, "disorder": 0.05}))
        for M in (80, 160)
    )
    for row in (near, far):
        assert row.verdict == "holds"
        assert row.numbers["measured"] == pytest.approx(row.numbers["predicted"], rel=1e-4)
    assert near.numbers["measured"] / far.numbers["measured"] == pytest.approx(2.0, rel=0.05)


def test_too_short_a_chain_has_no_distant_atoms_and_decides_nothing():
    row = measure_point("remark-8", family_of("remark-8").values({"M": 20}))
    assert row.verdict == "hypothesis violated: atoms that are far at M = 20"


@pytest.mark.parametrize("beta", [5.0, math.inf])
def test_a_lower_bound_of_the_error_that_is_too_high_fails(beta, monkeypatch):
    values = family_of("remark-11").values({"length": 40, "beta": beta, "gap": 0.0, "degree": 24})
    row = measure_point("remark-11", values)
    assert row.verdict == "holds"
    # It is not 0 either: within an order of magnitude of what is found.
    assert 0.1 < row.numbers["predicted"] / row.numbers["measured"] < 1.0
    right = _remark_11_cluster.floor
    monkeypatch.setattr(_remark_11_cluster, "floor", lambda *a: 10.0 * right(*a))
    assert measure_point("remark-11", values).verdict == "fails"


def test_a_crystal_that_does_not_fit_is_a_row_that_says_so():
    row = measure_point("remark-11", family_of("remark-11").values({"length": 40, "dimension": 3}))
    assert row.error == "64000 atoms are more than the 4096 that are diagonalised here"


def test_growth_with_the_chain_is_that_of_a_logarithm_in_insulators_alone():
    """Remark 11 in one dimension, from rows of a sweep: ln M at β = ∞, nothing at β < ∞."""
    family = family_of("remark-11")
    sizes = (40, 80, 160)
    found = {
        beta: [
            measure_point("remark-11", family.values({"length": n, "beta": beta})).numbers
            for n in sizes
        ]
        for beta in (5.0, math.inf)
    }
    warm, cold = ([row["measured"] for row in rows] for rows in found.values())
    assert max(warm) / min(warm) < 1.1
    # The ends of the chain add less and less to it.
    assert cold[2] - cold[1] == pytest.approx(cold[1] - cold[0], rel=0.15)
    assert cold[2] > 1.15 * cold[0]


def test_defaults_are_allowed_values_of_the_written_form():
    for claim in sweepable():
        for parameter in claim.family.parameters:
            assert parameter.read(str(parameter.default)) == parameter.default
            assert parameter.meaning


def test_claims_of_their_own_systems_alone_say_nothing_of_parameters():
    assert get_claim("certificates").family is None


def test_the_kept_sweep_is_one_of_its_claim_and_holds():
    with sweep_figure.SHIPPED.open(newline="") as file:
        claim_id = next(csv.DictReader(file))["claim"]
    rows = read_table(sweep_figure.SHIPPED, family_of(claim_id))
    assert len(rows) == 32
    assert not any(row.speaks_against for row in rows)
    # Whatever the version that made it, this one makes the same of it.
    for row in (rows[0], rows[13], rows[31]):
        numbers = measure_point(claim_id, row.parameters).numbers
        assert numbers == pytest.approx(row.numbers, rel=1e-6, nan_ok=True)
    assert len(sweep_figure.draw().axes) == 1
