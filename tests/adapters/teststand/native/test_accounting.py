"""
Every element of a generated report is accounted for.

The counts are taken from the whole tree by XPath, without any code of the reader.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from rigbridge.adapters import ConversionReport, Disposition

_DATA = "[not(ancestor-or-self::ArrayElementPrototype)][not(ancestor::Attributes)]"
_RESULT = "//Prop[@Type='TEResult']"
_SAID = "[normalize-space(Value)]"
_TESTED = "[../Prop[@Name='Comp' or @Name='Limits']]"
_LIMITED = "[Prop[@Name='Low' or @Name='High'][normalize-space(Value)]]"


def counted(content: bytes) -> dict[str, int]:
    """Count by XPath what a report holds, of each kind."""
    tree: Any = etree.fromstring(content)

    def count(expression: str) -> int:
        return int(tree.xpath(f"count({expression}{_DATA})"))

    judged = (
        count(f"{_RESULT}/Prop[@Name='Numeric' or @Name='String']{_TESTED}")
        + count(f"{_RESULT}/Prop[@Name='PassFail']")
        + count("//Prop[@Name='Measurement']/Value/Prop[Prop[@Name='Status']]")
    )
    known = (
        "@Name='Status' or @Name='ReportText' or @Name='Numeric' or @Name='PassFail'"
    )
    texts = "@Name='String' or @Name='Comp' or @Name='Units'"
    further = count(
        f"//Value/Prop[@Type='TEResult']/Prop[Value][not(Prop)]"
        f"[not(@Type='Array')][not({known} or {texts})]"
    ) + count("//Value/Prop[@Type='TEResult']/Prop[@Name='Extra']/Prop[Value]")
    return {
        "run": count("//Report[not(@Type='Batch')]") + count("//TSReport"),
        "phase": count("//Prop[@Name='ResultList']/Value/Prop"),
        "measurement": judged + further,
        "limit": count(f"//Prop[@Name='Limits']{_LIMITED}"),
        "unit": count(f"//Prop[@Name='Units']{_SAID}"),
        "log": count(f"{_RESULT}/Prop[@Name='ReportText']{_SAID}")
        + count(
            f"{_RESULT}/Prop[@Name='Error']"
            "[Prop[@Name='Occurred'][Value='True']"
            " or Prop[@Name='Msg'][normalize-space(Value)]]"
        ),
    }


def accounted(report: ConversionReport) -> dict[str, int]:
    """Count what the conversion report says, of the same kinds."""
    kinds = ("run", "phase", "measurement", "limit", "unit", "log")
    return {
        kind: report.count(Disposition.MAPPED, kind)
        + report.count(Disposition.OMITTED, kind)
        + report.count(Disposition.DROPPED, kind)
        for kind in kinds
    }


NAMES = st.sampled_from(["Rail", "VCC", "Größe", "a b", "µ"])
STATUSES = st.sampled_from(
    ["Passed", "Failed", "Done", "Error", "Terminated", "Skipped", "odd"]
)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["0x1F", "1E+006", "NAN", "-INF", "12.5 V"]),
)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), min_codepoint=32),
    max_size=12,
).filter(lambda text: text == text.strip() and "\ufffe" not in text)


class TestGeneratedReports:
    """Reports of any shape."""

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(data=st.data())
    def test_counts_are_equal(self, write: Any, read: Any, data: Any) -> None:
        """Whatever steps a report has, each part of them is accounted for."""

        def numeric() -> str:
            comparator = data.draw(
                st.sampled_from(["GELE", "GT", "LT", "EQ", "NE", "LOG"])
            )
            bounds = {"Low": 1, "High": 9} if comparator != "LOG" else {}
            return str(
                write.numeric(
                    data.draw(NAMES),
                    data.draw(NUMBERS),
                    comparator,
                    status=data.draw(STATUSES),
                    **bounds,
                )
            )

        def plain() -> str:
            extra = data.draw(st.dictionaries(NAMES, NUMBERS, max_size=3))
            inner = [write.prop(name, value, "Number") for name, value in extra.items()]
            return str(
                write.step(
                    data.draw(NAMES),
                    *([write.obj("Extra", *inner)] if inner else []),
                    status=data.draw(STATUSES),
                    text=data.draw(TEXTS),
                )
            )

        def multiple() -> str:
            statuses = data.draw(st.lists(STATUSES, min_size=1, max_size=4))
            rows = [
                (
                    data.draw(NAMES),
                    write.prop("Data", data.draw(NUMBERS), "Number")
                    + write.prop("Status", status),
                )
                for status in statuses
            ]
            return str(write.step(data.draw(NAMES), write.rows(*rows)))

        def call(depth: int) -> str:
            return str(
                write.step(
                    data.draw(NAMES),
                    status=data.draw(STATUSES),
                    children=tuple(steps(depth + 1)),
                    container=data.draw(
                        st.sampled_from(["SequenceCall", "PostAction"])
                    ),
                )
            )

        def steps(depth: int = 0) -> list[str]:
            kinds = data.draw(
                st.lists(
                    st.integers(0, 3 if depth < 3 else 2),
                    max_size=4,
                )
            )
            makers = (numeric, plain, multiple, lambda: call(depth))
            return [makers[kind]() for kind in kinds]

        content = write.document(write.report(*steps()))
        reading = read(content)
        assert accounted(reading.report) == counted(content)
        (run,) = reading.runs
        found = sum(len(phase.measurements) for phase in run.phases)
        assert found == reading.report.count(Disposition.MAPPED, "measurement")
