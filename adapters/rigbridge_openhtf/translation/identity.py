"""
Who was tested by what, where and by whom: fields of a run from the metadata.

OpenHTF itself knows only the unit's serial number and the test's name and station.
Everything else is metadata that the author of the test gives by custom. What has a
field in the run goes there; the rest stays metadata.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rigbridge.model import ProcedureRef, SubUnit, Unit
from rigbridge_openhtf.raw_record import RawRecord
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.values import is_collection, simplify, text_of

__all__ = ["Identity", "read_identity"]


@attrs.frozen(kw_only=True)
class Identity:
    """The identity of a run, and the keys of the metadata that it used up."""

    unit: Unit
    procedure: ProcedureRef
    sub_units: tuple[SubUnit, ...]
    operator: str | None
    docstring: str | None
    used: frozenset[str]


class _Metadata:
    """Takes fields out of the metadata, and remembers which."""

    def __init__(self, metadata: Mapping[object, object], scope: Scope) -> None:
        self._metadata = metadata
        self._scope = scope
        self.used: set[str] = set()

    def text(self, item: str, *keys: str) -> str | None:
        """Take the first of the keys that holds a text or a number."""
        for key in keys:
            value = self._metadata.get(key)
            # The author may use the same key for something else: then it stays.
            if value is None or is_collection(value):
                continue
            text = text_of(value, self._scope.at(f".{key}"), item)
            if text is not None:
                self.used.add(key)
                self._scope.mapped(item)
                return text
        return None

    def sub_units(self) -> tuple[SubUnit, ...]:
        """Take the sub-units if each has a serial number; else they stay."""
        scope = self._scope.at(".sub_units")
        given = simplify(self._metadata.get("sub_units"), scope, "sub-unit")
        if not isinstance(given, list) or not given:
            return ()
        serials: list[str] = []
        for member in given:
            plain: object = simplify(member, scope, "sub-unit")
            if isinstance(plain, dict):
                # A run has no place for further fields of a sub-unit.
                if set(plain) != {"serial_number"}:
                    return ()
                plain = plain["serial_number"]
            if not isinstance(plain, (str, int)) or isinstance(plain, bool):
                return ()
            serial = text_of(plain, scope, "sub-unit")
            if serial is None:
                return ()
            serials.append(serial)
        self.used.add("sub_units")
        scope.mapped("sub-unit", len(serials))
        return tuple(SubUnit(serial_number=serial) for serial in serials)


def read_identity(record: RawRecord, scope: Scope) -> Identity:
    """Read the fields of the identity."""
    metadata = _Metadata(record.metadata, scope.at(".metadata"))
    unit = Unit(
        serial_number=_serial_number(record.dut_id, scope.at(".dut_id")),
        part_number=metadata.text("part number", "part_number"),
        part_name=metadata.text("part name", "part_name"),
        revision=metadata.text("revision", "revision"),
        batch_number=metadata.text("batch number", "batch_number"),
    )
    # An explicit name first; test_name is OpenHTF's own option, often left out.
    name = metadata.text("procedure", "procedure_name", "test_name")
    if name is None:
        name = text_of(record.code.name, scope.at(".code_info.name"), "procedure")
        if name is not None:
            rule = "test without a name called by the file of its program"
            scope.at(".metadata").coerced("procedure", rule, name)
    procedure = ProcedureRef(
        id=metadata.text("procedure", "procedure_id") or _configured_id(scope),
        name=name,
        version=metadata.text("procedure version", "procedure_version", "test_version"),
    )
    docstring = metadata.text("docstring", "test_description")
    if docstring is None:
        place = scope.at(".code_info.docstring")
        docstring = text_of(record.code.docstring, place, "docstring")
    return Identity(
        unit=unit,
        procedure=procedure,
        sub_units=metadata.sub_units(),
        operator=metadata.text("operator", "operator", "operated_by"),
        docstring=docstring,
        used=frozenset(metadata.used),
    )


def _configured_id(scope: Scope) -> str | None:
    found = scope.settings.procedure_id
    if found is not None:
        scope.at(".metadata").coerced("procedure", "id supplied by the settings", found)
    return found


def _serial_number(value: object, scope: Scope) -> str | None:
    text = text_of(value, scope, "serial number")
    serial = None if text is None else text.strip()
    # OpenHTF writes a placeholder where no serial number was entered.
    unknown = {name.casefold() for name in scope.settings.unknown_serial_numbers}
    if serial is None or serial.casefold() in unknown:
        scope.coerced("serial number", "blank or a placeholder taken as unknown", value)
        return None
    if serial != text:
        scope.coerced("serial number", "blanks around it removed", text)
    scope.mapped("serial number")
    return serial
