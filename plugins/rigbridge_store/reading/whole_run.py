"""A stored run as the whole model again, with files that can be opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.convert import load
from rigbridge.model import Attachment, Run
from rigbridge.wire import CreateRun
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.files.stored_files import files_of
from rigbridge_store.reading.run_contents import read_logs, read_phases
from rigbridge_store.refusals import not_found
from rigbridge_store.results import StoredFile
from rigbridge_store.tables.schema import run_documents, runs

__all__ = ["read_sidecar", "restore"]


def restore(
    connection: sa.Connection,
    contents: ContentStore,
    run_id: str,
    *,
    plain: bool = False,
) -> Run:
    """
    Give back a whole run, equal to the one that was stored.

    Args:
        connection: the transaction.
        contents: where the bytes of its files are.
        run_id: the run.
        plain: leave out what came beside the v1 fields, where that cannot be read.

    Raises:
        NotFoundError: there is none of that id.
        RunProblemsError: what was stored makes no run, as a client that is not ours
            may have sent it.
    """
    row = connection.execute(
        sa.select(runs.c.key, runs.c.id, runs.c.head).where(runs.c.id == run_id.lower())
    ).first()
    if row is None:
        raise not_found(f"Run with ID {run_id} does not exist.")
    key, public, head = row
    sidecar = None if plain else read_sidecar(connection, key)
    body = attrs.evolve(
        msgspec.json.decode(head, type=CreateRun),
        phases=read_phases(connection, [key]).get(key, []),
        logs=read_logs(connection, [key]).get(key, []),
    )
    files = _in_order(files_of(connection, key), sidecar)
    return load(
        body,
        run_id=UUID(public),
        sidecar=sidecar,
        attachments=[_attachment(file, contents) for file in files],
    )


def read_sidecar(connection: sa.Connection, run: int) -> dict[str, Any] | None:
    """Give what came beside the v1 fields of a run, its report included, or None."""
    row = connection.execute(
        sa.select(run_documents.c.sidecar, run_documents.c.report).where(
            run_documents.c.run_key == run
        )
    ).first()
    if row is None or row.sidecar is None:
        return None
    sidecar: dict[str, Any] = msgspec.json.decode(row.sidecar)
    if row.report is not None:
        sidecar["report"] = msgspec.json.decode(row.report)
    return sidecar


def _attachment(file: StoredFile, contents: ContentStore) -> Attachment:
    opener = contents.opener(file.sha256) if file.stored and file.sha256 else None
    return Attachment(
        name=file.name,
        media_type=file.mime_type,
        size=file.size,
        sha256=file.sha256,
        opener=opener,
    )


def _in_order(
    files: Sequence[StoredFile], sidecar: Mapping[str, Any] | None
) -> Sequence[StoredFile]:
    """Put files that came one by one into the order that the run had them in."""
    described = None if sidecar is None else sidecar.get("attachments")
    if not isinstance(described, list):
        return files
    places: dict[tuple[Any, Any], list[int]] = defaultdict(list)
    for place, item in enumerate(described):
        if isinstance(item, Mapping):
            places[item.get("name"), item.get("sha256")].append(place)
    last = len(described)

    def place_of(file: StoredFile) -> int:
        # Files that are equal in all respects have a place each.
        free = places.get((file.name, file.sha256))
        return free.pop(0) if free else last

    return sorted(files, key=place_of)
