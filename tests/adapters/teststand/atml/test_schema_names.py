"""
Every element and attribute that the schemas know is in the run or the account.

The names are written by hand for these tests, from what is publicly known of IEEE
1636.1, IEEE 1671 and TestStand's extension. Each entry is an element with its
attributes, its children and the type of its text. An element that differs by its use
has a word behind a slash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.adapters import Source
from rigbridge.convert.document import to_document
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter

_COMMON = "classified:boolean securityClassification:word"
_STEP = (
    "ID:word name:word testReferenceID:word documentRequirementID:word"
    " startDateTime:time endDateTime:time cost:number simulated:boolean"
    f" entryPoint:boolean operatingMode:word userDefinedType:word {_COMMON}"
)
_INSIDE = (
    "tr:Description tr:Events tr:Parameters tr:EnvironmentalData tr:Extension/step"
    " tr:Calibration"
)
_PERSON = "ID:word name:word affiliation:word email:word phoneNumber:word"
_UNIT = "unitQualifier:word"
_QUALITY = "c:Resolution c:Range c:Confidence"
_ARRAY = "dimensions:=[2] lowerBounds:=[0] upperBounds:=[1]"
_DEFINITION = "c:Description c:Identification"
_RESULTS = "value:=Passed qualifier:word referenceID:word forced:boolean"

NAMES: dict[str, tuple[str, str, str]] = {
    "tr:TestResults": (
        f"uuid:word name:word {_COMMON}",
        (
            "tr:Personnel tr:PreTestRepairs tr:References tr:ResultSet tr:Site"
            " tr:TestDescription tr:TestProgram tr:TestStation tr:UUT tr:WorkOrder"
            " tr:Extension/run"
        ),
        "",
    ),
    "tr:Personnel": (
        "",
        "tr:CustomerRepresentative tr:QualityAssurance tr:SystemOperator",
        "",
    ),
    "tr:CustomerRepresentative": (_PERSON, "c:OtherData", ""),
    "tr:QualityAssurance": (_PERSON, "", ""),
    "tr:SystemOperator": (_PERSON, "c:OtherData", ""),
    "c:OtherData": ("name:word", "c:Datum/string", ""),
    "tr:PreTestRepairs": ("", "tr:Repair", ""),
    "tr:Repair": (
        "preventive:boolean",
        "tr:RepairActionTaken tr:ReferenceDesignator",
        "",
    ),
    "tr:RepairActionTaken": ("value:=Replace code:word", "tr:Description", ""),
    "tr:RepairActionRecommended": ("value:=Replace code:word", "", ""),
    "tr:ReferenceDesignator": (
        "classLetterAndNumber:word type:word",
        "tr:Description",
        "",
    ),
    "tr:References": ("", "tr:Reference", ""),
    "tr:Reference": ("name:word uuid:word type:word", "c:Text", ""),
    "c:Text": ("", "", "word"),
    "tr:ResultSet": (
        f"{_STEP} callerName:word",
        f"{_INSIDE} tr:Outcome tr:Test tr:SessionAction tr:TestGroup",
        "",
    ),
    "tr:Test": (
        _STEP,
        (
            f"{_INSIDE} tr:Data tr:Outcome tr:TestResult/judged tr:TestResult/array"
            " tr:TestResult/more"
        ),
        "",
    ),
    "tr:SessionAction": (_STEP, f"{_INSIDE} tr:Data tr:ActionOutcome", ""),
    "tr:TestGroup": (
        f"{_STEP} callerName:word",
        f"{_INSIDE} tr:Outcome tr:TestResult/more tr:Test/bare",
        "",
    ),
    "tr:Test/bare": ("ID:word name:word", "tr:Outcome tr:TestLimits/test", ""),
    "tr:Description": ("", "", "word"),
    "tr:Outcome": (_RESULTS, "", ""),
    "tr:ActionOutcome": (
        "value:=Done qualifier:word referenceID:word forced:boolean",
        "",
        "",
    ),
    "tr:Events": ("", "tr:Event", ""),
    "tr:Event": (
        "ID:word name:word severity:number source:word timeStamp:time",
        "tr:Message tr:Data/named tr:Reference",
        "",
    ),
    "tr:Message": ("", "", "word"),
    "tr:Data": ("", "c:Datum/string c:Collection", ""),
    "tr:Data/named": ("name:word", "c:Datum/double", ""),
    "tr:Parameters": ("", "tr:Parameter", ""),
    "tr:Parameter": (
        "ID:word name:word timeStamp:time",
        "tr:Description tr:Data tr:Reference",
        "",
    ),
    "tr:EnvironmentalData": ("", "tr:Environmental", ""),
    "tr:Environmental": ("name:word timeStamp:time", "c:Datum/double", ""),
    "tr:Calibration": ("ID:word name:word", "tr:Data", ""),
    "tr:TestResult/judged": (
        "ID:word name:word",
        (
            "tr:Outcome tr:Description tr:Indictments tr:TestData tr:TestLimits"
            " tr:Extension/limit"
        ),
        "",
    ),
    "tr:TestResult/array": (
        "ID:word name:word",
        "tr:TestData/array tr:TestLimits/other",
        "",
    ),
    "tr:TestResult/more": ("ID:word name:word", "tr:TestData/more", ""),
    "tr:Indictments": (
        "retestTestGroup:word indictmentsDateTime:time",
        "tr:Indictment",
        "",
    ),
    "tr:Indictment": ("", "tr:RepairActionRecommended tr:ReferenceDesignator", ""),
    "tr:TestData": ("acquisitionTimeStamp:time", "c:Datum/double", ""),
    "tr:TestData/array": ("", "c:IndexedArray", ""),
    "tr:TestData/more": (
        "acquisitionTimeStamp:time",
        (
            "c:Collection c:IndexedArray/complex c:IndexedArray/texts"
            " c:IndexedArray/collections c:Datum/complex c:Datum/enum"
            " c:Datum/hexadecimal c:Datum/dateTime"
        ),
        "",
    ),
    "tr:TestLimits": ("", "tr:Limits", ""),
    "tr:TestLimits/other": (
        "",
        "tr:Limits/single tr:Limits/expected tr:Limits/mask",
        "",
    ),
    "tr:TestLimits/test": ("", "tr:Limits/single", ""),
    "tr:Limits": ("name:word operator:=AND", "c:LimitPair c:Description", ""),
    "tr:Limits/single": ("operator:=AND", "c:SingleLimit", ""),
    "tr:Limits/expected": ("operator:=AND", "c:Expected", ""),
    "tr:Limits/mask": ("operator:=AND", "c:Mask", ""),
    "c:LimitPair": (
        "operator:=AND name:word",
        "c:Limit/low c:Limit/high c:Nominal",
        "",
    ),
    "c:Limit/low": ("comparator:=GE", "c:Datum/number", ""),
    "c:Limit/high": ("comparator:=LT", "c:Datum/number", ""),
    "c:Nominal": ("", "c:Datum/number", ""),
    "c:SingleLimit": ("comparator:=LE", "c:Datum/double", ""),
    "c:Expected": ("comparator:=EQ", "c:Datum/double", ""),
    "c:Mask": ("", "c:Expected/mask c:MaskValue", ""),
    "c:Expected/mask": ("", "c:Datum/number", ""),
    "c:MaskValue": ("operation:=AND name:word", "c:Datum/number", ""),
    "c:Description": ("", "", "word"),
    "c:Datum/double": (f"value:number nonStandardUnit:word {_UNIT}", _QUALITY, ""),
    "c:Datum/number": ("value:number standardUnit:word", "", ""),
    "c:Datum/string": ("", "c:Value", ""),
    "c:Datum/complex": ("real:number imaginary:number", "", ""),
    "c:Datum/hexadecimal": ("value:hexadecimal", "", ""),
    "c:Datum/dateTime": ("value:time", "", ""),
    "c:Datum/enum": ("", "ts:EnumValue ts:NumericValue ts:IsValid", ""),
    "c:Value": ("", "", "word"),
    "ts:EnumValue": ("", "", "word"),
    "ts:NumericValue": ("value:number", "", ""),
    "ts:IsValid": ("value:boolean", "", ""),
    "c:Resolution": ("", "", "number"),
    "c:Confidence": ("", "", "number"),
    "c:Range": ("", "c:LimitPair/range", ""),
    "c:LimitPair/range": ("operator:=AND", "c:Limit/low c:Limit/high", ""),
    "c:Collection": (
        "defaultStandardUnit:word defaultUnitQualifier:word",
        "c:Item",
        "",
    ),
    "c:Item": ("name:word", "c:Datum/plain", ""),
    "c:Datum/plain": ("value:number", "", ""),
    "c:IndexedArray": (
        f"{_ARRAY} nonStandardUnit:word {_UNIT}",
        f"{_QUALITY} ts:Element/0 ts:Element/1",
        "",
    ),
    "ts:Element/0": ("position:=[0] value:number", "", ""),
    "ts:Element/1": (f"position:=[1] value:number standardUnit:word {_UNIT}", "", ""),
    "c:IndexedArray/complex": (_ARRAY, "c:Element/complex", ""),
    "c:Element/complex": ("position:=[0] real:number imaginary:number", "", ""),
    "c:IndexedArray/texts": (_ARRAY, "ts:DefaultElementValue ts:Element/text", ""),
    "ts:DefaultElementValue": ("", "c:Value", ""),
    "ts:Element/text": ("position:=[0]", "c:Value", ""),
    "c:IndexedArray/collections": (_ARRAY, "ts:Element/items", ""),
    "ts:Element/items": ("position:=[0]", "c:Item", ""),
    "tr:Extension/limit": ("", "ts:TSLimitProperties", ""),
    "ts:TSLimitProperties": ("", "ts:IsComparisonTypeLog ts:RawLimits", ""),
    "ts:IsComparisonTypeLog": ("value:boolean", "", ""),
    "ts:RawLimits": ("", "ts:Low ts:High ts:Nominal", ""),
    "ts:Low": ("value:number", "", ""),
    "ts:High": ("value:number", "", ""),
    "ts:Nominal": ("value:number", "", ""),
    "tr:Extension/step": ("", "ts:TSStepProperties", ""),
    "ts:TSStepProperties": (
        "",
        (
            "ts:StepType ts:StepGroup ts:BlockLevel ts:Index ts:TotalTime ts:ModuleTime"
            " ts:StepCausedSequenceFailure ts:InteractiveExecutionId ts:RemoteServerId"
            " ts:LoopingProperties"
        ),
        "",
    ),
    "ts:StepType": ("", "", "word"),
    "ts:StepGroup": ("", "", "word"),
    "ts:BlockLevel": ("value:number", "", ""),
    "ts:Index": ("value:number", "", ""),
    "ts:TotalTime": ("value:number", "", ""),
    "ts:ModuleTime": ("value:number", "", ""),
    "ts:StepCausedSequenceFailure": ("value:boolean", "", ""),
    "ts:InteractiveExecutionId": ("value:number", "", ""),
    "ts:RemoteServerId": ("", "", "word"),
    "ts:LoopingProperties": (
        "",
        "ts:NumLoops ts:NumPassed ts:NumFailed ts:EndingLoopIndex",
        "",
    ),
    "ts:NumLoops": ("value:number", "", ""),
    "ts:NumPassed": ("value:number", "", ""),
    "ts:NumFailed": ("value:number", "", ""),
    "ts:EndingLoopIndex": ("value:number", "", ""),
    "tr:Site": ("name:word cageCode:word", "c:WorkCenter", ""),
    "c:WorkCenter": ("name:word", "", ""),
    "tr:TestDescription": ("", "c:DescriptionDocumentReference", ""),
    "c:DescriptionDocumentReference": ("ID:word uuid:word", "", ""),
    "tr:TestProgram": ("", "c:Definition c:SerialNumber", ""),
    "tr:TestStation": (
        "",
        "c:Definition c:SerialNumber c:Calibration c:PowerOn",
        "",
    ),
    "c:Calibration": ("time:time", "", ""),
    "c:PowerOn": ("count:number time:word", "", ""),
    "tr:UUT": ("UutType:word", "c:Definition/unit c:SerialNumber", ""),
    "c:Definition": ("version:word name:word", _DEFINITION, ""),
    "c:Definition/unit": ("version:word name:word", _DEFINITION, ""),
    "c:Identification": (
        "designator:word",
        "c:Version c:ModelName c:IdentificationNumbers c:Manufacturers",
        "",
    ),
    "c:Version": ("", "", "word"),
    "c:ModelName": ("", "", "word"),
    "c:SerialNumber": ("", "", "word"),
    "c:IdentificationNumbers": (
        "",
        (
            "c:IdentificationNumber/part c:IdentificationNumber/other"
            " c:ManufacturerIdentificationNumber"
        ),
        "",
    ),
    "c:IdentificationNumber/part": ("number:word type:=Part qualifier:word", "", ""),
    "c:IdentificationNumber/other": ("number:word type:=Other qualifier:word", "", ""),
    "c:ManufacturerIdentificationNumber": (
        "number:word type:=Model manufacturerName:word",
        "",
        "",
    ),
    "c:Manufacturers": ("", "c:Manufacturer", ""),
    "c:Manufacturer": ("name:word cageCode:word", "", ""),
    "tr:WorkOrder": ("", "c:WorkOrderNumber c:WorkItemNumber", ""),
    "c:WorkOrderNumber": ("", "", "word"),
    "c:WorkItemNumber": ("", "", "word"),
    "tr:Extension/run": ("", "ts:TSResultSetProperties", ""),
    "ts:TSResultSetProperties": (
        "",
        (
            "ts:BatchSerialNumber ts:TestSocketIndex ts:NumOfResults"
            " ts:IsPartialExecution ts:ResultListPresent"
            " ts:CriticalFailureStack ts:TSRData"
        ),
        "",
    ),
    "ts:BatchSerialNumber": ("value:word", "", ""),
    "ts:TestSocketIndex": ("value:count", "", ""),
    "ts:NumOfResults": ("value:count", "", ""),
    "ts:IsPartialExecution": ("value:boolean", "", ""),
    "ts:ResultListPresent": ("value:boolean", "", ""),
    "ts:CriticalFailureStack": ("", "ts:CriticalFailureStackEntry", ""),
    "ts:CriticalFailureStackEntry": (
        "stepName:word sequenceName:word sequenceFileName:word resultID:word",
        "",
        "",
    ),
    "ts:TSRData": ("TSRFileName:word TSRFileID:word TSRFileClosed:boolean", "", ""),
}
"""By element: its attributes with their types, its children, the type of its text."""

LATER = {
    "2.02": frozenset(
        {"callerName", "acquisitionTimeStamp", "tr:Indictments", "tr:WorkOrder"}
        | {"tr:EnvironmentalData", "c:Mask", "tr:Limits/mask", "operatingMode"}
    ),
    "5.00": frozenset({"entryPoint", "tr:Calibration"}),
    "6.01": frozenset[str](),
}
"""What a version does not know yet."""

SAID_ONCE = frozenset({"tr:TestResults", "tr:ResultSet", "tr:UUT"})
# A step without an outcome counts as skipped, and its values are left out by rule.
SAID_ONCE |= {"tr:Outcome", "tr:ActionOutcome"}
"""What a report cannot do without."""

TYPES = {
    "double": "c:double",
    "number": "c:double",
    "plain": "ts:TS_double",
    "string": "ts:TS_string",
    "complex": "c:complex",
    "hexadecimal": "c:hexadecimal",
    "dateTime": "c:dateTime",
    "enum": "ts:TS_enum",
}
ARRAYS = {
    "": "ts:TS_doubleArray",
    "complex": "c:complexArray",
    "texts": "ts:TS_stringArray",
    "collections": "ts:TS_CollectionArray",
}


class Document:
    """
    A report with every name, each value in it another one.

    Args:
        version: the version of ATML.
        spaces: the declarations of its namespaces.
        uses: tells whether an element is used.
    """

    def __init__(self, version: str, spaces: str, uses: Callable[[str], bool]) -> None:
        self.later = LATER[version]
        self._uses = uses
        self._count = count(1)
        self.values: list[tuple[str, str, str]] = []
        self.text = self._element("tr:TestResults", "")
        head = f"<tr:TestResults {spaces}"
        self.text = self.text.replace("<tr:TestResults", head, 1)

    def _value(self, kind: str, place: str) -> str:
        """Make a value of a type that stands nowhere else."""
        number = next(self._count)
        made = {
            "word": f"w{number}w",
            "number": f"{2000 + number}.125",
            "count": f"{7_000_000 + number}",
            "hexadecimal": f"0x{0xABC000 + number:X}",
            "time": f"2024-03-01T{number // 3600 % 24:02}:{number // 60 % 60:02}"
            f":{number % 60:02}.{number:06}",
            "boolean": "true",
        }[kind]
        self.values.append((place, kind, made))
        return made

    def _element(self, name: str, above: str) -> str:
        attributes, children, text = NAMES[name]
        tag, _, use = name.partition("/")
        place = f"{above}/{name}"
        shown = f"<{tag}"
        if tag == "c:Datum":
            shown += f' xsi:type="{TYPES[use]}"'
        if tag == "c:IndexedArray":
            shown += f' xsi:type="{ARRAYS[use]}"'
        for each in attributes.split():
            key, _, kind = each.partition(":")
            if key in self.later:
                continue
            fixed = kind.startswith("=")
            value = kind[1:] if fixed else self._value(kind, f"{place}/@{key}")
            shown += f' {key}="{value}"'
        inside = self._value(text, place) if text else ""
        for child in children.split():
            if child in SAID_ONCE or (child not in self.later and self._uses(child)):
                inside += self._element(child, place)
        return f"{shown}>{inside}</{tag}>"


def read(text: str) -> Reading:
    """Read a report."""
    source = Source.from_bytes(text.encode(), "a.xml")
    return read_all(TestStandATMLAdapter(), source, time_zone="UTC")


def flat(value: Any) -> Iterator[Any]:
    """Give every key and value of a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from flat(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner)
    else:
        yield value


