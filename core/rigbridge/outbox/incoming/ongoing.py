"""
Runs that still go on: what is known of each, should its process be killed.

Each process that records has a folder of its own in ``spool``, under a lock that ends
with the process. In it each run has a journal, to which a line is appended whenever a
phase begins or ends, or has measured for a while. The journal goes when the run is
handed over. Whoever opens the outbox hands over the runs in folders that nobody locks
any more, as ABORTED; the agent looks now and then.

A line is flushed and not synced: a test never waits for the disk. A kill costs nothing
that is in the journal; a power cut may cost the last seconds.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
import time
import weakref
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from uuid import UUID, uuid4

import attrs
import msgspec

from rigbridge.errors import MalformedSourceError, RigbridgeError
from rigbridge.kept import decode_with_files, encode_run
from rigbridge.machine.folders import make_folder, share
from rigbridge.machine.sqlite_files import LOCK_FILE, lock_folder
from rigbridge.model import FileOpener, LogEntry, LogLevel, Run, RunOutcome
from rigbridge.model.report import ConversionReport, Place
from rigbridge.outbox.incoming.draft import ItemDraft
from rigbridge.outbox.incoming.folder import IncomingFolder
from rigbridge.outbox.incoming.item import RUN_KIND, ItemContent
from rigbridge.outbox.incoming.runs import write_run

__all__ = ["OngoingRuns", "take_up_ended"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_SPOOL = "spool"
_JOURNAL = ".jsonl"
# Whoever looks whether a folder is in use holds its lock for as long as that takes.
_PATIENCE = 2.0
# A folder without journals may be one that its process has just made.
_ABANDONED = 24 * 3600.0


@attrs.frozen(kw_only=True)
class _JournalLine:
    """What was known of a run at some moment, and where the run was to go."""

    destination: str | None
    content: msgspec.Raw
    ended: bool = False


_decoder = msgspec.json.Decoder(_JournalLine)


class OngoingRuns:
    """
    The journals of the runs that one process records. Nothing here raises an error.

    A run whose journal cannot be written is recorded all the same.

    Args:
        kind: the first part of the folder's name, for a person who looks at it.
        own: the rest of its name, which no other process gives.
    """

    def __init__(
        self, data: Path, kind: str, own: UUID, destination: str | None
    ) -> None:
        self.folder = data / _SPOOL / f"{kind}-{own}"
        self._destination = destination
        self._lock: sqlite3.Connection | None = None
        self._owner = os.getpid()
        self._going: set[UUID] = set()
        self._closing = False
        self._complained = False
        # Runs of one session may go on in several threads.
        self._guard = threading.Lock()

    def begin(self, run_id: UUID) -> Path | None:
        """
        Have a run go on; its journal is there from its first line.

        Returns:
            The folder, in which its files may be laid; None if it cannot be made.
        """
        with self._guard:
            self._going.add(run_id)
            # Somebody may clean the data folder up: files of runs must have a place.
            if self._lock is None or not self.folder.is_dir():
                try:
                    self._lock = self._made()
                except (OSError, sqlite3.Error) as error:
                    self._complain(error)
                    return None
            return self.folder

    def _made(self) -> sqlite3.Connection:
        if self._lock is not None:
            self._lock.close()
        make_folder(self.folder.parent)
        # For its owner alone, as an item that is handed over is.
        self.folder.mkdir(mode=0o700, exist_ok=True)
        share(self.folder)
        lock = lock_folder(self.folder, _PATIENCE)
        # A run that was never handed over keeps the lock; with this object it goes.
        weakref.finalize(self, lock.close)
        with suppress(OSError):
            share(self.folder / LOCK_FILE)
        return lock

    def note(self, part: Run) -> None:
        """
        Append what is new of a run: at most one phase, logs, attachments.

        A phase of the same name, path and start replaces what was noted with it before.
        The rest of the run is as the last line says.
        """
        self._append(part, ended=False)

    def keep(self, run: Run) -> bool:
        """
        Keep a whole run that could be handed over nowhere, for whoever comes next.

        Returns:
            Whether it is in the journal now.
        """
        return self._append(run, ended=True)

    def _append(self, part: Run, *, ended: bool) -> bool:
        if part.id not in self._going and self.begin(part.id) is None:
            return False
        files = [self._name(item.opener) for item in part.attachments]
        path = self._journal(part.id)
        try:
            content = encode_run(part, None, files)
            line = _JournalLine(
                destination=self._destination,
                content=msgspec.Raw(content),
                ended=ended,
            )
            # Opened each time: runs of many units would hold as many descriptors.
            with path.open("ab", buffering=0) as stream:
                if not stream.tell():
                    share(path)
                stream.write(msgspec.json.encode(line) + b"\n")
        except (RigbridgeError, OSError) as error:
            self._complain(error)
            return False
        return True

    def _name(self, opener: object) -> str | None:
        if isinstance(opener, FileOpener) and opener.path.is_relative_to(self.folder):
            return opener.path.relative_to(self.folder).as_posix()
        return None

    def _journal(self, run_id: UUID) -> Path:
        return self.folder / f"{run_id}{_JOURNAL}"

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            _LOGGER.warning("a kill would cost the runs that go on: %s", error)

    def end(self, run_id: UUID) -> None:
        """Forget a run that was handed over, or that there is not after all."""
        with suppress(OSError):
            self._journal(run_id).unlink(missing_ok=True)
        with self._guard:
            self._going.discard(run_id)
            self._release()

    def close(self) -> None:
        """Remove the folder, as soon as no run goes on any more."""
        with self._guard:
            self._closing = True
            self._release()

    def _release(self) -> None:
        # While a run goes on the lock stays: nobody else may hand it over.
        if self._lock is None or not self._closing or self._going:
            return
        # The child of a fork has the object as well; the folder is its parent's.
        if os.getpid() != self._owner:
            return
        self._lock.close()
        self._lock = None
        shutil.rmtree(self.folder, ignore_errors=True)


def take_up_ended(incoming: IncomingFolder) -> int:
    """
    Hand over the runs of processes that are gone, as ABORTED.

    A run keeps its id: one that was handed over already is not handed over again.

    Args:
        incoming: where to; the journals are in the data folder around it.

    Returns:
        How many runs were handed over. What cannot be read or written is logged, and
        stays where it is.
    """
    taken = 0
    for lock_file in (incoming.folder.parent / _SPOOL).glob(f"*/{LOCK_FILE}"):
        folder = lock_file.parent
        try:
            lock = lock_folder(folder)
        except sqlite3.Error:
            continue  # its process lives
        with closing(lock):
            journals = sorted(folder.glob(f"*{_JOURNAL}"))
            taken += sum(_take_up(journal, incoming) for journal in journals)
            is_done = bool(journals) or _is_abandoned(lock_file)
            is_done = is_done and not any(folder.glob(f"*{_JOURNAL}"))
        if is_done:
            shutil.rmtree(folder, ignore_errors=True)
    return taken


def _is_abandoned(lock_file: Path) -> bool:
    try:
        return lock_file.stat().st_mtime < time.time() - _ABANDONED
    except OSError:
        return False


def _take_up(journal: Path, incoming: IncomingFolder) -> bool:
    report = ConversionReport()
    try:
        run, destination = _read(journal, report)
        write_run(incoming, run, report, destination=destination)
        journal.unlink()
    except RigbridgeError as error:
        _LOGGER.error("no run is left in a journal, which stays: %s", error)  # noqa: TRY400 - the text says it all
        try:
            _set_aside(journal, incoming, str(error))
        except OSError as other:
            _LOGGER.warning("it waits in %s: %s", journal, other)
        return False
    except OSError as error:
        _LOGGER.warning("a run that was cut short waits in %s: %s", journal, error)
        return False
    _LOGGER.warning("run %s of a process that is gone is %s", run.id, run.outcome)
    return True


def _set_aside(journal: Path, incoming: IncomingFolder, reason: str) -> None:
    """Make a damaged journal, with the files beside it, an item that is refused."""

    def fill(draft: ItemDraft) -> ItemContent:
        draft.add_settled(journal)
        for path in sorted(journal.parent.rglob("*")):
            beside = path.suffix != _JOURNAL and path.name != LOCK_FILE
            if beside and path.is_file():
                draft.add_settled(path)
        return ItemContent(kind=RUN_KIND, content=b"null")

    # Not the id of its run, which may have been handed over before it was damaged.
    made = uuid4()
    incoming.write(made, fill)
    journal.unlink()
    item = incoming.find(made)
    if item is not None:
        incoming.refuse(
            item,
            f"{reason}; the journal is {item.folder / 'file-1'}, files of its run may "
            "be those beside it: 'rigbridge outbox drop' removes them",
        )


def _read(journal: Path, report: ConversionReport) -> tuple[Run, str | None]:
    def file(name: str) -> Path | None:
        # Somebody may have edited the journal: only what lies in its folder.
        path = (journal.parent / name).resolve()
        inside = path.is_relative_to(journal.parent.resolve())
        return path if inside and path.is_file() else None

    parts: dict[object, Run] = {}
    problems: list[LogEntry] = []
    destination: str | None = None
    broken: RigbridgeError = MalformedSourceError("is empty", source=str(journal))
    with journal.open("rb") as stream:
        for number, text in enumerate(stream, 1):
            try:
                line = _decoder.decode(text)
                part = decode_with_files(
                    bytes(line.content), file, report, durable=False
                )
            except (RigbridgeError, msgspec.MsgspecError) as error:
                place = Place(line=number)
                broken = MalformedSourceError(
                    f"is cut off or damaged, what it held is lost: {error}",
                    source=str(journal),
                    place=str(place),
                )
                report.dropped(
                    "line of a journal", "is cut off or damaged", place=place
                )
                _LOGGER.warning("%s", broken)
                problems.append(_entry(str(broken)))
                continue
            destination = line.destination
            if line.ended:
                return part, destination
            phases = [(each.path, each.name, each.started_at) for each in part.phases]
            parts[tuple(phases) or number] = part
    if not parts:
        raise broken
    return _joined(list(parts.values()), problems), destination


def _joined(parts: list[Run], problems: list[LogEntry]) -> Run:
    # The last line knows the most of everything that is not listed.
    return attrs.evolve(
        parts[-1],
        outcome=RunOutcome.ABORTED,
        phases=tuple(chain.from_iterable(part.phases for part in parts)),
        logs=(
            *chain.from_iterable(part.logs for part in parts),
            _entry(
                "the process that recorded this run was gone before its end (killed, "
                "or without power); this is what its journal holds"
            ),
            *problems,
        ),
        attachments=tuple(chain.from_iterable(part.attachments for part in parts)),
        ended_at=max((part.ended_at for part in parts if part.ended_at), default=None),
    )


def _entry(message: str) -> LogEntry:
    return LogEntry(level=LogLevel.ERROR, message=message, time=datetime.now(UTC))
