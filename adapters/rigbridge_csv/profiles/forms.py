"""What the rows of a table mean: the keys of a profile for each form."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, cast

import attrs

from rigbridge_csv.profiles.checks import (
    boolean,
    check_choice,
    compiled,
    from_mapping,
    is_pattern,
    optional_text,
    required_text,
    setting_error,
    table,
    text_or_texts,
    texts,
)
from rigbridge_csv.profiles.fields import Field, FieldSource, field_source

__all__ = [
    "ColumnChoice",
    "GivenColumn",
    "LogForm",
    "MeasurementColumns",
    "NeighbourColumn",
    "RecordKind",
    "RecordMeaning",
    "RecordRules",
    "RunText",
    "SeriesRule",
    "field_table",
    "run_texts",
]

_SIGNS = re.compile(r"\s*(<=?|>=?|==?|!=)\s*")


class LogForm(StrEnum):
    """What a row is."""

    LONG = "long"
    WIDE = "wide"
    SERIES = "series"
    RECORD = "record"


def field_table(value: object, place: str) -> Mapping[Field, FieldSource]:
    """
    Make the sources of fields of a table.

    Raises:
        ConfigurationError: an unknown field or a wrong source; names the key.
    """
    return {
        Field(check_choice(key, Field, "field", f"{place}.{key}")): field_source(
            source, f"{place}.{key}"
        )
        for key, source in table(value, place).items()
    }


@attrs.frozen(kw_only=True)
class RunText:
    """
    A text that is kept with the run.

    Attributes:
        name: what it is called there; the header name by default.
        column: the header name of its column.
        value: in place of a column: a text that is the same for every run.
    """

    name: str | None = attrs.field(default=None, validator=optional_text)
    column: str | None = attrs.field(default=None, validator=optional_text)
    value: str | None = attrs.field(default=None, validator=optional_text)

    def __attrs_post_init__(self) -> None:
        if (self.column is None) == (self.value is None):
            raise setting_error("needs one of column and value", "")
        if self.value is not None and self.name is None:
            raise setting_error("is missing", "name")


def run_texts(value: object) -> tuple[RunText, ...]:
    """
    Make the texts that are kept with a run of what a profile lists.

    Raises:
        ConfigurationError: one of them is none, or has the name of another.
    """
    if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
        raise setting_error(
            f"must be a list of header names, not {value!r}", "metadata"
        )
    made: list[RunText] = []
    for index, item in enumerate(cast("Iterable[object]", value)):
        place = f"metadata[{index}]"
        given = {"column": item} if isinstance(item, str) else item
        text = (
            given if isinstance(given, RunText) else from_mapping(RunText, given, place)
        )
        if text.name is not None and text.name in {other.name for other in made}:
            raise setting_error(f"{text.name!r} is taken", f"{place}.name")
        made.append(text)
    return tuple(made)


@attrs.frozen(kw_only=True)
class GivenColumn:
    """
    A column of measurements of which the profile says more than its name.

    Attributes:
        column: the header name.
        name: the measurement's name; the header name by default.
        unit: its unit.
        lower: its lower limit.
        upper: its upper limit.
        phase: the phase that it belongs to.
    """

    column: str = attrs.field(validator=required_text)
    name: str | None = attrs.field(default=None, validator=optional_text)
    unit: str | None = attrs.field(default=None, validator=optional_text)
    lower: float | None = None
    upper: float | None = None
    phase: str | None = attrs.field(default=None, validator=optional_text)

    def __attrs_post_init__(self) -> None:
        for name in ("lower", "upper"):
            bound = getattr(self, name)
            if bound is not None and type(bound) not in (int, float):
                raise setting_error(f"must be a number, not {bound!r}", name)


@attrs.frozen
class ColumnChoice:
    """
    Some of the columns: those whose whole name a pattern fits, or those of a list.

    Attributes:
        pattern: fits their names, or None.
        given: the columns of the list.
    """

    pattern: re.Pattern[str] | None = None
    given: tuple[GivenColumn, ...] = ()

    def has(self, name: str) -> bool:
        """Say whether a column of a name is one of them."""
        if self.pattern is not None:
            return self.pattern.fullmatch(name) is not None
        return any(column.column == name for column in self.given)


def _choice(value: object, place: str) -> ColumnChoice | None:
    if value is None or isinstance(value, ColumnChoice):
        return value
    if isinstance(value, str):
        found = compiled(value)
        if not isinstance(found, re.Pattern):
            raise setting_error(f"{value!r} is no regular expression", place)
        return ColumnChoice(found)
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise setting_error(
            f"must be a regular expression or a list of names, not {value!r}", place
        )
    made: list[GivenColumn] = []
    for index, item in enumerate(cast("Iterable[object]", value)):
        inner = f"{place}[{index}]"
        given = {"column": item} if isinstance(item, str) else item
        made.append(
            given
            if isinstance(given, GivenColumn)
            else from_mapping(GivenColumn, given, inner)
        )
    return ColumnChoice(None, tuple(made))


def _columns(value: object) -> ColumnChoice | None:
    return _choice(value, "columns")


def _excepted(value: object) -> ColumnChoice | None:
    return _choice(value, "except")


def _measured(value: object) -> ColumnChoice | None:
    return _choice(value, "y")


def _pattern(value: object) -> re.Pattern[str]:
    # None is left to the validator, which knows the key.
    return cast("re.Pattern[str]", compiled(value))


@attrs.frozen(kw_only=True)
class NeighbourColumn:
    """
    A column that says something of the measurement on its left.

    Attributes:
        right: a regular expression that fits its whole header name. Columns on the
            right of a measurement are its own up to the first that no such expression
            fits.
    """

    right: re.Pattern[str] = attrs.field(converter=_pattern, validator=is_pattern)


def _column_on_the_right(value: object) -> str | NeighbourColumn | None:
    # What is neither is left to the validator, which knows the key.
    if not isinstance(value, Mapping):
        return cast("str | None", value)
    return from_mapping(NeighbourColumn, cast("Mapping[str, object]", value), "")


def _template(
    _instance: object, attribute: attrs.Attribute[Any], value: object
) -> None:
    if value is None or isinstance(value, NeighbourColumn):
        return
    if not isinstance(value, str) or "{}" not in value or value.strip() == "{}":
        raise setting_error(
            f"must be a header name with {{}} for the measurement's, not {value!r}",
            attribute.name,
            'write it as "{} min", or as { right = "min" }',
        )


@attrs.frozen(kw_only=True)
class MeasurementColumns:
    """
    Which columns are measurements, and which columns say something of them.

    ``{}`` stands for the name of the measurement's column, or for what ``names`` makes
    of it: ``lower = "{} min"``. Where such columns have one name for all measurements,
    it is that on the right: ``lower = {right = "min"}``.

    Attributes:
        columns: a regular expression that fits the whole header name, or a list of
            names or tables; by default every column that nothing else is declared for.
        except_: (written ``except``) likewise, those that are none.
        lower: the column of the lower limit; a sign in it (``{} >``) is the comparison.
        upper: the column of the upper limit, likewise.
        equal: the column of the value that is wanted.
        unit: the column of the unit.
        outcome: the column of the verdict.
    """

    columns: ColumnChoice | None = attrs.field(default=None, converter=_columns)
    except_: ColumnChoice | None = attrs.field(default=None, converter=_excepted)
    lower: str | NeighbourColumn | None = attrs.field(
        default=None, converter=_column_on_the_right, validator=_template
    )
    upper: str | NeighbourColumn | None = attrs.field(
        default=None, converter=_column_on_the_right, validator=_template
    )
    equal: str | NeighbourColumn | None = attrs.field(
        default=None, converter=_column_on_the_right, validator=_template
    )
    unit: str | NeighbourColumn | None = attrs.field(
        default=None, converter=_column_on_the_right, validator=_template
    )
    outcome: str | NeighbourColumn | None = attrs.field(
        default=None, converter=_column_on_the_right, validator=_template
    )

    def templates(self) -> dict[str, str | NeighbourColumn]:
        """Give the templates that are declared, by what they are for."""
        names = ("lower", "upper", "equal", "unit", "outcome")
        return {name: form for name in names if (form := getattr(self, name))}

    @staticmethod
    def sign(template: str | NeighbourColumn | None) -> str | None:
        """Give the comparison that a template is made of, if it is one."""
        if not isinstance(template, str):
            return None
        found = _SIGNS.fullmatch(template.replace("{}", ""))
        return None if found is None else found[1]


def _number_or_source(value: object, place: str) -> FieldSource | None:
    if value is None or isinstance(value, FieldSource):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return FieldSource(value=str(value))
    if isinstance(value, str):
        return FieldSource(value=value)
    return field_source(value, place)


def _start(value: object) -> FieldSource | None:
    return _number_or_source(value, "start")


def _step(value: object) -> FieldSource | None:
    return _number_or_source(value, "step")


def _x_unit(value: object) -> FieldSource | None:
    return _number_or_source(value, "x_unit")


def _unit(value: object) -> FieldSource | None:
    return _number_or_source(value, "unit")


def _x_names(value: object) -> tuple[str, ...]:
    return () if value is None else text_or_texts(value)


@attrs.frozen(kw_only=True)
class SeriesRule:
    """
    Which columns are series, over what, and where one ends and the next begins.

    Attributes:
        x: the header name of the column that the others are taken over. Where several
            columns have it, each column is taken over the nearest on its left. A list
            of names is joined by a blank: ``["Date", "Time"]``.
        start: the first x, where no column has it; also ``{key = "X0"}``, or
            ``{column = "Start"}`` for the text that the row of units has there.
        step: the distance from one x to the next, likewise.
        x_unit: the unit of x, where it is not in the header or a row.
        y: a regular expression that fits the whole header names, or a list of names;
            by default every column that nothing else is declared for.
        except_: (written ``except``) likewise, those that are none.
        by: columns whose change begins a new phase (a step, a cycle).
        join: rows of one ``by`` are one phase wherever they stand, as where each row
            holds a point of another signal.
        unit: the unit of every y, where it is not in the header or a row.
        units: a regular expression that fits the whole names of the columns that hold
            the unit of the column on their left: ``Unit.*``.
        durations: whether x is how long it took, as ``0:01:30.5`` or ``2 03:04:05`` (a
            day of 24 hours before it); it is then read in seconds.
    """

    x: tuple[str, ...] = attrs.field(default=(), converter=_x_names, validator=texts)
    start: FieldSource | None = attrs.field(default=None, converter=_start)
    step: FieldSource | None = attrs.field(default=None, converter=_step)
    x_unit: FieldSource | None = attrs.field(default=None, converter=_x_unit)
    y: ColumnChoice | None = attrs.field(default=None, converter=_measured)
    except_: ColumnChoice | None = attrs.field(default=None, converter=_excepted)
    by: tuple[str, ...] = attrs.field(
        default=(), converter=text_or_texts, validator=texts
    )
    join: bool = attrs.field(default=False, validator=boolean)
    unit: FieldSource | None = attrs.field(default=None, converter=_unit)
    units: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )
    durations: bool = attrs.field(default=False, validator=boolean)

    @property
    def x_name(self) -> str | None:
        """What x is called; None where nothing names it."""
        return " ".join(self.x) or None


class RecordMeaning(StrEnum):
    """What a record says."""

    BATCH = "batch"
    UNIT = "unit"
    DETAILS = "details"
    PHASE = "phase"
    MEASUREMENT = "measurement"
    LIMITS = "limits"
    NOTE = "note"
    END = "end"
    DROP = "drop"


def _meaning(value: object) -> RecordMeaning:
    return RecordMeaning(check_choice(value, RecordMeaning, "record", "is"))


def _record_fields(value: object) -> Mapping[Field, FieldSource]:
    return field_table(value, "fields")


@attrs.frozen(kw_only=True)
class RecordKind:
    """
    What the records of one kind are.

    Attributes:
        is_: (written ``is``) ``unit`` begins a run; ``batch`` says something of all
            runs that follow; ``details`` and ``end`` say something of the run that is
            open, and ``end`` ends it; ``phase`` begins a phase; ``measurement`` and
            ``limits`` (of the measurement before); ``note`` is a log entry; ``drop``.
        fields: the position of each field in the record, counted from 1, or a table
            as in ``fields`` of the profile.
        attributes: names of further positions: ``{3 = "nominal"}``.
        pattern: a regular expression that tells the record; its named groups that are
            fields are these fields.
    """

    is_: RecordMeaning = attrs.field(converter=_meaning)
    fields: Mapping[Field, FieldSource] = attrs.field(
        factory=dict[Field, FieldSource], converter=_record_fields
    )
    attributes: Mapping[int, str] = attrs.field(factory=dict[int, str])
    pattern: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )

    def __attrs_post_init__(self) -> None:
        named: dict[int, str] = {}
        for key, label in table(self.attributes, "attributes").items():
            if not str(key).isdigit() or not isinstance(label, str):
                raise setting_error(
                    "must be a name by position",
                    f"attributes.{key}",
                    'write it as attributes = {3 = "nominal"}',
                )
            named[int(key)] = label
        object.__setattr__(self, "attributes", named)


def _kinds(value: object) -> Mapping[str, RecordKind]:
    return {
        str(name): item
        if isinstance(item, RecordKind)
        else from_mapping(RecordKind, item, f"kinds.{name}")
        for name, item in table(value, "kinds").items()
    }


def _kind_by(value: object) -> int | str:
    if (type(value) is int and value > 0) or value in ("blanks", "pattern"):
        return value
    raise setting_error(
        f"must be a position counted from 1, blanks or pattern, not {value!r}", "kind"
    )


@attrs.frozen(kw_only=True)
class RecordRules:
    """
    How a file of records of several kinds is read.

    Attributes:
        kind: what tells the kind of a record: the position of a cell, counted from 1;
            ``blanks``, the number of blank cells before the first filled one; or
            ``pattern``, the first kind whose pattern is found in the line.
        kinds: the kinds, by their word; ``*`` and ``?`` stand for any signs.
        begin: the sign that begins a record, where one line holds several.
        end: the sign that ends a record; the phase ends with its record.
    """

    kind: int | str = attrs.field(default=1, converter=_kind_by)
    kinds: Mapping[str, RecordKind] = attrs.field(converter=_kinds)
    begin: str | None = attrs.field(default=None, validator=optional_text)
    end: str | None = attrs.field(default=None, validator=optional_text)

    def __attrs_post_init__(self) -> None:
        if not self.kinds:
            raise setting_error("names no kind of record", "kinds")
        if self.kind == "pattern":
            for name, kind in self.kinds.items():
                if kind.pattern is None:
                    raise setting_error("is missing", f"kinds.{name}.pattern")

    def find(self, word: str) -> RecordKind | None:
        """Give the kind of a word, or None for one that is not declared."""
        exact = self.kinds.get(word)
        if exact is not None:
            return exact
        patterns: Sequence[str] = [name for name in self.kinds if set(name) & set("*?")]
        for name in patterns:
            if fnmatch.fnmatchcase(word, name):
                return self.kinds[name]
        return None
