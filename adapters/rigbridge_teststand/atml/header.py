"""The header of a run: unit, operator, station, program and report options."""

from __future__ import annotations

import attrs

from rigbridge.model import JSONValue, Unit
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.properties import PROPERTY, property_text
from rigbridge_teststand.atml.data.values import flatten, keep_rest, put
from rigbridge_teststand.atml.forms import content_of, record_unread
from rigbridge_teststand.atml.local_names import (
    COLLECTION,
    NAME,
    RESULT_SET,
    attribute,
    attributes_of,
    child,
    child_elements,
    children,
    local_name,
    read_text,
)
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.vocabulary import (
    KEPT_REPORT_OPTIONS,
    REPORT_OPTIONS_RULE,
    is_placeholder,
)
from rigbridge_teststand.xml.elements import Element

__all__ = ["ATMLHeader", "header_of", "read_header"]

_UNIT_ATTRIBUTES = {
    "serialNumber": "serial_number",
    "partNumber": "part_number",
    "partRevisionNumber": "revision",
    "batchNumber": "batch_number",
}
_DISPLAY = frozenset({"Configuration", "TS_Configuration"})


@attrs.frozen(kw_only=True)
class ATMLHeader:
    """
    The children of a ``TestResults`` element other than the result set.

    Attributes:
        station: the name of the station, or None.
        operator: the name of the operator, or None.
        program: the name of the test program, or None.
        program_version: its version, or None.
        interrupted: whether the file states that recording did not end.
    """

    unit: Unit
    station: str | None
    operator: str | None
    program: str | None
    program_version: str | None
    metadata: dict[str, JSONValue]
    interrupted: bool


def header_of(results: Element, result_set: Element) -> frozenset[str | Element]:
    """
    Tell what of a result set belongs to the header.

    Some exporters write it there, or results without a result set of their own.

    Returns:
        The names of attributes, and the children.
    """
    is_set = local_name(result_set) == RESULT_SET
    names = _PARTS.keys() - ({"Extension"} if is_set else set())
    if result_set is not results:
        names -= {name for name, _ in children(results)}
    found: set[str | Element] = {e for name, e in children(result_set) if name in names}
    # A result set has attributes of its own.
    return frozenset(found if is_set else found | attributes_of(results).keys())


def read_header(
    results: Element, account: RunAccount, *, is_set: bool = False
) -> ATMLHeader:
    """
    Read the children of ``TestResults`` other than ``ResultSet``.

    Args:
        results: the ``TestResults`` element.
        is_set: whether it is its own result set; then only the parts of a header count.
    """
    reader = _HeaderReader(account)
    if local_name(results) != RESULT_SET:
        _keep_attributes(results, "", reader.metadata, account)
    for ancestor in results.iterancestors("{*}" + COLLECTION):
        _keep_attributes(ancestor, "collection.", reader.metadata, account)
    if (text := read_text(results)) is not None and not is_set:
        put(reader.metadata, "text", text, account)
    has_set = False
    inside = children(results)
    if is_set:
        of_header = header_of(results, results)
        inside = [(name, element) for name, element in inside if element in of_header]
    for name, element in inside:
        if not is_set and element.tail and not element.tail.isspace():
            # The text behind an element is nobody's field, and is kept.
            put(reader.metadata, "text", element.tail.strip(), account)
        if name == "ResultSet":
            if has_set:
                account.dropped(
                    "result set",
                    "a run has one, the first",
                    element,
                    content_of(element),
                )
            else:
                reader.within(element, header_of(results, element))
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
        program=reader.program_name,
        program_version=reader.program_version,
        metadata=reader.metadata,
        interrupted=reader.interrupted,
    )


def _keep_attributes(
    element: Element, prefix: str, into: dict[str, JSONValue], account: RunAccount
) -> None:
    for name, value in attributes_of(element).items():
        short = name.rpartition("}")[2]
        if short != "schemaLocation":
            put(into, f"{prefix}{short}", value.strip(), account)


