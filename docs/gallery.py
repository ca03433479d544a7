"""The gallery: every figure of `figures/`, and those of claims, drawn before the build.

Figures of claims are those of an earlier `make reproduce` (``out/figures``) where they are there;
without it the claims of :data:`CHEAP` are measured here, which takes about a minute. Drawn figures
are kept in ``docs/gallery`` and drawn again when the code of scc changes.
"""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE / "gallery"
OUT = HERE.parent / "out"

CHEAP = ("lemma-9", "lemma-10", "lemma-12", "remark-12", "mixing", "stability", "remark-8")
"""Claims whose systems are measured within seconds."""


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}


def _write(app: Any) -> None:
    from scc.claims.store import code_version

    stamp = FOLDER / "version.txt"
    page = HERE / "gallery.md"
    fresh = [path.stat().st_mtime for path in (OUT / "claims.json",) if path.exists()]
    state = f"{code_version()} {fresh}"
    if page.exists() and stamp.exists() and stamp.read_text() == state:
        return
    FOLDER.mkdir(exist_ok=True)
    lines = ["# Gallery", "", *_scripts(), "", *_claims(), ""]
    text = "\n".join(lines)
    if not page.exists() or page.read_text() != text:
        page.write_text(text)
    stamp.write_text(state)


def _scripts() -> list[str]:
    """Figures of the folder ``figures/``."""
    import matplotlib

    from scc.claims.drawing import save_figure
    from scc.cli.figure import figure_names, figures_package
    from scc.errors import InputError

    matplotlib.use("Agg")
    package = figures_package().__name__
    lines = ["## Figures", "", "Each is one script of `figures/`: `scc figure NAME`.", ""]
    for name in figure_names():
        script = importlib.import_module(f"{package}.{name}")
        about = (script.__doc__ or "").splitlines()[0]
        try:
            save_figure(script.draw(), FOLDER, name)
        except (InputError, ModuleNotFoundError) as error:  # data or an optional code is missing
            lines += [f"### `scc figure {name}`", "", f"{about} Not drawn here: {error}.", ""]
            continue
        lines += _shown(name, f"`scc figure {name}`", about)
    return lines


def _claims() -> list[str]:
    from scc.claims.registry import get_claim
    from scc.claims.runner import verify

    source, summary = OUT / "figures", OUT / "claims.json"
    if not summary.exists():
        measured = HERE / "_build" / "measured"
        measured.mkdir(parents=True, exist_ok=True)
        verify([get_claim(claim_id) for claim_id in CHEAP], out=measured, resume=True)
        source, summary = measured / "figures", measured / "claims.json"
    results = {c["id"]: c for c in json.loads(summary.read_text(encoding="utf-8"))["claims"]}
    lines = [
        "## Claims",
        "",
        f"Drawn by `scc verify` from what was measured; {len(results)} claims were.",
        "",
    ]
    for claim_id, result in results.items():
        name = claim_id
        if not (found := source / f"{name}.png").exists():
            continue
        shutil.copy(found, FOLDER / f"claim-{name}.png")
        verdict = "holds" if result["holds"] else "does not hold"
        about = f"{result['source']}. {result['statement']} *Verdict: {verdict}.*"
        lines += _shown(f"claim-{name}", f"`{claim_id}`", about)
    return lines


def _shown(name: str, title: str, text: str) -> list[str]:
    escaped = text.replace("|", "\\|").replace("_", "\\_")
    image = f"![{title.strip('`')}](gallery/{name}.png)"
    return [f"### {title}", "", escaped, "", image, ""]
