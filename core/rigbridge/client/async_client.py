"""The client of a run store for programs with an event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import IO, Self
from uuid import UUID

import httpx

from rigbridge.client import operations
from rigbridge.client.connection import AsyncConnection
from rigbridge.client.delivery.delivery import (
    checked_body,
    checked_run,
    deliver_async,
    file_to_attach,
    stored_id_of,
)
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.transport import calls
from rigbridge.destinations import ConnectionSettings, Linking, Progress, Sidecar
from rigbridge.model import Attachment, JSONObject, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import CreateRun

__all__ = ["AsyncClient"]


class AsyncClient:
    """
    Speaks with one run store over a pool of connections, without blocking the loop.

    It is made like :class:`~rigbridge.client.client.Client` and has its methods, each
    to be awaited; arguments, results and errors are described there. A client belongs
    to the event loop in which it is first used.

    Example::

        async with AsyncClient("https://store.example.com", api_key) as client:
            runs = await client.runs("SN-0001")

    Args:
        url: the origin of the store, with or without ``/api``.
        api_key: the key, or None to send none.
        timeout: seconds that connecting, sending and every wait for bytes may take.
        linking: which call links uploads.
        sidecar: when what v1 has no field for travels as an attachment.
        connection: how connections are made.
        transport: what carries the requests instead of the network.

    Raises:
        ConfigurationError: an address without http or https, or a key that no header
            can hold.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        linking: Linking = Linking.AUTO,
        sidecar: Sidecar = Sidecar.AUTO,
        connection: ConnectionSettings | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings = connection or ConnectionSettings(timeout=timeout)
        self._sidecar = sidecar
        self._connection = AsyncConnection(url, api_key, settings, linking, transport)
        self.url = self._connection.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        await self._connection.close()

    async def submit(self, run: Run, report: ConversionReport | None = None) -> str:
        """Store a run with its attachments, and give the id it has in the store."""
        receipt = await deliver_async(
            self._connection,
            checked_run(run),
            Progress(),
            report,
            sidecar=self._sidecar,
        )
        return stored_id_of(receipt)

    async def attach(
        self,
        run_id: str | UUID,
        file: str | os.PathLike[str] | Attachment,
        *,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """Add a file to a stored run; the same file twice is linked once."""
        # The file is read for its digest.
        attachment = await asyncio.to_thread(file_to_attach, file, name, media_type)
        await self._connection.drive(self._connection.attach(str(run_id), attachment))

    async def runs(self, serial_number: str) -> list[ReceivedRun]:
        """List all the runs of a unit, newest first: short for :meth:`list_runs`."""
        return await self.list_runs(serial_number)

    async def create_run(
        self, body: CreateRun, *, idempotency_key: UUID | None
    ) -> calls.CreateAnswer:
        """Create a run from the body of a request."""
        call = calls.create_run(checked_body(body), idempotency_key=idempotency_key)
        return await self._connection.perform(call)

    async def list_runs(self, serial_number: str) -> list[ReceivedRun]:
        """List all the runs of a unit, newest first."""
        return await self._connection.drive(operations.list_runs(serial_number))

    async def upload(
        self,
        name: str,
        media_type: str | None,
        size: int | None,
        opener: Callable[[], IO[bytes]],
    ) -> str:
        """Send a file in pieces; it is stored, but linked to no run yet."""
        return await self._connection.drive(
            operations.upload(name, media_type, size, opener)
        )

    async def link(self, run_id: str | UUID, upload_ids: Sequence[str]) -> None:
        """Link completed uploads to a run; doing so twice is no error."""
        await self._connection.drive(self._connection.link(str(run_id), upload_ids))

    async def delete_run(self, run_id: str | UUID) -> None:
        """Delete a run."""
        await self._connection.perform(calls.delete_run(run_id))

    async def import_report(self, upload_id: str, importer: str) -> str:
        """Have the store make a run of an uploaded report, and give the run's id."""
        return await self._connection.perform(calls.import_upload(upload_id, importer))

    async def update_unit(self, serial_number: str, sub_units: Sequence[str]) -> None:
        """Say which units a unit is made of."""
        await self._connection.perform(calls.update_unit(serial_number, sub_units))

    async def capabilities(self) -> JSONObject | None:
        """Say what the store can do beyond v1; it is asked once."""
        return await self._connection.drive(self._connection.ask_capabilities())
