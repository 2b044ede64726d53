"""
API keys: issuing, revoking and checking them.

A key is ``rb_`` with a public part, which finds its row, and a random secret of 256
bits, of which only a SHA-256 digest is kept. So many bits cannot be guessed, hence a
slow hash would protect nothing more. Each request looks its key up, so that a revoked
key is refused at once in every process.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Sequence

import sqlalchemy as sa

from rigbridge.errors import ServerUnavailableError
from rigbridge.hosting import KeyKind, KeyRecord
from rigbridge.machine.close_names import folded
from rigbridge_store.access.permissions import find_station
from rigbridge_store.access.principals import Principal
from rigbridge_store.refusals import bad_request, not_found, unauthorized
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import api_keys, stations, users
from rigbridge_store.tables.values import ColumnValue, from_micros, new_id, now_micros

__all__ = ["NO_KEY", "UNKNOWN_KEY", "Keys"]

NO_KEY = "Authorization not provided"
"""The contract's words for a request without a key."""

UNKNOWN_KEY = "The API key is unknown"
"""Our words for a key that is none."""

_LOGGER = logging.getLogger("rigbridge_store.keys")

_MARK = "rb"
_NOTED_SECONDS = 60.0
_NOTING_SECONDS = 0.5

_OWNED = api_keys.outerjoin(users, api_keys.c.user_key == users.c.key).outerjoin(
    stations, api_keys.c.station_key == stations.c.key
)
# A key belongs to a user or to a station, never to both.
_OWNER_NAME = sa.func.coalesce(stations.c.name, users.c.name)

_OWNER = (
    sa.select(
        api_keys.c.key,
        api_keys.c.hash,
        api_keys.c.revoked_at,
        stations.c.key,
        sa.func.coalesce(stations.c.key, users.c.key),
        sa.func.coalesce(stations.c.id, users.c.id),
        _OWNER_NAME,
    )
    .select_from(_OWNED)
    .where(api_keys.c.prefix == sa.bindparam("prefix"))
)
_RECORDS = sa.select(
    api_keys.c.prefix,
    api_keys.c.station_key,
    _OWNER_NAME,
    api_keys.c.created_at,
    api_keys.c.last_used_at,
    api_keys.c.revoked_at,
).select_from(_OWNED)


