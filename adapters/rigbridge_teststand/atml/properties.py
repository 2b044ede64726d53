"""
What TestStand adds to a step or a result set in ``Extension``.

By version, a property stands in ``@value``, in a datum inside, or is the text.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from rigbridge_teststand.atml.account import Account
from rigbridge_teststand.atml.names import LOCALS, attribute, child, read_text
from rigbridge_teststand.atml.values import flatten
from rigbridge_teststand.element import Element
from rigbridge_teststand.numbers import read_number

__all__ = ["Looping", "read_extension"]

_NAMES = {
    "StepType": "step_type",
    "StepId": "step_id",
    "StepGroup": "group",
    "BlockLevel": "block_level",
    "Index": "index",
    "TotalTime": "total_time",
    "ModuleTime": "module_time",
    "StepCausedSequenceFailure": "caused_sequence_failure",
    "InteractiveExecutionId": "interactive_execution",
    "RemoteServerId": "server",
    "NumLoops": "num_loops",
    "NumPassed": "num_passed",
    "NumFailed": "num_failed",
    "EndingLoopIndex": "ending_loop_index",
    "LoopIndex": "loop_index",
}
_TEXTS = frozenset({"StepType", "StepId", "StepGroup", "RemoteServerId"})


class Looping(IntEnum):
    """What a step is to a loop."""

    NONE = auto()
    SUMMARY = auto()
    ITERATION = auto()


def read_extension(
    extension: Element, into: dict[str, Any], account: Account
) -> Looping:
    """
    Read TestStand's own properties, and whatever else an extension holds.

    Args:
        extension: the element.
        into: takes the properties by their names in the model.
        account: where each is recorded.
    """
    looping = Looping.NONE
    for block in extension:
        kind = LOCALS[block.tag]
        if kind != "TSStepProperties":
            flatten(block, f"extension.{kind}", into, account)
            continue
        loop: Element | None = None
        for element in block:
            label = LOCALS[element.tag]
            if label == "LoopingProperties":
                loop = element
            else:
                _keep(label, element, into, account)
        if loop is not None:
            looping = Looping.SUMMARY
            for element in loop:
                label = LOCALS[element.tag]
                if label == "LoopIndex":
                    looping = Looping.ITERATION
                _keep(label, element, into, account)
    return looping


def _keep(label: str, element: Element, into: dict[str, Any], account: Account) -> None:
    key = _NAMES.get(label)
    if key is None:
        flatten(element, label, into, account)
        return
    given = element.get("value")
    if given is None or not (given := given.strip()):
        given = attribute(child(element, "Datum"), "value") or read_text(element)
    if given is not None:
        account.mapped["property"] += 1
        into[key] = given if label in _TEXTS else _value(given)


def _value(given: str) -> Any:
    number = read_number(given)
    if number is None or number - number != 0:
        lower = given.lower()
        return lower == "true" if lower in ("true", "false") else given
    return number
