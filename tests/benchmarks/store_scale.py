"""
How the embedded store answers with very many runs in it.

Some runs are stored through the service layer; the rest are copied from them inside the
database, each with a unit, a time, values and a verdict of its own, so that a million
take minutes and not an hour. Then questions are put through the service layer as the
server and its pages put them: a unit's runs by serial number, pages of a filtered list,
newest and far back, and the chart of one measurement. Prints milliseconds, fastest and
median, beside what is aimed at, and the size of the database.

Run it as ``python tests/benchmarks/store_scale.py``; ``--help`` names the sizes.
``--data FOLDER`` keeps the store there, and uses the one that is there already.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from rigbridge.wire import CreateRun, from_builtins
from rigbridge_store import RunStore
from rigbridge_store.pages.charts.trend import (
    control_chart,
    histogram_chart,
    marked_points,
)
from rigbridge_store.reading.conditions import Period
from rigbridge_store.reading.run_search import Cursor, named_procedures, search_runs
from rigbridge_store.reading.searching import RunSearch
from rigbridge_store.reading.statistics import histogram, summarize
from rigbridge_store.reading.trends import (
    measurement_names,
    point_sources,
    read_trend,
)
from rigbridge_store.reading.yields import earliest_and_latest
from rigbridge_store.tables.backends import FILE_NAME
from rigbridge_store.tables.fragments import index_full_blocks
from rigbridge_store.tables.schema import measurements, runs

PROCEDURES, STATIONS, EACH, PAGE = 5, 4, 5, 50
RUNS_APART = 30_000_000
"""Microseconds between two runs: a million are most of a year."""

_START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1e6)
_COPIES = """
CREATE TEMP TABLE copies AS
WITH RECURSIVE numbers(n) AS (
    SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last
)
SELECT n, (SELECT key FROM originals WHERE place = n % :originals) AS original
FROM numbers;
"""
_COPY_UNITS = """
INSERT INTO units (key, {columns}, id, serial_number, serial_key)
SELECT :unit + n, {columns}, lower(hex(randomblob(16))),
    printf('SN-%07d', n), printf('sn-%07d', n)
FROM copies JOIN runs ON runs.key = original JOIN units ON units.key = runs.unit_key
"""
_COPY_RUNS = """
INSERT INTO runs (
    key, {columns}, id, unit_key, created_at, started_at, ended_at, outcome
)
SELECT :run + n, {columns},
    printf('%s-%s-4%s-a%s-%s', substr(random, 1, 8), substr(random, 9, 4),
        substr(random, 13, 3), substr(random, 16, 3), substr(random, 19, 12)),
    :unit + n, :start + n * :apart, :start + n * :apart, :start + n * :apart + 60000000,
    CASE WHEN n % 20 = 7 THEN 'FAIL' ELSE 'PASS' END
