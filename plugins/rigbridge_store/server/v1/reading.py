"""The calls by which whole runs are read back (ours)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs
from litestar.di import NamedDependency
from litestar.response import Response

from rigbridge.convert import to_document
from rigbridge.destinations.selection import RunSelection
from rigbridge.kept.rows import rows_to_wire
from rigbridge.model import RunOutcome
from rigbridge.wire import (
    ListedRun,
    RowsOfRun,
    RowsOfRuns,
    WholeRun,
    WholeRuns,
    encode,
)
from rigbridge_store.reading.lists.query import parameter, utc
from rigbridge_store.reading.one_run import FoundRun
from rigbridge_store.reading.rows import FoundRows
from rigbridge_store.server.calls import FromCall, get

__all__: list[str] = []

_PAGE_BYTES = 4 << 20
"""About how long a page of runs is; a run that is longer has one of its own."""

_MOST = 1_000_000


@attrs.frozen(kw_only=True)
class SelectedRuns:
    """The runs that are meant, as parameters."""

    serial_number: str | None = parameter(max_length=255)
    procedure: str | None = parameter(max_length=255, description="Its name or id.")
    station: str | None = parameter(max_length=255, description="Its name.")
    instrument: str | None = parameter(
        max_length=255, description="Its name or serial number."
    )
    overdue: bool = parameter(
        False, description="Only runs with an instrument out of calibration."
    )
    outcome: RunOutcome | None = None
    since: datetime | None = parameter(description="The first moment within.")
    until: datetime | None = parameter(description="The first moment after it.")
    run_id: str | None = parameter(max_length=36, description="How the id begins.")

    @property
    def selection(self) -> RunSelection:
        """The same for the store."""
        moments = {
            name: None if moment is None else utc(moment)
            for name, moment in (("since", self.since), ("until", self.until))
        }
        return RunSelection(
            serial_number=self.serial_number,
            procedure=self.procedure,
            station=self.station,
            instrument=self.instrument,
            overdue=self.overdue,
            outcome=self.outcome,
            run_id=self.run_id,
            **moments,
        )


@attrs.frozen(kw_only=True)
class ListedRuns(SelectedRuns):
    """The same, with how many are wanted."""

    limit: int = parameter(50, ge=1, le=_MOST)


@attrs.frozen(kw_only=True)
class PageOfRuns(SelectedRuns):
    """The same, with the place behind which the page begins."""

    after: int = parameter(0, ge=0, le=2**53, description="The next of the last page.")


@get("/reading/listed", query=ListedRuns)
def list_selected(
    wanted: NamedDependency[ListedRuns], call: FromCall
) -> list[ListedRun]:
    """List the runs that were stored last, newest first, of those meant."""
    return call.store.recent_runs(
        wanted.limit, wanted.selection, principal=call.principal
    )


@get("/reading/runs", query=PageOfRuns)
def read_runs(
    wanted: NamedDependency[PageOfRuns], call: FromCall
) -> Response[WholeRuns]:
    """Give runs whole, in the order stored, as many as fit into a page."""
    found = call.store.read_runs(
        wanted.selection, principal=call.principal, after=wanted.after
    )
    return _page((item.key, encode(_whole(item))) for item in found)


@get("/reading/rows", query=PageOfRuns)
def read_rows(
    wanted: NamedDependency[PageOfRuns], call: FromCall
) -> Response[RowsOfRuns]:
    """Give the measurements of runs as rows of cells, as many as fit into a page."""
    found = call.store.read_rows(
        wanted.selection, principal=call.principal, after=wanted.after
    )
    return _page((item.key, encode(_rows(item))) for item in found)


def _page(found: Iterable[tuple[int, bytes]]) -> Response[Any]:
    """Fill a page; each run is encoded as it is read, so that it is there once."""
    runs: list[bytes] = []
    size = 0
    end = "null"
    for key, content in found:
        runs.append(content)
        size += len(content)
        if size >= _PAGE_BYTES:
            end = str(key)
            break
    content = b'{"runs":[' + b",".join(runs) + b'],"next":' + end.encode() + b"}"
    return Response(content, media_type="application/json")


def _rows(found: FoundRows) -> RowsOfRun:
    if found.rows is None:
        return RowsOfRun(id=found.id, problem=str(found.problem))
    return rows_to_wire(found.id, found.rows)


def _whole(found: FoundRun) -> WholeRun:
    stored = found.stored
    if stored is None:
        return WholeRun(id=found.id, problem=str(found.problem))
    return WholeRun(
        id=found.id,
        run=to_document(stored.run),
        contents={
            file.sha256: file.id
            for file in stored.files
            if file.sha256 is not None and file.download_url is not None
        },
    )
