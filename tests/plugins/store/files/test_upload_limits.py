"""Exact limits of uploads: sizes, times, and what belongs to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from rigbridge.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TooLargeError,
)
from rigbridge.wire import CreateRun, InitializeUpload
from rigbridge_store import RunStore
from rigbridge_store.files.uploads import GRANT, Uploads


def _uploads(store: RunStore, limit: int = 10, seconds: float = 60) -> Uploads:
    grant = timedelta(seconds=seconds)
    return Uploads(store._database, store.contents, limit=limit, grant=grant)


class TestSizes:
    """The largest that is taken, and one byte more."""

    def test_declared(self, store: RunStore) -> None:
        """The limit itself, and nothing at all, are allowed."""
        uploads = _uploads(store)
        for size in (0, 10, None):
            uploads.initialize(InitializeUpload(name="a", sizeBytes=size))
        with pytest.raises(TooLargeError):
            uploads.initialize(InitializeUpload(name="a", sizeBytes=11))
        with pytest.raises(BadRequestError):
            uploads.initialize(InitializeUpload(name="a", sizeBytes=-1))

    def test_announced(self, store: RunStore) -> None:
        """What is announced must be what was declared, and within the limit."""
        uploads = _uploads(store)
        ticket = uploads.initialize(InitializeUpload(name="a", sizeBytes=10))
        uploads.receive(ticket.id, ticket.token, announced=10).discard()
        uploads.receive(ticket.id, ticket.token).discard()
        with pytest.raises(BadRequestError, match="9 bytes, not the 10 declared"):
            uploads.receive(ticket.id, ticket.token, announced=9)
        free = uploads.initialize(InitializeUpload(name="a"))
        uploads.receive(free.id, free.token, announced=10).discard()
        with pytest.raises(TooLargeError):
            uploads.receive(free.id, free.token, announced=11)

    def test_received(self, store: RunStore) -> None:
        """The last byte that fits is taken, the next one is refused."""
        uploads = _uploads(store)
        ticket = uploads.initialize(InitializeUpload(name="a"))
        with uploads.receive(ticket.id, ticket.token) as reception:
            reception.write(b"x" * 9)
            reception.write(b"x")
            with pytest.raises(TooLargeError):
                reception.write(b"x")
            assert reception.finish().size == 10

    def test_received_of_a_declared_size(self, store: RunStore) -> None:
        """More and fewer bytes than declared are refused."""
        uploads = _uploads(store)
        ticket = uploads.initialize(InitializeUpload(name="a", sizeBytes=3))
        with uploads.receive(ticket.id, ticket.token) as reception:
            reception.write(b"xx")
            with pytest.raises(BadRequestError, match="2 bytes, not the 3"):
                reception.finish()
            with pytest.raises(BadRequestError, match="longer than the 3 bytes"):
                reception.write(b"xx")
            reception.write(b"x")
            assert reception.finish().size == 3

    @pytest.mark.parametrize(("length", "taken"), [(1000, True), (1001, False)])
    def test_names(self, store: RunStore, length: int, *, taken: bool) -> None:
        """A name has at most 1,000 characters."""
        body = InitializeUpload(name="x" * length)
        if taken:
            assert _uploads(store).initialize(body).id
        else:
            with pytest.raises(BadRequestError):
                _uploads(store).initialize(body)


class TestGrants:
    """A secret for one upload, for a minute."""

    def test_a_minute(self, store: RunStore) -> None:
        """The default, which clients rely on; a grant that is over is refused."""
        assert timedelta(seconds=60) == GRANT
        over = _uploads(store, seconds=-0.001)
        ticket = over.initialize(InitializeUpload(name="a"))
        with pytest.raises(ForbiddenError):
            over.receive(ticket.id, ticket.token)
        good = _uploads(store, seconds=30)
        ticket = good.initialize(InitializeUpload(name="a"))
        good.receive(ticket.id, ticket.token).discard()

    def test_each_has_a_secret_of_its_own(self, store: RunStore) -> None:
        """That of one upload opens no other."""
        uploads = _uploads(store)
        one = uploads.initialize(InitializeUpload(name="a"))
        two = uploads.initialize(InitializeUpload(name="a"))
        with pytest.raises(NotFoundError):
            uploads.receive(one.id, two.token)
        with pytest.raises(NotFoundError):
            uploads.receive(one.id, "")
        uploads.receive(one.id.upper(), one.token).discard()
        # 256 bits, in six bits a character.
        assert len(one.token) == len(two.token) == 43

    def test_once(self, store: RunStore) -> None:
        """After its bytes have come it is used up, and says so before it expires."""
        uploads = _uploads(store)
        ticket = uploads.initialize(InitializeUpload(name="a"))
        with uploads.receive(ticket.id, ticket.token) as reception:
            reception.write(b"x")
            with pytest.raises(BadRequestError, match="never completed"):
                uploads.completed(ticket.id)
            reception.finish()
        assert uploads.completed(ticket.id).content.size == 1
        with pytest.raises(ConflictError):
            uploads.receive(ticket.id, ticket.token)

    def test_the_media_type_that_was_declared_counts(self, store: RunStore) -> None:
        """That which comes with the bytes fills a gap only."""
        uploads = _uploads(store)
        for declared, expected in (("a/declared", "a/declared"), (None, "b/sent")):
            ticket = uploads.initialize(InitializeUpload(name="a", mimeType=declared))
            with uploads.receive(ticket.id, ticket.token) as reception:
                reception.finish("b/sent")
            assert uploads.completed(ticket.id).mime_type == expected


class TestLinks:
    """A file belongs to one run."""

    def test_a_file_stays_with_its_run(
        self,
        store: RunStore,
        make_body: Callable[..., CreateRun],
    ) -> None:
        """Linked again to its own run it stays one file; to another it is refused."""
        first, second = (store.create_run(make_body()).id for _ in range(2))
        ids = []
        for name in ("a", "b"):
            ticket = store.uploads.initialize(InitializeUpload(name=name))
            store.uploads.store(ticket.id, ticket.token, [name.encode()])
            ids.append(ticket.id)
        store.link_uploads(first, ids[:1])
        store.link_uploads(first, ids)
        names = [file.name for file in store.show_run(first).attachments or ()]
        assert names == ["a", "b"]
        with pytest.raises(ConflictError, match="another run"):
            store.link_uploads(second, ids[1:])
        assert not store.show_run(second).attachments
