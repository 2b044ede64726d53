"""
Options of plain types, read without the library that Typer reads every type with.

Recent releases of Typer build a Pydantic adapter for each option of a command, given or
not. Importing Pydantic takes longer than all the rest of a command that has nothing to
do. Texts, paths and choices that are in order need none of it; all else, above all what
is wrong, is left to Typer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

__all__ = ["read_plainly"]


def read_plainly(command: Any) -> None:
    """
    Let the options of a command, and of those below it, be read without Pydantic.

    Args:
        command: a command or a group of Typer's, whose classes are click's or its own.
    """
    given = command.get_params

    def get_params(ctx: Any) -> list[Any]:
        # Among them is the option --help, which is made for each call.
        parameters: list[Any] = given(ctx)
        for parameter in parameters:
            build = getattr(parameter, "get_runtime_param", None)
            # Earlier releases of Typer read them without Pydantic themselves.
            if build is not None and not isinstance(build, _PlainValues):
                parameter.get_runtime_param = _PlainValues(parameter, build)
        return parameters

    command.get_params = get_params
    for member in getattr(command, "commands", {}).values():
        read_plainly(member)


class _PlainValues:
    """
    Stands in for what Typer reads the values of one option with.

    Args:
        parameter: the option or argument.
        build: makes Typer's own.
    """

    def __init__(self, parameter: Any, build: Callable[[], Any]) -> None:
        self._build = build
        annotation = parameter.type_descriptor.annotation
        self._is_list = get_origin(annotation) is list
        self._type = get_args(annotation)[0] if self._is_list else annotation

    def __call__(self) -> _PlainValues:
        return self

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """Give the value as its type."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if self._is_list and isinstance(value, (list, tuple)):
            values = [self._plain(item, param) for item in value]
            if None not in values:
                return values
        elif (plain := self._plain(value, param)) is not None:
            return plain
        return self._build().coerce(value, param=param, ctx=ctx)

    def _plain(self, value: Any, parameter: Any) -> Any:
        """Give one value as its type; None for what Typer has to look at."""
        kind = self._type
        if kind is str and isinstance(value, str):
            return value
        if kind is Path and isinstance(value, str):
            return Path(value) if _is_fine(value, parameter) else None
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return next((item for item in kind if item == value), None)
        return None


def _is_fine(path: str, parameter: Any) -> bool:
    """Say whether Typer has nothing to complain of a path."""
    wished = parameter.type_descriptor.parameter_info
    if wished.exists or wished.writable or wished.resolve_path or wished.allow_dash:
        return False
    if not (wished.file_okay and wished.dir_okay):
        return False
    return not wished.readable or os.access(path, os.R_OK) or not os.path.exists(path)  # noqa: PTH110
