"""The blocking client of a run store of the v1 contract."""

from __future__ import annotations

import codecs
import importlib
import os
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Any, Self, TypeVar
from uuid import UUID

import httpx
from msgspec import UNSET

import rigbridge
from rigbridge.client import calls, flows
from rigbridge.client.address import api_address
from rigbridge.client.boundary import translated
from rigbridge.client.content import chunks, measure
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.refusals import refusal
from rigbridge.destinations import Linking
from rigbridge.errors import (
    ConfigurationError,
    DeliveryError,
    ForbiddenError,
    UnauthorizedError,
)
from rigbridge.wire import Created, CreateRun, ImportRun

__all__ = ["Client"]

_T = TypeVar("_T")
_CAPABILITIES = "/v1/capabilities"


class Client:
    """
    Speaks with one run store over a pool of connections.

    Nothing is connected before the first call. The client repeats nothing by itself
    but the request for an upload address that has expired; whoever calls it decides
    by the type of the error. It may be used by several threads, and by the child
    after a fork.

    Proxies and authorities are taken from the environment, as httpx does
    (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``).

    Example::

        with Client("https://store.example.com", api_key) as client:
            runs = client.list_runs("SN-0001")

    Args:
        url: the origin of the store, with or without ``/api``.
        api_key: the key, or None to send none.
        timeout: seconds that connecting, sending and every wait for bytes may take.
        linking: which call links uploads; AUTO finds out and remembers.
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = api_address(url)
        self._key = _checked_key(api_key)
        self._timeout = timeout
        self._transport = transport
        self._memory = flows.LinkMemory(linking)
        self._capabilities = flows.Capabilities()
        _import_ahead()
        self._lock = threading.Lock()
        self._pool: httpx.Client | None = None
        self._owner = os.getpid()
        # Connections of the process that this one was forked from: neither used nor
        # closed here, since closing would speak to the server on its behalf.
        self._inherited: list[httpx.Client] = []
        self._closed = False

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
        self._closed = True
        if self._owner != os.getpid():
            return
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def create_run(self, body: CreateRun, *, idempotency_key: UUID | None) -> Created:
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
        return self._drive(flows.list_runs(serial_number))

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
        if size is None:
            size = measure(name, opener)
        return self._drive(flows.upload(name, media_type, size, opener))

    def link(self, run_id: str, upload_ids: list[str]) -> None:
        """
        Link completed uploads to a run; doing so twice is no error.

        Raises:
            DeliveryError: the store did not link them.
        """
        self._drive(flows.link(run_id, upload_ids, self._memory))

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
        body = ImportRun(
            upload_id=upload_id,
            importer=importer,
            client="rigbridge",
            client_version=rigbridge.__version__ or UNSET,
        )
        return self._perform(calls.import_report(body))

    def capabilities(self) -> Mapping[str, Any] | None:
        """
        Say what the store can do beyond v1; it is asked once.

        Returns:
            What it says, or None for a store that is not of our kind.

        Raises:
            NoAnswerError: the store cannot be reached.
        """
        if not self._capabilities.asked:
            place = f"GET {_CAPABILITIES}"
            with translated(source=self.url, place=place):
                response = self._http().get(
                    self.url + _CAPABILITIES, headers=self._authorization()
                )
            self._capabilities.take(response.status_code, response.content)
        return self._capabilities.known

    def _drive(self, flow: flows.Flow[_T]) -> _T:
        try:
            step = next(flow)
            while True:
                try:
                    answer = None
                    if isinstance(step, calls.Put):
                        self._send(step)
                    else:
                        answer = self._perform(step)
                except DeliveryError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(answer)
        except StopIteration as end:
            result: _T = end.value
            return result

    def _perform(self, call: calls.Call[_T]) -> _T:
        headers = {**self._authorization(), **call.headers}
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        with translated(source=self.url, place=call.place):
            response = self._http().request(
                call.method,
                self.url + call.path,
                params=call.params or None,
                content=call.content,
                headers=headers,
            )
        if not response.is_success:
            raise refusal(response, source=self.url, place=call.place, secret=self._key)
        answer = calls.Answer(
            status=response.status_code,
            content=response.content,
            source=self.url,
            place=call.place,
        )
        return call.read(answer)

    def _send(self, put: calls.Put) -> None:
        """Send a file; the key stays here, since the grant is in the address."""
        with translated(source=self.url, place=put.place):
            origin = httpx.URL(self.url).copy_with(raw_path=b"/")
            response = self._http().put(
                origin.join(put.url),
                content=chunks(put),
                headers={
                    "Content-Type": put.media_type or "application/octet-stream",
                    "Content-Length": str(put.size),
                },
            )
        if response.is_success:
            return
        error = refusal(response, source=self.url, place=put.place, secret=self._key)
        if isinstance(error, UnauthorizedError):
            # It is the grant that was refused here, not the key.
            raise ForbiddenError(
                error.message, source=self.url, place=put.place, status=error.status
            )
        raise error

    def _authorization(self) -> dict[str, str]:
        return {} if self._key is None else {"Authorization": f"Bearer {self._key}"}

    def _http(self) -> httpx.Client:
        if self._owner != os.getpid():
            self._lock = threading.Lock()
            self._owner = os.getpid()
            if self._pool is not None:
                self._inherited.append(self._pool)
                self._pool = None
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            if self._pool is None:
                self._pool = self._make_pool()
            return self._pool

    def _make_pool(self) -> httpx.Client:
        try:
            return httpx.Client(
                timeout=self._timeout,
                transport=self._transport,
                follow_redirects=False,
                headers={
                    "User-Agent": f"rigbridge/{rigbridge.__version__}",
                    "Accept": "application/json",
                },
            )
        except (OSError, ValueError, ImportError) as error:
            raise ConfigurationError(
                f"the proxy or certificate settings cannot be used: {error}",
                source=self.url,
                remedy="check HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE",
            ) from error


def _import_ahead() -> None:
    """
    Import what would else be imported while the first request is made.

    That may be in a thread, and a fork of the program at that moment would leave the
    child with an import that never ends.
    """
    for name in ("certifi", "httpcore"):
        importlib.import_module(name)
    codecs.lookup("idna")


def _checked_key(key: str | None) -> str | None:
    key = (key or "").strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigurationError(
            "the API key holds a character that no header can carry",
            remedy="copy the key again",
        )
    return key
