"""The rows of runs: those of some runs are read at a time, each is made by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias, cast

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.convert import SIDECAR_VERSION, overlay
from rigbridge.convert.document import (
    document_of_limit,
    document_of_value,
    value_of_document,
)
from rigbridge.convert.plain import read_value
from rigbridge.convert.times import from_iso, from_millis
from rigbridge.destinations import (
    MeasuredPhase,
    MeasuredValue,
    MeasurementKind,
    MeasurementRow,
    RunRows,
)
from rigbridge.errors import ModelError, RunProblemsError
from rigbridge.kept.rows import (
    instrument_cells,
    limit_cells,
    measurement_rows,
    value_cells,
)
from rigbridge.model import (
    Instrument,
    JSONObject,
    Limit,
    Measurement,
    PhaseOutcome,
    RunOutcome,
)
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.reading.large_values import LargeValues
from rigbridge_store.reading.one_run import find_whole
from rigbridge_store.reading.rows.definitions import (
    MeasurementDefinition,
    MeasurementDefinitions,
    rows_in_parts,
)
from rigbridge_store.reading.rows.heads import head_cells
from rigbridge_store.tables.packing import unpack
from rigbridge_store.tables.schema import (
    measurements,
    phases,
    run_documents,
    runs,
)

__all__ = ["FoundRows", "rows_of_runs"]

_encode = msgspec.json.Encoder().encode

_Nodes: TypeAlias = Mapping[str, JSONObject]
# Rows of measurements with the text of their numbers, by run and phase.
_Measured: TypeAlias = dict[tuple[int, int], list[tuple[Sequence[Any], str]]]

_KEYS: sa.BindParameter[int] = sa.bindparam("keys", expanding=True)
# As many as one transaction reads: an open one keeps the log from being written back.
_RUNS_AT_ONCE = 100

_HEADS = (
    sa.select(runs.c.key, runs.c.head, runs.c.duration, run_documents.c.sidecar)
    .select_from(runs.outerjoin(run_documents, run_documents.c.run_key == runs.c.key))
    .where(runs.c.key.in_(_KEYS))
)
_PHASES = (
    sa.select(
        phases.c.run_key,
        phases.c.position,
        phases.c.name,
        phases.c.outcome,
        phases.c.start_time_millis,
        phases.c.end_time_millis,
    )
    .where(phases.c.run_key.in_(_KEYS))
    .order_by(phases.c.run_key, phases.c.position)
)
_MEASUREMENTS = sa.select(
    measurements.c.run_key,
    measurements.c.phase_position,
    measurements.c.position,
    measurements.c.point_key,
    measurements.c.specification_key,
    measurements.c.outcome,
    measurements.c.number,
    measurements.c.value,
).where(measurements.c.run_key.in_(_KEYS))
_PLACES = (
    ("outcome", None, 1),
    ("procedure", "name", 2),
    ("procedure", "id", 3),
    ("procedure", "version", 4),
    ("unit", "serial_number", 5),
    ("unit", "part_number", 6),
    ("unit", "revision", 7),
    ("unit", "batch_number", 8),
    ("station", None, 9),
    ("operator", None, 10),
    ("started_at", None, 11),
    ("ended_at", None, 12),
)
"""Where the cells of a run stand in its document."""

_UNSEEN = frozenset({"attributes", "docstring", "limits"})
"""What a sidecar may say of a measurement without changing a column, as a rule."""

# The years that a time may have, in milliseconds since the epoch.
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


@attrs.frozen(kw_only=True)
class FoundRows:
    """
    The rows of one of many runs.

    Attributes:
        rows: its measurements as cells, or None.
        problem: why it makes no run, or None.
    """

    key: int
    id: str
    rows: RunRows | None = None
    problem: RunProblemsError | None = None


def rows_of_runs(
    reading: Callable[[], AbstractContextManager[sa.Connection]],
    contents: ContentStore,
    wanted: Iterable[tuple[int, str]],
) -> Iterator[FoundRows]:
    """
    Read the measurements of many runs, those of some at a time.

    Args:
        reading: opens a transaction.
    """
    definitions = MeasurementDefinitions()
    waiting = iter(wanted)
    while some := list(islice(waiting, _RUNS_AT_ONCE)):
        with reading() as connection:
            found = list(_rows_of(connection, contents, some, definitions))
        # No transaction is held while they are used.
        yield from found


def _rows_of(
    connection: sa.Connection,
    contents: ContentStore,
    wanted: Sequence[tuple[int, str]],
    definitions: MeasurementDefinitions,
) -> Iterator[FoundRows]:
    """Read the rows of some runs; one that is gone meanwhile is passed over."""
    keys = [key for key, _ in wanted]
    heads = {row[0]: row for row in rows_in_parts(connection, _HEADS, keys)}
    phases_of: dict[int, list[Sequence[Any]]] = defaultdict(list)
    for row in rows_in_parts(connection, _PHASES, keys):
        phases_of[row[0]].append(row)
    measured: _Measured = defaultdict(list)
    # Sorted here, by the columns that stand first: the database holds them by their
    # points, nearly in this order, and takes longer to put them into it.
    found = sorted(cast("Any", rows_in_parts(connection, _MEASUREMENTS, keys)))
    definitions.learn(connection, found)
    # All at once: a call for each number takes four times as long.
    spelled = _encode([row[6] for row in found]).decode()[1:-1].split(",")
    for row, text in zip(found, spelled, strict=bool(found)):
        measured[row[0], row[1]].append((row, text))
    large = LargeValues(connection)
    for key, run_id in wanted:
        head = heads.get(key)
        if head is None:
            continue
        try:
            rows = _RunReader(run_id, head, definitions, large).rows(
                phases_of.get(key, ()), measured
            )
        # Any of them: the quick way makes no judgement, the slow way does.
        except (
            ExceptionGroup,
            ModelError,
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ):
            # Unusual: the run itself says what it is, or why it is none.
            yield from _restored(connection, contents, key, run_id)
        else:
            yield FoundRows(key=key, id=run_id, rows=rows)


def _restored(
    connection: sa.Connection, contents: ContentStore, key: int, run_id: str
) -> Iterator[FoundRows]:
    whole = find_whole(connection, contents, key, run_id)
    if whole is None:
        return
    rows = None if whole.stored is None else measurement_rows(whole.stored.run)
    yield FoundRows(key=key, id=run_id, rows=rows, problem=whole.problem)


class _RunReader:
    """Makes the rows of one run; raises what it cannot make sense of."""

    def __init__(
        self,
        run_id: str,
        head: Sequence[Any],
        definitions: MeasurementDefinitions,
        large: LargeValues,
    ) -> None:
        self._definitions = definitions
        self._large = large
        _, body, duration, packed = head
        self._common = head_cells(run_id, body, duration)
        self._nodes: _Nodes = {}
        if packed is not None:
            sidecar = msgspec.json.decode(unpack(packed))
            # Looked up and not asked for: a sidecar without a version is unusual, too.
            if sidecar["rigbridge"] != SIDECAR_VERSION:
                raise ValueError("is a sidecar of another version")
            if sidecar["overlay"] is not None:
                self._nodes = _within(sidecar["overlay"])
                self._common = self._completed(self._common)

    def _completed(self, cells: MeasurementRow) -> MeasurementRow:
        completed = list(cells)
        for name, inner, place in _PLACES:
            if name not in self._nodes:
                continue
            node = self._nodes[name]
            if inner is None:
                value = node[overlay.PUT]
            elif overlay.PUT in node:
                value = cast("JSONObject", node[overlay.PUT])[inner]
            else:
                nodes = _within(node)
                if inner not in nodes:
                    continue
                value = nodes[inner][overlay.PUT]
            completed[place] = _cell(name, value)
        if "instruments" in self._nodes:
            named = cast(
                "list[dict[str, Any]]", self._nodes["instruments"][overlay.PUT]
            )
            # The start, or else the end: behind them stand the instruments.
            moment = completed[11] or completed[12]
            completed[13:] = instrument_cells(
                [Instrument(**item) for item in named], cast("datetime | None", moment)
            )
        return tuple(completed)

    def rows(
        self,
        rows: Sequence[Sequence[Any]],
        measured: _Measured,
    ) -> RunRows:
        nodes = _nodes_of(self._nodes, "phases")
        made: list[MeasuredPhase] = []
        for index, row in enumerate(rows):
            run, position, name, _, begin, end = row
            # What the model would refuse must not come out of the quick way.
            if not name or name.isspace():
                raise ValueError("is a phase without a name")
            if not (_FIRST <= begin <= _LAST and _FIRST <= end <= _LAST):
                raise ValueError("is a phase at no time")
            node = nodes.get(str(index))
            within: _Nodes = {} if node is None else _within(node)
            cells = _phase_cells(index, row, within)
            found = measured.get((run, position))
            if found:
                inner = _nodes_of(within, "measurements")
                made.append(MeasuredPhase(cells, self._measured(found, inner)))
        return RunRows(self._common, made)

    def _measured(
        self, found: Sequence[tuple[Sequence[Any], str]], nodes: _Nodes
    ) -> list[MeasuredValue]:
        known = self._definitions
        made: list[MeasuredValue] = []
        for index, (row, spelled) in enumerate(found):
            _, _, _, point, specification, outcome, number, text = row
            node = nodes.get(str(index)) if nodes else None
            if text is None and node is None and number is not None:
                # By far the most frequent. A double that has no JSON is finite.
                kind = known[point, specification, outcome].kind
                made.append((kind, number, spelled))
            else:
                made.append(self._unusual(row, node))
        return made

    def _unusual(self, row: Sequence[Any], node: JSONObject | None) -> MeasuredValue:
        run, phase, position, point, specification, outcome, number, text = row
        definition = self._definitions[point, specification, outcome]
        value = number
        if text is not None:
            whole = self._large.text(text, run=run, phase=phase, position=position)
            value = read_value(msgspec.json.decode(whole), definition.units)
        if node is None:
            return (definition.kind, *value_cells(value))
        nodes = _within(node)
        limits = nodes.get("limits")
        if nodes.keys() <= _UNSEEN and (limits is None or _is_unseen(limits)):
            return (definition.kind, *value_cells(value))
        return _changed(definition, value, nodes)


def _within(node: JSONObject) -> _Nodes:
    # Unlike overlay.nodes_within it checks nothing: what is no object fails later.
    return cast("_Nodes", node[overlay.WITHIN])


def _nodes_of(nodes: _Nodes, name: str) -> _Nodes:
    node = nodes.get(name)
    return {} if node is None else _within(node)


def _cell(name: str, value: Any) -> Any:
    if name == "outcome":
        return RunOutcome(value).value
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    if name in ("started_at", "ended_at"):
        return None if value is None else from_iso(value)
    return value


def _phase_cells(index: int, row: Sequence[Any], nodes: _Nodes) -> MeasurementRow:
    _, _, name, outcome, begin, end = row
    if not nodes:
        return (index, "", name, outcome, from_millis(begin), from_millis(end))
    path = cast("list[str]", nodes["path"][overlay.PUT]) if "path" in nodes else ()
    return (
        index,
        " / ".join(path),
        _cell("name", nodes["name"][overlay.PUT]) if "name" in nodes else name,
        PhaseOutcome(str(nodes["outcome"][overlay.PUT])).value
        if "outcome" in nodes
        else outcome,
        _cell("started_at", nodes["started_at"][overlay.PUT])
        if "started_at" in nodes
        else from_millis(begin),
        _cell("ended_at", nodes["ended_at"][overlay.PUT])
        if "ended_at" in nodes
        else from_millis(end),
    )


def _changed(
    definition: MeasurementDefinition, value: Any, nodes: _Nodes
) -> MeasuredValue:
    """Give the cells of a measurement of which the sidecar says more."""
    unit, *limits, validators, instrument = definition.kind.end
    name, outcome = cast("tuple[str, str]", definition.kind.start)
    if "value" in nodes:
        document = overlay.apply(document_of_value(value), nodes["value"])
        value = value_of_document(document)
    if "limits" in nodes:
        document = overlay.apply(document_of_limit(definition.limits), nodes["limits"])
        limits = list(limit_cells(_limit(document)))
    if "name" in nodes:
        name = cast("str", nodes["name"][overlay.PUT])
    if "outcome" in nodes:
        outcome = cast("str", nodes["outcome"][overlay.PUT])
    if "unit" in nodes:
        unit = _cell("unit", nodes["unit"][overlay.PUT])
    checks: Sequence[str] = ()
    if "validators" in nodes:
        checks = cast("list[str]", nodes["validators"][overlay.PUT])
        validators = "; ".join(checks) or None
    if "instrument" in nodes:
        instrument = _cell("instrument", nodes["instrument"][overlay.PUT])
    # The model checks what a foreign sidecar says.
    Measurement(
        name=name,
        outcome=outcome,
        value=value,
        validators=checks,
        instrument=cast("str | None", instrument),
    )
    kind = MeasurementKind((name, outcome), (unit, *limits, validators, instrument))
    return (kind, *value_cells(value))


def _is_unseen(limits: JSONObject) -> bool:
    """Whether of a range only its comparator is added, which no column has."""
    within = limits.get(overlay.WITHIN)
    return within is not None and set(cast("_Nodes", within).keys()) == {"comparator"}


def _limit(document: Any) -> Limit | None:
    if document is None:
        return None
    return Limit(
        lower=cast("Any", value_of_document(document["lower"])),
        upper=cast("Any", value_of_document(document["upper"])),
        lower_inclusive=document["lower_inclusive"],
        upper_inclusive=document["upper_inclusive"],
        comparator=document["comparator"],
    )
