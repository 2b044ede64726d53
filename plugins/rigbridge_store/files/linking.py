"""Uploads become files of a run or a unit, once their bytes have come."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from rigbridge_store.access.permissions import sees_procedure
from rigbridge_store.access.principals import Principal
from rigbridge_store.files.stored_files import add_file
from rigbridge_store.refusals import FieldIssue, bad_request, conflict, not_found
from rigbridge_store.results import StoredContent
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import attachments, runs, uploads
from rigbridge_store.tables.seals import file_seal

__all__ = [
    "CompletedUpload",
    "attach_upload",
    "completed_upload",
    "delete_uploads",
    "link_uploads",
    "link_uploads_to_unit",
    "require_received",
]


@attrs.frozen(kw_only=True)
class CompletedUpload:
    """
    An upload whose bytes have come.

    Attributes:
        mime_type: its media type, or None.
    """

    name: str
    mime_type: str | None
    content: StoredContent


def completed_upload(
    connection: sa.Connection, upload_id: str, principal: Principal | None
) -> CompletedUpload:
    """
    Give an upload whose bytes have come.

    Raises:
        NotFoundError: there is none of that id, or none that may be seen.
        BadRequestError: its bytes have not come.
    """
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
        # Checked before the row is changed: a refusal must leave the upload as it was.
        _completed(found, upload_id, path)
        if found.attachment_key is None:
            connection.execute(
                uploads.update().where(uploads.c.key == found.key), {"unit_key": unit}
            )
            attach_upload(connection, found.key)
        elif found.unit_key != unit:
            raise conflict(
                f"Upload with ID {upload_id} belongs to something else.",
                FieldIssue(path, "belongs to something else"),
            )


def delete_uploads(
    connection: sa.Connection,
    upload_ids: Sequence[str],
    principal: Principal | None = None,
) -> list[str]:
    """
    Forget uploads that belong to nothing yet.

    Returns:
        The digests of their contents, which nothing else may refer to any more.

    Raises:
        NotFoundError: there is no such upload, or none that may be seen.
        ConflictError: it belongs to a run or a unit.
    """
    digests: list[str] = []
    for upload_id in upload_ids:
        found = _find(connection, upload_id, "ids", principal)
        if found.attachment_key is not None:
            raise conflict(
                f"Upload with ID {upload_id} is a file of a run or a unit by now. "
                "Delete that of a unit by DELETE /v2/units/SERIAL-NUMBER/attachments.",
                FieldIssue("ids", "belongs to a run or a unit"),
            )
        connection.execute(uploads.delete().where(uploads.c.key == found.key))
        if found.sha256 is not None:
            digests.append(found.sha256)
    return digests


def attach_upload(connection: sa.Connection, upload: int) -> None:
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
    completed_upload(connection, upload_id, principal)


def _may_see(
    connection: sa.Connection, found: _FoundUpload, principal: Principal | None
) -> bool:
    """Whether an upload may be used: by its sender, or as a part of a seen run."""
    if principal is None or not principal.is_restricted:
        return True
    # Once it is linked, the run decides and not the sender: another station of the
    # procedure may see it.
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
        # Ids are given out in lower case, and some clients write UUIDs in upper case.
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
