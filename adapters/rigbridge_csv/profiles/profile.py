"""A profile: the declaration of how one kind of delimited log is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeAlias, cast

import attrs

from rigbridge_csv.limits import LimitPair
from rigbridge_csv.profiles.checks import (
    check_choice,
    check_texts,
    from_mapping,
    setting_error,
)
from rigbridge_csv.profiles.fields import RUN_FIELDS, Field
from rigbridge_csv.tables.values import check_format
from rigbridge_csv.verdicts import LoggedVerdict

__all__ = ["CSVProfile", "Layout", "ProfileMatch", "Undeclared"]


_Attribute: TypeAlias = "attrs.Attribute[Any]"


class Layout(StrEnum):
    """How the rows of a log are to be understood."""

    LONG = "long"


class Undeclared(StrEnum):
    """What becomes of a column that the profile does not declare."""

    ATTRIBUTES = "attributes"
    DROP = "drop"
    ERROR = "error"


# Values, verdicts and times are not among them: a constant would be made up.
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
) - {Field.STARTED_AT, Field.ENDED_AT, Field.RUN_OUTCOME}


def _text(_instance: object, attribute: _Attribute, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise setting_error(f"must be a text, not {value!r}", attribute.name)


def _optional_text(_instance: object, attribute: _Attribute, value: object) -> None:
    if value is not None:
        _text(_instance, attribute, value)


def _members(value: object) -> tuple[str, ...]:
    # What is no list is passed on to the validator, which knows the key.
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(cast("Iterable[str]", value))
    return cast("tuple[str, ...]", value)


def _texts(_instance: object, attribute: _Attribute, value: object) -> None:
    check_texts(value, attribute.name)


def _table(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise setting_error(f"must be a table, not {value!r}", place)
    return cast("Mapping[str, object]", value)


@attrs.frozen(kw_only=True)
class ProfileMatch:
    """
    Which files a profile is for; what is not said is not asked.

    Attributes:
        file_name: a pattern of the file's name (``ICT_*.csv``); case is ignored.
        columns: header names that must all be there, beside those of the profile.

    Raises:
        ConfigurationError: a value of the wrong kind; names the key.
    """

    file_name: str | None = attrs.field(default=None, validator=_optional_text)
    columns: tuple[str, ...] = attrs.field(
        default=(), converter=_members, validator=_texts
    )


def _match(value: object) -> ProfileMatch:
    if isinstance(value, ProfileMatch):
        return value
    return from_mapping(ProfileMatch, value, "match")


def _layout(value: object) -> Layout:
    return Layout(check_choice(value, Layout, "layout", "layout"))


def _undeclared(value: object) -> Undeclared:
    return Undeclared(check_choice(value, Undeclared, "way to go", "undeclared"))


def _pair(value: object) -> LimitPair | None:
    if value is None or isinstance(value, LimitPair):
        return value
    if not isinstance(value, str):
        raise setting_error(f"must be a text, not {value!r}", "limit_pair")
    return LimitPair(value)


def _columns(value: object) -> Mapping[Field, str | int]:
    declared: dict[Field, str | int] = {}
    for key, column in _table(value, "columns").items():
        place = f"columns.{key}"
        field = Field(check_choice(key, Field, "field", place))
        if isinstance(column, str) and column.strip():
            declared[field] = column.strip()
        # Not isinstance: True is an int, too.
        elif type(column) is int and column > 0:
            declared[field] = column
        else:
            raise setting_error(
                f"must be a header name or a number, not {column!r}",
                place,
                "columns are counted from 1, as a spreadsheet shows them",
            )
    return declared


def _constants(value: object) -> Mapping[Field, str]:
    declared: dict[Field, str] = {}
    for key, text in _table(value, "constants").items():
        place = f"constants.{key}"
        field = Field(check_choice(key, Field, "field", place))
        if field not in _CONSTANTS:
            raise setting_error(
                f"{key} cannot be a constant", place, "it must come from the log"
            )
        if not isinstance(text, str) or not text.strip():
            raise setting_error(f"must be a text, not {text!r}", place)
        declared[field] = text.strip()
    return declared


def _outcomes(value: object) -> Mapping[str, LoggedVerdict]:
    # Folded once here, since every verdict cell is looked up.
    declared: dict[str, LoggedVerdict] = {}
    for word, verdict in _table(value, "outcomes").items():
        spelled = verdict.upper() if isinstance(verdict, str) else verdict
        name = check_choice(spelled, LoggedVerdict, "outcome", f"outcomes.{word}")
        declared[str(word).strip().casefold()] = LoggedVerdict(name)
    return declared


def _sign(_instance: object, attribute: _Attribute, value: object) -> None:
    if value is None:
        return
    # What Python's csv module refuses, or takes and then misreads.
    if not isinstance(value, str) or len(value) != 1 or value in "\r\n\0\ufeff":
        raise setting_error(
            f"must be a single character, not {value!r}", attribute.name
        )


def _encoding(_instance: object, attribute: _Attribute, value: object) -> None:
    if value is None:
        return
    _text(_instance, attribute, value)
    try:
        # Four blanks are whole characters in every encoding. codecs.lookup would also
        # take codecs that give no text.
        b"    ".decode(str(value), "replace")
    except LookupError as error:
        raise setting_error(
            f"{value!r} is no known text encoding",
            "encoding",
            "use a name such as cp1252 or utf-16, or leave it out to have it found",
        ) from error


def _decimal(_instance: object, attribute: _Attribute, value: object) -> None:
    if value not in (".", ","):
        raise setting_error(f"must be . or , and not {value!r}", attribute.name)


def _formats(_instance: object, attribute: _Attribute, value: object) -> None:
    formats = cast("tuple[str, ...]", value)
    if not formats:
        raise setting_error("must name at least one format", attribute.name)
    for index, form in enumerate(formats):
        check_format(form, f"{attribute.name}[{index}]")


def _names(_instance: object, attribute: _Attribute, value: object) -> None:
    for index, name in enumerate(cast("tuple[str, ...]", value)):
        if not name.strip():
            raise setting_error("must not be blank", f"{attribute.name}[{index}]")


@attrs.frozen(kw_only=True)
class CSVProfile:
    """
    How one kind of delimited log is read.

    Attributes:
        name: what the user calls it.
        layout: how the rows are understood; ``long`` is a row a measurement.
        match: which files it is for, beyond the columns that it declares.
        delimiter: the sign between cells; None: found from the header.
        quote: the sign around cells that hold a delimiter; None: there is none.
        encoding: the text encoding; None: a byte order mark decides, else UTF-8, else
            it is guessed, which the report says.
        decimal: the decimal separator, ``.`` or ``,``.
        date_formats: ``iso``, ``unix``, ``unix-ms`` or patterns of ``strptime``, tried
            in this order. A time without an offset is in the site's time zone.
        columns: the header name of the column, or its number counted from 1, by field.
        optional: fields whose column may be lacking in a file.
        constants: texts for fields that the log lacks, by field. Verdicts, values
            and times cannot be constants.
        metadata: undeclared columns that belong to the run as a whole.
        outcomes: what the log's verdict words mean, beside the usual ones; case is
            ignored. One of PASS, FAIL, ERROR, TIMEOUT, ABORTED, RUNNING, SKIP, UNSET.
        missing: cells that mean "nothing", as a blank cell always does.
        run_key: fields or header names whose change starts a new run. Fields that a
            file lacks do not count.
        undeclared: what becomes of other columns: kept as ``attributes`` of what
            their row describes, ``drop`` (recorded), or ``error``.
        limit_pair: the form of the column ``limits``, as ``upper/lower``.

    Raises:
        ConfigurationError: a setting is wrong; the error names its key.
    """

    name: str = attrs.field(validator=_text)
    layout: Layout = attrs.field(default=Layout.LONG, converter=_layout)
    match: ProfileMatch = attrs.field(factory=ProfileMatch, converter=_match)
    delimiter: str | None = attrs.field(default=None, validator=_sign)
    quote: str | None = attrs.field(default='"', validator=_sign)
    encoding: str | None = attrs.field(default=None, validator=_encoding)
    decimal: str = attrs.field(default=".", validator=_decimal)
    date_formats: tuple[str, ...] = attrs.field(
        default=("iso",), converter=_members, validator=[_texts, _formats]
    )
    columns: Mapping[Field, str | int] = attrs.field(converter=_columns)
    optional: tuple[str, ...] = attrs.field(
        default=(), converter=_members, validator=_texts
    )
    constants: Mapping[Field, str] = attrs.field(
        factory=dict[Field, str], converter=_constants
    )
    metadata: tuple[str, ...] = attrs.field(
        default=(), converter=_members, validator=[_texts, _names]
    )
    outcomes: Mapping[str, LoggedVerdict] = attrs.field(
        factory=dict[str, LoggedVerdict], converter=_outcomes
    )
    missing: tuple[str, ...] = attrs.field(
        default=(), converter=_members, validator=_texts
    )
    run_key: tuple[str, ...] = attrs.field(
        default=(Field.SERIAL_NUMBER, Field.STARTED_AT),
        converter=_members,
        validator=[_texts, _names],
    )
    undeclared: Undeclared = attrs.field(
        default=Undeclared.ATTRIBUTES, converter=_undeclared
    )
    limit_pair: LimitPair | None = attrs.field(default=None, converter=_pair)

    def __attrs_post_init__(self) -> None:
        for index, name in enumerate(self.optional):
            place = f"optional[{index}]"
            if Field(check_choice(name, Field, "field", place)) not in self.columns:
                raise setting_error(f"{name} is not declared in columns", place)
        for field in self.constants:
            if field in self.columns:
                raise setting_error(
                    f"{field} has a column already",
                    f"constants.{field}",
                    "declare either the column or the constant",
                )
        if self.delimiter is not None and self.delimiter == self.quote:
            raise setting_error("is the same sign as quote", "delimiter")
        self._check_columns()

    def _check_columns(self) -> None:
        if Field.MEASUREMENT not in self.columns:
            raise setting_error(
                "names no column for measurement",
                "columns",
                "say which column holds the names of the measurements",
            )
        # One cell for both limits needs its form, and no other cell for a limit.
        if Field.LIMITS not in self.columns:
            return
        if self.limit_pair is None:
            raise setting_error(
                "is missing, though columns.limits is declared",
                "limit_pair",
                "say what the cells look like, as upper/lower",
            )
        for field in (Field.LOWER_LIMIT, Field.UPPER_LIMIT):
            if field in self.columns or field in self.constants:
                raise setting_error(
                    f"stands beside {field}",
                    "columns.limits",
                    "declare one cell for both limits, or one for each",
                )

    def required(self) -> tuple[str, ...]:
        """Name the header columns that a file of this profile cannot lack."""
        # run_key may name fields, which are found by their columns or do not count.
        fields = {str(field) for field in self.columns}
        return (
            *self.match.columns,
            *(
                column
                for field, column in self.columns.items()
                if isinstance(column, str) and field not in self.optional
            ),
            *self.metadata,
            *(name for name in self.run_key if name not in fields | set(Field)),
        )
