"""``scc figure``: run the figure scripts."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import click

import scc
from scc.errors import InputError


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…|all")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out/figures"),
    show_default=True,
    help="Folder of the figures.",
)
def figure(names: tuple[str, ...], out: Path) -> None:
    """Draw figures as PNG and PDF: one script of figures/ each, or all of them."""
    import matplotlib

    from scc.claims.drawing import save_figure

    package = figures_package()
    known = sorted(
        module.name
        for module in pkgutil.iter_modules(package.__path__)
        if not module.name.startswith("_")
    )
    wanted = known if names == ("all",) else names
    for name in wanted:
        if name.replace("-", "_") not in known:
            raise InputError(f"no figure {name!r}; known figures: {', '.join(known) or 'none'}")
    matplotlib.use("Agg")
    out.mkdir(parents=True, exist_ok=True)
    for name in (wish.replace("-", "_") for wish in wanted):
        script = importlib.import_module(f"{package.__name__}.{name}")
        paths = save_figure(script.draw(), out, name)
        click.echo(" ".join(str(path) for path in paths))


def figures_package() -> ModuleType:
    """The package ``scc.figures``; in a checkout whose installation does not map it, ``figures/``.

    Raises:
        InputError: there is neither.
    """
    try:
        return importlib.import_module("scc.figures")
    except ModuleNotFoundError as error:
        if error.name != "scc.figures":
            raise
    folder = Path(scc.__file__).resolve().parents[1] / "figures"
    spec = importlib.util.spec_from_file_location(
        "scc.figures", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None or not (folder / "__init__.py").is_file():
        raise InputError("the figure scripts are not part of this installation")
    package = importlib.util.module_from_spec(spec)
    sys.modules["scc.figures"] = package
    spec.loader.exec_module(package)
    return package
