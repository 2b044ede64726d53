"""
The connection to one store: makes calls, drives flows, remembers what it learnt.

The clients and the destinations of this package are made of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Generic, TypeVar, cast

import httpx

from rigbridge.client import operations
from rigbridge.client.memory.ledger import DeliveryLedger
from rigbridge.client.memory.list_memory import ListMemory
from rigbridge.client.steps import (
    Flow,
    Measure,
    ProgressStep,
    Step,
    Together,
    drive,
    drive_async,
    run_in_tasks,
)
from rigbridge.client.transport.answer_bodies import read_body, read_body_async
from rigbridge.client.transport.calls import Answer, Call, Put
from rigbridge.client.transport.concurrency import ConcurrencyLimit
from rigbridge.client.transport.exceptions import translated
from rigbridge.client.transport.file_chunks import chunks, chunks_async, measure
from rigbridge.client.transport.guarded_body import guarded, guarded_async
from rigbridge.client.transport.header_logging import mask_logged_headers
from rigbridge.client.transport.network import check_settings, pool_limits, tls_for
from rigbridge.client.transport.pool import Pool
from rigbridge.client.transport.requests import StoreRequests
from rigbridge.destinations import ConnectionSettings, Linking
from rigbridge.errors import DeliveryError, UnexpectedAnswerError
from rigbridge.machine.threads import run_in_threads
from rigbridge.model import Attachment, JSONObject

__all__ = ["AsyncConnection", "BlockingConnection", "StoreConnection"]

_IN_MEMORY = 1 << 20
"""How many bytes of a fetched file are held in memory at most."""

_T = TypeVar("_T")
_Transport = TypeVar("_Transport")


class StoreConnection(Generic[_Transport]):
    """
    What both kinds of connections are made of; makes no call itself.

    Args:
        url: the origin of the store, with or without ``/api``.
        api_key: the key, or None to send none.
        linking: which call links uploads; AUTO finds out and remembers.
        transport: what carries the requests instead of the network.
        ledger: the file that remembers what was stored; None keeps it in memory.

    Raises:
        ConfigurationError: a wrong address, key or setting.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        settings: ConnectionSettings,
        linking: Linking,
        transport: _Transport | None,
        *,
        ledger: Path | None = None,
    ) -> None:
        check_settings(settings)
        self.requests = StoreRequests(url, api_key, settings)
        self.url = self.requests.url
        self.timeout = settings.timeout
        self.pool = Pool(self.requests.origin, settings, self._make, transport)
        self.limit = ConcurrencyLimit(settings.concurrency)
        self._links = operations.LinkMemory(linking)
        self.capabilities = operations.CapabilityMemory()
        self.list_memory = ListMemory()
        self.ledger = DeliveryLedger(self.url, ledger)

    @staticmethod
    def _make(
        settings: ConnectionSettings, proxy: str | None, foreign: bool
    ) -> _Transport:
        """Make a transport of httpx, for a proxy, for a foreign host or the store's."""
        raise NotImplementedError

    def link(self, run_id: str, upload_ids: Sequence[str]) -> Flow[None]:
        """Give the flow that links uploads by the call that this store has."""
        return operations.link(run_id, upload_ids, self._links)

    def attach(self, run_id: str, attachment: Attachment) -> Flow[None]:
        """Give the flow that sends a file and links it to a run."""
        return operations.attach(run_id, attachment, self._links, self.ledger)

    def ask_capabilities(self) -> Flow[JSONObject | None]:
        """Give the flow that asks what the store can do, unless that is known."""
        return operations.ask_capabilities(self.capabilities)


