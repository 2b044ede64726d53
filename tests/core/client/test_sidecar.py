"""What v1 has no field for, on its way to a run store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.client.destination import HTTPDestination
from rigbridge.convert import load
from rigbridge.destinations import (
    DestinationSettings,
    Progress,
    Sidecar,
)
from rigbridge.errors import (
    UnexpectedAnswerError,
)
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport, Disposition
from rigbridge.testing.adapters.strategies import runs
from rigbridge.testing.run_store.faults import (
    Dialect,
    Fault,
    Operation,
)
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import CreateRun, from_builtins

Serve = Callable[..., RunStoreServer]

Reach = Callable[..., HTTPDestination]

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]


class _Kept:
    """Keeps progress as an outbox does."""

    def __init__(self) -> None:
        self.steps: list[Progress] = [Progress()]

    def __call__(self, progress: Progress) -> None:
        self.steps.append(progress)

    @property
    def last(self) -> Progress:
        return self.steps[-1]


_RICH = {"metadata": {"line": 4}, "station": "ST-1"}


class TestSidecar:
    """When and how the sidecar travels."""

    def _sidecar(self, server: RunStoreServer) -> dict[str, Any] | None:
        files = dict(server.attachments(server.runs[0].id))
        content = files.get("rigbridge.json")
        return None if content is None else json.loads(content)

    def test_a_plain_run_needs_none(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """Where v1 carries everything, no file is added."""
        reach(server).submit(make_run())
        assert self._sidecar(server) is None

    def test_what_v1_lacks_travels_as_a_file(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Body and sidecar together restore the run."""
        run = make_run(attachments=[make_file("a", b"1")], **_RICH)
        receipt = reach(server).submit(run)
        assert receipt.attached == ("a", "rigbridge.json")
        (upload,) = [u for u in server.uploads if u.name == "rigbridge.json"]
        assert upload.media_type == "application/json"
        body = from_builtins(server.runs[0].body, CreateRun)
        assert load(body, run_id=uuid4(), sidecar=self._sidecar(server)) == run

    def test_our_store_takes_it_in_the_body(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """A store that says so gets the sidecar inline, and no file."""
        server = serve(**attrs.asdict(Dialect.ours()))
        run = make_run(**_RICH)
        receipt = reach(server).submit(run)
        assert receipt.attached == ()
        body = from_builtins(server.runs[0].body, CreateRun)
        assert isinstance(body.rigbridge, dict)
        assert load(body, run_id=uuid4(), sidecar=body.rigbridge) == run

    def test_always_means_always(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """The setting ``always`` sends a sidecar that adds nothing."""
        run = make_run()
        reach(server, sidecar=Sidecar.ALWAYS).submit(run)
        body = from_builtins(server.runs[0].body, CreateRun)
        sidecar = self._sidecar(server)
        assert sidecar is not None
        assert load(body, run_id=uuid4(), sidecar=sidecar) == run

    @pytest.mark.parametrize("ours", [True, False])
    def test_never_accounts_for_each_loss(
        self, serve: Serve, reach: Reach, make_run: MakeRun, *, ours: bool
    ) -> None:
        """The setting ``never`` drops, and says what and where."""
        server = serve(**attrs.asdict(Dialect.ours())) if ours else serve()
        report = ConversionReport()
        run = make_run(attachments=[Attachment(name="far.bin")], **_RICH)
        receipt = reach(server, sidecar=Sidecar.NEVER).submit(run, report)
        assert receipt.attached == ()
        assert "rigbridge" not in server.runs[0].body
        dropped = [
            (entry.item, entry.place.path)
            for entry in report.entries
            if entry.disposition is Disposition.DROPPED
        ]
        assert ("station", "$.station") in dropped
        assert ("attachment", "$.attachments[0]") in dropped
        assert any(item == "metadata" or "metadata" in str(p) for item, p in dropped)

    def test_a_file_without_bytes_is_kept_by_reference(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """It is recorded, described in the sidecar, and no failure."""
        report = ConversionReport()
        run = make_run(attachments=[Attachment(name="far.bin", media_type="x/y")])
        receipt = reach(server).submit(run, report)
        assert receipt.attached == ("rigbridge.json",)
        assert not receipt.failures
        (entry,) = report.entries
        assert entry.rule == "has no bytes, kept by reference in the sidecar"
        assert entry.detail == "far.bin"
        sidecar = self._sidecar(server)
        assert sidecar is not None
        assert sidecar["attachments"][0]["name"] == "far.bin"
        assert sidecar["report"]["coerced"][0]["item"] == "attachment"

    def test_a_sidecar_that_is_refused_is_told(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """The sidecar is a file like any other."""
        receipt = reach(serve(max_upload=1)).submit(make_run(**_RICH))
        assert [failure.name for failure in receipt.failures] == ["rigbridge.json"]


class TestWholeRuns:
    """Any run arrives whole."""

    @settings(
        max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(run=runs(), inline=st.booleans())
    def test_any_run_is_restored_from_what_is_stored(
        self, run: Run, *, inline: bool
    ) -> None:
        """From the body and the sidecar of any run, the same run is made."""
        dialect = Dialect.ours() if inline else Dialect()
        with RunStoreServer(dialect) as server:
            destination = HTTPDestination(
                DestinationSettings(data=Path(), url=server.url, api_key=server.api_key)
            )
            destination.submit(run)
            destination.close()
            (stored,) = server.runs
            files = dict(server.attachments(stored.id))
        body = from_builtins(stored.body, CreateRun)
        content = files.get("rigbridge.json")
        sidecar = json.loads(content) if content else body.rigbridge or None
        restored = load(body, run_id=run.id, sidecar=sidecar)
        assert restored == run

    def test_a_success_that_is_none_is_told(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """A portal that answers everything with a page is no store."""
        destination = reach(server)
        for _ in range(2):
            destination.submit(make_run())  # by then it knows what the list shows
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.CREATE)
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.LIST, times=2)
        kept = _Kept()
        with pytest.raises(UnexpectedAnswerError, match="no JSON"):
            destination.resume(make_run(), Progress(), kept)
        assert kept.last.sent
