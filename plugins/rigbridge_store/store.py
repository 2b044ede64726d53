"""The store: the service layer behind the server, the pages and the destination."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import attrs
import sqlalchemy as sa
from msgspec import UnsetType

from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import PermanentError
from rigbridge.machine.close_names import folded
from rigbridge.model import JSONScalar, Run
from rigbridge.wire import CreateRun, ListedRun, WireSubUnit
from rigbridge_store.access.matrix import Action, Thing, Verb
from rigbridge_store.access.permissions import require_allowed, visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.administration import Administration
from rigbridge_store.fields import MAX_TEXT, known
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.files.linking import link_uploads
from rigbridge_store.files.stored_files import (
    add_file,
    files_of,
    find_file,
    has_file,
    require_run,
)
from rigbridge_store.files.sweeping import sweep_digests
from rigbridge_store.intake.changes import delete_unit
from rigbridge_store.intake.creation import Creation, IdempotencyKey, RunSlot
from rigbridge_store.intake.policies import CreationPolicy, Repetition
from rigbridge_store.intake.preparation import (
    digest,
    prepare,
    sidecar_metadata,
    without_rows,
)
from rigbridge_store.intake.units import find_unit, set_sub_units
from rigbridge_store.opened_store import OpenedStore
from rigbridge_store.reading import listing
from rigbridge_store.reading.one_run import (
    FoundRun,
    read_run,
    read_sidecar,
    whole_runs,
)
from rigbridge_store.reading.rows import FoundRows, rows_of_runs
from rigbridge_store.reading.selecting import (
    of_visible,
    selected_runs,
    selection_conditions,
)
from rigbridge_store.refusals import FieldIssue, forbidden, invalid, not_found
from rigbridge_store.results import (
    CreationResult,
    StoredContent,
    StoredFile,
)
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import runs
from rigbridge_store.upkeep import Upkeep

__all__ = ["RunStore"]

_LOGGER = logging.getLogger("rigbridge_store")

_IN_PROCESS = CreationPolicy()


class RunStore(OpenedStore):
    """
    A run store in a folder.

    Safe for threads, and for several processes on one folder. Made by :meth:`open`.
    Wherever a ``principal`` is taken, None stands for a caller in process, who may do
    everything.

    Args:
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
        super().__init__(data, database, contents, max_upload=max_upload)
        self.upkeep = Upkeep(database, self.contents, self.delete_run)
        self.administration = Administration(database, self._intake, self.delete_run)

    def create_run(
        self,
        body: CreateRun,
        *,
        principal: Principal | None = None,
        idempotency_key: str | None = None,
        policy: CreationPolicy = _IN_PROCESS,
        files: Sequence[StoredFile] = (),
        report: Mapping[str, Any] | None = None,
        repetition: Repetition = Repetition.REFUSED,
        metadata: Mapping[str, JSONScalar] | None = None,
        unit_metadata: Mapping[str, JSONScalar] | None = None,
        slot: RunSlot | None = None,
        consume: bool = False,
    ) -> CreationResult:
        """
        Create a run, durably.

        Args:
            body: the body of the create call; ``rigbridge`` is its sidecar.
            idempotency_key: the same key is answered with the same run; a UUID
                becomes the run's id.
            files: the run's files, whose bytes the store has or nobody has.
            repetition: what becomes of a repeated key with another body.
            metadata: single values that the run can be searched by.
            unit_metadata: likewise of its unit, over those that it has.
            slot: its place in an execution of several runs.
            consume: empty the lists of the body once its rows are made, so that a large
                one does not stand beside them.

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
            key = IdempotencyKey.of(
                idempotency_key, digest(body), repetition=repetition
            )
        creation = Creation(
            body=without_rows(body),
            # Outside of the transaction: other writers do not wait for the checks.
            prepared=prepare(body, report=report),
            principal=principal,
            policy=policy,
            key=key,
            files=files,
            metadata=(
                sidecar_metadata(known(body.rigbridge))
                if metadata is None
                else metadata
            ),
            unit_metadata=unit_metadata or {},
            slot=slot,
        )
        if consume:
            lists: list[list[Any] | UnsetType | None]
            lists = [body.phases, body.logs, body.steps]
            for items in lists:
                if items:
                    items.clear()
        created = self.create_prepared([creation])[0]
        if isinstance(created, PermanentError):
            raise created
        return created

    def create_prepared(
        self, creations: Sequence[Creation]
    ) -> list[CreationResult | PermanentError]:
        """Create runs whose rows are made, see :meth:`IntakeTransactions.create`."""
        return self._intake.create(creations)

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
            allowed = visible_procedures(connection, principal)
            found, hidden = listing.of_unit(connection, serial_number, allowed)
        # An empty list would tell a station that the unit has no runs.
        if principal is not None and hidden and not found:
            raise forbidden(
                f"Station {principal.name} is not linked to any procedure of this "
                "unit's runs. Link one to the station first: "
                f"{shlex.join(('rigbridge', 'stations', 'link', principal.name))} "
                "PROCEDURE"
            )
        return found

    def recent_runs(
        self,
        limit: int,
        selection: RunSelection | None = None,
        *,
        principal: Principal | None = None,
    ) -> list[ListedRun]:
        """List the runs that were stored last, the last one first, of those meant."""
        wanted = selection_conditions(selection or RunSelection())
        with self._database.reading() as connection:
            wanted += of_visible(connection, principal)
            return listing.recent(connection, limit, wanted)

    def show_run(
        self,
        run_id: str,
        *,
        principal: Principal | None = None,
    ) -> ListedRun:
        """
        Give one run as the list shows it, with what its sidecar holds.

        Raises:
            NotFoundError: there is none of that id, or none that may be seen.
        """
        with self._database.reading() as connection:
            # First: a run that may not be seen is missing, like one that is not there.
            key = require_run(connection, run_id, principal)
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
            RunProblemsError: a foreign client's payload that makes no run; what is
                wrong beside the v1 fields only is left out, and logged.
        """
        with self._database.reading() as connection:
            found = read_run(connection, self.contents, run_id)
        if found.problem is not None:
            _LOGGER.warning(
                "run %s is given without what was sent beside the v1 fields: %s",
                found.run.id,
                found.problem,
            )
        return found.run

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
            NotFoundError: there is no such run or upload, or none that may be seen.
            ConflictError: an upload belongs to another run.
            BadRequestError: an upload was never completed.
        """

        def link(connection: sa.Connection) -> None:
            # In the same transaction: a run that is deleted meanwhile gets no files.
            key = require_run(connection, run_id, principal)
            link_uploads(connection, key, upload_ids, field=field, principal=principal)

        self._database.write(link)
        return run_id.lower()

    def attach_file(
        self,
        run_id: str,
        *,
        name: str,
        mime_type: str | None,
        content: StoredContent,
        is_report: bool = False,
    ) -> None:
        """
        Give a stored content to a run; the same name and content is there once.

        Args:
            is_report: whether it is what the run was read from: one of that name that
                it has already stays, and no other is added.

        Raises:
            NotFoundError: there is no such run.
        """

        def attach(connection: sa.Connection) -> None:
            key = require_run(connection, run_id)
            if is_report and has_file(connection, key, name):
                return
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
            NotFoundError: there is none that may be seen, or the run only refers to
                it.
        """
        with self._database.reading() as connection:
            file = find_file(connection, attachment_id, principal)
        # The run names it, and the bytes stayed where the report was made.
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
        require_allowed(principal, Action(Verb.DELETE, Thing.RUN))
        with self._database.writing() as connection:
            key = require_run(connection, run_id)
            # Read before the rows go. The bytes go after the commit: a crash in between
            # leaves unused contents, never a run without its bytes.
            digests = [file.sha256 for file in files_of(connection, key) if file.stored]
            connection.execute(runs.delete().where(runs.c.key == key))
        return sweep_digests(self._database, self.contents, filter(None, digests))

    def read_runs(
        self,
        selection: RunSelection,
        *,
        principal: Principal | None = None,
        after: int = 0,
    ) -> Iterator[FoundRun]:
        """Go through whole runs, as :func:`selected_runs` does through their ids."""
        found = selected_runs(self._database, selection, principal, after)
        return whole_runs(self._database, self.contents, found)

    def read_rows(
        self,
        selection: RunSelection,
        *,
        principal: Principal | None = None,
        after: int = 0,
    ) -> Iterator[FoundRows]:
        """Go through the measurements of runs, as :meth:`read_runs` through these."""
        found = selected_runs(self._database, selection, principal, after)
        return rows_of_runs(self._database.reading, self.contents, found)

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
            NotFoundError: there is no such unit or sub-unit, or none that may be
                seen.
            BadRequestError: a unit would come to contain itself.
        """
        with self.writing(principal) as (connection, session):
            unit = find_unit(connection, serial_number, session.sight)
            if unit is None:
                raise not_found(
                    f"Unit with serial number {serial_number} does not exist."
                )
            # None says nothing of what is in the unit; an empty list says that nothing
            # is.
            if sub_units is not None:
                set_sub_units(connection, session, serial_number, unit, sub_units)
        return unit.id

    def delete_units(
        self, serial_numbers: Iterable[str], *, principal: Principal | None = None
    ) -> list[str]:
        """
        Delete units that have no runs, with their files; all of them or none.

        Returns:
            Their ids.

        Raises:
            NotFoundError: there is none of that serial number.
            ConflictError: a unit has runs.
            ForbiddenError: a station; only users delete.
        """
        require_allowed(principal, Action(Verb.DELETE, Thing.UNIT))
        digests: list[str] = []
        deleted: list[str] = []
        with self.writing(principal) as (connection, _):
            # The same serial number twice is one unit.
            for number in {folded(text): text for text in serial_numbers}.values():
                unit = find_unit(connection, number)
                if unit is None:
                    raise not_found(f"Unit with serial number {number} does not exist.")
                digests += delete_unit(connection, unit.key, number)
                deleted.append(unit.id)
        # After the commit: contents must never go before the rows that name them.
        self.forget_contents(digests)
        return deleted
