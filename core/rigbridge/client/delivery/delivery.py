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
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

import rigbridge
from rigbridge.client import operations as flows
from rigbridge.client.async_client import AsyncClient
from rigbridge.client.client import Client
from rigbridge.client.delivery.attachments import Attaching
from rigbridge.client.delivery.creation import Submission
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

__all__ = ["DeliveryFlow", "Store", "address_of"]

_LAST_NAME = re.compile(r"\.(\w+)(?:\[\d+\])?$")
_SMALL = 2 << 20


@attrs.frozen(kw_only=True)
class Store:
    """
    What a delivery needs to know of the store that it goes to.

    Attributes:
        url: its address.
        settings: what the user said about it.
        linking: gives the flow that links uploads to a run.
        asking: gives the flow that asks what it can do.
        is_far: tells whether requests are known to wait long for their answers.
    """

    url: str
    settings: DestinationSettings
    linking: Callable[[str, Sequence[str]], flows.Flow[None]]
    asking: Callable[[], flows.Flow[Mapping[str, Any] | None]]
    is_far: Callable[[], bool]

    @classmethod
    def of(cls, client: Client | AsyncClient, settings: DestinationSettings) -> Store:
        """Describe the store that a client speaks with."""
        return cls(
            url=client.url,
            settings=settings,
            linking=client.linking,
            asking=client.asking,
            is_far=lambda: client.pace.is_far,
        )


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


class DeliveryFlow:
    """
    One attempt to bring one run to a store.

    Args:
        store: the store.
        run: the run.
        progress: where the attempt before left off.
        report: what the reading of the run recorded; is added to.
        known: whether the progress tells all that was ever sent of this run.
    """

    def __init__(
        self,
        store: Store,
        run: Run,
        progress: Progress,
        report: ConversionReport | None,
        *,
        known: bool,
    ) -> None:
        self._store = store
        self._run = run
        self._report = ConversionReport() if report is None else report
        self._submission = Submission(
            store.url, run, progress, patience=store.settings.timeout, known=known
        )

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._submission.progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        """Go on with a new progress, once it is durable."""
        self._submission.progress = progress

    def steps(self) -> flows.Flow[Receipt]:
        """
        Give the steps; each :class:`~rigbridge.client.operations.Keep` sets ``progress``.

        Raises:
            DeliveryError: the run is not stored, or nobody can tell for now.
            RunProblemsError: no store would take it.
        """
        submission = self._submission
        body, sidecar = yield from self._payload()
        stored_id = yield from submission.look_up(body, self._store.asking())
        attaching = Attaching(
            submission, self._store.linking, _files(self._run, sidecar)
        )
        if stored_id is None and self._store.is_far() and _is_light(attaching):
            outcome, _ = yield flows.Together(
                (self._create(body, attaching), attaching.send())
            )
            if isinstance(outcome, DeliveryError):
                raise outcome
            stored_id = str(outcome)
        else:
            if stored_id is None:
                stored_id = yield from submission.send(body)
            yield from attaching.send()
        yield from attaching.link(stored_id)
        progress = submission.progress
        return Receipt(
            stored_id=stored_id,
            created=submission.created,
            attached=attaching.attached,
            failures=attaching.failures,
            url=progress.url,
            warnings=progress.warnings,
        )

    def _create(
        self, body: CreateRun, attaching: Attaching
    ) -> flows.Flow[str | DeliveryError]:
        try:
            return (yield from self._submission.send(body))
        except DeliveryError as error:
            attaching.give_up(error)
            return error

    def _payload(self) -> flows.Flow[tuple[CreateRun, Attachment | None]]:
        """Make the body, and the sidecar where it travels as a file."""
        setting = self._store.settings.sidecar
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
        if document is None:
            return body, None
        capabilities = yield from self._store.asking()
        if (capabilities or {}).get("sidecar") == "inline":
            return attrs.evolve(body, rigbridge=document), None
        return body, _as_file(document)


def _is_light(attaching: Attaching) -> bool:
    size = attaching.size
    return attaching.count > 0 and size is not None and size <= _SMALL


def _files(run: Run, sidecar: Attachment | None) -> Iterator[tuple[int, Attachment]]:
    for position, attachment in enumerate(run.attachments):
        if attachment.embedded:
            yield position, attachment
    if sidecar is not None:
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
