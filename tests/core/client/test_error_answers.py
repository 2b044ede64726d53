"""Answers that refuse, in all the shapes that servers give them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client.transport.error_answers import read_words, refusal, retry_after
from rigbridge.errors import (
    BadRequestError,
    ConflictError,
    DeliveryError,
    ForbiddenError,
    NotFoundError,
    PermanentError,
    RetriableError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnprocessableError,
)

_NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


def _refuse(
    status: int,
    content: bytes = b'{"code": "CODE", "message": "no"}',
    *,
    secret: str | None = "sesame",  # noqa: S107 - made up
    headers: dict[str, str] | None = None,
) -> DeliveryError:
    response = httpx.Response(status, content=content, headers=headers)
    return refusal(
        response, source="https://store/api", place="POST /v1/runs", secret=secret
    )


class TestStatuses:
    """What each status means."""

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, BadRequestError),
            (401, UnauthorizedError),
            (403, ForbiddenError),
            (404, NotFoundError),
            (409, ConflictError),
            (413, TooLargeError),
            (422, UnprocessableError),
            (429, ServerUnavailableError),
            (500, ServerUnavailableError),
            (502, ServerUnavailableError),
            (503, ServerUnavailableError),
            (504, ServerUnavailableError),
            (302, UnexpectedAnswerError),
            (405, UnexpectedAnswerError),
            (418, UnexpectedAnswerError),
            (499, UnexpectedAnswerError),
            (501, ServerUnavailableError),
            (507, ServerUnavailableError),
            (530, ServerUnavailableError),
            (598, ServerUnavailableError),
            (408, ServerUnavailableError),
            (425, ServerUnavailableError),
        ],
    )
    def test_the_status_names_the_recovery(
        self, status: int, kind: type[DeliveryError]
    ) -> None:
        """A status becomes the error of the contract, and stays readable in it."""
        error = _refuse(status)
        assert type(error) is kind
        assert error.status == status

    @given(status=st.integers(min_value=300, max_value=599))
    def test_only_what_the_contract_names_is_final(self, status: int) -> None:
        """Seven statuses are, in the store's own words; all else is tried again."""
        error = _refuse(status)
        final = isinstance(error, (PermanentError, UnauthorizedError))
        assert final == (status in {400, 401, 403, 404, 409, 413, 422})
        assert isinstance(error, RetriableError) != final

    @given(
        status=st.sampled_from([400, 401, 403, 404, 409, 413, 422])
        | st.integers(min_value=300, max_value=599),
        content=st.sampled_from(
            [
                b"",
                b"<html><h1>Sign in</h1></html>",
                b"Unauthorized",
                b'{"message": "Forbidden"}',
                b'{"detail": "Not found"}',
                b'{"error": "nope"}',
                b"[]",
                b'{"code": 403, "message": "Forbidden"}',
            ]
        ),
    )
    def test_what_is_not_the_word_of_a_store_is_never_final(
        self, status: int, content: bytes
    ) -> None:
        """Gateways and portals write pages, and JSON of other shapes."""
        assert isinstance(_refuse(status, content), RetriableError)

    def test_a_redirect_names_its_target(self) -> None:
        """A redirect is not followed, and says where it leads without its query."""
        headers = {"Location": "https://other/login?token=t"}
        error = _refuse(302, headers=headers)
        assert "https://other/login" in str(error)
        assert "token" not in str(error)

    def test_a_missing_key_says_how_to_give_one(self) -> None:
        """A 401 without a key names the settings."""
        assert "TOFUPILOT_API_KEY" in str(_refuse(401, secret=None))

    def test_a_missing_part_number_says_what_supplies_one(self) -> None:
        """Most reports name no part, which a store asks for: a rule supplies it."""
        words = b'{"code": "BAD_REQUEST", "message": "Part number is required but not"}'
        assert "[identity]" in (_refuse(400, words).remedy or "")
        assert _refuse(400).remedy is None


