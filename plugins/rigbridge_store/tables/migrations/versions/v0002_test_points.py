"""
Test points and specifications, origins, metadata, slots and indexes in order of time.

A measurement's name, unit and limits were repeated in every row; each is one row now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_AT_ONCE = 5000
_MOMENT = sa.text("coalesce(started_at, created_at)")


def upgrade() -> None:
    """Bring the tables of version 0001 to version 0002."""
    _origins()
    _files_of_units()
    _slots_and_metadata()
    _indexes_of_runs()
    _measurements()


def _rebuilt(*, numbered: bool = False) -> dict[str, Any]:
    """Tell how a table is altered: SQLite can only write it anew."""
    if op.get_bind().dialect.name != "sqlite":
        return {"recreate": "never"}
    return {
        "recreate": "always",
        "table_kwargs": {"sqlite_autoincrement": True} if numbered else {},
    }


def _origins() -> None:
    with op.batch_alter_table("procedures", **_rebuilt(numbered=True)) as table:
        _add_reference(table, "procedures", "creator_user_key", "users")
    for name in ("procedure_versions", "parts", "revisions", "batches"):
        with op.batch_alter_table(name, **_rebuilt(numbered=True)) as table:
            table.add_column(sa.Column("created_at", sa.BigInteger))
            _add_reference(table, name, "creator_user_key", "users")
            _add_reference(table, name, "creator_station_key", "stations")
    with op.batch_alter_table("units", **_rebuilt()) as table:
        _add_reference(table, "units", "creator_user_key", "users")
        _add_reference(table, "units", "creator_station_key", "stations")
        table.add_column(sa.Column("sample", sa.String(16)))
        table.add_column(sa.Column("by_run", sa.Boolean))
    op.add_column("api_keys", sa.Column("last_used_at", sa.BigInteger))
    op.add_column("api_keys", sa.Column("revoked_at", sa.BigInteger))
    op.add_column("runs", sa.Column("operator_name", sa.Text))


def _add_reference(
    table: Any, name: str, column: str, target: str, *, cascade: bool = False
) -> None:
    table.add_column(sa.Column(column, sa.Integer))
    table.create_foreign_key(
        f"fk_{name}_{column}",
        target,
        [column],
        ["key"],
        ondelete="CASCADE" if cascade else None,
    )


def _files_of_units() -> None:
    with op.batch_alter_table("attachments", **_rebuilt()) as table:
        table.alter_column("run_key", existing_type=sa.Integer, nullable=True)
        _add_reference(table, "attachments", "unit_key", "units", cascade=True)
    with op.batch_alter_table("uploads", **_rebuilt()) as table:
        _add_reference(table, "uploads", "run_key", "runs", cascade=True)
        _add_reference(table, "uploads", "unit_key", "units", cascade=True)
    for name, column in (
        ("attachments", "unit_key"),
        ("uploads", "run_key"),
        ("uploads", "unit_key"),
    ):
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_{name}_{column}",
            name,
            [column],
            sqlite_where=present,
            postgresql_where=present,
        )


def _slots_and_metadata() -> None:
    op.create_table(
        "run_slots",
        sa.Column(
            "run_key",
            sa.Integer,
            sa.ForeignKey("runs.key", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("execution_id", sa.Text, nullable=False),
        sa.Column("slot_key", sa.Text),
        sa.Column("slot_name", sa.Text),
        sa.UniqueConstraint("execution_id", "slot_key"),
        sqlite_with_rowid=False,
    )
    for owner in ("run", "unit", "part", "revision", "station"):
        op.create_table(
            f"{owner}_metadata",
            sa.Column(
                f"{owner}_key",
                sa.Integer,
                sa.ForeignKey(f"{owner}s.key", ondelete="CASCADE"),
                primary_key=True,
            ),
            sa.Column("name", sa.String(255), primary_key=True),
            sa.Column("value", sa.Text, nullable=False),
            sa.Column("text", sa.Text),
            sa.Column("number", sa.Double),
            sa.Column("flag", sa.Boolean),
            sqlite_with_rowid=False,
        )


def _indexes_of_runs() -> None:
    op.drop_index("ix_runs_procedure_key", "runs")
    op.drop_index("ix_runs_unit_key", "runs")
    op.create_index("ix_runs_moment", "runs", [_MOMENT])
    for column in (
        "procedure_key",
        "unit_key",
        "part_key",
        "creator_station_key",
        "outcome",
    ):
        op.create_index(f"ix_runs_{column}_moment", "runs", [column, _MOMENT])


def _measurements() -> None:
    op.rename_table("measurements", "measurements_0001")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_measurements RENAME TO pk_measurements_0001")
    points = op.create_table(
        "test_points",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column(
            "procedure_key",
            sa.Integer,
            sa.ForeignKey("procedures.key", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("procedure_key", "digest"),
        sqlite_autoincrement=True,
    )
    specifications = op.create_table(
        "specifications",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("units", sa.Text),
        sa.Column("lower_limit", sa.Text),
        sa.Column("upper_limit", sa.Text),
        sa.Column("validators", sa.Text),
        sa.Column("docstring", sa.Text),
        sqlite_autoincrement=True,
    )
    measurements = op.create_table(
        "measurements",
        sa.Column(
            "run_key",
            sa.Integer,
            sa.ForeignKey("runs.key", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "point_key",
            sa.Integer,
            sa.ForeignKey("test_points.key"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("phase_position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("specification_key", sa.Integer, sa.ForeignKey("specifications.key")),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("number", sa.Double),
        sa.Column("value", sa.Text),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    moved = _Moved(connection, points, specifications)
    for rows in _batches(connection):
        connection.execute(measurements.insert(), [moved.row(row) for row in rows])
    op.drop_table("measurements_0001")


_OLD = """
SELECT m.run_key, m.phase_position, m.position, r.procedure_key, p.name, m.name,
    m.outcome, m.value, m.value_number, m.units, m.lower_limit, m.upper_limit,
    m.validators, m.docstring
