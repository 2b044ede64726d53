"""
What runs refer to: procedures, versions, parts, revisions, batches and people.

Found without regard to case, and created on the way. Their keys are remembered, those
that a transaction added once that is committed. A row that another process deletes
meanwhile is noticed by its missing key, which no other row ever gets.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge.wire import CreateRun
from rigbridge_store.access.permissions import unknown_procedure
from rigbridge_store.access.principals import Principal
from rigbridge_store.access.sight import Sight
from rigbridge_store.fields import text_or_none
from rigbridge_store.intake.policies import CreationPolicy
from rigbridge_store.refusals import FieldIssue, not_found
from rigbridge_store.tables.backends import lock_catalog
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import (
    batches,
    instruments,
    parts,
    procedure_versions,
    procedures,
    revisions,
    station_names,
    users,
)
from rigbridge_store.tables.values import (
    ColumnValue,
    canonical_uuid,
    new_id,
    now_micros,
)

__all__ = [
    "Catalog",
    "CatalogSession",
    "find_procedure",
    "origin_of",
]

_MAX_REMEMBERED = 20_000

_Key = tuple[str | int, ...]
"""The kind of a row, and what it is found by."""

_VERSION = sa.select(procedure_versions.c.key).where(
    procedure_versions.c.procedure_key == sa.bindparam("procedure_key"),
    procedure_versions.c.tag_key == sa.bindparam("tag_key"),
)
_PART = sa.select(parts.c.key).where(parts.c.number_key == sa.bindparam("number_key"))
_REVISION = sa.select(revisions.c.key).where(
    revisions.c.part_key == sa.bindparam("part_key"),
    revisions.c.number_key == sa.bindparam("number_key"),
)
_BATCH = sa.select(batches.c.key).where(
    batches.c.number_key == sa.bindparam("number_key")
)
_STATION_NAME = sa.select(station_names.c.key).where(
    station_names.c.name_key == sa.bindparam("name_key")
)
_INSTRUMENT = sa.select(instruments.c.key).where(
    instruments.c.name_key == sa.bindparam("name_key"),
    instruments.c.serial_key == sa.bindparam("serial_key"),
)
_USER = sa.select(users.c.key).where(users.c.email_key == sa.bindparam("email_key"))
_PROCEDURE_BY_ID = sa.select(procedures.c.key).where(
    procedures.c.id == sa.bindparam("id")
)
_PROCEDURE_BY_IDENTIFIER = sa.select(procedures.c.key).where(
    procedures.c.identifier_key == sa.bindparam("identifier_key")
)
# Several procedures may have one name: the oldest is meant.
_PROCEDURE_BY_NAME = (
    sa.select(procedures.c.key)
    .where(procedures.c.name_key == sa.bindparam("name_key"))
    .order_by(procedures.c.key)
    .limit(1)
)


# What v2 calls the revision of a part that names none.
_DEFAULT_REVISION = "A"
_FIRST_REVISION = (
    sa.select(revisions.c.key)
    .where(revisions.c.part_key == sa.bindparam("part_key"))
    .order_by(revisions.c.key)
    .limit(1)
)


def origin_of(table: sa.Table, principal: Principal | None) -> dict[str, int | None]:
    """Give the columns of a new row that tell when and by whom it was made."""
    station = principal is not None and principal.is_station
    creator = None if principal is None else principal.key
    origin = {
        "created_at": now_micros(),
        "creator_user_key": None if station else creator,
        "creator_station_key": creator if station else None,
    }
    return {name: value for name, value in origin.items() if name in table.c}


def find_procedure(connection: sa.Connection, reference: str) -> int | None:
    """Find a procedure by its UUID or human identifier."""
    uuid = canonical_uuid(reference)
    if uuid is not None:
        found = connection.execute(_PROCEDURE_BY_ID, {"id": uuid}).scalar()
        if found is not None:
            return int(found)
    # An identifier may look like a UUID, too.
    key: int | None = connection.execute(
        # Asked second: a UUID that the store has given out always means its own row.
        _PROCEDURE_BY_IDENTIFIER,
        {"identifier_key": folded(reference)},
    ).scalar()
    return key


class Catalog:
    """The keys that are known to exist; shared by all threads."""

    def __init__(self) -> None:
        self._known: dict[_Key, int] = {}

    def session(
        self, connection: sa.Connection, principal: Principal | None = None
    ) -> CatalogSession:
        """Look things up within a transaction, on behalf of somebody."""
        return CatalogSession(connection, self._known, principal)

    def remember(self, session: CatalogSession) -> None:
        """Keep what a session found or added, once that is committed."""
        # Emptied as a whole: what is in use comes back with the next runs.
        # Kept small by forgetting, which costs one look-up for each name.
        if len(self._known) > _MAX_REMEMBERED:
            self._known = {}
        self._known.update(session.resolved)

    def forget(self) -> None:
        """Look everything up anew."""
        self._known = {}


class CatalogSession:
    """
    The catalog as one transaction sees it.

    Args:
        connection: the transaction.

    Attributes:
        resolved: the keys that were found or added.
        newest_unit: the highest key of a unit that was added, or 0.
    """

    def __init__(
        self,
        connection: sa.Connection,
        known: Mapping[_Key, int],
        principal: Principal | None,
    ) -> None:
        self._connection = connection
        self._known = known
        self._principal = principal
        self.resolved: dict[_Key, int] = {}
        self.newest_unit = 0
        self._no_users: set[str] = set()

    @property
    def sight(self) -> Sight:
        """What the caller may see."""
        return Sight.of(self._connection, self._principal)

    def mark(self) -> int:
        """Give a mark of what was found so far."""
        return len(self.resolved)

    def forget_since(self, mark: int) -> None:
        """Forget what was found since, as of a work that was taken back."""
        # A dict keeps the order in which its keys came.
        for key in list(self.resolved)[mark:]:
            del self.resolved[key]

    def _seen(self, key: _Key) -> int | None:
        # Keys of rows begin at 1, so that none is false.
        return self._known.get(key) or self.resolved.get(key)

    def _resolve(
        self,
        key: _Key,
        select: sa.Executable,
        where: Mapping[str, ColumnValue],
        table: sa.Table,
        more: Mapping[str, ColumnValue],
    ) -> int:
        found = self._seen(key)
        # Remembered as spelled; another spelling finds the row by its folded text.
        if found is None:
            # The lock comes after the first look-up: most names are there, and need
            # none.
            found = self._connection.execute(select, where).scalar()
        if found is None and lock_catalog(self._connection):
            # Another process may have added it in the meantime.
            found = self._connection.execute(select, where).scalar()
        if found is None:
            # Under the lock nobody else can add it between the look-up and this insert.
            found = self._insert(table, {**where, **more})
        self.resolved[key] = found
        return found

    def _insert(self, table: sa.Table, values: Mapping[str, ColumnValue]) -> int:
        made = {**origin_of(table, self._principal), **values}
        if "id" in table.c:
            made = {"id": new_id(), **made}
        return insert_row(self._connection, table, made)

    def procedure(self, body: CreateRun, policy: CreationPolicy) -> int:
        """
        Find the procedure of a run; one that is only named is created.

        Raises:
            NotFoundError: there is none of that id.
            ForbiddenError: likewise, for a station that reaches only some.
        """
        reference = text_or_none(body.procedure_id)
        name = text_or_none(body.procedure_name)
        if reference is not None:
            return self._procedure_by_id(reference, name, policy)
        return self.procedure_named(name or "")

    def procedure_named(self, name: str) -> int:
        """Find a procedure by its name, or create it."""
        return self._resolve(
            ("procedure", name),
            _PROCEDURE_BY_NAME,
            {"name_key": folded(name)},
            procedures,
            {"name": name},
        )

    def _procedure_by_id(
        self, reference: str, name: str | None, policy: CreationPolicy
    ) -> int:
        key = ("procedure id", reference)
        found = self._seen(key)
        if found is None:
            found = find_procedure(self._connection, reference)
        if found is None:
            if not policy.create_missing:
                raise unknown_procedure(self._principal, reference)
            # Locked and looked up again, as in _resolve: two first runs of a procedure
            # must make one.
            if lock_catalog(self._connection):
                found = find_procedure(self._connection, reference)
        if found is None:
            found = self._new_procedure(reference, name or reference)
        self.resolved[key] = found
        return found

    def _new_procedure(self, reference: str, name: str) -> int:
        values = {
            "name": name,
            "name_key": folded(name),
        }
        uuid = canonical_uuid(reference)
        if uuid is not None:
            return self._insert(procedures, {**values, "id": uuid})
        values |= {"identifier": reference, "identifier_key": folded(reference)}
        return self._insert(procedures, values)

    def version(self, procedure_key: int, tag: str) -> int:
        """Find the version of a procedure, or create it."""
        return self._resolve(
            ("version", procedure_key, tag),
            _VERSION,
            {"procedure_key": procedure_key, "tag_key": folded(tag)},
            procedure_versions,
            {"tag": tag},
        )

    def part(self, number: str, name: str | None) -> int:
        """Find a part by its number, or create it; only a new one takes the name."""
        return self._resolve(
            ("part", number),
            _PART,
            {"number_key": folded(number)},
            parts,
            {"number": number, "name": name},
        )

    def revision(self, part_key: int, number: str) -> int:
        """Find the revision of a part, or create it."""
        return self._resolve(
            ("revision", part_key, number),
            _REVISION,
            {"part_key": part_key, "number_key": folded(number)},
            revisions,
            {"number": number},
        )

    def default_revision(self, part_key: int) -> int:
        """Find the first revision of a part, or create one."""
        # By key, hence the oldest: which one it is must not change when revisions are
        # added.
        found: int | None = self._connection.execute(
            _FIRST_REVISION, {"part_key": part_key}
        ).scalar()
        return found or self.revision(part_key, _DEFAULT_REVISION)

    def origin(self, table: sa.Table) -> dict[str, int | None]:
        """Give the columns that tell when and by whom a new row was made."""
        return origin_of(table, self._principal)

    def batch(self, number: str) -> int:
        """Find a batch by its number, or create it."""
        return self._resolve(
            ("batch", number),
            _BATCH,
            {"number_key": folded(number)},
            batches,
            {"number": number},
        )

    def station_name(self, name: str) -> int:
        """Find the name of a station, as reports spell it, or add it."""
        return self._resolve(
            ("station name", name),
            _STATION_NAME,
            {"name_key": folded(name)},
            station_names,
            {"name": name},
        )

    def instrument(self, name: str, serial_number: str | None) -> int:
        """Find an instrument by its name and serial number, or add it."""
        return self._resolve(
            ("instrument", name, serial_number or ""),
            _INSTRUMENT,
            {"name_key": folded(name), "serial_key": folded(serial_number or "")},
            instruments,
            {"name": name, "serial_number": serial_number},
        )

    def operator(self, email: str, policy: CreationPolicy) -> int | None:
        """
        Find a user by e-mail; None is an operator who is but a declared name.

        Raises:
            NotFoundError: there is none, and must be.
        """
        where = {"email_key": folded(email)}
        # A user is known by an address; a bare name stays with the run.
        if policy.create_missing and "@" in email:
            more = {
                "email": email,
                "name": email,
                "name_key": folded(email),
            }
            return self._resolve(("user", email), _USER, where, users, more)
        found = self._seen(("user", email))
        # Remembered for this transaction only, since a user may be created at any time.
        if found is None and policy.declared_operators and email in self._no_users:
            return None
        if found is None:
            found = self._connection.execute(_USER, where).scalar()
        if found is None and policy.declared_operators:
            # Most runs of an archive name one of few operators who are no users.
            self._no_users.add(email)
            return None
        if found is None:
            raise not_found(
                f"Operator with email {email} does not exist. Create the user first: "
                f"rigbridge keys create user --name {email}",
                FieldIssue("operated_by", "does not exist"),
            )
        self.resolved["user", email] = found
        return found
