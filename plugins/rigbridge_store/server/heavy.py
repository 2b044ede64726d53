"""
Large requests: a worker process answers them, within a limit of memory.

To decode tens of megabytes of JSON, or to read a large report, holds the interpreter
for seconds and takes many times their size. So what is heavy is written to a file as it
comes, once the key was found genuine, and answered by a worker: the same application
over the same store, in another process, one request at a time and within a limit of
memory. The server itself goes on answering, and no larger than before.
"""

from __future__ import annotations

import asyncio
import gc
import math
import os
import re
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import IO, Any, cast

import anyio
import anyio.to_thread
import attrs
import msgspec
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from rigbridge.errors import DeliveryError
from rigbridge_store.access.principals import Principal
from rigbridge_store.opened_store import StoreOpening
from rigbridge_store.refusals import come_again, disk_refuses, forbidden, too_large
from rigbridge_store.server.app import create_app
from rigbridge_store.server.door import AnyConnection, Door
from rigbridge_store.server.failures import problem_of
from rigbridge_store.server.settings import ServerSettings
from rigbridge_store.store import RunStore

__all__ = ["LIGHT_BODY", "WORKER_MEMORY", "WORKER_SECONDS", "HeavyRequests"]

LIGHT_BODY = 1 << 20
"""Up to how many bytes a body is answered in place."""

LIGHT_UPLOAD = 64 << 10
"""Up to how many bytes an uploaded report is read in place; packed, it grows."""

WORKER_MEMORY = 1536 << 20
"""How many bytes of memory a worker may take (Linux)."""

WORKER_SECONDS = 600
"""
How many seconds of processor time one request may take (Linux).

The largest body that is allowed takes about 35; one without an end would hold the only
worker for ever.
"""

_RENEWED_FROM = 256 << 20
_WAIT_SECONDS = 30.0
_BODIES_AT_ONCE = 8
_BODIES_OF_ONE = 4
_BUSY = "Other large requests are at work. Wait, then try again."
_CHUNK = 1 << 20
# All calls but the sending of a file, which is written to the disk piece by piece
# anyway.
_BODIES = re.compile(r"/api/v[12]/(?!uploads/[^/]+/[^/]+$)")
_IMPORTS = re.compile(r"/api/v(1/import|2/imports/(structured|tabular))/?")
_MAIN = "__main__"


@attrs.frozen
class _Request:
    """A request, with its body in a file."""

    scope: dict[str, Any]
    body: str


@attrs.frozen
class _Limits:
    """What one request may take: bytes of memory, and seconds of processor time."""

    memory: int
    seconds: int


