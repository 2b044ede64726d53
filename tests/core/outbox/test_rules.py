"""The rules of a site, applied to a run whenever it is about to be sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import DestinationSettings
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport, Disposition
from rigbridge.outbox import EntryState, Outbox, RunRules
from rigbridge.testing.run_store.server import RunStoreServer

Open = Callable[[RunRules | None], Outbox]


@pytest.fixture(name="open_with")
def _open_with(opened: ExitStack, folder: Path, server: RunStoreServer) -> Open:
    """Open the outbox of the test with rules, and close it with the test."""
    settings = DestinationSettings(
        data=folder, url=server.url, api_key=server.api_key, timeout=60.0
    )

    def open_with(rules: RunRules | None) -> Outbox:
        make = partial(HTTPDestination, settings)
        return opened.enter_context(Outbox.open(folder, make, rules=rules))

    return open_with


def _numbered(number: str) -> RunRules:
    """Make rules that supply the serial number."""

    def apply(run: Run, report: ConversionReport) -> tuple[Run, ConversionReport]:
        report.coerced("serial number", "supplied by the test")
        unit = attrs.evolve(run.unit, serial_number=number)
        return attrs.evolve(run, unit=unit), report

    return apply


def _nameless(make_run: Callable[..., Run]) -> Run:
    run = make_run()
    return attrs.evolve(run, unit=attrs.evolve(run.unit, serial_number=None))


class TestRules:
    """When rules are applied, and to what."""

    def test_a_run_is_completed_when_it_is_sent(
        self, open_with: Open, server: RunStoreServer, make_run: Callable[..., Run]
    ) -> None:
        """The store gets the completed run; the queue keeps it as it was."""
        outbox = open_with(_numbered("SN-9"))
        run_id = outbox.submit(_nameless(make_run))
        assert outbox.run(run_id)[0].unit.serial_number is None
        outbox.flush(60)
        assert [run.serial_number for run in server.runs] == ["SN-9"]

    def test_a_mended_rule_mends_what_is_parked(
        self, open_with: Open, server: RunStoreServer, make_run: Callable[..., Run]
    ) -> None:
        """What no store takes is taken after the rule came, once it is retried."""
        with open_with(None) as outbox:
            run_id = outbox.submit(_nameless(make_run))
            outbox.flush(60)
            (parked,) = outbox.entries([EntryState.PARKED])
        with open_with(_numbered("SN-9")) as outbox:
            outbox.retry(parked.id)
            outbox.flush(60)
            entry = outbox.entry(run_id)
        assert entry is not None
        assert entry.state is EntryState.DONE
        assert [run.serial_number for run in server.runs] == ["SN-9"]

    def test_what_a_rule_changed_is_recorded_once(
        self, open_with: Open, server: RunStoreServer, make_run: Callable[..., Run]
    ) -> None:
        """An attempt begins with the report that was handed over, not the last one."""
        seen: list[int] = []

        def apply(run: Run, report: ConversionReport) -> tuple[Run, ConversionReport]:
            done = _numbered("SN-9")(run, report)
            seen.append(done[1].count(Disposition.COERCED, "serial number"))
            return done

        outbox = open_with(apply)
        with server.refusing():
            outbox.submit(_nameless(make_run))
            while not seen:
                outbox.flush(0.5)
        outbox.flush(60)
        assert len(seen) > 1
        assert set(seen) == {1}

    def test_a_rule_that_breaks_down_parks_the_run(
        self, open_with: Open, make_run: Callable[..., Run]
    ) -> None:
        """Its error is the reason, and the run stays for a mended rule."""

        def apply(run: Run, report: ConversionReport) -> Any:
            raise ValueError(f"no rule for {run.id} and {report}")

        outbox = open_with(apply)
        run_id = outbox.submit(make_run())
        outbox.flush(60)
        entry = outbox.entry(run_id)
        assert entry is not None
        assert entry.state is EntryState.PARKED
        assert "no rule for" in (entry.reason or "")
