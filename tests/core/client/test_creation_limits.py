"""Which failed creates certainly did not arrive, and which may have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from rigbridge.client.delivery import attachments, creation
from rigbridge.client.destination import HTTPDestination
from rigbridge.client.transport.error_answers import (
    read_words,
    refusal,
    retry_after,
    shorten,
)
from rigbridge.client.transport.exceptions import may_be_at_work, translated
from rigbridge.destinations import Progress
from rigbridge.errors import (
    DeliveryError,
    NoAnswerError,
    ServerUnavailableError,
    UnexpectedAnswerError,
)
from rigbridge.model import Attachment, Run
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import ListedAttachment

_NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
_LATER = {408, 425, 429, *range(500, 600)}
_FINAL = {400, 401, 403, 404, 409, 413, 422}


def _refused(
    status: int, content: bytes = b'{"code": "CODE", "message": "no"}'
) -> DeliveryError:
    response = httpx.Response(status, content=content)
    return refusal(response, source="https://store", place="POST", secret="k")


def _failed(error: Exception) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught, translated(source="s", place="p"):
        raise error
    return caught.value


class TestStatuses:
    """Every status from 300 to 599, none left to chance."""

    def test_what_is_tried_again(self) -> None:
        """Exactly timeouts, rate limits and every status from 500 on."""
        later = {
            status
            for status in range(300, 600)
            if isinstance(_refused(status), ServerUnavailableError)
        }
        assert later == _LATER

    def test_what_says_where_the_store_really_is(self) -> None:
        """Exactly the redirects, the first and the last of them too."""
        redirects = {
            status
            for status in range(290, 600)
            if "where it really is" in str(_refused(status).remedy)
        }
        assert redirects == set(range(300, 400))

    def test_what_certainly_did_not_arrive(self) -> None:
        """The refusals of the contract but a conflict; of busy servers 429 only."""
        safe = {
            status
            for status in range(300, 600)
            if creation._did_not_arrive(_refused(status))
        }
        assert safe == _FINAL - {409} | {429}

    def test_a_page_never_says_that_something_did_not_arrive(self) -> None:
        """Whatever its status: a proxy may write it after it passed the body on."""
        page = b"<html><h1>Too large</h1></html>"
        for status in range(300, 600):
            assert not creation._did_not_arrive(_refused(status, page))

    def test_what_may_still_be_at_work(self) -> None:
        """Exactly those statuses by which somebody else gave up waiting."""
        busy = {
            status for status in range(300, 600) if may_be_at_work(_refused(status))
        }
        assert busy == {408, 499, 504, 522, 524, 598, 599}

    @pytest.mark.parametrize(("status", "safe"), [(200, False), (299, False)])
    def test_a_success_that_cannot_be_read_may_have_arrived(
        self, status: int, *, safe: bool
    ) -> None:
        """An answer of the 200s says that the run is there, whatever else it says."""
        error = UnexpectedAnswerError("no JSON", status=status)
        assert creation._did_not_arrive(error) is safe

    def test_an_answer_without_a_status_may_have_arrived(self) -> None:
        """Nobody can tell, so the store is asked first."""
        assert not creation._did_not_arrive(UnexpectedAnswerError("strange"))
        assert not creation._did_not_arrive(NoAnswerError("gone"))


class TestExceptions:
    """Connections that fail before, and after, something was sent."""

    @pytest.mark.parametrize(
        ("error", "arrived", "at_work"),
        [
            (httpx.ConnectError("x"), False, False),
            (httpx.ConnectTimeout("x"), False, False),
            (httpx.PoolTimeout("x"), False, False),
            (httpx.ProxyError("x"), False, False),
            (httpx.ReadTimeout("x"), True, True),
            (httpx.WriteTimeout("x"), True, True),
            (httpx.ReadError("x"), True, False),
            (httpx.RemoteProtocolError("x"), True, False),
        ],
    )
    def test_they_are_told_apart(
        self, error: Exception, *, arrived: bool, at_work: bool
    ) -> None:
        """Only what was on its way may have arrived; only a timeout may be at work."""
        failed = _failed(error)
        assert creation._did_not_arrive(failed) is not arrived
        assert may_be_at_work(failed) is at_work


class TestWords:
    """What is read of an answer."""

    @pytest.mark.parametrize(("length", "cut"), [(400, False), (401, True)])
    def test_the_limit_of_a_text(self, length: int, *, cut: bool) -> None:
        """400 characters stay, of more the first 400."""
        text = shorten("x" * length)
        assert text == "x" * 400 + ("..." if cut else "")

    def test_a_known_shape_is_marked(self) -> None:
        """Whoever shows it can tell the server's words from a page."""
        assert read_words(b'{"message": "no", "code": "NO"}').shaped
        assert read_words(b'{"error": {"message": "no"}}').shaped
        assert not read_words(b"<html>").shaped
        assert not read_words(b'{"other": 1}').shaped

    def test_a_remark_that_repeats_the_message_is_left_out(self) -> None:
        """The others are kept, with their paths."""
        words = read_words(
            b'{"message": "no", "issues": ["no",'
            b' {"message": "bad", "path": ["a", 0]}, {"message": "worse"}]}'
        )
        assert words.issues == ("a.0: bad", "worse")


class TestRetryAfter:
    """The edges of both forms."""

    def test_a_date_in_the_past_is_no_wait(self) -> None:
        """It never asks for less than nothing."""
        date = format_datetime(_NOW - timedelta(seconds=5), usegmt=True)
        assert retry_after(httpx.Headers({"retry-after": date}), now=_NOW) == 0.0

    def test_a_date_without_a_zone_is_in_utc(self) -> None:
        """As HTTP has it."""
        text = "Wed, 06 May 2026 07:08:19 -0000"
        assert retry_after(httpx.Headers({"retry-after": text}), now=_NOW) == 10.0

    def test_digits_of_other_scripts_are_none(self) -> None:
        """Only ASCII digits are a number of seconds."""
        other = httpx.Headers([(b"retry-after", "٣".encode())])
        assert retry_after(other, now=_NOW) is None
        assert retry_after(httpx.Headers({"retry-after": " 7 "}), now=_NOW) == 7.0


class TestListed:
    """Files that the store lists already."""

    @pytest.mark.parametrize(
        ("name", "size", "sha256", "found"),
        [
            ("a", 3, "0" * 64, True),
            ("a", None, None, True),
            ("b", 3, "0" * 64, False),
            ("a", 4, "0" * 64, False),
            ("a", 3, "1" * 64, False),
        ],
    )
    def test_a_file_is_known_by_all_that_both_say(
        self, name: str, size: int | None, sha256: str | None, *, found: bool
    ) -> None:
        """Each file that is listed counts once."""
        attachment = Attachment(name="a", size=3, sha256="0" * 64)
        listed = [ListedAttachment(id="1", name=name, size=size, sha256=sha256)]
        assert attachments._is_listed(attachment, listed) is found
        assert len(listed) == (0 if found else 1)
        assert not attachments._is_listed(attachment, listed) or not found


def test_a_look_up_that_fails_is_told_beside_the_create(
    server: RunStoreServer,
    reach: Callable[..., HTTPDestination],
    make_run: Callable[..., Run],
) -> None:
    """The error is that of the create; why nobody could look for it is noted."""
    server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
    server.inject(Fault.FORBIDDEN, on=Operation.LIST, times=2)
    with pytest.raises(NoAnswerError) as caught:
        reach(server).resume(make_run(), Progress(), lambda _: None)
    (note,) = caught.value.__notes__
    assert note.startswith("nor could it be looked up: ")
    assert "403" in note
