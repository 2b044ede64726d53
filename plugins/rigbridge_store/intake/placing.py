"""
The units of a group of runs: found or created, with their part, revision and batch.

What a run names of its unit holds from the start of that run on, since units are
reworked. Archives bring runs in any order: the newest run that names a part, a revision
or a batch tells it, whichever came last. Of two that started at once the one with the
greater number does, so that the order does not matter at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge.wire import WireUnit
from rigbridge_store.fields import text_or_none
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.policies import CreationPolicy, PartNumbers
from rigbridge_store.intake.units import FoundUnit
from rigbridge_store.refusals import FieldIssue, bad_request
from rigbridge_store.tables.rows import RowFinder, RowWriter, reserved_keys
from rigbridge_store.tables.schema import batches, parts, revisions, units
from rigbridge_store.tables.values import Row, new_id

__all__ = ["UnitPlaces"]

NO_PART_NUMBER = (
    "Part number is required but not provided, and no rule tells it from the serial "
    "number. Provide a part_number; or give the server a rule in [identity] of its "
    'rigbridge.toml, or server.part_number = "optional".'
)

_AT_ONCE = 500
_TOLD = ("part_key", "revision_key", "batch_key")
_TOLD_AT = ("part_told_at", "revision_told_at", "batch_told_at")
# In PostgreSQL the runs of one unit are written by one writer at a time, since the
# tallies need to know which is the first; SQLite has but one writer.
_FIND = (
    sa.select(
        units.c.serial_key,
        units.c.key,
        units.c.id,
        *(units.c[name] for name in (*_TOLD, *_TOLD_AT)),
    )
    .order_by(units.c.serial_key)
    # Ordered by the serial number, see write(): every writer locks units in the same
    # order.
    .with_for_update()
)
_FIND_MANY = _FIND.where(
    units.c.serial_key.in_(sa.bindparam("serials", expanding=True))
)
_FIND_ONE = RowFinder(
    _FIND.where(units.c.serial_key == sa.bindparam("serial")), ("serial",)
)
_ORIGIN = ("created_at", "creator_user_key", "creator_station_key")
_NEW = RowWriter(
    units,
    ("key", "id", "serial_number", "serial_key", *_TOLD, *_TOLD_AT, *_ORIGIN, "by_run"),
)
_UPDATE = units.update().where(units.c.key == sa.bindparam("unit"))
_NUMBERS = {
    "part": sa.select(parts.c.number_key).where(parts.c.key == sa.bindparam("row")),
    "revision": sa.select(revisions.c.number_key).where(
        revisions.c.key == sa.bindparam("row")
    ),
    "batch": sa.select(batches.c.number_key).where(
        batches.c.key == sa.bindparam("row")
    ),
}


@attrs.define
class _Told:
    """A row that a unit refers to, and the moment of the run that told it."""

    key: int | None = None
    at: int | None = None


@attrs.define(kw_only=True)
class _Unit:
    """A unit as it becomes while the runs of a group are placed."""

    key: int
    id: str
    serial_number: str
    is_new: bool
    changed: bool = False
    part: _Told = attrs.field(factory=_Told)
    revision: _Told = attrs.field(factory=_Told)
    batch: _Told = attrs.field(factory=_Told)

    @property
    def told(self) -> tuple[int | None, ...]:
        items = (self.part, self.revision, self.batch)
        return (*(item.key for item in items), *(item.at for item in items))


class UnitPlaces:
    """
    The units of a group within its transaction.

    Args:
        connection: the transaction.
        catalog: finds what units refer to, and knows who creates them.
    """

    def __init__(
        self,
        connection: sa.Connection,
        catalog: CatalogSession,
        serial_numbers: Iterable[str],
    ) -> None:
        self._connection = connection
        self._catalog = catalog
        self._units: dict[str, _Unit] = {}
        # Each once, in the order of the runs.
        wanted = list(dict.fromkeys(map(folded, serial_numbers)))
        ordered = sorted(wanted)
        # In parts: a database limits the parameters of one statement.
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            for row in _found(connection, some):
                serial, key, public, part, revision, batch, *at = row
                self._units[serial] = _Unit(
                    key=key,
                    id=public,
                    serial_number=serial,
                    is_new=False,
                    part=_Told(part, at[0]),
                    revision=_Told(revision, at[1]),
                    batch=_Told(batch, at[2]),
                )
        missing = [serial for serial in wanted if serial not in self._units]
        # Reserved for all at once: the rows of a group refer to units that are written
        # later.
        keys = reserved_keys(connection, units, len(missing))
        self._reserved = dict(zip(missing, keys, strict=True))

    def place(self, unit: WireUnit, policy: CreationPolicy, moment: int) -> FoundUnit:
        """
        Find the unit of a run or create it, and learn what the run says of it.

        What a run leaves out stays as known; what it names replaces what older runs
        named. Each run keeps what was said at its time.

        Args:
            moment: when the run was, in microseconds.

        Returns:
            The unit, with what holds of it for this run.

        Raises:
            BadRequestError: no part number is given, known or dispensable.
        """
        serial = folded(unit.serial_number)
        # Another run of the group may have made it just now.
        found = self._units.get(serial)
        number, revision_number, batch_number = self._named(unit, found, policy)
        if (
            number is None
            and (found is None or found.part.key is None)
            and policy.part_numbers is PartNumbers.REQUIRED
        ):
            path = "unit_under_test.part_number"
            issue = FieldIssue(path, "is required for a new unit")
            raise bad_request(NO_PART_NUMBER, issue)
        if found is None:
            found = _Unit(
                key=self._reserved[serial],
                id=new_id(),
                serial_number=unit.serial_number,
                is_new=True,
            )
            self._units[serial] = found
        known = found.part.key
        part = known
        if number is not None:
            part = self._catalog.part(number, text_or_none(unit.part_name))
        # A revision belongs to a part: with another part the known one means nothing.
        revision = found.revision.key if part == known else None
        named_revision = None
        if revision_number is not None and part is not None:
            named_revision = revision = self._catalog.revision(part, revision_number)
        elif revision is None and part is not None and policy.default_revision:
            named_revision = revision = self._catalog.default_revision(part)
        batch = found.batch.key
        if batch_number is not None:
            batch = self._catalog.batch(batch_number)
            self._tell(found, "batch", batch, moment)
        if part is not None and (number is not None or named_revision is not None):
            self._tell_part(
                found, part, named_revision, moment, named=number is not None
            )
        return FoundUnit(
            key=found.key,
            id=found.id,
            part_key=part,
            revision_key=revision,
            batch_key=batch,
        )

    @staticmethod
    def _named(
        unit: WireUnit, found: _Unit | None, policy: CreationPolicy
    ) -> tuple[str | None, str | None, str | None]:
        """Give the numbers that a run names, or its serial number tells."""
        number, revision, batch = map(
            text_or_none, (unit.part_number, unit.revision, unit.batch_number)
        )
        if number is None and (found is None or found.part.key is None):
            # Only where neither the run nor the store knows the part: a rule that
            # guesses must not overrule what was told.
            told = policy.identity.told_by_serial_number(unit.serial_number)
            number = told.get("part_number")
            revision = revision or told.get("revision")
            batch = batch or told.get("batch_number")
        return number, revision, batch

    def _tell_part(
        self,
        unit: _Unit,
        part: int,
        revision: int | None,
        moment: int,
        *,
        named: bool,
    ) -> None:
        before = unit.part.key
        if named:
            self._tell(unit, "part", part, moment)
        if unit.part.key != part:
            return  # an older run, when the unit was something else
        if before != part:
            unit.revision = _Told()
        if revision is not None:
            self._tell(unit, "revision", revision, moment)

    def _tell(self, unit: _Unit, what: str, key: int, moment: int) -> None:
        """Let a run tell something of its unit, unless a newer run has."""
        told: _Told = getattr(unit, what)
        if told.key is not None and told.at is not None:
            if moment < told.at:
                return
            if moment == told.at and key != told.key:
                numbers = [
                    str(self._connection.execute(_NUMBERS[what], {"row": row}).scalar())
                    for row in (key, told.key)
                ]
                if numbers[0] < numbers[1]:
                    return
        if (told.key, told.at) != (key, moment):
            setattr(unit, what, _Told(key, moment))
            unit.changed = True

    def untell(self, serial: str, moment: int) -> None:
        """
        Forget when a run told what it did, since another reading of it replaces it.

        Args:
            serial: the folded serial number of its unit.
            moment: when the run was, in microseconds.
        """
        unit = self._units.get(serial)
        if unit is None:
            return
        for told in (unit.part, unit.revision, unit.batch):
            # The moment is forgotten, not the value: it stays until something newer is
            # told.
            # Else a run whose time was read too late would outdo its mended reading.
            if told.at == moment:
                told.at = None

    def write(self) -> None:
        """Write the units that are new or changed."""
        origin = self._catalog.origin(units)
        made = tuple(origin[name] for name in _ORIGIN)
        new: list[Row] = []
        changed: list[_Unit] = []
        # In one order everywhere: two writers that meet at one unit do not meet at
        # another one the other way round.
        for serial, unit in sorted(self._units.items()):
            if unit.is_new:
                self._catalog.newest_unit = max(self._catalog.newest_unit, unit.key)
                row = (unit.key, unit.id, unit.serial_number, serial)
                new.append((*row, *unit.told, *made, True))
            elif unit.changed:
                changed.append(unit)
        _NEW.write(self._connection, new)
        for unit in changed:
            values = dict(zip((*_TOLD, *_TOLD_AT), unit.told, strict=True))
            self._connection.execute(_UPDATE, {"unit": unit.key, **values})


def _found(connection: sa.Connection, serials: list[str]) -> Iterable[Any]:
    if len(serials) > 1:
        rows = connection.execute(_FIND_MANY, {"serials": serials})
        return cast("Iterable[Any]", rows)  # a list of columns has no types
    # A run by itself is what a station waits for.
    row = _FIND_ONE.first(connection, serials[0])
    return () if row is None else (row,)
