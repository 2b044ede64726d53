"""
From calls to requests, and from responses to answers.

Requests are built lean, without the layers that a browser-like client needs: no
cookies, no redirects (so that a key never follows one), no authentication flows. Each
of these costs time on every call.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import TypeVar, cast

import httpx

import rigbridge
from rigbridge.client.transport import calls
from rigbridge.client.transport.error_answers import (
    refusal,
    server_time,
    storage_refusal,
)
from rigbridge.client.transport.network import timeouts
from rigbridge.destinations import ConnectionSettings
from rigbridge.destinations.address import api_address
from rigbridge.errors import (
    ConfigurationError,
    ServerUnavailableError,
    UnexpectedAnswerError,
)

__all__ = ["ServerClock", "StoreRequests"]

_T = TypeVar("_T")
_JSON = "application/json"


class ServerClock:
    """
    The clock of a server, as its answers show it.

    Args:
        clock: tells the seconds; never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offset: float | None = None

    def note(self, moment: datetime | None) -> None:
        """Take what an answer says; None says nothing."""
        if moment is not None:
            self._offset = moment.timestamp() - self._clock()

    def now(self) -> float | None:
        """Give the server's Unix time, a second early at most; None if unknown."""
        return None if self._offset is None else self._offset + self._clock()


class StoreRequests:
    """
    Makes the requests to one store and reads the answers; connects nowhere.

    Args:
        api_key: the key, or None.

    Raises:
        ConfigurationError: a wrong address, or a key that no header can hold.
    """

    def __init__(
        self, url: str, api_key: str | None, settings: ConnectionSettings
    ) -> None:
        self.url = api_address(url)
        self._key = _checked_key(api_key)
        self._base = httpx.URL(self.url)
        # Relative addresses of grants count from the origin, not from the path of the
        # API.
        self.origin = self._base.copy_with(raw_path=b"/")
        self._root = self._base.raw_path.rstrip(b"/")
        self.clock = ServerClock()
        self._addresses: dict[str, httpx.URL] = {}
        self._extensions = {"timeout": timeouts(settings)}
        self._common = {
            "User-Agent": f"rigbridge/{rigbridge.__version__}",
            "Accept": _JSON,
            "Accept-Encoding": "gzip, deflate",
        }
        self._own = dict(self._common)
        if self._key is not None:
            self._own["Authorization"] = f"Bearer {self._key}"

    def request(
        self,
        call: calls.Call[_T],
        content: Iterator[bytes] | AsyncIterator[bytes] | None = None,
    ) -> httpx.Request:
        """
        Make the request of a call.

        Args:
            content: gives its body in pieces; by default it is sent as one.
        """
        headers = {**self._own, **call.headers}
        if call.content is not None:
            headers["Content-Type"] = _JSON
            headers["Content-Length"] = str(len(call.content))
        url = self._address(call.path)
        if call.params:
            url = url.copy_merge_params(call.params)
        return httpx.Request(
            call.method,
            url,
            headers=headers,
            content=call.content if content is None else content,
            extensions=dict(self._extensions),
        )

    def _address(self, path: str) -> httpx.URL:
        """Give the address of a call; those of every run are parsed once."""
        url = self._addresses.get(path)
        if url is None:
            url = self._base.copy_with(raw_path=self._root + path.encode("ascii"))
            if path in calls.PATHS:
                self._addresses[path] = url
        return url

    def put(
        self, put: calls.Put, content: Iterator[bytes] | AsyncIterator[bytes]
    ) -> httpx.Request:
        """Make the request that sends a file; no key: the address is the grant."""
        return httpx.Request(
            "PUT",
            self.origin.join(put.url),
            headers={
                **self._common,
                "Content-Type": put.media_type or "application/octet-stream",
                "Content-Length": str(put.size),
            },
            content=content,
            extensions=dict(self._extensions),
        )

    def read(self, call: calls.Call[_T], response: httpx.Response) -> _T:
        """
        Read the answer to a call.

        Raises:
            DeliveryError: it refuses, or is outside the contract.
        """
        # Also from errors: a store that refuses everything still tells its time.
        self.clock.note(server_time(response.headers))
        if not response.is_success:
            raise refusal(response, source=self.url, place=call.place, secret=self._key)
        answer = calls.Answer(
            status=response.status_code,
            content=response.content,
            source=self.url,
            place=call.place,
        )
        return call.read(answer)

    def read_put(self, put: calls.Put, response: httpx.Response) -> None:
        """
        Read the answer to the sending of a file.

        Raises:
            DeliveryError: it refuses, or tells that not all of it arrived.
        """
        if response.is_success:
            stored = calls.stored_size(response.content)
            # A portal answers 200 with its login page, and the file would be lost in
            # it.
            page = _is_page(response)
            if page or stored not in (None, put.size):
                kind = UnexpectedAnswerError if page else ServerUnavailableError
                error = kind(
                    "a page answers instead of the storage"
                    if page
                    else f"{stored} of {put.size} bytes were stored",
                    source=self.url,
                    place=put.place,
                    status=response.status_code,
                )
                error.of_file = True
                raise error
            return
        raise storage_refusal(
            response, source=self.url, place=put.place, secret=self._key
        )


def _is_page(response: httpx.Response) -> bool:
    """Whether an answer is a page for people, such as the login of a portal."""
    head = response.content[:256].lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html"))


def _checked_key(key: str | None) -> str | None:
    if not isinstance(cast("object", key), str | None):
        raise ConfigurationError("the API key is no text", remedy="give it as a str")
    key = (key or "").strip()
    if not key:
        return None
    # The HTTP library would refuse it only with the request, and quote the key in its
    # message.
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigurationError(
            "the API key holds a character that no header can carry",
            remedy="copy the key again",
        )
    return key