class _HeaderReader:
    """Reads the parts of a header, each into its field."""

    def __init__(self, account: RunAccount) -> None:
        self._account = account
        self.unit: dict[str, str] = {}
        self.station: str | None = None
        self.operator: str | None = None
        self.program_name: str | None = None
        self.program_version: str | None = None
        self.metadata: dict[str, JSONValue] = {}
        self.interrupted = False

    def within(self, result_set: Element, of_header: frozenset[str | Element]) -> None:
        """Read the parts of a header that stand within the result set."""
        for name, below in children(result_set):
            if below in of_header:
                rule = "part of the header within the result set, read"
                self._account.coerced(name, rule, below)
                _PARTS[name](self, below)

    def uut(self, element: Element) -> None:
        """Read ``UUT``."""
        self._keep(attribute(element, "UutType"), "uut.type")
        read: list[str | Element] = ["UutType"]
        for name, field in _UNIT_ATTRIBUTES.items():
            # Other exporters than TestStand write them so.
            if (given := attribute(element, name)) is not None:
                self.unit[field] = given
                read.append(name)
        for name, below in children(element):
            # An attribute, as other exporters write it, wins over the element.
            if name == "SerialNumber" and "serial_number" not in self.unit:
                self._serial(below)
                read.append(below)
            elif name == "Definition":
                self._definition(below)
                read.append(below)
        keep_rest(element, "uut", self.metadata, self._account, read)

    def _serial(self, element: Element) -> None:
        serial = self._named("serial number", element, read_text(element))
        if serial is not None:
            self.unit["serial_number"] = serial
        keep_rest(element, "uut.SerialNumber", self.metadata, self._account, ("",))

    def _named(self, item: str, element: Element, text: str | None) -> str | None:
        """Give a name, but None for a word that stands for no name."""
        if text is None or not is_placeholder(text):
            return text
        self._account.coerced(item, "placeholder read as none", element, text)
        return None

    def _definition(self, definition: Element) -> None:
        self._keep(attribute(definition, "name"), "uut.definition.name")
        read: list[str | Element] = ["name"]
        version = attribute(definition, "version")
        if version is not None and "revision" not in self.unit:
            self.unit["revision"] = version
            read.append("version")
        for name, below in children(definition):
            if name == "Identification":
                self._identification(below)
            elif name == "Extension":
                self._additional(below, "uut")
            else:
                continue
            read.append(below)
        keep_rest(definition, "uut.definition", self.metadata, self._account, read)

    def _identification(self, element: Element) -> None:
        read: list[str | Element] = []
        for name, below in children(element):
            if name == "ModelName" and "part_name" not in self.unit:
                model = self._named("part name", below, read_text(below))
                if model is not None:
                    self.unit["part_name"] = model
                keep_rest(below, "uut.ModelName", self.metadata, self._account, ("",))
                read.append(below)
            elif name == "IdentificationNumbers":
                self._numbers(below)
                read.append(below)
        keep_rest(element, "uut", self.metadata, self._account, read)

    def _numbers(self, element: Element) -> None:
        inside = children(element)
        for _, number in inside:
            self._number(number)
        read = [number for _, number in inside]
        keep_rest(element, "uut.identification", self.metadata, self._account, read)

    def _number(self, element: Element) -> None:
        kind = attribute(element, "type")
        number = attribute(element, "number")
        key = f"uut.identification.{kind or 'number'}"
        # A unit has one part number; the other numbers are metadata.
        if kind == "Part" and number is not None and "part_number" not in self.unit:
            number = self._named("part number", element, number)
            if number is not None:
                self.unit["part_number"] = number
            # TestStand repeats what kind of number it is.
            if (attribute(element, "qualifier") or "").lower() == "part":
                read = ("type", "number", "qualifier")
                keep_rest(element, key, self.metadata, self._account, read)
                return
        else:
            self._keep(number, key)
        keep_rest(element, key, self.metadata, self._account, ("type", "number"))

    def _additional(self, extension: Element, prefix: str) -> None:
        found: dict[str, JSONValue] = {}
        flatten(extension, prefix, found, self._account)
        for key, value in found.items():
            # TestStand's containers, which say nothing about the value.
            short = key.replace(".TSAdditionalData", "").replace(".TSCollection", "")
            # Two properties that differ after shortening keep their whole names.
            if self.metadata.setdefault(short, value) != value:
                self.metadata[key] = value

    def personnel(self, element: Element) -> None:
        """Read ``Personnel``: the first operator is the run's."""
        read: list[Element] = []
        for name, below in children(element):
            if name == "SystemOperator" and not read:
                self._operator(below)
                read.append(below)
        keep_rest(element, "personnel", self.metadata, self._account, read)

    def _operator(
        self, element: Element, names: tuple[str, str] = ("name", "ID")
    ) -> None:
        given = [attribute(element, name) for name in names]
        name = next((name for name in (*given, read_text(element)) if name), None)
        self.operator = self._named("operator", element, name)
        if self.operator is not None:
            self._account.mapped["property"] += 1
        read = [key for key, text in zip(names, given, strict=True) if text == name]
        read += [""] if read_text(element) == name else []
        keep_rest(element, "operator", self.metadata, self._account, read)

    def operator_alone(self, element: Element) -> None:
        """Read the operator, whom other exporters write without ``Personnel``."""
        name = local_name(element)
        if self.operator is None:
            self._operator(element, ("name", "id" if name == "Operator" else "ID"))
        else:
            flatten(element, name, self.metadata, self._account)

    def test_station(self, element: Element) -> None:
        """Read ``TestStation``."""
        read: list[str | Element] = []
        for name, below in children(element):
            if name == "SerialNumber" and self.station is None:
                self.station = self._named("station", below, read_text(below))
                if self.station is not None:
                    self._account.mapped["property"] += 1
                key = "station.SerialNumber"
                keep_rest(below, key, self.metadata, self._account, ("",))
            elif name == "Definition":
                self._of_station(below)
            else:
                continue
            read.append(below)
        for name in ("name", "id"):
            if self.station is None and (given := attribute(element, name)):
                self.station = self._named("station", element, given)
                read.append(name)
        keep_rest(element, "station", self.metadata, self._account, read)

    def _of_station(self, definition: Element) -> None:
        blocks = [below for kind, below in children(definition) if kind == "Extension"]
        for block in blocks:
            self._additional(block, "station")
        keep_rest(definition, "station", self.metadata, self._account, blocks)

    def program(self, element: Element) -> None:
        """Read ``TestProgram`` or ``TestDescription``."""
        read: list[Element] = []
        for name, below in children(element):
            if name in _DISPLAY:
                self._options(below)
                read.append(below)
            elif name == "Definition" and self.program_version is None:
                self.program_version = attribute(below, "version")
                model = read_text(child(below, "Identification", "ModelName"))
                named = attribute(below, "name") or model
                self.program_name = None if is_placeholder(named or "") else named
        keep_rest(element, "program", self.metadata, self._account, read)

    def _options(self, element: Element) -> None:
        self._account.coerced("report options", REPORT_OPTIONS_RULE, element)
        collection = child(element, "Collection")
        # Most of them are about the look of a page; only those that say how the test
        # was run are kept.
        # There are a hundred of them in every report.
        for item in () if collection is None else child_elements(collection):
            name = item.get(NAME)
            if name in KEPT_REPORT_OPTIONS:
                for value in item:
                    key = f"report_options.{name}"
                    flatten(value, key, self.metadata, self._account)

    def extension(self, element: Element) -> None:
        """Read ``Extension``: TestStand's properties of the result set."""
        read: list[Element] = []
        for name, block in children(element):
            if name in _DISPLAY:
                self._options(block)
            elif name == "TSResultSetProperties":
                for kind, below in children(block):
                    self._property(kind, below)
                inside = list(child_elements(block))
                keep_rest(block, "result_set", self.metadata, self._account, inside)
            else:
                continue
            read.append(block)
        keep_rest(element, "extension", self.metadata, self._account, read)

    def _property(self, kind: str, element: Element) -> None:
        if kind == "TSRData" and "tsr_data" not in self.metadata:
            found: dict[str, JSONValue] = dict(attributes_of(element))
            self._account.mapped["property"] += 1
            self.metadata["tsr_data"] = found
            # The result file was not closed, so recording did not end.
            if str(found.get("TSRFileClosed", "")).lower() == "false":
                self.interrupted = True
            keep_rest(element, "tsr_data", self.metadata, self._account, set(found))
            return
        if kind == "CriticalFailureStack" and "critical_failures" not in self.metadata:
            self._failures(element)
            return
        value = property_text(element)
        if value is None:
            flatten(element, f"result_set.{kind}", self.metadata, self._account)
            return
        # The batch is named where the socket is, in the result set and not in the unit.
        if kind == "BatchSerialNumber" and "batch_number" not in self.unit:
            self._account.mapped["property"] += 1
            self.unit["batch_number"] = value
        elif kind == "TestSocketIndex":
            put(self.metadata, "test_socket_index", _count(value), self._account)
        elif kind == "IsPartialExecution":
            is_partial = value.lower() == "true"
            put(self.metadata, "partial_execution", is_partial, self._account)
        else:
            put(self.metadata, f"result_set.{kind}", value, self._account)
        # Of the three places of a value only one is read.
        record_unread(element, PROPERTY, self._account)

    def _failures(self, stack: Element) -> None:
        """Read the steps that made the run fail."""
        inside = children(stack)
        entries: list[JSONValue] = [dict(attributes_of(entry)) for _, entry in inside]
        if entries:
            self._account.mapped["property"] += len(entries)
            self.metadata["critical_failures"] = entries
        for _, entry in inside:
            given = set(attributes_of(entry))
            keep_rest(entry, "critical_failure", self.metadata, self._account, given)
        read = [entry for _, entry in inside]
        keep_rest(stack, "critical_failures", self.metadata, self._account, read)

    def _keep(self, value: str | None, key: str) -> None:
        put(self.metadata, key, value, self._account)


def _count(text: str) -> int | str:
    """Read an index; another text stays as it is."""
    count = read_count(text)
    return text if count is None else count


_PARTS = {
    "UUT": _HeaderReader.uut,
    "Personnel": _HeaderReader.personnel,
    "TestStation": _HeaderReader.test_station,
    "TestProgram": _HeaderReader.program,
    "TestDescription": _HeaderReader.program,
    "Operator": _HeaderReader.operator_alone,
    "SystemOperator": _HeaderReader.operator_alone,
    "Extension": _HeaderReader.extension,
}
