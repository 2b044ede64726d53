"""The destination ``http``: any run store of the v1 contract."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import httpx

import rigbridge
from rigbridge.client.attaching import Attaching
from rigbridge.client.client import Client
from rigbridge.client.submission import Submission
from rigbridge.convert import (
    SIDECAR_NAME,
    SIDECAR_VERSION,
    Payload,
    dump,
    lost_without,
)
from rigbridge.convert.document import describe_attachment
from rigbridge.destinations import DestinationSettings, Progress, Receipt, Sidecar
from rigbridge.errors import ConfigurationError
from rigbridge.model import Attachment, Run
from rigbridge.reporting import ConversionReport, Place
from rigbridge.wire import CreateRun, ListedRun, encode

__all__ = ["HTTPDestination"]

_LAST_NAME = re.compile(r"\.(\w+)(?:\[\d+\])?$")


class HTTPDestination:
    """
    Brings runs to a run store over HTTP, each once.

    It may be used by several threads. Retrying is left to the outbox; this class
    makes sure that a repeated delivery duplicates nothing.

    Args:
        settings: the address, the key, the timeout, and when the sidecar travels.
        transport: what carries the requests instead of the network.

    Raises:
        ConfigurationError: no address, or none of http or https.
    """

    def __init__(
        self,
        settings: DestinationSettings,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if settings.url is None:
            raise ConfigurationError(
                "the destination 'http' has no address",
                remedy="name the store, for instance in RIGBRIDGE_TO",
            )
        self._settings = settings
        self._client = Client(
            settings.url,
            settings.api_key,
            timeout=settings.timeout,
            linking=settings.linking,
            transport=transport,
        )
        # What this object attached: v1 cannot be asked for the files of a run.
        self._uploads: dict[tuple[str, str, str], str] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client.url!r})"

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """
        Store a run with its attachments; the same run twice is stored once.

        Nothing is known of earlier attempts, so a store that does not know
        idempotency keys is asked first whether it has the run. A run without a start
        time cannot be recognized, and is sent in any case.

        Args:
            run: the run; attachments without bytes are kept by reference.
            report: what its reading recorded; travels along, and is added to.

        Raises:
            DeliveryError: the run is not stored, or nobody can tell for now.
            RunProblemsError: no store would take it.
        """
        return self._deliver(run, Progress(), _forget, report, known=False)

    def resume(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], None],
        report: ConversionReport | None = None,
    ) -> Receipt:
        """
        Store a run from where an earlier attempt left off.

        Args:
            run: the run, the same at every attempt.
            progress: what the attempt before kept; a new one at first.
            keep: makes the progress durable before the next step.
            report: as for :meth:`submit`.

        Raises:
            DeliveryError: the run is not stored, or nobody can tell for now.
            RunProblemsError: no store would take it.
        """
        return self._deliver(run, progress, keep, report, known=True)

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        """
        Add a file to a stored run.

        The same file twice is linked once as far as this object remembers; v1 cannot
        be asked what is attached.

        Raises:
            DeliveryError: the store did not take it.
        """
        if attachment.opener is None:
            raise ConfigurationError(
                "the attachment has no bytes", source=attachment.name
            )
        key = (stored_id, attachment.name, attachment.sha256 or "")
        upload_id = self._uploads.get(key)
        if upload_id is None or attachment.sha256 is None:
            upload_id = self._client.upload(
                attachment.name,
                attachment.media_type,
                attachment.size,
                attachment.opener,
            )
        self._client.link(stored_id, [upload_id])
        self._uploads[key] = upload_id

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """
        List the runs of a unit, newest first.

        Raises:
            DeliveryError: the store gave no list.
        """
        return self._client.list_runs(serial_number)

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._client.close()

    def _deliver(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], None],
        report: ConversionReport | None,
        *,
        known: bool,
    ) -> Receipt:
        report = ConversionReport() if report is None else report
        body, sidecar = self._payload(run, report)
        submission = Submission(
            self._client,
            run,
            progress,
            keep,
            patience=self._settings.timeout,
            known=known,
        )
        stored_id = submission.create(body)
        attaching = Attaching(self._client, submission, stored_id)
        attaching.attach(_files(run, sidecar))
        progress = submission.progress
        return Receipt(
            stored_id=stored_id,
            created=submission.created,
            attached=attaching.attached,
            failures=attaching.failures,
            url=progress.url,
            warnings=progress.warnings,
        )

    def _payload(
        self, run: Run, report: ConversionReport
    ) -> tuple[CreateRun, Attachment | None]:
        """Make the body, and the sidecar where it travels as a file."""
        setting = self._settings.sidecar
        if setting is not Sidecar.NEVER:
            _note_references(run, report)
        payload = dump(run, report)
        body = attrs.evolve(
            payload.body, client="rigbridge", client_version=rigbridge.__version__
        )
        document = _sidecar_of(payload, run, report, setting)
        if setting is Sidecar.NEVER:
            _note_losses(run, payload, report)
            return body, None
        if document is None:
            return body, None
        if (self._client.capabilities() or {}).get("sidecar") == "inline":
            return attrs.evolve(body, rigbridge=document), None
        return body, _as_file(document)


def _forget(_: Progress) -> None:
    """Keep nothing: whoever submits without an outbox takes no delivery up again."""


def _files(run: Run, sidecar: Attachment | None) -> Iterator[tuple[int, Attachment]]:
    for position, attachment in enumerate(run.attachments):
        if attachment.embedded:
            yield position, attachment
    if sidecar is not None:
        yield len(run.attachments), sidecar


def _sidecar_of(
    payload: Payload, run: Run, report: ConversionReport, setting: Sidecar
) -> dict[str, Any] | None:
    if payload.sidecar is None and setting is Sidecar.ALWAYS:
        return {
            "rigbridge": SIDECAR_VERSION,
            "run_id": str(run.id),
            "overlay": None,
            "attachments": [describe_attachment(item) for item in run.attachments],
            "report": report.as_document(),
        }
    return payload.sidecar


def _as_file(document: dict[str, Any]) -> Attachment:
    content = encode(document)
    return Attachment(
        name=SIDECAR_NAME,
        media_type="application/json",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        opener=lambda: io.BytesIO(content),
    )


def _note_references(run: Run, report: ConversionReport) -> None:
    for path, attachment in _references(run):
        report.coerced(
            "attachment",
            "has no bytes, kept by reference in the sidecar",
            place=Place(path=path),
            detail=attachment.name,
        )


def _references(run: Run) -> Iterator[tuple[str, Attachment]]:
    for index, attachment in enumerate(run.attachments):
        if not attachment.embedded:
            yield f"$.attachments[{index}]", attachment


def _note_losses(run: Run, payload: Payload, report: ConversionReport) -> None:
    for path in () if payload.sidecar is None else lost_without(payload.sidecar):
        if path.startswith("$.attachments["):
            continue
        found = _LAST_NAME.search(path)
        report.dropped(
            "run" if found is None else found[1],
            "v1 has no field for it and the sidecar is off",
            place=Place(path=path),
        )
    for path, attachment in _references(run):
        report.dropped(
            "attachment",
            "has no bytes and the sidecar is off",
            place=Place(path=path),
            detail=attachment.name,
        )
