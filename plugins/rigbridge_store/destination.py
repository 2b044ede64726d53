"""The embedded store as a destination in this process, without a port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from rigbridge.configuration import Configuration
from rigbridge.destinations import (
    DestinationSettings,
    PreparedItem,
    Receipt,
    RunRows,
    RunSize,
)
from rigbridge.destinations.administration import (
    DeletionPlan,
    ProcedureRecord,
    StationLink,
    StationRecord,
)
from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import ConfigurationError, DeliveryError, RunProblemsError
from rigbridge.hosting import BackupResult, CheckResult, KeyKind, KeyRecord, PruneResult
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import ListedRun
from rigbridge_store.intake.policies import Repetition
from rigbridge_store.preparer import StorePreparer, Submission

if TYPE_CHECKING:
    from rigbridge_store.store import RunStore

__all__ = ["LocalDestination"]

_SERVING_PATIENCE = 4.0


class LocalDestination:
    """
    The embedded store of the data folder.

    The run's own id is its id in the store, so that a run is stored once however
    often and by however many processes it is submitted. What a run refers to is
    created on the way. Arguments and errors of its methods stand with the protocols of
    :mod:`rigbridge.destinations` and :mod:`rigbridge.hosting`.

    Args:
        settings: ``data`` names the folder, ``database`` and ``attachments`` what
            stands elsewhere; nothing is opened before the first call.
    """

    def __init__(self, settings: DestinationSettings) -> None:
        self._settings = settings
        self._store: RunStore | None = None
        self._lock = threading.Lock()
        self._repetition = Repetition.WARNED

    @property
    def store(self) -> RunStore:
        """
        The store, opened at the first use.

        Raises:
            ConfigurationError: the data folder or an address cannot be used.
            ServerUnavailableError: the database server cannot be reached for now.
        """
        return self._opened(create=True)

    @property
    def existing(self) -> RunStore:
        """
        The store, for what only reads: a misspelled folder makes no new one.

        Raises:
            ConfigurationError: there is none, or it cannot be used.
            ServerUnavailableError: the database server cannot be reached for now.
        """
        return self._opened(create=False)

    def _opened(self, *, create: bool, patience: float | None = None) -> RunStore:
        # Imported here: an import starts its processes before that, which takes long.
        from rigbridge_store.store import RunStore
        from rigbridge_store.tables.database import PATIENCE

        with self._lock:
            if self._store is None:
                self._store = RunStore.open(
                    self._settings.data,
                    database=self._settings.database,
                    attachments=self._settings.attachments,
                    create=create,
                    patience=PATIENCE if patience is None else patience,
                )
            return self._store

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """
        Store a run with its attachments, in one transaction.

        An attachment whose bytes cannot be read now is kept by reference and named
        in the receipt; submitting the run again supplies it.

        Args:
            run: the run; attachments without bytes are kept by reference.
            report: what its reading recorded; is added to and kept with the run.

        Raises:
            RunProblemsError: the run has no serial number or names no procedure.
            BadRequestError: a unit would come to contain itself.
            ServerUnavailableError: the store cannot be written for now.
        """
        from rigbridge_store.submission import submit_run

        return submit_run(self.store, run, report, repetition=self._repetition)

    def begin_replacing(self) -> None:
        """
        Let stored runs make way for those that come with their id and other content.

        The old one goes and the new one comes in one transaction. Contents that nobody
        has any more are removed when the store is next cleaned.
        """
        # Remembered, since the processes that prepare runs are told of it once.
        self._repetition = Repetition.REPLACED

    def preparer(self) -> StorePreparer:
        """Give what makes the rows of runs, in other processes as well."""
        # Opened here: each process would else try to make the tables.
        return StorePreparer(
            self.store.data, self._settings.attachments, self._repetition
        )

    def store_prepared(
        self, items: Sequence[PreparedItem]
    ) -> Sequence[Receipt | DeliveryError | RunProblemsError]:
        """Store prepared runs in one transaction."""
        from rigbridge_store.submission import (
            store_submissions,
        )

        submissions = [cast("Submission", item.payload) for item in items]
        return store_submissions(self.store, submissions)

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        """
        Add a file to a stored run; the same file twice is linked once.

        Raises:
            NotFoundError: there is no such run.
            UnprocessableError: the attachment has no bytes, or not those described.
            NoAnswerError: its bytes cannot be read now.
        """
        from rigbridge_store.submission import attach_file

        attach_file(self.existing, stored_id, attachment)

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """List the runs of a unit, newest first; serial numbers ignore case."""
        return self.existing.list_runs(serial_number)

    def recent_runs(
        self, limit: int, selection: RunSelection | None = None
    ) -> Sequence[ListedRun]:
        """List the runs stored last, newest first; of all runs, or of those meant."""
        return self.existing.recent_runs(limit, selection)

    def get_run(self, stored_id: str) -> Run:
        """Give back the whole run, equal to the one that was submitted."""
        return self.existing.get_run(stored_id)

    def open_attachment(self, attachment_id: str) -> IO[bytes]:
        """Open the bytes of a stored attachment."""
        return self.existing.open_attachment(attachment_id)

    def create_key(self, kind: KeyKind, name: str, *, email: str | None = None) -> str:
        """Make an API key; it is given once and kept only as a hash."""
        if kind is KeyKind.USER:
            return self.store.create_user_key(name, email=email)
        # Runs name operators by addresses, and a station is none.
        if email is not None:
            raise ConfigurationError("a station has no e-mail address")
        return self.store.create_station_key(name)

    def list_keys(self) -> Sequence[KeyRecord]:
        """List the API keys, revoked ones too; none shows the key itself."""
        return self.existing.keys.records()

    def revoke_key(self, prefix: str) -> KeyRecord:
        """Refuse a key from now on."""
        return self.existing.keys.revoke(prefix)

    def plan_deletion(self, stored_id: str) -> DeletionPlan:
        """Tell what deleting a run would take."""
        return self.existing.administration.plan_deletion(stored_id)

    def remove_run(self, stored_id: str) -> None:
        """Delete a run, and those of its files that no other run has."""
        self.existing.delete_run(stored_id)

    def list_stations(self) -> Sequence[StationRecord]:
        """List the stations in use, by name."""
        return self.existing.administration.list_stations()

    def link_station(
        self, station: str, procedure: str, *, create: bool = True
    ) -> StationLink:
        """Let a station use a procedure, each by name or id."""
        administration = self.existing.administration
        return administration.link_station(station, procedure, create=create)

    def unlink_station(self, station: str, procedure: str) -> StationLink:
        """Take a procedure from a station, each by name or id."""
        return self.existing.administration.unlink_station(station, procedure)

    def list_procedures(self) -> Sequence[ProcedureRecord]:
        """List the procedures, by name."""
        return self.existing.administration.list_procedures()

    def delete_procedure(self, procedure: str) -> ProcedureRecord:
        """Delete a procedure, by name or id, with all of its runs, for good."""
        return self.existing.administration.delete_procedure(procedure)

    def read_runs(self, selection: RunSelection) -> Iterator[Run | RunProblemsError]:
        """Go through the runs that are meant, whole, in the order stored."""
        for found in self.existing.read_runs(selection):
            if found.stored is not None:
                yield found.stored.run
            elif found.problem is not None:
                # Given and not raised: the runs behind it are still to come.
                found.problem.source = found.id
                yield found.problem

    def read_rows(
        self, selection: RunSelection
    ) -> Iterator[RunRows | RunProblemsError]:
        """Go through the runs that are meant as rows of cells, in the order stored."""
        for found in self.existing.read_rows(selection):
            if found.rows is not None:
                yield found.rows
            elif found.problem is not None:
                found.problem.source = found.id
                yield found.problem

    def run_sizes(self) -> Iterator[RunSize]:
        """Go through all runs, in the order stored, with how much of each is held."""
        return self.existing.upkeep.run_sizes()

    def damage(self) -> Iterator[str]:
        """Go through what is not as it was written; contents are read whole."""
        return iter(self.existing.upkeep.check().problems)

    def back_up(self, folder: Path) -> BackupResult:
        """Copy the running store to a folder, from which it can be used as it is."""
        return self.existing.upkeep.back_up(folder)

    def check(self, *, contents: bool = True) -> CheckResult:
        """Look for damage in the tables and the contents of attachments."""
        return self.existing.upkeep.check(contents=contents)

    def prune(self, before: datetime, *, dry_run: bool = False) -> PruneResult:
        """Delete runs that were before a moment, and contents that nobody needs."""
        return self.existing.upkeep.prune(before, dry_run=dry_run)

    def serve(
        self,
        *,
        host: str,
        port: int,
        open_stations: bool,
        ready: Callable[[str], None],
        configuration: Configuration | None = None,
    ) -> None:
        """
        Serve the v1 contract over HTTP until interrupted.

        Raises:
            AdapterUnavailableError: the server's libraries are not installed.
            ConfigurationError: the address cannot be listened on, or is reachable
                from elsewhere while no key exists; or a setting is wrong.
        """
        # Only the server needs the extra that brings these.
        from rigbridge_store.server import (
            ServerSettings,
            serve_store,
        )

        settings = ServerSettings.of(configuration, open_stations=open_stations)
        # A client waits ten seconds or more: it is to get an answer before it gives up.
        store = self._opened(create=True, patience=_SERVING_PATIENCE)
        serve_store(store, host=host, port=port, settings=settings, ready=ready)

    def close(self) -> None:
        """Release connections and files; may be called twice."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None
