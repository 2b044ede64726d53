"""The destination ``http`` for programs with an event loop."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence

import httpx

from rigbridge.client.async_client import AsyncClient
from rigbridge.client.delivery.delivery import DeliveryFlow, Store, address_of
from rigbridge.client.delivery.batch import PATIENCE, deliver_many_async
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

__all__ = ["AsyncHTTPDestination"]


class AsyncHTTPDestination:
    """
    Brings runs to a run store over HTTP, each once.

    It has the methods of :class:`~rigbridge.client.destination.HTTPDestination`, each
    to be awaited, and belongs to the event loop in which it is first used.

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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._client = AsyncClient(
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

    async def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
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
        return await self._deliver(run, Progress(), _forget, report, known=False)

    async def resume(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], Awaitable[None] | None],
        report: ConversionReport | None = None,
    ) -> Receipt:
        """
        Store a run from where an earlier attempt left off.

        Args:
            run: the run, the same at every attempt.
            progress: what the attempt before kept; a new one at first.
            keep: makes the progress durable before the next step; what it gives is
                awaited where it can be.
            report: as for :meth:`submit`.

        Raises:
            DeliveryError: the run is not stored, or nobody can tell for now.
            RunProblemsError: no store would take it.
        """
        return await self._deliver(run, progress, keep, report, known=True)

    def submit_many(
        self, consignments: Iterable[Consignment], *, patience: float = PATIENCE
    ) -> AsyncGenerator[Outcome, None]:
        """
        Store many runs, as many at a time as is fastest.

        How many that is follows from the latency seen and from what the server asks
        for; with a near server it is one after the other.

        Args:
            consignments: the runs; taken one by one, as there is room for them.
            patience: seconds that a server's wish to be left alone is followed; where
                it asks for more, what is left comes back unsent.

        Yields:
            What came of each, in the order in which they end. No run's error ends the
            others. Closing the generator begins nothing new and waits for the rest.
        """
        return deliver_many_async(consignments, self._send, self._client.pace, patience)

    async def _send(self, consignment: Consignment) -> Receipt:
        known = consignment.keep is not None
        return await self._deliver(
            consignment.run,
            consignment.progress,
            consignment.keep or _forget,
            consignment.report,
            known=known,
        )

    async def attach(self, stored_id: str, attachment: Attachment) -> None:
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
            upload_id = await self._client.upload(
                attachment.name,
                attachment.media_type,
                attachment.size,
                attachment.opener,
            )
        await self._client.link(stored_id, [upload_id])
        self._uploads[key] = upload_id

    async def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """
        List the runs of a unit, newest first.

        Raises:
            DeliveryError: the store gave no list.
        """
        return await self._client.list_runs(serial_number)

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        await self._client.close()

    async def _deliver(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], Awaitable[None] | None],
        report: ConversionReport | None,
        *,
        known: bool,
    ) -> Receipt:
        flow = DeliveryFlow(self._store, run, progress, report, known=known)

        async def take(step: Keep) -> None:
            new = step.change(flow.progress)
            done = keep(new)
            if inspect.isawaitable(done):
                await done
            flow.progress = new

        return await self._client.drive(flow.steps(), take)


def _forget(_: Progress) -> None:
    """Keep nothing: whoever submits without an outbox takes no delivery up again."""
