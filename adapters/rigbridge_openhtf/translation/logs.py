"""
The log of a record: the test's own lines, without the framework's debug lines.

OpenHTF puts its own debug output between the lines of the test. It is recognised by its
logger, or by OpenHTF's own module where it writes through the logger of the test.
"""

from __future__ import annotations

from collections.abc import Sequence

from rigbridge.model import JSONValue, LogEntry, LogLevel
from rigbridge_openhtf.raw_record import RawLog
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.numbers import read_integer, read_time
from rigbridge_openhtf.translation.values import simplify, text_of

__all__ = ["read_logs"]

# Python's logging has ten numbers for each level.
_STEP = 10
_LEVELS = (
    LogLevel.DEBUG,
    LogLevel.INFO,
    LogLevel.WARNING,
    LogLevel.ERROR,
    LogLevel.CRITICAL,
)
_NAMES = {level.value: level for level in LogLevel} | {
    "WARN": LogLevel.WARNING,
    "FATAL": LogLevel.CRITICAL,
    "NOTSET": LogLevel.DEBUG,
}
_FRAMEWORK = "openhtf."
# Tests and plugs write through loggers below this one, and so does the framework.
_TEST = "openhtf.test_record"
_FRAMEWORK_MODULES = frozenset(
    {
        "diagnoses_lib.py",
        "monitors.py",
        "phase_branches.py",
        "phase_executor.py",
        "phase_group.py",
        "test_descriptor.py",
        "test_executor.py",
        "test_state.py",
        "threads.py",
    }
)


def read_logs(
    lines: Sequence[RawLog], scope: Scope
) -> tuple[list[LogEntry], dict[str, JSONValue]]:
    """
    Read the log.

    Returns:
        The entries, and for each logger the positions of the entries that it wrote.
    """
    entries: list[LogEntry] = []
    loggers: dict[str, list[int]] = {}
    lowest = _LEVELS.index(scope.settings.log_level)
    for index, line in enumerate(lines):
        place = scope.at(f"[{index}]")
        level = _level(line.level, place)
        logger = text_of(line.logger, place, "logger")
        if _is_framework_debug(level, logger, line.source) and not (
            scope.settings.framework_logs
        ):
            place.omitted("log", "debug line of the framework", line.message)
            continue
        if _LEVELS.index(level) < lowest:
            place.omitted("log", "below log_level", line.message)
            continue
        # The model's entries have no logger; positions in the metadata keep it.
        if logger is not None:
            loggers.setdefault(logger, []).append(len(entries))
        entries.append(_entry(line, level, place))
        place.mapped("log")
    return entries, dict(loggers.items())


def _entry(line: RawLog, level: LogLevel, scope: Scope) -> LogEntry:
    number = read_integer(line.line, scope, "log line number")
    if number is not None and number < 0:
        scope.dropped("log line number", "is below 0", number)
        number = None
    message = line.message
    # Unlike other texts a message may be blank: it stays as it is.
    if type(message) is not str or not message.isascii():
        message = text_of(message, scope, "log message") or ""
    return LogEntry(
        level=level,
        message=message,
        time=read_time(line.millis, scope, "log time"),
        source_file=_source(line.source, scope),
        line=number,
    )


def _source(value: object, scope: Scope) -> str | None:
    """Read where a line was written; some loggers give a path in its parts."""
    plain = simplify(value, scope, "log source")
    if isinstance(plain, list):
        parts = [text_of(part, scope, "log source") for part in plain]
        known = [part for part in parts if part is not None]
        scope.coerced("log source", "list joined to one text", plain)
        return "/".join(known) or None
    return text_of(plain, scope, "log source")


def _level(value: object, scope: Scope) -> LogLevel:
    """Read a level: a number, or a name where the author spells it so."""
    plain = simplify(value, scope, "log level")
    if isinstance(plain, str) and plain.strip().upper() in _NAMES:
        return _NAMES[plain.strip().upper()]
    number = None if plain is None else read_integer(plain, scope, "log level")
    if number is None:
        scope.coerced("log level", "unknown level taken as INFO", plain)
        return LogLevel.INFO
    level = _LEVELS[min(max(number // _STEP - 1, 0), len(_LEVELS) - 1)]
    if number % _STEP or not _STEP <= number <= _STEP * len(_LEVELS):
        rule = "level of its own taken as the next one below"
        scope.coerced("log level", rule, number)
    return level


def _is_framework_debug(level: LogLevel, logger: str | None, source: object) -> bool:
    if level is not LogLevel.DEBUG or logger is None:
        return False
    if logger == _TEST or logger.startswith(f"{_TEST}."):
        # A foreign record may hold a list there, which no set can be asked for.
        return isinstance(source, str) and source in _FRAMEWORK_MODULES
    return logger == "openhtf" or logger.startswith(_FRAMEWORK)
