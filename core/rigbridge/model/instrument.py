"""The instruments of a run, and until when each is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import attrs

from rigbridge.errors import ModelError
from rigbridge.model.values import Field, fail, optional_text, text

__all__ = ["Instrument", "different_names"]


def _as_day(value: date | str | None) -> date | None:
    """
    Hold a day that is given as text (``2027-03-01``) as a date.

    Raises:
        ModelError: a text that is no day.
    """
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ModelError(
            f"{value!r} is no day",
            path="Instrument.calibration_due",
            remedy="write it as 2027-03-01",
        ) from None


def _day_or_none(instance: object, attribute: Field, value: object) -> None:
    # A datetime is a date for Python. As a day it would depend on the time zone.
    if value is not None and type(value) is not date:
        found = type(value).__name__
        raise fail(instance, attribute, f"must be date or None, not {found}")


@attrs.frozen(kw_only=True)
class Instrument:
    """
    An instrument that a run was measured with.

    Attributes:
        name: what measurements call it (``dmm``); not blank.
        serial_number: as the source spells it, leading zeros kept; None if unknown.
        calibration_due: the last day of its calibration, also as text (``2027-03-01``);
            None if unknown, or where it needs none.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    name: str = attrs.field(validator=text)
    serial_number: str | None = attrs.field(default=None, validator=optional_text)
    calibration_due: date | None = attrs.field(
        default=None, converter=_as_day, validator=_day_or_none
    )

    def is_overdue(self, moment: datetime | None) -> bool | None:
        """
        Whether its calibration was out of date at a time; the due day itself is not.

        Args:
            moment: an aware time, whose day in UTC counts; or None if unknown.

        Returns:
            None where the due day or the time is unknown.
        """
        if self.calibration_due is None or moment is None:
            return None
        return moment.astimezone(UTC).date() > self.calibration_due


def different_names(
    instance: object, attribute: Field, value: Sequence[Instrument]
) -> None:
    """Check that no two instruments of a run have one name."""
    seen: set[str] = set()
    for index, instrument in enumerate(value):
        if instrument.name in seen:
            raise fail(
                instance,
                attribute,
                f"member {index} has the name {instrument.name!r} of another one",
                remedy="give each a name of its own",
            )
        seen.add(instrument.name)
