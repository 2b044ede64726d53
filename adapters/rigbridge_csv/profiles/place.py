"""Where the parts of a table stand in a file: the keys of a profile that say so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, cast

import attrs

from rigbridge_csv.profiles.checks import (
    boolean,
    check_choice,
    compiled,
    from_mapping,
    is_pattern,
    members,
    optional_count,
    optional_text,
    setting_error,
    texts,
)

__all__ = [
    "FURTHEST",
    "BlockMeaning",
    "BlockPlace",
    "DataPlace",
    "HeaderPlace",
    "KeyPlace",
    "ProfileMatch",
    "Role",
    "RolePlace",
    "role_places",
]


@attrs.frozen(kw_only=True)
class ProfileMatch:
    """
    Which files a profile is for; what is not said is not asked.

    Attributes:
        file_name: a pattern of the file's name (``ICT_*.csv``); case is ignored.
        columns: header names that must all be there, beside those of the profile.
        header: a regular expression that is found within the first lines of the file:
            in one of them, or, where it begins with flags (``(?ms)``), in all together.
        encoding: the text encoding that the file must be in.
    """

    file_name: str | None = attrs.field(default=None, validator=optional_text)
    columns: tuple[str, ...] = attrs.field(
        default=(), converter=members, validator=texts
    )
    header: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )
    encoding: str | None = attrs.field(default=None, validator=optional_text)


@attrs.frozen(kw_only=True)
class HeaderPlace:
    """
    Where the names of the columns are.

    Without it they are in the first line that holds every column that the profile
    declares, or in the first filled line where it declares none.

    Attributes:
        line: the line of the header, counted from 1.
        find: a regular expression; the first line in which it is found is the header.
        names: the names, where the file has none; with ``find`` in place of those of
            the line that is found.
        beside: keys stand beside the table, in columns of their own (``data.columns``,
            ``keys.columns``). With ``names`` the data begin in the first line.
    """

    line: int | None = attrs.field(default=None, validator=optional_count)
    find: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )
    names: tuple[str, ...] = attrs.field(default=(), converter=members, validator=texts)
    beside: bool = attrs.field(default=False, validator=boolean)

    def __attrs_post_init__(self) -> None:
        if self.line is not None and self.find is not None:
            raise setting_error("stands beside line", "find", "give one of the two")


def _separator(
    _instance: object, attribute: attrs.Attribute[Any], value: object
) -> None:
    if value is not None and (not isinstance(value, str) or not value):
        raise setting_error(f"must be a sign, not {value!r}", attribute.name)


def _two_columns(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    given = list(cast("Iterable[object]", value)) if isinstance(value, Iterable) else []
    # Name and text.
    if len(given) != 2 or any(type(item) is not int or item < 1 for item in given):
        raise setting_error(
            f"must be the column of the names and that of the texts, not {value!r}",
            "columns",
        )
    return cast("tuple[int, int]", tuple(given))


def _has_key_groups(
    instance: object, attribute: attrs.Attribute[Any], value: object
) -> None:
    is_pattern(instance, attribute, value)
    if isinstance(value, re.Pattern) and not {"key", "value"} <= set(value.groupindex):
        raise setting_error(
            "lacks the groups key and value",
            "pattern",
            "write it as ^(?P<key>[^:]+): (?P<value>.*)$",
        )


@attrs.frozen(kw_only=True)
class KeyPlace:
    """
    Lines of a name and its text, before or beside the header, or as comments.

    An empty table means: the first cell is the name, the others are the text.

    Attributes:
        separator: the sign between name and text within a line; ``tab`` for a tab.
        pattern: a regular expression with the groups ``key`` and ``value``.
        columns: the columns of the name and of the text, counted from 1.
        pairs: a line holds several: a name, its text, the next name, its text.
    """

    separator: str | None = attrs.field(default=None, validator=_separator)
    pattern: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=_has_key_groups
    )
    columns: tuple[int, int] | None = attrs.field(default=None, converter=_two_columns)
    pairs: bool = attrs.field(default=False, validator=boolean)

    def __attrs_post_init__(self) -> None:
        given = [self.separator, self.pattern, self.columns, self.pairs or None]
        if sum(item is not None for item in given) > 1:
            raise setting_error("takes one of separator, pattern, columns, pairs", "")


class Role(StrEnum):
    """What a row or a column holds that is neither header nor data."""

    UNIT = "unit"
    UPPER_LIMIT = "upper_limit"
    LOWER_LIMIT = "lower_limit"
    START = "start"
    STEP = "step"
    ATTRIBUTE = "attribute"
    NAME = "name"
    DROP = "drop"


FURTHEST = 8
"""How far from the header a row may have a role by its distance, in lines."""


def _role(value: object) -> Role:
    return Role(check_choice(value, Role, "role", "is"))


def _offset(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if type(value) is not int or not value or abs(value) > FURTHEST:
        raise setting_error(
            f"must be -{FURTHEST} to {FURTHEST} lines and not 0, not {value!r}",
            attribute.name,
        )


def _whole(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int:
        raise setting_error(f"must be a whole number, not {value!r}", attribute.name)


@attrs.frozen(kw_only=True)
class RolePlace:
    """
    A row or a column that says something of the others.

    Attributes:
        row: the text of the first filled cell of the row.
        offset: the row's distance from the header: 1 is the line below, -1 above.
        column: the header name of the column, or its number; only ``drop``.
        is_: (written ``is``) ``unit``, ``upper_limit``, ``lower_limit``, ``start`` and
            ``step`` (of the x of a series), ``attribute`` (kept with each measurement),
            ``name`` (the name of a column whose cell in the header is blank)
            or ``drop``.
        shift: how many columns further right than its own the columns of a row's cells
            stand: -1 where a label stands before the first, 2 where a row begins with
            the third column.
    """

    row: str | None = attrs.field(default=None, validator=optional_text)
    offset: int | None = attrs.field(default=None, validator=_offset)
    column: str | int | None = attrs.field(default=None)
    is_: Role = attrs.field(converter=_role)
    shift: int = attrs.field(default=0, validator=_whole)

    def __attrs_post_init__(self) -> None:
        given = [self.row, self.offset, self.column]
        if sum(item is not None for item in given) != 1:
            raise setting_error("needs one of row, offset and column", "")
        if self.column is not None and self.is_ is not Role.DROP:
            raise setting_error(
                f"a column cannot be {self.is_}",
                "is",
                f"declare fields.{self.is_} in long form, measurements in wide form",
            )


def role_places(value: object) -> tuple[RolePlace, ...]:
    """
    Make the roles of what a profile lists.

    Raises:
        ConfigurationError: one of them is none; names the key.
    """
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise setting_error(f"must be a list of tables, not {value!r}", "roles")
    made: list[RolePlace] = []
    for index, item in enumerate(cast("Iterable[object]", value)):
        place = f"roles[{index}]"
        made.append(
            item
            if isinstance(item, RolePlace)
            else from_mapping(RolePlace, item, place)
        )
    return tuple(made)


def _positions(value: object) -> tuple[int, int | None] | None:
    if value is None:
        return None
    first: object = None
    last: object = None
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+)\s*-\s*(\d*)\s*", value)
        if found:
            first, last = int(found[1]), int(found[2]) if found[2] else None
    elif isinstance(value, Iterable):
        given = list(cast("Iterable[object]", value))
        if len(given) == 2:  # first and last
            first, last = given
    if (
        type(first) is not int
        or first < 1
        or (last is not None and type(last) is not int)
    ):
        raise setting_error(
            f"must be the first and the last column, not {value!r}",
            "columns",
            'write [4, 5] or "4-"',
        )
    return first, last


def _short(value: object) -> str:
    return check_choice(value, ("refuse", "not run", "blank"), "way to go", "short")


@attrs.frozen(kw_only=True)
class DataPlace:
    """
    Which rows and columns are the table.

    Attributes:
        columns: the first and the last column: ``[4, 5]``, or ``"4-"`` without an end.
        end: a regular expression; the first line in which it is found ends the table.
        skip: a regular expression; lines in which it is found are no rows.
        short: what a row with fewer cells than the header is: ``refuse`` (its run), or
            ``not run`` or ``blank`` (the cells that it lacks are blank). ``not run``
            asks for a pattern of the serial number, which tells a unit from a footer.
    """

    columns: tuple[int, int | None] | None = attrs.field(
        default=None, converter=_positions
    )
    end: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )
    skip: re.Pattern[str] | None = attrs.field(
        default=None, converter=compiled, validator=is_pattern
    )
    short: str = attrs.field(default="refuse", converter=_short)

    def has(self, at: int) -> bool:
        """Say whether ``columns`` holds a position; without it none is held."""
        if self.columns is None:
            return False
        first, last = self.columns
        return first <= at + 1 and (last is None or at < last)


class BlockMeaning(StrEnum):
    """What a block of a file is."""

    RUN = "run"
    PHASE = "phase"


def _begin(value: object) -> re.Pattern[str]:
    found = compiled(value)
    if not isinstance(found, re.Pattern):
        raise setting_error(f"must be a regular expression, not {value!r}", "begin")
    return found


def _meaning(value: object) -> BlockMeaning:
    return BlockMeaning(check_choice(value, BlockMeaning, "block", "is"))


@attrs.frozen(kw_only=True)
class BlockPlace:
    """
    Several tables in one file.

    Attributes:
        begin: a regular expression; each line in which it is found begins a block. Its
            named groups are keys of the block; ``name`` is the name of a phase.
        is_: (written ``is``) ``run``: each block has runs of its own; ``phase``: the
            blocks are phases of one run (series form).
    """

    begin: re.Pattern[str] = attrs.field(converter=_begin)
    is_: BlockMeaning = attrs.field(default=BlockMeaning.RUN, converter=_meaning)
