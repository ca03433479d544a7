"""Docstrings written for people, made into reStructuredText.

In scc a docstring is Unicode text: a formula stands indented on lines of its own, |x| is an
absolute value and v̂* an equilibrium, neither of which is markup. Read as reStructuredText they
would be block quotes, substitutions and emphasis. This extension, which autodoc calls on every
docstring before anything else looks at it, turns indented blocks into literal ones and escapes the
rest, except what stands in ``…`` or in a :role:`…`. Underlined lists of attributes and parameters,
``name: text`` or ``a, b: text``, become fields here: napoleon takes what follows the colon for a
type, and Sphinx the first of two names.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

_KEPT = re.compile(r"(``.+?``|:[a-z:]+:`[^`]+`)")
_ROLE = r":(?:class|func|meth|attr|data|exc|mod):"
_SHORT = re.compile(_ROLE + r"`([A-Za-z_]\w*(?=`)|[A-Z]\w*)((?:\.\w+)?)`")
_EXPORTED = re.compile(_ROLE + r"`(scc\.\w+)\.(\w+)`")
_VALUES = ("attribute", "data", "property")
_FIELDS = {"Attributes": "ivar", "Parameters": "param"}
_ITEM = re.compile(r"(?P<names>\w+(?:, \w+)*)(?::(?: +(?P<text>.*))?)?")
_SEVERAL = re.compile(r"\s+\w+(?:, \w+)+: ")
_kept: dict[str, list[str]] = {}  # between the two handlers of one docstring
_BULLET = re.compile(r"(\s*)([*+-]|\d+\.|\(?[a-z0-9]\)) +\S")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    # Before napoleon (priority 500), which reads "Args:" and the like.
    app.connect("autodoc-process-docstring", _process, priority=100)
    app.connect("autodoc-process-docstring", _restore, priority=900)
    return {"parallel_read_safe": True}


def _process(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    definite_lines = [definite(line, thing) for line in lines]
    lines[:] = to_restructured_text(with_fields(definite_lines))
    if what in _VALUES:
        _kept[name] = list(lines)


def _restore(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Undo what napoleon does to a value: it takes the words before a colon for its type."""
    if name in _kept:
        lines[:] = _kept.pop(name)


def definite(line: str, thing: Any) -> str:
    """Roles with a name of the class or module made definite; of any other name, a literal.

    Several modules have a ``System``: Sphinx would link to one of them.
    """
    module = thing if inspect.ismodule(thing) else inspect.getmodule(thing)

    def replacement(found: re.Match[str]) -> str:
        name, attribute = found.groups()
        if not attribute and inspect.isclass(thing) and hasattr(thing, name):
            return found[0].replace(
                f"`{name}`", f"`~{thing.__module__}.{thing.__qualname__}.{name}`"
            )
        target = getattr(module, name, None)
        home = getattr(target, "__module__", None)
        if home is None or not home.startswith("scc"):
            return f"``{name}{attribute}``"
        if attribute and not callable(getattr(target, attribute[1:], None)):
            return f"``{name}{attribute}``"  # a field, described with its class
        return found[0].replace(f"`{name}", f"`~{home}.{name}")

    return _EXPORTED.sub(_at_home, _SHORT.sub(replacement, line))


def _at_home(found: re.Match[str]) -> str:
    """``scc.locality.decide``, which a package exports, by the module it is described in."""
    target = getattr(importlib.import_module(found[1]), found[2], None)
    home = getattr(target, "__module__", None)
    return found[0].replace(f"`{found[1]}.", f"`~{home}.") if home else found[0]


def with_fields(lines: list[str]) -> list[str]:
    """Underlined sections of attributes and parameters as fields; a text that follows ends them.

    Names of one text stay together: ``a,b`` with a break of no width, no blank.
    """
    result: list[str] = []
    field: str | None = None
    base, place = 0, 0
    while place < len(lines):
        line = lines[place]
        own = len(line) - len(line.lstrip())
        below = lines[place + 1].strip() if place + 1 < len(lines) else ""
        if line.strip() in _FIELDS and below and not below.strip("-"):
            field, base = _FIELDS[line.strip()], own
            place += 2
            continue
        if below and not below.strip("-="):
            field = None  # another section
        if field is not None and line.strip() and own == base:
            if item := _ITEM.fullmatch(line.strip()):
                names = item["names"].replace(", ", ",\u200b")
                result.append(f"{line[:own]}:{field} {names}: {item['text'] or ''}".rstrip())
            else:
                field = None
                result.append(line)
        else:
            names_of_arguments = _SEVERAL.match(line)
            if field is None and names_of_arguments and own > 0:
                line = line.replace(", ", ",\u200b", names_of_arguments[0].count(", "))
            result.append(line)
        place += 1
    return result


def to_restructured_text(lines: list[str]) -> list[str]:
    """The lines of a dedented docstring with formulas as literal blocks and the rest escaped."""
    result: list[str] = []
    indent = 0  # of the text that a formula would be indented against
    formula = False
    for place, line in enumerate(lines):
        own = len(line) - len(line.lstrip())
        if not line.strip():
            result.append(line)
            continue
        after_blank = place > 0 and not lines[place - 1].strip()
        if formula and own > indent:
            result.append(line)
            continue
        if formula and not after_blank:
            result.append("")  # text goes on right below a formula
        formula = after_blank and own > indent
        if formula:
            result += [" " * indent + "::", "", line]
            continue
        bullet = _BULLET.match(line)
        # The text of a list item is indented by its bullet, and no formula for that.
        indent = bullet.end() - 1 if bullet else own
        result.append(line[:indent] + _escaped(line[indent:]))
    return [*result, ""]


def _escaped(text: str) -> str:
    """Text outside of literals and roles without the characters that mean something."""
    parts = _KEPT.split(text)
    for index in range(0, len(parts), 2):
        part = re.sub(r"([\\*|])", r"\\\1", parts[index])
        # A name that ends in an underscore would be a link.
        parts[index] = re.sub(r"(\w)_(?=\W|$)", r"\1\\_", part)
    return "".join(parts)
