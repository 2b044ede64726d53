"""
The account of each file equals counts that are taken from its tree by XPath.

The counts share no code with the readers: they know the formats by their elements
alone. Of each kind, mapped and dropped together are what the file holds; what is
coerced besides is a remark on one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree

from rigbridge.adapters import ConversionReport, Disposition
from rigbridge.testing import Reading

KINDS = ("run", "phase", "measurement", "limit", "unit", "log", "event", "comment")
Counter = Callable[[str], int]


def accounted(report: ConversionReport) -> dict[str, int]:
    """Give what the report says of each kind, mapped or dropped."""
    return {
        kind: report.count(Disposition.MAPPED, kind)
        + report.count(Disposition.OMITTED, kind)
        + report.count(Disposition.DROPPED, kind)
        for kind in KINDS
    }


def counting(tree: Any) -> Counter:
    """Give what counts by XPath, with ``//x`` for an element of any namespace."""

    def count(expression: str) -> int:
        return int(tree.xpath(f"count({expression})"))

    return count


def _named(*names: str) -> str:
    return "(" + " or ".join(f"local-name()='{name}'" for name in names) + ")"


ATML_STEP = f"*[{_named('Test', 'TestGroup', 'SessionAction')}]"
ROOT_GROUP = (
    "[not(local-name()='TestGroup' and parent::*[local-name()='ResultSet']"
    " and namespace-uri()='http://www.ieee.org/ATML/2007/TestResults')]"
)
NOT_TEXT = "[not(ancestor::*[@name='ReportText' or @ID='ReportText'])]"
NO_EVENT = "[not(ancestor::*[local-name()='Event'])]"
NO_LIMIT = "[not(ancestor::*[local-name()='TestLimits'])]"
NO_LAYOUT = "[not(ancestor::*[contains(@name, '.Attributes')])]"
OF_STEP = f"[ancestor::{ATML_STEP}]"
VALUE = f"{OF_STEP}{NOT_TEXT}{NO_EVENT}{NO_LIMIT}{NO_LAYOUT}"
CELL = "*[local-name()='Element']"


def _rows(tree: Any) -> int:
    """Count the series that arrays become: one, or one a row, the shared X apart."""
    found = 0
    for array in tree.xpath(f"//*[local-name()='IndexedArray']{VALUE}"):
        positions = [cell.get("position") for cell in array.xpath(CELL)]
        rows = {position.split(",")[0] for position in positions if "," in position}
        item = array.getparent()
        name = f"{item.get('name')}.Attributes"
        layout = item.xpath(f"string(following-sibling::*[@name='{name}'])")
        found += max(1, len(rows)) - ("singleX" in layout and len(rows) > 1)
    return found


def count_atml(tree: Any) -> dict[str, int]:
    """Count what a file of ATML holds."""
    count = counting(tree)
    result = "*[local-name()='TestResult']"
    judged = f"{result}[*[{_named('TestLimits', 'Outcome')}]"
    judged += " or *//*[local-name()='IsComparisonTypeLog' or @name='Numeric']"
    judged += " or @name='Numeric' or @name='String' or @ID='Numeric' or @ID='String']"
    passing = (
        "[*[local-name()='Outcome'][@value='Passed' or @value='Failed']]"
        "[not(*/*/*[local-name()='StepType'])"
        " or contains(*/*/*[local-name()='StepType'], 'PassFail')]"
    )
    shapes = _named("Expected", "SingleLimit", "LimitPair", "Mask")
    message = "*[local-name()='Event'][@ID='Error Message' or */@name='Error Message']"
    said = "[normalize-space(.)]"
    return {
        "run": count("//*[local-name()='TestResults']"),
        "phase": count(f"//{ATML_STEP}{ROOT_GROUP}"),
        "measurement": count(f"//*[local-name()='Datum']{VALUE}")
        + _rows(tree)
        + count("//*[local-name()='Reference'][parent::*[local-name()='Parameter']]/@*")
        + count("//*[local-name()='Reference'][parent::*[local-name()='Parameter']]/*")
        + count(f"//*[local-name()='Test']{passing}[not({judged})]"),
        "limit": count(f"//*[{shapes}][parent::*[local-name()='Limits']]"),
        "unit": count(
            f"//*[local-name()='Datum']{VALUE}"
            "[@unit[normalize-space()] or @nonStandardUnit[normalize-space()]]"
        ),
        "log": count(f"//*[@name='ReportText' or @ID='ReportText']{said}")
        + count(f"//{message}{said}"),
        "event": count("//*[local-name()='Event']"),
        "comment": 0,
    }


RESULT = "//Value/Prop[@Type='TEResult'][not(ancestor::ArrayElementPrototype)]"
ANY_RESULT = "//Prop[@Type='TEResult'][not(ancestor::ArrayElementPrototype)]"
OWN = "[not(@Name='Status' or @Name='Error' or @Name='ReportText' or @Name='TS')]"
TESTED = "[../Prop[@Name='Comp' or @Name='Limits']]"
SCALAR = "[@Type='String' or @Type='Number' or @Type='Boolean'][Value]"
JUDGES = "@Name='Comp' or @Name='Units' or @Name='Limits' or @Name='RawLimits'"
CHART = "Prop[Prop[@Name='Plots']]"
WAVE = "Prop[Prop[@Name='t0'] and Prop[@Name='dt'] and Prop[@Name='Y']]"
FREE = (
    f"[not(ancestor::{CHART})][not(ancestor::{WAVE})][not(ancestor::Attributes)]"
    "[not(ancestor::ArrayElementPrototype)][not(ancestor-or-self::Prop["
    "@Name='Limits' or @Name='RawLimits' or @Name='Measurement' or @Name='Common'])]"
)


