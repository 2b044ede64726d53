"""
The execution data of a result to the attributes of a phase.

The engine writes it into the ``TS`` container of each result.
"""

from __future__ import annotations

from sys import intern

from rigbridge.adapters import ConversionReport
from rigbridge.model import JSONValue
from rigbridge_teststand.native.kept_properties import keep_property
from rigbridge_teststand.native.properties import Properties
from rigbridge_teststand.numbers import parse_plain, read_number, text_behind

__all__ = [
    "CALL",
    "COMMON_PROPERTIES",
    "CONTAINERS",
    "RESULTS",
    "keep_unplaced",
    "read_execution_data",
    "read_seconds",
    "states_times",
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
_KEYS = {**_TEXTS, **_NUMBERS}
_OTHERS = {
    "StepCausedSequenceFailure": "caused_sequence_failure",
    "InteractiveExeNum": "interactive_execution",
    "Server": "server",
}
# A phase has fields for these.
_NAME = "StepName"
_PLACED = frozenset({_NAME, "StartTime", "TotalTime"})
_CALL_NAMES = {
    "SequenceFile": "sequence_file",
    "SequenceFileVersion": "sequence_file_version",
    "Sequence": "sequence",
    "Status": "sequence_status",
    "ThreadId": "thread_id",
}
# No engine runs for longer than thirty years, in seconds.
_LONGEST = 1e9


def read_execution_data(
    engine: Properties, calls: dict[str, Properties], report: ConversionReport
) -> dict[str, JSONValue]:
    """
    Read the execution data of a step.

    Args:
        engine: the properties of ``TS``.
    """
    attributes: dict[str, JSONValue] = {}
    kept = 0
    texts = engine.texts
    for name, prop in engine.elements.items():
        key = _KEYS.get(name)
        if key is None and name in _PLACED:
            continue
        content = None if key is None else texts.get(name)
        if key is not None and content is not None:
            # The same few texts repeat in every step; each is held once.
            value = _count(content) if name in _NUMBERS else intern(content)
            if value is not None:
                attributes[key] = value
                kept += 1
                continue
        call = calls.get(name)
        if call is not None and call.elements:
            _keep_call(name, call, attributes, report)
        else:
            key = key or _OTHERS.get(name, name)
            keep_property(key, prop, attributes, report)
    if kept:
        report.mapped("property", kept)
    if str(attributes.get("step_type")).startswith("NI_Flow_"):
        attributes["kind"] = "flow"
    return attributes


def _count(content: str) -> float | int | None:
    number = parse_plain(content)
    # Infinity and NaN minus themselves are NaN, which is no strict JSON.
    return None if number is None or number - number != 0 else number


def keep_unplaced(
    engine: Properties, attributes: dict[str, JSONValue], report: ConversionReport
) -> None:
    """
    Keep the name and the times of a step that a phase has fields for, if these failed.

    Args:
        engine: the properties of ``TS``.
    """
    for name in _PLACED.intersection(engine.elements):
        content = engine.texts.get(name)
        is_read = content is not None and (name == _NAME or _says_time(content))
        if not is_read:
            keep_property(name, engine.elements[name], attributes, report)


def states_times(engine: Properties) -> bool:
    """Tell whether the times of a step are plain numbers; a quick look."""
    try:
        float(engine.texts["StartTime"])
        float(engine.texts["TotalTime"])
    except (KeyError, ValueError):
        return False
    return True


def _says_time(content: str) -> bool:
    is_whole = text_behind(content) is None
    return (_seconds(content) is not None and is_whole) or not content.strip()


def _keep_call(
    name: str,
    call: Properties,
    attributes: dict[str, JSONValue],
    report: ConversionReport,
) -> None:
    # The called sequence is the usual case; a callback gets its name as prefix.
    prefix = "" if name == CALL else f"{name}."
    for fact, prop in call.elements.items():
        if fact != RESULTS:
            key = prefix + _CALL_NAMES.get(fact, fact)
            keep_property(key, prop, attributes, report)


def read_seconds(properties: Properties, name: str) -> float | None:
    """Read a time or a duration of the engine, in seconds; None where it has none."""
    content = properties.texts.get(name)
    return None if content is None else _seconds(content)


def _seconds(content: str) -> float | None:
    try:
        number: float | None = float(content)
    except ValueError:
        number = read_number(content)
    # This also excludes NaN, for which every comparison is false.
    return float(number) if number is not None and abs(number) <= _LONGEST else None
