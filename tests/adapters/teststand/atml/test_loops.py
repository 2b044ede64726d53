"""Loops of ATML reports: summaries and iterations of every version."""

from __future__ import annotations

from typing import Any

import pytest

LOOP = "<ts:LoopingProperties>{}</ts:LoopingProperties>"


class TestLoops:
    """A summary and its iterations (case 56, oddity 17)."""

    @pytest.mark.parametrize(
        "form", ["<ts:{0} value='{1}'/>", "<ts:{0}><c:Datum value='{1}'/></ts:{0}>"]
    )
    def test_values_are_counted_once(self, write: Any, run_of: Any, form: str) -> None:
        """The iterations have the measurements, the summary the counters."""
        result = write.result(
            "Numeric",
            write.datum("c:double", 1),
            limits=write.shape("SingleLimit", "LE", 5),
        )

        def looped(**facts: int) -> str:
            inner = "".join(form.format(key, value) for key, value in facts.items())
            step: str = write.step(
                "Retry",
                result,
                properties=LOOP.format(inner),
                attributes='testReferenceID="ID#:a"',
            )
            return step

        phases = run_of(
            looped(NumLoops=2, NumPassed=1, NumFailed=1, EndingLoopIndex=2),
            looped(LoopIndex=0),
            looped(LoopIndex=1),
            write.step("next"),
        ).phases
        assert [phase.path for phase in phases] == [(), ("Retry",), ("Retry",), ()]
        assert phases[0].attributes["num_loops"] == 2
        assert [p.attributes.get("loop_index") for p in phases[1:3]] == [0, 1]
        assert [len(phase.measurements) for phase in phases[:3]] == [0, 1, 1]

    @pytest.mark.parametrize("identified", [True, False])
    @pytest.mark.parametrize("element", ["Test", "TestGroup"])
    def test_iterations_bear_their_index_in_the_name(
        self, write: Any, run_of: Any, element: str, *, identified: bool
    ) -> None:
        """As TestStand 2014 names them; the name stays, the path is the summary's."""
        result = write.result("Return Value", write.datum("ts:TS_double", 0))

        def looped(name: str, facts: str) -> str:
            step: str = write.step(
                name,
                result,
                element=element,
                properties=LOOP.format(facts),
                attributes='testReferenceID="ID#:N5"' if identified else "",
            )
            return step

        counters = (
            "<ts:NumLoops value='2' xsi:type='c:double'/>"
            "<ts:NumFailed value='2' xsi:type='c:double'/>"
        )
        phases = run_of(
            looped("BMU Update", counters),
            looped("BMU Update (Loop Index:0)", "<ts:LoopIndex value='0'/>"),
            looped("BMU Update (Loop Index:1)", "<ts:LoopIndex value='1'/>"),
            write.step("next"),
            version="5.00",
        ).phases
        assert [(*phase.path, phase.name) for phase in phases] == [
            ("BMU Update",),
            ("BMU Update", "BMU Update (Loop Index:0)"),
            ("BMU Update", "BMU Update (Loop Index:1)"),
            ("next",),
        ]
        assert [bool(phase.measurements) for phase in phases[:3]] == [False, True, True]

    def test_iterations_of_another_step_stay_where_they_are(
        self, write: Any, run_of: Any
    ) -> None:
        """A summary owns the turns of its own step only."""
        phases = run_of(
            write.step("a", properties=LOOP.format("<ts:NumLoops value='1'/>")),
            write.step(
                "b (Loop Index:0)", properties=LOOP.format("<ts:LoopIndex value='0'/>")
            ),
        ).phases
        assert [phase.path for phase in phases] == [(), ()]

    def test_summary_alone_keeps_its_value(self, write: Any, run_of: Any) -> None:
        """Without iterations the summary is a normal step."""
        step = write.step(
            "Retry",
            write.result("Numeric", write.datum("c:double", 1), limits=""),
            properties=LOOP.format("<ts:NumLoops value='3'/>"),
        )
        assert len(run_of(step).phases[0].measurements) == 1
