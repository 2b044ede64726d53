"""The destination ``http``: any run store of the v1 contract."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence

import httpx

from rigbridge.client.client import Client
from rigbridge.client.delivery.delivery import DeliveryFlow, Store, address_of
from rigbridge.client.delivery.batch import PATIENCE, deliver_many
from rigbridge.client.operations import Keep
from rigbridge.client.transport.network import ConnectionSettings
from rigbridge.destinations import (
    Consignment,
    DestinationSettings,
    Outcome,
    Progress,
    Receipt,
)
from rigbridge.errors import ConfigurationError
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import ListedRun

__all__ = ["HTTPDestination"]


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
        self._settings = settings
        self._client = Client(
            address_of(settings),
            settings.api_key,
            linking=settings.linking,
            connection=ConnectionSettings.of(settings),
            transport=transport,
        )
        self._store = Store.of(self._client, settings)
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

    def submit_many(
        self, consignments: Iterable[Consignment], *, patience: float = PATIENCE
    ) -> Generator[Outcome, None, None]:
        """
        Store many runs, as many at a time as is fastest.

        How many that is follows from the latency seen and from what the server asks
        for; with a near server it is one after the other, in the calling thread.

        Args:
            consignments: the runs; taken one by one, as there is room for them.
            patience: seconds that a server's wish to be left alone is followed; where
                it asks for more, what is left comes back unsent.

        Yields:
            What came of each, in the order in which they end. No run's error ends the
            others. Closing the generator begins nothing new and waits for the rest.
        """
        return deliver_many(consignments, self._send, self._client.pace, patience)

    def _send(self, consignment: Consignment) -> Receipt:
        known = consignment.keep is not None
        return self._deliver(
            consignment.run,
            consignment.progress,
            consignment.keep or _forget,
            consignment.report,
            known=known,
        )

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
        flow = DeliveryFlow(self._store, run, progress, report, known=known)

        def take(step: Keep) -> None:
            new = step.change(flow.progress)
            keep(new)
            flow.progress = new

        return self._client.drive(flow.steps(), take)


def _forget(_: Progress) -> None:
    """Keep nothing: whoever submits without an outbox takes no delivery up again."""
