"""Reports of any shape: the same runs whether they are read whole or step by step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LOOP = "<ts:LoopingProperties>{}</ts:LoopingProperties>"
SUMMARY = LOOP.format('<ts:NumLoops value="2"/>')
ITERATION = LOOP.format('<ts:LoopIndex value="0"/>')
KINDS = st.sampled_from(["Test", "SessionAction", "TestGroup"])
NAMES = st.sampled_from(["a", "b", "x.seq#Main", ""])
VALUES = st.sampled_from(["Passed", "Failed", "Done", "NotStarted", "Odd", None])


@st.composite
def steps(draw: Any, depth: int = 3) -> Any:
    """Describe a step, with steps below it before or after its properties."""
    below = draw(st.lists(steps(depth - 1), max_size=3)) if depth else []
    return {
        "name": draw(NAMES),
        "kind": draw(KINDS),
        "value": draw(VALUES),
        "loop": draw(st.sampled_from(["", SUMMARY, ITERATION])),
        "text": draw(st.booleans()),
        "judged": draw(st.booleans()),
        "error": draw(st.booleans()),
        "is_late": draw(st.booleans()),
        "attributes": draw(st.sampled_from(["", 'ID="1_PostAction"'])),
        "below": below,
    }


def written(write: Any, step: dict[str, Any]) -> str:
    """Write a step."""
    content = [written(write, below) for below in step["below"]]
    if step["text"]:
        text = write.datum("c:string", "said")
        content.append(write.result("ReportText", text))
    if step["judged"]:
        limits = write.shape("SingleLimit", "LE", 5)
        content.append(
            write.result("Numeric", write.datum("c:double", 1), limits=limits)
        )
    if step["error"]:
        content.append(write.error("broken", 7))
    late = step["loop"] if step["is_late"] else ""
    if late:
        content.append(
            "<tr:Extension><ts:TSStepProperties>"
            f"{late}</ts:TSStepProperties></tr:Extension>"
        )
    shown: str = write.step(
        step["name"],
        *content,
        element=step["kind"],
        value=step["value"],
        properties=None if late else step["loop"] or None,
        attributes=step["attributes"],
    )
    return shown


@pytest.mark.parametrize("version", ["2.02", "5.00", "6.01"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(described=st.lists(steps(), max_size=4))
def test_steps_of_any_shape(
    write: Any, read: Any, version: str, described: list[dict[str, Any]]
) -> None:
    """Order, nesting, loops, logs and verdicts are the same both ways."""
    results = write.results(
        *(written(write, step) for step in described), version=version
    )
    if version != "2.02":
        results = write.collection(results, version=version)
    # The reader of the tests reads both ways, and compares.
    (run,) = read(write.file(results)).runs
    assert len(run.phases) >= len(described) - 1
