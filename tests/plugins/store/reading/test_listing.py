"""Listing runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rigbridge.errors import BadRequestError, NotFoundError
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.reading import details


class TestListRuns:
    """The runs of a unit."""

    def test_newest_first(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """Runs are ordered by the test's own start, the newest first."""
        days = ("02", "04", "03")
        ids = {
            day: store.create_run(make_body(started_at=f"2024-01-{day}T00:00:00Z")).id
            for day in days
        }
        found = [run.id for run in store.list_runs("sn-1")]
        assert found == [ids["04"], ids["03"], ids["02"]]

    def test_same_start(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """Of runs with the same start the one stored last comes first."""
        ids = [store.create_run(make_body()).id for _ in range(3)]
        assert [run.id for run in store.list_runs("SN-1")] == ids[::-1]

    def test_unknown_unit(self, store: RunStore) -> None:
        """An unknown serial number has no runs."""
        assert store.list_runs("nobody") == []

    @pytest.mark.parametrize("serial", ["", " ", "x" * 256])
    def test_malformed(self, store: RunStore, serial: str) -> None:
        """A serial number that is blank or too long is refused."""
        with pytest.raises(BadRequestError, match="serial_number"):
            store.list_runs(serial)

    def test_many(
        self,
        store: RunStore,
        make_body: Callable[..., CreateRun],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A unit may have more runs than one query takes at a time."""
        monkeypatch.setattr(details, "_CHUNK", 10)
        for _ in range(25):
            store.create_run(make_body())
        runs = store.list_runs("SN-1")
        assert len(runs) == 25
        assert all(len(run.phases or ()) == 1 for run in runs)


class TestRecentRuns:
    """The runs stored last."""

    def test_order(self, store: RunStore, make_body: Callable[..., CreateRun]) -> None:
        """The run stored last comes first, and no more than asked for are given."""
        ids = [
            store.create_run(make_body(started_at=f"20{9 - n}0-01-01T00:00:00Z")).id
            for n in range(3)
        ]
        assert [run.id for run in store.recent_runs(2)] == [ids[2], ids[1]]


class TestShowRun:
    """One run."""

    def test_sidecar(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """What our superset sent comes back, its report included."""
        sidecar = {
            "rigbridge": 1,
            "attachments": [
                {"name": "far.bin", "media_type": None, "size": None, "sha256": None}
            ],
            "report": {"mapped": {"run": 1}},
        }
        created = store.create_run(make_body(rigbridge=sidecar))
        shown = store.show_run(created.id.upper())
        assert shown.rigbridge == sidecar

    def test_reference(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A file that the sidecar only names is listed, and cannot be opened."""
        sidecar = {"attachments": [{"name": "far.bin", "sha256": None}, {"name": 1}, 7]}
        created = store.create_run(make_body(rigbridge=sidecar))
        (file,) = list(store.show_run(created.id).attachments or ())
        assert (file.name, file.size, file.download_url) == ("far.bin", None, None)
        with pytest.raises(NotFoundError, match="reference without bytes"):
            store.open_attachment(file.id)

    def test_unknown(self, store: RunStore) -> None:
        """A run that does not exist is not found."""
        with pytest.raises(NotFoundError, match="Run with ID 1 does not exist"):
            store.show_run("1")
        with pytest.raises(NotFoundError, match="Attachment with ID 1 does not exist"):
            store.open_attachment("1")
        with pytest.raises(NotFoundError, match="Run with ID 1 does not exist"):
            store.get_run("1")
