"""The store: the one service layer behind every door."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import ConfigurationError
from rigbridge.model import JSONScalar, Run
from rigbridge.wire import CreateRun, InitializeUpload, ListedRun, WireSubUnit
from rigbridge_store.access.keys import Keys
from rigbridge_store.access.permissions import (
    linked_procedures,
    require_access,
    require_user,
)
from rigbridge_store.access.principals import Principal
from rigbridge_store.fields import MAX_TEXT, known
from rigbridge_store.files.contents import ContentStore, DiskContents
from rigbridge_store.files.remote_contents import RemoteContents
from rigbridge_store.files.stored_files import add_file, find_file, require_run
from rigbridge_store.files.sweeping import sweep_contents, sweep_digests, sweep_uploads
from rigbridge_store.files.uploads import (
    GRANT,
    CompletedUpload,
    UploadReception,
    Uploads,
    link_uploads,
)
from rigbridge_store.intake.catalog import Catalog, CatalogSession, link_station
from rigbridge_store.intake.creation import Creation, IdempotencyKey, RunSlot
from rigbridge_store.intake.definitions import Definitions, DefinitionSession
from rigbridge_store.intake.metadata import told_by_sidecar
from rigbridge_store.intake.policies import CreationPolicy
from rigbridge_store.intake.preparation import digest, prepare
from rigbridge_store.intake.units import find_unit, set_sub_units
from rigbridge_store.reading import listing
from rigbridge_store.reading.one_run import read_run, read_sidecar
from rigbridge_store.reading.selecting import selected_run_ids
from rigbridge_store.refusals import FieldIssue, conflict, forbidden, invalid, not_found
from rigbridge_store.results import (
    CreationResult,
    StoredContent,
    StoredFile,
    UploadTicket,
)
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import attachments, runs
from rigbridge_store.upkeep import Upkeep

__all__ = ["MAX_UPLOAD", "RunStore"]

MAX_UPLOAD = 16 * 1024**3
"""How many bytes an upload may have, unless set otherwise."""

_ATTEMPTS = 5
_IN_PROCESS = CreationPolicy()


class RunStore:
    """
    A run store in a folder.

    Safe for threads, and for several processes on one folder. Made by :meth:`open`.
    Wherever a ``principal`` is taken, None stands for a caller in process, who may do
    everything.

    Args:
        data: the data folder.
        database: its tables.
        contents: the contents of its attachments.
        max_upload: how many bytes an upload may have.
    """

    def __init__(
        self,
        data: Path,
        database: StoreDatabase,
        contents: ContentStore,
        *,
        max_upload: int,
    ) -> None:
        self.data = data
        self.contents = contents
        self._database = database
        self._catalog = Catalog()
        self._definitions = Definitions()
        self.keys = Keys(database)
        self.uploads = Uploads(database, self.contents, limit=max_upload, grant=GRANT)
        self.upkeep = Upkeep(database, self.contents, self.delete_run)

    @classmethod
    def open(
        cls,
        data: Path,
        *,
        database: str | None = None,
        attachments: str | None = None,
        max_upload: int = MAX_UPLOAD,
    ) -> RunStore:
        """
        Open the store of a data folder; both are made when absent.

        Args:
            data: the data folder.
            database: the address of a PostgreSQL database that holds the tables
                (``postgresql://user@host/name``); a file in the folder by default.
            attachments: the URL under which contents are kept (``s3://bucket/path``);
                in the folder by default.
            max_upload: how many bytes an upload may have.

        Raises:
            ConfigurationError: the folder cannot be written, or its store belongs to
                a newer version or is damaged, or the address is none.
            ServerUnavailableError: the database server cannot be reached for now.
        """
        try:
            data.mkdir(parents=True, exist_ok=True)
            contents = (
                DiskContents(data)
                if attachments is None
                else RemoteContents(data, attachments)
            )
            tables = StoreDatabase(data, database)
            return cls(data, tables, contents, max_upload=max_upload)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder cannot be used: {error.strerror or error}",
                source=str(data),
                remedy="choose another folder, or correct its permissions",
            ) from error

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """
        Open a transaction that sees one state of the store.

        Raises:
            ServerUnavailableError: the store cannot be read for now.
        """
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def writing(
        self, principal: Principal | None = None
    ) -> Generator[tuple[sa.Connection, CatalogSession]]:
        """
        Open a transaction that changes the store, on behalf of somebody.

        Raises:
            ConflictError: a change contradicts what is stored.
            ServerUnavailableError: the store cannot be written for now.
        """
        try:
            with self._database.writing() as connection:
                session = self._catalog.session(connection, principal)
                yield connection, session
        except IntegrityError as error:
            raise conflict(
                "The change contradicts what is stored: something else has that "
                "name, or refers to it."
            ) from error
        finally:
            # What it found may be renamed or gone by now.
            self._catalog.forget()

    def create_run(
        self,
        body: CreateRun,
        *,
        principal: Principal | None = None,
        idempotency_key: str | None = None,
        policy: CreationPolicy = _IN_PROCESS,
        files: Sequence[StoredFile] = (),
        report: Mapping[str, Any] | None = None,
        lenient: bool = False,
        metadata: Mapping[str, JSONScalar] | None = None,
        unit_metadata: Mapping[str, JSONScalar] | None = None,
        slot: RunSlot | None = None,
    ) -> CreationResult:
        """
        Create a run, durably.

        Args:
            body: the body of the create call; ``rigbridge`` is its sidecar.
            principal: who sends it.
            idempotency_key: the same key is answered with the same run; a UUID
                becomes the run's id.
            policy: how strict to be.
            files: the run's files, whose bytes the store has or nobody has.
            report: the document of the conversion report.
            lenient: answer a repeated key with another body with a warning.
            metadata: single values that the run can be searched by.
            unit_metadata: likewise of its unit, over those that it has.
            slot: its place in an execution of several runs.

        Raises:
            BadRequestError, UnprocessableError: the body is wrong; each issue names
                its field.
            ForbiddenError: a station that is not linked to the procedure.
            NotFoundError: the run refers to something that does not exist.
            ConflictError: the key came before with another body.
            ServerUnavailableError: the store cannot be written for now.
        """
        key = None
        if idempotency_key is not None:
            key = IdempotencyKey.of(idempotency_key, digest(body), lenient=lenient)
        creation = Creation(
            body=body,
            prepared=prepare(body, report=report),
            principal=principal,
            policy=policy,
            key=key,
            files=files,
            metadata=(
                told_by_sidecar(known(body.rigbridge)) if metadata is None else metadata
            ),
            unit_metadata=unit_metadata or {},
            slot=slot,
        )
        return self._create(creation)

    def _create(self, creation: Creation) -> CreationResult:
        def write(
            connection: sa.Connection,
        ) -> tuple[CreationResult, CatalogSession, DefinitionSession]:
            session = self._catalog.session(connection, creation.principal)
            definitions = self._definitions.session(connection)
            created = creation.write(connection, session, definitions)
            return created, session, definitions

        for attempt in range(_ATTEMPTS):
            try:
                created, session, definitions = self._database.write(write)
            except IntegrityError as error:
                # Another writer was faster, or a remembered row is gone: look again.
                self._catalog.forget()
                self._definitions.forget()
                if attempt == _ATTEMPTS - 1:
                    raise conflict(
                        f"The run contradicts what is stored: {error.orig}"
                    ) from error
            else:
                self._catalog.remember(session)
                self._definitions.remember(definitions)
                return created
        raise AssertionError  # the last attempt returns or raises

    def list_runs(
        self,
        serial_number: str,
        *,
        principal: Principal | None = None,
    ) -> list[ListedRun]:
        """
        List the runs of a unit, newest first; the case of the number does not matter.

        A station sees the runs of the procedures that it is linked to.

        Raises:
            BadRequestError: a serial number that is blank or too long.
            ForbiddenError: a station, and all runs are of other procedures.
        """
        if not serial_number.strip() or len(serial_number) > MAX_TEXT:
            words = f"must have 1 to {MAX_TEXT} characters"
            raise invalid([FieldIssue("serial_number", words)])
        with self._database.reading() as connection:
            allowed = (
                linked_procedures(connection, principal.key)
                if principal is not None and principal.is_restricted
                else None
            )
            found, hidden = listing.of_unit(connection, serial_number, allowed)
        if hidden and not found:
            raise forbidden(
                "The station is not linked to any procedure of this unit's runs."
            )
        return found

    def recent_runs(self, limit: int) -> list[ListedRun]:
        """List the runs that were stored last, the last one first."""
        with self._database.reading() as connection:
            return listing.recent(connection, limit)

    def show_run(
        self,
        run_id: str,
        *,
        principal: Principal | None = None,
    ) -> ListedRun:
        """
        Give one run as the list shows it, with what its sidecar holds.

        Raises:
            NotFoundError: there is none of that id.
            ForbiddenError: a station that is not linked to its procedure.
        """
        with self._database.reading() as connection:
            key, procedure = require_run(connection, run_id)
            require_access(connection, principal, procedure)
            shown = listing.one_run(connection, run_id)
            sidecar = read_sidecar(connection, key)
        if shown is None:
            raise not_found(f"Run with ID {run_id} does not exist.")
        return shown if sidecar is None else attrs.evolve(shown, rigbridge=sidecar)

    def get_run(self, run_id: str) -> Run:
        """
        Give back a whole run, equal to the one that was stored.

        Raises:
            NotFoundError: there is none of that id.
            RunProblemsError: a foreign client's payload that makes no run.
        """
        with self._database.reading() as connection:
            return read_run(connection, self.contents, run_id).run

    def initialize_upload(self, body: InitializeUpload) -> UploadTicket:
        """
        Grant an upload for about a minute.

        Raises:
            BadRequestError: a blank name or a negative size.
            TooLargeError: the size declared is over the limit.
        """
        return self.uploads.initialize(body)

    def open_upload(
        self, upload_id: str, token: str, *, announced: int | None = None
    ) -> UploadReception:
        """Begin to take the bytes of an upload; see :meth:`Uploads.receive`."""
        return self.uploads.receive(upload_id, token, announced=announced)

    def receive_upload(
        self,
        upload_id: str,
        token: str,
        chunks: Iterable[bytes],
        *,
        mime_type: str | None = None,
    ) -> StoredContent:
        """
        Take the bytes of an upload.

        Raises:
            NotFoundError: there is no such upload, or the secret is wrong.
            ForbiddenError: the grant has expired.
            ConflictError: it has been used.
            BadRequestError: more or fewer bytes than declared.
            TooLargeError: over the store's limit.
        """
        with self.open_upload(upload_id, token) as reception:
            for chunk in chunks:
                reception.write(chunk)
            return reception.finish(mime_type)

    def completed_upload(self, upload_id: str) -> CompletedUpload:
        """
        Give an upload whose bytes have come.

        Raises:
            NotFoundError: there is none of that id.
            BadRequestError: its bytes have not come.
        """
        return self.uploads.completed(upload_id)

    def link_uploads(
        self,
        run_id: str,
        upload_ids: Sequence[str],
        *,
        principal: Principal | None = None,
        field: str = "attachments",
    ) -> str:
        """
        Link uploads to a run, all or none; those linked already stay linked.

        Returns:
            The run's id.

        Raises:
            NotFoundError: there is no such run or upload.
            ConflictError: an upload belongs to another run.
            BadRequestError: an upload was never completed.
            ForbiddenError: a station that is not linked to the procedure.
        """

        def link(connection: sa.Connection) -> None:
            key, procedure = require_run(connection, run_id)
            require_access(connection, principal, procedure)
            link_uploads(connection, key, upload_ids, field=field)

        self._database.write(link)
        return run_id.lower()

    def attach_file(
        self, run_id: str, *, name: str, mime_type: str | None, content: StoredContent
    ) -> None:
        """
        Give a stored content to a run; the same name and content is there once.

        Raises:
            NotFoundError: there is no such run.
        """

        def attach(connection: sa.Connection) -> None:
            key, _ = require_run(connection, run_id)
            add_file(connection, key, name=name, mime_type=mime_type, content=content)

        self._database.write(attach)

    def find_attachment(
        self,
        attachment_id: str,
        *,
        principal: Principal | None = None,
    ) -> StoredFile:
        """
        Describe an attachment whose bytes the store has.

        Raises:
            NotFoundError: there is none, or the run only refers to it.
            ForbiddenError: a station that is not linked to the procedure.
        """
        with self._database.reading() as connection:
            file, procedure = find_file(connection, attachment_id)
            require_access(connection, principal, procedure)
        if not file.stored or file.sha256 is None:
            raise not_found(
                f"Attachment with ID {attachment_id} is a reference without bytes."
            )
        return file

    def open_attachment(self, attachment_id: str) -> IO[bytes]:
        """
        Open the bytes of an attachment.

        Raises:
            NotFoundError: there is none, or the run only refers to it.
        """
        return self.contents.open(self.find_attachment(attachment_id).sha256 or "")

    def delete_run(
        self,
        run_id: str,
        *,
        principal: Principal | None = None,
    ) -> int:
        """
        Delete a run, and those of its files that no other run has.

        Returns:
            How many contents were deleted; one that was touched a moment ago stays.

        Raises:
            NotFoundError: there is none of that id.
            ForbiddenError: a station; only users delete.
        """
        require_user(principal, "delete runs")
        with self._database.writing() as connection:
            key, _ = require_run(connection, run_id)
            contents = connection.execute(
                sa.select(attachments.c.sha256).where(
                    attachments.c.run_key == key, attachments.c.stored
                )
            )
            digests = list(contents.scalars())
            connection.execute(runs.delete().where(runs.c.key == key))
        return sweep_digests(self._database, self.contents, digests)

    def run_ids(self, selection: RunSelection) -> Iterator[str]:
        """Go through the ids of the runs that are meant, in the order stored."""
        return selected_run_ids(self._database, selection)

    def forget_contents(self, digests: Iterable[str]) -> None:
        """Delete those contents that nothing refers to any more."""
        sweep_digests(self._database, self.contents, digests)

    def update_unit(
        self,
        serial_number: str,
        sub_units: Sequence[WireSubUnit] | None,
        *,
        principal: Principal | None = None,
    ) -> str:
        """
        Say what is built into a unit; None says nothing.

        Returns:
            The unit's id.

        Raises:
            NotFoundError: there is no such unit or sub-unit.
            BadRequestError: a unit would come to contain itself.
            ForbiddenError: a station that may see none of the unit's runs.
        """
        if principal is not None and principal.is_restricted:
            self.list_runs(serial_number, principal=principal)
        with self._database.writing() as connection:
            unit = find_unit(connection, serial_number)
            if unit is None:
                raise not_found(
                    f"Unit with serial number {serial_number} does not exist."
                )
            if sub_units is not None:
                session = self._catalog.session(connection, principal)
                set_sub_units(connection, session, unit, sub_units)
        return unit.id

    def create_user_key(self, name: str, *, email: str | None = None) -> str:
        """
        Make an API key for a user, who is created when absent.

        Args:
            name: the user's name; one that is an e-mail address is that too.
            email: the address by which runs name the user as their operator.

        Returns:
            The key, which is shown this once.
        """
        return self.keys.issue_user_key(name, email=email)

    def create_station_key(self, name: str) -> str:
        """Make an API key for a station, which is created when absent."""
        return self.keys.issue_station_key(name)

    def authenticate(self, key: str) -> Principal:
        """
        Tell whose key this is.

        Raises:
            UnauthorizedError: nobody's.
        """
        return self.keys.authenticate(key)

    def link_station(self, station: str, procedure: str) -> None:
        """
        Let a station use a procedure.

        Args:
            station: its name or id.
            procedure: its id, identifier or name; a new name creates it.

        Raises:
            NotFoundError: no such station, or no procedure of that id.
        """
        link_station(self._database, self._catalog, station, procedure)

    def sweep(self, *, contents: bool = False) -> None:
        """
        Delete what came to nothing.

        Args:
            contents: also walk through all contents for such as nothing refers to.
        """
        sweep_uploads(self._database, self.contents)
        if contents:
            sweep_contents(self._database, self.contents)

    def close(self) -> None:
        """Release connections; may be called twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
