"""
One step of a report to one phase, without the steps below it.

``Test``, ``SessionAction`` and ``TestGroup`` come in any order; other elements between
them are no steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from sys import intern

from rigbridge.model import (
    JSONValue,
    LogEntry,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
)
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.limits import read_limits
from rigbridge_teststand.atml.data.result_parts import (
    TEST_RESULT,
    ResultParts,
)
from rigbridge_teststand.atml.data.results import REPORT_TEXT, DataReader
from rigbridge_teststand.atml.data.several_limits import conditions_of
from rigbridge_teststand.atml.data.values import flatten, keep_rest, put, read_datum
from rigbridge_teststand.atml.events import read_events, report_text
from rigbridge_teststand.atml.forms import record_unread
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    STATUS,
    Step,
    attributes_of,
    child_elements,
    read_text,
)
from rigbridge_teststand.atml.statuses import (
    StepStatus,
    StepStatuses,
    flag,
    keep_outcome,
)
from rigbridge_teststand.atml.step_parts import (
    GROUP,
    STEP,
    StepParts,
    called_by,
    name_of,
)
from rigbridge_teststand.atml.times import TimeReader
from rigbridge_teststand.omissions import STALE_VALUE
from rigbridge_teststand.vocabulary import (
    LOG_ATTRIBUTES,
    UNKNOWN_STATUS,
    UNNAMED_STEP,
    LoopRole,
)
from rigbridge_teststand.xml.elements import Element

__all__ = ["KEPT_ATTRIBUTES", "ATMLStepReader"]

KEPT_ATTRIBUTES = {
    "simulated": "simulated",
    "operatingMode": "operating_mode",
    "entryPoint": "entry_point",
    "cost": "cost",
    "documentRequirementID": "document_requirement",
    "classified": "classified",
    "securityClassification": "security_classification",
}
"""
The attributes of a step or a result set that are kept as they are, with their keys.

