"""The read side of the store: what a person asks of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import IO

import attrs
import sqlalchemy as sa

from rigbridge_store.files.contents import ContentStore
from rigbridge_store.files.stored_files import find_file
from rigbridge_store.reading import measurement_trend, yields
from rigbridge_store.reading.conditions import Period
from rigbridge_store.reading.measurement_trend import (
    MeasurementName,
    MeasurementTrend,
    PointSource,
)
from rigbridge_store.reading.run_details import RunDetails, read_run
from rigbridge_store.reading.run_search import Cursor, RunPage, search_runs
from rigbridge_store.reading.selecting import RunSearch
from rigbridge_store.reading.unit_history import UnitHistory, read_unit
from rigbridge_store.reading.yields import Bucket, Failure, ProcedureYield
from rigbridge_store.refusals import not_found
from rigbridge_store.results import StoredFile
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import procedures, stations

__all__ = ["NamedProcedure", "RunReader"]

_WORST = 12


@attrs.frozen(kw_only=True)
class NamedProcedure:
    """
    A procedure to choose.

    Attributes:
        id: its public id.
        name: its name.
    """

    id: str
    name: str


class RunReader:
    """
    Answers questions about the runs of a store; changes nothing.

    Args:
        database: the tables.
        contents: the contents of attachments.
    """

    def __init__(self, database: StoreDatabase, contents: ContentStore) -> None:
        self._database = database
        self._contents = contents

    @contextmanager
    def _reading(self) -> Generator[sa.Connection]:
        with self._database.reading() as connection:
            yield connection

    def procedures(self) -> tuple[NamedProcedure, ...]:
        """Name every procedure."""
        statement = sa.select(procedures.c.id, procedures.c.name).order_by(
            procedures.c.name_key, procedures.c.key
        )
        with self._reading() as connection:
            return tuple(
                NamedProcedure(id=public, name=name)
                for public, name in connection.execute(statement)
            )

    def procedure(self, procedure_id: str) -> NamedProcedure:
        """
        Name one procedure.

        Raises:
            NotFoundError: there is none of that id.
        """
        statement = sa.select(procedures.c.id, procedures.c.name).where(
            procedures.c.id == procedure_id.lower()
        )
        with self._reading() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise not_found(f"Procedure with ID {procedure_id} does not exist.")
        return NamedProcedure(id=row.id, name=row.name)

    def stations(self) -> tuple[str, ...]:
        """Name every station."""
        statement = sa.select(stations.c.name).order_by(stations.c.name_key)
        with self._reading() as connection:
            return tuple(connection.execute(statement).scalars())

    def search(
        self,
        search: RunSearch,
        *,
        limit: int,
        after: Cursor | None = None,
        before: Cursor | None = None,
    ) -> RunPage:
        """Find a page of runs; see :func:`search_runs`."""
        with self._reading() as connection:
            return search_runs(
                connection, search, limit=limit, after=after, before=before
            )

    def run(self, run_id: str) -> RunDetails:
        """
        Read one run.

        Raises:
            NotFoundError: there is none of that id.
        """
        with self._reading() as connection:
            return read_run(connection, self._contents, run_id)

    def unit(
        self,
        serial: str,
        *,
        limit: int,
        after: Cursor | None = None,
        before: Cursor | None = None,
    ) -> UnitHistory:
        """
        Read a unit and a page of its runs.

        Raises:
            NotFoundError: there is none of that serial number.
        """
        with self._reading() as connection:
            return read_unit(
                connection, serial, limit=limit, after=after, before=before
            )

    def latest_moment(self) -> int | None:
        """Tell when the newest run of all was, in microseconds."""
        with self._reading() as connection:
            return yields.latest_moment(connection)

    def earliest_moment(self) -> int | None:
        """Tell when the oldest run of all was, in microseconds."""
        with self._reading() as connection:
            return yields.earliest_moment(connection)

    def yields(
        self, period: Period, procedure_id: str | None = None
    ) -> tuple[ProcedureYield, ...]:
        """Tell what came of every procedure, or of one."""
        with self._reading() as connection:
            return yields.procedure_yields(
                connection, period, procedure_id=procedure_id
            )

    def course(
        self, period: Period, *, days: int, procedure_id: str | None = None
    ) -> dict[str, tuple[Bucket, ...]]:
        """Count what passed and failed, so many days at a time, by procedure."""
        with self._reading() as connection:
            return yields.yield_course(
                connection, period, days=days, procedure_id=procedure_id
            )

    def failing_measurements(
        self, procedure_id: str, period: Period
    ) -> tuple[Failure, ...]:
        """Tell which measurements fail in most runs, the worst first."""
        with self._reading() as connection:
            return yields.failing_measurements(
                connection, procedure_id, period, limit=_WORST
            )

    def failing_phases(self, procedure_id: str, period: Period) -> tuple[Failure, ...]:
        """Tell which phases fail in most runs, the worst first."""
        with self._reading() as connection:
            return yields.failing_phases(connection, procedure_id, period, limit=_WORST)

    def measurement_names(self, procedure_id: str) -> tuple[MeasurementName, ...]:
        """Name what the latest runs of a procedure measured, in their order."""
        with self._reading() as connection:
            return measurement_trend.measurement_names(connection, procedure_id)

    def trend(
        self, procedure_id: str, measured: MeasurementName, period: Period
    ) -> MeasurementTrend:
        """
        Read the newest points of a measurement.

        Raises:
            NotFoundError: there is no such procedure.
        """
        with self._reading() as connection:
            return measurement_trend.read_trend(
                connection, procedure_id, measured, period
            )

    def point_sources(self, run_keys: Sequence[int]) -> dict[int, PointSource]:
        """Tell which runs points are from, by the runs' rows."""
        with self._reading() as connection:
            return measurement_trend.point_sources(connection, run_keys)

    def open_file(self, attachment_id: str) -> tuple[StoredFile, IO[bytes]]:
        """
        Describe an attachment, and open its bytes.

        Raises:
            NotFoundError: there is none, or the run only refers to it.
        """
        with self._reading() as connection:
            file, _ = find_file(connection, attachment_id)
        if not file.stored or file.sha256 is None:
            raise not_found(
                f"Attachment with ID {attachment_id} is a reference without bytes."
            )
        return file, self._contents.open(file.sha256)
