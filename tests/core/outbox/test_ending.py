"""How long the end of a program waits."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from unittest.mock import Mock

import pytest

from rigbridge.outbox import Outbox
from rigbridge.outbox.ending import flush_at_end


def _outbox(
    waiting: Iterable[int], *, trouble: str | None = None, reason: str | None = None
) -> Mock:
    outbox = Mock(spec=Outbox, trouble=trouble)
    outbox.flush.side_effect = waiting
    outbox.entries.return_value = [Mock(reason=None), Mock(reason=reason)]
    return outbox


def test_a_slow_machine_still_stores_its_runs() -> None:
    """The embedded store cannot be gone; who looks there expects the run."""
    outbox = _outbox([2, 2, 1, 0])
    assert flush_at_end(lambda _: outbox, embedded=True) == 0
    assert outbox.flush.call_count == 4


def test_it_waits_no_longer_than_half_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever holds the embedded store up: the run is kept."""
    monkeypatch.setattr("rigbridge.outbox.ending._EMBEDDED", 0.0)
    outbox = _outbox(itertools.repeat(1))
    assert flush_at_end(lambda _: outbox, embedded=True) == 1


@pytest.mark.parametrize(
    ("embedded", "trouble", "reason"),
    [
        pytest.param(False, None, None, id="a store elsewhere"),
        pytest.param(True, "the disk is full", None, id="nothing can be queued"),
        pytest.param(True, None, "is locked", id="the store refuses"),
    ],
)
def test_what_does_not_go_well_is_left_to_the_next_start(
    *, embedded: bool, trouble: str | None, reason: str | None
) -> None:
    """The deadline is the deadline: no test waits again and again for a dead store."""
    outbox = _outbox(itertools.repeat(1), trouble=trouble, reason=reason)
    assert flush_at_end(lambda _: outbox, embedded=embedded) == 1
    outbox.flush.assert_called_once()


def test_one_that_cannot_be_opened_tells_nothing() -> None:
    """Others count what lies in the folder then."""
    assert flush_at_end(lambda _: None, embedded=True) is None
