"""Runs are created in a real server that fails on demand."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from rigbridge.client import Client
from rigbridge.errors import (
    BadRequestError,
    ConflictError,
    DeliveryError,
    ForbiddenError,
    NoAnswerError,
    NotFoundError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnprocessableError,
)
from rigbridge.testing.run_store.faults import CreateShape, Fault, Operation
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


class TestCreate:
    """Creating runs."""

    @pytest.mark.parametrize("shape", CreateShape)
    def test_every_answer_gives_the_id(
        self, serve: Serve, connect: Connect, shape: CreateShape
    ) -> None:
        """The id is found also where an older server gives it only within a URL."""
        server = serve(create=shape)
        created = connect(server).create_run(_body(), idempotency_key=None)
        assert created.id == server.runs[0].id

    def test_warnings_are_kept(self, serve: Serve, connect: Connect) -> None:
        """What the store remarks about a run comes back."""
        server = serve(create=CreateShape.ID_WITH_201)
        created = connect(server).create_run(_body(), idempotency_key=None)
        assert created.warnings == [{"message": "part_name is ignored"}]

    def test_the_key_of_the_run_travels(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """The idempotency key is sent as a header."""
        key = UUID("6d7d4dd2-3d4f-5a53-9d0a-6f2a3c1d9b60")
        client.create_run(_body(), idempotency_key=key)
        assert server.runs[0].idempotency_key == str(key)

    def test_an_idempotent_store_answers_a_repetition(
        self, serve: Serve, connect: Connect
    ) -> None:
        """The same key gives the same run, another body under it a conflict."""
        server = serve(idempotent=True)
        client, key = connect(server), uuid4()
        first = client.create_run(_body(), idempotency_key=key)
        assert client.create_run(_body(), idempotency_key=key) == first
        with pytest.raises(ConflictError):
            client.create_run(_body("other"), idempotency_key=key)

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault.RESET, NoAnswerError),
            (Fault.RESET_AFTER, NoAnswerError),
            (Fault.CUT_ANSWER_AFTER, NoAnswerError),
            (Fault.REDIRECT, UnexpectedAnswerError),
            (Fault.BAD_REQUEST, BadRequestError),
            (Fault.UNAUTHORIZED, UnauthorizedError),
            (Fault.FORBIDDEN, ForbiddenError),
            (Fault.NOT_FOUND, NotFoundError),
            (Fault.CONFLICT, ConflictError),
            (Fault.TOO_LARGE, TooLargeError),
            (Fault.UNPROCESSABLE, UnprocessableError),
            (Fault.TOO_MANY_SECONDS, ServerUnavailableError),
            (Fault.INTERNAL_ERROR, ServerUnavailableError),
            (Fault.BAD_GATEWAY_HTML, ServerUnavailableError),
            (Fault.UNAVAILABLE, ServerUnavailableError),
            (Fault.GATEWAY_TIMEOUT_AFTER, ServerUnavailableError),
            (Fault.WRONG_JSON_AFTER, UnexpectedAnswerError),
        ],
    )
    def test_a_fault_is_one_error_after_one_request(
        self,
        server: RunStoreServer,
        client: Client,
        fault: Fault,
        kind: type[DeliveryError],
    ) -> None:
        """The type of the error names the recovery, and nothing is repeated."""
        server.inject(fault, on=Operation.CREATE)
        with pytest.raises(kind) as caught:
            client.create_run(_body(), idempotency_key=None)
        assert caught.value.source == f"{server.origin}/api"
        assert caught.value.place == "POST /v1/runs"
        assert len(server.requests) == 1
        assert len(server.runs) == fault.does_first

    def test_the_server_is_quoted(self, server: RunStoreServer, client: Client) -> None:
        """A person reads the server's words, its code and the field in question."""
        with pytest.raises(BadRequestError, match="The body does not fit") as caught:
            client.create_run(_body(""), idempotency_key=None)
        assert caught.value.code == "BAD_REQUEST"
        assert caught.value.issues == ("unit_under_test.serial_number: is missing",)
        assert not server.runs

    def test_older_errors_are_quoted_as_well(
        self, serve: Serve, connect: Connect
    ) -> None:
        """The older shape of an error gives its words."""
        with pytest.raises(BadRequestError, match="The body does not fit"):
            connect(serve(old_errors=True)).create_run(_body(""), idempotency_key=None)

    def test_a_server_that_is_slow_gives_no_answer(
        self, server: RunStoreServer, connect: Connect
    ) -> None:
        """Waiting ends with the timeout."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=60)
        with pytest.raises(NoAnswerError, match="no answer in time"):
            connect(server, timeout=0.1).create_run(_body(), idempotency_key=None)

    def test_nobody_listens(self, server: RunStoreServer, client: Client) -> None:
        """A refused connection is no answer, and a later call connects again."""
        with server.refusing(), pytest.raises(NoAnswerError, match="no connection"):
            client.create_run(_body(), idempotency_key=None)
        client.create_run(_body(), idempotency_key=None)
        assert len(server.runs) == 1

    @pytest.mark.parametrize("fault", [Fault.TOO_MANY_SECONDS, Fault.TOO_MANY_DATE])
    def test_both_forms_of_retry_after_are_read(
        self, server: RunStoreServer, client: Client, fault: Fault
    ) -> None:
        """The wish of the server stands in the error, in seconds."""
        server.inject(fault, seconds=100)
        with pytest.raises(ServerUnavailableError) as caught:
            client.create_run(_body(), idempotency_key=None)
        assert caught.value.retry_after == pytest.approx(100, abs=2)

    def test_an_answer_without_any_id_is_unexpected(
        self, server: RunStoreServer, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A success that names no run is quoted."""
        monkeypatch.setattr(
            "rigbridge.testing.run_store.calls.created",
            lambda *_: (200, {"message": "Fine."}),
        )
        with pytest.raises(UnexpectedAnswerError, match=r"no id.*Fine\."):
            client.create_run(_body(), idempotency_key=None)
        assert len(server.runs) == 1
