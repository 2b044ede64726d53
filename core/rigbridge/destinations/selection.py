"""Which runs of a store are meant: by unit, procedure, verdict and time."""

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
    """

    serial_number: str | None = None
    procedure: str | None = None
    outcome: RunOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None
