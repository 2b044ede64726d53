"""
TestStand's own properties of a step or a result set, in ``Extension``.

By version, the value of a property is in ``@value``, in a datum, or the text.
"""

from __future__ import annotations

from sys import intern

from rigbridge.model import JSONValue
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.properties import PROPERTY, property_text
from rigbridge_teststand.atml.data.values import flatten, put
from rigbridge_teststand.atml.forms import Form
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    VALUE,
    child,
    child_elements,
)
from rigbridge_teststand.numbers import read_number
from rigbridge_teststand.vocabulary import LoopRole
from rigbridge_teststand.xml.elements import Element

__all__ = ["EXTENSION", "read_extension"]

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
_BLOCK = Form(children=dict.fromkeys(_NAMES, PROPERTY), others=True)
_PROPERTIES = Form(
    children={**_BLOCK.children, "LoopingProperties": _BLOCK},
    once=frozenset({"LoopingProperties"}),
    others=True,
)
EXTENSION = Form(children={"TSStepProperties": _PROPERTIES}, others=True)
"""What is read of the extension of a step; other blocks are kept whole."""

_TEXTS = frozenset({"StepType", "StepId", "StepGroup", "RemoteServerId"})
# Most properties are small indices and levels; a look-up is faster than int().
_COUNTS = {str(count): count for count in range(1_000)}


def read_extension(
    extension: Element, into: dict[str, JSONValue], account: RunAccount
) -> LoopRole:
    """
    Read TestStand's own properties, and whatever else an extension holds.

    Args:
        into: takes the properties by their names in the model.
    """
    looping = LoopRole.NONE
    for block in child_elements(extension):
        kind = LOCAL_NAMES[block.tag]
        if kind == "TSStepProperties":
            loop = _read_block(block, into, account)
            if loop is not None:
                looping = LoopRole.SUMMARY
                _read_block(loop, into, account)
                # An iteration repeats the counts of its summary, and adds its index.
                if child(loop, "LoopIndex") is not None:
                    looping = LoopRole.ITERATION
        else:
            flatten(block, f"extension.{kind}", into, account)
    return looping


def _read_block(
    block: Element, into: dict[str, JSONValue], account: RunAccount
) -> Element | None:
    """Read the properties of a block, and return the element of its loop's."""
    loop: Element | None = None
    count = 0
    for element in child_elements(block):
        label = LOCAL_NAMES[element.tag]
        name = _NAMES.get(label)
        if name is None:
            if label == "LoopingProperties" and loop is None:
                loop = element
            elif label != "LoopingProperties":
                flatten(element, label, into, account)
            continue
        given = element.get(VALUE) or (None if len(element) else element.text)
        if not given or not (given := given.strip()):
            given = property_text(element)
            if given is None:
                continue
        count += 1
        # A second one of the same name is kept under a further key, and not lost.
        if name in into:
            put(into, name, given, account)
        elif label in _TEXTS:
            # The same few texts repeat in every step; each is held once.
            into[name] = intern(given)
        elif given in _COUNTS:
            into[name] = _COUNTS[given]
        else:
            into[name] = _value(given)
    account.mapped["property"] += count
    return loop


def _value(given: str) -> float | bool | str:
    number = read_number(given)
    # NaN and infinities are no strict JSON, so they stay text.
    if number is None or number - number != 0:
        lower = given.lower()
        return lower == "true" if lower in ("true", "false") else given
    return number
