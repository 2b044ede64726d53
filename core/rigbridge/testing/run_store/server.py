"""
A run store of the v1 contract on loopback that fails on demand, for tests.

It is a real HTTP server, made of the standard library alone, and records what it truly
stored, whatever it answered::

    with RunStoreServer() as server:
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        deliver(run, to=server.url)
        assert len(server.runs) == 1
"""

from __future__ import annotations

import random
import ssl
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import attrs

from rigbridge.testing.run_store.calls import Contents
from rigbridge.testing.run_store.faults import Dialect, Fault, Injection, Operation
from rigbridge.testing.run_store.http import Listener
from rigbridge.testing.run_store.records import (
    ReceivedRequest,
    ReceivedUpload,
    StoredRun,
)

__all__ = ["RunStoreServer"]


_OF_BYTES = frozenset({Fault.EXPIRED_UPLOAD_URL, Fault.TRUNCATED_UPLOAD})


@attrs.define(kw_only=True)
class _Chances:
    """Faults that befall calls at random."""

    faults: Sequence[Fault]
    chance: float
    seconds: float
    random: random.Random

    def draw(self, operation: Operation) -> Injection | None:
        """Draw what befalls a call; as many numbers are used for each."""
        # Both are drawn for each call, so that a seed gives the same faults whatever
        # the calls are.
        fails = self.random.random() < self.chance
        fault = self.random.choice(self.faults)
        if not fails or (fault in _OF_BYTES and operation is not Operation.STORE):
            return None
        return Injection(
            fault=fault, operation=operation, times=0, seconds=self.seconds
        )


class RunStoreServer:
    """
    A run store that fails on demand.

    Args:
        dialect: how it differs from other servers; a stock one by default.
        api_key: the key that it takes.
        tls: makes it speak HTTPS, with the certificate of this context.
    """

    def __init__(
        self,
        dialect: Dialect | None = None,
        *,
        api_key: str = "key-of-the-rig",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tls = tls
        self.api_key = api_key
        self.contents = Contents(dialect or Dialect())
        self.requests: list[ReceivedRequest] = []
        self.problems: list[BaseException] = []
        self.stopping = threading.Event()
        self._injections: list[Injection] = []
        self._chances: _Chances | None = None
        self._lock = threading.Lock()
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        # The error of the test itself says more.
        if self.problems and error is None:
            raise self.problems[0]

    def start(self) -> None:
        """Listen; after a stop on the same port as before."""
        self.stopping.clear()
        self._listener = Listener(self, self._port)
        # A client that knows the address must find the server there again.
        self._port = self._listener.server_address[1]
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def stop(self) -> None:
        """Close every connection, and refuse new ones; what is stored stays."""
        listener, self._listener = self._listener, None
        if listener is None or self._thread is None:
            return
        self.stopping.set()
        listener.shutdown()
        self._thread.join()
        # Connections that are kept open would let a stopped store go on answering.
        listener.hang_up()
        listener.server_close()

    @contextmanager
    def refusing(self) -> Generator[None, None, None]:
        """Refuse all connections for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @property
    def origin(self) -> str:
        """The origin, without ``/api``."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address for a client."""
        return self.origin

    @property
    def sub_units(self) -> dict[str, list[str]]:
        """What units were said to be made of."""
        return dict(self.contents.sub_units)

    @property
    def runs(self) -> list[StoredRun]:
        """The runs that it holds, in the order of their creation."""
        return list(self.contents.runs)

    @property
    def uploads(self) -> list[ReceivedUpload]:
        """The uploads that it was asked for, in order."""
        return list(self.contents.uploads.values())

    def attachments(self, run_id: str) -> list[tuple[str, bytes]]:
        """Give the names and bytes of what is linked to a run, in that order."""
        linked = [
            self.contents.uploads[upload_id]
            for run in self.contents.runs
            if run.id == run_id
            for upload_id in run.uploads
        ]
        return [(upload.name, upload.content or b"") for upload in linked]

    def count(self, operation: Operation) -> int:
        """Count the requests for a call, failed ones included."""
        return sum(request.operation == operation for request in self.requests)

    def inject(
        self,
        fault: Fault,
        *,
        on: Operation | None = None,
        times: int = 1,
        seconds: float = 0.0,
    ) -> None:
        """
        Have the next calls fail.

        Args:
            fault: how.
            on: which call; any by default.
            times: how many of them.
            seconds: what ``Retry-After`` says, or how long a slow one takes.
        """
        with self._lock:
            self._injections.append(
                Injection(fault=fault, operation=on, times=times, seconds=seconds)
            )

    def inject_at_random(
        self,
        faults: Sequence[Fault],
        *,
        chance: float,
        seed: int,
        seconds: float = 0.0,
    ) -> None:
        """
        Have calls fail at random until :meth:`heal`, the same way for the same seed.

        Args:
            faults: those to choose from; EXPIRED_UPLOAD_URL and TRUNCATED_UPLOAD
                befall nothing but PUTs of bytes.
            chance: the share of calls that fail, 0 to 1.
            seed: of the generator.
            seconds: as for :meth:`inject`.
        """
        with self._lock:
            self._chances = _Chances(
                faults=tuple(faults),
                chance=chance,
                seconds=seconds,
                random=random.Random(seed),  # noqa: S311 - to be repeatable
            )

    def heal(self) -> None:
        """Forget all faults that still wait."""
        with self._lock:
            self._injections.clear()
            self._chances = None

    def next_fault(self, operation: Operation) -> Injection | None:
        """Take the fault that befalls a call, if one does."""
        with self._lock:
            for injection in self._injections:
                fits = injection.operation in (None, operation)
                if injection.fault is Fault.TRUNCATED_UPLOAD:
                    fits = fits and operation is Operation.STORE
                if fits and injection.times > 0:
                    injection.times -= 1
                    return injection
            return None if self._chances is None else self._chances.draw(operation)

    def has(self, operation: Operation | None) -> bool:
        """Whether there is such a call in this dialect."""
        dialect = self.contents.dialect
        return operation is not None and not (
            (operation is Operation.UPDATE and not dialect.update)
            or (operation is Operation.SYNC and not dialect.sync)
            or (operation is Operation.CAPABILITIES and dialect.capabilities is None)
        )
