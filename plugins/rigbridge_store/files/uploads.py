"""
Uploads: a grant to send bytes, the bytes, and their link to a run.

The grant is a secret of its own, good for one upload within about a minute; the API
key never travels with the bytes. An upload that fails half way leaves nothing, and
its grant stays good until it expires.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import attrs
import sqlalchemy as sa

from rigbridge.wire import InitializeUpload
from rigbridge_store.access.permissions import sees_procedure
from rigbridge_store.access.principals import Principal
from rigbridge_store.fields import (
    MAX_FILE_NAME,
    FieldChecks,
    known,
    text_or_none,
)
from rigbridge_store.files.contents import ContentStore, ContentWriter
from rigbridge_store.files.stored_files import add_file
from rigbridge_store.refusals import (
    FieldIssue,
    bad_request,
    conflict,
    forbidden,
    invalid,
    not_found,
    too_large,
)
from rigbridge_store.results import StoredContent, UploadTicket
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import attachments, runs, uploads
from rigbridge_store.tables.seals import file_seal
from rigbridge_store.tables.values import new_id, to_micros

__all__ = [
    "GRANT",
    "CompletedUpload",
    "Target",
    "UploadReception",
    "Uploads",
    "link_uploads",
    "link_uploads_to_unit",
    "require_received",
]

_AT_ONCE = 500

GRANT = timedelta(seconds=60)
"""How long a grant is good for."""


@attrs.frozen(kw_only=True)
class Target:
    """
    What a file is for, where that is said before its bytes come.

    Attributes:
        run: the key of a run, or None.
        unit: the key of a unit, or None.
    """

    run: int | None = None
    unit: int | None = None


@attrs.frozen(kw_only=True)
class CompletedUpload:
    """
    An upload whose bytes have come.

    Attributes:
        name: the file's name.
        mime_type: its media type, or None.
        content: its content.
    """

    name: str
    mime_type: str | None
    content: StoredContent


class UploadReception:
    """
    The bytes of one upload, while they come in.

    A context manager: what is not finished when it ends is forgotten.

    Args:
        database: where the upload is known.
        writer: takes the bytes.
        upload: the key of the upload's row.
        declared_size: how many bytes there must be, or None.
        limit: how many bytes there may be at most.
    """

    def __init__(
        self,
        *,
        database: StoreDatabase,
        writer: ContentWriter,
        upload: int,
        declared_size: int | None,
        limit: int,
    ) -> None:
        self._database = database
        self._writer = writer
        self._upload = upload
        self._declared = declared_size
        self._limit = limit

    def write(self, chunk: bytes) -> None:
        """
        Add a chunk.

        Raises:
            BadRequestError: it goes over the size that was declared.
            TooLargeError: it goes over the store's limit.
        """
        # Checked chunk by chunk, so that nothing over a limit reaches the disk.
        size = self._writer.size + len(chunk)
        if self._declared is not None and size > self._declared:
            raise bad_request(
                f"The upload is longer than the {self._declared} bytes declared."
            )
        if size > self._limit:
            raise too_large(f"The upload is over the limit of {self._limit} bytes.")
        self._writer.write(chunk)

    def finish(self, mime_type: str | None = None) -> StoredContent:
        """
        Keep the bytes.

        Args:
            mime_type: the media type that came with them, used where none was
                declared.

        Raises:
            BadRequestError: fewer bytes than declared have come.
            ConflictError: the grant has been used meanwhile.
        """
        if self._declared is not None and self._writer.size != self._declared:
            raise bad_request(
                f"The upload has {self._writer.size} bytes, not the "
                f"{self._declared} declared."
            )
        # The bytes are durable before the row names them.
        content = self._writer.finish()
        values: dict[str, object] = {"size": content.size, "sha256": content.sha256}
        if mime_type:
            # What was declared wins over what came with the bytes.
            values["mime_type"] = sa.func.coalesce(uploads.c.mime_type, mime_type)

        def complete(connection: sa.Connection) -> None:
            # Of two senders with the same grant only the first finds the row open.
            changed = connection.execute(
                uploads.update()
                .where(uploads.c.key == self._upload, uploads.c.sha256.is_(None))
                .values(values)
            ).rowcount
            if not changed:
                raise _used()
            _attach(connection, self._upload)

        self._database.write(complete)
        return content

    def discard(self) -> None:
        """Forget the bytes, unless they are kept; may be called twice."""
        self._writer.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()


class Uploads:
    """
    Grants uploads and takes their bytes.

    Args:
        database: where they are known.
        contents: where the bytes go.
        limit: how many bytes one may have.
        grant: how long a grant is good for.
    """

    def __init__(
        self,
        database: StoreDatabase,
        contents: ContentStore,
        *,
        limit: int,
        grant: timedelta = GRANT,
    ) -> None:
        self._database = database
        self._contents = contents
        self._limit = limit
        self._grant = grant

    def initialize(
        self,
        body: InitializeUpload,
        *,
        target: Callable[[sa.Connection], Target] = lambda _: Target(),
        principal: Principal | None = None,
    ) -> UploadTicket:
        """
        Grant an upload.

        Args:
            body: what is known of the file.
            principal: who asks for it.
            target: finds what the file is for, within the transaction.

        Raises:
            BadRequestError: a blank or overlong name, or a negative size.
            TooLargeError: the size declared is over the limit.
        """
        checks = FieldChecks()
        checks.filled(body.name, "name")
        checks.bounded(body.name, "name", limit=MAX_FILE_NAME)
        if checks.issues:
            raise invalid(checks.issues)
        size = known(body.sizeBytes)
        if size is not None and size < 0:
            raise invalid([FieldIssue("sizeBytes", "must not be negative")])
        if size is not None and size > self._limit:
            raise too_large(f"The upload is over the limit of {self._limit} bytes.")
        expires = datetime.now(UTC) + self._grant
        ticket = UploadTicket(
            id=new_id(), token=secrets.token_urlsafe(32), expires_at=expires
        )

        def grant(connection: sa.Connection) -> None:
            found = target(connection)
            insert_row(
                connection,
                uploads,
                {
                    "id": ticket.id,
                    "run_key": found.run,
                    "unit_key": found.unit,
                    # Who reads the tables cannot use a grant.
                    "token_hash": _hashed(ticket.token),
                    "expires_at": to_micros(expires),
                    "name": body.name,
                    "mime_type": text_or_none(body.mimeType),
                    "declared_size": size,
                    "creator_station_key": (
                        principal.key
                        if principal is not None and principal.is_station
                        else None
                    ),
                },
            )

        self._database.write(grant)
        return ticket

    def receive(
        self, upload_id: str, token: str, *, announced: int | None = None
    ) -> UploadReception:
        """
        Begin to take the bytes of an upload.

        Args:
            upload_id: the upload.
            token: the secret of its grant.
            announced: how many bytes the sender says will come, or None.

        Raises:
            NotFoundError: there is no such upload, or the secret is wrong.
            ForbiddenError: the grant has expired.
            ConflictError: it has been used.
            BadRequestError: another size was declared.
            TooLargeError: the size announced is over the limit.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(
                    uploads.c.key,
                    uploads.c.token_hash,
                    uploads.c.expires_at,
                    uploads.c.declared_size,
                    uploads.c.sha256,
                ).where(uploads.c.id == upload_id.lower())
            ).first()
        # One answer for both: it does not tell whether the id exists.
        if row is None or not hmac.compare_digest(row.token_hash, _hashed(token)):
            raise not_found(f"Upload with ID {upload_id} does not exist.")
        if row.sha256 is not None:
            raise _used()
        if row.expires_at < to_micros(datetime.now(UTC)):
            raise forbidden("The upload URL has expired. Initialize a new upload.")
        declared: int | None = row.declared_size
        if announced is not None and declared not in (None, announced):
            raise bad_request(
                f"The upload has {announced} bytes, not the {declared} declared."
            )
        if announced is not None and announced > self._limit:
            raise too_large(f"The upload is over the limit of {self._limit} bytes.")
        return UploadReception(
            database=self._database,
            writer=self._contents.writer(),
            upload=row.key,
            declared_size=declared,
            limit=self._limit,
        )

    def store(
        self,
        upload_id: str,
        token: str,
        chunks: Iterable[bytes],
        *,
        mime_type: str | None = None,
    ) -> StoredContent:
        """
        Take all bytes of an upload; see :meth:`receive`.

        Raises:
            BadRequestError: more or fewer bytes than declared.
            TooLargeError: over the store's limit.
        """
        with self.receive(upload_id, token) as reception:
            for chunk in chunks:
                reception.write(chunk)
            return reception.finish(mime_type)

    def total_size(self, upload_ids: Sequence[str]) -> int:
        """Tell how many bytes uploads have together, as far as they have come."""
        wanted = [public.lower() for public in upload_ids[:_AT_ONCE]]
        with self._database.reading() as connection:
            size = sa.func.coalesce(sa.func.sum(uploads.c.size), 0)
            statement = sa.select(size).where(uploads.c.id.in_(wanted))
            return int(connection.execute(statement).scalar_one())

    def completed(
        self, upload_id: str, principal: Principal | None = None
    ) -> CompletedUpload:
        """
        Give an upload whose bytes have come.

        Raises:
            NotFoundError: there is none of that id, or none that may be seen.
            BadRequestError: its bytes have not come.
        """
        with self._database.reading() as connection:
            found = _find(connection, upload_id, "upload_id", principal)
            return _completed(found, upload_id)


