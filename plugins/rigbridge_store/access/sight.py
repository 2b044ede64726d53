"""
What the key of a station may see, as conditions of statements.

A run, with all that is in it, is of one procedure: a station sees those of procedures
that it is linked to. From this follows the rest. A unit is seen by whoever may see one
of its runs, or has created it; a part or a batch likewise, or where it is of no run at
all; a file of a unit by who sent it, or by who may see every run of the unit.

The conditions are constants with parameters, so that a statement is the same for
everybody; :attr:`Sight.parameters` are their values for one caller.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs
import sqlalchemy as sa

from rigbridge_store.access.permissions import visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.tables.schema import attachments, batches, parts, runs, units

__all__ = [
    "BATCH_SEEN",
    "PART_SEEN",
    "UNIT_FILE_SEEN",
    "UNIT_SEEN",
    "UNIT_SHARED",
    "Sight",
    "of_seen_procedure",
]

_Condition: TypeAlias = sa.ColumnElement[bool]

_SEES_ALL = sa.bindparam("sees_all", type_=sa.Boolean)
_STATION = sa.bindparam("seeing_station", type_=sa.Integer)
_LINKED = sa.bindparam("seen_procedures", expanding=True, type_=sa.Integer)

# A statement may have the runs for another reason, too: these are never confused.
_runs = runs.alias("seen_runs")


def of_seen_procedure(procedure: sa.ColumnElement[int]) -> _Condition:
    """Demand one of the procedures that may be seen."""
    return sa.or_(_SEES_ALL, procedure.in_(_LINKED))


def _has_seen_run(column: sa.Column[Any], owner: sa.Column[Any]) -> _Condition:
    # EXISTS stops at the first run; a join would give a unit once for each of its runs.
    found = sa.exists().where(column == owner, _runs.c.procedure_key.in_(_LINKED))
    return found.correlate(owner.table)


def _has_run(column: sa.Column[Any], owner: sa.Column[Any]) -> _Condition:
    return sa.exists().where(column == owner).correlate(owner.table)


UNIT_SEEN = sa.or_(
    _SEES_ALL,
    _has_seen_run(_runs.c.unit_key, units.c.key),
    units.c.creator_station_key == _STATION,
)
"""Demand a unit that may be seen."""

UNIT_SHARED = sa.and_(
    sa.not_(_SEES_ALL),
    sa.exists()
    .where(_runs.c.unit_key == units.c.key, _runs.c.procedure_key.not_in(_LINKED))
    .correlate(units),
)
"""Demand a unit with a run that may not be seen."""

PART_SEEN = sa.or_(
    _SEES_ALL,
    parts.c.creator_station_key == _STATION,
    _has_seen_run(_runs.c.part_key, parts.c.key),
    # What nothing was tested of yet is of no procedure.
    ~_has_run(_runs.c.part_key, parts.c.key),
)
"""Demand a part that may be seen."""

BATCH_SEEN = sa.or_(
    _SEES_ALL,
    batches.c.creator_station_key == _STATION,
    _has_seen_run(_runs.c.batch_key, batches.c.key),
    ~_has_run(_runs.c.batch_key, batches.c.key),
)
"""Demand a batch that may be seen."""

UNIT_FILE_SEEN = sa.or_(
    _SEES_ALL,
    attachments.c.creator_station_key == _STATION,
    ~sa.exists()
    .where(
        _runs.c.unit_key == attachments.c.unit_key,
        _runs.c.procedure_key.not_in(_LINKED),
    )
    .correlate(attachments),
)
"""Demand a file of a unit that may be seen."""


@attrs.frozen
class Sight:
    """
    What one caller may see, within one transaction.

    Attributes:
        station: the key of a station that sees only its own, or None.
        procedures: the procedures that it is linked to.
    """

    station: int | None = None
    procedures: frozenset[int] = frozenset()

    @classmethod
    def of(cls, connection: sa.Connection, principal: Principal | None) -> Sight:
        """Tell what somebody may see; None, a caller in process, sees everything."""
        allowed = visible_procedures(connection, principal)
        if principal is None or allowed is None:
            return cls()
        return cls(principal.key, allowed)

    @property
    def parameters(self) -> dict[str, object]:
        """The values of the parameters of the conditions of this module."""
        return {
            "sees_all": self.station is None,
            # No row has this key: nothing is taken for the caller's own.
            "seeing_station": 0 if self.station is None else self.station,
            "seen_procedures": list(self.procedures),
        }
