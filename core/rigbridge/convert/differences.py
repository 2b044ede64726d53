"""
What the plain payload of a run does not restore, found without restoring it.

The overlay that this module gives is the one that
:func:`rigbridge.convert.overlay.difference` computes between the run that
:func:`rigbridge.convert.plain.read_plain` makes of the payload and the run itself. For
phases, measurements and log lines, of which a run has many, it follows from the rules
of both directions; the rest, and a value of a rare kind, is truly read back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias, cast

import attrs
from msgspec import UNSET, Raw
from msgspec.json import Encoder

from rigbridge.convert.document import (
    document_of_limit,
    document_of_value,
    to_document,
)
from rigbridge.convert.numbers import SPELLINGS, is_long
from rigbridge.convert.overlay import PUT, WITHIN, difference, nodes_within
from rigbridge.convert.plain import read_plain, read_value
from rigbridge.convert.times import to_iso_utc
from rigbridge.model import (
    JSONObject,
    JSONValue,
    Limit,
    LogEntry,
    Measurement,
    Phase,
    Run,
)
from rigbridge.wire import CreateRun, WireLog, WireMeasurement, WirePhase

__all__ = ["as_nodes", "encoded", "lost_in_plain"]

_Node = dict[str, JSONValue]
_Nodes: TypeAlias = Iterable[_Node | None]
_encode = Encoder(order="deterministic").encode
_NUMBERS = frozenset({float, int, bool})


def as_nodes(nodes: _Nodes) -> _Nodes:
    """Keep nodes as they are, for whoever reads them."""
    return nodes


def encoded(nodes: _Nodes) -> _Nodes:
    """
    Encode each node, for whoever only writes them: that takes a tenth of the memory.

    Their keys are sorted, so that a digest does not tell them from those of a sender.

    Raises:
        UnicodeEncodeError: a text that is no Unicode (a lone surrogate).
    """
    for node in nodes:
        # What is encoded stands for the node in the JSON of all of them.
        yield None if node is None else cast("_Node", Raw(_encode(node)))


def lost_in_plain(
    run: Run, body: CreateRun, kept: Callable[[_Nodes], _Nodes] = as_nodes
) -> _Node | None:
    """
    Compute the overlay that turns the run of the plain payload into the run.

    Attachments are left aside: they travel as files. ``kept`` says what the nodes of
    phases and log lines are kept as.
    """
    nodes = _head(run, body)
    phases = _members(kept(map(_phase, run.phases, body.phases or ())))
    logs = _members(kept(map(_log, run.logs, body.logs or ())))
    if phases is not None:
        nodes["phases"] = phases
    if logs is not None:
        nodes["logs"] = logs
    return {WITHIN: nodes} if nodes else None


def _head(run: Run, body: CreateRun) -> _Node:
    """Compare what a run has but once."""
    bare = attrs.evolve(body, phases=UNSET, logs=UNSET)
    # The identity of the run is given, so that it makes no difference.
    plain = read_plain(bare, run_id=run.id)
    own = attrs.evolve(run, phases=(), logs=(), attachments=())
    if plain == own:
        return {}  # as most are, and far sooner seen than by their documents
    head = difference(to_document(plain), to_document(own))
    return {} if head is None else dict(nodes_within(head))


def _members(nodes: _Nodes) -> _Node | None:
    within: _Node = {
        str(index): node for index, node in enumerate(nodes) if node is not None
    }
    return {WITHIN: within} if within else None


def _added(values: JSONObject) -> _Node:
    """Put every key of an object where the plain run has an empty one."""
    return {WITHIN: {key: {PUT: value} for key, value in values.items()}}


def _time(moment: datetime | None, node: _Node, key: str) -> None:
    # Whole milliseconds come back as they were; nothing finer does.
    if moment is None:
        node[key] = {PUT: None}
    elif moment.microsecond % 1000:
        node[key] = {PUT: to_iso_utc(moment)}


def _phase(phase: Phase, wire: WirePhase) -> _Node | None:
    node: _Node = {}
    if phase.name != wire.name:
        node["name"] = {PUT: phase.name}
    # v1 demands a time of each phase, so an unknown one travels as another.
    _time(phase.started_at, node, "started_at")
    _time(phase.ended_at, node, "ended_at")
    if phase.path:
        node["path"] = {PUT: list(phase.path)}
    if phase.measurements and (
        members := _members(
            map(_measurement, phase.measurements, wire.measurements or ())
        )
    ):
        node["measurements"] = members
    if (wire.docstring or None) != phase.docstring:
        node["docstring"] = {PUT: phase.docstring}
    if phase.attributes:
        node["attributes"] = _added(phase.attributes)
    return {WITHIN: node} if node else None


def _measurement(measurement: Measurement, wire: WireMeasurement) -> _Node | None:
    node: _Node = {}
    if measurement.name != wire.name:
        node["name"] = {PUT: measurement.name}
    _value(measurement, wire, node)
    if measurement.limits is not None and (limits := _limits(measurement.limits)):
        node["limits"] = limits
    # By their number: the payload has the run's own validators and at most one more,
    # for an exclusive bound.
    if len(wire.validators or ()) != len(measurement.validators):
        node["validators"] = {PUT: list(measurement.validators)}
    if (wire.docstring or None) != measurement.docstring:
        node["docstring"] = {PUT: measurement.docstring}
    if measurement.instrument is not None:
        node["instrument"] = {PUT: measurement.instrument}
    if measurement.attributes:
        node["attributes"] = _added(measurement.attributes)
    return {WITHIN: node} if node else None


def _limits(limits: Limit) -> _Node | None:
    bounds = (limits.lower, limits.upper)
    # v1 has no integer beyond 64 bits and no limit without a bound; both are kept as a
    # whole.
    if any(map(is_long, bounds)) or bounds == (None, None):
        return {PUT: document_of_limit(limits)}
    within: _Node = {}
    if not limits.lower_inclusive:
        within["lower_inclusive"] = {PUT: False}
    if not limits.upper_inclusive:
        within["upper_inclusive"] = {PUT: False}
    if limits.comparator is not None:
        within["comparator"] = {PUT: limits.comparator}
    return {WITHIN: within} if within else None


def _value(measurement: Measurement, wire: WireMeasurement, node: _Node) -> None:
    value = measurement.value
    # These kinds come back as they were sent, which spares most measurements the
    # comparison.
    if (
        value is None
        or (type(value) in _NUMBERS and not is_long(value))
        or (type(value) is str and value not in SPELLINGS)
    ):
        return
    units = None if wire.units is UNSET else wire.units
    found = difference(
        document_of_value(read_value(wire.measured_value, units)),
        # The units decide how a table is read, so the reading needs them as well.
        document_of_value(value),
    )
    if found is not None:
        node["value"] = found
    plain_unit = units if isinstance(units, str) else None
    if plain_unit != measurement.unit:
        node["unit"] = {PUT: measurement.unit}


def _log(entry: LogEntry, wire: WireLog) -> _Node | None:
    del wire
    node: _Node = {}
    if entry.time is None:
        node["time"] = {PUT: None}
    # v1 demands a line number, and 0 stands for none there.
    if entry.line == 0:
        node["line"] = {PUT: 0}
    return {WITHIN: node} if node else None