FROM (SELECT n, original, lower(hex(randomblob(15))) AS random FROM copies)
JOIN runs ON runs.key = original
"""
_COPY_PHASES = """
INSERT INTO phases (run_key, {columns})
SELECT :run + n, {columns} FROM copies JOIN phases ON phases.run_key = original
"""
_COPY_MEASUREMENTS = """
INSERT INTO measurements (run_key, {columns}, number)
SELECT :run + n, {columns}, number + (random() % 1000) / 1e5
FROM copies JOIN measurements ON measurements.run_key = original
"""
_COPIED = {
    "units": (_COPY_UNITS, ("key", "id", "serial_number", "serial_key")),
    "runs": (
        _COPY_RUNS,
        (
            "key",
            "id",
            "unit_key",
            "created_at",
            "started_at",
            "ended_at",
            "outcome",
        ),
    ),
    "phases": (_COPY_PHASES, ("run_key",)),
    "measurements": (_COPY_MEASUREMENTS, ("run_key", "number")),
}
_AT_ONCE = 20_000


def originals(measurements: int) -> list[CreateRun]:
    """Make the runs that the others are copies of: one for each procedure."""
    return [
        from_builtins(
            {
                "unit_under_test": {
                    "serial_number": f"ORIGINAL-{number}",
                    "part_number": f"PCB-{number}",
                    "revision": "A",
                    "batch_number": "24-01",
                },
                "procedure_name": f"Procedure {number}",
                "procedure_version": "1.2.3",
                "run_passed": True,
                "started_at": "2024-01-01T00:00:00Z",
                "duration": "PT1M",
                "phases": [
                    _phase(first, min(first + EACH, measurements))
                    for first in range(0, measurements, EACH)
                ],
            },
            CreateRun,
        )
        for number in range(PROCEDURES)
    ]


def _phase(first: int, last: int) -> dict[str, Any]:
    return {
        "name": f"Phase {first // EACH}",
        "outcome": "PASS",
        "start_time_millis": 1704067200000,
        "end_time_millis": 1704067201000,
        "measurements": [
            {
                "name": f"Voltage {number}",
                "outcome": "PASS",
                "measured_value": 3.25 + number / 100,
                "units": "V",
                "lower_limit": 3.0,
                "upper_limit": 3.6,
            }
            for number in range(first, last)
        ],
    }


def fill(folder: Path, count: int, measurements: int) -> None:
    """Store some runs, and copy them."""
    with RunStore.open(folder) as store:
        stations = [
            store.authenticate(store.create_station_key(f"Station {number}"))
            for number in range(STATIONS)
        ]
        for index, body in enumerate(originals(measurements)):
            store.create_run(body)
            for station in stations:
                store.administration.link_station(station.name, f"Procedure {index}")
                store.create_run(body, principal=station)
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.isolation_level = None
        for pragma in ("synchronous = OFF", "cache_size = -1000000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        _copy(connection, count)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with RunStore.open(folder) as store, store.writing() as (connection, _):
        index_full_blocks(connection)


def _copy(connection: sqlite3.Connection, count: int) -> None:
    connection.execute(
        "CREATE TEMP TABLE originals AS"
        " SELECT key, row_number() OVER (ORDER BY key) - 1 AS place FROM runs"
    )
    (present,) = connection.execute("SELECT count(*) FROM runs").fetchone()
    values: dict[str, Any] = {
        "originals": present,
        "run": connection.execute("SELECT max(key) + 1 FROM runs").fetchone()[0],
        "unit": connection.execute("SELECT max(key) + 1 FROM units").fetchone()[0],
        "start": _START,
        "apart": RUNS_APART,
    }
    for first in range(0, count - present, _AT_ONCE):
        last = min(first + _AT_ONCE, count - present) - 1
        connection.execute("BEGIN")
        connection.execute(
            _COPIES.strip(" \n;"), {**values, "first": first, "last": last}
        )
        for table, (statement, own) in _COPIED.items():
            named = [
                column
                for (column,) in connection.execute(
                    "SELECT name FROM pragma_table_info(?)", (table,)
                )
                if column not in own
            ]
            columns = ", ".join(f"{table}.{name}" for name in named)
            into, _, select = statement.partition("SELECT")
            connection.execute(
                into.format(columns=", ".join(named))
                + "SELECT"
                + select.format(columns=columns),
                values,
            )
        connection.execute("DROP TABLE copies")
        connection.execute("COMMIT")
        print(f"\r{last + 1:,} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def timed(ask: Callable[[], Any], times: int) -> list[float]:
    """Tell how many milliseconds each of some calls takes."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        ask()
        found.append((time.perf_counter() - start) * 1000)
    return found


def report(name: str, taken: Sequence[float], bar: float) -> None:
    """Print the fastest and the median, and what is aimed at."""
    print(
        f"{name:<44}{min(taken):>9.2f}{statistics.median(taken):>9.2f} ms"
        f"   at most {bar:g}"
    )