def link_uploads(
    connection: sa.Connection,
    run: int,
    upload_ids: Sequence[str],
    *,
    field: str,
    principal: Principal | None = None,
) -> None:
    """
    Link uploads to a run; those that are linked to it already stay so.

    Args:
        connection: the transaction.
        run: the run.
        upload_ids: the uploads.
        field: the field that names them, for the issues.
        principal: who asks for it.

    Raises:
        NotFoundError: there is no such upload.
        ConflictError: it belongs to another run.
        BadRequestError: its bytes have not come.
    """
    for index, upload_id in enumerate(upload_ids):
        path = f"{field}[{index}]" if field == "attachments" else field
        found = _find(connection, upload_id, path, principal)
        # Linked before: a sender that got no answer sends the same again.
        if found.attachment_key is not None:
            if found.run_key != run:
                raise conflict(
                    f"Upload with ID {upload_id} belongs to another run.",
                    FieldIssue(path, "belongs to another run"),
                )
            continue
        upload = _completed(found, upload_id, path)
        attachment = add_file(
            connection,
            run,
            name=upload.name,
            mime_type=upload.mime_type,
            content=upload.content,
        )
        connection.execute(
            uploads.update().where(uploads.c.key == found.key),
            {"attachment_key": attachment},
        )


def link_uploads_to_unit(
    connection: sa.Connection,
    unit: int,
    upload_ids: Sequence[str],
    principal: Principal | None = None,
) -> None:
    """
    Make uploads files of a unit; those that are linked to it already stay so.

    Raises:
        NotFoundError: there is no such upload.
        ConflictError: it belongs to something else.
        BadRequestError: its bytes have not come.
    """
    for index, upload_id in enumerate(upload_ids):
        path = f"attachments[{index}]"
        found = _find(connection, upload_id, path, principal)
        _completed(found, upload_id, path)
        if found.attachment_key is None:
            connection.execute(
                uploads.update().where(uploads.c.key == found.key), {"unit_key": unit}
            )
            _attach(connection, found.key)
        elif found.unit_key != unit:
            raise conflict(
                f"Upload with ID {upload_id} belongs to something else.",
                FieldIssue(path, "belongs to something else"),
            )


