"""Administration of a store: deleting, and linking stations to procedures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import attrs

__all__ = [
    "AdministeredDestination",
    "DeletionPlan",
    "ProcedureRecord",
    "StationLink",
    "StationRecord",
]


@attrs.frozen(kw_only=True)
class DeletionPlan:
    """
    What goes with a run, and what stays.

    Attributes:
        phases: how many phases go.
        measurements: how many measurements go.
        deleted: the names of the attachments whose content no other run has.
        kept: the names of those whose content stays, since another one has it.
    """

    phases: int
    measurements: int
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class StationRecord:
    """
    A station of the store.

    Attributes:
        id: its id.
        name: its name.
        procedures: the names of the procedures that it may use.
        runs: how many runs it has sent.
    """

    id: str
    name: str
    procedures: tuple[str, ...]
    runs: int


@attrs.frozen(kw_only=True)
class ProcedureRecord:
    """
    A procedure of the store.

    Attributes:
        id: its id.
        name: its name.
        identifier: its short name, or None.
        stations: the names of the stations that may use it.
        runs: how many runs it has.
    """

    id: str
    name: str
    identifier: str | None
    stations: tuple[str, ...]
    runs: int


@attrs.frozen(kw_only=True)
class StationLink:
    """
    What linking a station did.

    Attributes:
        station: the name of the station.
        procedure: the name of the procedure.
        created: whether the procedure was created for it.
        similar: names of other procedures that are close to one that was created.
    """

    station: str
    procedure: str
    created: bool = False
    similar: tuple[str, ...] = ()


@runtime_checkable
class AdministeredDestination(Protocol):
    """A destination whose runs, stations and procedures can be looked after."""

    def plan_deletion(self, stored_id: str) -> DeletionPlan | None:
        """
        Tell what deleting a run would take; None where the store does not say.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    def remove_run(self, stored_id: str) -> None:
        """
        Delete a run, and those of its files that no other run has.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    def list_stations(self) -> Sequence[StationRecord]:
        """List the stations in use, by name."""
        ...

    def link_station(
        self, station: str, procedure: str, *, create: bool = True
    ) -> StationLink:
        """
        Let a station use a procedure, each by name or id.

        Args:
            station: the station.
            procedure: the procedure.
            create: whether a new name creates a procedure.

        Raises:
            NotFoundError: no such station, or no procedure of that id; or of that
                name, and none is to be created.
            ConflictError: several have that name.
        """
        ...

    def unlink_station(self, station: str, procedure: str) -> StationLink:
        """
        Take a procedure from a station, each by name or id.

        Raises:
            NotFoundError: no such station or procedure, or they are not linked.
            ConflictError: several have that name.
        """
        ...

    def list_procedures(self) -> Sequence[ProcedureRecord]:
        """List the procedures, by name."""
        ...

    def delete_procedure(self, procedure: str) -> ProcedureRecord:
        """
        Delete a procedure, by name or id, with all of its runs, for good.

        Returns:
            What it was.

        Raises:
            NotFoundError: there is none.
            ConflictError: several have that name, or a run has come meanwhile.
        """
        ...
