"""What a destination does; a plugin implements the first, and more where it can."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import IO, NamedTuple, Protocol, runtime_checkable

from rigbridge.destinations.deliveries import (
    Consignment,
    Outcome,
    PreparedItem,
    Progress,
    Receipt,
)
from rigbridge.destinations.measured_rows import RunRows
from rigbridge.destinations.selection import RunSelection
from rigbridge.destinations.settings import DestinationSettings
from rigbridge.errors import DeliveryError, RunProblemsError
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import ListedRun

__all__ = [
    "BatchDestination",
    "BulkDestination",
    "CountingDestination",
    "Destination",
    "Preparer",
    "ReadableDestination",
    "ReplacingDestination",
    "ResumableDestination",
    "RunSize",
    "ShowingDestination",
]


class RunSize(NamedTuple):
    """
    How much of a run a store holds.

    Attributes:
        id: the id under which the store knows it.
        measurements: how many.
        attachments: how many files.
    """

    id: str
    measurements: int
    attachments: int


@runtime_checkable
class Destination(Protocol):
    """
    A run store.

    Every method may raise a :class:`~rigbridge.errors.DeliveryError`, whose type
    names the recovery, and :class:`~rigbridge.errors.RunProblemsError` for a run
    that no store would take. A plugin is a class that is made with
    :class:`DestinationSettings`. One with settings of its own names their attrs class
    as ``settings_type`` and finds them in ``settings.own``.
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


# Asked at run time, here and below: a plugin says by its methods what it can do, and
# need not import a class of ours for it.
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
class Preparer(Protocol):
    """Brings runs into the form in which a destination takes them; can be pickled."""

    def prepare(self, run: Run, report: ConversionReport) -> PreparedItem:
        """
        Do all that needs no word with the store.

        What it writes, such as attachments, must do no harm if the item is never
        stored, and if it is prepared again.

        Args:
            run: the run; its attachments can be opened only until this returns.
            report: what its reading recorded; is added to.

        Raises:
            RunProblemsError: no store would take the run.
            DeliveryError: this one would not, or cannot be reached.
        """
        ...


@runtime_checkable
class BulkDestination(Destination, Protocol):
    """
    A destination for which other processes prepare runs, and one stores them.

    That is worth it for a store that is as fast as a reader. What else a destination
    does needs no process but the one that sends.
    """

    def preparer(self) -> Preparer:
        """Give what prepares runs; it is sent to other processes."""
        ...

    def store_prepared(
        self, items: Sequence[PreparedItem]
    ) -> Sequence[Receipt | DeliveryError | RunProblemsError]:
        """
        Store prepared runs durably, as one group; the same run twice is stored once.

        Returns:
            What came of each, in their order. One that is refused leaves the others
            alone.

        Raises:
            DeliveryError: none of them is stored, and what may be done about it.
        """
        ...


@runtime_checkable
class ReplacingDestination(Destination, Protocol):
    """A destination in which a run can take the place of what was read of it before."""

    def begin_replacing(self) -> None:
        """
        Let stored runs make way for those that come with their id and other content.

        Raises:
            ConfigurationError: the store cannot do that.
            DeliveryError: it cannot be asked for now.
        """
        ...


@runtime_checkable
class ReadableDestination(Destination, Protocol):
    """A destination that can also give back what it holds, as our own store can."""

    def recent_runs(
        self, limit: int, selection: RunSelection | None = None
    ) -> Sequence[ListedRun]:
        """List the runs stored last, newest first; of all runs, or of those meant."""
        ...

    def get_run(self, stored_id: str) -> Run:
        """
        Give back the whole run, equal to the one that was submitted.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    def open_attachment(self, attachment_id: str) -> IO[bytes]:
        """Open the bytes of a stored attachment."""
        ...

    def read_runs(self, selection: RunSelection) -> Iterator[Run | RunProblemsError]:
        """
        Go through the runs that are meant, whole, in the order stored.

        Yields:
            Each run, or why it makes none: what a foreign client has sent may not.
        """
        ...

    def read_rows(
        self, selection: RunSelection
    ) -> Iterator[RunRows | RunProblemsError]:
        """
        Go through the runs that are meant as rows of cells, in the order stored.

        Yields:
            The rows of each run, which may be none, or why it makes no run;
            :func:`rigbridge.export.measurement_rows` makes those of a whole run.
        """
        ...


@runtime_checkable
class ShowingDestination(Destination, Protocol):
    """A destination that may have pages for people."""

    def page_of(self, stored_id: str) -> str | None:
        """Give the address of the page that shows a run; None where there is none."""
        ...


@runtime_checkable
class CountingDestination(Destination, Protocol):
    """A destination that can be asked which runs it holds, and how much of each."""

    def run_sizes(self) -> Iterator[RunSize]:
        """
        Go through all runs, in the order stored.

        Raises:
            ServerUnavailableError: the store cannot be read for now.
        """
        ...

    def damage(self) -> Iterator[str]:
        """
        Go through what is not as it was written, each in a sentence with its remedy.

        Raises:
            ServerUnavailableError: the store cannot be read for now.
        """
        ...