def searches(procedure: str, newest: int) -> dict[str, RunSearch]:
    """Name filtered lists as a person asks for them."""
    month = Period(since=newest - 30 * 86_400_000_000)
    return {
        "all runs": RunSearch(),
        "failed": RunSearch(outcome="FAIL"),
        "passed": RunSearch(outcome="PASS"),
        "of one procedure": RunSearch(procedure=procedure),
        "failed of one procedure": RunSearch(procedure=procedure, outcome="FAIL"),
        "of one station": RunSearch(station="Station 1"),
        "failed of a station and procedure": RunSearch(
            station="Station 1", procedure=procedure, outcome="FAIL"
        ),
        "of one part": RunSearch(part="PCB-1"),
        "of a part, failed, last month": RunSearch(
            part="PCB-1", outcome="FAIL", period=month
        ),
        "last month": RunSearch(period=month),
        "serial number begins with sn-00001": RunSearch(serial="SN-00001"),
        "serial number begins with sn-0": RunSearch(serial="SN-0"),
        "serial number has 777": RunSearch(serial="*777"),
        "serial number that is nobody's": RunSearch(serial="*nobody"),
        "a serial number of a station, failed": RunSearch(
            serial="SN-000", station="Station 1", outcome="FAIL"
        ),
    }


def ask_pages(store: RunStore, times: int, count: int) -> None:
    """Time pages of lists, the newest and one far back."""
    with store.reading() as connection:
        newest = earliest_and_latest(connection)[1] or 0
        procedure = named_procedures(connection)[0].id
    middle = Cursor(_START + RUNS_APART * (count // 2), 0)

    def ask(search: RunSearch, after: Cursor | None) -> None:
        with store.reading() as connection:
            search_runs(connection, search, limit=PAGE, after=after)

    for name, search in searches(procedure, newest).items():
        for where, after in (("", None), (", far back", middle)):
            if after is not None and search.period.since is not None:
                continue
            taken = timed(partial(ask, search, after), times)
            report(f"page: {name}{where}", taken, 100)


def ask_chart(store: RunStore, times: int) -> None:
    """Time the chart of a measurement: its points, its figures, its drawing."""
    with store.reading() as connection:
        procedure = named_procedures(connection)[0].id
        measured = measurement_names(connection, procedure)[0]

    def read() -> None:
        with store.reading() as connection:
            read_trend(connection, procedure, measured, RunSearch())

    def draw() -> int:
        with store.reading() as connection:
            trend = read_trend(connection, procedure, measured, RunSearch())
            keys = [trend.run_keys[index] for index in marked_points(trend)]
            sources = point_sources(connection, keys)
        summary = summarize(trend.values)
        if summary is None:
            raise RuntimeError("nothing was measured")
        control_chart(trend, summary, sources, name=measured.name)
        histogram_chart(histogram(trend.values), trend, summary, name=measured.name)
        return len(trend.values)

    points = draw()
    report(
        "points of a measurement",
        timed(read, times),
        1000,
    )
    report(f"chart of {points:,} points", timed(draw, times), 1000)


def ask_serials(store: RunStore, times: int, count: int) -> None:
    """Time the runs of units, chosen at random."""
    chance = random.Random(1)  # noqa: S311 - to be repeatable
    serials = [f"SN-{chance.randrange(count - 100):07d}" for _ in range(times * 20)]
    waiting = iter(serials)
    report(
        "runs by serial number",
        timed(lambda: store.list_runs(next(waiting)), len(serials)),
        2,
    )


def main() -> int:
    """Fill a store, and ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--measurements", type=int, default=10, help="of a run")
    parser.add_argument("--times", type=int, default=5, help="how often each is asked")
    parser.add_argument("--data", type=Path, help="where the store stays")
    given: Any = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rigbridge-scale-") as name:
        folder = given.data or Path(name)
        path = folder / FILE_NAME
        if not path.exists():
            start = time.perf_counter()
            fill(folder, given.runs, given.measurements)
            print(f"filled in {time.perf_counter() - start:.0f} s")
        with RunStore.open(folder) as store:
            with store.reading() as connection:
                count, rows = (
                    connection.execute(
                        sa.select(sa.func.count()).select_from(table)
                    ).scalar_one()
                    for table in (runs, measurements)
                )
            size = path.stat().st_size
            print(
                f"{count:,} runs, {rows:,} measurements: {size / 1e6:,.0f} MB,"
                f" {size / count:,.0f} bytes a run"
            )
            print(f"{'':<44}{'fastest':>9}{'median':>9}")
            ask_serials(store, given.times, count)
            ask_pages(store, given.times, count)
            ask_chart(store, given.times)
    return 0


if __name__ == "__main__":
    sys.exit(main())
