"""Pages that list things list all of them, and docstrings come out as they were written."""

import importlib
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from docutils.core import publish_doctree
from strategies.scripts import script

from scc.claims.claim import Claim, System
from scc.claims.registry import known_ids
from scc.cli.figure import figure_names
from scc.cli.main import cli
from scc.configuration import Configuration, chain
from scc.equilibration import NewtonKrylov, equilibrate
from scc.functional import EnergyFunctional
from scc.functional.terms import DensityTerm
from scc.models import OnsiteTightBinding, model_b
from scc.sweeps.measure import family_of, sweepable

DOCS = Path(__file__).resolve().parents[2] / "docs"


def extension(name: str) -> ModuleType:
    """An extension of the site, which is no package."""
    return script(f"docs/{name}.py")


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def test_every_claim_is_one_that_the_reader_is_told_how_to_believe() -> None:
    terms = re.findall(r"^(`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*)$", page("believe"), re.MULTILINE)
    named = [claim for term in terms for claim in re.findall(r"`([a-z0-9-]+)`", term)]
    assert sorted(named) == known_ids()


def test_every_claim_that_can_be_swept_is_in_the_list_with_its_parameters() -> None:
    text = page("sweeps")
    section = text[text.index("## What can be swept") : text.index("Is the factor")]
    assert sorted(re.findall(r"`([a-z]+(?:-[a-z0-9]+)*)`", section)) == [c.id for c in sweepable()]
    for row in re.findall(r"^\| (`.*)", section, re.MULTILINE):
        claims, over = row.split(" | ")[:2]
        for claim, names in zip(claims.split(", "), over.split("; "), strict=True):
            expected = [p.name for p in family_of(claim.strip("`")).parameters]
            assert names.split(", ") == expected, claim


def test_columns_that_a_page_sends_the_reader_to_are_shown() -> None:
    found = re.search(
        r"`scc (sweep \S+ --parameters)` shows the columns `(\w+)` and `(\w+)`", page("believe")
    )
    assert found is not None
    shown = CliRunner().invoke(cli, found[1].split()).output
    assert f"{found[2]}, {found[3]}" in shown


def test_the_claim_that_is_shown_as_an_example_is_one() -> None:
    code = re.findall(r"```python\n(.*?)```", page("extending"), re.DOTALL)[0]
    namespace: dict[str, object] = {}
    exec(compile(code, "extending.md", "exec"), namespace)
    claim = namespace["CLAIM"]
    assert isinstance(claim, Claim)
    assert claim.family is not None
    assert all(claim.measure(system).holds for system in claim.systems(True))
    result = claim.measure(claim.family.system({"n": 7}))
    assert claim.family.numbers(result) == {"measured": 49.0, "predicted": 49.0}
    assert claim.measure(System("n = 0", {"n": 0})).holds is None


def test_the_boundary_condition_that_is_shown_is_one() -> None:
    """Its derivatives, the forces of what is equilibrated with it, and one charge by hand."""
    code = re.findall(r"```python\n(.*?)```", page("extending"), re.DOTALL)
    (plate,) = [block for block in code if "class Plate" in block]
    namespace: dict[str, Any] = {}
    exec(compile(plate, "extending.md", "exec"), namespace)
    rng = np.random.default_rng(1)
    row = chain(6, (1.0, 1.3), ("Na", "Cl"))
    places = row.positions + rng.normal(scale=0.1, size=(6, 3)) + np.array([0.0, 0.0, 2.0])
    above = Configuration(row.species, places)
    model = OnsiteTightBinding(model_b(gap=2.0, charges=(1.4, 0.6)))

    def term(configuration):
        return namespace["Plate"](configuration, model.prepare(configuration).nuclear_charges)

    def solved(configuration):
        bound = model.prepare(configuration)
        functional = EnergyFunctional(bound, beta=8.0, extra_terms=[term(configuration)])
        return equilibrate(functional, NewtonKrylov(), tolerance=1e-12, throw=True)

    assert isinstance(term(above), DensityTerm)
    alone = Configuration(("Na",), np.array([[0.3, -0.2, 1.5]]))
    assert term(alone).energy(np.array([1.0])) == pytest.approx(-(0.4**2) / (4 * 1.5))
    density, direction = rng.uniform(0.5, 1.5, 6), rng.normal(size=6)
    displacement, step = rng.normal(size=(6, 3)), 1e-5
    here, ahead, behind = (term(above.displaced(s * displacement)) for s in (0.0, step, -step))

    def quotient(plus, minus):
        return (plus - minus) / (2 * step)

    slope = quotient(*(here.energy(density + s * direction) for s in (step, -step)))
    assert here.potential(density) @ direction == pytest.approx(slope, abs=1e-8)
    slope = quotient(*(here.potential(density + s * direction) for s in (step, -step)))
    np.testing.assert_allclose(here.kernel(density, direction), slope, atol=1e-8)
    slope = quotient(ahead.energy(density), behind.energy(density))
    assert np.sum(here.position_gradient(density) * displacement) == pytest.approx(slope, abs=1e-8)
    slope = quotient(ahead.potential(density), behind.potential(density))
    found = here.potential_position_jvp(density, displacement)
    np.testing.assert_allclose(found, slope, atol=1e-8)

    slope = quotient(*(solved(above.displaced(s * displacement)).energy for s in (step, -step)))
    assert np.sum(solved(above).forces * displacement) == pytest.approx(-slope, abs=1e-7)


