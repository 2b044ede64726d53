"""The rig itself: each fault does what its name says, and what was stored is told."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

import rigbridge.testing.run_store.faults
from rigbridge.client import Client
from rigbridge.errors import NoAnswerError, NotFoundError, ServerUnavailableError
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

Serve = Callable[..., RunStoreServer]

_RUN = {"unit_under_test": {"serial_number": "SN"}, "procedure_name": "P"}
_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "testing.md"


def _create(server: RunStoreServer) -> httpx.Response:
    with httpx.Client(headers={"Authorization": f"Bearer {server.api_key}"}) as client:
        return client.post(
            f"{server.url}/api/v1/runs", json={**_RUN, "run_passed": True}
        )


class TestFaults:
    """What each does to a create."""

    @pytest.mark.parametrize(
        "fault", [Fault.REFUSE, Fault.RESET_BEFORE_BODY, Fault.RESET_DURING_BODY]
    )
    def test_cut_before_the_work_nothing_is_stored(
        self, server: RunStoreServer, fault: Fault
    ) -> None:
        """The connection ends before the body was read."""
        server.inject(fault)
        with pytest.raises(httpx.TransportError):
            _create(server)
        assert not server.runs
        assert _create(server).status_code == 200

    @pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.CUT_ANSWER_AFTER])
    def test_cut_after_the_work_the_run_is_stored(
        self, server: RunStoreServer, fault: Fault
    ) -> None:
        """The answer is lost, and the rig tells the truth."""
        server.inject(fault)
        with pytest.raises(httpx.TransportError):
            _create(server)
        assert len(server.runs) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            fault
            for fault in Fault
            if fault.status is not None and fault is not Fault.REDIRECT
        ],
    )
    def test_a_status_is_answered(self, server: RunStoreServer, fault: Fault) -> None:
        """The others answer with their status; AFTER means that the run is there."""
        server.inject(fault)
        assert _create(server).status_code == fault.status
        assert len(server.runs) == fault.does_first

    def test_while_it_refuses_nobody_connects(self, server: RunStoreServer) -> None:
        """A store that is down, and comes back where it was with what it had."""
        _create(server)
        with server.refusing(), pytest.raises(httpx.ConnectError):
            _create(server)
        assert _create(server).status_code == 200
        assert len(server.runs) == 2

    @pytest.mark.parametrize("tells", [True, False])
    def test_a_truncated_upload_is_seen_by_what_was_stored(
        self, serve: Serve, *, tells: bool
    ) -> None:
        """The PUT is accepted; a client can know only from an answer that tells."""
        server = serve(tells_stored_size=tells)
        server.inject(Fault.TRUNCATED_UPLOAD, on=Operation.STORE)
        told: str | None = None
        with Client(server.url, server.api_key) as client:
            try:
                client.upload("a", None, 4, lambda: io.BytesIO(b"1234"))
            except ServerUnavailableError as error:
                told = error.message
        assert told == ("2 of 4 bytes were stored" if tells else None)
        assert [upload.content for upload in server.uploads] == [b"12"]

    def test_a_clock_that_is_far_off_shows_in_every_date(self, serve: Serve) -> None:
        """A wait that is told as a date still means as many seconds."""
        server = serve(clock_offset=-86400.0)
        server.inject(Fault.TOO_MANY_DATE, on=Operation.CREATE, seconds=60)
        date = parsedate_to_datetime(_create(server).headers["Date"])
        assert (datetime.now(UTC) - date).total_seconds() > 80_000
        server.inject(Fault.TOO_MANY_DATE, on=Operation.LIST, seconds=60)
        with Client(server.url, server.api_key) as client:
            with pytest.raises(ServerUnavailableError) as caught:
                client.list_runs("SN")
            assert caught.value.retry_after == pytest.approx(60, abs=2)

    def test_a_refused_unit_is_named(self, server: RunStoreServer) -> None:
        """Units that do not exist cannot be built in."""
        _create(server)
        with (
            Client(server.url, server.api_key) as client,
            pytest.raises(NotFoundError, match="SN-9"),
        ):
            client.update_unit("SN", ["SN-9"])
        assert server.sub_units == {}


class TestAtRandom:
    """Faults at random."""

    def _outcomes(self, server: RunStoreServer, seed: int) -> list[str]:
        faults = [Fault.INTERNAL_ERROR, Fault.RESET, Fault.UNAVAILABLE]
        server.inject_at_random(faults, chance=0.5, seed=seed)
        found: list[str] = []
        with Client(server.url, server.api_key) as client:
            for _ in range(30):
                try:
                    client.list_runs("SN")
                except (NoAnswerError, ServerUnavailableError) as error:
                    found.append(str(error.status))
                else:
                    found.append("fine")
        server.heal()
        return found

    def test_the_same_seed_fails_the_same_way(self, server: RunStoreServer) -> None:
        """A trial that failed can be repeated."""
        first = self._outcomes(server, 7)
        assert self._outcomes(server, 7) == first
        assert {"fine", "500", "503", "None"} == set(first)
        assert self._outcomes(server, 8) != first


class TestFixture:
    """What others use."""

    def test_it_is_there_by_name(self, run_store_server: RunStoreServer) -> None:
        """The pytest plugin brings a running rig."""
        assert _create(run_store_server).status_code == 200
        assert [run.serial_number for run in run_store_server.runs] == ["SN"]

    def test_the_reference_names_every_fault(self) -> None:
        """Each fault, each call and each field of a dialect is documented."""
        text = _PAGE.read_text(encoding="utf-8")
        names = [
            *(fault.name for fault in Fault),
            *(operation.name for operation in Operation),
            *rigbridge.testing.run_store.faults.Dialect.__annotations__,
        ]
        assert [name for name in names if f"`{name}`" not in text] == []
