"""
API keys: who owns them, and whether one that is shown is genuine.

A key is ``rb_`` with a public part, which finds its row, and a secret of 256 bits, of
which only a salted scrypt digest is kept. Scrypt is slow on purpose, so a process
that has verified a key remembers its plain digest; that the key still exists is looked
up each time, so that a deleted key is refused at once.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from rigbridge.errors import ServerUnavailableError
from rigbridge.hosting import KeyKind, KeyRecord
from rigbridge_store.access.principals import Principal, PrincipalKind
from rigbridge_store.access.stations import find_station
from rigbridge_store.fields import folded
from rigbridge_store.refusals import bad_request, not_found, unauthorized
from rigbridge_store.tables.database import Database
from rigbridge_store.tables.moments import from_micros, now_micros
from rigbridge_store.tables.rows import insert_row, new_id
from rigbridge_store.tables.schema import api_keys, stations, users

__all__ = ["NO_KEY", "UNKNOWN_KEY", "Keys"]

NO_KEY = "Authorization not provided"
"""The contract's words for a request without a key."""

UNKNOWN_KEY = "The API key is unknown"
"""Our words for a key that is none."""

_LOGGER = logging.getLogger("rigbridge_store.keys")

_MARK = "rb"
_NOTED_SECONDS = 60.0
_MAX_REMEMBERED = 10_000

_OWNER = (
    sa.select(
        api_keys.c.key,
        api_keys.c.salt,
        api_keys.c.hash,
        api_keys.c.revoked_at,
        users.c.key.label("user_key"),
        users.c.id.label("user_id"),
        users.c.name.label("user_name"),
        stations.c.key.label("station_key"),
        stations.c.id.label("station_id"),
        stations.c.name.label("station_name"),
    )
    .select_from(
        api_keys.outerjoin(users, api_keys.c.user_key == users.c.key).outerjoin(
            stations, api_keys.c.station_key == stations.c.key
        )
    )
    .where(api_keys.c.prefix == sa.bindparam("prefix"))
)


_RECORDS = sa.select(
    api_keys.c.prefix,
    api_keys.c.created_at,
    api_keys.c.last_used_at,
    api_keys.c.revoked_at,
    users.c.name.label("user_name"),
    stations.c.name.label("station_name"),
).select_from(
    api_keys.outerjoin(users, api_keys.c.user_key == users.c.key).outerjoin(
        stations, api_keys.c.station_key == stations.c.key
    )
)


class Keys:
    """
    Issues and verifies keys.

    Args:
        database: where they are known.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._verified: set[bytes] = set()
        self._noted: dict[int, float] = {}
        self._noting = threading.Lock()
        self._verifying = threading.Lock()

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

        Args:
            prefix: its public part, or the key itself.

        Raises:
            NotFoundError: there is none of that public part.
        """
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

    def was_verified(self, key: str) -> bool:
        """Whether this process has seen the key to be genuine; asks nothing."""
        return _plain_digest(key) in self._verified

    def authenticate(self, key: str) -> Principal:
        """
        Tell whose key this is.

        Raises:
            UnauthorizedError: nobody's.
        """
        mark, _, rest = key.partition("_")
        prefix, _, secret = rest.partition("_")
        if mark != _MARK or not prefix or not secret:
            raise unauthorized(UNKNOWN_KEY)
        with self._database.reading() as connection:
            row = connection.execute(_OWNER, {"prefix": prefix}).first()
        digest = _plain_digest(key)
        if row is None or row.revoked_at is not None:
            raise unauthorized(UNKNOWN_KEY)
        if digest not in self._verified:
            self._verify(secret, row, digest)
        self._note(row.key)
        return _principal(row)

    def _verify(self, secret: str, row: Any, digest: bytes) -> None:
        # One at a time: after a restart many connections show the same key at once,
        # and each verification takes a processor and much memory.
        with self._verifying:
            if digest in self._verified:
                return
            if not hmac.compare_digest(row.hash, _slow_digest(secret, row.salt)):
                raise unauthorized(UNKNOWN_KEY)
            if len(self._verified) >= _MAX_REMEMBERED:
                self._verified = set()
            self._verified.add(digest)

    def _note(self, key: int) -> None:
        """Write that a key is used, unless that was written a moment ago."""
        now = time.monotonic()
        with self._noting:
            noted = self._noted.get(key)
            if noted is not None and now - noted < _NOTED_SECONDS:
                return
            self._noted[key] = now
        try:
            with self._database.writing() as connection:
                connection.execute(
                    api_keys.update()
                    .where(api_keys.c.key == key)
                    .values(last_used_at=now_micros())
                )
        except ServerUnavailableError as error:
            # What was asked for may still be answered.
            _LOGGER.warning("the use of a key could not be written: %s", error)


def _record(row: Any) -> KeyRecord:
    station = row.station_name is not None
    return KeyRecord(
        prefix=row.prefix,
        kind=KeyKind.STATION if station else KeyKind.USER,
        owner=row.station_name if station else row.user_name,
        created_at=from_micros(row.created_at),
        last_used_at=(
            None if row.last_used_at is None else from_micros(row.last_used_at)
        ),
        revoked_at=None if row.revoked_at is None else from_micros(row.revoked_at),
    )


def _principal(row: Any) -> Principal:
    if row.station_key is not None:
        return Principal(
            kind=PrincipalKind.STATION,
            key=row.station_key,
            id=row.station_id,
            name=row.station_name,
        )
    return Principal(
        kind=PrincipalKind.USER,
        key=row.user_key,
        id=row.user_id,
        name=row.user_name,
    )


def _filled(name: str) -> str:
    if not name.strip():
        raise bad_request("A key needs the name of its owner.")
    return name.strip()


def _user(connection: sa.Connection, name: str, email: str | None) -> int:
    if email is None:
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
    values = {
        "id": new_id(),
        "name": name,
        "name_key": folded(name),
        "created_at": now_micros(),
    }
    return insert_row(connection, stations, values)


def _issue(connection: sa.Connection, owner: dict[str, int]) -> str:
    prefix = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    salt = secrets.token_bytes(16)
    connection.execute(
        api_keys.insert(),
        {
            "id": new_id(),
            "prefix": prefix,
            "salt": salt,
            "hash": _slow_digest(secret, salt),
            "created_at": now_micros(),
            **owner,
        },
    )
    return f"{_MARK}_{prefix}_{secret}"


def _slow_digest(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1)


def _plain_digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
