"""One line of a run's log."""

from __future__ import annotations

from datetime import datetime

import attrs

from rigbridge.model.outcome import LogLevel, as_log_level
from rigbridge.model.values import (
    as_path_text,
    aware_or_none,
    count_or_none,
    is_,
    optional_text,
    word_of,
)

__all__ = ["LogEntry"]


@attrs.frozen(kw_only=True)
class LogEntry:
    """
    A log line.

    Attributes:
        level: its severity, also as its plain word (``"INFO"``).
        message: its text, which may be empty and may span lines.
        time: when it was written, aware; None where unknown.
        source_file: the file that wrote it, or None.
        line: the line in that file, counted from 1, or None.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    level: LogLevel = attrs.field(converter=as_log_level, validator=word_of(LogLevel))
    message: str = attrs.field(validator=is_(str))
    time: datetime | None = attrs.field(default=None, validator=aware_or_none)
    source_file: str | None = attrs.field(
        default=None, converter=as_path_text, validator=optional_text
    )
    line: int | None = attrs.field(default=None, validator=count_or_none)
