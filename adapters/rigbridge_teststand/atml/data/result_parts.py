"""The parts of a ``TestResult``, and what is read of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern

from rigbridge_teststand.atml.data.data_types import TYPE_ATTRIBUTES
from rigbridge_teststand.atml.data.indexed_arrays import ARRAY
from rigbridge_teststand.atml.data.limit_forms import (
    LIMIT_PROPERTIES,
    LIMIT_SHAPES,
    TEST_LIMITS,
)
from rigbridge_teststand.atml.data.properties import is_set
from rigbridge_teststand.atml.data.units import DEFAULT_UNITS
from rigbridge_teststand.atml.data.values import DATUM
from rigbridge_teststand.atml.forms import SCHEMA_TYPE, Form
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    NAME,
    STATUS,
    attribute,
    child,
    child_elements,
    status_text,
)
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "DATA_HOLDER",
    "MADE_UP",
    "MEMBER",
    "RESULT_ATTRIBUTES",
    "SINGLE",
    "TEST_RESULT",
    "ResultParts",
]

SINGLE = frozenset({"Numeric", "String"})
"""The names of the value of a single test."""

MADE_UP = re.compile(r"(?:tr-|ID_)[\w-]+\Z")
"""An ID that TestStand, VeriStand and others make up; it names nothing."""

_MARKS = ("IsComparisonTypeLog", "IsTestMeasurement")

_DATA: dict[str, Form | None] = {"Datum": DATUM, "IndexedArray": ARRAY}
_ITEM = Form(attributes=frozenset({"name"}), children=_DATA)
MEMBER = Form(attributes=TYPE_ATTRIBUTES | {"position"}, children={"Item": _ITEM})
"""What is read of a member of an array of collections."""

_DATA["Collection"] = Form(
    attributes=TYPE_ATTRIBUTES | DEFAULT_UNITS, children={"Item": _ITEM}
)

# Where exporters other than NI write a value and its limits.
_RIGHT_INSIDE = _DATA.keys() | LIMIT_SHAPES.keys()

DATA_HOLDER = Form(children=_DATA)
"""What is read of ``Data``."""

RESULT_ATTRIBUTES = frozenset({"ID", "name", STATUS, SCHEMA_TYPE})
"""The attributes of a ``TestResult`` that have a meaning; others are kept by name."""

TEST_RESULT = Form(
    attributes=RESULT_ATTRIBUTES,
    any_attribute=True,
    children={
        **_DATA,
        **LIMIT_SHAPES,
        "TestData": Form(
            attributes=frozenset({"acquisitionTimeStamp"}), children=_DATA
        ),
        "TestLimits": TEST_LIMITS,
        "Extension": Form(
            children={"TSLimitProperties": LIMIT_PROPERTIES},
            once=frozenset({"TSLimitProperties"}),
            others=True,
        ),
    },
    once=frozenset({"TestData", "TestLimits"}),
    others=True,
)
"""What is read of a ``TestResult``; its children of other names are kept whole."""


class ResultParts:
    """
    The parts of a ``TestResult``, found in one pass.

    Attributes:
        name: its name, or empty; 2.02 holds it in the ID.
        data: ``TestData``, or None.
        limits: ``TestLimits``, or None.
        outcome: its own ``Outcome``, or None.
        properties: ``TSLimitProperties``, or None.
        is_judged: whether it is a measurement of the test, and no additional result.
    """

    data: Element | None = None
    limits: Element | None = None
    outcome: Element | None = None
    properties: Element | None = None
    others: Sequence[Element] = ()
    is_judged: bool = False

    def __init__(self, element: Element) -> None:
        self.element = element
        given = element.get(NAME, "").strip() or attribute(element, "ID") or ""
        self.name = intern("" if MADE_UP.match(given) else given)
        others: list[Element] = []
        for below in child_elements(element):
            kind = LOCAL_NAMES[below.tag]
            if kind == "TestData":
                self.data = below if self.data is None else self.data
            elif kind == "TestLimits":
                self.limits = below if self.limits is None else self.limits
            elif kind == "Outcome" and self.outcome is None:
                self.outcome = below
            elif kind in _RIGHT_INSIDE:
                self._take_right_inside(kind)
            elif kind != "Extension" or self._is_more(below):
                others.append(below)
        if others:
            self.others = others
        if self.limits is not None or self.status is not None:
            self.is_judged = True
        elif self.properties is not None:
            marks = (child(self.properties, mark) for mark in _MARKS)
            self.is_judged = any(map(is_set, marks))

    def _take_right_inside(self, kind: str) -> None:
        """Take a value or limits that stand without an element of their own."""
        if kind in LIMIT_SHAPES:
            self.limits = self.element if self.limits is None else self.limits
        else:
            self.data = self.element if self.data is None else self.data

    def _is_more(self, extension: Element) -> bool:
        """Take the properties of an extension; return whether it has more."""
        properties = child(extension, "TSLimitProperties")
        if properties is not None and self.properties is None:
            self.properties = properties
            return len(extension) > 1
        return True

    @property
    def status(self) -> str | None:
        """The status that it states, as spelled; None where it states none."""
        if self.outcome is None:
            return attribute(self.element, STATUS)
        return status_text(self.outcome) or ""

    @property
    def is_single(self) -> bool:
        """Whether it bears the name of a single test's value."""
        return self.name in SINGLE
