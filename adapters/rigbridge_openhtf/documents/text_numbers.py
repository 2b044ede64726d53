"""
What JSON could not hold, as OpenHTF spelled it in different years.

Since 2022 OpenHTF writes NaN and infinity as the texts ``nan``, ``inf`` and ``-inf``.
In early 2016 it wrote every number of a record as text. Both are read back as numbers,
each recorded as coerced, and neither where the text may really be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.validators import read_number

__all__ = ["numbers_are_text", "read_rows", "read_value"]

_NON_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
_NON_FINITE_RULE = "OpenHTF's text for a non-finite number read as one"
_TEXT_RULE = "number spelled as text"


def numbers_are_text(record: Mapping[str, Any]) -> bool:
    """Whether a record is of the time when every number was written as text."""
    stamps = (record.get("start_time_millis"), record.get("end_time_millis"))
    return any(isinstance(s, str) for s in stamps) and not any(
        isinstance(s, (int, float)) for s in stamps
    )


def read_value(value: Any, scope: Scope, *, texts: bool, judged_as_text: bool) -> Any:
    """
    Read a single measured value.

    Args:
        value: as the record has it.
        scope: its place.
        texts: whether the record spells every number as text.
        judged_as_text: whether its validators compare it as text.
    """
    if isinstance(value, str):
        if judged_as_text:
            return value
        return _read_text(value, scope, texts=texts)
    if isinstance(value, list):
        members: list[Any] = value
        return _respelled(members, scope) if _is_column(members) else members
    return value


def read_rows(value: Any, scope: Scope, *, texts: bool) -> Any:
    """Read the points of a measurement with dimensions, column by column."""
    if not isinstance(value, list) or not value:
        return value
    rows: list[Any] = value
    widths = {len(row) if isinstance(row, list) else -1 for row in rows}
    if len(widths) != 1 or -1 in widths:
        return value
    columns = [list(column) for column in zip(*rows, strict=True)]
    for index, column in enumerate(columns):
        if texts and all(isinstance(cell, str) for cell in column):
            numbers = [_canonical(cell) for cell in column]
            if None not in numbers:
                scope.coerced("value", _TEXT_RULE, f"column {index}")
                columns[index] = numbers
        elif _is_column(column):
            columns[index] = _respelled(column, scope)
    return [list(row) for row in zip(*columns, strict=True)]


def _read_text(value: str, scope: Scope, *, texts: bool) -> Any:
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
    number = read_number(text)
    return number if number is not None and str(number) == text else None


def _is_column(values: list[Any]) -> bool:
    """Whether the values are numbers, at least one spelled as no finite one."""
    spelled = sum(isinstance(v, str) and v in _NON_FINITE for v in values)
    others = sum(
        v is None or (isinstance(v, (int, float)) and not isinstance(v, bool))
        for v in values
    )
    return spelled > 0 and spelled + others == len(values)


def _respelled(values: list[Any], scope: Scope) -> list[Any]:
    scope.coerced("value", _NON_FINITE_RULE)
    return [_NON_FINITE[v] if isinstance(v, str) else v for v in values]
