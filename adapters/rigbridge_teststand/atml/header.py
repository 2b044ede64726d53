"""The header of a run: unit, operator, station, program and report options."""

from __future__ import annotations

import attrs

from rigbridge.model import JSONValue, Unit
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.values import flatten, read_datum, spelled
from rigbridge_teststand.atml.local_names import (
    NAME,
    attribute,
    attributes_of,
    child,
    child_elements,
    children,
    read_text,
)
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.vocabulary import KEPT_REPORT_OPTIONS, REPORT_OPTIONS_RULE
from rigbridge_teststand.xml.elements import Element

__all__ = ["ATMLHeader", "read_header"]

_NO_SERIAL = frozenset({"NONE", "\\"})
_DISPLAY = frozenset({"Configuration", "TS_Configuration"})


@attrs.frozen(kw_only=True)
class ATMLHeader:
    """
    The children of a ``TestResults`` element other than the result set.

    Attributes:
        unit: the unit under test.
        station: the name of the station, or None.
        operator: the name of the operator, or None.
        program_version: the version of the test program, or None.
        metadata: everything else, by dotted key.
        interrupted: whether the file states that recording did not end.
    """

    unit: Unit
    station: str | None
    operator: str | None
    program_version: str | None
    metadata: dict[str, JSONValue]
    interrupted: bool


def read_header(results: Element, account: RunAccount) -> ATMLHeader:
    """
    Read the children of ``TestResults`` other than ``ResultSet``.

    Args:
        results: the ``TestResults`` element.
        account: takes an entry for each element.
    """
    reader = _HeaderReader(account)
    for name, value in results.attrib.items():
        short = str(name).rpartition("}")[2]
        if str(value).strip() and short != "schemaLocation":
            account.mapped["property"] += 1
            reader.metadata[short] = str(value).strip()
    has_set = False
    for name, element in children(results):
        if name == "ResultSet":
            if has_set:
                account.dropped("result set", "a run has one, the first", element)
            has_set = True
            continue
        taker = _PARTS.get(name)
        if taker is None:
            flatten(element, name, reader.metadata, account)
        else:
            taker(reader, element)
    account.mapped["unit under test"] += 1
    return ATMLHeader(
        unit=Unit(**reader.unit),
        station=reader.station,
        operator=reader.operator,
        program_version=reader.program_version,
        metadata=reader.metadata,
        interrupted=reader.interrupted,
    )


