"""What measurements of many runs have in common, read once and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import attrs
import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from rigbridge.convert.plain import read_measurement
from rigbridge.destinations import MeasurementKind
from rigbridge.kept.rows import measurement_cells
from rigbridge.model import Limit, MeasurementOutcome
from rigbridge.wire import WireMeasurement
from rigbridge_store.tables.rows import driver_rows
from rigbridge_store.tables.schema import specifications, test_points

__all__ = [
    "MeasurementDefinition",
    "MeasurementDefinitions",
    "rows_in_parts",
]

_KEYS: sa.BindParameter[int] = sa.bindparam("keys", expanding=True)
# SQLite may be built to take no more than 999 parameters in a statement.
_AT_ONCE = 500
# Bounds the memory of an export of years.
_MOST_KNOWN = 50_000

_POINTS = sa.select(test_points.c.key, test_points.c.name).where(
    test_points.c.key.in_(_KEYS)
)
_SPECIFICATIONS = sa.select(
    specifications.c.key,
    specifications.c.units,
    specifications.c.lower_limit,
    specifications.c.upper_limit,
    specifications.c.validators,
).where(specifications.c.key.in_(_KEYS))


def rows_in_parts(
    connection: sa.Connection,
    statement: sa.Select[*tuple[Any, ...]],
    keys: Iterable[int],
) -> Iterator[Sequence[Any]]:
    """
    Fetch rows of many keys, so many at a time.

    Args:
        connection: the transaction.
        statement: takes the keys as ``keys``.
    """
    every = sorted(keys)
    for start in range(0, len(every), _AT_ONCE):
        some = every[start : start + _AT_ONCE]
        yield from driver_rows(connection, statement, {"keys": some})


@attrs.frozen
class MeasurementDefinition:
    """What measurements of one point, specification and verdict have in common."""

    kind: MeasurementKind
    units: Any
    limits: Limit | None


class MeasurementDefinitions(dict[tuple[int, int | None, str], MeasurementDefinition]):
    """
    The points and specifications that have been met, by their keys; they never change.

    One that was learnt but makes no measurement is a ModelError. A dict, since one is
    asked for at every row.
    """

    def __init__(self) -> None:
        super().__init__()
        self._points: dict[int, str] = {}
        self._specifications: dict[int, Sequence[str | None]] = {}

    def learn(self, connection: sa.Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Read what rows of measurements refer to, unless it is known."""
        if len(self._points) + len(self._specifications) > _MOST_KNOWN:
            # Those that still count come back with the next rows.
            self._points.clear()
            self._specifications.clear()
            self.clear()
        wanted = {(row[3], row[4]) for row in rows}
        points = {point for point, _ in wanted} - self._points.keys()
        found = {spec for _, spec in wanted if spec is not None}
        for key, name in rows_in_parts(connection, _POINTS, points):
            self._points[key] = name
        missing = found - self._specifications.keys()
        for key, *texts in rows_in_parts(connection, _SPECIFICATIONS, missing):
            self._specifications[key] = texts

    def __missing__(self, key: tuple[int, int | None, str]) -> MeasurementDefinition:
        """Make one that was learnt."""
        point, specification, outcome = key
        texts: Sequence[str | None] = (None,) * 4
        if specification is not None:
            texts = self._specifications[specification]
        decoded = [
            UNSET if text is None else msgspec.json.decode(text) for text in texts
        ]
        units, lower, upper, validators = cast("list[Any]", decoded)
        made = read_measurement(
            WireMeasurement(
                name=self._points[point],
                outcome=MeasurementOutcome.UNSET,
                units=units,
                lower_limit=lower,
                upper_limit=upper,
                validators=validators,
            )
        )
        self[key] = definition = MeasurementDefinition(
            # Not the verdict of the model, which knows no foreign word for one.
            kind=MeasurementKind((made.name, outcome), measurement_cells(made)[0].end),
            units=None if units is UNSET else units,
            limits=made.limits,
        )
        return definition
