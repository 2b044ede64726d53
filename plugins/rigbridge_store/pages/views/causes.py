"""Why a run did not pass: its failures, and the messages of its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from rigbridge.model import JSONObject, LogEntry, LogLevel, Phase, Run, RunOutcome
from rigbridge_store.pages.views.phase_tree import (
    MeasurementView,
    PhaseNode,
    is_failed,
)

__all__ = ["Cause", "find_causes"]

_BAD = ("FAIL", "ERROR")
_ERRORS = (LogLevel.CRITICAL, LogLevel.ERROR)
_WARNINGS = (*_ERRORS, LogLevel.WARNING)
_BROKEN_OFF = (RunOutcome.ERROR, RunOutcome.ABORTED, RunOutcome.TIMEOUT)
# How reports of different rigs name what went wrong.
_WORDS = ("error", "exception", "reason", "outcome_details", "termination", "abort")
_LONGEST = 600


@attrs.frozen(kw_only=True)
class Cause:
    """
    One reason why a run did not pass.

    Attributes:
        anchor: where it stands on the page of the run, or None for the run as such.
        phase: the phase's name with those of its ancestors, or None likewise.
        outcome: its verdict, or None.
        value: what was measured, with its unit, or None.
        criterion: what the value had to be, or None.
        line: the first log line that goes with it, or None.
        texts: what the source says about it.
    """

    name: str
    anchor: str | None = None
    phase: str | None = None
    outcome: str | None = None
    value: str | None = None
    criterion: str | None = None
    line: LogEntry | None = None
    texts: Sequence[str] = ()


def find_causes(run: Run, tree: Sequence[PhaseNode]) -> list[Cause]:
    """Tell why a run did not pass, in the order of its phases; blank where it did."""
    found = list(_of_nodes(tree, run.logs, ()))
    if run.outcome in (RunOutcome.PASS, RunOutcome.RUNNING):
        return found
    # A run that broke off may say so beside its phases.
    if not found or run.outcome in _BROKEN_OFF:
        known = {cause.line for cause in found}
        line = _first(run.logs, _ERRORS)
        if line is None and not found:
            line = _first(run.logs, _WARNINGS)
        texts = list(_explanations(run.metadata))
        if line is not None and line in known:
            line = None
        if line is not None or texts:
            outcome = run.outcome.value
            found.append(Cause(name="The run", outcome=outcome, line=line, texts=texts))
    return found


def _of_nodes(
    nodes: Iterable[PhaseNode], logs: Sequence[LogEntry], path: tuple[str, ...]
) -> Iterator[Cause]:
    for node in nodes:
        where = (*path, node.name)
        failed = [view for view in node.measurements if is_failed(view)]
        inner = list(_of_nodes(node.children, logs, where))
        line = _line_of(node.phase, logs) if node.outcome in _BAD else None
        texts = () if node.phase is None else list(_explanations(node.phase.attributes))
        for number, view in enumerate(failed):
            # Once a phase: the line and the texts are of all of it.
            first = number == 0
            yield _of_measurement(
                view, where, line if first else None, texts if first else ()
            )
        # A phase that only holds what failed is no cause of its own.
        is_own = node.outcome == "ERROR" or not inner
        if node.outcome in _BAD and not failed and is_own:
            yield Cause(
                name=node.name,
                anchor=node.anchor,
                phase=" / ".join(where),
                outcome=node.outcome,
                line=line,
                texts=texts,
            )
        yield from inner


def _of_measurement(
    view: MeasurementView,
    where: tuple[str, ...],
    line: LogEntry | None,
    texts: Sequence[str],
) -> Cause:
    item = view.measurement
    value = view.value
    if value is not None and item.unit:
        value = f"{value} {item.unit}"
    criteria = [text for text in (view.limits, *item.validators) if text]
    return Cause(
        name=item.name,
        anchor=view.anchor,
        phase=" / ".join(where),
        outcome=item.outcome.value,
        value=value,
        criterion="; ".join(criteria) or None,
        line=line,
        texts=texts,
    )


def _line_of(phase: Phase | None, logs: Sequence[LogEntry]) -> LogEntry | None:
    """Find the first line of a phase that tells of trouble, or that names it."""
    if phase is None:
        return None
    begin, end = phase.started_at, phase.ended_at
    if begin is None or end is None:
        within = [entry for entry in logs if phase.name and phase.name in entry.message]
    else:
        within = [
            entry
            for entry in logs
            if entry.time is not None and begin <= entry.time <= end
        ]
    return _first(within, _ERRORS) or _first(within, _WARNINGS)


def _first(logs: Iterable[LogEntry], levels: Sequence[LogLevel]) -> LogEntry | None:
    return next((entry for entry in logs if entry.level in levels), None)


def _explanations(document: JSONObject) -> Iterator[str]:
    """Give the texts by which a source explains itself."""
    for name, value in document.items():
        if not any(word in name.lower() for word in _WORDS):
            continue
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, dict):
                parts = [str(part) for part in item.values() if part not in (None, "")]
                text = ": ".join(parts).strip()
            elif isinstance(item, (str, int)) and not isinstance(item, bool):
                text = str(item).strip()
            else:
                continue
            if text and text != "0":
                label = name.replace("_", " ")
                yield f"{label}: {text[:_LONGEST]}"
