"""A watch over the process while an adapter works: state, output, system calls."""

from __future__ import annotations

import csv
import decimal
import gc
import io
import locale
import logging
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, cast

import attrs

__all__ = ["Watched", "watch"]

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
# What changes the file system; the first argument is a path.
_FILE_EVENTS = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.utime",
    "shutil.",
    "tempfile.",
)
# What reaches out of the process, or changes all of it.
_CALLS = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.startfile",
    "os.chdir",
    "os.putenv",
    "os.unsetenv",
    "os.kill",
    "urllib.",
    "http.",
    "ftplib.",
    "smtplib.",
    "webbrowser.",
    "sys.settrace",
    "sys.setprofile",
)


@attrs.define
class Watched:
    """
    What was seen while the watch lasted.

    Attributes:
        folder: may be written to.
        state: what of the process is another than before.
        calls: what was asked of the system.
        output: what was written to the standard streams.
    """

    folder: Path
    state: list[str] = attrs.field(factory=list[str])
    calls: list[str] = attrs.field(factory=list[str])
    output: str = ""


_watching: ContextVar[Watched | None] = ContextVar("rigbridge_watch", default=None)
_installed = threading.Lock()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    watched = _watching.get()
    if watched is None:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = bool(set(mode or "") & set("wax+")) or bool((flags or 0) & _WRITING)
        if writes and _is_foreign(path, watched.folder):
            watched.calls.append(f"open for writing: {path}")
    elif event.startswith(_FILE_EVENTS):
        if _is_foreign(arguments[0], watched.folder):
            watched.calls.append(f"{event}: {arguments[0]}")
    elif event.startswith("sqlite3.connect"):
        # In memory it is a parser; the event of its handle follows that of the path.
        if event == "sqlite3.connect" and arguments != (":memory:",):
            watched.calls.append(f"{event}: {arguments}")
    elif event.startswith(_CALLS):
        watched.calls.append(f"{event}: {arguments}")


def _is_foreign(path: object, folder: Path) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    # isinstance does not tell what a path-like object gives: text or bytes.
    known = cast("str | bytes | os.PathLike[str]", path)
    return not Path(os.fsdecode(known)).absolute().is_relative_to(folder)


def _install() -> None:
    # A hook cannot be taken away again: one for the process, idle outside of a watch.
    if _installed.acquire(blocking=False):
        sys.addaudithook(_audit)


def _set_environment(before: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)


def _logging_state() -> object:
    root = logging.root
    return (
        root.level,
        tuple(root.handlers),
        root.manager.disable,
        logging.raiseExceptions,
    )


def _set_logging(before: Any) -> None:
    level, handlers, disabled, logging.raiseExceptions = before
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers
    logging.disable(disabled)


def _signals() -> dict[int, object]:
    return {int(number): signal.getsignal(number) for number in signal.valid_signals()}


def _set_signals(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if signal.getsignal(number) != handler:
            signal.signal(number, handler)


def _set_warnings(before: Any) -> None:
    warnings.filters[:] = before  # type: ignore[index]


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _set_zone(_: object) -> None:
    if hasattr(time, "tzset"):
        time.tzset()


def _set_path(before: list[str]) -> None:
    sys.path[:] = before


def _nothing(_: object) -> None:
    """Leave what cannot be put back."""


# What is looked at: for a person, how to read it, and how to put it back.
_STATE: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "the environment (os.environ)": (lambda: dict(os.environ), _set_environment),
    "the working directory": (os.getcwd, os.chdir),
    "the locale": (
        lambda: locale.setlocale(locale.LC_ALL),
        lambda before: locale.setlocale(locale.LC_ALL, before),
    ),
    "the time zone (TZ)": (lambda: (time.tzname, time.timezone), _set_zone),
    "logging": (_logging_state, _set_logging),
    "the filters of warnings": (lambda: list(warnings.filters), _set_warnings),
    "the state of random": (random.getstate, random.setstate),
    "csv.field_size_limit": (csv.field_size_limit, csv.field_size_limit),
    "the dialects of csv": (lambda: sorted(csv.list_dialects()), _nothing),
    "the handlers of signals": (_signals, _set_signals),
    "the umask": (_umask, os.umask),
    "the timeout of sockets": (socket.getdefaulttimeout, socket.setdefaulttimeout),
    "the decimal context": (lambda: repr(decimal.getcontext()), _nothing),
    "the limit of recursion": (sys.getrecursionlimit, sys.setrecursionlimit),
    "the switch interval": (sys.getswitchinterval, sys.setswitchinterval),
    "the digits of integers": (sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    "the garbage collector": (
        lambda: (gc.isenabled(), gc.get_threshold()),
        lambda before: gc.enable() if before[0] else None,
    ),
    "sys.path": (lambda: list(sys.path), _set_path),
    "sys.excepthook": (lambda: sys.excepthook, partial(setattr, sys, "excepthook")),
    "tempfile.tempdir": (
        lambda: tempfile.tempdir,
        partial(setattr, tempfile, "tempdir"),
    ),
    "the threads": (lambda: {each.ident for each in threading.enumerate()}, _nothing),
}


@contextmanager
def watch(folder: Path) -> Generator[Watched]:
    """
    Watch the process, and put back what is changed.

    Args:
        folder: may be written to; no other place.
    """
    _install()
    watched = Watched(folder.absolute())
    tempfile.gettempdir()
    # What an earlier test left deletes its files once it is collected: not in here.
    gc.collect()
    quiet, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    last_resort, logging.lastResort = logging.lastResort, None
    handlers = list(logging.root.handlers)
    # With handlers, as a test run has them, basicConfig() would do nothing.
    logging.root.handlers[:] = []
    before = {name: read() for name, (read, _) in _STATE.items()}
    try:
        with _captured(folder, watched), _threads_noted(watched):
            token = _watching.set(watched)
            try:
                yield watched
            finally:
                _watching.reset(token)
    finally:
        # In this order: the time zone follows from the environment.
        for name, (read, restore) in _STATE.items():
            if read() != before[name]:
                watched.state.append(name)
                with suppress(OSError, ValueError, TypeError):
                    restore(before[name])
        logging.root.handlers[:] = handlers
        logging.lastResort = last_resort
        sys.dont_write_bytecode = quiet


@contextmanager
def _threads_noted(watched: Watched) -> Generator[None]:
    """Note each thread that is started; Python audits that from 3.12 on only."""
    start = threading.Thread.start

    def noted(thread: threading.Thread) -> None:
        watched.calls.append(f"a thread: {thread.name}")
        start(thread)

    kind: Any = threading.Thread
    kind.start = noted
    try:
        yield
    finally:
        kind.start = start


@contextmanager
def _captured(folder: Path, watched: Watched) -> Generator[None]:
    """Take what is written to the standard streams, and to their descriptors below."""
    streams = sys.stdout, sys.stderr
    written = io.StringIO()
    with tempfile.TemporaryFile(dir=folder) as file:
        kept: list[tuple[int, int]] = []
        for stream in streams:
            with suppress(Exception):
                stream.flush()
        for number in (1, 2):
            # A process without a terminal may have no such descriptor.
            with suppress(OSError):
                kept.append((number, os.dup(number)))
                os.dup2(file.fileno(), number)
        sys.stdout = sys.stderr = written
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams
            for number, copy in kept:
                os.dup2(copy, number)
                os.close(copy)
            file.seek(0)
            below = file.read().decode(errors="replace")
            watched.output = written.getvalue() + below
