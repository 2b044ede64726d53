"""The blocking client of a run store of the v1 contract."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import IO, Any, Self, TypeVar
from uuid import UUID

import httpx

from rigbridge.client import operations as flows
from rigbridge.client.steps import drive
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.transport import calls
from rigbridge.client.transport.exceptions import translated
from rigbridge.client.transport.network import ConnectionSettings
from rigbridge.client.transport.file_chunks import chunks, measure
from rigbridge.client.transport.requests import Exchange
from rigbridge.client.transport.concurrency import Pace
from rigbridge.client.transport.pool import Pool
from rigbridge.destinations import Linking
from rigbridge.errors import DeliveryError
from rigbridge.machine.threads import run_beside
from rigbridge.wire import CreateRun

__all__ = ["Client"]

_T = TypeVar("_T")


class Client:
    """
    Speaks with one run store over a pool of connections.

    Nothing is connected before the first call. The client repeats nothing by itself
    but the request for an upload address that has expired; whoever calls it decides
    by the type of the error. It may be used by several threads, and by the child
    after a fork. :class:`~rigbridge.client.async_client.AsyncClient` has the same
    methods for programs with an event loop.

    Example::

        with Client("https://store.example.com", api_key) as client:
            runs = client.list_runs("SN-0001")

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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        settings = connection or ConnectionSettings(timeout=timeout)
        self._exchange = Exchange(url, api_key, settings)
        self.url = self._exchange.url
        self._memory = flows.LinkMemory(linking)
        self._capabilities = flows.Capabilities()
        self._pool = Pool(self._exchange.origin, settings, _make_transport, transport)
        self.pace = Pace(settings.concurrency)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; may be called twice."""
        for transport in self._pool.take_all():
            transport.close()

    def create_run(
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
        return self._perform(calls.create_run(body, idempotency_key=idempotency_key))

    def list_runs(self, serial_number: str) -> list[ReceivedRun]:
        """
        List all the runs of a unit, newest first.

        Raises:
            DeliveryError: the store gave no list.
        """
        return self.drive(flows.list_runs(serial_number))

    def upload(
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
        return self.drive(flows.upload(name, media_type, size, opener))

    def link(self, run_id: str, upload_ids: list[str]) -> None:
        """
        Link completed uploads to a run; doing so twice is no error.

        Raises:
            DeliveryError: the store did not link them.
        """
        self.drive(self.linking(run_id, upload_ids))

    def delete_run(self, run_id: str) -> None:
        """
        Delete a run.

        Raises:
            DeliveryError: the store did not delete it.
        """
        self._perform(calls.delete_run(run_id))

    def import_report(self, upload_id: str, importer: str) -> str:
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
        return self._perform(calls.import_upload(upload_id, importer))

    def update_unit(self, serial_number: str, sub_units: Sequence[str]) -> None:
        """
        Say which units a unit is made of.

        Args:
            serial_number: the unit.
            sub_units: the serial numbers of its parts; each must exist.

        Raises:
            DeliveryError: the store refused, for instance a cycle.
        """
        self._perform(calls.update_unit(serial_number, sub_units))

    def capabilities(self) -> Mapping[str, Any] | None:
        """
        Say what the store can do beyond v1; it is asked once.

        Returns:
            What it says, or None for a store that is not of our kind.

        Raises:
            NoAnswerError: the store cannot be reached.
        """
        return self.drive(self.asking())

    def linking(self, run_id: str, upload_ids: Sequence[str]) -> flows.Flow[None]:
        """Give the flow that links uploads in the way that this store has."""
        return flows.link(run_id, upload_ids, self._memory)

    def asking(self) -> flows.Flow[Mapping[str, Any] | None]:
        """Give the flow that asks what the store can do, unless that is known."""
        return flows.ask_capabilities(self._capabilities)

    def drive(
        self,
        flow: flows.Flow[_T],
        keep: Callable[[flows.Keep], None] | None = None,
    ) -> _T:
        """
        Make the calls of a flow.

        Args:
            flow: the flow.
            keep: makes progress durable, for flows that have such steps; it is
                called by one thread at a time.
        """
        lock = threading.Lock()

        def take(step: flows.Step) -> Any:
            if isinstance(step, calls.Call):
                return self._perform(step)
            if isinstance(step, calls.Put):
                return self._send(step)
            if isinstance(step, flows.Measure):
                return measure(step.name, step.opener)
            if isinstance(step, flows.Together):
                return run_beside(
                    step.flows,
                    lambda flow: drive(flow, take),
                    self.pace.file_width,
                    name="rigbridge-upload",
                )
            with lock:
                return None if keep is None else keep(step)

        return drive(flow, take)

    def _perform(self, call: calls.Call[_T]) -> _T:
        request = self._exchange.request(call)
        started, worked = time.perf_counter(), time.thread_time()
        try:
            with translated(source=self.url, place=call.place):
                response = self._round_trip(request)
            answer = self._exchange.read(call, response)
        except DeliveryError as error:
            self.pace.failed(error)
            raise
        self.pace.answered(time.perf_counter() - started, time.thread_time() - worked)
        return answer

    def _send(self, put: calls.Put) -> None:
        """Send a file; the key stays here, since the grant is in the address."""
        content = chunks(put)
        try:
            with translated(source=self.url, place=put.place):
                response = self._round_trip(self._exchange.put(put, content))
            self._exchange.read_put(put, response)
        except DeliveryError as error:
            self.pace.failed(error)
            raise
        finally:
            content.close()

    def _round_trip(self, request: httpx.Request) -> httpx.Response:
        response = self._pool.way_to(request.url).handle_request(request)
        try:
            response.request = request
            response.read()
        finally:
            response.close()
        return response


def _make_transport(
    settings: ConnectionSettings, proxy: str | None, foreign: bool
) -> httpx.BaseTransport:
    return httpx.HTTPTransport(
        verify=settings.context(foreign=foreign),
        http2=settings.http2,
        limits=settings.limits,
        proxy=proxy,
    )
