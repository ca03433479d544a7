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
@click.option(
    "--compute",
    is_flag=True,
    help="First compute what long calculations a figure is drawn from lack; resumable.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw this table instead of the one kept with the figure.",
)
def figure(names: tuple[str, ...], out: Path, compute: bool, source: Path | None) -> None:
    """Draw figures as PNG and PDF: one script of figures/ each, or all of them.

    Figures of the paper are called by their number: scc figure 1. Tables of scc sweep are drawn by
    scc figure sweep --from FILE, each under its own name. A figure that is drawn from kept
    results of a long calculation says so when these are out of date.
    """
    import matplotlib

    from scc.claims.drawing import save_figure

    package, known = figures_package(), figure_names()
    wanted = known if names == ("all",) else [_module(name) for name in names]
    for wish, name in zip(names, wanted, strict=False):
        if name not in known:
            raise InputError(f"no figure {wish!r}; known figures: {', '.join(known) or 'none'}")
    if source is not None and (len(wanted) > 1 or compute):
        raise InputError("--from goes with one figure and without --compute")
    matplotlib.use("Agg")
    out.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        script = importlib.import_module(f"{package.__name__}.{name}")
        # Scripts of long calculations have compute(progress), and outdated() -> reason or None.
        if compute and hasattr(script, "compute"):
            script.compute(lambda message: click.echo(message, err=True))
        elif source is None and hasattr(script, "outdated") and (reason := script.outdated()):
            click.echo(f"scc: warning: {reason}", err=True)
        if source is not None and not hasattr(script, "draw_from"):
            raise InputError(f"figure {name!r} is drawn from its own data, not from a file")
        drawn = script.draw() if source is None else script.draw_from(source)
        paths = save_figure(drawn, out, name if source is None else source.stem)
        click.echo(" ".join(str(path) for path in paths))


def figure_names() -> list[str]:
    """All figures, sorted: the modules of :func:`figures_package` that are no helpers."""
    modules = pkgutil.iter_modules(figures_package().__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def _module(name: str) -> str:
    """The script of a figure, which may be given by its number in the paper."""
    return f"figure_{name}" if name.isdecimal() else name.replace("-", "_")


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