The first two tell whether the result says anything of a real unit.
"""

_USUAL_ATTRIBUTES = frozenset(
    {"ID", "name", "testReferenceID", "userDefinedType"}
    | {"startDateTime", "endDateTime", STATUS}
)
_CALLER_NAME = "callerName"
# bl='2' within userDefinedType is the level of the block, where 2.02 has no property
# for it.
_LEVEL = re.compile(r"\bbl\s*=\s*'(\d+)'")
_POST_ACTION = "_PostAction"
_FLOW = "NI_Flow_"
_RANKS = (
    PhaseOutcome.SKIP,
    PhaseOutcome.PASS,
    PhaseOutcome.FAIL,
    PhaseOutcome.ERROR,
)


class ATMLStepReader:
    """
    Reads the steps of one run.

    Attributes:
        logs: the texts and errors of the steps read so far.
        data: reads their data, and holds their attachments.

    Args:
        custom: the outcome of the site's own statuses, in lower case.
    """

    def __init__(
        self, clock: TimeReader, custom: dict[str, PhaseOutcome], account: RunAccount
    ) -> None:
        self._clock = clock
        self._account = account
        self._statuses = StepStatuses(custom)
        # One dict for all derived measurements, which saves memory.
        self._of_verdicts: dict[str, JSONValue] = {"derived": True}
        self.logs: list[LogEntry] = []
        self.data = DataReader(account)

    def read(
        self,
        step: Step,
        path: tuple[str, ...],
        below: AbstractSet[PhaseOutcome] = frozenset(),
    ) -> tuple[Phase, LoopRole, list[Step]]:
        """
        Read a step.

        Args:
            below: the stated outcomes of steps below it that were removed already.

        Returns:
            The phase, its role in a loop, and the steps right below it.
        """
        kind, element = step
        account = self._account
        # lxml makes an object for each element that is met, and makes it anew for the
        # search of what was not read, unless something holds it.
        held = [] if kind == GROUP else list(element.iter())
        parts = StepParts(element, account)
        given = attributes_of(element)
        name = name_of(kind, given)
        if name is UNNAMED_STEP:
            account.coerced("phase name", "blank, named", element)
        attributes = parts.attributes
        self._describe(kind, name, given, attributes)
        self._keep_outcome(parts, given)
        docstring = self._others(parts) if parts.others else None
        started = self._clock.read(given.get("startDateTime"), element)
        ended = self._ended(element, given, started, attributes)
        time = ended or started
        begun = len(self.logs)
        code: int | None = None
        if parts.events:
            errors = read_events(parts.events, time, account)
            self.logs.extend(errors.logs)
            attributes.update(errors.attributes)
            if code := errors.code:
                attributes["error_code"] = code
        status = self._statuses.of(element)
        if status is not None:
            attributes.update(status.attributes)
        outcome = None if status is None else status.outcome
        if outcome is None:
            outcome = self._unknown(element, status, code, below)
        measurements = self._measurements(kind, name, parts, status, time)
        # Skipped steps keep the values of an earlier execution. A step that does not
        # say that it was skipped has values of its own.
        is_skipped = status is not None and status.outcome is PhaseOutcome.SKIP
        if measurements and is_skipped:
            self.drop(measurements, STALE_VALUE, element)
            measurements = []
        if len(self.logs) > begun:
            attributes.update(_logged_texts(self.logs[begun:]))
        record_unread(element, STEP, account)
        held.clear()
        account.mapped["phase"] += 1
        phase = Phase(
            name=name,
            outcome=outcome,
            started_at=started,
            ended_at=ended,
            path=path,
            measurements=tuple(measurements),
            docstring=docstring,
            attributes=attributes,
        )
        return phase, parts.looping, parts.nested

    def _others(self, parts: StepParts) -> str | None:
        """Keep children without a field as attributes; return the description."""
        description: Element | None = None
        for label, element in parts.others:
            if label == "Description" and description is None:
                description = element
                keep_rest(element, label, parts.attributes, self._account, ("",))
            else:
                flatten(element, label, parts.attributes, self._account)
        return read_text(description)

    def _keep_outcome(self, parts: StepParts, given: dict[str, str]) -> None:
        """Keep what an outcome says beside the status: that it was forced, its ID."""
        attributes, account = parts.attributes, self._account
        if parts.outcome is None:
            return
        if STATUS in given:
            put(attributes, STATUS, given[STATUS], account)
        keep_outcome(parts.outcome, attributes, account)

    def drop(
        self, measurements: Iterable[Measurement], reason: str, element: Element
    ) -> None:
        """Record measurements of a step as left out."""
        place = self._account.place(element)
        for measurement in measurements:
            self._account.drop_measurement(measurement, reason, place)

    def _describe(
        self,
        kind: str,
        name: str,
        given: dict[str, str],
        attributes: dict[str, JSONValue],
    ) -> None:
        """Keep the attributes of the element."""
        attributes["element"] = kind
        count = 0
        if "testReferenceID" in given and (text := given["testReferenceID"].strip()):
            attributes["step_id"] = intern(text)
            count += 1
        if "ID" in given and (text := given["ID"].strip()):
            attributes["result_id"] = text
            count += 1
            # The sequence that the step's post action called.
            if text.endswith(_POST_ACTION):
                attributes["post_action"] = True
        if "userDefinedType" in given and (text := given["userDefinedType"].strip()):
            attributes["user_defined_type"] = text
            count += 1
            # setdefault: the property of later versions is the exact one.
            if (level := _LEVEL.search(text)) is not None:
                attributes.setdefault("block_level", int(level[1]))
        self._account.mapped["property"] += count
        if not given.keys() <= _USUAL_ATTRIBUTES:
            self._keep_attributes(kind, given, attributes)
        if kind == GROUP:
            attributes.update(called_by(name, given))
        if str(attributes.get("step_type", "")).startswith(_FLOW):
            attributes["kind"] = "flow"

    def _keep_attributes(
        self, kind: str, given: dict[str, str], attributes: dict[str, JSONValue]
    ) -> None:
        """Keep attributes without a field, those that no schema has by their names."""
        for key, text in given.items():
            # The name of a group is that of its caller.
            is_name = key == _CALLER_NAME and kind == GROUP
            if key in KEPT_ATTRIBUTES:
                put(attributes, KEPT_ATTRIBUTES[key], flag(text), self._account)
            elif key not in _USUAL_ATTRIBUTES and not is_name and key[0] != "{":
                put(attributes, key, text.strip(), self._account)

    def _ended(
        self,
        element: Element,
        given: dict[str, str],
        started: datetime | None,
        attributes: dict[str, JSONValue],
    ) -> datetime | None:
        ended = self._clock.read(given.get("endDateTime"), element)
        if started is None:
            return ended
        if ended is None:
            total = attributes.get("total_time")
            if not isinstance(total, (int, float)):
                return None
            # A total time of years, or NaN, is no duration.
            try:
                ended = started + timedelta(seconds=total)
            except (OverflowError, ValueError):
                return None
            self._account.coerced(
                "phase time", "end computed from the total time", element
            )
        # The clock of the station was set back during the step.
        if ended < started:
            self._account.coerced(
                "phase time",
                "end before start, taken as unknown",
                element,
                given.get("endDateTime", "").strip() or None,
            )
            return None
        return ended

    def _unknown(
        self,
        element: Element,
        status: StepStatus | None,
        code: int | None,
        below: AbstractSet[PhaseOutcome],
    ) -> PhaseOutcome:
        """Decide the outcome of a step whose status is unknown or missing."""
        if status is not None and status.raw:
            self._account.coerced("status", UNKNOWN_STATUS, element, status.raw)
            return PhaseOutcome.ERROR
        self._account.coerced(
            "status",
            "missing, taken from the error, else the worst in it, else skipped",
            element,
        )
        if code:
            return PhaseOutcome.ERROR
        outcomes = (*self._statuses.stated_in(element), *below)
        return max(outcomes, key=_RANKS.index, default=PhaseOutcome.SKIP)

    def _measurements(
        self,
        kind: str,
        name: str,
        parts: StepParts,
        status: StepStatus | None,
        time: datetime | None,
    ) -> list[Measurement]:
        verdict = MeasurementOutcome.UNSET if status is None else status.verdict
        found: list[Measurement] = []
        is_judged = False
        if parts.limits is not None:
            self._take_limits(parts, parts.limits)
        if parts.data:
            found = self.data.begin(name)
            count = _judge(kind, name, parts.results) if parts.results else 0
            is_judged = count > 0
            inherited = verdict
            # The report does not tell which of several failed; it is not guessed.
            if verdict is MeasurementOutcome.FAIL and count != 1:
                inherited = MeasurementOutcome.UNSET
            self._read_data(parts, inherited, time)
        if (
            kind != "SessionAction"
            and not is_judged
            and verdict is not MeasurementOutcome.UNSET
        ):
            # Counted together: the attribute is changed once a step, not once a value.
            found.extend(self._derived(kind, name, verdict, parts.attributes))
        if found:
            self._account.mapped["measurement"] += len(found)
        return found

    def _take_limits(self, parts: StepParts, limits: Element) -> None:
        """Give limits of the test itself to the result that they can only mean."""
        open_ones = [
            result
            for result in parts.results
            if result.limits is None and result.name != REPORT_TEXT
        ]
        singles = [result for result in open_ones if result.is_single]
        # A single open result first; else the only one with a single value.
        for meant in (open_ones, singles):
            if len(meant) == 1:
                meant[0].limits = limits
                meant[0].is_judged = True
                return
        judged = read_limits(limits, None, None, self._account)
        rule = "limits of a test without one value of its own, kept as attributes"
        self._account.coerced("limit", rule, limits)
        stated = conditions_of(judged.comparison)
        parts.attributes["test_limits"] = list(stated)
        parts.attributes.update(judged.attributes)

    def _derived(
        self,
        element: str,
        name: str,
        verdict: MeasurementOutcome,
        attributes: dict[str, JSONValue],
    ) -> list[Measurement]:
        """Make the verdict of a pass/fail test a measurement of its own."""
        kind = str(attributes.get("step_type", ""))
        is_pass_fail = "PassFail" in kind or kind.endswith("_PFT")
        # Tests of another type without a value are no pass/fail tests. A group is one
        # only if its type says so: a pass/fail step that calls a sequence.
        if not is_pass_fail and (kind or element == GROUP):
            return []
        return [
            Measurement(
                name=name,
                outcome=verdict,
                value=verdict is MeasurementOutcome.PASS,
                attributes=self._of_verdicts,
            )
        ]

    def _read_data(
        self,
        parts: StepParts,
        inherited: MeasurementOutcome,
        time: datetime | None,
    ) -> None:
        for part in parts.data:
            if not isinstance(part, ResultParts):
                label, element = part
                if label == "Parameters":
                    self.data.parameters(element)
                else:
                    for text in self.data.action(element):
                        self._log(text, time, parts.attributes)
            elif part.is_judged:
                self.data.judged(part, inherited)
            elif not self._log_report_text(part, time, parts.attributes):
                self.data.additional(part)

    def log_report_text(
        self,
        name: str,
        element: Element,
        time: datetime | None,
        into: dict[str, JSONValue],
    ) -> bool:
        """
        Log a result if it is a report text.

        Args:
            time: the time of the entry, or None.
            into: takes what is in the result beside the text.

        Returns:
            Whether it is a report text.
        """
        if name != "TestResult":
            return False
        if not self._log_report_text(ResultParts(element), time, into):
            return False
        record_unread(element, TEST_RESULT, self._account)
        return True

    def _log_report_text(
        self, result: ResultParts, time: datetime | None, into: dict[str, JSONValue]
    ) -> bool:
        """Take a report text into the logs; return whether the result is one."""
        if result.name != REPORT_TEXT or result.data is None:
            return False
        # A report text is one datum. Anything more is data that happens to have that
        # name.
        if [LOCAL_NAMES[below.tag] for below in child_elements(result.data)] != [
            "Datum"
        ]:
            return False
        self._log(result.data[0], time, into)
        for key, value in self.data.details(result).items():
            put(into, f"{REPORT_TEXT}.{key}", value, self._account)
        if result.limits is not None:
            flatten(result.limits, f"{REPORT_TEXT}.limits", into, self._account)
        return True

    def _log(
        self, datum: Element, time: datetime | None, into: dict[str, JSONValue]
    ) -> None:
        value, unit, details = read_datum(datum, self._account)
        put(into, f"{REPORT_TEXT}.unit", unit, self._account)
        for key, detail in details.items():
            put(into, f"{REPORT_TEXT}.{key}", detail, self._account)
        entry = None if value is None else report_text(str(value), time)
        if entry is not None:
            self._account.mapped["log"] += 1
            self.logs.append(entry)


def _logged_texts(entries: list[LogEntry]) -> dict[str, JSONValue]:
    """Give the texts that a step logged, as attributes of its phase."""
    texts: dict[str, JSONValue] = {}
    for entry in entries:
        key = LOG_ATTRIBUTES[entry.level]
        before = f"{texts[key]}\n" if key in texts else ""
        texts[key] = before + entry.message
    return texts


def _judge(kind: str, name: str, results: list[ResultParts]) -> int:
    """Count the results that were judged."""
    if len(results) == 1 and results[0].name.isdigit():
        # The number of the only result is no name of a value.
        results[0].name = ""
    count = sum(result.is_judged for result in results)
    if not count and kind == "Test":
        # The site's own step types keep their value under the standard name.
        for result in results:
            result.is_judged = result.is_single
            count += result.is_judged
        # Exporters other than NI give the only value of a test the test's own name.
        if not count and len(results) == 1 and results[0].name in ("", name):
            results[0].is_judged = True
            count = 1
    return count
