"""What is installed is what is in the tree, under names that cannot collide."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _packages_on_disk() -> set[str]:
    found = {"scc", "scc.theory", "scc.figures"}
    for init in (ROOT / "scc").rglob("__init__.py"):
        found.add(".".join(init.parent.relative_to(ROOT).parts))
    return found


def test_no_package_is_left_out_of_the_wheel() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(_packages_on_disk())


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("scc.basis", "sto3g.json"),
        ("scc.models", "gfn1_elements.json"),
        ("scc.models", "slater_expansions.json"),
    ],
)
def test_data_files_travel_with_the_package(package: str, name: str) -> None:
    assert files(package).joinpath(name).is_file()


@pytest.mark.parametrize("package", sorted(_packages_on_disk() - {"scc", "scc.theory"}))
def test_every_package_says_how_its_pieces_meet(package: str) -> None:
    parts = package.split(".")
    folder = ROOT / parts[1] if parts[1] == "figures" else ROOT.joinpath(*parts)
    text = (folder / "README.md").read_text()
    assert len(text.split()) > 20


def test_dependencies_point_one_way() -> None:
    order = [
        "errors",
        "arrays",
        "units",
        "json_values",
        "configuration",
        "output",
        "basis",
        "electrostatics",
        "occupations",
        "models",
        "functional",
        "bodyorder",
        "equilibration",
        "locality",
        "ace",
        "schemes",
        "adapters",
        "theory",
        "certify",
        "battery",
        "claims",
        "sweeps",
        "cli",
    ]
    offenders = []
    for path in (ROOT / "scc").rglob("*.py"):
        parts = path.relative_to(ROOT / "scc").parts
        home = parts[0].removesuffix(".py")
        if home not in order:
            continue
        for line in path.read_text().splitlines():
            words = line.strip().split()
            if len(words) > 1 and words[0] in ("from", "import") and words[1].startswith("scc."):
                target = words[1].split(".")[1]
                if target in order and order.index(target) > order.index(home):
                    offenders.append(f"{path.relative_to(ROOT)}: {line.strip()}")
    assert not offenders
