"""Which runs of a store are meant: by unit, procedure, station, verdict and time."""

from __future__ import annotations

from datetime import datetime

import attrs

from rigbridge.model import RunOutcome

__all__ = ["RunSelection"]


@attrs.frozen(kw_only=True)
class RunSelection:
    """
    A choice of runs; what is None restricts nothing.

    Attributes:
        serial_number: the unit's serial number, whole, without regard to case.
        procedure: the procedure's name, whole and without regard to case, or its id.
        outcome: the verdict.
        since: the first moment within; a run is where it started, or else where it
            was stored.
        until: the first moment after it.
        station: the name of the station, whole and without regard to case.
        instrument: the name or serial number of an instrument, whole and without
            regard to case.
        overdue: whether only runs with an instrument that was out of calibration.
        run_id: how the run's id begins, or the whole of it; in either case.
    """

    serial_number: str | None = None
    procedure: str | None = None
    outcome: RunOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    station: str | None = None
    run_id: str | None = None
    instrument: str | None = None
    overdue: bool = False
