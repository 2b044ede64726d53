"""The line for the operator: what was stored where, or what waits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from rigbridge.outbox import EntryState, OutboxEntry
from rigbridge_openhtf import HandOver
from rigbridge_openhtf.live.hand_over import RecordStatus, status_line

RUN = UUID("11111111-2222-4333-8444-555555555555")
GONE = Path("box/incoming/no such folder")
QUEUED = HandOver(run_id=RUN, serial_number="SN-1", outcome="PASS", folder=GONE)


def _entry(
    state: EntryState,
    *,
    reason: str | None = None,
    stored_id: str | None = None,
    url: str | None = None,
) -> OutboxEntry:
    return OutboxEntry(
        id=RUN,
        state=state,
        destination="https://store",
        serial_number="SN-1",
        procedure=None,
        submitted_at=datetime(2026, 1, 1, tzinfo=UTC),
        attempts=1,
        due=None,
        reason=reason,
        stored_id=stored_id,
        url=url,
    )


def _line(*fates: RecordStatus, problem: str | None = None) -> str:
    line = status_line(
        fates,
        store="https://store",
        folder=Path("box"),
        flush="rigbridge outbox flush --data box",
        problem=problem,
    )
    assert line is not None
    assert "\n" not in line
    return line


class TestOneRun:
    """A single run is told by its unit, its verdict, its id and its link."""

    def test_stored(self) -> None:
        """The store's own id and the link are named."""
        entry = _entry(EntryState.DONE, stored_id="r-7", url="https://store/r-7")
        assert _line(RecordStatus(QUEUED, entry)) == (
            "rigbridge: SN-1 PASS is stored in https://store as run r-7:"
            " https://store/r-7"
        )

    def test_forgotten(self) -> None:
        """One that the outbox has forgotten was delivered."""
        assert _line(RecordStatus(QUEUED)).endswith(
            f"stored in https://store as run {RUN}"
        )

    def test_waits(self) -> None:
        """Where it is, why it waits and what sends it are named, on one line."""
        entry = _entry(EntryState.PENDING, reason="no\nconnection")
        line = _line(RecordStatus(QUEUED, entry))
        assert f"SN-1 PASS, run {RUN}, safe in box" in line
        assert "(no connection)" in line
        assert "rigbridge outbox flush" in line

    def test_refused(self) -> None:
        """The words of the store are there, and where a person decides."""
        entry = _entry(EntryState.PARKED, reason="no such procedure")
        line = _line(RecordStatus(QUEUED, entry))
        assert "kept in box for a person (no such procedure)" in line
        assert "rigbridge outbox list" in line

    def test_a_wrong_setting(self, tmp_path: Path) -> None:
        """A record without a sender is safe; what is to be mended is said."""
        fate = RecordStatus(HandOver(run_id=RUN, folder=tmp_path))
        line = _line(fate, problem="to: 'nonsense' is no address")
        assert f"a unit without a serial number, run {RUN}, safe in box" in line
        assert "'nonsense' is no address" in line
        assert "mend the setting, then 'rigbridge outbox flush --data box'" in line

    def test_canceled(self) -> None:
        """That nothing is stored of a test that never began is said."""
        fate = RecordStatus(HandOver(run_id=RUN, outcome="ABORTED", canceled=True))
        assert "canceled before it began" in _line(fate)
        assert "2 canceled before they began" in _line(fate, fate)

    def test_lost(self) -> None:
        """What could not even be kept is not passed over."""
        fate = RecordStatus(HandOver(run_id=RUN, problem="OSError: no room"))
        assert "could be kept nowhere: OSError: no room" in _line(fate)


class TestSeveralRuns:
    """Several runs are counted, by what has come of them."""

    def test_counted(self) -> None:
        """Each kind is named once, with its number."""
        stored = RecordStatus(QUEUED, _entry(EntryState.DONE))
        waits = RecordStatus(QUEUED, _entry(EntryState.SENDING))
        lost = [RecordStatus(HandOver(run_id=RUN, problem="no room")) for _ in "ab"]
        line = _line(stored, waits, stored, *lost)
        assert line.startswith("rigbridge: 5 runs: 2 stored in https://store; 1 safe")
        assert "2 could be kept nowhere: no room" in line

    def test_none(self) -> None:
        """Without a run there is nothing to say."""
        assert status_line([], store="s", folder=Path(), flush="") is None
