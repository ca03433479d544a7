"""Tables and journals: what is written is read again, wherever the writing stopped."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.claims.parameters import Family, Parameter
from scc.errors import InputError
from scc.sweeps.journal import Journal, journal_path
from scc.sweeps.measure import key_of
from scc.sweeps.table import Row, claim_of_table, read_table, write_table

FAMILY = Family(
    parameters=(
        Parameter("M", 20, "atoms", 1, 10**6),
        Parameter("beta", math.inf, "1/Hartree", 0.0, math.inf),
        Parameter("model", "onsite", "orbitals", choices=("onsite", "loewdin, orthogonal")),
    ),
    system=None,
    quantity="none",
    relation="=",
    numbers=None,
    beside=("extra",),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=True)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)


def row_with(M=20, beta=1.0, model="onsite", numbers=None, verdict="holds", error="", version="v"):
    parameters = {"M": M, "beta": beta, "model": model}
    key = key_of("toy", version, parameters)
    numbers = {"measured": 1.0, "predicted": 2.0} if numbers is None else numbers
    return Row("toy", key, version, parameters, numbers, verdict, error)


ROWS = st.builds(
    row_with,
    M=st.integers(1, 10**6),
    beta=st.floats(0.0, allow_nan=False),
    model=st.sampled_from(("onsite", "loewdin, orthogonal")),
    numbers=st.fixed_dictionaries(
        {}, optional={"measured": NUMBERS, "predicted": NUMBERS, "extra": NUMBERS}
    ),
    verdict=st.sampled_from(("holds", "fails", "error", "hypothesis violated: a, b")),
    error=TEXTS,
)


@given(rows=st.lists(ROWS, max_size=6))
def test_a_table_is_read_as_it_was_written_to_the_last_bit(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    write_table(path, rows, FAMILY)
    assert read_table(path, FAMILY) == rows
    if rows:
        assert claim_of_table(path) == "toy"
    first = path.read_bytes()
    write_table(path, read_table(path, FAMILY), FAMILY)
    assert path.read_bytes() == first


@given(rows=st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda row: row.key), data=st.data())
def test_a_journal_cut_anywhere_keeps_every_row_that_was_whole(tmp_path_factory, rows, data):
    path = tmp_path_factory.mktemp("journal") / "t.journal.csv"
    with Journal(path, "toy", FAMILY) as journal:
        ends = [path.stat().st_size]
        for row in rows:
            journal.append(row)
            ends.append(path.stat().st_size)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)), label="bytes that reached the disk")
    path.write_bytes(whole[:cut])
    expected = {row.key: row for row, end in zip(rows, ends[1:], strict=True) if end <= cut}
    with Journal(path, "toy", FAMILY) as journal:
        assert journal.rows == expected
        for row in rows:
            if row.key not in journal.rows:
                journal.append(row)
    with Journal(path, "toy", FAMILY) as journal:
        assert journal.rows == {row.key: row for row in rows}


def test_two_sweeps_do_not_write_one_journal(tmp_path):
    path = tmp_path / "t.journal.csv"
    with Journal(path, "toy", FAMILY), pytest.raises(InputError, match="another sweep is writing"):
        Journal(path, "toy", FAMILY)
    with Journal(path, "toy", FAMILY) as journal:
        assert journal.rows == {}


def test_a_journal_of_another_claim_or_with_a_spoilt_line_is_refused_and_left_as_it_is(tmp_path):
    path = journal_path(tmp_path / "t.csv")
    assert path.name == "t.journal.csv"
    with Journal(path, "toy", FAMILY) as journal:
        journal.append(row_with())
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"of claim toy, not other"):
        Journal(path, "other", FAMILY)
    narrower = Family(FAMILY.parameters[:2], None, "", "=", None)
    with pytest.raises(InputError, match="other columns"):
        Journal(path, "toy", narrower)
    assert path.read_bytes() == before
    lines = before.decode().splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace("toy,20,", "toy,many,"), lines[1], ""]))
    with pytest.raises(InputError, match=r"line 2: M: 'many'"):
        Journal(path, "toy", FAMILY)
    with pytest.raises(InputError, match="cannot write"):
        Journal(tmp_path / "missing" / "t.journal.csv", "toy", FAMILY)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "claim,M\n",
        "hello\nworld\n",
        "claim,M,beta,model,measured\ntoy,1,2,onsite,3\n",
        "\x00\n",
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=r"t\.csv"):
        read_table(path, FAMILY)
    with pytest.raises(InputError, match=r"absent\.csv"):
        read_table(tmp_path / "absent.csv", FAMILY)


def test_the_key_knows_claim_parameters_and_code():
    base = ("toy", "v", {"M": 20, "beta": math.inf})
    keys = {
        key_of(*base),
        key_of("other", *base[1:]),
        key_of("toy", "w", base[2]),
        key_of("toy", "v", {"M": 21, "beta": math.inf}),
        key_of("toy", "v", {"M": 20, "beta": 1.0}),
    }
    assert len(keys) == 5
    assert key_of("toy", "v", {"beta": math.inf, "M": 20}) == key_of(*base)
