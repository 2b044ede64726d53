"""
Any text in PostgreSQL, which takes all characters but one.

A log line that a rig cut off may hold the character NUL. It travels behind a mark that
Unicode reserves for such inner use, as does the mark itself, so that every text comes
back as it was and equal texts stay equal.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.abc import Buffer
    from psycopg.types.string import StrDumperUnknown, TextLoader

    PostgreSQLConnection: TypeAlias = Connection[tuple[object, ...]]
else:
    # psycopg is there only where PostgreSQL is used.
    PostgreSQLConnection: TypeAlias = object

__all__ = ["PostgreSQLConnection", "accept_any_text"]

_MARK = "\U0010ffff"
_SPECIAL = re.compile(f"[\0{_MARK}]")
_ESCAPED = re.compile(f"{_MARK}(.)")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: _MARK + ("0" if found[0] == "\0" else "1"), text)


def _restored(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\0" if found[1] == "0" else _MARK, text)


def accept_any_text(connection: PostgreSQLConnection) -> None:
    """Let a connection take and give back any text."""
    dumper, loader = _adapters()
    connection.adapters.register_dumper(str, dumper)
    for kind in ("text", "varchar"):
        connection.adapters.register_loader(kind, loader)


@cache
def _adapters() -> tuple[type[StrDumperUnknown], type[TextLoader]]:
    from psycopg.types.string import (
        StrDumperUnknown,
        TextLoader,
    )

    class AnyTextDumper(StrDumperUnknown):
        """Writes a text; most have nothing to escape."""

        def dump(self, obj: str) -> Buffer | None:
            if "\0" in obj or _MARK in obj:
                obj = _escaped(obj)
            return super().dump(obj)

    class AnyTextLoader(TextLoader):
        """Reads a text."""

        def load(self, data: Buffer) -> bytes | str:
            text = super().load(data)
            if isinstance(text, str) and _MARK in text:
                return _restored(text)
            return text

    return AnyTextDumper, AnyTextLoader
