"""
The execution data of a result to the attributes of a phase.

The engine writes it into the ``TS`` container of each result.
"""

from __future__ import annotations

from sys import intern

from rigbridge.adapters import ConversionReport
from rigbridge.model import JSONValue
from rigbridge_teststand.native.properties import read_scalar, subproperties, value_text
from rigbridge_teststand.numbers import is_finite, parse_plain, read_number
from rigbridge_teststand.xml.elements import Element, record_dropped

__all__ = [
    "CALL",
    "COMMON_PROPERTIES",
    "CONTAINERS",
    "RESULTS",
    "containers_of",
    "read_execution_data",
    "read_seconds",
]

COMMON_PROPERTIES = frozenset({"Status", "Error", "ReportText", "Common", "TS"})
"""The properties that results of all step types have."""

CALL = "SequenceCall"
"""The property that holds the results of a called sequence."""

RESULTS = "ResultList"
"""The array of results in a container."""

# Callback sequences of a step, for each of the three levels of TestStand.
_CONTAINER_SUFFIXES = (
    "PreStep",
    "PostStep",
    "PreInteractive",
    "PostInteractive",
    "PostResultListEntry",
    "PostStepRuntimeError",
    "PostStepFailure",
)
_OWNERS = ("SequenceFile", "ProcessModel", "Station")
CONTAINERS = frozenset(
    {CALL, "PostAction"}
    | {owner + suffix for owner in _OWNERS for suffix in _CONTAINER_SUFFIXES}
)
"""The properties that hold results below a result."""

# These properties have a fixed type, so that their type attribute is not read.
_TEXTS = {
    "StepType": "step_type",
    "StepId": "step_id",
    "StepGroup": "group",
}
_NUMBERS = {
    "Id": "result_id",
    "Index": "index",
    "BlockLevel": "block_level",
    "ModuleTime": "module_time",
    "LoopIndex": "loop_index",
    "NumLoops": "num_loops",
    "NumPassed": "num_passed",
    "NumFailed": "num_failed",
    "EndingLoopIndex": "ending_loop_index",
}
_OTHERS = {
    "StepCausedSequenceFailure": "caused_sequence_failure",
    "InteractiveExeNum": "interactive_execution",
    "Server": "server",
}
# A phase has fields for these.
_PLACED = frozenset({"StepName", "StartTime", "TotalTime"})
_CALL_NAMES = {
    "SequenceFile": "sequence_file",
    "SequenceFileVersion": "sequence_file_version",
    "Sequence": "sequence",
    "Status": "sequence_status",
    "ThreadId": "thread_id",
}
# No engine runs for longer than thirty years, in seconds.
_LONGEST = 1e9


def containers_of(engine: dict[str, Element]) -> dict[str, dict[str, Element]]:
    """Give the subproperties of each container of results in ``TS``."""
    return {
        name: subproperties(prop) for name, prop in engine.items() if name in CONTAINERS
    }


def read_execution_data(
    engine: dict[str, Element],
    calls: dict[str, dict[str, Element]],
    report: ConversionReport,
) -> dict[str, JSONValue]:
    """
    Read the execution data of a step.

    Args:
        engine: the properties of ``TS``.
        calls: the subproperties of each container among them.
        report: takes an entry for each property.
    """
    attributes: dict[str, JSONValue] = {}
    kept = 0
    for name, prop in engine.items():
        if name in _PLACED:
            continue
        if (key := _NUMBERS.get(name)) is not None:
            number = parse_plain(value_text(prop) or "")
            # Infinity and NaN minus themselves are NaN, which is no strict JSON.
            if number is not None and number - number == 0:
                attributes[key] = number
                kept += 1
                continue
        elif (key := _TEXTS.get(name)) is not None:
            content = value_text(prop)
            if content is not None:
                # The same few texts repeat in every step; each is held once.
                attributes[key] = intern(content)
                kept += 1
                continue
        elif name in calls:
            kept += _keep_call(name, calls[name], attributes, report)
            continue
        kept += _keep(key or _OTHERS.get(name, name), prop, attributes, report)
    if kept:
        report.mapped("property", kept)
    if str(attributes.get("step_type")).startswith("NI_Flow_"):
        attributes["kind"] = "flow"
    return attributes


def _keep_call(
    name: str,
    call: dict[str, Element],
    attributes: dict[str, JSONValue],
    report: ConversionReport,
) -> int:
    # The called sequence is the usual case; a callback gets its name as prefix.
    prefix = "" if name == CALL else f"{name}."
    return sum(
        _keep(prefix + _CALL_NAMES.get(fact, fact), prop, attributes, report)
        for fact, prop in call.items()
        if fact != RESULTS
    )


def _keep(
    key: str, prop: Element, attributes: dict[str, JSONValue], report: ConversionReport
) -> int:
    """Keep a property of any kind, and return how many were kept."""
    value = read_scalar(prop, report)
    if value is None:
        # An empty object holds nothing, a reference only an address.
        if len(prop) and prop.get("Type") != "Reference":
            record_dropped(report, prop, "property", "structured engine property")
        return 0
    if isinstance(value, float) and not is_finite(value):
        value = str(value)
    attributes[key] = value
    return 1


def read_seconds(prop: Element | None) -> float | None:
    """Read a time or a duration of the engine, in seconds; None where it has none."""
    content = value_text(prop)
    if content is None:
        return None
    try:
        number: float | None = float(content)
    except ValueError:
        number = read_number(content)
    # This also excludes NaN, for which every comparison is false.
    return float(number) if number is not None and abs(number) <= _LONGEST else None
