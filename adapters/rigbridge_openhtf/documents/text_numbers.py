"""
Numbers that OpenHTF wrote as text, because JSON cannot hold them or by mistake.

Since 2022 OpenHTF writes NaN and infinity as the texts ``nan``, ``inf`` and ``-inf``.
In early 2016 it wrote every number of a record as text. Both are read back as numbers
and recorded as coerced, but never where the text may really be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.numbers import parse_number

__all__ = ["numbers_are_text", "read_rows", "read_value"]

_NON_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
_NON_FINITE_RULE = "OpenHTF's text for a non-finite number read as one"
_TEXT_RULE = "number spelled as text"


def numbers_are_text(record: Mapping[str, object]) -> bool:
    """Whether a record is of the time when every number was written as text."""
    # The start and the end are numbers in every other record.
    stamps = (record.get("start_time_millis"), record.get("end_time_millis"))
    return any(isinstance(s, str) for s in stamps) and not any(
        isinstance(s, (int, float)) for s in stamps
    )


def read_value(
    value: object, scope: Scope, *, texts: bool, judged_as_text: bool
) -> object:
    """
    Read a single measured value.

    Args:
        texts: whether the record spells every number as text.
        judged_as_text: whether its validators compare it as text.
    """
    if isinstance(value, str):
        return value if judged_as_text else _read_text(value, scope, texts=texts)
    if isinstance(value, list):
        members = cast("list[object]", value)
        return _with_numbers(members, scope) if _is_column(members) else members
    return value


def read_rows(value: object, scope: Scope, *, texts: bool) -> object:
    """Read the points of a measurement with dimensions, column by column."""
    if not isinstance(value, list):
        return value
    rows = [
        cast("list[object]", row) if isinstance(row, list) else None
        for row in cast("list[object]", value)
    ]
    complete = [row for row in rows if row is not None]
    if len(complete) != len(rows) or len({len(row) for row in complete}) != 1:
        return cast("object", value)
    # By columns: the other points of its axis tell whether "nan" is a number.
    columns = [list(column) for column in zip(*complete, strict=True)]
    for index, column in enumerate(columns):
        if texts and all(isinstance(cell, str) for cell in column):
            numbers = [_canonical(str(cell)) for cell in column]
            if None not in numbers:
                scope.coerced("value", _TEXT_RULE, f"column {index}")
                columns[index] = list[object](numbers)
        elif _is_column(column):
            columns[index] = _with_numbers(column, scope)
    return [list(row) for row in zip(*columns, strict=True)]


def _read_text(value: str, scope: Scope, *, texts: bool) -> object:
    if value in _NON_FINITE:
        scope.coerced("value", _NON_FINITE_RULE, value)
        return _NON_FINITE[value]
    if texts and (number := _canonical(value)) is not None:
        scope.coerced("value", _TEXT_RULE, value)
        return number
    return value


def _canonical(text: str) -> int | float | None:
    """Read a number that Python would print just so: ``0012`` is a text."""
    if text in _NON_FINITE:
        return _NON_FINITE[text]
    number = parse_number(text)
    return number if number is not None and str(number) == text else None


def _is_column(values: list[object]) -> bool:
    """Whether the values are numbers, at least one of them spelled as a text."""
    spelled = sum(isinstance(v, str) and v in _NON_FINITE for v in values)
    others = sum(
        v is None or (isinstance(v, (int, float)) and not isinstance(v, bool))
        for v in values
    )
    return spelled > 0 and spelled + others == len(values)


def _with_numbers(values: list[object], scope: Scope) -> list[object]:
    scope.coerced("value", _NON_FINITE_RULE)
    return [_NON_FINITE[v] if isinstance(v, str) else v for v in values]
