"""
The contract of a destination: where runs go, and are seen again.

Two ship with rigbridge, offered in the entry-point group ``rigbridge.destinations``:
``local``, the embedded store in process, and ``http``, any run store of the v1
contract.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from rigbridge.errors import DeliveryError
from rigbridge.key_records import KeyRecord
from rigbridge.keys import KeyKind
from rigbridge.model import Attachment, Run
from rigbridge.reporting import ConversionReport
from rigbridge.selection import RunSelection
from rigbridge.upkeep import BackupResult, CheckResult, PruneResult
from rigbridge.wire import ListedRun

if TYPE_CHECKING:
    # The configuration names destinations itself.
    from rigbridge.configuration import Configuration

__all__ = [
    "DESTINATION_GROUP",
    "AttachmentFailure",
    "BatchDestination",
    "Consignment",
    "Destination",
    "DestinationSettings",
    "FileProgress",
    "Linking",
    "Outcome",
    "Progress",
    "ReadableDestination",
    "Receipt",
    "ResumableDestination",
    "Sidecar",
]

DESTINATION_GROUP = "rigbridge.destinations"
"""The entry-point group in which distributions offer their destinations."""


class Sidecar(StrEnum):
    """When what v1 has no field for travels as an attachment ``rigbridge.json``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Linking(StrEnum):
    """Which call links an upload to its run; AUTO finds out and remembers."""

    AUTO = "auto"
    UPDATE = "update"
    SYNC = "sync"


@attrs.frozen(kw_only=True)
class DestinationSettings:
    """
    What a destination may need to know; each uses its part.

    Attributes:
        url: the origin of a run store, with or without ``/api``; None for ``local``.
        api_key: the key for it; never shown.
        data: the folder that holds the embedded store.
        database: the address of a PostgreSQL database that holds its tables, or None.
        attachments: the URL under which it keeps the contents of attachments, or
            None.
        sidecar: when the sidecar travels.
        linking: which call links uploads.
        timeout: seconds that one request may take to connect or to go on.
        connect_timeout: seconds that connecting may take; as ``timeout``, but at most
            ten, where it is None.
        ca_bundle: a PEM file of authorities to trust besides the public ones.
        client_certificate: a PEM file that the store asks of its clients.
        client_key: its private key, where that is a file of its own.
        proxy: the proxy, ``direct`` for none, None for the environment's; never shown,
            since it may hold a password.
        http2: whether HTTP/2 is spoken where a server has it.
        concurrency: how many requests may be on their way at once.
    """

    data: Path
    database: str | None = attrs.field(default=None, repr=False)
    attachments: str | None = attrs.field(default=None, repr=False)
    url: str | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    sidecar: Sidecar = Sidecar.AUTO
    linking: Linking = Linking.AUTO
    timeout: float = 30.0
    connect_timeout: float | None = None
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = attrs.field(default=None, repr=False)
    http2: bool = True
    concurrency: int = 16


@attrs.frozen(kw_only=True)
class AttachmentFailure:
    """
    An attachment that did not arrive.

    Attributes:
        name: the attachment's name.
        error: why; its type says whether trying again can help.
    """

    name: str
    error: DeliveryError


@attrs.frozen(kw_only=True)
class Receipt:
    """
    What a destination did with a run.

    Attributes:
        stored_id: the id under which the store knows the run.
        created: False if the run was there already.
        attached: the names of the attachments that are linked now.
        failures: the attachments that did not arrive, each with its reason.
        url: where a person can look at the run, or None.
        warnings: what the store remarked.
    """

    stored_id: str
    created: bool
    attached: tuple[str, ...] = ()
    failures: tuple[AttachmentFailure, ...] = ()
    url: str | None = None
    warnings: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class FileProgress:
    """
    How far one file of a delivery has come.

    Attributes:
        position: the file's position in the run's attachments, counted from 0; the
            sidecar stands behind the last.
        upload_id: the id of its completed upload, or None.
        linked: whether it is linked to the run.
        refusal: the words in which it was refused for good, or None.
    """

    position: int
    upload_id: str | None = None
    linked: bool = False
    refusal: str | None = None


@attrs.frozen(kw_only=True)
class Progress:
    """
    How far a delivery has come; kept durably between attempts.

    Attributes:
        store: the address that it is about; says nothing about any other store.
        sent: whether a create was sent whose fate is not known for certain.
        not_before: Unix time before which a create that got no answer may still be at
            work in the server, so that it must not be sent again; or None.
        unresolved: whether nobody but a person can tell if the create arrived.
        stored_id: the id under which the store knows the run, once it does.
        url: where a person can look at the run, or None.
        warnings: what the store remarked.
        files: the files that have come some way.
    """

    store: str | None = None
    sent: bool = False
    not_before: float | None = None
    unresolved: bool = False
    stored_id: str | None = None
    url: str | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[FileProgress, ...] = ()

    def file(self, position: int) -> FileProgress:
        """Say how far a file has come."""
        for file in self.files:
            if file.position == position:
                return file
        return FileProgress(position=position)

    def with_file(self, file: FileProgress) -> Progress:
        """Note how far a file has come."""
        return self.with_files((file,))

    def with_files(self, files: Iterable[FileProgress]) -> Progress:
        """Note how far several files have come."""
        known = {file.position: file for file in (*self.files, *files)}
        ordered = sorted(known.values(), key=lambda file: file.position)
        return attrs.evolve(self, files=tuple(ordered))


