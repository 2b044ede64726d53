"""What a column of a delimited log can hold, and where a field's text comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, cast

import attrs

from rigbridge_csv.profiles.checks import (
    compiled,
    from_mapping,
    is_pattern,
    setting_error,
)

__all__ = [
    "MEASUREMENT_FIELDS",
    "PHASE_FIELDS",
    "RUN_FIELDS",
    "Field",
    "FieldSource",
    "field_source",
]


class Field(StrEnum):
    """
    A field that a profile may give a source for.

    ``LIMITS`` is one cell that holds both limits; its ``pattern`` takes it apart. All
    others are named for the model's attributes.
    """

    SERIAL_NUMBER = "serial_number"
    PART_NUMBER = "part_number"
    PART_NAME = "part_name"
    REVISION = "revision"
    BATCH_NUMBER = "batch_number"
    PROCEDURE = "procedure"
    PROCEDURE_ID = "procedure_id"
    PROCEDURE_VERSION = "procedure_version"
    STATION = "station"
    OPERATOR = "operator"
    STARTED_AT = "started_at"
    ENDED_AT = "ended_at"
    RUN_OUTCOME = "run_outcome"
    PHASE = "phase"
    PHASE_OUTCOME = "phase_outcome"
    PHASE_STARTED_AT = "phase_started_at"
    PHASE_ENDED_AT = "phase_ended_at"
    MEASUREMENT = "measurement"
    VALUE = "value"
    UNIT = "unit"
    LOWER_LIMIT = "lower_limit"
    UPPER_LIMIT = "upper_limit"
    LIMITS = "limits"
    COMPARATOR = "comparator"
    OUTCOME = "outcome"
    DOCSTRING = "docstring"


PHASE_FIELDS = (
    Field.PHASE,
    Field.PHASE_OUTCOME,
    Field.PHASE_STARTED_AT,
    Field.PHASE_ENDED_AT,
)
"""The fields that say one thing of a phase."""

MEASUREMENT_FIELDS = (
    Field.MEASUREMENT,
    Field.VALUE,
    Field.UNIT,
    Field.LOWER_LIMIT,
    Field.UPPER_LIMIT,
    Field.LIMITS,
    Field.COMPARATOR,
    Field.OUTCOME,
    Field.DOCSTRING,
)
"""The fields of one measurement."""

RUN_FIELDS = tuple(
    field for field in Field if field not in (*PHASE_FIELDS, *MEASUREMENT_FIELDS)
)
"""The fields that say one thing of a whole run: all others."""

_WAYS = ("column", "columns", "key", "file", "value")
_FILE_PARTS = ("name", "stem")


def _column(value: object, place: str) -> str | int:
    if isinstance(value, str) and value.strip():
        return value.strip()
    # Not isinstance: True is an int, too.
    if type(value) is int and value > 0:
        return value
    raise setting_error(
        f"must be a header name or a number, not {value!r}",
        place,
        "columns are counted from 1, as a spreadsheet shows them",
    )


def _columns(value: object) -> tuple[str | int, ...]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise setting_error(f"must be a list of columns, not {value!r}", "columns")
    return tuple(
        _column(item, f"columns[{index}]")
        for index, item in enumerate(cast("Iterable[object]", value))
    )


def _keys(value: object) -> tuple[str, ...]:
    if value == ():
        return ()
    given = [value] if isinstance(value, str) else value
    if isinstance(given, Iterable) and not isinstance(given, Mapping):
        names = list(cast("Iterable[object]", given))
        if all(isinstance(name, str) and name.strip() for name in names):
            return tuple(str(name).strip() for name in names)
    raise setting_error(f"must be the name of a key, not {value!r}", "key")


def _one_column(value: object) -> str | int | None:
    return None if value is None else _column(value, "column")


def _part(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and value not in _FILE_PARTS:
        raise setting_error(
            f"must be name or stem, not {value!r}",
            attribute.name,
            "name is the file's name, stem the same without its ending",
        )


def _constant(value: object) -> str | None:
    if value is None:
        return None
    # A TOML file may have 7 where the log would have "7".
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = str(value).strip()
        if text:
            return text
    raise setting_error(f"must be a text, not {value!r}", "value")


@attrs.frozen(kw_only=True)
class FieldSource:
    """
    Where the text of a field comes from: one of the five ways, and a pattern.

    A header name or a number alone means ``column``.

    Attributes:
        column: the header name of the column, or its number counted from 1.
        columns: several columns, joined by a blank (a date and its time).
        key: the name of a key of the lines before or beside the header; several are
            joined by a blank. Beside ``column`` it is the date of the times of day in
            the rows.
        file: ``name`` or ``stem``: the file's own name.
        value: a text that is the same for every run.
        pattern: a regular expression; the first group, or the group ``value``, is the
            text. For ``limits`` its groups are ``lower`` and ``upper``; that of
            ``value`` may have a group ``unit`` beside ``value``.

    Raises:
        ConfigurationError: none of the ways is given, or several are.
    """

    column: str | int | None = attrs.field(default=None, converter=_one_column)
    columns: tuple[str | int, ...] = attrs.field(default=(), converter=_columns)
    key: tuple[str, ...] = attrs.field(default=(), converter=_keys)
    file: str | None = attrs.field(default=None, validator=_part)
    value: str | None = attrs.field(default=None, converter=_constant)
    pattern: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )

    def __attrs_post_init__(self) -> None:
        given = [way for way in _WAYS if getattr(self, way) not in (None, ())]
        # A date above the table and the time of day in its rows are one time.
        if len(given) != 1 and given not in (["column", "key"], ["columns", "key"]):
            found = " and ".join(given) or "none of them"
            raise setting_error(f"needs one of {', '.join(_WAYS)}, and has {found}", "")

    @property
    def in_rows(self) -> tuple[str | int, ...]:
        """The columns that it reads; none for what is the same for the whole table."""
        return self.columns if self.column is None else (self.column,)

    @property
    def has_unit(self) -> bool:
        """Whether the pattern gives a unit beside the value."""
        return self.pattern is not None and {"unit", "value"} <= set(
            self.pattern.groupindex
        )

    def extract(self, text: str) -> str | None:
        """Give what the pattern finds in a text; the text itself without a pattern."""
        if self.pattern is None:
            return text
        found = self.pattern.search(text)
        if found is None:
            return None
        if "value" in self.pattern.groupindex:
            return found["value"]
        return found[1] if self.pattern.groups else found[0]


def field_source(value: object, place: str) -> FieldSource:
    """
    Make the source of a field of what a profile says.

    Raises:
        ConfigurationError: it is none; names the key.
    """
    if isinstance(value, FieldSource):
        return value
    if isinstance(value, Mapping):
        return from_mapping(FieldSource, cast("Mapping[str, object]", value), place)
    return FieldSource(column=_column(value, place))
