"""The client of a run store for programs with an event loop."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import IO, Any, Self, TypeVar
from uuid import UUID

import httpx

from rigbridge.client import operations as flows
from rigbridge.client.steps import drive_async, in_tasks
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.transport import calls
from rigbridge.client.transport.exceptions import translated
from rigbridge.client.transport.network import ConnectionSettings
from rigbridge.client.transport.file_chunks import chunks_async, measure
from rigbridge.client.transport.requests import Exchange
from rigbridge.client.transport.concurrency import Pace
from rigbridge.client.transport.pool import Pool
from rigbridge.destinations import Linking
from rigbridge.errors import DeliveryError
from rigbridge.wire import CreateRun

__all__ = ["AsyncClient"]

_T = TypeVar("_T")


class AsyncClient:
    """
    Speaks with one run store over a pool of connections, without blocking the loop.

    It has the methods of :class:`~rigbridge.client.client.Client`, each to be awaited.
    A client belongs to the event loop in which it is first used.

    Example::

        async with AsyncClient("https://store.example.com", api_key) as client:
            runs = await client.list_runs("SN-0001")

    Args:
        url: the origin of the store, with or without ``/api``.
        api_key: the key, or None to send none.
        timeout: seconds that connecting, sending and every wait for bytes may take;
            short for a ``connection`` of that timeout.
        linking: which call links uploads; AUTO finds out and remembers.
        connection: how connections are made: authorities, certificates, proxies.
        transport: what carries the requests instead of the network.

    Raises:
        ConfigurationError: an address without http or https, or a key that no header
            can hold.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        timeout: float = 30.0,
        linking: Linking = Linking.AUTO,
        connection: ConnectionSettings | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings = connection or ConnectionSettings(timeout=timeout)
        self._exchange = Exchange(url, api_key, settings)
        self.url = self._exchange.url
        self._memory = flows.LinkMemory(linking)
        self._capabilities = flows.Capabilities()
        self._pool = Pool(self._exchange.origin, settings, _make_transport, transport)
        self.pace = Pace(settings.concurrency)
        self._under_way = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        for transport in self._pool.take_all():
            await transport.aclose()

    async def create_run(
        self, body: CreateRun, *, idempotency_key: UUID | None
    ) -> calls.CreatedRun:
        """
        Create a run.

        Args:
            body: the run.
            idempotency_key: by which a store that knows it answers a repetition.

        Returns:
            The answer; its ``id`` is always set, also where an older server gives it
            only within a URL.

        Raises:
            DeliveryError: the store did not take it, or gave no answer; then the run
                may or may not exist.
        """
        return await self._perform(
            calls.create_run(body, idempotency_key=idempotency_key)
        )

    async def list_runs(self, serial_number: str) -> list[ReceivedRun]:
        """
        List all the runs of a unit, newest first.

        Raises:
            DeliveryError: the store gave no list.
        """
        return await self.drive(flows.list_runs(serial_number))

    async def upload(
        self,
        name: str,
        media_type: str | None,
        size: int | None,
        opener: Callable[[], IO[bytes]],
    ) -> str:
        """
        Send a file in pieces; it is stored, but linked to no run yet.

        Args:
            name: the file's name.
            media_type: its media type, or None.
            size: its exact length in bytes, or None to find out by reading it.
            opener: gives a new binary stream at each call.

        Returns:
            The id of the upload.

        Raises:
            PermanentError: the file cannot be read, or has another length.
            DeliveryError: the store did not take it.
        """
        return await self.drive(flows.upload(name, media_type, size, opener))

    async def link(self, run_id: str, upload_ids: list[str]) -> None:
        """
        Link completed uploads to a run; doing so twice is no error.

        Raises:
            DeliveryError: the store did not link them.
        """
        await self.drive(self.linking(run_id, upload_ids))

    async def delete_run(self, run_id: str) -> None:
        """
        Delete a run.

        Raises:
            DeliveryError: the store did not delete it.
        """
        await self._perform(calls.delete_run(run_id))

    async def import_report(self, upload_id: str, importer: str) -> str:
        """
        Have the store make a run of an uploaded report.

        Args:
            upload_id: the upload.
            importer: ``OPENHTF``; our own store takes the name of any adapter.

        Returns:
            The id of the run.

        Raises:
            DeliveryError: the store made none.
        """
        return await self._perform(calls.import_upload(upload_id, importer))

    async def update_unit(self, serial_number: str, sub_units: Sequence[str]) -> None:
        """
        Say which units a unit is made of.

        Args:
            serial_number: the unit.
            sub_units: the serial numbers of its parts; each must exist.

        Raises:
            DeliveryError: the store refused, for instance a cycle.
        """
        await self._perform(calls.update_unit(serial_number, sub_units))

    async def capabilities(self) -> Mapping[str, Any] | None:
        """
        Say what the store can do beyond v1; it is asked once.

        Returns:
            What it says, or None for a store that is not of our kind.

        Raises:
            NoAnswerError: the store cannot be reached.
        """
        return await self.drive(self.asking())

    def linking(self, run_id: str, upload_ids: Sequence[str]) -> flows.Flow[None]:
        """Give the flow that links uploads in the way that this store has."""
        return flows.link(run_id, upload_ids, self._memory)

    def asking(self) -> flows.Flow[Mapping[str, Any] | None]:
        """Give the flow that asks what the store can do, unless that is known."""
        return flows.ask_capabilities(self._capabilities)

    async def drive(
        self,
        flow: flows.Flow[_T],
        keep: Callable[[flows.Keep], Awaitable[None] | None] | None = None,
    ) -> _T:
        """
        Make the calls of a flow.

        Args:
            flow: the flow.
            keep: makes progress durable, for flows that have such steps; what it
                gives is awaited where it can be, and it is called once at a time.
        """
        lock = asyncio.Lock()

        async def take(step: flows.Step) -> Any:
            """Take one step."""
            if isinstance(step, calls.Call):
                return await self._perform(step)
            if isinstance(step, calls.Put):
                return await self._send(step)
            if isinstance(step, flows.Measure):
                return await asyncio.to_thread(measure, step.name, step.opener)
            if isinstance(step, flows.Together):
                return await in_tasks(
                    step.flows,
                    lambda flow: drive_async(flow, take),
                    self.pace.file_width,
                )
            async with lock:
                done = None if keep is None else keep(step)
                return await done if inspect.isawaitable(done) else done

        return await drive_async(flow, take)

    async def _perform(self, call: calls.Call[_T]) -> _T:
        request = self._exchange.request(call)
        self._under_way += 1
        started, worked = time.perf_counter(), time.thread_time()
        try:
            with translated(source=self.url, place=call.place):
                response = await self._round_trip(request)
            answer = self._exchange.read(call, response)
        except DeliveryError as error:
            self.pace.failed(error)
            raise
        finally:
            others = self._under_way
            self._under_way -= 1
        # What the loop worked in the meantime was for all that were under way.
        self.pace.answered(
            time.perf_counter() - started, (time.thread_time() - worked) / others
        )
        return answer

    async def _send(self, put: calls.Put) -> None:
        """Send a file; the key stays here, since the grant is in the address."""
        content = chunks_async(put)
        try:
            with translated(source=self.url, place=put.place):
                response = await self._round_trip(self._exchange.put(put, content))
            self._exchange.read_put(put, response)
        except DeliveryError as error:
            self.pace.failed(error)
            raise
        finally:
            await content.aclose()

    async def _round_trip(self, request: httpx.Request) -> httpx.Response:
        response = await self._pool.way_to(request.url).handle_async_request(request)
        try:
            response.request = request
            await response.aread()
        finally:
            await response.aclose()
        return response


def _make_transport(
    settings: ConnectionSettings, proxy: str | None, foreign: bool
) -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(
        verify=settings.context(foreign=foreign),
        http2=settings.http2,
        limits=settings.limits,
        proxy=proxy,
    )
