"""Uploads: granted, received and linked."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rigbridge.errors import (
    BadRequestError,
    ConflictError,
    DeliveryError,
    ForbiddenError,
    NotFoundError,
    TooLargeError,
)
from rigbridge.wire import CreateRun, InitializeUpload, ListedAttachment
from rigbridge_store import RunStore, UploadTicket
from rigbridge_store.files.contents import FOLDER_NAME, DiskContents
from rigbridge_store.files.uploads import Uploads
from rigbridge_store.tables.schema import uploads as uploads_table

Sender = Callable[..., str]


@pytest.fixture
def send(store: RunStore) -> Sender:
    """Give what uploads bytes, and tells the upload's id."""

    def upload(content: bytes, name: str = "a.txt", size: int | None = None) -> str:
        ticket = store.uploads.initialize(InitializeUpload(name=name, sizeBytes=size))
        store.uploads.store(ticket.id, ticket.token, [content], mime_type="text/plain")
        return ticket.id

    return upload


@pytest.fixture
def run_id(store: RunStore, make_body: Callable[..., CreateRun]) -> str:
    """Create a run."""
    return store.create_run(make_body()).id


def _files(store: RunStore, run: str) -> list[ListedAttachment]:
    return list(store.show_run(run).attachments or ())


def _ticket(store: RunStore, size: int | None = None) -> UploadTicket:
    return store.uploads.initialize(InitializeUpload(name="a.txt", sizeBytes=size))


def _contents(data: Path) -> list[Path]:
    return [path for path in (data / FOLDER_NAME).rglob("*") if path.is_file()]


class TestReceive:
    """The bytes of an upload."""

    def test_content(
        self, store: RunStore, data: Path, send: Sender, run_id: str
    ) -> None:
        """The bytes lie under their digest, and are listed with it."""
        store.link_uploads(run_id, [send(b"hello", size=5)])
        (file,) = _files(store, run_id)
        digest = hashlib.sha256(b"hello").hexdigest()
        assert (file.name, file.mime_type, file.size, file.sha256) == (
            "a.txt",
            "text/plain",
            5,
            digest,
        )
        path = data / FOLDER_NAME / digest[:2] / digest[2:4] / digest
        assert path.read_bytes() == b"hello"

    def test_same_content(self, data: Path, send: Sender) -> None:
        """The same bytes twice are one file."""
        send(b"hello")
        send(b"hello", "b.txt")
        assert len(_contents(data)) == 1

    def test_empty(self, store: RunStore, send: Sender, run_id: str) -> None:
        """An upload may be empty."""
        store.link_uploads(run_id, [send(b"", size=0)])
        assert _files(store, run_id)[0].size == 0

    @pytest.mark.parametrize("content", [b"1234", b"123456"])
    def test_other_size_than_declared(
        self, store: RunStore, data: Path, content: bytes
    ) -> None:
        """More or fewer bytes than declared leave nothing, and the grant stays."""
        ticket = _ticket(store, 5)
        with pytest.raises(BadRequestError):
            store.uploads.store(ticket.id, ticket.token, [content])
        assert _contents(data) == []
        assert store.uploads.store(ticket.id, ticket.token, [b"12345"]).size == 5

    def test_sender_breaks_off(self, store: RunStore, data: Path) -> None:
        """An upload that breaks off leaves nothing."""

        def chunks() -> Iterator[bytes]:
            yield b"123"
            raise ConnectionResetError

        ticket = _ticket(store)
        with pytest.raises(ConnectionResetError):
            store.uploads.store(ticket.id, ticket.token, chunks())
        assert _contents(data) == []

    def test_used_grant(self, store: RunStore) -> None:
        """A grant is good for one upload."""
        ticket = _ticket(store)
        store.uploads.store(ticket.id, ticket.token, [b"1"])
        with pytest.raises(ConflictError, match="has been used"):
            store.uploads.store(ticket.id, ticket.token, [b"2"])

    def test_two_at_once(self, store: RunStore) -> None:
        """Of two uploads under one grant the first to finish counts."""
        ticket = _ticket(store)
        with (
            store.uploads.receive(ticket.id, ticket.token) as one,
            store.uploads.receive(ticket.id, ticket.token) as two,
        ):
            one.write(b"1")
            two.write(b"2")
            one.finish()
            with pytest.raises(ConflictError):
                two.finish()

    def test_expired_grant(self, store: RunStore) -> None:
        """An expired grant is refused, with what to do."""
        uploads = Uploads(
            store._database, store.contents, limit=10, grant=timedelta(seconds=-1)
        )
        ticket = uploads.initialize(InitializeUpload(name="a"))
        with pytest.raises(ForbiddenError, match="Initialize a new upload"):
            uploads.receive(ticket.id, ticket.token)

    def test_wrong_secret(self, store: RunStore) -> None:
        """A grant needs its secret."""
        with pytest.raises(NotFoundError):
            store.uploads.store(_ticket(store).id, "guess", [b"1"])

    def test_limit(self, data: Path) -> None:
        """What is over the limit is refused, declared or not."""
        with RunStore.open(data, max_upload=10) as store:
            with pytest.raises(TooLargeError):
                _ticket(store, 11)
            ticket = _ticket(store)
            with pytest.raises(TooLargeError):
                store.uploads.store(ticket.id, ticket.token, [b"x" * 6] * 2)
            with pytest.raises(TooLargeError):
                store.uploads.receive(ticket.id, ticket.token, announced=11)

    @pytest.mark.parametrize(("name", "size"), [(" ", None), ("a", -1)])
    def test_malformed(self, store: RunStore, name: str, size: int | None) -> None:
        """A blank name and a negative size are refused."""
        with pytest.raises(BadRequestError):
            store.uploads.initialize(InitializeUpload(name=name, sizeBytes=size))


