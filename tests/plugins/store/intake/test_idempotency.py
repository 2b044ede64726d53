"""Creating the same run twice, at once or one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from rigbridge.errors import BadRequestError, ConflictError
from rigbridge.wire import CreateRun
from rigbridge_store import CreationResult, RunStore
from rigbridge_store.intake.policies import Repetition


class TestIdempotencyKey:
    """The key that a sender gives to a creation."""

    def test_same_body(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """The same key with the same body is answered with the first run."""
        first = store.create_run(make_body(), idempotency_key="one")
        again = store.create_run(make_body(), idempotency_key="one")
        assert (again.id, again.created) == (first.id, False)
        assert len(store.list_runs("SN-1")) == 1

    def test_another_sender(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """An update of the client between two attempts changes nothing."""
        first = store.create_run(make_body(client_version="1"), idempotency_key="one")
        again = store.create_run(make_body(client_version="2"), idempotency_key="one")
        assert again.id == first.id

    def test_another_body(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """The same key with another body is refused, and changes nothing."""
        store.create_run(make_body(), idempotency_key="one")
        body = make_body(run_passed=False, procedure_name="New")
        with pytest.raises(ConflictError, match="another body"):
            store.create_run(body, idempotency_key="one")
        assert len(store.recent_runs(5)) == 1

    def test_lenient(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A lenient creation keeps the first body, and warns."""
        store.create_run(make_body(), idempotency_key="one")
        again = store.create_run(
            make_body(run_passed=False),
            idempotency_key="one",
            repetition=Repetition.WARNED,
        )
        assert not again.created
        assert "other content" in again.warnings[0]

    def test_uuid_becomes_the_id(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A key that is a UUID is the run's id, however it is spelled."""
        uuid = uuid4()
        created = store.create_run(make_body(), idempotency_key=str(uuid).upper())
        assert created.id == str(uuid)
        again = store.create_run(make_body(), idempotency_key=uuid.hex)
        assert not again.created

    @pytest.mark.parametrize("key", ["", " ", "x" * 256])
    def test_malformed(
        self, store: RunStore, make_body: Callable[..., CreateRun], key: str
    ) -> None:
        """A key that is blank or too long is refused."""
        with pytest.raises(BadRequestError, match="idempotency key"):
            store.create_run(make_body(), idempotency_key=key)

    def test_of_one_test(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A reference is repeated by its own station for its own unit, by no other."""
        stations = []
        for name in ("A", "B"):
            stations.append(store.authenticate(store.create_station_key(name)))
            store.administration.link_station(name, "Function Test")

        def create(station: int, **changes: Any) -> CreationResult:
            return store.create_run(
                make_body(**changes),
                idempotency_key="1",
                principal=stations[station],
                repetition=Repetition.OF_ONE_TEST,
            )

        first = create(0)
        assert create(0, run_passed=False).id == first.id
        other = {"serial_number": "SN-2", "part_number": "PCB-1"}
        for station, changes in (
            (0, {"unit_under_test": other}),
            (1, {"run_passed": False}),
            (1, {"unit_under_test": other}),
        ):
            with pytest.raises(ConflictError):
                create(station, **changes)

    def test_after_deletion(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A run that was deleted may be created anew under its key."""
        first = store.create_run(make_body(), idempotency_key="one")
        store.delete_run(first.id)
        assert store.create_run(make_body(), idempotency_key="one").created

    def test_of_another_procedure(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A station learns nothing of runs that it may not see by repeating a key."""
        store.create_run(make_body(), idempotency_key="one")
        station = store.authenticate(store.create_station_key("S"))
        store.administration.link_station("S", "Other")
        body = make_body(procedure_name="Other")
        with pytest.raises(ConflictError):
            store.create_run(body, idempotency_key="one", principal=station)


class TestThreads:
    """Several threads on one store."""

    @staticmethod
    def _together(count: int, work: Callable[[int], Any]) -> None:
        start = threading.Barrier(count)

        def run(number: int) -> None:
            start.wait()
            work(number)

        threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def test_one_key(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """One key from many threads makes one run."""
        created: list[CreationResult] = []
        self._together(
            8,
            lambda _: created.append(
                store.create_run(make_body(), idempotency_key="one")
            ),
        )
        assert len({answer.id for answer in created}) == 1
        assert sum(answer.created for answer in created) == 1

    def test_one_new_unit(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """What many runs refer to for the first time is created once."""
        self._together(8, lambda _: store.create_run(make_body()))
        runs = store.list_runs("SN-1")
        assert len(runs) == 8
        assert len({run.unit.id for run in runs if run.unit}) == 1
        assert len({run.procedure.id for run in runs if run.procedure}) == 1
