"""Works of several threads in one transaction: all of each, or nothing of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from rigbridge.errors import NotFoundError, ServerUnavailableError
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.reading.run_search import named_procedures
from rigbridge_store.tables.group_commit import MOST
from rigbridge_store.tables.schema import users

Work = Callable[[sa.Connection], Any]


def _user(number: int) -> dict[str, Any]:
    name = f"user {number}"
    return {"id": str(number), "name": name, "name_key": name, "created_at": number}


def _adding(number: int) -> Work:
    def add(connection: sa.Connection) -> int:
        connection.execute(users.insert(), _user(number))
        return number

    return add


def _at_once(
    store: RunStore, calls: list[Callable[[], Any]], *, only_adds: bool = False
) -> list[Future[Any]]:
    """Let calls wait while a work is being done, so that they make one group."""
    database = store._database
    groups = database._additions if only_adds else database._groups
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: sa.Connection) -> None:
        begun.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(len(calls) + 1) as threads:
        held = threads.submit(database.write, hold, only_adds=only_adds)
        assert begun.wait(30)
        futures: list[Future[Any]] = []
        for call in calls:
            # One after the other: the order is told.
            futures.append(threads.submit(call))
            while len(groups._waiting) < len(futures):
                time.sleep(0.001)
        go_on.set()
    held.result()
    return futures


def _together(store: RunStore, works: list[Work]) -> list[Future[Any]]:
    return _at_once(store, [partial(store._database.write, work) for work in works])


def _stored(store: RunStore) -> set[int]:
    with store.reading() as connection:
        return {
            int(found) for found in connection.execute(sa.select(users.c.id)).scalars()
        }


class TestGroup:
    """Works that wait at the same time."""

    def test_share_a_transaction(self, store: RunStore) -> None:
        """They are committed together, and each gets its own answer."""
        commits: list[object] = []
        sa.event.listen(store._database._engine, "commit", commits.append)
        futures = _together(store, [_adding(number) for number in range(8)])
        assert [future.result() for future in futures] == list(range(8))
        assert _stored(store) == set(range(8))
        # One of the work that was waited for, one of the group, one of the reading.
        assert len(commits) == 3

    def test_no_group_without_end(self, store: RunStore) -> None:
        """More works than one transaction may hold are done all the same."""
        works = [_adding(number) for number in range(MOST + 3)]
        assert all(future.result() is not None for future in _together(store, works))
        assert len(_stored(store)) == MOST + 3

    def test_failure_is_of_one(self, store: RunStore) -> None:
        """A work that fails leaves nothing, and the others alone."""

        def fail(connection: sa.Connection) -> None:
            connection.execute(users.insert(), _user(9))
            raise KeyError("nothing of it")

        def contradict(connection: sa.Connection) -> None:
            connection.execute(users.insert(), _user(8))
            connection.execute(users.insert(), _user(8))

        first, wrong, double, last = _together(
            store, [_adding(1), fail, contradict, _adding(2)]
        )
        assert (first.result(), last.result()) == (1, 2)
        with pytest.raises(KeyError, match="nothing"):
            wrong.result()
        with pytest.raises(sa.exc.IntegrityError):
            double.result()
        assert _stored(store) == {1, 2}

    def test_alone(self, store: RunStore) -> None:
        """A work that nobody waits beside fails by itself, too."""

        def fail(connection: sa.Connection) -> None:
            connection.execute(users.insert(), _user(9))
            raise KeyError("nothing of it")

        with pytest.raises(KeyError):
            store._database.write(fail)
        assert store._database.write(_adding(1)) == 1
        assert _stored(store) == {1}

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_failed_commit_is_of_all(self, store: RunStore) -> None:
        """Nobody is answered whose work is not committed."""

        def dangle(connection: sa.Connection) -> None:
            # Seen no sooner than at the commit.
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            values = {"station_key": 77, "procedure_key": 77}
            connection.exec_driver_sql(
                "INSERT INTO station_procedures VALUES (:station_key, :procedure_key)",
                values,
            )

        for future in _together(store, [_adding(1), dangle, _adding(2)]):
            with pytest.raises(sa.exc.IntegrityError):
                future.result()
        assert not _stored(store)
        assert store._database.write(_adding(3)) == 3

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_transaction_given_up(self, store: RunStore) -> None:
        """Where the database gives the transaction up, all of the group learn of it."""

        def give_up(connection: sa.Connection) -> None:
            connection.exec_driver_sql("ROLLBACK")
            raise ServerUnavailableError("the disk is full")

        for future in _together(store, [_adding(1), give_up, _adding(2)]):
            with pytest.raises(ServerUnavailableError, match="full"):
                future.result()
        assert not _stored(store)
        assert store._database.write(_adding(3)) == 3

    def test_interrupted_leader(self, store: RunStore) -> None:
        """Who is interrupted while he does all works leaves them to the next one."""
        interrupted = threading.Event()

        def interrupt(_: sa.Connection) -> None:
            if not interrupted.is_set():
                interrupted.set()
                raise KeyboardInterrupt

        first, *others = _together(store, [interrupt, _adding(1), _adding(2)])
        with pytest.raises(KeyboardInterrupt):
            first.result()
        assert [future.result() for future in others] == [1, 2]
        assert _stored(store) == {1, 2}


class TestRuns:
    """Runs that are created at once."""

    def test_refused_run_beside_others(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A run that is refused leaves neither itself nor what it would bring along."""
        bodies = [
            make_body(procedure_name="P0"),
            make_body(procedure_name="P1", operated_by="nobody@example.com"),
            make_body(procedure_name="P2"),
        ]
        first, refused, last = _at_once(
            store,
            [partial(store.create_run, body) for body in bodies],
            only_adds=True,
        )
        assert first.result().created
        assert last.result().created
        with pytest.raises(NotFoundError):
            refused.result()
        with store.reading() as connection:
            named = named_procedures(connection)
        assert {procedure.name for procedure in named} == {"P0", "P2"}
        # What was undone is not remembered.
        assert store.create_run(make_body(procedure_name="P1")).created

    def test_new_names_in_one_group(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """Runs of one group that bring the same things along share them."""
        call = partial(store.create_run, make_body())
        answers = [
            future.result() for future in _at_once(store, [call] * 3, only_adds=True)
        ]
        assert len({answer.id for answer in answers}) == 3
        assert len(store.list_runs("SN-1")) == 3
        with store.reading() as connection:
            assert len(named_procedures(connection)) == 1
