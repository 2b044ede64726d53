"""A profile: the declaration of how one kind of delimited log is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from rigbridge.adapters.text.verdicts import LoggedVerdict
from rigbridge_csv.profiles.checks import (
    boolean,
    check_choice,
    check_renamed,
    compiled,
    from_mapping,
    is_pattern,
    members,
    optional_text,
    required_text,
    setting_error,
    table,
    text_or_texts,
    texts,
)
from rigbridge_csv.profiles.fields import RUN_FIELDS, Field, FieldSource
from rigbridge_csv.profiles.forms import (
    LogForm,
    MeasurementColumns,
    RecordRules,
    RunText,
    SeriesRule,
    field_table,
    run_texts,
)
from rigbridge_csv.profiles.place import (
    BlockPlace,
    DataPlace,
    HeaderPlace,
    KeyPlace,
    ProfileMatch,
    Role,
    RolePlace,
    role_places,
)
from rigbridge_csv.profiles.runs import RunRule, run_rule
from rigbridge_csv.profiles.signs import (
    QuoteSign,
    is_decimal,
    is_encoding,
    quote_of,
    sign_of,
    time_formats,
)

__all__ = ["CSVProfile", "Undeclared", "make_profile"]

_Attribute: TypeAlias = "attrs.Attribute[Any]"
_Kind = TypeVar("_Kind")


class Undeclared(StrEnum):
    """What becomes of a column that the profile does not declare."""

    ATTRIBUTES = "attributes"
    DROP = "drop"
    ERROR = "error"


# Values are not among them: a constant would be made up.
_CONSTANTS = frozenset(
    {
        *RUN_FIELDS,
        Field.PHASE,
        Field.UNIT,
        Field.LOWER_LIMIT,
        Field.UPPER_LIMIT,
        Field.COMPARATOR,
        Field.DOCSTRING,
    }
)

_GROUPS = frozenset({"name", "unit", "lower", "upper", "equal", "comparator"})


def _outcomes(value: object) -> Mapping[str, LoggedVerdict]:
    # Folded once here, since every verdict cell is looked up.
    declared: dict[str, LoggedVerdict] = {}
    for word, verdict in table(value, "outcomes").items():
        spelled = verdict.upper() if isinstance(verdict, str) else verdict
        name = check_choice(spelled, LoggedVerdict, "outcome", f"outcomes.{word}")
        # Folded, since stations spell one word in several ways.
        declared[str(word).strip().casefold()] = LoggedVerdict(name)
    return declared


def _names(_instance: object, attribute: _Attribute, value: object) -> None:
    for index, name in enumerate(cast("tuple[str, ...]", value)):
        if not name.strip():
            raise setting_error("must not be blank", f"{attribute.name}[{index}]")


def _made(kind: type[_Kind], value: object, name: str) -> _Kind:
    return value if isinstance(value, kind) else from_mapping(kind, value, name)


def _match(value: object) -> ProfileMatch:
    return _made(ProfileMatch, value, "match")


def _header(value: object) -> HeaderPlace:
    return _made(HeaderPlace, value, "header")


def _keys(value: object) -> KeyPlace | None:
    return None if value is None else _made(KeyPlace, value, "keys")


def _data(value: object) -> DataPlace:
    return _made(DataPlace, value, "data")


def _blocks(value: object) -> BlockPlace | None:
    return None if value is None else _made(BlockPlace, value, "blocks")


def _measurements(value: object) -> MeasurementColumns:
    return _made(MeasurementColumns, value, "measurements")


def _series(value: object) -> SeriesRule:
    return _made(SeriesRule, value, "series")


def _records(value: object) -> RecordRules | None:
    return None if value is None else _made(RecordRules, value, "records")


def _fields(value: object) -> Mapping[Field, FieldSource]:
    return field_table(value, "fields")


def _form(value: object) -> LogForm:
    return LogForm(check_choice(value, LogForm, "form", "form"))


def _duplicates(value: object) -> str:
    return check_choice(value, ("refuse", "number"), "way to go", "duplicates")


def _verdict(value: object) -> str:
    return check_choice(value, ("log", "limits"), "way to judge", "verdict")


def _undeclared(value: object) -> Undeclared:
    return Undeclared(check_choice(value, Undeclared, "way to go", "undeclared"))


def _thousands(value: object) -> str | None:
    return sign_of(value, "thousands")


def _sheet(value: object) -> str | None:
    # TOML has sheet = 2 for a sheet of that name. What is neither is left to the
    # validator, which knows the key.
    return str(value) if type(value) is int else cast("str | None", value)


def _delimiter(value: object) -> str | None:
    return sign_of(value, "delimiter")


def _has_name(_instance: object, attribute: _Attribute, value: object) -> None:
    is_pattern(_instance, attribute, value)
    if isinstance(value, re.Pattern) and "name" not in value.groupindex:
        raise setting_error(
            "lacks the group name",
            "names",
            r"write it as '^(?P<name>.*?) \((?P<unit>.*)\)$'; further groups are "
            + ", ".join(sorted(_GROUPS)),
        )


@attrs.frozen(kw_only=True)
class CSVProfile:
    """
    How one kind of delimited log is read.

    Attributes:
        name: what you call it.
        form: ``long``, a row a measurement; ``wide``, a row a run and a column a
            measurement; ``series``, a column a series of points; ``record``, rows of
            several kinds.
        match: which files it is for, beyond the columns that it declares.
        delimiter: the sign between cells; ``tab`` for a tab, ``blanks`` for any number
            of blanks, ``wide blanks`` for two and more (single ones are within cells);
            by default found.
        quote: the sign around cells that hold a delimiter; an empty text: there is
            none; or a table.
        sheet: of a workbook, a pattern of the sheet's name (``Data*``) or its number;
            by default the first that holds anything.
        encoding: the text encoding; by default a byte order mark decides, else UTF-8,
            else it is guessed, which the report says.
        decimal: the decimal separator, ``.`` or ``,``.
        thousands: the sign between groups of three digits, as ``,`` in ``1,234.5``;
            none by default.
        suffixes: whether a letter behind a number is a power of ten, as in ``4.7k``.
        units: whether a unit stands behind each number, as in ``12.01 VDC``; it is
            that of the measurement.
        missing: cells that mean "nothing", as a blank cell always does.
        comment: what begins a line that is no row; such lines are keys where ``keys``
            is declared, else left out and recorded.
        dates: ``iso``, ``day-first``, ``month-first``, ``year-first``, ``unix``,
            ``unix-ms``, ``excel`` (a spreadsheet's number of days) or patterns of
            ``strptime``, tried in this order. A time without an offset is in the site's
            time zone.
        duplicates: what columns of one name are: ``refuse``, or ``number`` them.
        outcomes: what the log's verdict words mean, beside the usual ones; case is
            ignored, and ``"*"`` is every other word. One of PASS, FAIL, ERROR, TIMEOUT,
            ABORTED, RUNNING, SKIP, UNSET.
        header: where the names of the columns are.
        keys: lines of a name and its text; none by default.
        roles: rows or columns that say something of the others.
        data: which rows and columns are the table.
        blocks: several tables in one file.
        fields: where each field comes from: a header name, a number, or a table.
        optional: fields whose column may be lacking in a file.
        metadata: columns that belong to the run as a whole, by their header names, or
            tables.
        names: a regular expression that takes the name of a measurement apart, with
            the groups ``name``, ``unit``, ``lower``, ``upper``, ``equal``,
            ``comparator``; others become attributes.
        as_text: a regular expression that fits the whole names of measurements whose
            values are no numbers, however they look: ``1.10`` of a firmware version.
        measurements: the columns of the wide form.
        series: the columns of the series form.
        records: the kinds of the record form.
        runs: how rows become runs: fields or header names whose change starts a new
            one, by default serial number and start; ``"by key"`` joins what others
            interrupt; ``"file"`` is one run; or a table of ``key`` and ``join``.
        undeclared: what becomes of other columns and records: kept as ``attributes``,
            ``drop`` (recorded), or ``error``.
        verdict: ``log``, only what the log says; ``limits``, a value without a verdict
            is compared with its limits, and that is recorded.
        docstring: a text for every run of the log.

    Raises:
        ConfigurationError: a setting is wrong; the error names its key.
    """

    name: str = attrs.field(validator=required_text)
    form: LogForm = attrs.field(default=LogForm.LONG, converter=_form)
    match: ProfileMatch = attrs.field(factory=ProfileMatch, converter=_match)
    delimiter: str | None = attrs.field(default=None, converter=_delimiter)
    quote: QuoteSign = attrs.field(factory=QuoteSign, converter=quote_of)
    sheet: str | None = attrs.field(
        default=None, converter=_sheet, validator=optional_text
    )
    encoding: str | None = attrs.field(default=None, validator=is_encoding)
    decimal: str = attrs.field(default=".", validator=is_decimal)
    thousands: str | None = attrs.field(default=None, converter=_thousands)
    suffixes: bool = attrs.field(default=False, validator=boolean)
    units: bool = attrs.field(default=False, validator=boolean)
    missing: tuple[str, ...] = attrs.field(
        default=(), converter=members, validator=texts
    )
    comment: tuple[str, ...] = attrs.field(
        default=(), converter=text_or_texts, validator=[texts, _names]
    )
    dates: tuple[str, ...] = attrs.field(
        default=("iso",), converter=members, validator=[texts, time_formats]
    )
    duplicates: str = attrs.field(default="refuse", converter=_duplicates)
    outcomes: Mapping[str, LoggedVerdict] = attrs.field(
        factory=dict[str, LoggedVerdict], converter=_outcomes
    )
    header: HeaderPlace = attrs.field(factory=HeaderPlace, converter=_header)
    keys: KeyPlace | None = attrs.field(default=None, converter=_keys)
    roles: tuple[RolePlace, ...] = attrs.field(default=(), converter=role_places)
    data: DataPlace = attrs.field(factory=DataPlace, converter=_data)
    blocks: BlockPlace | None = attrs.field(default=None, converter=_blocks)
    fields: Mapping[Field, FieldSource] = attrs.field(
        factory=dict[Field, FieldSource], converter=_fields
    )
    optional: tuple[str, ...] = attrs.field(
        default=(), converter=members, validator=texts
    )
    metadata: tuple[RunText, ...] = attrs.field(default=(), converter=run_texts)
    names: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=_has_name
    )
    as_text: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )
    measurements: MeasurementColumns = attrs.field(
        factory=MeasurementColumns, converter=_measurements
    )
    series: SeriesRule = attrs.field(factory=SeriesRule, converter=_series)
    records: RecordRules | None = attrs.field(default=None, converter=_records)
    runs: RunRule | None = attrs.field(default=None, converter=run_rule)
    undeclared: Undeclared = attrs.field(
        default=Undeclared.ATTRIBUTES, converter=_undeclared
    )
    verdict: str = attrs.field(default="log", converter=_verdict)
    docstring: str | None = attrs.field(default=None, validator=optional_text)

    def __attrs_post_init__(self) -> None:
        # An optional field that is not declared is a spelling mistake.
        for index, name in enumerate(self.optional):
            place = f"optional[{index}]"
            if Field(check_choice(name, Field, "field", place)) not in self.fields:
                raise setting_error(f"{name} is not declared in fields", place)
        for field, source in self.fields.items():
            if source.value is not None and field not in _CONSTANTS:
                raise setting_error(
                    f"{field} cannot be a constant",
                    f"fields.{field}.value",
                    "it must come from the log",
                )
        # The same sign for both would read 1.234 in two ways.
        if self.thousands == self.decimal:
            raise setting_error("is the same sign as decimal", "thousands")
        if self.delimiter is not None and self.delimiter == self.quote.sign:
            raise setting_error("is the same sign as quote", "delimiter")
        self._check_form()
        self._check_limits()
        self._check_unit()
        self._check_short_rows()
        self._check_side_keys()

    def _check_form(self) -> None:
        needs_name = self.form is LogForm.LONG
        if needs_name and Field.MEASUREMENT not in self.fields:
            raise setting_error(
                "names no column for measurement",
                "fields",
                "say which column holds the names of the measurements, or declare "
                "another form: wide, series or record",
            )
        if (self.records is None) != (self.form is not LogForm.RECORD):
            raise setting_error(
                "is missing for form record"
                if self.records is None
                else f"is no part of form {self.form}",
                "records",
            )
        # A table of another form would be ignored without a word.
        for key, form in (("measurements", LogForm.WIDE), ("series", LogForm.SERIES)):
            if (
                self.form is not form
                and getattr(self, key) != type(getattr(self, key))()
            ):
                raise setting_error(f"is no part of form {self.form}", key)
        if self.form not in (LogForm.LONG, LogForm.RECORD):
            for field in (Field.MEASUREMENT, Field.VALUE, Field.LIMITS, Field.OUTCOME):
                if field in self.fields:
                    raise setting_error(
                        f"is no field of form {self.form}",
                        f"fields.{field}",
                        "its measurements are columns: declare them in measurements "
                        "or series",
                    )

    def _check_limits(self) -> None:
        # One cell for both limits needs its pattern, and no other cell for a limit.
        source = self.fields.get(Field.LIMITS)
        if source is None:
            return
        pattern = source.pattern
        groups: set[str] = set() if pattern is None else set(pattern.groupindex)
        if not groups & {"lower", "upper"}:
            raise setting_error(
                "lacks the groups lower and upper",
                "fields.limits.pattern",
                "say what the cells look like, as '(?P<upper>.*)/(?P<lower>.*)'",
            )
        for field in (Field.LOWER_LIMIT, Field.UPPER_LIMIT):
            if field in self.fields:
                raise setting_error(
                    f"stands beside {field}",
                    "fields.limits",
                    "declare one cell for both limits, or one for each",
                )

    def _check_unit(self) -> None:
        for field, source in self.fields.items():
            # Only a value has a unit of its own; that of a limit is the value's.
            if source.has_unit and field is not Field.VALUE:
                raise setting_error("has a group unit", f"fields.{field}.pattern")
            if source.has_unit and Field.UNIT in self.fields:
                raise setting_error(
                    "has a group unit beside fields.unit",
                    "fields.value.pattern",
                    "declare one of the two",
                )

    def _check_side_keys(self) -> None:
        columns = None if self.keys is None else self.keys.columns
        if self.header.beside and (self.data.columns is None or columns is None):
            raise setting_error(
                "needs data.columns and keys.columns",
                "header.beside",
                "they tell the table from the keys beside it",
            )

    def _check_short_rows(self) -> None:
        serial = self.fields.get(Field.SERIAL_NUMBER)
        # Only a pattern tells a short row of a run from the line at the end of a file.
        if (
            self.data.short == "not run"
            and serial is not None
            and serial.in_rows
            and serial.pattern is None
        ):
            raise setting_error(
                "asks for a pattern of the serial number",
                "data.short",
                "a footer is a short row as well: declare fields.serial_number = "
                "{column = ..., pattern = '^...$'}",
            )

    @property
    def run_rule(self) -> RunRule:
        """How rows become runs, also where nothing is declared."""
        return RunRule() if self.runs is None else self.runs

    @property
    def counts_x(self) -> bool:
        """Whether x may be counted from a start, where no column has it."""
        return self.series.start is not None or any(
            role.is_ is Role.START for role in self.roles
        )

    @property
    def record_rules(self) -> RecordRules:
        """The rules of the record form; of another form, none are to be had."""
        if self.records is None:
            raise setting_error("is missing for form record", "records")
        return self.records

    def required(self) -> tuple[str, ...]:
        """Name the header columns that a file of this profile cannot lack."""
        return self._required

    # Kept, since every file that is looked at asks for it.
    @cached_property
    def _required(self) -> tuple[str, ...]:
        # Runs may name fields, which are found by their columns or do not count.
        fields = {str(field) for field in self.fields}
        rule = self.series
        # Where x is counted from a start, a file may lack its column.
        x = () if self.counts_x else rule.x
        series = (*x, *rule.by) if self.form is LogForm.SERIES else ()
        return (
            *self.match.columns,
            *(
                column
                for field, source in self.fields.items()
                for column in source.in_rows
                if isinstance(column, str) and field not in self.optional
            ),
            *(text.column for text in self.metadata if text.column),
            *(name for name in self.run_rule.key if name not in fields | set(Field)),
            *series,
        )


def make_profile(value: object, place: str) -> CSVProfile:
    """
    Make a profile of a plain table, as TOML gives it.

    Raises:
        ConfigurationError: a key is unknown, replaced, or its value wrong; the error
            names its path.
    """
    if isinstance(value, CSVProfile):
        return value
    check_renamed(table(value, place), place)
    return from_mapping(CSVProfile, value, place)
