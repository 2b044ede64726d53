"""The instruments that the sidecar of a run names, without what needs a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast

import attrs

from rigbridge.convert import overlay
from rigbridge.errors import ModelError
from rigbridge.model import Instrument, JSONObject
from rigbridge_store.fields import MAX_TEXT, text_or_none

__all__ = ["UsedInstrument", "used_instruments"]

_EPOCH = date(1970, 1, 1).toordinal()


@attrs.frozen(kw_only=True)
class UsedInstrument:
    """
    An instrument as a run used it.

    Attributes:
        serial_number: as the source spells it, or None.
        calibration_due: the last day of its calibration, in days from the epoch.
        overdue: whether the run was after that day; False where either is unknown.
    """

    name: str
    serial_number: str | None
    calibration_due: int | None
    overdue: bool


def used_instruments(
    sidecar: JSONObject | None, moment: datetime | None
) -> tuple[UsedInstrument, ...]:
    """
    Give the instruments that a sidecar names; what is none is passed over.

    Args:
        sidecar: it is stored as it came all the same.
        moment: when the run was, or None if unknown.
    """
    try:
        named = overlay.added_at((sidecar or {}).get("overlay"), "instruments")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return ()
    found: list[UsedInstrument] = []
    for item in named if isinstance(named, list) else ():
        if not isinstance(item, Mapping):
            continue
        try:
            # Any: the model itself refuses what is no field, or of the wrong kind.
            instrument = Instrument(**cast("Mapping[str, Any]", item))
        except (ModelError, TypeError):
            continue
        found.append(_used(instrument, moment))
    return tuple(found)


def _used(instrument: Instrument, moment: datetime | None) -> UsedInstrument:
    due = instrument.calibration_due
    serial = text_or_none(instrument.serial_number)
    return UsedInstrument(
        # Cut as every name that is looked up: an index holds no text of any length.
        name=instrument.name[:MAX_TEXT],
        serial_number=None if serial is None else serial[:MAX_TEXT],
        calibration_due=None if due is None else due.toordinal() - _EPOCH,
        overdue=bool(instrument.is_overdue(moment)),
    )
