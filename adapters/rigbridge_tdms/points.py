"""The points of a channel as axes of a series."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import cast

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import Axis, Series
from rigbridge_tdms.library import Channel, ChannelPoints, Timestamp
from rigbridge_tdms.values import shown_time

__all__ = ["channel_series"]

_UNITS = ("unit_string", "NI_UnitDescription", "Unit", "unit", "Units", "units")
_INT64 = 2**63
_DOUBLE = 8


def channel_series(
    channel: Channel, place: str, report: ConversionReport
) -> tuple[dict[str, Series], set[str]]:
    """
    Read a channel.

    Returns:
        Its series, each by what is added to the channel's name (none of an empty
        channel; several of complex numbers and of unscaled DAQmx data); and the names
        of the properties that they hold.
    """
    used: set[str] = set()
    columns = _columns(channel, place, report)
    unit = _text(channel.properties, _UNITS, used)
    made: dict[str, Series] = {}
    x: Axis | None = None
    for suffix, values in columns.items():
        if not len(values):
            continue
        if x is None or len(x) != len(values):
            x = _x_axis(channel.properties, len(values), used)
        measured = Axis(name=channel.name or None, unit=unit, values=values)
        made[suffix] = Series(axes=(measured,) if x is None else (x, measured))
    if not made:
        # Nothing holds them: they stay among the attributes.
        used.clear()
    return made, used


def _text(
    properties: Mapping[str, object], names: tuple[str, ...], used: set[str]
) -> str | None:
    for name in names:
        text = properties.get(name)
        if isinstance(text, str) and text.strip():
            used.add(name)
            return text
    return None


def _x_axis(
    properties: Mapping[str, object], count: int, used: set[str]
) -> Axis | None:
    step, start = properties.get("wf_increment"), properties.get("wf_start_offset", 0)
    if not isinstance(step, (int, float)) or not isinstance(start, (int, float)):
        return None
    # A step of 0 is what programs write that know none.
    # x - x is not zero for infinity and NaN.
    if not step or step - step or start - start:
        return None
    used.update(
        name for name in ("wf_increment", "wf_start_offset") if name in properties
    )
    name = _text(properties, ("wf_xname",), used)
    unit = _text(properties, ("wf_xunit_string",), used)
    timed = name is None or name.casefold() == "time"
    return Axis(
        name=name or "time",
        unit=unit or ("s" if timed else None),
        values=array("d", [start + step * at for at in range(count)]),
    )


def _columns(
    channel: Channel, place: str, report: ConversionReport
) -> dict[str, list[object] | array[float] | array[int]]:
    if not len(channel):
        return {}
    try:
        pieces = [chunk[:] for chunk in channel.data_chunks()]
    except ValueError as error:
        # The library has no error of its own for this; its words are all there is to go
        # by.
        if "scaling" not in str(error):
            raise
        return _unscaled(channel, place, report)
    if any(isinstance(piece, list) for piece in pieces):
        # Texts are no array of NumPy.
        return {"": [text for piece in pieces for text in piece]}
    kinds = {piece.dtype.kind for piece in pieces}
    if "c" in kinds:
        report.coerced(
            "measurement",
            "complex numbers as a series of each part",
            place=Place(path=place),
        )
        whole = [cast("complex", value) for piece in pieces for value in piece.tolist()]
        return {
            " (real)": [value.real for value in whole],
            " (imaginary)": [value.imag for value in whole],
        }
    return {"": _joined(pieces, place, report)}


def _unscaled(
    channel: Channel, place: str, report: ConversionReport
) -> dict[str, list[object] | array[float] | array[int]]:
    """Read DAQmx data of which nobody says what they mean, as they were counted."""
    report.coerced(
        "measurement",
        "DAQmx data without a scale, kept as the device counted them",
        place=Place(path=place),
    )
    scalers = cast("Mapping[int, ChannelPoints]", channel.read_data(scaled=False))
    return {
        f" (scaler {number})": _joined([points], place, report)
        for number, points in scalers.items()
    }


def _joined(
    pieces: list[ChannelPoints], place: str, report: ConversionReport
) -> list[object] | array[float] | array[int]:
    """Join the pieces of a channel as compactly as their type allows."""
    kinds = {piece.dtype.kind for piece in pieces}
    if kinds <= {"f"}:
        floats = array("d")
        for piece in pieces:
            # Little or big endian in the file, the machine's own here, as array wants
            # it.
            floats.frombytes(piece.astype("=f8").tobytes())
        # Extended precision has 10 or 16 bytes; a double keeps 15 digits of it.
        if any(piece.dtype.itemsize > _DOUBLE for piece in pieces):
            report.coerced(
                "measurement",
                "numbers of extended precision as doubles",
                place=Place(path=place),
            )
        return floats
    # array("q") holds up to 2^63 - 1; larger ones become integers of Python.
    if kinds <= {"i", "u"} and not any(_beyond(piece) for piece in pieces):
        integers = array("q")
        for piece in pieces:
            integers.frombytes(piece.astype("=i8").tobytes())
        return integers
    return [value for piece in pieces for value in _objects(piece)]


def _beyond(piece: ChannelPoints) -> bool:
    unsigned = piece.dtype.kind == "u" and piece.dtype.itemsize == _DOUBLE
    return unsigned and any(
        isinstance(value, int) and value >= _INT64 for value in piece.tolist()
    )


def _objects(piece: ChannelPoints) -> Iterator[object]:
    if piece.dtype.names is None:
        for value in piece.tolist():
            plain = isinstance(value, (str, int, float, bool)) or value is None
            yield value if plain else str(value)
        return
    # Only times have named parts.
    for value in piece:
        yield shown_time(cast("Timestamp", value))
