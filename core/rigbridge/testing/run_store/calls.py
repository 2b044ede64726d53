"""The calls of the run store for tests: what each does to what the store holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, cast

import attrs

from rigbridge.model import JSONObject
from rigbridge.testing.run_store.faults import Dialect, Operation
from rigbridge.testing.run_store.records import (
    ReceivedUpload,
    StoredRun,
    created,
    listing,
)

__all__ = ["Contents", "Refusal", "Reply"]

_WITHOUT_BODY = (Operation.LIST, Operation.CAPABILITIES, Operation.DELETE)


@attrs.frozen(kw_only=True)
class Reply:
    """An answer."""

    status: int = 200
    document: Any = None


class Refusal(Exception):  # noqa: N818 - an answer, not a mistake of the server
    """
    A call that the store refuses.

    Args:
        path: the field that they are about, or None.
    """

    def __init__(
        self, status: int, code: str, message: str, path: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.path = path


class Contents:
    """What the store holds, and the calls upon it."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.runs: list[StoredRun] = []
        self.uploads: dict[str, ReceivedUpload] = {}
        self.sub_units: dict[str, list[str]] = {}
        self._first_answers: dict[str, tuple[JSONObject, Reply]] = {}
        self._lock = threading.Lock()

    def perform(
        self,
        operation: Operation,
        *,
        origin: str,
        subject: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        """
        Do what a call asks for.

        Raises:
            Refusal: the store does not do it.
        """
        with self._lock:
            if operation is Operation.STORE:
                return self._store(subject, query.get("grant", ""), body)
            if operation in _WITHOUT_BODY:
                return self._without_body(operation, subject, query)
            document = _object(body)
            if operation is Operation.CREATE:
                return self._create(document, headers.get("idempotency-key"), origin)
            if operation is Operation.INITIALIZE:
                return self._initialize(document, origin)
            if operation is Operation.IMPORT:
                return self._import(document)
            return self._update(operation, subject, document)

    def _without_body(
        self, operation: Operation, subject: str, query: Mapping[str, str]
    ) -> Reply:
        if operation is Operation.LIST:
            found = listing(self.runs, self.uploads, self.dialect, query)
            return Reply(document=found)
        if operation is Operation.CAPABILITIES:
            return Reply(document=self.dialect.capabilities)
        self.runs.remove(self._run(subject))
        return Reply(document={"message": "Run deleted."})

    def _update(
        self, operation: Operation, subject: str, document: Mapping[str, Any]
    ) -> Reply:
        if operation is Operation.UPDATE_UNIT:
            return self._update_unit(subject, document)
        if operation is Operation.UPDATE:
            return self._link(subject, document.get("attachments") or [])
        return self._link(document["run_id"], [document["upload_id"]])

    def _run(self, run_id: str) -> StoredRun:
        for run in self.runs:
            if run.id == run_id:
                return run
        raise Refusal(404, "NOT_FOUND", f"Run with ID {run_id} does not exist.")

    def _upload(self, upload_id: str) -> ReceivedUpload:
        if upload_id not in self.uploads:
            raise Refusal(404, "NOT_FOUND", f"Upload {upload_id} does not exist.")
        return self.uploads[upload_id]

    def _create(self, document: dict[str, Any], key: str | None, origin: str) -> Reply:
        unit: dict[str, Any] = document.get("unit_under_test") or {}
        if not unit.get("serial_number"):
            raise Refusal(
                400,
                "BAD_REQUEST",
                "The body does not fit.",
                "unit_under_test.serial_number",
            )
        if not (document.get("procedure_id") or document.get("procedure_name")):
            raise Refusal(400, "BAD_REQUEST", "No procedure is named.")
        if self.dialect.idempotent and key in self._first_answers:
            first, reply = self._first_answers[key]
            if first != document:
                raise Refusal(409, "CONFLICT", "The key came with another body.")
            return reply
        run = StoredRun(body=document, idempotency_key=key)
        self.runs.append(run)
        status, answer = created(run, self.dialect, origin)
        reply = Reply(status=status, document=answer)
        if self.dialect.idempotent and key is not None:
            self._first_answers[key] = (document, reply)
        return reply

    def _initialize(self, document: dict[str, Any], origin: str) -> Reply:
        upload = ReceivedUpload(
            name=document["name"],
            media_type=document.get("mimeType"),
            size=document.get("sizeBytes"),
        )
        self.uploads[upload.id] = upload
        path = f"/storage/{upload.id}?grant={upload.grant}"
        url = path if self.dialect.relative_upload_urls else f"{origin}{path}"
        return Reply(document={"id": upload.id, self.dialect.upload_key: url})

    def _store(self, upload_id: str, grant: str, content: bytes) -> Reply:
        upload = self._upload(upload_id)
        if grant != upload.grant:
            raise Refusal(403, "FORBIDDEN", "The address does not grant that.")
        if upload.size is not None and upload.size != len(content):
            raise Refusal(400, "BAD_REQUEST", "The length is another.")
        limit = self.dialect.max_upload
        if limit is not None and len(content) > limit:
            raise Refusal(413, "PAYLOAD_TOO_LARGE", f"No more than {limit} bytes.")
        upload.content = content
        told = {"size": len(content)} if self.dialect.tells_stored_size else {}
        return Reply(document=told)

    def store_half(self, upload_id: str, content: bytes) -> Reply:
        """Keep half of what was sent, and call it done."""
        with self._lock:
            upload = self._upload(upload_id)
            upload.content = content[: len(content) // 2]
            told = {"size": len(upload.content)}
            return Reply(document=told if self.dialect.tells_stored_size else {})

    def _update_unit(self, serial_number: str, document: Mapping[str, Any]) -> Reply:
        known = {run.serial_number.casefold() for run in self.runs}
        numbers = [part["serial_number"] for part in document.get("sub_units") or ()]
        for number in (serial_number, *numbers):
            if number.casefold() not in known:
                raise Refusal(404, "NOT_FOUND", f"Unit {number} does not exist.")
        if serial_number in numbers:
            raise Refusal(400, "BAD_REQUEST", "A unit is no part of itself.")
        self.sub_units[serial_number] = numbers
        return Reply(document={"id": f"id of {serial_number}"})

    def _link(self, run_id: str, upload_ids: list[str]) -> Reply:
        run = self._run(run_id)
        for upload in map(self._upload, upload_ids):
            if upload.content is None:
                raise Refusal(400, "BAD_REQUEST", "The upload was never completed.")
            if upload.run_id not in (None, run_id):
                raise Refusal(409, "CONFLICT", "The upload is linked to another run.")
        for upload_id in upload_ids:
            self.uploads[upload_id].run_id = run_id
            if upload_id not in run.uploads:
                run.uploads.append(upload_id)
        return Reply(document={"id": run_id})

    def _import(self, document: dict[str, Any]) -> Reply:
        upload = self._upload(document["upload_id"])
        body = {"unit_under_test": {"serial_number": upload.name}, "run_passed": True}
        run = StoredRun(body={**body, "importer": document["importer"]})
        self.runs.append(run)
        return Reply(document={"id": run.id})


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Refusal(400, "BAD_REQUEST", "The body is no JSON object.")
    return cast("dict[str, Any]", document)
