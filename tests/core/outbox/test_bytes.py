"""What a disk damages is noticed before it is sent, and harms no other run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rigbridge.model import Attachment, Measurement, MeasurementOutcome, Phase, Run
from rigbridge.model.outcome import PhaseOutcome
from rigbridge.outbox import EntryState, Outbox, OutboxEntry
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]

_SOUND = b"0123456789" * 100_000


@pytest.fixture(name="trace")
def _trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.bin"
    path.write_bytes(_SOUND)
    return path


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[77] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    os.truncate(path, 500)


def _parked(outbox: Outbox) -> OutboxEntry:
    (entry,) = outbox.entries([EntryState.PARKED])
    return entry


class TestDocuments:
    """The run itself."""

    def test_a_flipped_digit_is_not_sent(
        self,
        open_outbox: Callable[..., Outbox],
        server: RunStoreServer,
        make_run: MakeRun,
        folder: Path,
    ) -> None:
        """The document is sound JSON and the value plausible: only its digest tells."""
        measurement = Measurement(
            name="supply", outcome=MeasurementOutcome.PASS, value=3.3125
        )
        phase = Phase(name="p", outcome=PhaseOutcome.PASS, measurements=(measurement,))
        with open_outbox(server) as outbox:
            outbox.submit(make_run(phases=(phase,)))
        database = folder / "outbox.sqlite"
        content = database.read_bytes()
        assert content.count(b"3.3125") == 1
        database.write_bytes(content.replace(b"3.3125", b"9.3125"))
        outbox = open_outbox(server)
        outbox.flush(60)
        assert "damaged" in str(_parked(outbox).reason)
        assert not server.runs


class TestFiles:
    """The attachments."""

    @pytest.mark.parametrize("damage", [_flip, _cut])
    def test_a_damaged_file_is_neither_sent_nor_deleted(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        folder: Path,
        trace: Path,
        *,
        damage: Callable[[Path], None],
    ) -> None:
        """The run is stored, its file is not, and a person is told why."""
        outbox.submit(make_run(attachments=[Attachment.from_file(trace)]))
        (kept,) = (folder / "content").iterdir()
        damage(kept)
        outbox.flush(60)
        assert "trace.bin" in str(_parked(outbox).reason)
        assert kept.exists()
        assert all(upload.content is None for upload in server.uploads)

    @pytest.mark.parametrize("damage", [_flip, _cut])
    def test_a_sound_file_takes_the_place_of_a_damaged_one(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        folder: Path,
        trace: Path,
        *,
        damage: Callable[[Path], None],
    ) -> None:
        """A run handed over later mends it for both."""
        outbox.submit(make_run(attachments=[Attachment.from_file(trace)]))
        (kept,) = (folder / "content").iterdir()
        damage(kept)
        outbox.submit(make_run(attachments=[Attachment.from_file(trace)]))
        assert outbox.flush(60) == 0
        assert not outbox.entries()
        for run in server.runs:
            assert server.attachments(run.id) == [("trace.bin", _SOUND)]

    def test_a_file_that_was_put_in_order_is_sent_after_a_retry(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        folder: Path,
        trace: Path,
    ) -> None:
        """As its error says: a sound copy in its place, and a retry."""
        outbox.submit(make_run(attachments=[Attachment.from_file(trace)]))
        (kept,) = (folder / "content").iterdir()
        _flip(kept)
        outbox.flush(60)
        kept.write_bytes(_SOUND)
        outbox.retry(_parked(outbox).id)
        outbox.flush(60)
        (run,) = server.runs
        assert server.attachments(run.id) == [("trace.bin", _SOUND)]