class Keys:
    """Issues and verifies keys."""

    def __init__(self, database: StoreDatabase) -> None:
        self._database = database
        self._noted: dict[int, float] = {}
        self._noting = threading.Lock()

    def exist(self) -> bool:
        """Whether there is any key that is not revoked."""
        statement = sa.select(api_keys.c.key).where(api_keys.c.revoked_at.is_(None))
        with self._database.reading() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def records(self) -> Sequence[KeyRecord]:
        """List the keys, revoked ones too, in the order that they were made in."""
        with self._database.reading() as connection:
            rows = connection.execute(_RECORDS.order_by(api_keys.c.key)).all()
        return [_record(row) for row in rows]

    def revoke(self, prefix: str) -> KeyRecord:
        """
        Refuse a key from now on, in every process.

        Raises:
            NotFoundError: there is none of that public part.
        """
        # Whoever revokes a leaked key often has the key itself at hand.
        mark, _, rest = prefix.strip().partition("_")
        public = rest.partition("_")[0] if mark == _MARK else prefix.strip()
        with self._database.writing() as connection:
            connection.execute(
                api_keys.update()
                .where(api_keys.c.prefix == public, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=now_micros())
            )
            row = connection.execute(
                _RECORDS.where(api_keys.c.prefix == public)
            ).first()
        if row is None:
            raise not_found(f"There is no key with the public part {public}.")
        return _record(row)

    def issue_user_key(self, name: str, *, email: str | None) -> str:
        """Make a key for a user, who is created when absent."""
        if email is None and "@" in name:
            email = name
        with self._database.writing() as connection:
            owner = _user(connection, _filled(name), email)
            return _issue(connection, {"user_key": owner})

    def issue_station_key(self, name: str) -> str:
        """
        Make a key for a station, which is created when absent.

        Args:
            name: its name, or its id where several have one name.

        Raises:
            ConflictError: several stations have that name.
        """
        with self._database.writing() as connection:
            owner = _station(connection, _filled(name))
            return _issue(connection, {"station_key": owner})

    def authenticate(self, key: str) -> Principal:
        """
        Tell whose key this is.

        Raises:
            UnauthorizedError: the key is unknown or revoked.
        """
        mark, _, rest = key.partition("_")
        prefix, _, secret = rest.partition("_")
        # One answer for a malformed, an unknown and a wrong key: they tell nothing
        # about which keys exist.
        if mark != _MARK or not prefix or not secret:
            raise unauthorized(UNKNOWN_KEY)
        with self._database.reading() as connection:
            row = connection.execute(_OWNER, {"prefix": prefix}).first()
        if row is None:
            raise unauthorized(UNKNOWN_KEY)
        key_row, known, revoked_at, station, owner, public, name = row
        # In constant time: how long it takes must not tell how much was right.
        genuine = hmac.compare_digest(known, _digest(secret))
        if not genuine or revoked_at is not None:
            raise unauthorized(UNKNOWN_KEY)
        self._note(key_row)
        return Principal(kind=_kind(station), key=owner, id=public, name=name)

    def _note(self, key: int) -> None:
        """Write that a key is used, unless that was written a moment ago."""
        # At most once a minute: a write with each request would cost more than most
        # requests themselves.
        now = time.monotonic()
        with self._noting:
            noted = self._noted.get(key)
            if noted is not None and now - noted < _NOTED_SECONDS:
                return
            # Noted before it is written: the lock must not be held while writing.
            self._noted[key] = now
        # What was asked for may be answered while another program holds the store: who
        # waited here would wait once more for the answer itself.
        # A daemon: a request must not keep the process from ending.
        writing = threading.Thread(target=self._write_use, args=(key,), daemon=True)
        writing.start()
        writing.join(_NOTING_SECONDS)

    def _write_use(self, key: int) -> None:
        try:
            with self._database.writing() as connection:
                connection.execute(
                    api_keys.update()
                    .where(api_keys.c.key == key)
                    .values(last_used_at=now_micros())
                )
        except ServerUnavailableError as error:
            # Only a warning: the time of the last use is information, and refusing the
            # request would help nobody.
            _LOGGER.warning("the use of a key could not be written: %s", error)


def _kind(station: int | None) -> KeyKind:
    return KeyKind.USER if station is None else KeyKind.STATION


def _record(
    row: sa.Row[str, int | None, str, int, int | None, int | None],
) -> KeyRecord:
    prefix, station, owner, created_at, last_used_at, revoked_at = row
    return KeyRecord(
        prefix=prefix,
        kind=_kind(station),
        owner=owner,
        created_at=from_micros(created_at),
        last_used_at=None if last_used_at is None else from_micros(last_used_at),
        revoked_at=None if revoked_at is None else from_micros(revoked_at),
    )


def _filled(name: str) -> str:
    if not name.strip():
        raise bad_request("A key needs the name of its owner.")
    return name.strip()


def _user(connection: sa.Connection, name: str, email: str | None) -> int:
    if email is None:
        # Names are not unique among people, so one with an address is never taken for
        # one without.
        condition = sa.and_(users.c.name_key == folded(name), users.c.email.is_(None))
    else:
        condition = users.c.email_key == folded(email)
    found = connection.execute(sa.select(users.c.key).where(condition)).scalar()
    if found is not None:
        return int(found)
    values = {
        "id": new_id(),
        "name": name,
        "name_key": folded(name),
        "email": email,
        "email_key": None if email is None else folded(email),
        "created_at": now_micros(),
    }
    return insert_row(connection, users, values)


def _station(connection: sa.Connection, name: str) -> int:
    found = find_station(connection, name)
    if found is not None:
        return found
    values: dict[str, ColumnValue] = {
        "id": new_id(),
        "name": name,
        "name_key": folded(name),
        "created_at": now_micros(),
    }
    return insert_row(connection, stations, values)


def _issue(connection: sa.Connection, owner: dict[str, int]) -> str:
    # The public part is shown in lists; it tells nothing about the secret.
    # 48 bits find the row; only the secret has to withstand guessing.
    prefix = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    connection.execute(
        api_keys.insert(),
        {
            "id": new_id(),
            "prefix": prefix,
            "hash": _digest(secret),
            "created_at": now_micros(),
            **owner,
        },
    )
    return f"{_MARK}_{prefix}_{secret}"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
