"""
The triggers that keep the tallies: counts of runs by day, station, part and revision.

A first run of a unit with a procedure is its first pass, also where an archive brings
it in after the second one, and also where its day lies before the period that somebody
looks at. So each run that comes or goes changes the place of at most two others: the
next of its unit and procedure is the first no longer, the one before the last no
longer. The database does that itself, within the statement, whoever writes.

A run that is still running is none of a yield, and has no place.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import event

__all__ = ["TALLIED_DAY", "keep_tallies"]

TALLIED_DAY = 86_400_000_000
"""The day of a tally, in microseconds."""

# Added before the division, which would round days before the epoch the other way.
_SHIFT = 800_000
_DAY = f"(({{moment}} + {_SHIFT * TALLIED_DAY}) / {TALLIED_DAY} - {_SHIFT})"

_ADD = """
INSERT INTO tallies (procedure_key, day, station_name_key, part_key, revision_key,
    runs, passed, "first", first_passed, "last", last_passed)
SELECT {cell}, {counts} {source}
ON CONFLICT (procedure_key, day, station_name_key, part_key, revision_key)
DO UPDATE SET
    runs = tallies.runs + excluded.runs,
    passed = tallies.passed + excluded.passed,
    "first" = tallies."first" + excluded."first",
    first_passed = tallies.first_passed + excluded.first_passed,
    "last" = tallies."last" + excluded."last",
    last_passed = tallies.last_passed + excluded.last_passed;
"""

_CHANGES_OF = (
    "outcome, started_at, procedure_key, unit_key, station_name_key, part_key, "
    "revision_key"
)


def _moment(row: str) -> str:
    # PostgreSQL computes the column after the trigger.
    return f"coalesce({row}.started_at, {row}.created_at)"


def _cell(row: str) -> str:
    day = _DAY.format(moment=_moment(row))
    return (
        f"{row}.procedure_key, {day}, coalesce({row}.station_name_key, 0), "
        f"coalesce({row}.part_key, 0), coalesce({row}.revision_key, 0)"
    )


def _neighbours(row: str, name: str, *, later: bool) -> str:
    """Name the finished runs of the same unit and procedure on one side of a row."""
    sign = ">" if later else "<"
    moment = _moment(row)
    return (
        f"FROM runs {name} WHERE {name}.unit_key = {row}.unit_key"
        f" AND {name}.procedure_key = {row}.procedure_key"
        f" AND {name}.moment {sign}= {moment}"
        f" AND ({name}.moment {sign} {moment} OR {name}.key {sign} {row}.key)"
        # A row that is changed stands in the table as what it becomes.
        f" AND {name}.key <> {row}.key AND {name}.outcome <> 'RUNNING'"
    )


def _tally(row: str, sign: str) -> str:
    """Count a row in, or out again: it is there in the first case only."""
    is_first = f"(NOT EXISTS (SELECT 1 {_neighbours(row, 'earlier', later=False)}))"
    is_last = f"(NOT EXISTS (SELECT 1 {_neighbours(row, 'later', later=True)}))"
    passed = f"(CASE WHEN {row}.outcome = 'PASS' THEN 1 ELSE 0 END)"
    first = f"(CASE WHEN {is_first} THEN 1 ELSE 0 END)"
    last = f"(CASE WHEN {is_last} THEN 1 ELSE 0 END)"
    counted = (
        f"{sign}1, {sign}{passed}, {sign}{first}, {sign}{first} * {passed}, "
        f"{sign}{last}, {sign}{last} * {passed}"
    )
    other = "-" if sign == "+" else "+"
    beside_passed = "(CASE WHEN beside.outcome = 'PASS' THEN 1 ELSE 0 END)"

    def change_neighbour(counts: str, alone: str, *, later: bool) -> str:
        # The nearest run on one side, where there is none on the other side.
        order = "ASC" if later else "DESC"
        source = (
            f"{_neighbours(row, 'beside', later=later)}"
            f" AND {row}.outcome <> 'RUNNING' AND {alone}"
            f" ORDER BY beside.moment {order}, beside.key {order} LIMIT 1"
        )
        return _ADD.format(cell=_cell("beside"), counts=counts, source=source)

    return (
        _ADD.format(
            cell=_cell(row), counts=counted, source=f"WHERE {row}.outcome <> 'RUNNING'"
        )
        + change_neighbour(
            f"0, 0, {other}1, {other}{beside_passed}, 0, 0", is_first, later=True
        )
        + change_neighbour(
            f"0, 0, 0, 0, {other}1, {other}{beside_passed}", is_last, later=False
        )
    )


_TRIGGERS = {
    "insert": ("INSERT", _tally("NEW", "+"), "NEW"),
    "delete": ("DELETE", _tally("OLD", "-"), "OLD"),
    "change": (
        f"UPDATE OF {_CHANGES_OF}",
        _tally("OLD", "-") + _tally("NEW", "+"),
        "NEW",
    ),
}


def keep_tallies(metadata: sa.MetaData) -> None:
    """Let the triggers be made when the tables of the store are."""
    for name, (change, body, result) in _TRIGGERS.items():
        made = f"CREATE TRIGGER tally_{name}"
        function = (
            f"CREATE FUNCTION tally_{name}() RETURNS trigger LANGUAGE plpgsql "
            f"AS $$ BEGIN {body} RETURN {result}; END $$"
        )
        trigger = (
            f"{made} BEFORE {change} ON runs FOR EACH ROW "
            f"EXECUTE FUNCTION tally_{name}()"
        )
        # After a row PostgreSQL would look at what the whole statement has left
        # behind; before it SQLite does not know the key yet.
        for dialect, statement in (
            ("sqlite", f"{made} AFTER {change} ON runs BEGIN {body} END"),
            ("postgresql", function),
            ("postgresql", trigger),
        ):
            ddl = sa.DDL(statement)  # type: ignore[no-untyped-call] # SQLAlchemy's own
            event.listen(metadata, "after_create", ddl.execute_if(dialect=dialect))
