"""
The contract of a destination: where runs go, and are seen again.

Two ship with rigbridge, offered in the entry-point group ``rigbridge.destinations``:
``local``, the embedded store in process, and ``http``, any run store of the v1
contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

import attrs

from rigbridge.errors import DeliveryError
from rigbridge.model import Attachment, Run
from rigbridge.reporting import ConversionReport
from rigbridge.wire import ListedRun

__all__ = [
    "DESTINATION_GROUP",
    "AttachmentFailure",
    "Destination",
    "DestinationSettings",
    "Linking",
    "ReadableDestination",
    "Receipt",
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
        sidecar: when the sidecar travels.
        linking: which call links uploads.
        timeout: seconds that one request may take to connect or to go on.
    """

    data: Path
    url: str | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    sidecar: Sidecar = Sidecar.AUTO
    linking: Linking = Linking.AUTO
    timeout: float = 30.0


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
