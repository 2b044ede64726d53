"""
Which run a record is: the same one, however often it is handed over.

A script may add one callback twice, or a callback and a station to one test. OpenHTF
then hands each record over again, and after a fork both processes have it. In one data
folder and for one destination it is one run all the same.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable
from itertools import islice
from typing import Any, TypeAlias
from uuid import UUID, uuid4, uuid5

import attrs

from rigbridge_openhtf.guarded import Guard
from rigbridge_openhtf.live.hand_over import HandOver

__all__ = ["KnownRecord", "known_record"]

_RecordPlace: TypeAlias = tuple[object, ...]

_NAMESPACE = UUID("5d3c8a52-8d0e-4a4c-9a55-3f3a0c1f2b77")
# OpenHTF's own name of an execution, of which 16 digits are random; it stands in the
# loggers of its lines, and nowhere else in a record.
_EXECUTION = re.compile(r"openhtf\.test_record\.(\d+:[^.:]*:[0-9a-f]{16}:\d+)(?:\.|$)")
_LINES_ASKED = 20


@attrs.define(eq=False)
class KnownRecord:
    """
    A record in one place.

    Attributes:
        handed_over: what became of it, once it was handed over; else None.
    """

    run_id: UUID = attrs.field(factory=uuid4)
    handed_over: HandOver | None = None


# By identity, since equal records of two tests are two. No lock: a fork could leave it
# locked for ever, and each of these operations of a dict is atomic.
_known: dict[int, tuple[weakref.ref[Any], dict[_RecordPlace, KnownRecord]]] = {}


def known_record(record: Any, place: _RecordPlace) -> KnownRecord:
    """
    Give what is known of a record.

    Args:
        record: the record. One whose times change is another one: a program that
            tests callbacks may use one object for several.
    """
    guard = Guard()  # what fails here is noted when the record is written
    times = tuple(
        guard.field(record, name) for name in ("start_time_millis", "end_time_millis")
    )
    run_id = guard.part("", lambda: _run_id(record, (*place, *times)), None)
    key = id(record)
    entry = _known.get(key)
    # The number of an object is given anew once it is gone.
    if entry is None or entry[0]() is not record:
        try:
            reference = weakref.ref(record, lambda _: _known.pop(key, None))
        except TypeError:
            return KnownRecord(run_id or uuid4())  # no object of OpenHTF
        entry = _known[key] = (reference, {})
    return entry[1].setdefault((*place, *times), KnownRecord(run_id or uuid4()))


def _run_id(record: Any, place: _RecordPlace) -> UUID | None:
    """Make the id that every process gives a record, as long as its lines name it."""
    lines: Iterable[Any] = islice(record.log_records, _LINES_ASKED)
    names = (str(getattr(line, "logger_name", "")) for line in lines)
    execution = next(filter(None, map(_EXECUTION.match, names)), None)
    if execution is None:
        return None
    # What follows as well: a program may make several records of one by copying it.
    told = (execution[1], record.dut_id, record.outcome, len(record.phases), *place)
    return uuid5(_NAMESPACE, "\n".join(map(str, told)))
