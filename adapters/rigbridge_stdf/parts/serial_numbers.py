"""The serial number of a part, put together as the site says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rigbridge.adapters import ConversionReport, Place
from rigbridge_stdf.parts.texts import clean_text, note_text

__all__ = ["serial_number"]

_BRACES = re.compile(r"\{([^{}]*)\}")
_PART_ID = "{PART_ID}"
_COUNT = re.compile(r"[0-9]{1,6}")
_NO_COORDINATE, _NO_BIN = -0x8000, 0xFFFF


def serial_number(
    templates: tuple[str, ...],
    fields: Mapping[str, Any],
    report: ConversionReport,
    place: Place,
) -> str | None:
    """
    Make a serial number by the first template of which all fields are known.

    Args:
        templates: texts with names of fields in braces, in order; a PART_ID that only
            counts comes last among several.
        report: where it is recorded how the number was made.

    Returns:
        The number; None where no template fits.
    """
    counts = _COUNT.fullmatch(str(fields.get("PART_ID") or "").strip())
    # The parts 1, 2 and 3 of every lot would become three units.
    # False sorts before True: a template of PART_ID alone goes last, and the others
    # keep their order.
    ordered = sorted(templates, key=_PART_ID.__eq__) if counts else templates
    for template in ordered:
        names = _BRACES.findall(template)
        values = {name: _value(name, fields.get(name)) for name in names}
        if any(value is None for value in values.values()):
            continue
        made = _BRACES.sub(lambda match: str(values[match[1]]), template)  # noqa: B023
        note_text(made, report, place)
        if template != _PART_ID:
            report.coerced(
                "serial number", f"made of {template}", place=place, detail=made
            )
        elif _COUNT.fullmatch(made):
            report.coerced(
                "serial number",
                "PART_ID seems to count the parts of a lot; the setting serial_number "
                "can name the lot, too",
                place=place,
                detail=made,
            )
        else:
            report.mapped("serial number")
        return made
    return None


def _value(name: str, value: object) -> str | None:
    if isinstance(value, str):
        return clean_text(value)
    if value is None or (name.endswith("_COORD") and value == _NO_COORDINATE):
        return None
    if name.endswith("_BIN") and value == _NO_BIN:
        return None
    return str(value)
