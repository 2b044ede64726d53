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
from typing import Self

import attrs
import sqlalchemy as sa

from rigbridge.wire import InitializeUpload
from rigbridge_store.access.principals import Principal
from rigbridge_store.fields import (
    MAX_FILE_NAME,
    FieldChecks,
    known,
    text_or_none,
)
from rigbridge_store.files.contents import ContentStore, ContentWriter
from rigbridge_store.files.linking import (
    CompletedUpload,
    attach_upload,
    completed_upload,
)
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
from rigbridge_store.tables.schema import uploads
from rigbridge_store.tables.values import new_id, to_micros

__all__ = [
    "GRANT",
    "Target",
    "UploadReception",
    "Uploads",
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


class UploadReception:
    """
    The bytes of one upload, while they come in.

    A context manager: what is not finished when it ends is forgotten.

    Args:
        writer: takes the bytes.
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
            attach_upload(connection, self._upload)

        self._database.write(complete)
        return content

    def discard(self) -> None:
        """Forget the bytes, unless they are kept; may be called twice."""
        self._writer.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()


class Uploads:
    """
    Grants uploads and takes their bytes.

    Args:
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
            # 256 bits: the grant is all that protects the address.
            id=new_id(),
            token=secrets.token_urlsafe(32),
            expires_at=expires,
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
        # In constant time, as with keys.
        if row is None or not hmac.compare_digest(row.token_hash, _hashed(token)):
            raise not_found(f"Upload with ID {upload_id} does not exist.")
        if row.sha256 is not None:
            raise _used()
        if row.expires_at < to_micros(datetime.now(UTC)):
            raise forbidden("The upload URL has expired. Initialize a new upload.")
        declared: int | None = row.declared_size
        # Said at once: a sender need not send gigabytes to hear that they are the wrong
        # number.
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
            return completed_upload(connection, upload_id, principal)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _used() -> Exception:
    return conflict("The upload URL has been used. Initialize a new upload.")
