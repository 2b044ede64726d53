"""An open store: its parts, its transactions and its keys."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import attrs
import sqlalchemy as sa

from rigbridge.errors import ConfigurationError
from rigbridge_store.access.keys import Keys
from rigbridge_store.access.permissions import visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.files.remote_contents import contents_of
from rigbridge_store.files.sweeping import sweep_contents, sweep_digests, sweep_uploads
from rigbridge_store.files.uploads import GRANT, Uploads
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.transactions import IntakeTransactions
from rigbridge_store.tables.database import PATIENCE, StoreDatabase
from rigbridge_store.tables.migrating import LINKS
from rigbridge_store.tables.schema import secrets

__all__ = ["MAX_UPLOAD", "OpenedStore", "StoreOpening"]

MAX_UPLOAD = 16 * 1024**3
"""How many bytes an upload may have, unless set otherwise."""


@attrs.frozen(kw_only=True)
class StoreOpening:
    """How a store was opened, so that another process can do so too."""

    data: Path
    # Not shown: either address may hold a password.
    database: str | None = attrs.field(repr=False)
    attachments: str | None = attrs.field(repr=False)
    max_upload: int
    patience: float


class OpenedStore:
    """
    The parts of a store in a folder, and how they are opened and closed.

    Args:
        max_upload: how many bytes an upload may have.
    """

    def __init__(
        self,
        data: Path,
        database: StoreDatabase,
        contents: ContentStore,
        *,
        max_upload: int,
    ) -> None:
        self.data = data
        self.opening: StoreOpening | None = None
        self.contents = contents
        self._database = database
        self._intake = IntakeTransactions(database)
        self.keys = Keys(database)
        self.uploads = Uploads(database, self.contents, limit=max_upload, grant=GRANT)

    @classmethod
    def open(
        cls,
        data: Path,
        *,
        database: str | None = None,
        attachments: str | None = None,
        max_upload: int = MAX_UPLOAD,
        create: bool = True,
        patience: float = PATIENCE,
    ) -> Self:
        """
        Open the store of a data folder; both are made when absent, unless told not to.

        Args:
            database: the address of a PostgreSQL database that holds the tables
                (``postgresql://user@host/name``); a file in the folder by default.
            attachments: the URL under which contents are kept (``s3://bucket/path``);
                in the folder by default.
            max_upload: how many bytes an upload may have.
            create: make the folder and the store where there is none.
            patience: how many seconds a writer waits for others.

        Raises:
            ConfigurationError: the folder cannot be written, or its store belongs to
                a newer version or is damaged, or the address is none; or there is no
                store, and none is to be made.
            ServerUnavailableError: the database server cannot be reached for now.
        """
        try:
            if create:
                # First: both the tables and the incoming contents are in it.
                data.mkdir(parents=True, exist_ok=True)
            tables = StoreDatabase(data, database, create=create, patience=patience)
            contents = contents_of(data, attachments)
            opened = cls(data, tables, contents, max_upload=max_upload)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder cannot be used: {error.strerror or error}",
                source=str(data),
                remedy="choose another folder, or correct its permissions",
            ) from error
        opened.opening = StoreOpening(
            data=data,
            database=database,
            attachments=attachments,
            max_upload=max_upload,
            patience=patience,
        )
        return opened

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """
        Open a transaction that sees one state of the store.

        Raises:
            ServerUnavailableError: the store cannot be read for now.
        """
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def writing(
        self, principal: Principal | None = None
    ) -> Generator[tuple[sa.Connection, CatalogSession]]:
        """
        Open a transaction that changes the store, on behalf of somebody.

        Raises:
            ConflictError: a change contradicts what is stored.
            ServerUnavailableError: the store cannot be written for now.
        """
        with self._intake.changing(principal) as opened:
            yield opened

    def forget_contents(self, digests: Iterable[str]) -> None:
        """Delete those contents that nothing refers to any more."""
        sweep_digests(self._database, self.contents, digests)

    def create_user_key(self, name: str, *, email: str | None = None) -> str:
        """
        Make an API key for a user, who is created when absent.

        Args:
            name: the user's name; one that is an e-mail address is that too.
            email: the address by which runs name the user as their operator.

        Returns:
            The key, which is shown this once.
        """
        return self.keys.issue_user_key(name, email=email)

    def create_station_key(self, name: str) -> str:
        """Make an API key for a station, which is created when absent."""
        return self.keys.issue_station_key(name)

    def authenticate(self, key: str) -> Principal:
        """
        Tell whose key this is.

        Raises:
            UnauthorizedError: the key is unknown or revoked.
        """
        return self.keys.authenticate(key)

    def link_secret(self) -> bytes:
        """Give the secret that signs the URLs of files, alike at every server."""
        statement = sa.select(secrets.c.value).where(secrets.c.name == LINKS)
        with self._database.reading() as connection:
            return bytes(connection.execute(statement).scalar_one())

    def has_links(self, principal: Principal) -> bool:
        """Whether somebody may use any procedure at all."""
        with self._database.reading() as connection:
            # None, for a user, stands for all of them.
            return visible_procedures(connection, principal) != frozenset()

    def sweep(self, *, contents: bool = False) -> None:
        """
        Delete what came to nothing.

        Args:
            contents: also walk through all contents for such as nothing refers to.
        """
        # The walk reads every name on the disk, or in the bucket: not at each start.
        sweep_uploads(self._database, self.contents)
        if contents:
            sweep_contents(self._database, self.contents)

    def close(self) -> None:
        """Release connections; may be called twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
