"""The blocking client of a run store of the v1 contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import IO, Self
from uuid import UUID

import httpx

from rigbridge.client import operations
from rigbridge.client.connection import BlockingConnection
from rigbridge.client.delivery.delivery import (
    checked_body,
    checked_run,
    deliver,
    file_to_attach,
    stored_id_of,
)
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.transport import calls
from rigbridge.destinations import ConnectionSettings, Linking, Progress, Sidecar
from rigbridge.model import Attachment, JSONObject, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import CreateRun

__all__ = ["Client"]


class Client:
    """
    Speaks with one run store over a pool of connections.

    Nothing is connected before the first call. The client repeats nothing by itself
    but the request for an upload address that has expired; whoever calls it decides
    by the type of the error. It may be used by several threads, and by the child
    after a fork. :class:`~rigbridge.client.async_client.AsyncClient` has the same
    methods for programs with an event loop.

    Example::

        with Client("https://store.example.com", api_key) as client:
            run_id = client.submit(run)
            client.attach(run_id, "scope.png")
            runs = client.runs("SN-0001")

    Args:
        url: the origin of the store, with or without ``/api``.
        api_key: the key, or None to send none.
        timeout: seconds that connecting, sending and every wait for bytes may take;
            short for a ``connection`` of that timeout.
        linking: which call links uploads; AUTO finds out and remembers.
        sidecar: when what v1 has no field for travels as an attachment.
        connection: how connections are made: authorities, certificates, proxies.
        transport: what carries the requests instead of the network.

    Raises:
        ConfigurationError: an address without http or https, or a key that no header
            can hold.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        linking: Linking = Linking.AUTO,
        sidecar: Sidecar = Sidecar.AUTO,
        connection: ConnectionSettings | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        settings = connection or ConnectionSettings(timeout=timeout)
        self._sidecar = sidecar
        self._connection = BlockingConnection(
            url, api_key, settings, linking, transport
        )
        self.url = self._connection.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._connection.close()

    def submit(self, run: Run, report: ConversionReport | None = None) -> str:
        """
        Store a run with its attachments; the same run twice is stored once.

        The run is converted to the body of a request, created, and its files are sent
        and linked. A store that does not know idempotency keys is asked first whether
        it has the run; there a run without a start time is sent in any case, unless
        this client sent it before.

        Args:
            run: the run; attachments without bytes are kept by reference.
            report: what its reading recorded; travels along, and is added to.

        Returns:
            The id under which the store knows the run.

        Raises:
            DeliveryError: the run is not stored, nobody can tell for now, or it is
                stored and one of its files is not, which the message then says.
            RunProblemsError: no store would take it.
        """
        receipt = deliver(
            self._connection,
            checked_run(run),
            Progress(),
            report,
            sidecar=self._sidecar,
        )
        return stored_id_of(receipt)

    def attach(
        self,
        run_id: str | UUID,
        file: str | os.PathLike[str] | Attachment,
        *,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """
        Add a file to a stored run; the same file twice is linked once.

        v1 cannot be asked which files a run has, so this holds for one client.

        Args:
            run_id: the id under which the store knows the run.
            file: the path of the file, or an attachment with bytes.
            name: the name to show; the file's own by default.
            media_type: its media type; guessed from the name by default.

        Raises:
            FileUnreadableError: the file cannot be read; it is an ``OSError``, too.
            DeliveryError: the store did not take it.
        """
        attachment = file_to_attach(file, name, media_type)
        self._connection.drive(self._connection.attach(str(run_id), attachment))

    def runs(self, serial_number: str) -> list[ReceivedRun]:
        """List all the runs of a unit, newest first: short for :meth:`list_runs`."""
        return self.list_runs(serial_number)

    def create_run(
        self, body: CreateRun, *, idempotency_key: UUID | None
    ) -> calls.CreateAnswer:
        """
        Create a run from the body of a request; :meth:`submit` takes a whole run.

        Args:
            body: the body.
            idempotency_key: by which a store that knows it answers a repetition.

        Returns:
            The answer; its ``id`` is always set, also where an older server gives it
            only within a URL.

        Raises:
            DeliveryError: the store did not take it, or gave no answer; then the run
                may or may not exist.
        """
        call = calls.create_run(checked_body(body), idempotency_key=idempotency_key)
        return self._connection.perform(call)

    def list_runs(self, serial_number: str) -> list[ReceivedRun]:
        """
        List all the runs of a unit, newest first.

        Raises:
            DeliveryError: the store gave no list.
        """
        return self._connection.drive(operations.list_runs(serial_number))

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
        return self._connection.drive(operations.upload(name, media_type, size, opener))

    def link(self, run_id: str | UUID, upload_ids: Sequence[str]) -> None:
        """
        Link completed uploads to a run; doing so twice is no error.

        Raises:
            DeliveryError: the store did not link them.
        """
        self._connection.drive(self._connection.link(str(run_id), upload_ids))

    def delete_run(self, run_id: str | UUID) -> None:
        """
        Delete a run.

        Raises:
            DeliveryError: the store did not delete it.
        """
        self._connection.perform(calls.delete_run(run_id))

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
        return self._connection.perform(calls.import_upload(upload_id, importer))

    def update_unit(self, serial_number: str, sub_units: Sequence[str]) -> None:
        """
        Say which units a unit is made of.

        Args:
            serial_number: the unit.
            sub_units: the serial numbers of its parts; each must exist.

        Raises:
            DeliveryError: the store refused, for instance a cycle.
        """
        self._connection.perform(calls.update_unit(serial_number, sub_units))

    def capabilities(self) -> JSONObject | None:
        """
        Say what the store can do beyond v1; it is asked once.

        Returns:
            What it says, or None for a store that is not of our kind.

        Raises:
            NoAnswerError: the store cannot be reached.
        """
        return self._connection.drive(self._connection.ask_capabilities())