class _HeaderReader:
    """Reads the parts of a header, each into its field."""

    def __init__(self, account: RunAccount) -> None:
        self._account = account
        self.unit: dict[str, str] = {}
        self.station: str | None = None
        self.operator: str | None = None
        self.program_version: str | None = None
        self.metadata: dict[str, JSONValue] = {}
        self.interrupted = False

    def uut(self, element: Element) -> None:
        """Read ``UUT``."""
        self._keep(attribute(element, "UutType"), "uut.type")
        for name, below in children(element):
            if name == "SerialNumber":
                self._serial(below)
            elif name == "Definition":
                self._definition(below)
            else:
                flatten(below, f"uut.{name}", self.metadata, self._account)

    def _serial(self, element: Element) -> None:
        if "serial_number" in self.unit:
            flatten(element, "uut.SerialNumber", self.metadata, self._account)
            return
        serial = read_text(element)
        # TestStand writes these for a unit without a serial number.
        if serial is not None and serial.upper() in _NO_SERIAL:
            self._account.coerced(
                "serial number",
                "placeholder read as none",
                element,
                serial,
            )
            serial = None
        if serial is not None:
            self.unit["serial_number"] = serial

    def _definition(self, definition: Element) -> None:
        self._keep(attribute(definition, "name"), "uut.definition.name")
        version = attribute(definition, "version")
        if version is not None:
            self.unit["revision"] = version
        for name, below in children(definition):
            if name == "Identification":
                self._identification(below)
            elif name == "Extension":
                self._additional(below, "uut")
            else:
                key = f"uut.definition.{name}"
                flatten(below, key, self.metadata, self._account)

    def _identification(self, element: Element) -> None:
        for name, below in children(element):
            model = read_text(below) if name == "ModelName" else None
            if model is not None:
                self.unit["part_name"] = model
            elif name == "IdentificationNumbers":
                for _, number in children(below):
                    self._number(number)
            else:
                flatten(below, f"uut.{name}", self.metadata, self._account)

    def _number(self, element: Element) -> None:
        kind = attribute(element, "type")
        number = attribute(element, "number")
        # A unit has one part number; the other numbers are metadata.
        if kind == "Part" and number is not None and "part_number" not in self.unit:
            self.unit["part_number"] = number
        else:
            self._keep(number, f"uut.identification.{kind or 'number'}")

    def _additional(self, extension: Element, prefix: str) -> None:
        found: dict[str, JSONValue] = {}
        flatten(extension, prefix, found, self._account)
        for key, value in found.items():
            # TestStand's containers, which say nothing about the value.
            short = key.replace(".TSAdditionalData", "").replace(".TSCollection", "")
            self.metadata[short] = value

    def personnel(self, element: Element) -> None:
        """Read ``Personnel``: the first operator is the run's."""
        for name, below in children(element):
            if name == "SystemOperator" and self.operator is None:
                self.operator = (
                    attribute(below, "name")
                    or attribute(below, "ID")
                    or read_text(below)
                )
                if self.operator is not None:
                    self._account.mapped["property"] += 1
                for kind, inner in children(below):
                    key = f"operator.{kind}"
                    flatten(inner, key, self.metadata, self._account)
            else:
                flatten(below, f"personnel.{name}", self.metadata, self._account)

    def test_station(self, element: Element) -> None:
        """Read ``TestStation``."""
        for name, below in children(element):
            if name == "SerialNumber":
                self.station = read_text(below)
                if self.station is not None:
                    self._account.mapped["property"] += 1
            elif name == "Definition":
                for kind, inner in children(below):
                    if kind == "Extension":
                        self._additional(inner, "station")
                    else:
                        key = f"station.{kind}"
                        flatten(inner, key, self.metadata, self._account)
            else:
                flatten(below, f"station.{name}", self.metadata, self._account)

    def program(self, element: Element) -> None:
        """Read ``TestProgram`` or ``TestDescription``."""
        for name, below in children(element):
            if name in _DISPLAY:
                self._options(below)
                continue
            if name == "Definition":
                self.program_version = attribute(below, "version")
            flatten(below, f"program.{name}", self.metadata, self._account)

    def _options(self, element: Element) -> None:
        self._account.coerced("report options", REPORT_OPTIONS_RULE, element)
        collection = child(element, "Collection")
        # There are a hundred of them in every report.
        for item in () if collection is None else child_elements(collection):
            name = item.get(NAME)
            if name in KEPT_REPORT_OPTIONS:
                for value in item:
                    key = f"report_options.{name}"
                    flatten(value, key, self.metadata, self._account)

    def extension(self, element: Element) -> None:
        """Read ``Extension``: TestStand's properties of the result set."""
        for name, block in children(element):
            if name in _DISPLAY:
                self._options(block)
            elif name == "TSResultSetProperties":
                for kind, below in children(block):
                    self._property(kind, below)
            else:
                flatten(block, f"extension.{name}", self.metadata, self._account)

    def _property(self, kind: str, element: Element) -> None:
        if kind == "TSRData":
            found = {str(key): str(value) for key, value in element.attrib.items()}
            self._account.mapped["property"] += 1
            self.metadata["tsr_data"] = found
            # The result file was not closed, so recording did not end.
            if found.get("TSRFileClosed", "").lower() == "false":
                self.interrupted = True
            return
        if kind == "CriticalFailureStack":
            entries = [attributes_of(entry) for _, entry in children(element)]
            if entries:
                self._account.mapped["property"] += len(entries)
                self.metadata["critical_failures"] = entries
            return
        value = self._value(element)
        if value is None:
            flatten(element, f"result_set.{kind}", self.metadata, self._account)
            return
        self._account.mapped["property"] += 1
        if kind == "BatchSerialNumber":
            self.unit["batch_number"] = value
        elif kind == "TestSocketIndex":
            self.metadata["test_socket_index"] = read_count(value)
        elif kind == "IsPartialExecution":
            self.metadata["partial_execution"] = value.lower() == "true"
        else:
            self.metadata[f"result_set.{kind}"] = value

    def _value(self, element: Element) -> str | None:
        given = attribute(element, "value")
        if given is None and (datum := child(element, "Datum")) is not None:
            read = read_datum(datum, self._account)[0]
            given = None if read is None else str(read).strip() or None
        return given or read_text(element)

    def _keep(self, value: str | None, key: str) -> None:
        if value is not None:
            self._account.mapped["property"] += 1
            self.metadata[key] = spelled(value)


_PARTS = {
    "UUT": _HeaderReader.uut,
    "Personnel": _HeaderReader.personnel,
    "TestStation": _HeaderReader.test_station,
    "TestProgram": _HeaderReader.program,
    "TestDescription": _HeaderReader.program,
    "Extension": _HeaderReader.extension,
}