class TestLink:
    """Linking uploads to runs."""

    def test_twice(self, store: RunStore, send: Sender, run_id: str) -> None:
        """Linking an upload to its run again changes nothing."""
        upload = send(b"1")
        for _ in range(2):
            assert store.link_uploads(run_id.upper(), [upload, upload]) == run_id
        assert len(_files(store, run_id)) == 1

    def test_same_file_again(self, store: RunStore, send: Sender, run_id: str) -> None:
        """A second upload of the same name and bytes adds nothing."""
        store.link_uploads(run_id, [send(b"1"), send(b"1"), send(b"1", "b.txt")])
        assert [file.name for file in _files(store, run_id)] == ["a.txt", "b.txt"]

    def test_same_name_with_other_bytes(
        self, store: RunStore, send: Sender, run_id: str
    ) -> None:
        """Files of one name and different bytes are all kept."""
        store.link_uploads(run_id, [send(b"1"), send(b"2")])
        assert len(_files(store, run_id)) == 2

    def test_to_another_run(
        self,
        store: RunStore,
        send: Sender,
        run_id: str,
        make_body: Callable[..., CreateRun],
    ) -> None:
        """An upload belongs to one run."""
        upload = send(b"1")
        store.link_uploads(run_id, [upload])
        other = store.create_run(make_body()).id
        with pytest.raises(ConflictError, match="belongs to another run"):
            store.link_uploads(other, [upload])

    def test_all_or_none(self, store: RunStore, send: Sender, run_id: str) -> None:
        """One wrong upload keeps the others from being linked."""
        with pytest.raises(NotFoundError) as caught:
            store.link_uploads(run_id, [send(b"1"), "unknown"])
        assert caught.value.message == "Upload with ID unknown does not exist."
        assert caught.value.issues == ("attachments[1]: does not exist",)
        assert _files(store, run_id) == []

    def test_never_completed(self, store: RunStore, run_id: str) -> None:
        """An upload without bytes is refused."""
        with pytest.raises(BadRequestError, match="never completed"):
            store.link_uploads(run_id, [_ticket(store).id])

    def test_unknown_run(self, store: RunStore) -> None:
        """A run that does not exist is refused in words of its own."""
        with pytest.raises(NotFoundError, match="Run with ID nothing does not exist"):
            store.link_uploads("nothing", [])


class TestDeletion:
    """What happens to files that nobody needs."""

    @staticmethod
    def _age(data: Path) -> None:
        for path in _contents(data):
            past = time.time() - 86400 * 2
            os.utime(path, (past, past))

    def test_deleted_run(
        self,
        store: RunStore,
        data: Path,
        send: Sender,
        make_body: Callable[..., CreateRun],
    ) -> None:
        """A file goes with the last run that has it."""
        runs = [store.create_run(make_body()).id for _ in range(2)]
        for run in runs:
            store.link_uploads(run, [send(b"1")])
        self._age(data)
        store.delete_run(runs[0])
        assert len(_contents(data)) == 1
        store.delete_run(runs[1])
        assert _contents(data) == []
        with pytest.raises(NotFoundError):
            store.delete_run(runs[0])

    def test_deleted_upload(self, store: RunStore, send: Sender, run_id: str) -> None:
        """An upload goes with the run that it was linked to."""
        upload = send(b"1")
        store.link_uploads(run_id, [upload])
        store.delete_run(run_id)
        with pytest.raises(NotFoundError):
            store.uploads.completed(upload)

    def test_sweep(self, store: RunStore, data: Path, send: Sender) -> None:
        """Sweeping deletes what came to nothing, but nothing that is still in use."""
        fresh = send(b"fresh")
        store.contents.store([b"orphan"])
        self._age(data)
        store.sweep(contents=True)
        assert len(_contents(data)) == 1
        assert store.uploads.completed(fresh).content.size == 5

    def test_sweep_spares_what_was_just_stored(
        self, store: RunStore, data: Path
    ) -> None:
        """A content that came a moment ago may be about to be referred to."""
        store.contents.store([b"orphan"])
        store.sweep(contents=True)
        assert len(_contents(data)) == 1

    def test_sweep_of_old_grants(self, store: RunStore, data: Path) -> None:
        """Grants that expired unused, and bytes that were never linked, go."""
        past = timedelta(days=-3)
        uploads = Uploads(store._database, store.contents, limit=10, grant=past)
        used, unused = (
            uploads.initialize(InitializeUpload(name="a")) for _ in range(2)
        )
        content = store.contents.store([b"1"])
        with store._database.writing() as connection:
            connection.execute(
                uploads_table.update().where(uploads_table.c.id == used.id),
                {"sha256": content.sha256, "size": 1},
            )
        self._age(data)
        store.sweep()
        assert _contents(data) == []
        for ticket in (used, unused):
            with pytest.raises(NotFoundError):
                store.uploads.completed(ticket.id)

    def test_disk_that_refuses(self, store: RunStore) -> None:
        """A disk that takes nothing is an error that may pass."""
        assert isinstance(store.contents, DiskContents)
        store.contents.incoming.rmdir()
        with pytest.raises(DeliveryError) as caught:
            store.contents.store([b"1"])
        assert caught.value.status == 503