class BlockingConnection(StoreConnection[httpx.BaseTransport]):
    """Makes calls in the calling thread; several threads may use it."""

    def close(self) -> None:
        """Close all connections; may be called twice."""
        for transport in self.pool.take_all():
            transport.close()

    def drive(
        self,
        flow: Flow[_T],
        keep: Callable[[ProgressStep], object] | None = None,
        confirm: Callable[[], None] | None = None,
    ) -> _T:
        """
        Make the calls of a flow.

        Args:
            keep: takes the steps about progress, for flows that have such; it is
                called by one thread at a time.
            confirm: makes sure, while a long body is sent, that it may go on.
        """
        lock = threading.Lock()

        def take(step: Step) -> object:
            if isinstance(step, Call):
                return self.perform(step, confirm)
            if isinstance(step, Put):
                self._send(step)
                return None
            if isinstance(step, Measure):
                return measure(step.name, step.opener)
            if isinstance(step, Together):
                return run_in_threads(
                    step.flows,
                    lambda flow: drive(flow, take),
                    self.limit.file_width,
                    name="rigbridge-upload",
                )
            # The flows of a Together step keep progress of one and the same delivery.
            with lock:
                return None if keep is None else keep(step)

        return drive(flow, take)

    def perform(self, call: Call[_T], confirm: Callable[[], None] | None = None) -> _T:
        """
        Make one call.

        Args:
            confirm: makes sure, while a long body is sent, that it may go on.

        Raises:
            DeliveryError: the store refused, or gave no answer.
        """
        content = None
        if confirm is not None and call.is_guarded and call.content:
            # A body that is cut into pieces costs time, so only a sender that may lose
            # its lease takes the slower way.
            content = guarded(call.content, confirm)
        request = self.requests.request(call, content)
        # The time of this thread, not of the process: other senders work at the same
        # moment.
        started, worked = time.perf_counter(), time.thread_time()
        try:
            with translated(source=self.url, place=call.place):
                response = self._round_trip(request)
            answer = self.requests.read(call, response)
        except DeliveryError as error:
            self.limit.failed(error)
            raise
        self.limit.answered(time.perf_counter() - started, time.thread_time() - worked)
        return answer

    def fetch(self, path: str, sha256: str | None = None) -> IO[bytes]:
        """
        Fetch a file, at its beginning; many bytes are on disk, and gone when closed.

        Args:
            path: what follows ``/api``, escaped.
            sha256: the digest that it must have, where that is known.

        Raises:
            DeliveryError: the store refused, gave no answer, or gave other bytes.
        """
        call = Call(method="GET", path=path, read=lambda answer: answer)
        # The file is closed if anything below fails, and handed to the caller if
        # nothing does.
        with ExitStack() as undo:
            file = undo.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
            found = self._receive(call, file)
            # Checked before a byte is given away: a damaged file must never look like a
            # whole one.
            if sha256 not in (None, found):
                raise UnexpectedAnswerError(
                    "the bytes are not those of this file",
                    source=self.url,
                    place=call.place,
                )
            file.seek(0)
            undo.pop_all()
        return cast("IO[bytes]", file)

    def _receive(self, call: Call[Answer], file: SpooledTemporaryFile[bytes]) -> str:
        """Write the answer to a call into a file; gives the digest of it."""
        digest = hashlib.sha256()
        request = self.requests.request(call)
        with translated(source=self.url, place=call.place):
            response = self.pool.transport_for(request.url).handle_request(request)
            response.request = request
            try:
                # A refusal is short and is read by the rules of all answers. Only what
                # succeeds may be of any size.
                if not response.is_success:
                    self.requests.read(call, read_body(response))
                for chunk in response.iter_bytes():
                    digest.update(chunk)
                    file.write(chunk)
            finally:
                response.close()
        return digest.hexdigest()

    def _send(self, put: Put) -> None:
        """Send a file; the key stays here, since the grant is in the address."""
        content = chunks(put)
        try:
            with translated(source=self.url, place=put.place):
                response = self._round_trip(self.requests.put(put, content))
            self.requests.read_put(put, response)
        except DeliveryError as error:
            # The storage is often another host: it says nothing of the store.
            error.of_file = True
            self.limit.failed(error)
            raise
        finally:
            # A body that was not sent to its end still holds the file open; on Windows
            # it could not be deleted then.
            content.close()

    def _round_trip(self, request: httpx.Request) -> httpx.Response:
        response = self.pool.transport_for(request.url).handle_request(request)
        try:
            response.request = request
            return read_body(response)
        finally:
            # Closed and not drained: what is left of a long answer is not worth waiting
            # for.
            response.close()

    @staticmethod
    def _make(
        settings: ConnectionSettings, proxy: str | None, foreign: bool
    ) -> httpx.BaseTransport:
        return httpx.HTTPTransport(**_transport_settings(settings, proxy, foreign))


