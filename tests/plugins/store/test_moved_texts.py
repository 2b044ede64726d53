"""Documents and large values that are those of another run, or gone: a check tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from rigbridge.cli import main
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.intake.creation import Creation
from rigbridge_store.intake.policies import CreationPolicy
from rigbridge_store.intake.preparation import prepare
from rigbridge_store.results import CreationResult
from rigbridge_store.tables.packing import pack
from rigbridge_store.tables.schema import large_values, run_documents, runs

Damage = Callable[[sa.Connection, Sequence[int]], object]


@pytest.fixture(name="ids")
def _ids(store: RunStore, make_body: Callable[..., CreateRun]) -> list[str]:
    """Store two runs at once, as an import does, which differ in their texts alone."""
    policy = CreationPolicy(create_missing=True, declared_operators=True)
    made: list[Creation] = []
    for number in range(2):
        waves = [
            {
                "name": name,
                "outcome": "PASS",
                "measured_value": [[n, n / 7 + number] for n in range(count)],
            }
            for name, count in (("Wave", 500), ("Longer", 501))
        ]
        phase = {
            "name": "Sweep",
            "outcome": "PASS",
            "start_time_millis": 0,
            "end_time_millis": 1,
            "measurements": waves,
        }
        body = make_body(
            phases=[phase], rigbridge={"rigbridge": 1, "overlay": None, "extra": number}
        )
        ready = prepare(body, report={"mapped": {"run": number}})
        made.append(
            Creation(
                body=body,
                prepared=ready,
                principal=None,
                policy=policy,
                key=None,
                files=(),
            )
        )
    results = store.create_prepared(made)
    ids = [result.id for result in results if isinstance(result, CreationResult)]
    assert store.upkeep.check().problems == ()
    return ids


def _swapped(column: sa.Column[bytes]) -> Damage:
    def swap(connection: sa.Connection, keys: Sequence[int]) -> None:
        table = column.table
        texts = [
            connection.execute(
                sa.select(column).where(table.c.run_key == key).limit(1)
            ).scalar_one()
            for key in keys
        ]
        for key, text in zip(keys, reversed(texts), strict=True):
            connection.execute(
                table.update().where(table.c.run_key == key).values({column.name: text})
            )

    return swap


def _deleted(table: sa.Table) -> Damage:
    def delete(connection: sa.Connection, keys: Sequence[int]) -> None:
        connection.execute(table.delete().where(table.c.run_key.in_(keys)))

    return delete


def _altered(column: sa.Column[bytes]) -> Damage:
    def alter(connection: sa.Connection, keys: Sequence[int]) -> None:
        del keys
        connection.execute(
            column.table.update().values({column.name: pack(b'{"well":"formed"}')})
        )

    return alter


def _exchanged(connection: sa.Connection, keys: Sequence[int]) -> None:
    """Let two values of each run change their places."""
    del keys
    # By a third place, since two values cannot be at one.
    for before, after in ((0, 9), (1, 0), (9, 1)):
        connection.execute(
            large_values.update()
            .where(large_values.c.position == before)
            .values(position=after)
        )


@pytest.mark.parametrize(
    "damage",
    [
        _swapped(run_documents.c.sidecar),
        _swapped(run_documents.c.report),
        _swapped(large_values.c.value),
        _altered(run_documents.c.sidecar),
        _altered(run_documents.c.report),
        _altered(large_values.c.value),
        _deleted(run_documents),
        _deleted(large_values),
        _exchanged,
    ],
)
def test_each_run_is_named(store: RunStore, ids: list[str], damage: Damage) -> None:
    """Both runs are named with the remedy."""
    _damage(store, damage)
    problems = store.upkeep.check().problems
    assert len(problems) == 2
    for public, problem in zip(ids, problems, strict=True):
        assert public in problem
        assert "delete the run and import it again" in problem


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_command_ends_with_1(
    store: RunStore,
    ids: list[str],
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So does it where nothing else is wrong."""
    _damage(store, _deleted(run_documents))
    command = ["rigbridge", "store", "check", "--data", str(data)]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as end:
        main.run()
    assert end.value.code == 1
    printed = capsys.readouterr()
    assert all(public in printed.out + printed.err for public in ids)


def test_changed_metadata(store: RunStore, api: httpx.Client, ids: list[str]) -> None:
    """What the store itself changes is sound, but mends no damage."""
    for metadata in ({"one": 1}, {"one": 2, "two": "b"}, {"two": None}):
        answer = api.patch(
            f"/api/v2/runs/{ids[0]}/metadata", json={"metadata": metadata}
        )
        assert answer.status_code == 200, answer.text
        assert store.upkeep.check().problems == ()
    _damage(store, _deleted(run_documents))
    api.patch(f"/api/v2/runs/{ids[0]}/metadata", json={"metadata": {"three": 3}})
    # What was lost before is no better for the change.
    assert len(store.upkeep.check().problems) == 2


def _damage(store: RunStore, damage: Damage) -> None:
    with store.writing() as (connection, _):
        keys = connection.execute(sa.select(runs.c.key).order_by(runs.c.key))
        damage(connection, list(keys.scalars()))
