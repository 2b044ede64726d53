"""The settings of the adapter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

import attrs

from rigbridge.errors import ConfigurationError
from rigbridge_stdf.records.layouts import LAYOUTS

__all__ = ["STDFSettings"]

_BRACES = re.compile(r"\{([^{}]*)\}")
_SHORT = {"LOT": "LOT_ID", "WAFER": "WAFER_ID", "X": "X_COORD", "Y": "Y_COORD"}
_KNOWN = frozenset(
    field.name
    for layout in LAYOUTS.values()
    if layout.name in {"MIR", "WIR", "PRR"}
    for field in layout.fields
)
_TIMES = ("local", "utc")


def _templates(value: object) -> tuple[str, ...]:
    given: object = [value] if isinstance(value, str) else value
    if not isinstance(given, Iterable):
        raise ConfigurationError("must be a list of texts", place="serial_number")
    found: list[str] = []
    for index, item in enumerate(cast("Iterable[object]", given)):
        place = f"serial_number[{index}]"
        if not isinstance(item, str):
            raise ConfigurationError(f"must be a text, not {item!r}", place=place)
        names = _BRACES.findall(item)
        if not names:
            raise ConfigurationError(
                f"{item!r} names no field",
                place=place,
                remedy="write one in braces, as {PART_ID}",
            )
        for name in names:
            if _SHORT.get(name, name) not in _KNOWN:
                raise ConfigurationError(
                    f"{name!r} is no field of MIR, WIR or PRR",
                    place=place,
                    remedy="use PART_ID, LOT, WAFER, X, Y or a name of the standard",
                )
        found.append(_BRACES.sub(lambda m: f"{{{_SHORT.get(m[1], m[1])}}}", item))
    return tuple(found)


def _times(instance: object, attribute: object, value: str) -> None:
    del instance, attribute
    if value not in _TIMES:
        raise ConfigurationError(
            f"{value!r} is not one of {', '.join(_TIMES)}", place="times"
        )


@attrs.frozen(kw_only=True)
class STDFSettings:
    """
    What the site declares about its STDF and ATDF files.

    Attributes:
        serial_number: how to make the serial number of a part: a text with names of
            fields of MIR, WIR and PRR in braces, or several. The first is taken of
            which the part has every field; ``{PART_ID}`` alone is the last where it
            is a count of up to six digits, as in every lot. ``LOT``, ``WAFER``, ``X``
            and ``Y`` are short for ``LOT_ID``, ``WAFER_ID``, ``X_COORD`` and
            ``Y_COORD``. With an empty list the rules of identity alone give one.
        procedure: the procedure's name where MIR has no ``JOB_NAM``.
        times: ``local`` where the tester writes the time of its wall clock, as the
            standard says; ``utc`` where it writes that of UTC.

    Raises:
        ConfigurationError: a setting is wrong; the error names its path.
    """

    serial_number: tuple[str, ...] = attrs.field(
        default=("{PART_ID}", "{LOT}-{WAFER}-{X}-{Y}", "{LOT}-{PART_ID}"),
        converter=_templates,
    )
    procedure: str | None = None
    times: str = attrs.field(default="local", validator=_times)
