"""Finding one's own run among those of its unit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client.delivery.lookup import can_be_found, find
from rigbridge.client.listing import ReceivedRun
from rigbridge.convert.times import from_millis, to_iso_utc
from rigbridge.model import RunOutcome
from rigbridge.wire import CreateRun, ListedProcedure, WireUnit

_STARTED = "2026-01-02T03:04:05.678Z"
_PROCEDURE_ID = "550e8400-e29b-41d4-a716-446655440003"


def _body(**fields: Any) -> CreateRun:
    given_fields = {
        "unit_under_test": WireUnit(serial_number="SN"),
        "run_passed": True,
        "outcome": RunOutcome.PASS,
        "procedure_name": "Final test",
        "started_at": _STARTED,
        **fields,
    }
    return CreateRun(**given_fields)


def _listed(**fields: Any) -> ReceivedRun:
    given_fields = {
        "id": "r1",
        "outcome": "PASS",
        "started_at": _STARTED,
        "procedure": ListedProcedure(id=_PROCEDURE_ID, name="Final test"),
        **fields,
    }
    return ReceivedRun(**given_fields)


class TestFind:
    """What counts as the same run."""

    def test_the_same_run_is_found_among_others(self) -> None:
        """Procedure, start and outcome together name one run."""
        runs = [_listed(id="r0", outcome="FAIL"), _listed(id="r1"), _listed(id="r2")]
        assert find(_body(), runs) == runs[1]

    @pytest.mark.parametrize(
        "fields",
        [
            {"outcome": "FAIL"},
            {"started_at": "2026-01-02T03:04:05.679Z"},
            {"started_at": None},
            {"started_at": "yesterday"},
            {"procedure": ListedProcedure(id="p2", name="Other test")},
            {"outcome": None, "unread": {"runPassed": False}},
        ],
    )
    def test_another_run_is_not_taken_for_it(self, fields: dict[str, Any]) -> None:
        """A difference in anything that is known is a difference."""
        assert find(_body(), [_listed(**fields)]) is None

    @pytest.mark.parametrize(
        "fields",
        [
            {"started_at": "2026-01-02T04:04:05.678+01:00"},
            {"started_at": "2026-01-02T03:04:05.678400Z"},
            {"outcome": None},
            {"outcome": None, "unread": {"runPassed": True}},
            {"procedure": None},
            {"procedure": ListedProcedure(id="p9", name="Final test")},
        ],
    )
    def test_what_a_server_leaves_out_or_spells_otherwise_is_no_difference(
        self, fields: dict[str, Any]
    ) -> None:
        """Only what both sides know is compared, times by their moment."""
        assert find(_body(), [_listed(**fields)]) is not None

    @pytest.mark.parametrize(
        ("procedure_id", "found"),
        [(_PROCEDURE_ID, True), ("FVT1", True)],
    )
    def test_a_procedure_by_id(self, procedure_id: str, *, found: bool) -> None:
        """The store's id is compared; a human identifier cannot be."""
        body = _body(procedure_name=None, procedure_id=procedure_id)
        assert (find(body, [_listed()]) is not None) is found

    def test_another_procedure_by_id(self) -> None:
        """Another UUID is another procedure."""
        other = "550e8400-e29b-41d4-a716-446655440099"
        body = _body(procedure_name=None, procedure_id=other)
        assert find(body, [_listed()]) is None

    @given(millis=st.integers(min_value=0, max_value=4 * 10**12))
    def test_times_agree_to_the_millisecond(self, millis: int) -> None:
        """A start is found again after the microseconds were rounded away."""
        body = _body(started_at=to_iso_utc(from_millis(millis + 0.3)))
        listed = _listed(started_at=to_iso_utc(from_millis(millis)))
        other = _listed(started_at=to_iso_utc(from_millis(millis + 1)))
        assert find(body, [other, listed]) == listed

    def test_a_run_without_start_cannot_be_found(self) -> None:
        """Without a start nothing tells a run from its repetition."""
        body = _body(started_at=None)
        assert not can_be_found(body)
        assert find(body, [_listed(started_at=None)]) is None
