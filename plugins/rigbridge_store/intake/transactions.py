"""
The transactions that add to a store, and what they remember for the next ones.

What runs refer to repeats from run to run, hence the keys of its rows are remembered
once they are committed. A remembered key can be wrong: another process may have deleted
or renamed its row.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from rigbridge.errors import PermanentError, ServerUnavailableError
from rigbridge_store.access.principals import Principal
from rigbridge_store.fields import known
from rigbridge_store.intake.catalog import Catalog, CatalogSession
from rigbridge_store.intake.creation import Creation
from rigbridge_store.intake.definitions import Definitions, DefinitionSession
from rigbridge_store.intake.groups import write_group
from rigbridge_store.intake.policies import Repetition
from rigbridge_store.refusals import conflict
from rigbridge_store.results import CreationResult
from rigbridge_store.tables.database import StoreDatabase, TornError
from rigbridge_store.tables.fragments import BLOCK, full_blocks, index_full_blocks
from rigbridge_store.tables.rows import perform

__all__ = ["IntakeTransactions"]

# A second attempt mostly succeeds, since it looks everything up anew.
_ATTEMPTS = 5
_SAVEPOINT = "rigbridge_run"

_Result = TypeVar("_Result")
_Refusal: TypeAlias = PermanentError
_Written: TypeAlias = tuple[list[_Result], CatalogSession, DefinitionSession]
"""What a transaction gave, and what it found or added on the way."""


class IntakeTransactions:
    """Runs the transactions of one store."""

    def __init__(self, database: StoreDatabase) -> None:
        self._database = database
        self._catalog = Catalog()
        self._definitions = Definitions()
        self._next_block = 1

    def create(self, creations: Sequence[Creation]) -> list[CreationResult | _Refusal]:
        """
        Create runs, durably and together.

        Returns:
            What became of each, in their order. One that is refused leaves the others
            alone.

        Raises:
            ServerUnavailableError: the store cannot be written for now.
        """
        if not creations:
            return []
        try:
            return list(self._create_all(creations))
        except PermanentError as error:
            if len(creations) == 1:
                return [error]
        # Rare enough that the whole group is done once more, each run by itself.
        return self._committed(partial(self._create_each, creations), creations)

    def _create_all(self, creations: Sequence[Creation]) -> list[CreationResult]:
        def write(connection: sa.Connection) -> _Written[CreationResult]:
            session = self._catalog.session(connection, creations[0].principal)
            definitions = self._definitions.session(connection)
            created = write_group(connection, session, definitions, creations)
            return created, session, definitions

        for attempt in range(_ATTEMPTS):
            try:
                return self._committed(write, creations)
            except IntegrityError as error:
                # Another writer was faster, or a remembered row is gone: look again.
                self._forget()
                if attempt == _ATTEMPTS - 1:
                    raise conflict(
                        f"The run contradicts what is stored: {error.orig}"
                    ) from error
            except TornError:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _create_each(
        self, creations: Sequence[Creation], connection: sa.Connection
    ) -> _Written[CreationResult | _Refusal]:
        # What a process has remembered may be why a run was refused.
        self._forget()
        session = self._catalog.session(connection, creations[0].principal)
        definitions = self._definitions.session(connection)
        results: list[CreationResult | _Refusal] = []
        for creation in creations:
            # A savepoint for each run: it can be taken back without the runs before it.
            perform(connection, f"SAVEPOINT {_SAVEPOINT}")
            marks = session.mark(), definitions.mark()
            try:
                with self._database.naming_errors():
                    results += write_group(connection, session, definitions, [creation])
            except (PermanentError, IntegrityError) as error:
                perform(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                # What it had added is gone as well.
                session.forget_since(marks[0])
                definitions.forget_since(marks[1])
                results.append(
                    conflict(f"The run contradicts what is stored: {error.orig}")
                    if isinstance(error, IntegrityError)
                    else error
                )
            perform(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        return results, session, definitions

    def _committed(
        self,
        write: Callable[[sa.Connection], _Written[_Result]],
        creations: Sequence[Creation],
    ) -> list[_Result]:
        # A unit is in one place: what is built in somewhere needs the sole writer.
        assembled = any(known(creation.body.sub_units) for creation in creations)
        replaced = any(
            creation.key is not None and creation.key.repetition is Repetition.REPLACED
            for creation in creations
        )
        results, session, definitions = self._database.write(
            write, only_adds=not (assembled or replaced)
        )
        # Only now: what a transaction added is gone if it was rolled back.
        self._catalog.remember(session)
        self._definitions.remember(definitions)
        # After the commit and outside of it: the index may lag behind, the runs must
        # not.
        self._index_units(session.newest_unit)
        return results

    def _index_units(self, newest: int) -> None:
        """Index what serial numbers hold, once a block of units is full."""
        if newest < self._next_block:
            # A block is indexed once, when it is full: single units are found by a scan
            # of the last block.
            return
        # The runs are stored: a store that is busy is tried again with the next ones.
        with suppress(ServerUnavailableError):
            with self._database.reading() as connection:
                self._next_block = (full_blocks(connection) + 1) * BLOCK
            if newest >= self._next_block:
                # Without others beside: they could still add units of earlier keys.
                with self._database.writing() as connection:
                    self._next_block = (index_full_blocks(connection) + 1) * BLOCK

    def _forget(self) -> None:
        self._catalog.forget()
        self._definitions.forget()

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
                session = self._catalog.session(connection, principal)
                yield connection, session
            self._index_units(session.newest_unit)
        except IntegrityError as error:
            raise conflict(
                "The change contradicts what is stored: something else has that "
                "name, or refers to it."
            ) from error
        finally:
            # Remembered rows may be renamed or gone by now.
            self._catalog.forget()
