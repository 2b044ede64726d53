"""The exceptions of httpx become ours, without exception."""

from __future__ import annotations

import inspect

import httpx
import pytest

from rigbridge.client.transport.exceptions import (
    MISTAKES,
    TRANSPORT_ERRORS,
    may_be_at_work,
    never_sent,
    translated,
)
from rigbridge.errors import (
    DeliveryError,
    NoAnswerError,
    PermanentError,
    ServerUnavailableError,
    UnexpectedAnswerError,
)

_EXCEPTIONS = [
    value
    for name in httpx.__all__
    if inspect.isclass(value := getattr(httpx, name)) and issubclass(value, Exception)
]


def _translate(error: Exception) -> DeliveryError:
    with (
        pytest.raises(DeliveryError) as caught,
        translated(source="https://store/api", place="POST /v1/runs"),
    ):
        raise error
    return caught.value


class TestTable:
    """The table of translations."""

    @pytest.mark.parametrize("kind", _EXCEPTIONS)
    def test_every_exception_of_httpx_is_known(self, kind: type[Exception]) -> None:
        """A class that httpx exports is translated or named as our mistake."""
        assert (kind in TRANSPORT_ERRORS) != (kind in MISTAKES)

    @pytest.mark.parametrize("kind", sorted(TRANSPORT_ERRORS, key=str))
    def test_each_becomes_what_the_table_says(self, kind: type[Exception]) -> None:
        """An exception becomes its own entry, not that of its base class."""
        error = (
            httpx.HTTPStatusError(
                "words",
                request=httpx.Request("GET", "http://store"),
                response=httpx.Response(500),
            )
            if kind is httpx.HTTPStatusError
            else kind("words")
        )
        caught = _translate(error)
        assert type(caught) is TRANSPORT_ERRORS[kind].kind
        assert TRANSPORT_ERRORS[kind].message in str(caught)

    def test_a_new_exception_becomes_what_its_group_does(self) -> None:
        """An exception that httpx will add is translated by its base class."""

        class NewTimeoutError(httpx.TimeoutException):
            """Not there yet."""

        assert isinstance(_translate(NewTimeoutError("late")), NoAnswerError)

    def test_mistakes_go_through(self) -> None:
        """Wrong use of httpx is not disguised as a failing server."""
        with (
            pytest.raises(httpx.StreamConsumed),
            translated(source="https://store/api", place="GET /v1/runs"),
        ):
            raise httpx.StreamConsumed


class TestWords:
    """What the errors say."""

    def test_the_store_and_the_call_are_named(self) -> None:
        """An error says where it happened."""
        error = _translate(httpx.ReadTimeout("timed out"))
        assert str(error).startswith("https://store/api: POST /v1/runs: no answer")

    def test_addresses_that_the_server_named_are_not_quoted(self) -> None:
        """A grant within an upload address appears in no message."""
        error = _translate(httpx.UnsupportedProtocol("ftp://storage/x?grant=secret"))
        assert "secret" not in str(error)

    def test_a_private_authority_has_a_remedy(self) -> None:
        """A certificate that is not trusted is explained, checks stay on."""
        error = _translate(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] no"))
        assert "ca_bundle" in str(error)


class TestFate:
    """What is known of a request without an answer."""

    @pytest.mark.parametrize(
        ("cause", "sent"),
        [
            (httpx.ConnectError, False),
            (httpx.ConnectTimeout, False),
            (httpx.PoolTimeout, False),
            (httpx.ProxyError, False),
            (httpx.ReadTimeout, True),
            (httpx.ReadError, True),
            (httpx.WriteError, True),
            (httpx.RemoteProtocolError, True),
        ],
    )
    def test_only_a_request_without_connection_was_never_sent(
        self, cause: type[Exception], *, sent: bool
    ) -> None:
        """A request that may have left this machine counts as sent."""
        assert never_sent(_translate(cause("words"))) != sent

    @pytest.mark.parametrize(
        ("cause", "busy"),
        [
            (httpx.ReadTimeout, True),
            (httpx.WriteTimeout, True),
            (httpx.ConnectTimeout, False),
            (httpx.ReadError, False),
        ],
    )
    def test_a_server_that_is_slow_may_finish_later(
        self, cause: type[Exception], *, busy: bool
    ) -> None:
        """Only after a timeout the server may still be at work."""
        assert may_be_at_work(_translate(cause("words"))) is busy

    def test_a_gateway_may_be_impatient(self) -> None:
        """A 504 says that the server behind the gateway was still at work."""
        assert may_be_at_work(ServerUnavailableError("late", status=504))
        assert not may_be_at_work(ServerUnavailableError("down", status=502))

    def test_permanent_errors_are_no_lack_of_an_answer(self) -> None:
        """What cannot be sent, or was answered strangely, is final."""
        assert isinstance(_translate(httpx.LocalProtocolError("no")), PermanentError)
        assert isinstance(_translate(httpx.DecodingError("no")), UnexpectedAnswerError)