@pytest.mark.parametrize("name", ["tutorial", "extending", "believe", "older_schemes", "index"])
def test_links_between_pages_have_a_target(name: str) -> None:
    for target in re.findall(r"\]\(([a-z_/]+)\.md[^)]*\)", page(name)):
        assert (DOCS / f"{target}.md").exists() or target == "gallery", target


def test_tables_of_the_readme_are_found() -> None:
    tables = extension("readme_tables")
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    claims = tables.table(readme, "claim | statement")
    assert claims.startswith("| claim | statement")
    assert "| `theorem-8` |" in claims
    assert "](theory" not in claims
    assert "| `lemma-12` |" in tables.table(readme, "claim | bounds")
    battery = tables.table(readme, "scheme | locality E").splitlines()
    assert {line.count("|") for line in battery} == {14}
    models = [line.split("|")[1].strip() for line in battery[2:]]
    assert {"onsite", "gaussian", "qeq", "eem", "cent", "water", "gfn2"} <= set(models)
    with pytest.raises(ValueError, match="no table"):
        tables.table(readme, "no such cell")


def test_every_table_that_a_page_includes_is_written(tmp_path, monkeypatch) -> None:
    """From a README of this repository into the folder of the pages; another README is an error."""
    tables = extension("readme_tables")
    included = {
        name
        for path in DOCS.glob("*.md")
        for name in re.findall(r"\{include\} generated/(\S+)", path.read_text(encoding="utf-8"))
    }
    site = tmp_path / "docs"
    site.mkdir()
    readme = tmp_path / "README.md"
    readme.write_text((DOCS.parent / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(tables, "HERE", site)
    tables._write(None)
    assert {path.name for path in (site / "generated").iterdir()} == included
    readme.write_text("| scheme | locality |\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"README\.md has no table"):
        tables._write(None)


NUMPY_STYLE = """What it is.

Attributes
----------
first, second: σ, bohr. third: more of this.
fourth
    a text, η > 0

    of two paragraphs

Raises InputError for shapes: they differ.
"""


def test_a_text_behind_a_colon_is_no_type_and_two_names_stay_two() -> None:
    docstrings = extension("docstrings")
    lines = docstrings.to_restructured_text(docstrings.with_fields(NUMPY_STYLE.splitlines()))
    tree = publish_doctree("\n".join(lines), settings_overrides={"halt_level": 2})
    fields = {
        field[0].astext().replace("\u200b", ""): field[1].astext()
        for field in tree.findall(condition=lambda node: node.tagname == "field")
    }
    assert fields == {
        "ivar first,second": "σ, bohr. third: more of this.",
        "ivar fourth": "a text, η > 0\n\nof two paragraphs",
    }
    assert tree.astext().endswith("Raises InputError for shapes: they differ.")
    arguments = docstrings.with_fields(["Args:", "    a, b: of them, both", "    text, and more"])
    assert arguments == ["Args:", "    a,\u200bb: of them, both", "    text, and more"]


def test_references_lead_to_where_a_name_is_described() -> None:
    definite = extension("docstrings").definite
    module = importlib.import_module("scc.sweeps.measure")
    for written, meant in (
        (":class:`Claim`", ":class:`~scc.claims.claim.Claim`"),
        (":meth:`Family.values`", ":meth:`~scc.claims.parameters.Family.values`"),
        (":attr:`Family.numbers`", "``Family.numbers``"),
        (":func:`scc.locality.decide`", ":func:`~scc.locality.decay.decide`"),
        (":mod:`scc.claims`", ":mod:`scc.claims`"),
        (":class:`decimal.Decimal`", ":class:`decimal.Decimal`"),
        (":func:`nowhere`", "``nowhere``"),
        (":meth:`Nobody.nowhere`", "``Nobody.nowhere``"),
    ):
        assert definite(f"as {written} says", module) == f"as {meant} says"
    family = importlib.import_module("scc.claims.parameters").Family
    assert definite(":meth:`values`", family) == ":meth:`~scc.claims.parameters.Family.values`"


def test_the_gallery_has_every_figure_and_says_which_could_not_be_drawn(monkeypatch) -> None:
    gallery = extension("gallery")
    saved, failing = [], "real_codes"

    def stub(name):
        def draw():
            if name.endswith(failing):
                raise ModuleNotFoundError("No module named 'tblite'")
            return name

        return SimpleNamespace(__doc__=f"What {name} shows.\n\nMore.", draw=draw)

    monkeypatch.setattr(gallery, "importlib", SimpleNamespace(import_module=stub))
    monkeypatch.setattr(
        "scc.claims.drawing.save_figure", lambda figure, folder, name: saved.append(name)
    )
    text = "\n".join(gallery._scripts())
    names = figure_names()
    assert {"figure_1", "locality_contrast", "sweep", "real_codes"} <= set(names)
    assert re.findall(r"^### `scc figure (\S+)`$", text, re.MULTILINE) == names
    assert saved == [name for name in names if name != failing]
    assert re.findall(r"\]\(gallery/(\S+)\.png\)", text) == saved
    assert "Not drawn here: No module named 'tblite'." in text


DOCSTRING = """Theorem 4: |∂E| is small, v̂* is where T_N(v̂*) = 0, and x_ is a name.

    |∂E_ℓ/∂v_m| ≤ C e^{−ηr}      (3.3)
    next line: *not* emphasis

With ``code * here_`` and :func:`some.function_`, text goes on
and on:

* an item of |things|
  that goes on

    a formula in the list, v̂*

* another

Args:
    beta: 1/Hartree, ∞ allowed, E* too.

        a formula about beta_

    mu: level.
"""


def test_a_docstring_with_formulas_is_restructured_text_and_loses_nothing() -> None:
    lines = extension("docstrings").to_restructured_text(DOCSTRING.splitlines())
    source = "\n".join(lines).replace(":func:", ":literal:")
    tree = publish_doctree(source, settings_overrides={"report_level": 1, "halt_level": 2})
    assert not list(tree.findall(condition=lambda node: node.tagname == "system_message"))
    literal = [node.astext() for node in tree.findall() if node.tagname == "literal_block"]
    assert literal == [
        "|∂E_ℓ/∂v_m| ≤ C e^{−ηr}      (3.3)\nnext line: *not* emphasis",
        "a formula in the list, v̂*",
        "a formula about beta_",
    ]
    text = tree.astext()
    for words in ("|∂E| is small, v̂* is", "x_ is a name", "code * here_", "|things|", "E* too"):
        assert words in text
    assert not [n for n in tree.findall() if n.tagname in ("emphasis", "substitution_reference")]


def test_no_formula_of_a_page_is_left_as_source() -> None:
    """latex2mathml sets a command that it does not know as an identifier."""
    pytest.importorskip("latex2mathml")
    mathml = extension("mathml")
    formulas = 0
    for path in DOCS.glob("*.md"):
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for block, inline in re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", text, re.DOTALL):
            shown = re.sub(r'title="[^"]*"', "", mathml.to_mathml(block or inline, "inline"))
            assert "\\" not in shown, block or inline
            assert "&amp;" not in shown, block or inline
            assert ">&<" not in shown, block or inline
            if "\\mathcal{G}" in (block or inline):
                assert "\U0001d4a2" in shown or "1D4A2" in shown.upper(), shown
            formulas += 1
    assert formulas > 100


def test_pages_of_the_api_have_every_public_module_and_no_link_into_the_repository() -> None:
    pages = extension("api_pages")
    text = pages.package_page("scc.sweeps")
    for module in ("api", "grid", "journal", "measure", "table", "workers"):
        assert f".. automodule:: scc.sweeps.{module}\n" in text
    assert text.startswith("# scc.sweeps\n")
    assert "`from scc.sweeps import` `Row`, `grid`" in text
    assert pages._introduction("# A\n\nsee [b](../b.md), [c](https://c.org)\n") == (
        "see b, [c](https://c.org)"
    )
    assert "automodule:: scc.claims._bounds" not in pages.package_page("scc.claims")
