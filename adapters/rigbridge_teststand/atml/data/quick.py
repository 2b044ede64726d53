"""
The data that nearly all of a report are spelled as, read in one go.

To read an attribute costs as much as some lines of Python, to call a function likewise,
and a report has thousands of data. So this looks at all attributes of a datum at once,
knows the sets of them that occur, and answers only for what needs nothing else: a
number, a text or a boolean with its unit. For all else it gives None; then
:mod:`rigbridge_teststand.atml.data.values` reads it properly, which agrees with this
wherever it answers.
"""

from __future__ import annotations

from sys import intern
from typing import Any, TypeAlias

from rigbridge_teststand.atml.data.kinds import KINDS, TYPE
from rigbridge_teststand.atml.names import LOCALS
from rigbridge_teststand.xml.element import Element

__all__ = ["quick_datum"]

_Layout: TypeAlias = tuple[int, int, int] | None
"""Where type, value and unit stand among the attributes; -1 for none."""

_UNITS = ("unit", "nonStandardUnit", "standardUnit")
_PLAIN = frozenset({TYPE, "value", "flags", *_UNITS})
_BOOLEANS = {"true": True, "false": False}
_MANY = 1_000
_SHORT = 64


class _Layouts(dict[tuple[str, ...], _Layout]):
    """The layout by the names of all attributes; None where there is more to them."""

    def __missing__(self, names: tuple[str, ...]) -> _Layout:
        layout: _Layout = None
        units = [at for at, name in enumerate(names) if name in _UNITS]
        if TYPE in names and _PLAIN.issuperset(names) and len(units) <= 1:
            value = names.index("value") if "value" in names else -1
            layout = (names.index(TYPE), value, units[0] if units else -1)
        if len(self) < _MANY:  # a file may invent names without end
            self[names] = layout
        return layout


_LAYOUTS = _Layouts()


def quick_datum(datum: Element) -> tuple[Any, str | None] | None:
    """Give the value and unit of a datum that says nothing else."""
    # lxml gives texts alone, whatever its type hints say.
    names: Any = datum.keys()
    layout = _LAYOUTS[tuple(names)]
    if layout is None:
        return None
    given: Any = datum.values()
    type_at, value_at, unit_at = layout
    kind = KINDS[given[type_at]]
    value: Any = None
    if value_at < 0:
        value = _text(datum) if kind == "string" else None
    elif len(datum):
        return None
    elif kind == "double":
        text = given[value_at]
        try:
            value = float(text) if "." in text else int(text)
        except ValueError:
            return None
    elif kind == "boolean":
        value = _BOOLEANS.get(given[value_at])
    if value is None:
        return None
    return value, None if unit_at < 0 else given[unit_at].strip() or None


def _text(datum: Element) -> str | None:
    """Give the text of a datum that holds a ``Value`` and nothing else."""
    if len(datum) != 1:
        return None
    value = datum[0]
    if LOCALS[value.tag] != "Value" or len(value):
        return None
    text = value.text or ""
    return intern(text) if len(text) < _SHORT else text