class TestWords:
    """The server's own words."""

    def test_the_contract_is_read(self) -> None:
        """Code, message and issues with their paths are kept."""
        content = json.dumps(
            {
                "code": "BAD_REQUEST",
                "message": "The body does not fit.",
                "issues": [
                    {"message": "too long", "path": "phases[3].name"},
                    {"message": "missing", "path": ["unit_under_test", "serial"]},
                    {"message": "and more"},
                ],
            }
        ).encode()
        error = _refuse(400, content)
        assert error.code == "BAD_REQUEST"
        assert error.issues == (
            "phases[3].name: too long",
            "unit_under_test.serial: missing",
            "and more",
        )
        assert "The body does not fit." in str(error)
        assert "phases[3].name: too long" in str(error)

    def test_the_older_shape_is_read(self) -> None:
        """A nested message and the warnings beside it are kept."""
        content = b'{"error": {"message": "No such unit"}, "warnings": ["Old"]}'
        error = _refuse(404, content)
        assert "No such unit" in str(error)
        assert error.issues == ("Old",)

    @pytest.mark.parametrize(
        "content",
        [b'{"error": "Nope"}', b'{"detail": "Nope"}', b'{"message": "Nope"}', b"Nope"],
    )
    def test_relatives_of_the_shapes_are_read(self, content: bytes) -> None:
        """A message is found under the names that frameworks give it."""
        assert "400 Bad Request: Nope" in str(_refuse(400, content))

    def test_what_is_nested_without_end_is_no_shape(self) -> None:
        """It is a page like any other, and no mistake of ours."""
        error = _refuse(500, b'{"error":' * 100_000)
        assert type(error) is ServerUnavailableError

    def test_a_page_is_kept_shortened(self) -> None:
        """The page of a proxy is kept as text that fits a line."""
        page = b"<html>\n<h1>Bad   Gateway</h1>" + b"x" * 10_000
        error = _refuse(502, page)
        assert "<html> <h1>Bad Gateway</h1>" in str(error)
        assert len(str(error)) < 600

    @given(content=st.binary(max_size=200))
    def test_any_bytes_are_read(self, content: bytes) -> None:
        """No answer is so broken that its error cannot be made."""
        assert "\n" not in str(_refuse(500, content))

    @given(
        document=st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["error", "message", "code", "issues", "path", "warnings"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
        )
    )
    def test_any_json_is_read(self, document: object) -> None:
        """Known names with values of unknown kinds are no obstacle."""
        words = read_words(json.dumps(document).encode())
        assert isinstance(words.message, str)
        assert all(isinstance(issue, str) for issue in words.issues)

    def test_a_key_that_the_server_quotes_is_hidden(self) -> None:
        """The API key is taken out of everything that the server says."""
        content = json.dumps(
            {"code": "sesame", "message": "sesame", "issues": [{"message": "sesame"}]}
        ).encode()
        headers = {"Location": "https://store/sesame"}
        for status in (302, 401):
            error = _refuse(status, content, headers=headers)
            assert "sesame" not in f"{error} {error!r} {error.__dict__}"


class TestRetryAfter:
    """Both forms of the header."""

    @given(seconds=st.integers(min_value=0, max_value=10**6))
    def test_seconds(self, seconds: int) -> None:
        """A number of seconds is taken as it stands."""
        headers = httpx.Headers({"retry-after": str(seconds)})
        assert retry_after(headers, now=_NOW) == seconds

    @given(seconds=st.integers(min_value=-(10**6), max_value=10**6))
    def test_a_date(self, seconds: int) -> None:
        """A date is the time until then, and no time once it is past."""
        date = format_datetime(_NOW + timedelta(seconds=seconds), usegmt=True)
        headers = httpx.Headers({"retry-after": date})
        assert retry_after(headers, now=_NOW) == max(0, seconds)

    def test_the_clock_of_the_server_counts(self) -> None:
        """A rig whose clock is wrong waits as long as the server meant."""
        headers = httpx.Headers(
            {
                "date": format_datetime(_NOW - timedelta(days=9), usegmt=True),
                "retry-after": format_datetime(
                    _NOW - timedelta(days=9) + timedelta(seconds=30), usegmt=True
                ),
            }
        )
        assert retry_after(headers, now=_NOW) == 30

    @pytest.mark.parametrize(
        "text",
        ["", "soon", "-5", "²", "1e9", "inf", "Wed, 99 Foo 99999 99:99:99 GMT"],
    )
    def test_nonsense_is_no_wish(self, text: str) -> None:
        """What is neither a number nor a date asks for nothing."""
        headers = httpx.Headers([(b"retry-after", text.encode())])
        assert retry_after(headers, now=_NOW) is None

    def test_of_several_the_longest_counts(self) -> None:
        """A proxy adds one of its own; neither it nor nonsense hides the other."""
        several = [("retry-after", "5"), ("retry-after", "1.5"), ("retry-after", "x")]
        assert retry_after(httpx.Headers(several), now=_NOW) == 5

    def test_the_error_carries_it(self) -> None:
        """Whoever retries finds the wish of the server in the error."""
        assert _refuse(429, headers={"Retry-After": "7"}).retry_after == 7
        assert _refuse(503).retry_after is None