@attrs.frozen(kw_only=True)
class Consignment:
    """
    A run on its way.

    Attributes:
        run: the run.
        progress: what the attempt before kept; a new one at first.
        keep: makes the progress durable before the next step; None if nobody keeps
            it, and then a store without idempotency keys is asked first whether it
            has the run.
        report: what its reading recorded; travels along, and is added to.
    """

    run: Run
    progress: Progress = attrs.field(factory=Progress)
    keep: Callable[[Progress], Any] | None = None
    report: ConversionReport | None = None


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What came of a consignment: one of ``receipt`` and ``error``.

    Attributes:
        consignment: the consignment.
        receipt: what the store did with it.
        error: why it is not stored, or why nobody can tell for now.
    """

    consignment: Consignment
    receipt: Receipt | None = None
    error: Exception | None = None


@runtime_checkable
class Destination(Protocol):
    """
    A run store.

    Every method may raise a :class:`~rigbridge.errors.DeliveryError`, whose type
    names the recovery, and :class:`~rigbridge.errors.RunProblemsError` for a run
    that no store would take. A plugin is a class that is made with
    :class:`DestinationSettings`.
    """

    def __init__(self, settings: DestinationSettings) -> None:
        """Take the settings; nothing is connected or created yet."""

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """
        Store a run with its attachments; the same run twice is stored once.

        Args:
            run: the run; attachments without bytes are kept by reference.
            report: what its reading recorded; travels along, and is added to.
        """
        ...

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        """Add a file to a stored run; the same file twice is linked once."""
        ...

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """List the runs of a unit, newest first; serial numbers ignore case."""
        ...

    def close(self) -> None:
        """Release connections and files; may be called twice."""
        ...


@runtime_checkable
class ResumableDestination(Destination, Protocol):
    """A destination whose deliveries can be cut at every step and taken up again."""

    def resume(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], None],
        report: ConversionReport | None = None,
    ) -> Receipt:
        """
        Store a run from where an earlier attempt left off.

        Args:
            run: the run, the same at every attempt.
            progress: what the attempt before kept; a new one at first.
            keep: called with the new progress, and returns once that is durable,
                before every step that must not be forgotten. What it raises ends the
                attempt.
            report: as for :meth:`submit`.
        """
        ...


@runtime_checkable
class BatchDestination(Destination, Protocol):
    """A destination that stores many runs faster together than one by one."""

    def submit_many(
        self, consignments: Iterable[Consignment], *, patience: float
    ) -> Generator[Outcome, None, None]:
        """
        Store many runs, as many at a time as is fastest.

        Args:
            consignments: the runs; taken one by one, as there is room for them.
            patience: seconds that the store's wish to be left alone is followed; where
                it asks for more, what is left comes back unsent.

        Yields:
            What came of each, in the order in which they end. No run's error ends the
            others. Closing the generator begins nothing new and waits for the rest.
        """
        ...


@runtime_checkable
class ReadableDestination(Destination, Protocol):
    """A destination that can also give back what it holds, as our own store can."""

    def recent_runs(self, limit: int) -> Sequence[ListedRun]:
        """List the runs stored last, newest first."""
        ...

    def get_run(self, stored_id: str) -> Run:
        """Give back the whole run, equal to the one that was submitted."""
        ...

    def open_attachment(self, attachment_id: str) -> IO[bytes]:
        """Open the bytes of a stored attachment."""
        ...

    def run_ids(self, selection: RunSelection) -> Iterator[str]:
        """Go through the ids of the runs that are meant, in the order stored."""
        ...


@runtime_checkable
class HostedDestination(ReadableDestination, Protocol):
    """A destination that we host ourselves: it has keys, and can be served."""

    def create_key(self, kind: KeyKind, name: str) -> str:
        """Make an API key; it is given once and kept only as a hash."""
        ...

    def list_keys(self) -> Sequence[KeyRecord]:
        """List the API keys, revoked ones too; none shows the key itself."""
        ...

    def revoke_key(self, prefix: str) -> KeyRecord:
        """
        Refuse a key from now on.

        Raises:
            NotFoundError: there is none of that public part.
        """
        ...

    def link_station(self, station: str, procedure: str) -> None:
        """Let a station use a procedure, each by name or id."""
        ...

    def back_up(self, folder: Path) -> BackupResult:
        """
        Copy the running store to a folder, from which it can be used as it is.

        Raises:
            ConfigurationError: the folder cannot be used, or the tables are kept by
                a database server, which has its own backups.
        """
        ...

    def check(self, *, contents: bool = True) -> CheckResult:
        """
        Look for damage.

        Args:
            contents: read every content and compare its digest, too; else only its
                length.
        """
        ...

    def prune(self, before: datetime, *, dry_run: bool = False) -> PruneResult:
        """
        Delete old runs, and the contents that nothing refers to.

        Args:
            before: runs that were before this are deleted.
            dry_run: only count the runs.
        """
        ...

    def serve(
        self,
        *,
        host: str,
        port: int,
        open_stations: bool,
        ready: Callable[[str], None],
        configuration: Configuration | None = None,
    ) -> None:
        """
        Serve the v1 contract over HTTP until interrupted.

        Args:
            host: the address to listen on.
            port: the port; 0 takes any that is free.
            open_stations: let every station use every procedure.
            ready: called with the origin once the server answers.
            configuration: the site's settings, of which ``server`` is for this.

        Raises:
            ConfigurationError: the address cannot be listened on, or is reachable
                from elsewhere while no key exists; or a setting is wrong.
        """
        ...
