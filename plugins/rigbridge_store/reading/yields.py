"""
How much passes: first-pass and final yield, over time, by station and revision.

Counted in advance, see :mod:`rigbridge_store.tables.tallying`; but not by instrument,
of which the runs themselves are asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import cast

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge.model import RunOutcome
from rigbridge_store.reading.conditions import DAY, Condition, Period
from rigbridge_store.reading.instruments import used_with
from rigbridge_store.reading.searching import RunSearch
from rigbridge_store.tables.schema import (
    parts,
    procedures,
    revisions,
    run_moment,
    runs,
    station_names,
    tallies,
)

__all__ = [
    "Bucket",
    "ProcedureYield",
    "Share",
    "YieldFilter",
    "YieldSplit",
    "earliest_and_latest",
    "latest_runs",
    "procedure_yields",
    "wrong_tallies",
    "yield_course",
    "yield_shares",
]

_WEEK = 7
# The epoch was a Thursday; a week begins on Monday.
_WEEKDAY = 3

# Stands in the key of a tally for "none", which no row has as its key.
_UNNAMED = 0


@attrs.frozen(kw_only=True)
class YieldFilter:
    """
    Which runs a yield is of; what is None or blank restricts nothing.

    Attributes:
        period: when the runs were; whole days.
        revision: the number of the revision.
        instrument: the name or serial number of an instrument.
    """

    period: Period = attrs.field(factory=Period)
    procedure_id: str | None = None
    station: str = ""
    revision: str = ""
    instrument: str = ""

    @property
    def narrowing(self) -> dict[str, str]:
        """All but period and procedure, as addresses have it."""
        return {
            "station": self.station,
            "revision": self.revision,
            "instrument": self.instrument,
        }

    @property
    def search(self) -> RunSearch:
        """The search for the same runs."""
        return RunSearch(
            period=self.period,
            procedure=self.procedure_id or "",
            station=self.station,
            revision=self.revision,
            instrument=self.instrument,
        )

    @property
    def counts(self) -> sa.FromClause:
        """The tallies, or what stands in for them where they do not tell enough."""
        # Tallies are kept by day, procedure, station, part and revision alone.
        if not self.instrument:
            return tallies
        return _tallies_of_runs(*used_with(self.instrument)).subquery()

    def conditions(self, tallies: sa.FromClause) -> list[Condition]:
        """Demand those of the tallies that are of these runs."""
        found: list[Condition] = []
        if self.period.since is not None:
            found.append(tallies.c.day >= self.period.since // DAY)
        if self.period.until is not None:
            # Rounded up, so that a period that ends within a day includes that day:
            # tallies know whole days.
            found.append(tallies.c.day < -(-self.period.until // DAY))
        if self.procedure_id is not None:
            procedure = sa.select(procedures.c.key).where(
                procedures.c.id == self.procedure_id.lower()
            )
            found.append(tallies.c.procedure_key == procedure.scalar_subquery())
        if self.station:
            station = sa.select(station_names.c.key).where(
                station_names.c.name_key == folded(self.station.strip())
            )
            found.append(tallies.c.station_name_key.in_(station))
        if self.revision:
            revision = sa.select(revisions.c.key).where(
                revisions.c.number_key == folded(self.revision.strip())
            )
            found.append(tallies.c.revision_key.in_(revision))
        return found


@attrs.frozen(kw_only=True)
class _Counts:
    """
    What came of some runs.

    Attributes:
        runs: how many runs have finished.
        passed: how many of them passed.
        units: how many of them were the first of their unit with the procedure ever.
        first_passed: how many of these passed.
        last: how many runs were the last of their unit with the procedure until now.
        finally_passed: how many of these passed.
    """

    runs: int = 0
    passed: int = 0
    units: int = 0
    first_passed: int = 0
    last: int = 0
    finally_passed: int = 0

    @property
    def first_pass_yield(self) -> float | None:
        """The part of the units that passed at once; None if there are none."""
        return self.first_passed / self.units if self.units else None

    @property
    def final_yield(self) -> float | None:
        """The part of the units that passed in the end; None if there are none."""
        return self.finally_passed / self.last if self.last else None


@attrs.frozen(kw_only=True)
class ProcedureYield(_Counts):
    """What came of a procedure in a period."""

    id: str
    name: str


@attrs.frozen(kw_only=True)
class Share(_Counts):
    """
    What came of the runs of one station, revision or part.

    Attributes:
        name: the station, the revision or the part; None where a run names none.
        part: the number of the revision's part, or None.
    """

    name: str | None
    part: str | None = None


@attrs.frozen(kw_only=True)
class Bucket(_Counts):
    """
    The runs of some days.

    Attributes:
        begin: when the days begin, in microseconds.
        width: how long they are, in microseconds.
    """

    begin: int
    width: int

    @property
    def failed(self) -> int:
        """How many runs finished otherwise than well."""
        return self.runs - self.passed


class YieldSplit(StrEnum):
    """By what yields are told apart."""

    STATION = "station"
    REVISION = "revision"
    PART = "part"


_NAMES = {
    "runs": "runs",
    "passed": "passed",
    "first": "units",
    "first_passed": "first_passed",
    "last": "last",
    "last_passed": "finally_passed",
}
"""What the columns of tallies are called here."""


def _sums(tallies: sa.FromClause) -> list[sa.ColumnElement[int]]:
    return [sa.func.sum(tallies.c[name]).label(own) for name, own in _NAMES.items()]


def _counts(row: sa.RowMapping) -> dict[str, int]:
    # PostgreSQL adds integers up to decimals, and nothing to NULL.
    return {name: int(row[name] or 0) for name in _NAMES.values()}


def _tallies_of_runs(*conditions: Condition) -> sa.Select[*tuple[int, ...]]:
    """Select what each finished run adds to the tallies, in their columns."""
    # The remainder twice: that of a moment before the epoch is negative.
    within = (run_moment % DAY + DAY) % DAY
    other = runs.alias()
    running = RunOutcome.RUNNING.value
    neighbour = sa.exists().where(
        other.c.procedure_key == runs.c.procedure_key,
        other.c.unit_key == runs.c.unit_key,
        other.c.outcome != running,
    )
    # Two runs may be of one moment: the one that was stored later counts as later.
    here = sa.tuple_(runs.c.moment, runs.c.key)
    there = sa.tuple_(other.c.moment, other.c.key)
    passed = runs.c.outcome == RunOutcome.PASS.value
    first = ~neighbour.where(there < here).correlate(runs)
    last = ~neighbour.where(there > here).correlate(runs)
    met = {
        "passed": passed,
        "first": first,
        "first_passed": sa.and_(passed, first),
        "last": last,
        "last_passed": sa.and_(passed, last),
    }
    return sa.select(
        runs.c.procedure_key,
        ((run_moment - within) // DAY).cast(sa.Integer).label("day"),
        sa.func.coalesce(runs.c.station_name_key, _UNNAMED).label("station_name_key"),
        sa.func.coalesce(runs.c.part_key, _UNNAMED).label("part_key"),
        sa.func.coalesce(runs.c.revision_key, _UNNAMED).label("revision_key"),
        sa.literal(1).label("runs"),
        *(sa.case((what, 1), else_=0).label(name) for name, what in met.items()),
        # A run that still goes on is in no tally.
    ).where(runs.c.outcome != running, *conditions)


def wrong_tallies(connection: sa.Connection) -> int:
    """Count the days whose tallies are not what the runs of the store tell."""
    added = _tallies_of_runs().subquery()
    *cell, runs_, passed, first, first_passed, last, last_passed = added.c
    sums = map(sa.func.sum, (runs_, passed, first, first_passed, last, last_passed))
    counted = sa.select(*cell, *sums).group_by(*cell)
    # Zeros stay behind when runs are deleted.
    kept = sa.select(tallies).where(tallies.c.runs != 0)
    # A set of what either has and the other lacks, counted by day.
    told = {tuple(row) for row in connection.execute(counted)}
    found = {tuple(row) for row in connection.execute(kept)}
    return len({row[: len(cell)] for row in told ^ found})


def earliest_and_latest(connection: sa.Connection) -> tuple[int | None, int | None]:
    """Tell when the oldest and the newest run were, in microseconds; None if none."""
    # Not min() and max(): SQLite finds only one of the two in the index of time.
    oldest = sa.select(run_moment).order_by(run_moment).limit(1)
    newest = sa.select(run_moment).order_by(run_moment.desc()).limit(1)
    row = connection.execute(
        sa.select(oldest.scalar_subquery(), newest.scalar_subquery())
    ).one()
    return row[0], row[1]


def latest_runs(connection: sa.Connection) -> Mapping[str, int]:
    """Tell when each procedure ran last, in microseconds, by its id."""
    # For each procedure one look at the end of its index, not a pass over all runs.
    newest = (
        sa.select(run_moment)
        .where(runs.c.procedure_key == procedures.c.key)
        .order_by(run_moment.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Of a procedure without runs the subquery gives NULL, which its type leaves out.
    rows = cast(
        "Iterable[tuple[str, int | None]]",
        connection.execute(sa.select(procedures.c.id, newest)),
    )
    return {public: moment for public, moment in rows if moment is not None}


def procedure_yields(
    connection: sa.Connection, wanted: YieldFilter
) -> Sequence[ProcedureYield]:
    """Tell what came of every procedure, or of one, by name."""
    counts = wanted.counts
    counted = (
        sa.select(counts.c.procedure_key, *_sums(counts))
        .where(*wanted.conditions(counts))
        .group_by(counts.c.procedure_key)
        .subquery()
    )
    statement = (
        sa.select(procedures.c.id, procedures.c.name, counted)
        .select_from(
            # A procedure of which nothing ran in the period is shown as idle.
            procedures.outerjoin(counted, counted.c.procedure_key == procedures.c.key)
        )
        .order_by(procedures.c.name_key, procedures.c.key)
    )
    if wanted.procedure_id is not None:
        statement = statement.where(procedures.c.id == wanted.procedure_id.lower())
    return [
        ProcedureYield(id=row["id"], name=row["name"], **_counts(row))
        for row in connection.execute(statement).mappings()
    ]


def yield_course(
    connection: sa.Connection, wanted: YieldFilter, *, days: int
) -> Mapping[str, Sequence[Bucket]]:
    """
    Count what came of the runs, so many days at a time; seven begin on a Monday.

    Returns:
        By the procedure's id, oldest first; days without runs are left out.
    """
    shift = _WEEKDAY if days == _WEEK else 0
    # Whole days from the epoch, also before it: those of a store are not before year 1.
    # Both databases round a negative quotient towards zero, so none is left negative.
    far = 1_000_000 * days + shift
    # By its name: PostgreSQL takes the expression with parameters for another one.
    counts = wanted.counts
    place = ((counts.c.day + far) // days * days - far).label("place")
    statement = (
        sa.select(procedures.c.id, place, *_sums(counts))
        .join(procedures, counts.c.procedure_key == procedures.c.key)
        .where(counts.c.runs > 0, *wanted.conditions(counts))
        .group_by(procedures.c.id, sa.text("place"))
        .order_by(procedures.c.id, sa.text("place"))
    )
    found: dict[str, list[Bucket]] = defaultdict(list)
    for row in connection.execute(statement).mappings():
        begin = int(row["place"]) * DAY
        bucket = Bucket(begin=begin, width=days * DAY, **_counts(row))
        found[row["id"]].append(bucket)
    return found


def yield_shares(
    connection: sa.Connection, wanted: YieldFilter, split: YieldSplit
) -> Sequence[Share]:
    """Tell what came of the runs of each station, revision or part, by name."""
    counts = wanted.counts
    if split is YieldSplit.STATION:
        column = counts.c.station_name_key
        names = sa.select(
            station_names.c.key, station_names.c.name, sa.null().label("part")
        ).subquery()
    elif split is YieldSplit.PART:
        column = counts.c.part_key
        names = sa.select(
            parts.c.key, parts.c.number.label("name"), sa.null().label("part")
        ).subquery()
    else:
        column = counts.c.revision_key
        names = (
            sa.select(
                revisions.c.key,
                revisions.c.number.label("name"),
                parts.c.number.label("part"),
            )
            .join(parts, revisions.c.part_key == parts.c.key)
            .subquery()
        )
    statement = (
        sa.select(names.c.name, names.c.part, *_sums(counts))
        .select_from(counts.outerjoin(names, column == names.c.key))
        # Deleted runs leave tallies of zeros behind.
        .where(counts.c.runs > 0, *wanted.conditions(counts))
        .group_by(names.c.name, names.c.part)
        .order_by(names.c.part, names.c.name)
    )
    return [
        Share(name=row["name"], part=row["part"], **_counts(row))
        for row in connection.execute(statement).mappings()
    ]
