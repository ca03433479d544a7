"""The documentation site: `make docs`. Pages are Markdown, docstrings stay as they are."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from scc import __version__

project = "scc"
author = "The scc developers"
project_copyright = "the scc developers, MIT licence"
version = release = __version__

extensions = [  # those without a dot are modules of this folder
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",  # formulas without scripts
    "docstrings",  # beside this file: formulas in docstrings
    "api_pages",  # one page a package
    "readme_tables",  # tables that the README has, too
    "gallery",  # figures, drawn if they are not there
]
exclude_patterns = ["README.md", "_build", "generated"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["amsmath", "dollarmath", "colon_fence"]
myst_heading_anchors = 3
# config.cache: the extensions above are modules of this folder. ref.python: a type in a signature
# whose name several modules have; names in docstrings are made definite by docstrings.py.
suppress_warnings = ["config.cache", "ref.python"]

nitpicky = True  # a reference without a target is a warning, and `make docs` ends with it
nitpick_ignore_regex = [
    # Other people's, which no page here describes (no network in a build): libraries, Python's own.
    ("py:.*", r"(numpy|scipy|flint|sympy|matplotlib|ase|pyscf|tblite)\b.*"),
    ("py:class", r"(collections\.abc|pathlib|os|types|fractions|decimal)\..*"),
    # Names of types in annotations that autodoc could not follow: aliases of ours, type variables.
    ("py:class", r"(FloatArray|IntArray|ExactArray|AnyModel|Relation|Exponents)"),
    ("py:class", r"(Figure|Path|tuple\[float|scc\.configuration\.calculator\.Solution)"),
    # Modules that start with an underscore have no page, and what they define has none.
    ("py:.*", r"scc\.(\w+\.)*_.*"),
]

html_theme = "furo"
html_title = f"scc {version}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_math_renderer = "mathml"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "ignore-module-all": True}
autodoc_mock_imports = ["tblite", "pyscf", "distributed", "torch"]  # optional
autodoc_preserve_defaults = True
napoleon_use_rtype = False
napoleon_use_ivar = True  # attributes are listed with their class, once
highlight_language = "none"
