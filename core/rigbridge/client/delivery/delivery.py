"""
A whole delivery as one flow: the run is created, its files are sent and linked.

Where the store is known to be far, the fate of the run is not in doubt and its files
are small, they go up while the run is created: over a far network every exchange that
waits for another is most of the time that a run takes. The files of a run that is
refused then lie unlinked in the store.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs

import rigbridge
from rigbridge.client.connection import AsyncConnection, BlockingConnection
from rigbridge.client.delivery.attachments import FileDelivery
from rigbridge.client.delivery.creation import RunCreation
from rigbridge.client.delivery.keeping import ProgressDesk
from rigbridge.client.steps import Flow, Together
from rigbridge.convert import (
    SIDECAR_NAME,
    SIDECAR_VERSION,
    dump,
    lost_without,
)
from rigbridge.convert.document import describe_attachment
from rigbridge.destinations import DestinationSettings, Progress, Receipt, Sidecar
from rigbridge.errors import ConfigurationError, DeliveryError
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport, Place
from rigbridge.wire import CreateRun, encode

__all__ = [
    "address_of",
    "checked_body",
    "checked_run",
    "deliver",
    "deliver_async",
    "file_to_attach",
    "stored_id_of",
]

_LAST_NAME = re.compile(r"\.(\w+)(?:\[\d+\])?$")
_SMALL = 2 << 20


def address_of(settings: DestinationSettings) -> str:
    """
    Take the address out of the settings.

    Raises:
        ConfigurationError: there is none.
    """
    if settings.url is None:
        raise ConfigurationError(
            "the destination 'http' has no address",
            remedy="name the store, for instance in RIGBRIDGE_TO",
        )
    return settings.url


def deliver(
    connection: BlockingConnection,
    run: Run,
    progress: Progress,
    report: ConversionReport | None,
    *,
    sidecar: Sidecar,
    keep: Callable[[Progress], object] | None = None,
) -> Receipt:
    """
    Make one attempt to bring a run to a store.

    Args:
        report: what the reading of the run recorded; is added to.
        sidecar: when the sidecar travels.
        keep: makes progress durable before the next step. None if nobody keeps it:
            then nothing is known of earlier attempts, and the store is asked first.

    Raises:
        DeliveryError: the run is not stored, or nobody can tell for now.
        RunProblemsError: no store would take it.
    """
    # Only a queue gives a keeper, and it knows everything that it sent.
    known = keep is not None
    delivery = _Delivery(
        connection, run, progress, report, sidecar=sidecar, known=known
    )
    desk = delivery.desk(keep)
    return connection.drive(delivery.steps(), desk.take, desk.confirm)


async def deliver_async(
    connection: AsyncConnection,
    run: Run,
    progress: Progress,
    report: ConversionReport | None,
    *,
    sidecar: Sidecar,
    keep: Callable[[Progress], object] | None = None,
) -> Receipt:
    """Make one attempt likewise; what ``keep`` gives is awaited where it can be."""
    known = keep is not None
    delivery = _Delivery(
        connection, run, progress, report, sidecar=sidecar, known=known
    )
    desk = delivery.desk(keep)
    return await connection.drive(delivery.steps(), desk.take_async, desk.confirm)


def checked_run(run: object) -> Run:
    """
    Make sure that an argument is a run.

    Raises:
        ConfigurationError: it is something else.
    """
    if not isinstance(run, Run):
        path = isinstance(run, (str, os.PathLike))
        raise ConfigurationError(
            f"submit takes a rigbridge.Run, not {type(run).__name__}",
            remedy="rigbridge.read(path) gives the runs of a file"
            if path
            else "create_run takes the body of a request",
        )
    return run


def checked_body(body: object) -> CreateRun:
    """
    Make sure that an argument is the body of a request.

    Raises:
        ConfigurationError: it is something else, a run perhaps.
    """
    if not isinstance(body, CreateRun):
        raise ConfigurationError(
            f"create_run takes a rigbridge.wire.CreateRun, not {type(body).__name__}",
            remedy="submit(run) takes a rigbridge.Run, converts it and creates it",
        )
    return body


def file_to_attach(
    file: str | os.PathLike[str] | Attachment, name: str | None, media_type: str | None
) -> Attachment:
    """
    Make an attachment of a path; one that is given is renamed where asked for.

    Raises:
        FileUnreadableError: the file cannot be read.
    """
    if not isinstance(file, Attachment):
        return Attachment.from_file(file, name=name, media_type=media_type)
    return attrs.evolve(
        file, name=name or file.name, media_type=media_type or file.media_type
    )


def stored_id_of(receipt: Receipt) -> str:
    """
    Give the id of a run of which everything arrived.

    Raises:
        DeliveryError: a file did not; says that the run is stored, and where.
    """
    if not receipt.failures:
        return receipt.stored_id
    names = ", ".join(failure.name for failure in receipt.failures)
    error = receipt.failures[0].error
    message = f"run {receipt.stored_id} is stored without {names}: {error.message}"
    error.args = (message, *error.args[1:])
    raise error


class _Delivery:
    """
    One attempt to bring one run to a store, as a flow.

    Args:
        report: what the reading of the run recorded; is added to.
        sidecar: when the sidecar travels.
        known: whether the progress tells all that was ever sent of this run.
    """

    def __init__(
        self,
        connection: BlockingConnection | AsyncConnection,
        run: Run,
        progress: Progress,
        report: ConversionReport | None,
        *,
        sidecar: Sidecar,
        known: bool,
    ) -> None:
        self._connection = connection
        self._run = run
        self._report = ConversionReport() if report is None else report
        self._sidecar = sidecar
        self._creation = RunCreation(
            connection.url,
            run,
            progress,
            patience=connection.timeout,
            known=known,
            memory=connection.list_memory,
            now=connection.requests.clock.now,
            capabilities=connection.capabilities,
        )

    def desk(self, keep: Callable[[Progress], object] | None) -> ProgressDesk:
        """Give who answers the steps that are about the progress."""
        creation = self._creation
        return ProgressDesk(
            self._run.id,
            self._connection.ledger,
            keep,
            current=lambda: creation.progress,
            accept=lambda progress: setattr(creation, "progress", progress),
        )

    def steps(self) -> Flow[Receipt]:
        """
        Give the steps; each :class:`~rigbridge.client.steps.Keep` sets ``progress``.

        Raises:
            DeliveryError: the run is not stored, or nobody can tell for now.
            RunProblemsError: no store would take it.
        """
        creation = self._creation
        # Before anything is sent, so that a run that cannot be converted costs no
        # request.
        body, document = self._payload()
        stored_id = yield from creation.look_up(body)
        sidecar = None
        if document is not None:
            # After the look-up, which knows how an earlier create went.
            if (yield from creation.takes_inline()):
                body = attrs.evolve(body, rigbridge=document)
            else:
                sidecar = _as_file(document)
        files = FileDelivery(
            creation, self._connection.link, _files(self._run, sidecar)
        )
        if stored_id is None and self._connection.limit.is_far and _is_light(files):
            outcome, _ = yield Together((self._create(body, files), files.send()))
            if isinstance(outcome, DeliveryError):
                # Raised here and not within Together, whose flows may not raise: the
                # files have ended by now.
                raise outcome
            stored_id = str(outcome)
        else:
            if stored_id is None:
                stored_id = yield from creation.send(body)
            yield from files.send()
        yield from files.link(stored_id)
        progress = creation.progress
        return Receipt(
            stored_id=stored_id,
            created=creation.created,
            attached=files.attached,
            failures=files.failures,
            url=progress.url,
            warnings=progress.warnings,
            differs=creation.differs,
        )

    def _create(
        self, body: CreateRun, files: FileDelivery
    ) -> Flow[str | DeliveryError]:
        try:
            return (yield from self._creation.send(body))
        except DeliveryError as error:
            files.give_up(error)
            return error

    def _payload(self) -> tuple[CreateRun, dict[str, Any] | None]:
        """Make the body without its sidecar, and the sidecar where one travels."""
        setting = self._sidecar
        run, report = self._run, self._report
        if setting is not Sidecar.NEVER:
            _note_references(run, report)
        payload = dump(run, report)
        body = attrs.evolve(
            payload.body, client="rigbridge", client_version=rigbridge.__version__
        )
        document = payload.sidecar  # made anew each time that it is asked for
        if setting is Sidecar.NEVER:
            _note_losses(run, document, report)
            return body, None
        if document is None and setting is Sidecar.ALWAYS:
            document = _empty_sidecar(run, report)
        return body, document


def _is_light(files: FileDelivery) -> bool:
    size = files.size
    return files.count > 0 and size is not None and size <= _SMALL


def _files(run: Run, sidecar: Attachment | None) -> Iterator[tuple[int, Attachment]]:
    for position, attachment in enumerate(run.attachments):
        if attachment.embedded:
            yield position, attachment
    if sidecar is not None:
        # Behind the last attachment: the positions of the run's own files must not
        # change between two attempts.
        yield len(run.attachments), sidecar


def _empty_sidecar(run: Run, report: ConversionReport) -> dict[str, Any]:
    return {
        "rigbridge": SIDECAR_VERSION,
        "run_id": str(run.id),
        "overlay": None,
        "attachments": [describe_attachment(item) for item in run.attachments],
        "report": report.as_document(),
    }


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


def _note_losses(
    run: Run, sidecar: dict[str, Any] | None, report: ConversionReport
) -> None:
    for path in () if sidecar is None else lost_without(sidecar):
        if path.startswith("$.attachments["):
            # A file without bytes is reported by its own name below.
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