FROM measurements_0001 AS m
JOIN runs AS r ON r.key = m.run_key
JOIN phases AS p ON p.run_key = m.run_key AND p.position = m.phase_position
WHERE m.run_key > :after AND m.run_key <= :last
ORDER BY m.run_key, m.phase_position, m.position
"""


def _batches(connection: sa.Connection) -> Iterator[list[Any]]:
    """Read what was measured, some runs at a time."""
    newest = connection.execute(sa.text("SELECT max(key) FROM runs")).scalar() or 0
    for after in range(0, newest, _AT_ONCE // 50):
        found = connection.execute(
            sa.text(_OLD), {"after": after, "last": after + _AT_ONCE // 50}
        )
        while rows := found.fetchmany(_AT_ONCE):
            yield list(rows)


class _Moved:
    """Gives rows their new form, and makes what they refer to."""

    def __init__(
        self, connection: sa.Connection, points: sa.Table, specifications: sa.Table
    ) -> None:
        self._connection = connection
        self._tables = (points, specifications)
        self._points: dict[Any, int] = {}
        self._specifications: dict[Any, int] = {}

    def row(self, row: Any) -> dict[str, Any]:
        run, phase_position, position, procedure, phase, name = row[:6]
        outcome, value, number, *specified = row[6:]
        return {
            "run_key": run,
            "point_key": self._point(procedure, phase, name),
            "phase_position": phase_position,
            "position": position,
            "specification_key": self._specification(tuple(specified)),
            "outcome": outcome,
            "number": number,
            # A double tells all of the value, except a zero's sign.
            "value": None if number and value == repr(number) else value,
        }

    def _point(self, procedure: int, phase: str, name: str) -> int:
        known = self._points.get((procedure, phase, name))
        if known is None:
            values = {
                "procedure_key": procedure,
                "digest": _digest((phase, name)),
                "phase": phase,
                "name": name,
            }
            known = self._insert(self._tables[0], values)
            self._points[procedure, phase, name] = known
        return known

    def _specification(self, columns: tuple[str | None, ...]) -> int | None:
        if not any(column is not None for column in columns):
            return None
        known = self._specifications.get(columns)
        if known is None:
            names = ("units", "lower_limit", "upper_limit", "validators", "docstring")
            values = dict(zip(names, columns, strict=True))
            known = self._insert(
                self._tables[1], {"digest": _digest(columns), **values}
            )
            self._specifications[columns] = known
        return known

    def _insert(self, table: sa.Table, values: dict[str, Any]) -> int:
        inserted: Any = self._connection.execute(
            table.insert(), values
        ).inserted_primary_key
        return int(inserted[0])


def _digest(columns: tuple[str | None, ...]) -> str:
    content = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
