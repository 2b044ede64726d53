"""The destination ``http``: any run store of the v1 contract."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence

import attrs
import httpx

from rigbridge.client import operations
from rigbridge.client.connection import BlockingConnection
from rigbridge.client.delivery.batch import PATIENCE, deliver_many
from rigbridge.client.delivery.delivery import address_of, deliver
from rigbridge.client.store_over_http import StoreOverHTTP
from rigbridge.destinations import (
    Consignment,
    DestinationSettings,
    Outcome,
    Progress,
    Receipt,
)
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import ListedRun

__all__ = ["HTTPDestination"]


class HTTPDestination(StoreOverHTTP):
    """
    Brings runs to a run store over HTTP, each once.

    It may be used by several threads. Retrying is left to the outbox; this class
    makes sure that a repeated delivery duplicates nothing. Arguments and errors of
    its methods stand with the protocols of :mod:`rigbridge.destinations`.

    Args:
        settings: the address, the key, the timeout, and when the sidecar travels.
        transport: what carries the requests instead of the network.

    Raises:
        ConfigurationError: no address, or none of http or https.
    """

    def __init__(
        self,
        settings: DestinationSettings,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._sidecar = settings.sidecar
        self._replaces = False
        super().__init__(
            BlockingConnection(
                address_of(settings),
                settings.api_key,
                settings,
                settings.linking,
                transport,
                ledger=settings.data / "deliveries.sqlite",
            )
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._connection.url!r})"

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """
        Store a run with its attachments; the same run twice is stored once.

        A store that does not know idempotency keys is asked first whether it has the
        run; what was sent from this data folder before is known by its ledger. A run
        without a start time that the ledger does not know is sent in any case.

        Args:
            run: the run; attachments without bytes are kept by reference.
            report: what its reading recorded; travels along, and is added to.

        Raises:
            DeliveryError: the run is not stored, or nobody can tell for now.
            RunProblemsError: no store would take it.
        """
        return self._send(Consignment(run=run, report=report))

    def begin_replacing(self) -> None:
        """
        Let stored runs make way for those that come with their id and other content.

        The old one is deleted, which frees its id, and the new one is created. Whoever
        is stopped in between sends the run again.

        Raises:
            ConfigurationError: the store is not ours.
            DeliveryError: it cannot be asked for now.
        """
        self._require_own("its runs cannot be replaced")
        self._replaces = True

    def resume(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], None],
        report: ConversionReport | None = None,
    ) -> Receipt:
        """Store a run from where an earlier attempt left off."""
        return deliver(
            self._connection, run, progress, report, sidecar=self._sidecar, keep=keep
        )

    def submit_many(
        self, consignments: Iterable[Consignment], *, patience: float = PATIENCE
    ) -> Generator[Outcome, None, None]:
        """Store many runs, as many at a time as is fastest."""
        return deliver_many(consignments, self._send, self._connection.limit, patience)

    def _send(self, consignment: Consignment) -> Receipt:
        trial = consignment
        if self._replaces:
            # What a delivery adds to the report must be in it once.
            report = ConversionReport()
            report.merge(consignment.report or ConversionReport())
            trial = attrs.evolve(consignment, report=report)
        receipt = self._deliver(trial)
        if not (self._replaces and receipt.differs):
            return receipt
        # Deleted first, since the store refuses a second run under an id that it has.
        self.remove_run(receipt.stored_id)
        # The old progress names the run that has just been deleted.
        again = self._deliver(attrs.evolve(consignment, progress=Progress()))
        return attrs.evolve(again, created=False, differs=True, replaced=True)

    def _deliver(self, consignment: Consignment) -> Receipt:
        return deliver(
            self._connection,
            consignment.run,
            consignment.progress,
            consignment.report,
            sidecar=self._sidecar,
            keep=consignment.keep,
        )

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        """
        Add a file to a stored run.

        The same file twice is linked once as far as the ledger of the data folder
        knows; v1 cannot be asked what is attached.

        Raises:
            DeliveryError: the store did not take it.
        """
        self._connection.drive(self._connection.attach(stored_id, attachment))

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """List the runs of a unit, newest first."""
        return self._connection.drive(operations.list_runs(serial_number))

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._connection.close()