def lost(document: Document) -> list[tuple[str, str]]:
    """Give the values of a report that are neither in its run nor in the account."""
    reading = read(document.text)
    assert reading.failures == ()
    (run,) = reading.runs
    found = [*flat(to_document(run)), *map(str, reading.report.entries)]
    numbers = {item for item in found if isinstance(item, (int, float))}
    text = "\n".join(map(str, found))
    missing: list[tuple[str, str]] = []
    for place, kind, value in document.values:
        if kind == "boolean" or value in text:
            continue
        is_number = kind in ("number", "count") and float(value) in numbers
        is_time = kind == "time" and value.rstrip("0") in text
        if not is_number and not is_time:
            missing.append((place, value))
    return missing


@pytest.fixture(params=sorted(LATER))
def make(request: pytest.FixtureRequest, write: Any) -> Callable[..., Document]:
    """Give a function that makes a report of a version."""
    version: str = request.param
    declared = write.collection(version=version).partition(" ")[2].partition(">")[0]
    return partial(Document, version, declared)


class TestEveryName:
    """A report is made of the names alone, each value in it stands once."""

    def test_all_at_once(self, make: Callable[..., Document]) -> None:
        """Nothing of a report that uses every name is lost."""
        used = set(SAID_ONCE)

        def uses(name: str) -> bool:
            used.add(name)
            return True

        document = make(uses)
        assert lost(document) == []
        # The newest version knows them all, so that none is in the list in vain.
        assert document.later or used == NAMES.keys()

    def test_without_members(self, make: Callable[..., Document]) -> None:
        """An empty array keeps its unit and whatever else is said of it."""
        assert (
            lost(make(lambda name: name not in ("ts:Element/0", "ts:Element/1"))) == []
        )

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
        ],
    )
    @given(left_out=st.frozensets(st.sampled_from(sorted(NAMES)), max_size=60))
    def test_any_part_of_them(
        self, make: Callable[..., Document], left_out: frozenset[str]
    ) -> None:
        """Nor where some of what is optional is missing."""
        assert lost(make(lambda name: name not in left_out)) == []
