"""
What our own store offers over HTTP beyond v1: whole runs, and looking after it.

It announces that it has these calls. Of any other store the v1 list is used as far as
it goes, and what is beyond that is refused with words that say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import IO, TypeVar
from urllib.parse import quote

from rigbridge.client import operations
from rigbridge.client.connection import BlockingConnection
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.transport import calls
from rigbridge.client.transport.calls import Answer, Call
from rigbridge.convert import Openers, from_document
from rigbridge.convert.times import from_iso
from rigbridge.destinations import RunRows
from rigbridge.destinations.address import destination_name
from rigbridge.destinations.administration import (
    DeletionPlan,
    ProcedureRecord,
    StationLink,
    StationRecord,
)
from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import (
    ConfigurationError,
    ModelError,
    NotFoundError,
    RunProblemsError,
)
from rigbridge.kept.rows import rows_from_wire
from rigbridge.machine.close_names import folded
from rigbridge.model import Run
from rigbridge.wire import (
    ListedRun,
    RowsOfRun,
    RowsOfRuns,
    WholeRun,
    WholeRuns,
    decode,
    encode,
)

__all__ = ["StoreOverHTTP"]

_T = TypeVar("_T")
_Page = TypeVar("_Page", WholeRuns, RowsOfRuns)

_READING, _ADMINISTRATION = "reading", "administration"
"""What a store announces that has these calls."""


class StoreOverHTTP:
    """
    A store that is reached over one connection; reads back, and looks after it.

    What it raises stands with the protocols of :mod:`rigbridge.destinations`. Of a
    store that is not ours, most of it raises a :class:`ConfigurationError`.
    """

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection

    def recent_runs(
        self, limit: int, selection: RunSelection | None = None
    ) -> Sequence[ListedRun]:
        """
        List the runs stored last, newest first; of all runs, or of those meant.

        Of a store that is not ours, the runs of one unit are listed and chosen here.

        Raises:
            ConfigurationError: the store is not ours, and no unit is named.
            DeliveryError: the store gave no list.
        """
        wanted = selection or RunSelection()
        if self._offers(_READING):
            parameters = {**_parameters(wanted), "limit": limit}
            path = ("reading", "listed")
            return self._ask(list[ListedRun], "GET", path, parameters=parameters)
        if wanted.serial_number is None:
            raise _foreign("lists no runs but those of one unit")
        if wanted.instrument is not None or wanted.overdue:
            raise _foreign("does not tell the instruments of runs")
        flow = operations.list_runs(wanted.serial_number)
        found = self._connection.drive(flow)
        # Cut after choosing: the limit is for the runs that are meant.
        return [run for run in found if _is_meant(run, wanted)][:limit]

    def get_run(self, stored_id: str) -> Run:
        """Give back the whole run, equal to the one that was submitted."""
        for found in self.read_runs(RunSelection(run_id=stored_id)):
            if isinstance(found, RunProblemsError):
                raise found
            return found
        raise NotFoundError(
            f"Run with ID {stored_id} does not exist.", source=self._connection.url
        )

    def page_of(self, stored_id: str) -> str | None:
        """Give the address of the page that shows a run; None of a foreign store."""
        if not self._offers(_READING):
            return None
        return (
            f"{destination_name(self._connection.url)}/runs/{quote(stored_id, safe='')}"
        )

    def read_runs(self, selection: RunSelection) -> Iterator[Run | RunProblemsError]:
        """Go through the runs that are meant, whole, in the order stored."""
        for page in self._pages(WholeRuns, "runs", selection):
            yield from map(self._restored, page.runs)

    def read_rows(
        self, selection: RunSelection
    ) -> Iterator[RunRows | RunProblemsError]:
        """Go through the runs that are meant as rows of cells, in the order stored."""
        for page in self._pages(RowsOfRuns, "rows", selection):
            for found in page.runs:
                if found.problem is not None:
                    yield _problem(found)
                else:
                    yield rows_from_wire(found)

    def _pages(
        self, kind: type[_Page], name: str, selection: RunSelection
    ) -> Iterator[_Page]:
        self._require(_READING, "gives no whole runs back")
        # Pages by position, not by offset: runs that are stored meanwhile neither shift
        # nor double a page.
        after: int | None = 0
        while after is not None:
            parameters = {**_parameters(selection), "after": after}
            page = self._ask(kind, "GET", ("reading", name), parameters=parameters)
            yield page
            after = page.next

    def _restored(self, found: WholeRun) -> Run | RunProblemsError:
        if found.run is None:
            return _problem(found)
        openers: Openers = {
            # Opened on demand: whoever only reads the values need not fetch the files.
            digest: partial(self.open_attachment, public, digest)
            for digest, public in found.contents.items()
        }
        try:
            return from_document(found.run, openers)
        except RunProblemsError as error:
            # A newer store may have fields that are not known here.
            error.source = found.id
            return error

    def open_attachment(
        self, attachment_id: str, sha256: str | None = None
    ) -> IO[bytes]:
        """
        Fetch the bytes of a stored attachment; many of them are kept on disk.

        Args:
            sha256: the digest that they must have, where that is known.

        Raises:
            NotFoundError: there is none, or the run only refers to it.
            DeliveryError: the bytes did not come, or are others.
        """
        path = f"/v1/attachments/{quote(attachment_id, safe='')}/download"
        return self._connection.fetch(path, sha256)

    def plan_deletion(self, stored_id: str) -> DeletionPlan | None:
        """Tell what deleting a run would take; None where the store does not say."""
        if not self._offers(_ADMINISTRATION):
            return None
        return self._ask(DeletionPlan, "GET", ("runs", stored_id, "deletion"))

    def remove_run(self, stored_id: str) -> None:
        """Delete a run, and those of its files that no other run has."""
        self._connection.perform(calls.delete_run(stored_id))

    def _require_own(self, words: str) -> None:
        """
        Make sure that the store is one of ours.

        Args:
            words: what only such a store can do, for the error.

        Raises:
            ConfigurationError: it is another one.
        """
        if not self._offers(_ADMINISTRATION):
            raise _foreign(words, "delete them there first, or leave them as they are")

    def list_stations(self) -> Sequence[StationRecord]:
        """List the stations in use, by name."""
        return self._administer(list[StationRecord], "GET", ("stations",))

    def link_station(
        self, station: str, procedure: str, *, create: bool = True
    ) -> StationLink:
        """Let a station use a procedure, each by name or id."""
        body: dict[str, object] = {
            "station": station,
            "procedure": procedure,
            "create": create,
        }
        return self._administer(StationLink, "POST", ("stations", "link"), body)

    def unlink_station(self, station: str, procedure: str) -> StationLink:
        """Take a procedure from a station, each by name or id."""
        body: dict[str, object] = {"station": station, "procedure": procedure}
        return self._administer(StationLink, "POST", ("stations", "unlink"), body)

    def list_procedures(self) -> Sequence[ProcedureRecord]:
        """List the procedures, by name."""
        return self._administer(list[ProcedureRecord], "GET", ("procedures",))

    def delete_procedure(self, procedure: str) -> ProcedureRecord:
        """Delete a procedure, by name or id, with all of its runs, for good."""
        return self._administer(ProcedureRecord, "DELETE", ("procedures", procedure))

    def _offers(self, what: str) -> bool:
        known = self._connection.drive(self._connection.ask_capabilities())
        memory = self._connection.capabilities
        if memory.doubt is not None and not memory.asked:
            # A refused key says nothing about what kind of store it is.
            raise memory.doubt
        return known is not None and known.get(what) is True

    def _require(self, what: str, words: str) -> None:
        if not self._offers(what):
            raise _foreign(words)

    def _administer(
        self,
        kind: type[_T],
        method: str,
        path: Sequence[str],
        body: dict[str, object] | None = None,
    ) -> _T:
        self._require(_ADMINISTRATION, "has its stations and procedures elsewhere")
        return self._ask(kind, method, path, body=body)

    def _ask(
        self,
        kind: type[_T],
        method: str,
        path: Sequence[str],
        *,
        parameters: dict[str, str | int] | None = None,
        body: dict[str, object] | None = None,
    ) -> _T:
        call = Call(
            method=method,
            path="/".join(("/v1", *(quote(part, safe="") for part in path))),
            params=parameters or {},
            content=None if body is None else encode(body),
            read=partial(_decoded, kind),
        )
        return self._connection.perform(call)


def _decoded(kind: type[_T], answer: Answer) -> _T:
    try:
        return decode(answer.content, kind)
    except (ModelError, UnicodeDecodeError) as error:
        raise answer.unexpected(f"is not that of this call ({error})") from error


def _problem(found: WholeRun | RowsOfRun) -> RunProblemsError:
    problem = ModelError(found.problem or "is not given", path="$")
    return RunProblemsError("makes no run", [problem], source=found.id)


def _foreign(
    words: str,
    remedy: str = "'rigbridge runs list --serial SN' lists the runs of a unit",
) -> ConfigurationError:
    return ConfigurationError(
        f"this store is not rigbridge's own, and {words}", remedy=remedy
    )


def _parameters(selection: RunSelection) -> dict[str, str | int]:
    moments = {"since": selection.since, "until": selection.until}
    given = {
        "serial_number": selection.serial_number,
        "procedure": selection.procedure,
        "station": selection.station,
        "instrument": selection.instrument,
        "overdue": "true" if selection.overdue else None,
        "outcome": selection.outcome,
        "run_id": selection.run_id,
        **{
            name: None if moment is None else moment.isoformat()
            for name, moment in moments.items()
        },
    }
    return {name: value for name, value in given.items() if value is not None}


def _is_meant(run: ReceivedRun, selection: RunSelection) -> bool:
    """Whether a listed run is one of a selection, as far as the list tells."""
    procedure, station = run.procedure, run.created_by_station
    told = {
        "procedure": (procedure and procedure.name, procedure and procedure.id),
        "station": (run.station or None, station and station.name),
        "outcome": (run.outcome,),
    }
    for name, values in told.items():
        # What was given may be a name or an id.
        wanted = getattr(selection, name)
        known = {folded(value or "") for value in values}
        if wanted is not None and folded(wanted) not in known:
            return False
    began = _moment(run.started_at or run.created_at)
    if selection.since is not None and (began is None or began < selection.since):
        return False
    if selection.until is not None and (began is None or began >= selection.until):
        return False
    return run.id.lower().startswith((selection.run_id or "").strip().lower())


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return from_iso(text, path="started_at").astimezone(UTC)
    except ModelError:
        return None
