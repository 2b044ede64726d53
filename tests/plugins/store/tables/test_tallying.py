"""The tallies of runs, which triggers keep."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import sqlalchemy as sa

from rigbridge.wire import CreateRun, from_builtins
from rigbridge_store import RunStore
from rigbridge_store.tables.schema import runs, station_names, tallies
from rigbridge_store.tables.tallying import TALLIED_DAY

_DAY_AND_MORE = TALLIED_DAY * 3 // 2


def _naming(station: str | None) -> dict[str, object]:
    """Make the sidecar of a run of a station."""
    change = {} if station is None else {"station": {"=": station}}
    return {"rigbridge": 1, "overlay": {"~": change}}


def _body(chance: random.Random) -> CreateRun:
    # Few units and few hours, so that runs stand beside and at each other; some of
    # them before the epoch.
    year = chance.choice((1969, 2024))
    hour = f"{chance.randrange(3):02}:00:00Z"
    content: dict[str, object] = {
        "unit_under_test": {
            "serial_number": f"SN-{chance.randrange(6)}",
            "part_number": chance.choice("PQ"),
            "revision": chance.choice(("A", "B", None)),
        },
        "outcome": chance.choice(("PASS", "PASS", "FAIL", "ERROR", "RUNNING")),
        "run_passed": False,
        "procedure_name": chance.choice("xy"),
        "started_at": f"{year}-01-{chance.randrange(1, 9):02}T{hour}",
        "rigbridge": _naming(chance.choice(("Line 1", "LINE 1", "Line 2", None))),
        "phases": [],
    }
    return from_builtins(content, CreateRun)


def _expected(store: RunStore) -> dict[tuple[int, ...], list[int]]:
    columns = (
        runs.c.procedure_key,
        runs.c.unit_key,
        runs.c.moment,
        runs.c.outcome,
        runs.c.station_name_key,
        runs.c.part_key,
        runs.c.revision_key,
    )
    finished = sa.select(*columns).where(runs.c.outcome != "RUNNING")
    histories = defaultdict(list)
    with store.reading() as connection:
        for row in connection.execute(finished.order_by(runs.c.moment, runs.c.key)):
            histories[row.procedure_key, row.unit_key].append(row)
    counted: dict[tuple[int, ...], list[int]] = defaultdict(lambda: [0] * 6)
    for history in histories.values():
        for row in history:
            day = row.moment // TALLIED_DAY
            station, revision = row.station_name_key or 0, row.revision_key or 0
            part = row.part_key or 0
            counts = counted[row.procedure_key, day, station, part, revision]
            passed = row.outcome == "PASS"
            for place, counts_in in enumerate(
                (True, row is history[0], row is history[-1])
            ):
                counts[2 * place] += counts_in
                counts[2 * place + 1] += counts_in and passed
    return dict(counted)


def _kept(store: RunStore) -> dict[tuple[int, ...], list[int]]:
    with store.reading() as connection:
        rows = connection.execute(sa.select(tallies).where(tallies.c.runs > 0)).all()
    return {tuple(row[:5]): list(row[5:]) for row in rows}


def test_tallies_follow_every_change(data: Path, database: str | None) -> None:
    """Runs that come in any order, go or change are counted as a count of all tells."""
    chance = random.Random(1)  # noqa: S311 - no secret
    with RunStore.open(data, database=database) as store:
        stored = [store.create_run(_body(chance)).id for _ in range(120)]
        assert _kept(store) == _expected(store)
        for run in chance.sample(stored, 50):
            store.delete_run(run)
        assert _kept(store) == _expected(store)
        with store.writing() as (connection, _):
            connection.execute(
                runs.update()
                .where(runs.c.key % 5 == 1)
                .values(started_at=runs.c.started_at + _DAY_AND_MORE, outcome="FAIL")
            )
        assert _kept(store) == _expected(store)


def test_names_of_stations_ignore_case(data: Path, database: str | None) -> None:
    """Two spellings are one station, shown as it was spelled first."""
    with RunStore.open(data, database=database) as store:
        for spelling in ("Line 1", "LINE 1"):
            body = from_builtins(
                {
                    "unit_under_test": {"serial_number": "SN"},
                    "run_passed": True,
                    "procedure_name": "x",
                    "rigbridge": _naming(spelling),
                },
                CreateRun,
            )
            store.create_run(body)
        with store.reading() as connection:
            names = connection.execute(sa.select(station_names.c.name)).scalars().all()
    assert names == ["Line 1"]
