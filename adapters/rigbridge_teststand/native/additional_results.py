"""Additional results of a step: values that were recorded and not judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PureWindowsPath

from rigbridge.adapters import ConversionReport
from rigbridge.model import Attachment, Axis, JSONValue, Measurement, Scalar, Series
from rigbridge_teststand.arrays import (
    Cells,
    array_series,
    fill_gaps,
    matrix_series,
    uniform_numbers,
)
from rigbridge_teststand.native.kept_properties import array_member, read_attributes
from rigbridge_teststand.native.partial_results import NumberArray
from rigbridge_teststand.native.properties import (
    array_elements,
    read_scalar,
    subproperties,
    value_text,
)
from rigbridge_teststand.numbers import read_number
from rigbridge_teststand.vocabulary import parameter_direction
from rigbridge_teststand.xml.elements import (
    Element,
    mark_removed,
    place_of,
    record_coerced,
    record_dropped,
)

__all__ = ["AdditionalResultReader", "read_axis"]

# A limit against recursion without end; real data are a few levels deep.
_MAX_DEPTH = 32
_INTEGER = re.compile(r"-?\d+")
_POSITION = re.compile(r"(?:\[-?\d+\])+")
_UNNAMED = "(unnamed)"
_KIND: dict[str, JSONValue] = {"kind": "additional"}
_DIRECTED: dict[str, dict[str, JSONValue]] = {
    direction: {**_KIND, "direction": direction} for direction in ("in", "out")
}
_TDMS = "NI_TDMSReference"
_PATH = "Path"
_HYPERLINK = "Hyperlink"
_ATTACHED = frozenset({"FullFileName", "FileName"})
# The cluster that LabVIEW makes of a waveform.
_WAVEFORM = frozenset({"t0", "dt", "Y"})


class AdditionalResultReader:
    """Reads additional results to measurements without a verdict, and to references."""

    def __init__(
        self,
        report: ConversionReport,
        partial_arrays: dict[Element, NumberArray] | None = None,
    ) -> None:
        self._report = report
        self.partial_arrays: dict[Element, NumberArray] = (
            {} if partial_arrays is None else partial_arrays
        )
        self.attachments: list[Attachment] = []

    def read_partial(self, array: Element) -> None:
        """Read the complete members of a partial array of numbers, and remove them."""
        if array not in self.partial_arrays:
            self.partial_arrays[array] = NumberArray()
        numbers = self.partial_arrays[array]
        begun = len(numbers.values)
        # The parser may still add to the last one.
        for slot in list(array.iterchildren("Value"))[:-1]:
            if not numbers.take(slot):
                break
            array.remove(slot)
        if len(numbers.values) > begun:
            mark_removed(array, len(numbers.values) - begun)

    def _number_array(self, array: Element) -> NumberArray | None:
        """Read an array of plain numbers; None for any other array."""
        if array.get("ElementType") != "Number":
            return None
        numbers = self.partial_arrays.get(array) or NumberArray()
        begun = len(numbers.values)
        if all(numbers.take(slot) for slot in array.iterchildren("Value")):
            self.partial_arrays.pop(array, None)
            return numbers if numbers.values else None
        # One member is no plain number: all of them are read one by one, which begins
        # with those that were removed from the tree before.
        numbers.shorten(begun)
        return None

    def _cells(self, array: Element) -> Cells:
        numbers = self.partial_arrays.pop(array, None)
        return read_cells(
            array, self._report, () if numbers is None else numbers.members()
        )

    def take_attachments(self) -> list[Attachment]:
        """Give the files that were referred to since the last call."""
        taken = self.attachments
        if taken:
            self.attachments = []
            return taken
        return []

    def read(self, name: str, prop: Element, depth: int = 0) -> Iterator[Measurement]:
        """
        Read one property and its subproperties.

        Args:
            depth: the number of properties above it.
        """
        # Recorded, not an error: the rest of the step is good.
        if depth > _MAX_DEPTH:
            record_dropped(self._report, prop, "property", "nested too deep")
            return
        # TestStand allows a property without a name; a measurement needs one.
        if not name or name.isspace():
            where = partial(place_of, prop)
            self._report.coerced("measurement name", "blank, named", place=where)
            name = _UNNAMED
        if prop.get("Type") == "Array":
            yield from self._array(name, prop, depth)
            return
        parts = subproperties(prop)
        if parts:
            yield from self._object(name, prop, parts, depth)
            return
        value = read_scalar(prop, self._report)
        if value is None:
            # An empty object holds nothing; a reference is an address in memory.
            if prop.get("Type") not in ("Obj", "Reference", "TEResult"):
                record_dropped(self._report, prop, "property", "has no value")
            return
        attributes = read_attributes(prop, self._report)
        if prop.get("TypeName") == _PATH or any(
            _HYPERLINK in key for key in attributes
        ):
            attributes["reference"] = _PATH
            self._refer(prop, value, None)
        self._report.mapped("measurement")
        yield Measurement(
            name=name, value=value, attributes={**_kind(name), **attributes}
        )

    def _object(
        self, name: str, prop: Element, parts: dict[str, Element], depth: int
    ) -> Iterator[Measurement]:
        # A chart of WATS.
        if "Plots" in parts and parts["Plots"].get("Type") == "Array":
            yield from self._chart(name, parts, depth)
            return
        # LabVIEW's waveform: a start, a step and the values.
        if parts.keys() >= _WAVEFORM and parts["Y"].get("Type") == "Array":
            yield from self._waveform(name, parts, depth)
            return
        if prop.get("TypeName") == _TDMS:
            self._refer(prop, value_text(parts.get("File")), None)
        elif parts.keys() >= _ATTACHED:
            path = value_text(parts["FullFileName"]) or value_text(parts["FileName"])
            self._refer(prop, path, value_text(parts.get("MIMEtype")))
        for child, below in parts.items():
            label = f"{name}.{child}" if child else name
            yield from self.read(label, below, depth + 1)

    def _refer(self, prop: Element, path: object, media_type: str | None) -> None:
        """Keep the name of a file that the report refers to; it is never opened."""
        # The path is one of the station's, whichever machine reads the report.
        base = PureWindowsPath(path).name.strip() if isinstance(path, str) else ""
        if not base:
            return
        record_coerced(
            self._report,
            prop,
            "attachment",
            "not embedded in the report, kept by its name",
            str(path),
        )
        self.attachments.append(
            Attachment(name=base, media_type=(media_type or "").strip() or None)
        )

    def _chart(
        self, name: str, parts: dict[str, Element], depth: int
    ) -> Iterator[Measurement]:
        labels: dict[str, str] = {}
        for key, prop in parts.items():
            if key == "Plots":
                continue
            if prop.get("Type") in ("Obj", "Array"):
                yield from self.read(f"{name}.{key}", prop, depth + 1)
            elif label := (value_text(prop) or "").strip():
                self._report.mapped("property")
                labels[key] = label
        for index, slot in array_elements(parts["Plots"]):
            plot = slot.find("Prop")
            if plot is None:
                record_dropped(self._report, slot, "array member", "holds no value")
                continue
            yield from self._plot(name, index, plot, labels, depth)

    def _plot(
        self,
        chart: str,
        index: str,
        plot: Element,
        labels: dict[str, str],
        depth: int,
    ) -> Iterator[Measurement]:
        data = subproperties(plot)
        points = data.get("PlotData")
        if points is None or points.get("Type") != "Array":
            yield from self.read(f"{chart}{index}", plot, depth + 1)
            return
        name = (value_text(data.get("PlotName")) or "").strip() or index.strip("[]")
        name = f"{chart}.{name}"
        cells = self._cells(points)
        rows: dict[int, dict[int, Scalar]] = {}
        for position, value in cells.members.items():
            # Of a single row it is not said what is across: its positions are.
            row = position[0] if cells.rank > 1 else 1
            rows.setdefault(row, {})[position[-1]] = value
        across = rows.pop(0, {})
        # Curves may be of different lengths; the axes of a series may not.
        places = sorted(across.keys() | {at for row in rows.values() for at in row})
        x_axis = read_axis(
            [across.get(at, at) for at in places],
            name=labels.get("Xlabel") or None,
            unit=labels.get("Xunit") or None,
        )
        # The first row is X and the second Y; more rows are more curves.
        for row in sorted(rows) or [1]:
            upright = rows.get(row, {})
            y_axis = read_axis(
                [upright.get(at) for at in places],
                name=labels.get("Ylabel") or None,
                unit=labels.get("Yunit") or None,
            )
            self._report.mapped("measurement")
            yield Measurement(
                name=name if row <= 1 else f"{name}[{row}]",
                value=Series(axes=(x_axis, y_axis)),
                attributes={**_kind(chart), **labels},
            )
        for key, prop in data.items():
            if key not in ("PlotName", "PlotData"):
                yield from self.read(f"{name}.{key}", prop, depth + 1)

    def _waveform(
        self, name: str, parts: dict[str, Element], depth: int
    ) -> Iterator[Measurement]:
        step = read_number(value_text(parts["dt"]) or "")
        cells = self._cells(parts["Y"])
        values = [value for _, value in sorted(cells.members.items())]
        attributes = {
            **_kind(name),
            "dt": value_text(parts["dt"]) or "",
            "t0": value_text(parts["t0"]) or "",
        }
        axis = (
            Axis(name="index", values=range(len(values)))
            if step is None
            else Axis(
                name="time",
                unit="s",
                values=[place * float(step) for place in range(len(values))],
            )
        )
        self._report.mapped("measurement")
        yield Measurement(
            name=name,
            value=Series(axes=(axis, read_axis(values))),
            attributes=attributes,
        )
        for child, prop in parts.items():
            if child not in _WAVEFORM:
                yield from self.read(f"{name}.{child}", prop, depth + 1)

    def _array(self, name: str, array: Element, depth: int) -> Iterator[Measurement]:
        attributes = read_attributes(array, self._report)
        numbers = self._number_array(array)
        if numbers is not None:
            self._report.mapped("measurement")
            places = Axis(name="index", values=range(len(numbers.values)))
            series = Series(axes=(places, Axis(values=numbers.compact())))
            yield Measurement(
                name=name, value=series, attributes={**_kind(name), **attributes}
            )
            return
        slots = list(array_elements(array))
        if any(len(slot) for _, slot in slots):
            for index, slot in slots:
                inner = slot.find("Prop")
                if inner is None:
                    record_dropped(self._report, slot, "array member", "holds no value")
                    continue
                given = inner.get("Name")
                label = f"{name}.{given}" if given else f"{name}{index}"
                yield from self.read(label, inner, depth + 1)
            return
        cells = self._cells(array)
        attributes = {**_kind(name), **attributes}
        # An array without members is an empty list, and not a missing value.
        found: Sequence[tuple[str, Series | list[JSONValue]]] = [("", [])]
        if cells.members:
            rows = matrix_series(cells, attributes)
            found = [("", array_series(cells, None))] if rows is None else rows
        for label, value in found:
            self._report.mapped("measurement")
            yield Measurement(name=f"{name}{label}", value=value, attributes=attributes)


def _kind(name: str) -> dict[str, JSONValue]:
    """Mark a value as not judged, and a parameter with its direction."""
    direction = parameter_direction(name)
    return _KIND if direction is None else _DIRECTED[direction]


def read_cells(
    array: Element, report: ConversionReport, begun: Sequence[float] = ()
) -> Cells:
    """
    Read the members of an array of scalars, placed by their ``ID``.

    Members that an array filter removed are None.

    Args:
        report: takes an entry for a member without a place.
        begun: its first members, if these were removed already.
    """
    are_numbers = array.get("ElementType") == "Number"
    placed: dict[tuple[int, ...], Scalar] = {
        (at,): value for at, value in enumerate(begun)
    }
    rank = 1 if placed else 0
    for spelled, slot in array_elements(array):
        content = slot.text or ""
        value = array_member(array, slot, report)
        # An empty text is a text; a number that is missing is none.
        if value is None and not are_numbers:
            value = content
        position = tuple(map(int, _INTEGER.findall(spelled)))
        if not _POSITION.fullmatch(spelled) or position in placed:
            record_dropped(
                report, slot, "array member", "has no place of its own", content
            )
            continue
        rank = rank or len(position)
        if len(position) != rank:
            record_dropped(
                report, slot, "array member", "has a position of another shape", content
            )
            continue
        placed[position] = value
    if rank == 1:
        placed = fill_gaps(placed)
    return Cells(rank=rank or 1, members=placed)


def read_axis(
    values: list[Scalar], *, name: str | None = None, unit: str | None = None
) -> Axis:
    """Make an axis; integers among floats become floats, so that they are compact."""
    return Axis(name=name, unit=unit, values=uniform_numbers(values))
