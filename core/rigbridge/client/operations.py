"""
Operations that take several calls: listing page by page, uploading, linking.

Each is a flow (see :mod:`rigbridge.client.steps`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import IO

import attrs
import msgspec

from rigbridge.client.listing import ListPage, ReceivedRun, list_page
from rigbridge.client.memory.ledger import DeliveryLedger
from rigbridge.client.steps import Flow, Measure
from rigbridge.client.transport import calls
from rigbridge.client.transport.calls import Answer
from rigbridge.destinations import Linking
from rigbridge.errors import (
    ConfigurationError,
    DeliveryError,
    NoAnswerError,
    PermanentError,
    UnexpectedAnswerError,
)
from rigbridge.model import Attachment, JSONObject
from rigbridge.wire import UploadGrant

__all__ = [
    "CapabilityMemory",
    "LinkMemory",
    "ask_capabilities",
    "attach",
    "link",
    "list_runs",
    "upload",
]

# What servers answer to linking an upload that they no longer have.
_LOST = frozenset({400, 404, 409})
# Storages have no common status for an expired address: S3 answers 403, or 400 for an
# expired token.
_EXPIRED = frozenset({400, 401, 403, 404, 410})
# What servers answer to a path that they do not know. Anything else may be a passing
# fault, and is asked again.
_MISSING = frozenset({400, 403, 404, 405, 410, 501})
# "Cannot PUT /api/v1/runs/..." names a path, not a run.
_ABOUT_OBJECTS = re.compile(
    r"(?<![/\w])(?:run|upload|attachment)s?(?![/\w])", re.IGNORECASE
)


def list_runs(serial_number: str) -> Flow[list[ReceivedRun]]:
    """
    List all the runs of a unit, however the server pages.

    A run that is seen twice, because others came in between two pages, is given once.

    Raises:
        UnexpectedAnswerError: the server announces more than it gives.
    """
    # By id and in order: a run that moved to the next page in between is replaced and
    # not doubled.
    runs: dict[str, ReceivedRun] = {}
    offset = 0
    while True:
        call = list_page(serial_number, offset)
        page: ListPage = yield call
        runs.update((run.id, run) for run in page.runs)
        offset += len(page.runs)
        if page.ends_at(offset):
            return list(runs.values())
        # An empty page that still promises more would be asked for without end.
        if not page.runs:
            if page.total is None:
                return list(runs.values())
            raise UnexpectedAnswerError(
                f"announces {page.total} runs of {serial_number!r} "
                f"and gives no more than {offset}",
                place=call.place,
            )


def upload(
    name: str,
    media_type: str | None,
    size: int | None,
    opener: Callable[[], IO[bytes]],
    sha256: str | None = None,
) -> Flow[str]:
    """
    Send a file, and give the id of the upload.

    The address to send to is short-lived: once it has expired, another is asked for,
    once. A size of None is found out by reading the file.

    Raises:
        DeliveryError: the store did not take it, the file cannot be read, or its bytes
            do not have the digest that is given.
    """
    if size is None:
        measured: int = yield Measure(name, opener)
        size = measured
    grant: UploadGrant = yield calls.initialize_upload(name, media_type, size)
    put = calls.Put(
        url=grant.uploadUrl,
        name=name,
        media_type=media_type,
        size=size,
        opener=opener,
        sha256=sha256,
    )
    try:
        yield put
    except DeliveryError as error:
        if error.status not in _EXPIRED:
            raise
        # Once only: a second refusal is the storage's real answer.
        grant = yield calls.initialize_upload(name, media_type, size)
        yield attrs.evolve(put, url=grant.uploadUrl)
    return grant.id


def attach(
    run_id: str, attachment: Attachment, links: LinkMemory, ledger: DeliveryLedger
) -> Flow[None]:
    """
    Send a file and link it to a run; the same file twice is linked once.

    v1 cannot be asked which files a run has, so this holds as far as the ledger goes.

    Raises:
        ConfigurationError: the attachment has no bytes.
        DeliveryError: the store did not take it.
    """
    if attachment.opener is None:
        raise ConfigurationError("the attachment has no bytes", source=attachment.name)
    sha256 = attachment.sha256
    known = sha256 and ledger.upload(run_id, attachment.name, sha256)
    if known:
        try:
            # Linking twice is no error, and tells whether the store still has it.
            yield from link(run_id, [known], links)
        except PermanentError as error:
            if error.status not in _LOST:
                raise
        else:
            return
    upload_id = yield from upload(
        attachment.name,
        attachment.media_type,
        attachment.size,
        attachment.opener,
        sha256,
    )
    if sha256:
        # Before it is linked: an answer that gets lost must not lead to a second one.
        ledger.note_upload(run_id, attachment.name, sha256, upload_id)
    yield from link(run_id, [upload_id], links)


@attrs.define
class LinkMemory:
    """
    Which of the two calls that link uploads a server has.

    Attributes:
        linking: what is known; AUTO while nothing is.
    """

    linking: Linking


def link(run_id: str, upload_ids: Sequence[str], memory: LinkMemory) -> Flow[None]:
    """
    Link completed uploads to a run by the call that the server has.

    Raises:
        DeliveryError: the server refused, or has neither call.
    """
    if not upload_ids:
        return
    if memory.linking is not Linking.SYNC:
        try:
            yield calls.link_by_update(run_id, list(upload_ids))
        except DeliveryError as error:
            if memory.linking is Linking.UPDATE or not _is_missing(error):
                raise
            yield from _link_instead(run_id, upload_ids, error)
            # Remembered after the first success only, since a path of a proxy may be
            # missing for a moment.
            memory.linking = Linking.SYNC
        else:
            memory.linking = Linking.UPDATE
        return
    for upload_id in upload_ids:
        yield calls.link_by_sync(run_id, upload_id)


def _link_instead(
    run_id: str, upload_ids: Sequence[str], first: DeliveryError
) -> Flow[None]:
    for upload_id in upload_ids:
        try:
            yield calls.link_by_sync(run_id, upload_id)
        except DeliveryError as error:
            if not _is_missing(error):
                raise
            raise UnexpectedAnswerError(
                "the server links uploads neither by PUT /v1/runs/{id} nor by "
                f"POST /v1/uploads/sync ({first.message}; {error.message})",
                source=error.source,
                place=error.place,
                status=error.status,
            ) from error


def _is_missing(error: DeliveryError) -> bool:
    """Whether the call is missing, rather than what it is about."""
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return True
    # A page of a proxy or a framework may hold any word.
    is_page = error.code is None and "<" in error.message
    return error.status == HTTPStatus.NOT_FOUND and (
        is_page or not _ABOUT_OBJECTS.search(error.message)
    )


@attrs.define
class CapabilityMemory:
    """
    What a server can do beyond v1, once it was asked.

    Attributes:
        asked: whether the answer is final.
        known: what it says it can do, or None.
        doubt: why it did not come to say, where it may another time; or None.
    """

    asked: bool = False
    known: JSONObject | None = None
    doubt: DeliveryError | None = None

    def offers(self, name: str, value: object = True) -> bool:
        """Whether the store said that it can do something."""
        return self.known is not None and self.known.get(name) == value

    def take(self, status: int, content: bytes) -> None:
        """Take the answer; one that says "later", or that is a page, is not final."""
        if status == HTTPStatus.OK:
            try:
                document = msgspec.json.decode(content)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return  # a login page answers everything with 200
            self.known = document if isinstance(document, dict) else None
            self.asked = True
        else:
            self.asked = status in _MISSING


def ask_capabilities(memory: CapabilityMemory) -> Flow[JSONObject | None]:
    """
    Say what the store can do beyond v1; it is asked once.

    Raises:
        NoAnswerError: the store cannot be reached.
    """
    if not memory.asked:
        try:
            answer: Answer = yield calls.show_capabilities()
        except NoAnswerError:
            # No answer says nothing about the server, so it is neither remembered nor
            # taken for "no".
            raise
        except DeliveryError as error:
            if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise  # a rate limit counts for the call that would follow as well
            # The stock contract answers 404 here: that settles it, and is no error.
            memory.take(error.status or 0, b"")
            memory.doubt = error
        else:
            memory.doubt = None
            memory.take(answer.status, answer.content)
    return memory.known
