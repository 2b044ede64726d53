"""The bodies that only this server has."""

from __future__ import annotations

import attrs
from msgspec import UNSET, UnsetType

from rigbridge.wire import WireSubUnit

__all__ = ["Capabilities", "Deleted", "Health", "Imported", "UpdateUnit"]


@attrs.frozen(kw_only=True)
class UpdateUnit:
    """``PATCH /v1/units/{serial_number}``: what is built into the unit."""

    sub_units: list[WireSubUnit] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class Deleted:
    """The answer to a deletion."""

    message: str


@attrs.frozen(kw_only=True)
class Imported:
    """
    The answer to an import.

    ``ids`` (ours) names every run of the report, ``warnings`` what was left out.
    """

    id: str
    ids: list[str]
    warnings: list[str] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class Capabilities:
    """What this server can do beyond the contract (ours)."""

    store: str
    version: str
    sidecar: str


@attrs.frozen(kw_only=True)
class Health:
    """That the server is up."""

    status: str
