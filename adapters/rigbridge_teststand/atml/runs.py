"""One ``TestResults`` element to one run."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from rigbridge.adapters import Place, ReadContext
from rigbridge.errors import ModelError
from rigbridge.model import JSONValue, ProcedureRef, Provenance, Run, RunOutcome
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.result_parts import ResultParts
from rigbridge_teststand.atml.data.values import keep_rest, put
from rigbridge_teststand.atml.events import EVENTS, read_events
from rigbridge_teststand.atml.forms import record_unread
from rigbridge_teststand.atml.header import ATMLHeader, header_of, read_header
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    STATUS,
    STEPS,
    attribute,
    children,
    result_set_of,
    steps_of,
    version_of,
)
from rigbridge_teststand.atml.phases import PhaseTree, StepLevel
from rigbridge_teststand.atml.statuses import (
    StatedStatus,
    flag,
    keep_outcome,
    outcome_of,
    read_status,
)
from rigbridge_teststand.atml.step_properties import EXTENSION, read_extension
from rigbridge_teststand.atml.steps import KEPT_ATTRIBUTES, ATMLStepReader
from rigbridge_teststand.atml.times import TimeReader
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.vocabulary import RUN_OUTCOMES, UNKNOWN_STATUS, severity
from rigbridge_teststand.xml.elements import Element

__all__ = ["OLDEST", "ATMLRunReader", "read_run", "version_of_results"]

OLDEST = "2.02"
"""The version in which a single group holds all steps."""

_SEQUENCE_FILE = re.compile(r"\.seq$", re.IGNORECASE)
_SEPARATORS = re.compile(r"^[A-Za-z]:|[\\/]")
_UNFINISHED = frozenset({"running", "looping"})
# Words that TestStand has for a run that was ended before its first step.
_NEVER_STARTED = frozenset({"skipped", "notstarted"})
_HIDDEN = tuple(f"{{*}}{name}" for name in (*sorted(STEPS), "TestResult"))
_WITHOUT_STEPS = frozenset({"Extension", "TestResult"})
_COUNT = "result_set.NumOfResults"
_OF_SET_ATTRIBUTES = ("ID", "name", "startDateTime", "endDateTime")


def version_of_results(results: Element) -> str | None:
    """Tell the version of ``TestResults``; None where it is unknown."""
    # The namespaces may be declared on the results, or on the first child only.
    spaces = " ".join(map(str, results.nsmap.values()))
    return version_of(f"{spaces} {results[0].tag}" if len(results) else spaces)


def read_run(
    results: Element,
    source: Provenance,
    settings: TestStandSettings,
    context: ReadContext,
    place: Callable[[Element], Place],
    *,
    truncated: bool = False,
) -> Run:
    """
    Read a complete ``TestResults`` element.

    Args:
        source: its provenance, which makes the id of the run.
        context: the settings of the reading, and its conversion report.
        truncated: whether the file ends within this run.
    """
    account = RunAccount(context.report, place)
    try:
        result_set = result_set_of(results)
        header = read_header(results, account, is_set=result_set is results)
        reader = ATMLRunReader(settings, context, account, header.station)
        root = _root(result_set, source.format_version)
        if root is not None:
            reader.sequence.read(steps_of(root), StepLevel(()))
        return reader.finish(
            results, (result_set, root), header, source, truncated=truncated
        )
    finally:
        account.settle()


def _root(result_set: Element | None, version: str | None) -> Element | None:
    """Find the parent of the steps: in 2.02 it may be a single group."""
    if result_set is None or version != OLDEST:
        return result_set
    steps = steps_of(result_set)
    if len(steps) == 1 and steps[0][0] == "TestGroup":
        return steps[0][1]
    return result_set


class ATMLRunReader:
    """
    Reads one run: first its steps, then the result set and the header.

    Attributes:
        sequence: holds their phases, in document order.

    Args:
        context: the settings of the reading, and its conversion report.
        station: the station, which may have a time zone of its own, or None.
    """

    def __init__(
        self,
        settings: TestStandSettings,
        context: ReadContext,
        account: RunAccount,
        station: str | None,
    ) -> None:
        self._settings = settings
        self._account = account
        self._clock = TimeReader(context.time_zone, station, account)
        self.steps = ATMLStepReader(self._clock, settings.phase_outcomes(), account)
        self.sequence = PhaseTree(self.steps, account)

    def finish(
        self,
        results: Element,
        holders: tuple[Element | None, Element | None],
        header: ATMLHeader,
        source: Provenance,
        *,
        truncated: bool,
    ) -> Run:
        """
        Make the run.

        Args:
            results: the ``TestResults`` element.
            holders: the result set, and the parent of the steps; mostly the same.
            truncated: whether the file ends within this run.

        Raises:
            ModelError: steps are within something else.
        """
        result_set, root = holders
        metadata = dict(header.metadata)
        started = self._time(result_set, "startDateTime")
        if started is None and root is not result_set:
            started = self._time(root, "startDateTime")
        if result_set is not None:
            of_header = header_of(results, result_set)
            self._keep_set(result_set, started, metadata, of_header)
        if root is not None and root is not result_set:
            of_root: dict[str, JSONValue] = {}
            self._keep_set(root, started, of_root)
            of_root.update(_differences(root, result_set))
            for key, value in of_root.items():
                # The group repeats what the result set says.
                if metadata.get(key) != value:
                    put(metadata, key, value, self._account)
        if not truncated:
            _refuse_hidden_steps(results if result_set is None else result_set)
        status = _status(result_set, root) or self._status_of_results(result_set)
        outcome = self._outcome(results, status, truncated=truncated)
        if truncated or header.interrupted or _is_unfinished(status):
            metadata["partial"] = True
        if status is not None:
            metadata["raw_status"] = status.raw
            # The qualifier is the raw status then, so keep the value as well.
            if status.qualifier is not None:
                metadata["outcome_value"] = status.value
        self._compare_count(results, metadata)
        self._account.mapped["run"] += 1
        return Run(
            id=source.run_id,
            outcome=outcome,
            procedure=self._procedure(result_set, root, header, metadata),
            unit=header.unit,
            started_at=started,
            ended_at=self._ended(result_set, started, metadata),
            operator=header.operator,
            station=header.station,
            phases=tuple(self.sequence.phases),
            logs=tuple(self.steps.logs),
            attachments=tuple(self.steps.data.attachments),
            metadata=metadata,
            source=source,
        )

    def _status_of_results(self, result_set: Element | None) -> StatedStatus | None:
        """Give the worst status of the results that a result set itself holds."""
        held = [e for name, e in children(result_set) if name == "TestResult"]
        stated = [status for e in held if (status := ResultParts(e).status)]
        if result_set is None or not stated:
            return None
        known = self._settings.run_outcomes() | RUN_OUTCOMES
        worst = max(
            stated,
            key=lambda each: severity(known.get(each.lower(), RunOutcome.ERROR)),
        )
        rule = "missing, taken from the results of the run itself"
        self._account.coerced("status", rule, result_set, worst)
        return StatedStatus(value=worst, qualifier=None)

    def _compare_count(self, results: Element, metadata: dict[str, JSONValue]) -> None:
        """Record a step count in the file that differs from its steps."""
        # A structured property may have this name as well.
        count = metadata.get(_COUNT)
        stated = read_count(count) if isinstance(count, str) else None
        found = len(self.sequence.phases)
        if stated is not None and stated != found:
            self._account.coerced(
                "step count",
                "differs from the results in the file, these are kept",
                results,
                f"{stated} stated, {found} found",
            )

    def _time(self, element: Element | None, name: str) -> datetime | None:
        if element is None:
            return None
        return self._clock.read(element.get(name), element)

    def _keep_set(
        self,
        element: Element,
        started: datetime | None,
        metadata: dict[str, JSONValue],
        header: AbstractSet[str | Element] = frozenset(),
    ) -> None:
        """
        Keep the properties, errors and other children of a result set.

        Some of its attributes and children may be of the header.
        """
        account = self._account
        found: dict[str, JSONValue] = {}
        events: list[Element] = []
        others: list[tuple[str, Element]] = []
        outcome = outcome_of(element)
        read = {*_OF_SET_ATTRIBUTES, *KEPT_ATTRIBUTES, *header}
        for name, below in children(element):
            if below in header:
                continue
            if name == "Extension":
                read_extension(below, found, account)
                record_unread(below, EXTENSION, account)
            elif name in EVENTS:
                events.append(below)
            elif name not in STEPS and below is not outcome:
                others.append((name, below))
                continue
            read.add(below)
        for key, value in found.items():
            put(metadata, f"main_sequence.{key}", value, account)
        ended = None if attribute(element, "endDateTime") is None else started
        errors = read_events(events, ended, account)
        self.steps.logs.extend(errors.logs)
        metadata.update(errors.attributes)
        if errors.code:
            metadata["error_code"] = errors.code
        self._keep_judgement(element, outcome, metadata)
        read |= {STATUS} if outcome is None else set()
        put(metadata, "main_sequence.result_id", attribute(element, "ID"), account)
        for name, below in others:
            if self.steps.log_report_text(name, below, started, metadata):
                read.add(below)
        keep_rest(element, "main_sequence", metadata, account, read)

    def _keep_judgement(
        self,
        element: Element,
        outcome: Element | None,
        metadata: dict[str, JSONValue],
    ) -> None:
        """Keep what a judge of the run needs: simulated, forced, operating mode."""
        account = self._account
        for key, label in KEPT_ATTRIBUTES.items():
            if (given := attribute(element, key)) is not None:
                put(metadata, label, flag(given), account)
        if outcome is not None:
            keep_outcome(outcome, metadata, account)

    def _outcome(
        self, results: Element, status: StatedStatus | None, *, truncated: bool
    ) -> RunOutcome:
        account = self._account
        if truncated:
            account.coerced(
                "run", "cut off or damaged; the complete part is kept", results
            )
        # A missing verdict is never guessed from the steps.
        if status is None or not status.raw:
            account.coerced("status", "no verdict in the report", results)
            # A report that was cut off lost its verdict; one that never had any is at
            # fault itself.
            return RunOutcome.ABORTED if truncated else RunOutcome.ERROR
        known = status.mapped(self._settings.run_outcomes(), RUN_OUTCOMES)
        if known is None:
            account.coerced("status", UNKNOWN_STATUS, results, status.raw)
            return RunOutcome.ERROR
        if known is RunOutcome.ABORTED and status.raw.lower() in _NEVER_STARTED:
            account.coerced("status", "a run that never started, aborted", results)
        return known

    def _procedure(
        self,
        result_set: Element | None,
        root: Element | None,
        header: ATMLHeader,
        metadata: dict[str, JSONValue],
    ) -> ProcedureRef:
        given = [attribute(element, "name") for element in (result_set, root)]
        # TestStand names a sequence as FILE#SEQUENCE.
        named = next(
            (name for name in given if name and "#" in name), given[0] or given[1]
        )
        file, _, sequence = (named or "").partition("#")
        if sequence:
            metadata["sequence"] = sequence
        if file:
            metadata["sequence_file"] = file
        # Paths in reports are of Windows, whatever machine reads them.
        base = _SEPARATORS.split(file.rstrip("\\/"))[-1]
        stem = _SEQUENCE_FILE.sub("", base).strip()
        return ProcedureRef(
            # What a site has set is said for its reports; a program is only a guess.
            name=stem or sequence or self._settings.procedure or header.program,
            version=header.program_version,
        )

    def _ended(
        self,
        result_set: Element | None,
        started: datetime | None,
        metadata: dict[str, JSONValue],
    ) -> datetime | None:
        ended = self._time(result_set, "endDateTime")
        total = metadata.get("main_sequence.total_time")
        if ended is None and started is not None and isinstance(total, (int, float)):
            try:
                ended = started + timedelta(seconds=total)
            except (OverflowError, ValueError):
                return None
        # The clock of the station was set back during the run.
        if ended is not None and started is not None and ended < started:
            self._account.report.coerced(
                "time",
                "end before start, taken as unknown",
                detail=attribute(result_set, "endDateTime"),
            )
            return None
        return ended


def _refuse_hidden_steps(holder: Element) -> None:
    """Refuse steps within an element that is none of ATML: they would not count."""
    for name, below in children(holder):
        if name in STEPS or name in _WITHOUT_STEPS:
            continue
        for hidden in below.iter(*_HIDDEN):
            shown = LOCAL_NAMES[str(hidden.tag)]
            problem = f"holds {shown} within {name}, which is no step of ATML"
            raise ModelError(problem, path="$")


def _differences(root: Element, result_set: Element | None) -> dict[str, JSONValue]:
    """Give what the group of 2.02 that stands for the run says otherwise than it."""
    found: dict[str, JSONValue] = {}
    for name in ("name", "startDateTime", "endDateTime"):
        given, stated = attribute(root, name), attribute(result_set, name)
        if given is not None and stated is not None and given != stated:
            found[f"main_sequence.{name}"] = given
    status = read_status(root)
    of_set = None if result_set is None else read_status(result_set)
    if status is not None and of_set is not None and status != of_set:
        found["main_sequence.raw_status"] = status.raw
        if status.qualifier is not None:
            found["main_sequence.outcome_value"] = status.value
    return found


def _status(result_set: Element | None, root: Element | None) -> StatedStatus | None:
    for element in (result_set, root):
        if element is not None and (found := read_status(element)) is not None:
            return found
    return None


def _is_unfinished(status: StatedStatus | None) -> bool:
    return status is not None and status.raw.lower() in _UNFINISHED
