"""The bodies of the v2 calls about procedures and their versions."""

from __future__ import annotations

from typing import Any

import attrs
from msgspec import UNSET, UnsetType

from rigbridge_store.reading.lists.query import Outcome
from rigbridge_store.server.v2.bodies.shared import Meta, Named, Person

__all__ = [
    "CreateProcedure",
    "CreateVersion",
    "Creator",
    "ListedProcedure2",
    "ProcedureDetails",
    "ProcedureList",
    "RecentRun",
    "RecentUnit",
    "UpdateProcedure",
    "VersionDetails",
]


@attrs.frozen(kw_only=True)
class CreateProcedure:
    """``POST /v2/procedures``."""

    name: str


@attrs.frozen(kw_only=True)
class UpdateProcedure:
    """``PATCH /v2/procedures/{id}``; what is not named here concerns deployments."""

    name: str | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class CreateVersion:
    """``POST /v2/procedures/{id}/versions``."""

    tag: str


@attrs.frozen(kw_only=True)
class Creator:
    """Who created a procedure; v2 lists demand an address, which may be blank."""

    id: str
    name: str | None
    email: str


@attrs.frozen(kw_only=True)
class ListedProcedure2:
    """A procedure in a list."""

    id: str
    name: str
    created_at: str
    created_by_user: Creator
    linkedRepository: Any = None  # noqa: N815 - the contract's spelling


@attrs.frozen(kw_only=True)
class ProcedureList:
    """A page of procedures."""

    data: list[ListedProcedure2]
    meta: Meta


@attrs.frozen(kw_only=True)
class RecentUnit:
    """The unit of a recent run."""

    serial_number: str


@attrs.frozen(kw_only=True)
class RecentRun:
    """A recent run of a procedure."""

    id: str
    started_at: str
    outcome: Outcome
    unit: RecentUnit | None


@attrs.frozen(kw_only=True)
class ProcedureDetails:
    """A procedure with what it is about."""

    id: str
    name: str
    created_at: str
    created_by_user: Person | None
    runs_count: int
    recent_runs: list[RecentRun]
    stations: list[Named]


@attrs.frozen(kw_only=True)
class VersionDetails:
    """A version of a procedure."""

    id: str
    tag: str
    created_at: str
    procedure: Named
    run_count: int
    created_by_user: Person | None
    created_by_station: Named | None
