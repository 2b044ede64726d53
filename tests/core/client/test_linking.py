"""Files that went up are linked to their run."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO
from uuid import uuid4

import pytest

from rigbridge.client import Client
from rigbridge.destinations import Linking
from rigbridge.errors import (
    NotFoundError,
    UnexpectedAnswerError,
)
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import CreateRun, WireUnit

Serve = Callable[..., RunStoreServer]
Connect = Callable[..., Client]


def _body(serial_number: str = "SN-1") -> CreateRun:
    return CreateRun(
        unit_under_test=WireUnit(serial_number=serial_number),
        run_passed=True,
        procedure_name="Final test",
    )


def _opener(content: bytes) -> Callable[[], IO[bytes]]:
    return lambda: io.BytesIO(content)


class TestLink:
    """Linking uploads to runs."""

    def _prepare(self, client: Client) -> tuple[str, list[str]]:
        run_id = client.create_run(_body(), idempotency_key=None).id
        assert run_id is not None
        uploads = [client.upload(f"{n}", None, 1, _opener(b"1")) for n in range(2)]
        return run_id, uploads

    def test_the_update_links_all_at_once(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A server with both calls is asked once."""
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads)
        assert server.runs[0].uploads == uploads
        assert server.count(Operation.UPDATE) == 1
        assert server.count(Operation.SYNC) == 0

    def test_linking_twice_is_no_error(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A repeated link changes nothing."""
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads)
        client.link(run_id, uploads)
        assert server.runs[0].uploads == uploads

    @pytest.mark.parametrize("missing", [404, 405])
    def test_the_sync_call_steps_in_and_is_remembered(
        self, serve: Serve, connect: Connect, missing: int
    ) -> None:
        """A missing update is noticed once, then only the sync call is made."""
        server = serve(update=False, missing=missing)
        client = connect(server)
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads[:1])
        client.link(run_id, uploads[1:])
        assert server.runs[0].uploads == uploads
        assert server.count(Operation.UPDATE) == 1
        assert server.count(Operation.SYNC) == 2

    def test_a_missing_run_is_no_missing_call(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A 404 about the run is final, and teaches nothing about the server."""
        _, uploads = self._prepare(client)
        with pytest.raises(NotFoundError, match="does not exist"):
            client.link(str(uuid4()), uploads)
        assert server.count(Operation.SYNC) == 0

    @pytest.mark.parametrize("old", [True, False])
    def test_a_missing_upload_is_no_missing_call(
        self, serve: Serve, connect: Connect, *, old: bool
    ) -> None:
        """A 404 about an upload is final, also in the older shape."""
        server = serve(old_errors=old)
        client = connect(server)
        run_id, _ = self._prepare(client)
        with pytest.raises(NotFoundError):
            client.link(run_id, [str(uuid4())])
        assert server.count(Operation.SYNC) == 0

    def test_a_server_without_either_says_so(
        self, serve: Serve, connect: Connect
    ) -> None:
        """Both missing calls are named."""
        client = connect(serve(update=False, sync=False))
        run_id, uploads = self._prepare(client)
        with pytest.raises(UnexpectedAnswerError, match="neither by PUT"):
            client.link(run_id, uploads)

    def test_a_pinned_update_is_not_replaced(
        self, serve: Serve, connect: Connect
    ) -> None:
        """A setting that names the update allows nothing else."""
        server = serve(update=False)
        client = connect(server, linking=Linking.UPDATE)
        run_id, uploads = self._prepare(client)
        with pytest.raises(NotFoundError):
            client.link(run_id, uploads)
        assert server.count(Operation.SYNC) == 0

    def test_a_pinned_sync_is_used_at_once(
        self, server: RunStoreServer, connect: Connect
    ) -> None:
        """A setting that names the sync call saves the attempt."""
        client = connect(server, linking=Linking.SYNC)
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads)
        assert server.runs[0].uploads == uploads
        assert server.count(Operation.UPDATE) == 0

    def test_a_page_of_a_portal_is_no_link(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A success that is no JSON does not count."""
        run_id, uploads = self._prepare(client)
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.UPDATE)
        with pytest.raises(UnexpectedAnswerError, match="no JSON"):
            client.link(run_id, uploads)
