"""The parts of a step, and its name."""

from __future__ import annotations

import re
from sys import intern

from rigbridge.model import JSONValue
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.limit_forms import TEST_LIMITS
from rigbridge_teststand.atml.data.result_parts import (
    DATA_HOLDER,
    TEST_RESULT,
    ResultParts,
)
from rigbridge_teststand.atml.events import EVENTS
from rigbridge_teststand.atml.forms import Form
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    STEPS,
    Step,
    child_elements,
)
from rigbridge_teststand.atml.statuses import OUTCOMES
from rigbridge_teststand.atml.step_properties import EXTENSION, read_extension
from rigbridge_teststand.vocabulary import UNNAMED_STEP, LoopRole
from rigbridge_teststand.xml.elements import Element

__all__ = ["GROUP", "STEP", "StepParts", "called_by", "name_of"]

GROUP = "TestGroup"
"""The local name of a step that calls a sequence."""

_CALLER = re.compile(r"SequenceCallStepName\s*=\s*'([^']*)'")
STEP = Form(
    any_attribute=True,
    children={
        **dict.fromkeys((*STEPS, *OUTCOMES, *EVENTS)),
        "TestResult": TEST_RESULT,
        "Extension": EXTENSION,
        "Parameters": Form(children={"Parameter": None}),
        "Data": DATA_HOLDER,
        "TestLimits": TEST_LIMITS,
    },
    others=True,
)
"""
What is read of a step. Steps below it are searched on their own; of the rest, what no
table names is kept whole.
"""

_GIVEN = frozenset({"Parameters", "Data"})


def name_of(kind: str, given: dict[str, str]) -> str:
    """Give the name of a step: for a sequence call that of the calling step."""
    name = given.get("name", "").strip()
    if kind == GROUP:
        caller = given.get("callerName", "").strip()
        # 2.02 has no callerName; the calling step is part of the type.
        if not caller and (match := _CALLER.search(given.get("userDefinedType", ""))):
            caller = match[1].strip()
        name = caller or name.partition("#")[2].partition("#")[0] or name
    # Loops repeat the same names; each is held once.
    return intern(name) or UNNAMED_STEP


def called_by(name: str, given: dict[str, str]) -> dict[str, JSONValue]:
    """Give the sequence that a group called."""
    file, _, sequence = given.get("name", "").strip().partition("#")
    if sequence:
        return {"sequence_file": file, "sequence": sequence}
    return {"sequence": file} if file and file != name else {}


class StepParts:
    """The children of a step by their kind, found in one pass."""

    outcome: Element | None = None
    limits: Element | None = None
    looping = LoopRole.NONE

    def __init__(self, element: Element, account: RunAccount) -> None:
        self.attributes: dict[str, JSONValue] = {}
        self.results: list[ResultParts] = []
        # The results again, with the parameters and data, in document order.
        self.data: list[ResultParts | Step] = []
        self.nested: list[Step] = []
        self.events: list[Element] = []
        self.others: list[Step] = []
        for below in child_elements(element):
            name = LOCAL_NAMES[below.tag]
            if name == "TestResult":
                result = ResultParts(below)
                self.results.append(result)
                self.data.append(result)
            elif name == "Extension":
                looping = read_extension(below, self.attributes, account)
                if looping is not LoopRole.NONE:
                    # An iteration says more than a summary, and a block may state both.
                    self.looping = max(looping, self.looping)
            elif name in OUTCOMES and self.outcome is None:
                self.outcome = below
            elif name == "TestLimits" and self.limits is None:
                self.limits = below
            elif name in _GIVEN:
                self.data.append((name, below))
            elif name in STEPS:
                self.nested.append((name, below))
            elif name in EVENTS:
                self.events.append(below)
            else:
                self.others.append((name, below))
