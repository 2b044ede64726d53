"""
Properties of TestStand's extension: a value in one of three places.

By version the value stands in ``@value``, in a datum, or as the text of the element.
"""

from __future__ import annotations

from rigbridge.model import Scalar
from rigbridge_teststand.atml.data.data_types import inner_text
from rigbridge_teststand.atml.forms import SCHEMA_TYPE, Form
from rigbridge_teststand.atml.local_names import VALUE, child
from rigbridge_teststand.numbers import parse_plain
from rigbridge_teststand.xml.elements import Element

__all__ = ["PROPERTY", "is_set", "property_number", "property_text", "whole_number"]

_ATTRIBUTES = frozenset({"value", "flags", SCHEMA_TYPE})

PROPERTY = Form(
    attributes=_ATTRIBUTES,
    children={
        "Datum": Form(
            attributes=_ATTRIBUTES,
            children={"Value": Form(has_text=True)},
            once=frozenset({"Value"}),
            has_text=True,
            unless=frozenset({"value", "Value"}),
        )
    },
    once=frozenset({"Datum"}),
    has_text=True,
    unless=frozenset({"value", "Datum"}),
)
"""What is read of a property."""


def property_text(element: Element | None) -> str | None:
    """
    Give the value of a property, trimmed.

    Args:
        element: the property, or None.

    Returns:
        ``@value``, else that of the datum inside, else the text; None if all are blank.
    """
    if element is None:
        return None
    given = element.get(VALUE)
    if given is not None and (given := given.strip()):
        return given
    if len(element) and (datum := child(element, "Datum")) is not None:
        given = datum.get(VALUE)
        found = inner_text(datum) if given is None else given
        if found is not None and (found := found.strip()):
            return found
    text = element.text
    return (text.strip() or None) if text else None


def is_set(element: Element | None) -> bool:
    """Tell whether a property says that something is so."""
    return (property_text(element) or "").lower() in ("true", "1")


def property_number(element: Element | None) -> Scalar:
    """Give the value of a property as a number or boolean where it is one."""
    given = property_text(element)
    if given in ("true", "false"):
        return given == "true"
    number = None if given is None else whole_number(given)
    return given if number is None else number


def whole_number(text: str) -> float | int | None:
    """Read a number that is the whole of a text; None where it is none."""
    stripped = text.strip()
    if not stripped or stripped[0] not in "+-.0123456789INin":
        return None
    return parse_plain(stripped)