class AsyncConnection(StoreConnection[httpx.AsyncBaseTransport]):
    """Makes calls without blocking the event loop in which it is first used."""

    _under_way = 0

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        for transport in self.pool.take_all():
            await transport.aclose()

    async def drive(
        self,
        flow: Flow[_T],
        keep: Callable[[ProgressStep], Awaitable[object]] | None = None,
        confirm: Callable[[], None] | None = None,
    ) -> _T:
        """
        Make the calls of a flow.

        Args:
            keep: takes the steps about progress, for flows that have such; it is
                called once at a time.
            confirm: makes sure, while a long body is sent, that it may go on.
        """
        lock = asyncio.Lock()

        async def take(step: Step) -> object:
            """Take one step."""
            if isinstance(step, Call):
                return await self.perform(step, confirm)
            if isinstance(step, Put):
                await self._send(step)
                return None
            if isinstance(step, Measure):
                return await asyncio.to_thread(measure, step.name, step.opener)
            if isinstance(step, Together):
                return await run_in_tasks(
                    step.flows,
                    lambda flow: drive_async(flow, take),
                    self.limit.file_width,
                )
            async with lock:
                return None if keep is None else await keep(step)

        return await drive_async(flow, take)

    async def perform(
        self, call: Call[_T], confirm: Callable[[], None] | None = None
    ) -> _T:
        """
        Make one call.

        Args:
            confirm: makes sure, while a long body is sent, that it may go on.

        Raises:
            DeliveryError: the store refused, or gave no answer.
        """
        content = None
        if confirm is not None and call.is_guarded and call.content:
            content = guarded_async(call.content, confirm)
        request = self.requests.request(call, content)
        self._under_way += 1
        started, worked = time.perf_counter(), time.thread_time()
        try:
            with translated(source=self.url, place=call.place):
                response = await self._round_trip(request)
            answer = self.requests.read(call, response)
        except DeliveryError as error:
            self.limit.failed(error)
            raise
        finally:
            others = self._under_way
            self._under_way -= 1
        # What the loop worked in the meantime was for all that were under way.
        self.limit.answered(
            time.perf_counter() - started, (time.thread_time() - worked) / others
        )
        return answer

    async def _send(self, put: Put) -> None:
        """Send a file; the key stays here, since the grant is in the address."""
        content = chunks_async(put)
        try:
            with translated(source=self.url, place=put.place):
                response = await self._round_trip(self.requests.put(put, content))
            self.requests.read_put(put, response)
        except DeliveryError as error:
            # The storage is often another host: it says nothing of the store.
            error.of_file = True
            self.limit.failed(error)
            raise
        finally:
            await content.aclose()

    async def _round_trip(self, request: httpx.Request) -> httpx.Response:
        transport = self.pool.transport_for(request.url)
        response = await transport.handle_async_request(request)
        try:
            response.request = request
            return await read_body_async(response)
        finally:
            await response.aclose()

    @staticmethod
    def _make(
        settings: ConnectionSettings, proxy: str | None, foreign: bool
    ) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(**_transport_settings(settings, proxy, foreign))


def _transport_settings(
    settings: ConnectionSettings, proxy: str | None, foreign: bool
) -> dict[str, Any]:
    if settings.http2:
        mask_logged_headers()
    return {
        "verify": tls_for(settings, foreign=foreign),
        "http2": settings.http2,
        "limits": pool_limits(settings),
        "proxy": proxy,
    }