@attrs.frozen
class _Answer:
    """What the application has answered, and how much memory that took."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    memory: int


class HeavyRequests:
    """
    The application with heavy requests taken out of it.

    Args:
        memory: how many bytes of memory a worker may take; :data:`WORKER_MEMORY` by
            default.
        seconds: how many seconds of processor time a request may take;
            :data:`WORKER_SECONDS` by default.
    """

    def __init__(
        self,
        app: Litestar,
        opening: StoreOpening,
        *,
        memory: int | None = None,
        seconds: int | None = None,
    ) -> None:
        self._app = cast("ASGIApp", app)
        self._door = Door.behind(app)
        self._store = self._door.store
        self._settings = self._door.settings
        self._opening = opening
        self._limits = _Limits(
            WORKER_MEMORY if memory is None else memory,
            WORKER_SECONDS if seconds is None else seconds,
        )
        self._pool: ProcessPoolExecutor | None = None
        # Bodies come side by side, so that a slow sender holds up nobody.
        self._receiving = asyncio.Semaphore(_BODIES_AT_ONCE)
        # But not all of them for one key.
        self._shares = defaultdict[Principal, asyncio.Semaphore](
            lambda: asyncio.Semaphore(_BODIES_OF_ONE)
        )
        # Answered one at a time: each may take all of the memory that is allowed.
        self._turn = asyncio.Semaphore(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, in place or by the worker."""
        kind = _kind_of(scope)
        if kind is None:
            await self._app(scope, receive, send)
            return
        connection: AnyConnection = ASGIConnection(cast("Any", scope))
        try:
            # Before anything of the body is read.
            principal = await self._door.authenticate(connection)
            await self._require_procedure(principal)
            # Told before any of it is sent, if the sender announces it.
            self._require_size(_announced(scope) or 0)
            if kind == "import":
                # It is small, and names the uploads that are read.
                body = await _whole_body(receive, LIGHT_BODY)
                if not await self._is_large(body):
                    await self._app(scope, _replayed([body], receive), send)
                    return
                receive = _replayed([body], receive)
            self._door.count(connection)
            answer = await self._by_worker(scope, receive, self._shares[principal])
        except DeliveryError as error:
            answer = _refused(scope["path"], error)
        except OSError as error:
            # The body is not kept, or no worker can be started.
            answer = _refused(scope["path"], disk_refuses(error))
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": answer.headers,
            }
        )
        await send(
            {"type": "http.response.body", "body": answer.body, "more_body": False}
        )

    async def _require_procedure(self, principal: Principal) -> None:
        """Refuse a station that may use no procedure, before its body is read."""
        if not principal.is_station or self._settings.open_stations:
            return
        if not await anyio.to_thread.run_sync(self._store.has_links, principal):
            raise forbidden(
                f"Station {principal.name} is not authorized to use any procedure. "
                f"Link one first: rigbridge stations link {principal.name} PROCEDURE"
            )

    async def _is_large(self, body: bytes) -> bool:
        named = re.findall(rb'"upload_id"\s*:\s*"([0-9a-fA-F-]{36})"', body)
        ids = [text.decode() for text in named]
        size = await anyio.to_thread.run_sync(self._store.uploads.total_size, ids)
        return size > LIGHT_UPLOAD

    async def _by_worker(
        self, scope: Scope, receive: Receive, share: asyncio.Semaphore
    ) -> _Answer:
        # In the folder of the store, whose disk has room for bodies and which is swept
        # at the start.
        descriptor, name = tempfile.mkstemp(dir=self._store.contents.incoming)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                async with _taken(share), _taken(self._receiving):
                    await self._spool(receive, stream.write)
            async with _taken(self._turn):
                return await self._asked(_Request(_portable(scope), name))
        finally:
            # Also when the sender goes away in the middle.
            # Shielded: a request that is cancelled must not leave its body behind.
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_forget, path)

    async def _spool(self, receive: Receive, write: Callable[[bytes], object]) -> None:
        size, waiting, more = 0, bytearray(), True
        while more:
            message = await receive()
            # The sender hung up.
            if message["type"] != "http.request":
                raise too_large("The request was given up.")
            chunk = message.get("body", b"")
            more = bool(message.get("more_body"))
            size += len(chunk)
            self._require_size(size)
            waiting += chunk
            # The network's pieces are small, and each way to a thread costs.
            if waiting and (len(waiting) >= _CHUNK or not more):
                await anyio.to_thread.run_sync(write, bytes(waiting))
                waiting.clear()

    def _require_size(self, size: int) -> None:
        limit = self._settings.max_body
        if size > limit:
            raise too_large(f"The body is over the limit of {limit} bytes.")

    async def _asked(self, request: _Request) -> _Answer:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1,
                # Not forked: a copy of a process with threads may hold their locks.
                get_context("spawn"),
                # The worker opens the store once and keeps it.
                _open_store,
                (self._opening, self._settings, self._limits),
            )
        try:
            answer = await asyncio.wrap_future(self._pool.submit(_answer, request))
        except BrokenProcessPool as error:
            # The limit of memory ends the process in the middle of an allocation, that
            # of time by a signal.
            self.close()
            raise _too_much(self._limits) from error
        if answer.memory > _RENEWED_FROM:
            # What a process has taken once it seldom gives back.
            self.close()
        return answer

    def close(self) -> None:
        """End the worker; the next heavy request has a new one."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)


def _kind_of(scope: Scope) -> str | None:
    """Tell what may be heavy about a request: its body, or what it imports."""
    method = cast("dict[str, Any]", scope).get("method")
    if method not in {"POST", "PUT", "PATCH"}:
        return None
    path = scope["path"]
    if _IMPORTS.fullmatch(path):
        return "import"
    if not _BODIES.match(path):
        return None
    length = _announced(scope)
    if length is not None:
        return "body" if length > LIGHT_BODY else None
    # Without a length a body may have any.
    return "body" if b"transfer-encoding" in dict(scope["headers"]) else None


def _announced(scope: Scope) -> int | None:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else None


@asynccontextmanager
async def _taken(semaphore: asyncio.Semaphore) -> AsyncGenerator[None]:
    """Wait for a turn, but not for ever."""
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            await semaphore.acquire()
    except TimeoutError:
        raise come_again(_BUSY) from None
    try:
        yield
    finally:
        semaphore.release()


async def _whole_body(receive: Receive, limit: int) -> bytes:
    found = bytearray()
    while True:
        message = await receive()
        found += cast("bytes", message.get("body", b""))
        if len(found) > limit:
            raise too_large(f"The body is over the limit of {limit} bytes.")
        if not message.get("more_body"):
            return bytes(found)


def _replayed(pieces: list[bytes], receive: Receive) -> Receive:
    """Give the pieces of a body again, and then what else comes."""
    waiting = list(pieces)

    async def again() -> Any:
        if not waiting:
            return await receive()
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    return again


def _portable(scope: Scope) -> dict[str, Any]:
    names = ("type", "asgi", "http_version", "server", "client", "scheme", "root_path")
    more = ("method", "path", "raw_path", "query_string", "headers")
    # What can be pickled; the rest of a scope belongs to this process.
    return {name: scope[name] for name in (*names, *more)}  # type: ignore[literal-required]


def _refused(path: str, error: DeliveryError, memory: int = 0) -> _Answer:
    status = error.status or 500
    problem = problem_of(path, status, error.message, error.issues, error.code)
    headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(math.ceil(error.retry_after)).encode()))
    # The rest of a body that was not read would be taken for the next request.
    headers.append((b"connection", b"close"))
    return _Answer(status, headers, msgspec.json.encode(problem), memory)


def _too_much(limits: _Limits) -> DeliveryError:
    return too_large(
        f"The request needs more than the {limits.memory >> 20} MiB of memory or the "
        f"{limits.seconds} s of processor time that one may take. Send it in parts."
    )


# Of the worker: its application, which lives as long as the process.
_apps: dict[str, tuple[Litestar, _Limits]] = {}


def _open_store(
    opening: StoreOpening, settings: ServerSettings, limits: _Limits
) -> None:
    if sys.platform == "linux":
        import resource  # Windows has none

        # RLIMIT_DATA and not RLIMIT_AS: mapped files and libraries should not count.
        resource.setrlimit(resource.RLIMIT_DATA, (limits.memory, limits.memory))
    threading.Thread(target=_end_with_server, daemon=True).start()
    # Decoded bodies have no cycles; looking for some takes longer than decoding.
    gc.disable()
    store = RunStore.open(**attrs.asdict(opening, recurse=False))
    # Counted at the door already, where the request came in.
    app = create_app(store, attrs.evolve(settings, requests_per_minute=None))
    _apps[_MAIN] = (app, limits)


def _end_with_server() -> None:
    # A server that is killed, or ended by a signal, tells its worker nothing. That
    # would wait for the next request for ever, with the store open.
    server = parent_process()
    if server is not None:
        server.join()
        # At once: its locks and files go with it.
        os._exit(1)


def _limit_time(seconds: int) -> None:
    if sys.platform == "linux":
        import resource

        # The limit is one of the process, which has answered others before.
        used = resource.getrusage(resource.RUSAGE_SELF)
        end = math.ceil(used.ru_utime + used.ru_stime) + seconds
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        if most != resource.RLIM_INFINITY:
            end = min(end, most)
        resource.setrlimit(resource.RLIMIT_CPU, (end, most))


def _answer(request: _Request) -> _Answer:
    app, limits = _apps[_MAIN]
    _limit_time(limits.seconds)
    try:
        with Path(request.body).open("rb") as stream:
            answer = asyncio.run(_asked_here(cast("ASGIApp", app), request, stream))
    except MemoryError:
        # Decoding failed within the limit, and the process is still in order.
        return _refused(request.scope["path"], _too_much(limits), limits.memory)
    return attrs.evolve(answer, memory=_peak())


async def _asked_here(app: ASGIApp, request: _Request, stream: IO[bytes]) -> _Answer:
    sent: list[Any] = []

    async def receive() -> Any:
        # In one piece: the framework would join several, and hold both meanwhile.
        return {"type": "http.request", "body": stream.read(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Any = {**request.scope, "state": {}}
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return _Answer(sent[0]["status"], list(sent[0]["headers"]), body, 0)


def _peak() -> int:
    if sys.platform != "linux":
        return 0
    import resource  # Windows has none

    # The system counts in KiB on Linux.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
