"""
A record as its source states it, before any rule of translation.

Two readers fill these classes: :mod:`rigbridge_openhtf.live.records` from live objects
and :mod:`rigbridge_openhtf.documents.json_record` from JSON of any era. They settle
only what differs between the sources. Every rule is behind them, in
:mod:`rigbridge_openhtf.translation.runs`, so a test gives the same run either way.

Fields are ``object`` because nothing is checked here: an author may put anything into
a live record, and a JSON file may have been edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = [
    "ABSENT",
    "BytesUnreadableError",
    "RawAttachment",
    "RawCode",
    "RawLog",
    "RawMeasurement",
    "RawPhase",
    "RawRecord",
    "RawUnit",
    "RawValidator",
]


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""Marks a field that the source does not have; null is a value of its own."""


class BytesUnreadableError(Exception):
    """The bytes of one attachment cannot be read; the rest of the record can."""


@attrs.frozen(kw_only=True)
class RawCode:
    """What a record says about a piece of code: name, docstring and source code."""

    name: object = None
    docstring: object = None
    source_code: object = None


@attrs.frozen(kw_only=True)
class RawUnit:
    """A unit of measure, or a dimension, which also has a description."""

    name: object = None
    code: object = None
    suffix: object = None
    description: object = None


@attrs.frozen(kw_only=True)
class RawValidator:
    """
    A condition on a measured value.

    Attributes:
        bounds: minimum and maximum, both inclusive, where the object tells.
    """

    text: str
    bounds: tuple[object, object] | None = None


@attrs.frozen(kw_only=True)
class RawMeasurement:
    """
    A measurement.

    Attributes:
        value: what was measured, ABSENT if nothing was; with dimensions a list of
            rows, the measured value last.
        unit: its unit, or None.
        dimensions: what it is measured over, or None for a single value.
        set_millis: when it was set, or None.
    """

    name: object
    outcome: object = None
    value: object = ABSENT
    unit: RawUnit | None = None
    dimensions: Sequence[RawUnit] | None = None
    validators: Sequence[RawValidator] = ()
    docstring: object = None
    set_millis: object = None
    rest: Mapping[str, object] = attrs.field(factory=dict[str, object])


@attrs.frozen(kw_only=True)
class RawAttachment:
    """
    A file of a phase.

    Attributes:
        name: the name it was attached under.
        media_type: its media type, or None.
        sha1: the digest that the record states, or None.
        size: its length, or None where the source does not say.
        chunks: gives the bytes piece by piece; raises
            :class:`BytesUnreadableError`. None where the source holds none.
        file: a file with the bytes that nobody writes to any more, or None.
        verify: whether the bytes can differ from the digest.
    """

    name: object
    media_type: object = None
    sha1: object = None
    size: int | None = None
    chunks: Callable[[], Iterable[bytes]] | None = None
    file: Path | None = None
    verify: bool = False


@attrs.frozen(kw_only=True)
class RawLog:
    """A line of the log."""

    level: object = None
    logger: object = None
    source: object = None
    line: object = None
    millis: object = None
    message: object = None


@attrs.frozen(kw_only=True)
class RawPhase:
    """
    A phase.

    Attributes:
        outcome: the verdict as spelled, or None, as in records before 2017.
        result: what the phase returned (``{"phase_result": ...}``), or ABSENT.
        start_millis: when it began.
        end_millis: when it ended.
        subtest: the name of the subtest it belongs to, or None.
        around: the names of the groups and subtests around it, outermost first, as far
            as the source tells.
        code: what is said about its code.
        measurements: in the order of the record; given up by the translation.
        attachments: in the order of the record.
    """

    name: object
    outcome: object = None
    result: object = ABSENT
    start_millis: object = None
    end_millis: object = None
    subtest: object = None
    around: Sequence[object] = ()
    code: RawCode = attrs.field(factory=RawCode)
    measurements: list[RawMeasurement] = attrs.field(factory=list[RawMeasurement])
    attachments: Sequence[RawAttachment] = ()
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])
    rest: Mapping[str, object] = attrs.field(factory=dict[str, object])


@attrs.frozen(kw_only=True)
class RawRecord:
    """
    A whole test record.

    Attributes:
        dut_id: the serial number of the unit under test.
        outcome_details: code and description of what went wrong.
        start_millis: when the test began.
        end_millis: when it ended.
        metadata: what the author of the test added.
        code: what is said about the test program.
        phases: in the order of the record.
        logs: in the order of the record.
        unread: place and reason of what the record's own objects did not give.
    """

    dut_id: object = None
    station_id: object = None
    outcome: object = None
    outcome_details: Sequence[object] = ()
    start_millis: object = None
    end_millis: object = None
    # Keys too may be anything: metadata of a live test is a plain dict of the author.
    metadata: Mapping[Any, object] = attrs.field(factory=dict[Any, object])
    code: RawCode = attrs.field(factory=RawCode)
    phases: Sequence[RawPhase] = ()
    logs: Sequence[RawLog] = ()
    rest: Mapping[str, object] = attrs.field(factory=dict[str, object])
    unread: Sequence[tuple[str, str]] = ()
