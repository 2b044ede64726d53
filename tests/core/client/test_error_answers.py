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
    content: bytes = b"",
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
            (501, UnexpectedAnswerError),
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
    def test_nothing_final_is_retried(self, status: int) -> None:
        """Only what may succeed later is retriable; every status has a kind."""
        error = _refuse(status)
        retriable = {408, 429, 500, 502, 503, 504, *range(520, 525)}
        assert isinstance(error, RetriableError) == (status in retriable)
        final = isinstance(error, (PermanentError, UnauthorizedError))
        assert final != (status in retriable)

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
        assert _refuse(400, b'{"message": "other"}').remedy is None


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
        assert str(_refuse(400, content)).endswith("400 Bad Request: Nope")

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
        assert retry_after({"retry-after": str(seconds)}, now=_NOW) == seconds

    @given(seconds=st.integers(min_value=-(10**6), max_value=10**6))
    def test_a_date(self, seconds: int) -> None:
        """A date is the time until then, and no time once it is past."""
        date = format_datetime(_NOW + timedelta(seconds=seconds), usegmt=True)
        assert retry_after({"retry-after": date}, now=_NOW) == max(0, seconds)

    def test_the_clock_of_the_server_counts(self) -> None:
        """A rig whose clock is wrong waits as long as the server meant."""
        headers = {
            "date": format_datetime(_NOW - timedelta(days=9), usegmt=True),
            "retry-after": format_datetime(
                _NOW - timedelta(days=9) + timedelta(seconds=30), usegmt=True
            ),
        }
        assert retry_after(headers, now=_NOW) == 30

    @pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²"])
    def test_nonsense_is_no_wish(self, text: str) -> None:
        """What is neither a number nor a date asks for nothing."""
        assert retry_after({"retry-after": text}, now=_NOW) is None

    def test_the_error_carries_it(self) -> None:
        """Whoever retries finds the wish of the server in the error."""
        assert _refuse(429, headers={"Retry-After": "7"}).retry_after == 7
        assert _refuse(503).retry_after is None
