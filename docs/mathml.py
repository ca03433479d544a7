"""Formulas as MathML, which browsers typeset themselves: no script, no network, no LaTeX."""

from __future__ import annotations

import html
from typing import Any

from latex2mathml.converter import convert


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(self: Any, node: Any) -> None:
    from docutils import nodes

    self.body.append(to_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _display(self: Any, node: Any) -> None:
    from docutils import nodes

    self.body.append(f'<div class="formula">{to_mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def to_mathml(latex: str, display: str) -> str:
    """MathML with the source beside it, for readers that want to copy it."""
    mathml = convert(latex, display=display)
    return f'<span title="{html.escape(latex)}">{mathml}</span>'
