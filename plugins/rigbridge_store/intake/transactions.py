"""
The transactions that add to a store, and what they remember for the next ones.

What runs refer to repeats from run to run, hence the keys of its rows are remembered
once they are committed. A remembered key can be wrong: another process may have deleted
or renamed its row.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from rigbridge_store.access.principals import Principal
from rigbridge_store.intake.catalog import Catalog, CatalogSession
from rigbridge_store.intake.creation import Creation
from rigbridge_store.intake.definitions import Definitions, DefinitionSession
from rigbridge_store.refusals import conflict
from rigbridge_store.results import CreationResult
from rigbridge_store.tables.database import StoreDatabase

__all__ = ["IntakeTransactions"]

_ATTEMPTS = 5


class IntakeTransactions:
    """
    Runs the transactions of one store.

    Args:
        database: its tables.
    """

    def __init__(self, database: StoreDatabase) -> None:
        self._database = database
        self._catalog = Catalog()
        self._definitions = Definitions()

    def create(self, creation: Creation) -> CreationResult:
        """
        Create a run, durably.

        Raises:
            ConflictError: it contradicts what is stored.
            ServerUnavailableError: the store cannot be written for now.
        """

        def write(
            connection: sa.Connection,
        ) -> tuple[CreationResult, CatalogSession, DefinitionSession]:
            session = self._catalog.session(connection, creation.principal)
            definitions = self._definitions.session(connection)
            created = creation.write(connection, session, definitions)
            return created, session, definitions

        for attempt in range(_ATTEMPTS):
            try:
                created, session, definitions = self._database.write(write)
            except IntegrityError as error:
                # Another writer was faster, or a remembered row is gone: look again.
                self._catalog.forget()
                self._definitions.forget()
                if attempt == _ATTEMPTS - 1:
                    raise conflict(
                        f"The run contradicts what is stored: {error.orig}"
                    ) from error
            else:
                # Only now: what a transaction added is gone if it was rolled back.
                self._catalog.remember(session)
                self._definitions.remember(definitions)
                return created
        raise AssertionError  # the last attempt returns or raises

    @contextmanager
    def changing(
        self, principal: Principal | None
    ) -> Generator[tuple[sa.Connection, CatalogSession]]:
        """
        Open a transaction that may change or delete what runs refer to.

        Raises:
            ConflictError: a change contradicts what is stored.
            ServerUnavailableError: the store cannot be written for now.
        """
        try:
            with self._database.writing() as connection:
                yield connection, self._catalog.session(connection, principal)
        except IntegrityError as error:
            raise conflict(
                "The change contradicts what is stored: something else has that "
                "name, or refers to it."
            ) from error
        finally:
            # Remembered rows may be renamed or gone by now.
            self._catalog.forget()
