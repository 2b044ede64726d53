"""The destination ``http`` for programs with an event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence

import httpx

from rigbridge.client import operations
from rigbridge.client.connection import AsyncConnection
from rigbridge.client.delivery.batch import PATIENCE, deliver_many_async
from rigbridge.client.delivery.delivery import address_of, deliver_async
from rigbridge.destinations import (
    Consignment,
    DestinationSettings,
    Outcome,
    Progress,
    Receipt,
)
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import ListedRun

__all__ = ["AsyncHTTPDestination"]


class AsyncHTTPDestination:
    """
    Brings runs to a run store over HTTP, each once.

    It has the methods of :class:`~rigbridge.client.destination.HTTPDestination`, each
    to be awaited; arguments, results and errors are described there. It belongs to the
    event loop in which it is first used.

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
        self._sidecar = settings.sidecar
        self._connection = AsyncConnection(
            address_of(settings),
            settings.api_key,
            settings,
            settings.linking,
            transport,
            # The same file as the blocking destination uses: a program that changes
            # over still knows what it sent.
            ledger=settings.data / "deliveries.sqlite",
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._connection.url!r})"

    async def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """Store a run with its attachments; the same run twice is stored once."""
        return await deliver_async(
            self._connection, run, Progress(), report, sidecar=self._sidecar
        )

    async def resume(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], Awaitable[None] | None],
        report: ConversionReport | None = None,
    ) -> Receipt:
        """
        Store a run from where an earlier attempt left off.

        What ``keep`` gives is awaited where it can be.
        """
        return await deliver_async(
            self._connection, run, progress, report, sidecar=self._sidecar, keep=keep
        )

    def submit_many(
        self, consignments: Iterable[Consignment], *, patience: float = PATIENCE
    ) -> AsyncGenerator[Outcome, None]:
        """Store many runs, as many at a time as is fastest."""
        return deliver_many_async(
            consignments, self._send, self._connection.limit, patience
        )

    async def _send(self, consignment: Consignment) -> Receipt:
        return await deliver_async(
            self._connection,
            consignment.run,
            consignment.progress,
            consignment.report,
            sidecar=self._sidecar,
            keep=consignment.keep,
        )

    async def attach(self, stored_id: str, attachment: Attachment) -> None:
        """Add a file to a stored run; the same file twice is linked once."""
        await self._connection.drive(self._connection.attach(stored_id, attachment))

    async def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """List the runs of a unit, newest first."""
        return await self._connection.drive(operations.list_runs(serial_number))

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        await self._connection.close()