def _native_arrays(tree: Any) -> int:
    found = 0
    arrays = f"{RESULT}/Prop{OWN}/descendant-or-self::Prop[@Type='Array']{FREE}"
    for array in tree.xpath(f"{arrays}[not(Value/Prop)]"):
        rows = {
            slot.get("ID").split("]")[0]
            for slot in array.xpath("Value")
            if slot.get("ID").count("[") > 1
        }
        is_shared = "singleX" in array.xpath("string(Attributes)") and len(rows) > 1
        found += max(1, len(rows)) - is_shared
    return found


def count_native(tree: Any) -> dict[str, int]:
    """Count what a native file holds."""
    count = counting(tree)
    single = f"{RESULT}/Prop[@Name='Numeric' or @Name='String']{TESTED}"
    verdict = f"{RESULT}/Prop[@Name='PassFail']"
    row = f"{RESULT}/Prop[@Name='Measurement']/Value/Prop"
    scalars = f"{RESULT}/Prop{OWN}[not({JUDGES})]/descendant-or-self::Prop{SCALAR}"
    in_rows = "[not(@Name='Data' or @Name='StringData' or @Name='PassFail'"
    in_rows += (
        f" or @Name='Status' or @Name='MeasName' or @Name='StringLimit' or {JUDGES})]"
    )
    alone = "[not(@Name='PassFail')][not((@Name='Numeric' or @Name='String')"
    alone += " and ../Prop[@Name='Comp' or @Name='Limits'])]"
    bounds = (
        "Prop[@Name='Low' or @Name='High' or @Name='String'][normalize-space(Value)]"
    )
    report = "//Report[not(@Type='Batch')]"
    said = "[normalize-space(Value)]"
    return {
        "run": count(report) + count("//TSReport"),
        "phase": count(RESULT),
        "measurement": count(single)
        + count(verdict)
        + count(row)
        + count(f"{row}/Prop{in_rows}")
        + count(
            f"({scalars}{FREE})[not(parent::Prop[@Type='TEResult']"
            " and (@Name='PassFail' or ((@Name='Numeric' or @Name='String')"
            " and ../Prop[@Name='Comp' or @Name='Limits'])))]"
        )
        + _native_arrays(tree)
        + count(f"{RESULT}//Prop[@Name='Plots']/Value")
        + count(f"{RESULT}//{WAVE}"),
        "limit": count(f"{RESULT}/Prop[@Name='Limits'][{bounds}]")
        + count(f"{row}[Prop[@Name='Limits'][{bounds}]]")
        + count(f"{row}/Prop[@Name='StringLimit']{said}"),
        "unit": count(f"{RESULT}/Prop[@Name='Units']{said}")
        + count(f"{row}/Prop[@Name='Units']{said}"),
        "log": count(f"{ANY_RESULT}/Prop[@Name='ReportText']{said}")
        + count(
            f"{ANY_RESULT}/Prop[@Name='Error'][Prop[@Name='Occurred'][Value='True']"
            " or Prop[@Name='Msg'][normalize-space(Value)]]"
        )
        + count("//ErrorText[normalize-space()]")
        + count("//Prop[@Name='UUT']/Prop[@Name='Comment'][normalize-space(Value)]"),
        "event": 0,
        "comment": count(
            "//Comment[normalize-space()][not(ancestor::ArrayElementPrototype)]"
        ),
    }


def counted(path: Path) -> dict[str, int]:
    """Count what a file holds, whichever kind it is."""
    tree = etree.fromstring(path.read_bytes())
    is_atml = "TestResults" in str(tree.tag)
    return count_atml(tree) if is_atml else count_native(tree)


class TestEveryFile:
    """The fixtures and the real samples of both kinds."""

    def test_the_account_equals_the_counts(
        self, report_file: Path, reading: Reading
    ) -> None:
        """Of each kind, mapped and dropped are what the file holds."""
        assert accounted(reading.report) == counted(report_file)

    def test_the_runs_hold_what_was_mapped(self, reading: Reading) -> None:
        """Counts of the runs themselves equal what the report says was carried over."""
        phases = [phase for run in reading.runs for phase in run.phases]
        measurements = [item for phase in phases for item in phase.measurements]
        report = reading.report
        held = {
            "run": len(reading.runs),
            "phase": len(phases),
            "measurement": len(measurements),
            "limit": sum(
                item.limits is not None
                or bool(item.validators)
                or "unused_limits" in item.attributes
                for item in measurements
            ),
            "unit": sum(item.unit is not None for item in measurements),
            "log": sum(len(run.logs) for run in reading.runs),
        }
        assert held == {kind: report.count(Disposition.MAPPED, kind) for kind in held}

    def test_a_loss_would_be_seen(self, report_file: Path, reading: Reading) -> None:
        """Each element that is taken out of the file changes the counts."""
        tree: Any = etree.fromstring(report_file.read_bytes())
        is_atml = "TestResults" in str(tree.tag)
        step = (
            f"//{ATML_STEP}{ROOT_GROUP}[not(.//{ATML_STEP})]"
            if is_atml
            else f"{RESULT}[not(.//Prop[@Type='TEResult'])]/.."
        )
        for element in tree.xpath(f"({step})[1]"):
            element.getparent().remove(element)
            counts = count_atml(tree) if is_atml else count_native(tree)
            assert accounted(reading.report) != counts
