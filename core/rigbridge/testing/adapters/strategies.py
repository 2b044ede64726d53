"""
Hypothesis strategies that make whole runs, for round trips of every kind.

Needs hypothesis, which the user of the strategies brings.
"""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from rigbridge.model import (
    Attachment,
    Axis,
    Instrument,
    JSONObject,
    Limit,
    LogEntry,
    LogLevel,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Provenance,
    Run,
    RunOutcome,
    Series,
    SubUnit,
    Unit,
)

__all__ = ["measurements", "phases", "runs", "series", "texts"]

_EARLIEST = datetime(1980, 1, 1)  # noqa: DTZ001 - hypothesis wants naive bounds
_LATEST = datetime(2090, 1, 1)  # noqa: DTZ001 - likewise
_INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
_SERIALS = st.text(string.ascii_letters + string.digits + "-_.", min_size=1)
_OR_NO_SERIAL = st.none() | _SERIALS
_SERIAL_LISTS = st.lists(_SERIALS, max_size=2)
_SPELLINGS = st.sampled_from(["NaN", "Infinity", "-Infinity", "", " ", "0", "True"])


# Kept, since to make a strategy anew takes longer than to draw from it.
@cache
def texts(max_size: int = 40) -> st.SearchStrategy[str]:
    """Make texts that are not blank."""
    return st.text(min_size=1, max_size=max_size).filter(
        lambda text: not text.isspace()
    )


@cache
def _names() -> st.SearchStrategy[str]:
    # Few are longer than a store takes: each character is drawn on its own.
    return texts() | texts(12).map(lambda text: (text * 300)[:300])


@cache
def _times() -> st.SearchStrategy[datetime]:
    return st.datetimes(_EARLIEST, _LATEST, timezones=st.just(UTC))


@cache
def _json() -> st.SearchStrategy[Any]:
    leaves = (
        st.none()
        | st.booleans()
        | _INTEGERS
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=12)
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=6,
    )


@cache
def _objects() -> st.SearchStrategy[JSONObject]:
    return st.dictionaries(st.text(max_size=12), _json(), max_size=3)


@cache
def _scalars() -> st.SearchStrategy[Any]:
    return st.floats() | _INTEGERS | st.booleans() | st.none() | _SPELLINGS | st.text()


@st.composite
def series(draw: st.DrawFn) -> Series:
    """Make series of one to three axes, each of one kind of number or mixed."""
    points = draw(st.integers(min_value=0, max_value=5))
    kinds = [st.floats(), _INTEGERS, _scalars()]
    axes = [
        Axis(
            name=draw(st.none() | texts(12)),
            unit=draw(st.none() | texts(6)),
            values=draw(
                st.lists(draw(st.sampled_from(kinds)), min_size=points, max_size=points)
            ),
        )
        for _ in range(draw(st.integers(min_value=1, max_value=3)))
    ]
    return Series(axes=tuple(axes))


@cache
def _limits() -> st.SearchStrategy[Limit]:
    bounds = st.none() | _INTEGERS | st.floats(allow_nan=False, allow_infinity=False)
    return st.builds(
        Limit,
        lower=bounds,
        upper=bounds,
        lower_inclusive=st.booleans(),
        upper_inclusive=st.booleans(),
        comparator=st.none() | st.sampled_from(["GELE", "GT", "EQT"]),
    )


@cache
def measurements() -> st.SearchStrategy[Measurement]:
    """Make measurements of every kind of value."""
    lists = st.lists(_json(), max_size=3)
    return st.builds(
        Measurement,
        name=_names(),
        outcome=st.sampled_from(MeasurementOutcome),
        value=_scalars() | series() | lists | st.dictionaries(st.text(), _json()),
        unit=st.none() | texts(6),
        limits=st.none() | _limits(),
        validators=st.lists(texts(20), max_size=2).map(tuple),
        docstring=st.none() | texts(),
        instrument=st.none() | texts(12),
        attributes=_objects(),
    )


@cache
def phases() -> st.SearchStrategy[Phase]:
    """Make phases, nested or not, with known and unknown times."""
    return st.builds(
        Phase,
        name=_names(),
        outcome=st.sampled_from(PhaseOutcome),
        started_at=st.none() | _times(),
        ended_at=st.none() | _times(),
        path=st.lists(texts(20), max_size=3).map(tuple),
        measurements=st.lists(measurements(), max_size=3).map(tuple),
        docstring=st.none() | texts(),
        attributes=_objects(),
    )


@cache
def _instruments() -> st.SearchStrategy[list[Instrument]]:
    one = st.builds(
        Instrument,
        name=texts(12),
        serial_number=st.none() | texts(12),
        calibration_due=st.none() | st.dates(),
    )
    return st.lists(one, max_size=2, unique_by=lambda instrument: instrument.name)


@cache
def _logs() -> st.SearchStrategy[LogEntry]:
    return st.builds(
        LogEntry,
        level=st.sampled_from(LogLevel),
        message=st.text(max_size=40),
        time=st.none() | _times(),
        source_file=st.none() | texts(20),
        line=st.none() | st.integers(min_value=0, max_value=10_000),
    )


@cache
def _references() -> st.SearchStrategy[Attachment]:
    return st.builds(Attachment, name=texts(20), media_type=st.none() | texts(10))


@cache
def _provenances() -> st.SearchStrategy[Provenance]:
    return st.builds(
        Provenance,
        adapter=texts(12),
        adapter_version=st.none() | texts(8),
        uri=st.none() | texts(),
        digest=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
        index=st.none() | st.integers(min_value=0, max_value=99),
        format=st.none() | texts(12),
        format_version=st.none() | texts(8),
    )


@st.composite
def runs(draw: st.DrawFn, *, storable: bool = True) -> Run:
    """
    Make runs.

    Args:
        storable: only runs that a store takes, with a serial number and a procedure;
            otherwise both may be missing.
    """
    named = draw(texts(60) if storable else st.none() | texts(60))
    started = draw(st.none() | _times())
    ended = draw(
        st.none()
        | (
            _times()
            if started is None
            else st.timedeltas(
                min_value=timedelta(seconds=-1), max_value=timedelta(days=400)
            ).map(lambda duration: started + duration)
        )
    )
    numbers = _SERIALS if storable else _OR_NO_SERIAL
    optional = st.none() | texts(20)
    return Run(
        id=draw(st.uuids()),
        outcome=draw(st.sampled_from(RunOutcome)),
        procedure=ProcedureRef(name=named, version=draw(st.none() | texts(70))),
        unit=Unit(
            serial_number=draw(numbers),
            part_number=draw(optional),
            part_name=draw(optional),
            revision=draw(optional),
            batch_number=draw(optional),
        ),
        started_at=started,
        ended_at=ended,
        operator=draw(optional),
        station=draw(optional),
        instruments=tuple(draw(_instruments())),
        docstring=draw(optional),
        phases=tuple(draw(st.lists(phases(), max_size=3))),
        logs=tuple(draw(st.lists(_logs(), max_size=3))),
        attachments=tuple(draw(st.lists(_references(), max_size=2))),
        metadata=draw(_objects()),
        source=draw(st.none() | _provenances()),
        sub_units=tuple(
            SubUnit(serial_number=number)
            for number in ([] if storable else draw(_SERIAL_LISTS))
        ),
    )