def _attach(connection: sa.Connection, upload: int) -> None:
    """Make the attachment of an upload whose run or unit is known; it has its id."""
    row = connection.execute(sa.select(uploads).where(uploads.c.key == upload)).one()
    if row.run_key is None and row.unit_key is None:
        return
    attachment = insert_row(
        connection,
        attachments,
        {
            # The client knows this id already, and asks for the file by it.
            "id": row.id,
            "run_key": row.run_key,
            "unit_key": row.unit_key,
            "name": row.name,
            "mime_type": row.mime_type,
            "size": row.size,
            "sha256": row.sha256,
            "stored": True,
            "creator_station_key": row.creator_station_key,
            "seal": file_seal(
                row.id, row.name, row.mime_type, row.size, row.sha256, stored=True
            ),
        },
    )
    connection.execute(
        uploads.update().where(uploads.c.key == upload), {"attachment_key": attachment}
    )


@attrs.frozen
class _FoundUpload:
    """An upload, and what the attachment made of it belongs to."""

    key: int
    name: str
    mime_type: str | None
    size: int
    sha256: str | None
    attachment_key: int | None
    run_key: int | None
    unit_key: int | None
    creator_station_key: int | None
    procedure_key: int | None


def require_received(
    connection: sa.Connection, upload_id: str, principal: Principal | None
) -> None:
    """
    Check that the bytes of an upload have come.

    Raises:
        NotFoundError: there is no such upload, or none that may be seen.
        BadRequestError: it was never completed.
    """
    _completed(_find(connection, upload_id, "upload_id", principal), upload_id)


def _may_see(
    connection: sa.Connection, found: _FoundUpload, principal: Principal | None
) -> bool:
    """Whether an upload may be used: by its sender, or as a part of a seen run."""
    if principal is None or not principal.is_restricted:
        return True
    if found.procedure_key is not None:
        return sees_procedure(connection, principal, found.procedure_key)
    return found.creator_station_key == principal.key


def _find(
    connection: sa.Connection,
    upload_id: str,
    path: str,
    principal: Principal | None = None,
) -> _FoundUpload:
    row = connection.execute(
        sa.select(
            uploads.c.key,
            uploads.c.name,
            uploads.c.mime_type,
            uploads.c.size,
            uploads.c.sha256,
            uploads.c.attachment_key,
            attachments.c.run_key,
            attachments.c.unit_key,
            uploads.c.creator_station_key,
            runs.c.procedure_key,
        )
        .select_from(
            uploads.outerjoin(
                attachments, uploads.c.attachment_key == attachments.c.key
            ).outerjoin(runs, attachments.c.run_key == runs.c.key)
        )
        .where(uploads.c.id == upload_id.lower())
    ).first()
    found = None if row is None else _FoundUpload(*tuple(row))
    if found is None or not _may_see(connection, found, principal):
        raise not_found(
            f"Upload with ID {upload_id} does not exist.",
            FieldIssue(path, "does not exist"),
        )
    return found


def _completed(
    found: _FoundUpload, upload_id: str, path: str = "upload_id"
) -> CompletedUpload:
    if found.sha256 is None:
        raise bad_request(
            f"Upload with ID {upload_id} was never completed.",
            FieldIssue(path, "was never completed"),
        )
    return CompletedUpload(
        name=found.name,
        mime_type=found.mime_type,
        content=StoredContent(sha256=found.sha256, size=found.size),
    )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _used() -> Exception:
    return conflict("The upload URL has been used. Initialize a new upload.")
