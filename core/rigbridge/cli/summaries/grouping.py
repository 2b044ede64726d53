"""What went wrong, grouped by reason: a thousand files fail in a handful of ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from rigbridge.cli.output import count_of, say_error, say_note
from rigbridge.errors import ModelError, NoRunError, RigbridgeError, RunProblemsError

__all__ = ["SERIAL_RULE", "MessageGroups"]

SERIAL_RULE = r"^(?P<serial_number>.+?)(\.[^.]*)?(\.gz)?$"
"""Finds a serial number that is the name of the file, without its extension."""

# More lines are read by nobody; it also bounds what is held in memory.
_MOST_GROUPS = 20
_FEW = 3
"""How many of one reason are named one by one."""

_NO_SERIAL = "$.unit.serial_number"
# What differs between messages of one reason: numbers, and what is quoted.
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\d+")


@attrs.define
class _MessageGroup:
    """
    Messages of one reason.

    Attributes:
        examples: the first of them, each with the file where it came up.
        times: how many there are.
        sources: in how many files.
        last: the file of the last one.
    """

    examples: list[tuple[str, RigbridgeError]] = attrs.field(
        factory=list[tuple[str, RigbridgeError]]
    )
    times: int = 0
    sources: int = 0
    last: str | None = None


class MessageGroups:
    """Gathers errors; holds one of each reason, whatever the number of files."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], _MessageGroup] = {}
        self._ungrouped = 0

    def add(self, source: str, error: RigbridgeError) -> None:
        """Take an error of a file; the problems of a run are taken one by one."""
        if isinstance(error, RunProblemsError):
            for problem in error.exceptions:
                if isinstance(problem, ModelError):
                    self._add(source, problem, _general(problem.path))
        else:
            self._add(source, error, "")

    def _add(self, source: str, problem: RigbridgeError, path: str) -> None:
        key = (type(problem).__name__, path, _general(problem.message))
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= _MOST_GROUPS:
                self._ungrouped += 1
                return
            group = self._groups[key] = _MessageGroup()
        if len(group.examples) < _FEW:
            group.examples.append((source, problem))
        group.times += 1
        group.sources += group.last != source
        group.last = source

    def show(self, retry: str | None, *, report: str) -> None:
        """
        Write a line for each reason to standard error.

        Args:
            retry: the command that tries again what is in quarantine, if anything is.
            report: the command that has all messages.
        """
        for group in self._groups.values():
            for error in _shown(group):
                say_error(error)
            if _lacks_serial(group.examples[0][1]):
                _say_serial_rule(retry)
        if self._ungrouped:
            say_note(
                f"and {count_of(self._ungrouped, 'message')} of other reasons; "
                f"'{report}' has all of them"
            )


def _shown(group: _MessageGroup) -> Iterator[RigbridgeError]:
    """Give a few errors as they are; of many, one that says how many there are."""
    for source, example in group.examples:
        kind = NoRunError if isinstance(example, NoRunError) else RigbridgeError
        place, where, message = example.place, source, example.message
        remedy = None if _lacks_serial(example) else example.remedy
        if group.times <= _FEW:
            yield kind(message, source=where, place=place, remedy=remedy)
            continue
        at = ": ".join(part for part in (where, place) if part)
        where = count_of(group.sources, "file")
        if group.times > group.sources:
            where = f"{group.times} times in {where}"
        yield kind(f"{message}; for example {at}", source=where, remedy=remedy)
        return


def _lacks_serial(error: RigbridgeError) -> bool:
    return isinstance(error, ModelError) and error.path == _NO_SERIAL


def _say_serial_rule(retry: str | None) -> None:
    # Reports of a sequence that is still being developed mostly have none.
    say_note("  if the file names hold it, write into rigbridge.toml")
    say_note("    [identity]")
    say_note(f"    file_name = ['{SERIAL_RULE}']")
    call = "" if retry is None else f"call '{retry}', or "
    say_note(
        f"  and {call}import again; '--serial-from file-name' does the same for one "
        "call (the name without its extension is the number, which is recorded)"
    )


def _general(text: str) -> str:
    return _VARIABLE.sub("#", text)
