"""The files of runs: rows that connect a file name with its content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from rigbridge_store.access.permissions import sees_procedure
from rigbridge_store.access.principals import Principal
from rigbridge_store.refusals import not_found
from rigbridge_store.results import StoredContent, StoredFile
from rigbridge_store.tables.rows import RowWriter, insert_row
from rigbridge_store.tables.schema import attachments, runs, uploads
from rigbridge_store.tables.seals import file_seal
from rigbridge_store.tables.values import ColumnValue, Row, new_id

__all__ = [
    "add_file",
    "file_rows",
    "files_of",
    "find_content",
    "find_file",
    "has_file",
    "require_run",
    "unused_digests",
    "write_files",
]

_COLUMNS = ("id", "run_key", "name", "mime_type", "size", "sha256", "stored", "seal")
_FILES = RowWriter(attachments, _COLUMNS)


def file_rows(run: int, files: Sequence[StoredFile]) -> Iterator[Row]:
    """Make the rows of the files of a new run, in order."""
    for file in files:
        public = new_id()
        said = (file.name, file.mime_type, file.size, file.sha256)
        seal = file_seal(public, *said, stored=file.stored)
        yield (public, run, *said, file.stored, seal)


def write_files(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Write files of new runs, as :func:`file_rows` made them."""
    _FILES.write(connection, rows)


def require_run(
    connection: sa.Connection, run_id: str, principal: Principal | None = None
) -> int:
    """
    Find a run; gives its key.

    Raises:
        NotFoundError: there is none of that id, or none that may be seen.
    """
    row = connection.execute(
        sa.select(runs.c.key, runs.c.procedure_key).where(runs.c.id == run_id.lower())
    ).first()
    # The same answer for a run that is not seen and for one that is not there.
    if row is None or not sees_procedure(connection, principal, row.procedure_key):
        raise not_found(f"Run with ID {run_id} does not exist.")
    return int(row.key)


def has_file(connection: sa.Connection, run: int, name: str) -> bool:
    """Tell whether a run has the bytes of a file of that name."""
    query = sa.select(attachments.c.key).where(
        attachments.c.run_key == run,
        attachments.c.name == name,
        attachments.c.stored.is_(True),
    )
    return connection.execute(query).first() is not None


def add_file(
    connection: sa.Connection,
    run: int,
    *,
    name: str,
    mime_type: str | None,
    content: StoredContent,
) -> int:
    """
    Give a file to a run; one of the same name and content is there once.

    A file that the run so far only refers to gets its bytes.

    Returns:
        The key of the attachment.
    """
    same = (
        attachments.c.run_key == run,
        attachments.c.name == name,
        sa.or_(
            attachments.c.sha256 == content.sha256,
            # A reference without a digest: any content of that name supplies it.
            sa.and_(attachments.c.sha256.is_(None), attachments.c.stored.is_(False)),
        ),
    )
    # A file with the content comes before a bare reference.
    found = connection.execute(
        sa.select(
            attachments.c.key,
            attachments.c.id,
            attachments.c.mime_type,
            attachments.c.stored,
        )
        .where(*same)
        # False sorts before true: rows with a digest come first.
        .order_by(attachments.c.sha256.is_(None), attachments.c.key)
    ).first()
    public = new_id() if found is None else found.id
    media_type = mime_type if found is None else found.mime_type
    values: dict[str, ColumnValue] = {
        "size": content.size,
        "sha256": content.sha256,
        "stored": True,
        "seal": file_seal(
            public, name, media_type, content.size, content.sha256, stored=True
        ),
    }
    if found is None:
        return insert_row(
            connection,
            attachments,
            {
                "id": public,
                "run_key": run,
                "name": name,
                "mime_type": mime_type,
                **values,
            },
        )
    key, stored = found.key, found.stored
    # A file that has its bytes is not touched, whoever sends it again.
    if not stored:
        connection.execute(attachments.update().where(attachments.c.key == key), values)
    return int(key)


def files_of(connection: sa.Connection, run: int) -> tuple[StoredFile, ...]:
    """List the files of a run, in order."""
    statement = (
        sa.select(
            attachments.c.name,
            attachments.c.mime_type,
            attachments.c.size,
            attachments.c.sha256,
            attachments.c.stored,
        )
        .where(attachments.c.run_key == run)
        .order_by(attachments.c.key)
    )
    return tuple(
        StoredFile(
            name=name, mime_type=mime_type, size=size, sha256=sha256, stored=stored
        )
        for name, mime_type, size, sha256, stored in connection.execute(statement)
    )


def find_file(
    connection: sa.Connection, attachment_id: str, principal: Principal | None = None
) -> StoredFile:
    """
    Find an attachment of a run.

    Raises:
        NotFoundError: there is none of that id, or none that may be seen.
    """
    row = connection.execute(
        sa.select(
            attachments.c.name,
            attachments.c.mime_type,
            attachments.c.size,
            attachments.c.sha256,
            attachments.c.stored,
            runs.c.procedure_key,
        ).where(
            attachments.c.id == attachment_id.lower(),
            attachments.c.run_key == runs.c.key,
        )
    ).first()
    if row is None or not sees_procedure(connection, principal, row.procedure_key):
        raise not_found(f"Attachment with ID {attachment_id} does not exist.")
    name, mime_type, size, sha256, stored, _ = row
    return StoredFile(
        name=name, mime_type=mime_type, size=size, sha256=sha256, stored=stored
    )


def find_content(connection: sa.Connection, public: str) -> StoredFile:
    """
    Find a file by the id of an attachment, of a run or a unit, or of an upload.

    Raises:
        NotFoundError: there is none of that id, or its bytes have not come.
    """
    # An upload can be looked at before it is linked to anything.
    for table in (attachments, uploads):
        row = connection.execute(
            sa.select(
                table.c.name, table.c.mime_type, table.c.size, table.c.sha256
            ).where(table.c.id == public.lower(), table.c.sha256.is_not(None))
        ).first()
        if row is not None:
            name, mime_type, size, sha256 = row
            return StoredFile(
                name=name, mime_type=mime_type, size=size, sha256=sha256, stored=True
            )
    raise not_found(f"File with ID {public} does not exist.")


def unused_digests(
    connection: sa.Connection, candidates: Sequence[str]
) -> frozenset[str]:
    """Tell which contents no attachment and no upload refers to."""
    used: set[str] = set()
    # In parts: a database limits the parameters of one statement.
    for start in range(0, len(candidates), 500):
        some = candidates[start : start + 500]
        # Both tables: bytes of an upload that is not linked yet are wanted as well.
        for column in (attachments.c.sha256, uploads.c.sha256):
            statement = sa.select(column).where(column.in_(some))
            used.update(connection.execute(statement).scalars())
    return frozenset(candidates) - used
