"""The instruments of runs: which there are, and which runs used one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge_store.reading.conditions import Condition
from rigbridge_store.tables.schema import (
    instruments,
    run_instruments,
    run_moment,
    runs,
)

__all__ = [
    "InstrumentUse",
    "instrument_uses",
    "named_instruments",
    "runs_with",
    "used_with",
]

_EPOCH = date(1970, 1, 1).toordinal()


@attrs.frozen(kw_only=True)
class InstrumentUse:
    """
    An instrument, and what was tested with it.

    Attributes:
        serial_number: its serial number, or None if unknown.
        due: the last day of its calibration, as the newest run says; None if unknown.
        runs: how many runs used it.
        overdue: how many of them were after the last day of its calibration.
        latest: when the newest of the runs was that were stored last, in microseconds.
    """

    name: str
    serial_number: str | None
    due: date | None
    runs: int
    overdue: int
    latest: int

    @property
    def known_by(self) -> str:
        """What a search finds it by: its serial number, or else its name."""
        return self.serial_number or self.name


def used_with(
    instrument: str = "",
    *,
    overdue: bool = False,
    run: sa.ColumnElement[int] = runs.c.key,
) -> list[Condition]:
    """
    Demand a run that used an instrument.

    Args:
        instrument: its name or serial number, whole, without regard to case; blank
            stands for any.
        overdue: whether only uses count that were after the end of a calibration.
        run: the key of the run that is looked at.
    """
    wanted = _uses(instrument, overdue=overdue)
    if not wanted:
        return []
    return [sa.exists().where(run_instruments.c.run_key == run, *wanted)]


def runs_with(instrument: str, *, overdue: bool) -> sa.Select[int]:
    """Select the keys of the runs that :func:`used_with` demands."""
    return sa.select(run_instruments.c.run_key).where(
        *_uses(instrument, overdue=overdue)
    )


def _uses(instrument: str, *, overdue: bool) -> list[Condition]:
    found: list[Condition] = []
    if text := folded(instrument.strip()):
        meant = sa.select(instruments.c.key).where(
            sa.or_(instruments.c.serial_key == text, instruments.c.name_key == text)
        )
        found.append(run_instruments.c.instrument_key.in_(meant))
    if overdue:
        found.append(run_instruments.c.overdue.is_(True))
    return found


def named_instruments(connection: sa.Connection) -> Sequence[tuple[str, str]]:
    """Give what a search finds each instrument by, and what it is called."""
    statement = sa.select(instruments.c.name, instruments.c.serial_number).order_by(
        instruments.c.name_key, instruments.c.serial_key
    )
    return [
        (serial or name, name if serial is None else f"{name}, {serial}")
        for name, serial in connection.execute(statement)
    ]


def instrument_uses(connection: sa.Connection) -> Sequence[InstrumentUse]:
    """Tell of each instrument what was tested with it, by name."""
    counted = (
        sa.select(
            run_instruments.c.instrument_key,
            sa.func.count().label("runs"),
            sa.func.sum(sa.case((run_instruments.c.overdue, 1), else_=0)).label(
                "overdue"
            ),
            sa.func.max(run_instruments.c.run_key).label("newest"),
        )
        .group_by(run_instruments.c.instrument_key)
        .subquery()
    )
    statement = (
        sa.select(
            instruments.c.name,
            instruments.c.serial_number,
            run_instruments.c.calibration_due,
            counted.c.runs,
            counted.c.overdue,
            run_moment,
        )
        .select_from(counted)
        .join(instruments, instruments.c.key == counted.c.instrument_key)
        .join(
            run_instruments,
            sa.and_(
                run_instruments.c.run_key == counted.c.newest,
                run_instruments.c.instrument_key == counted.c.instrument_key,
            ),
        )
        .join(runs, runs.c.key == counted.c.newest)
        .order_by(instruments.c.name_key, instruments.c.serial_key)
    )
    return [
        InstrumentUse(
            name=name,
            serial_number=serial,
            due=None if due is None else date.fromordinal(_EPOCH + due),
            runs=count,
            overdue=int(overdue),
            latest=latest,
        )
        for name, serial, due, count, overdue, latest in connection.execute(statement)
    ]
