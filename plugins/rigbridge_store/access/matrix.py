"""
Who may do what: the one table that every call of the API is measured by.

A call does something (:class:`Verb`) to a kind of object (:class:`Thing`);
:data:`CALLS` says which by the method and the path of the call. :data:`STATIONS` says
how far the key of a station reaches in that. The key of a user reaches everything, and
so does a caller in the same process.

What is *its own* of a station is said by :mod:`rigbridge_store.access.permissions`,
and by the lists that read with it. What is not its own is answered as if unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import attrs

__all__ = ["CALLS", "STATIONS", "Action", "Reach", "Thing", "Verb", "action_of"]


class Verb(StrEnum):
    """What is done to an object."""

    SEE = "see"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


class Thing(StrEnum):
    """A kind of object, in the words of a refusal."""

    RUN = "runs"
    UNIT = "units"
    FILE = "files"
    PART = "parts"
    REVISION = "revisions"
    BATCH = "batches"
    PROCEDURE = "procedures"
    VERSION = "versions"
    STATION = "stations"
    OTHERS = "other stations"
    USER = "users"
    SERVER = "the server"


class Reach(StrEnum):
    """How far a key reaches."""

    ALL = "all"
    OWN = "its own"
    NONE = "none"


@attrs.frozen
class Action:
    """What a call does."""

    verb: Verb
    thing: Thing

    def __str__(self) -> str:
        return f"{self.verb} {self.thing}"

    @property
    def reach_of_stations(self) -> Reach:
        """How far the key of a station reaches."""
        return STATIONS[self.thing][self.verb]


def _reach(see: Reach, create: Reach, change: Reach, delete: Reach) -> _Reaches:
    # Read-only: a module that changed a cell would change it for the whole process.
    return MappingProxyType(dict(zip(Verb, (see, create, change, delete), strict=True)))


_Reaches = Mapping[Verb, Reach]
_ALL, _OWN, _NONE = Reach

STATIONS: Mapping[Thing, _Reaches] = {
    # A run, its phases, measurements, log lines and files are of one procedure.
    Thing.RUN: _reach(see=_OWN, create=_OWN, change=_OWN, delete=_NONE),
    Thing.UNIT: _reach(see=_OWN, create=_ALL, change=_OWN, delete=_NONE),
    Thing.FILE: _reach(see=_OWN, create=_OWN, change=_OWN, delete=_NONE),
    # Named by runs that come, hence created with them; what others rely on stays.
    Thing.PART: _reach(see=_OWN, create=_ALL, change=_NONE, delete=_NONE),
    Thing.REVISION: _reach(see=_OWN, create=_ALL, change=_NONE, delete=_NONE),
    Thing.BATCH: _reach(see=_OWN, create=_ALL, change=_NONE, delete=_NONE),
    Thing.PROCEDURE: _reach(see=_OWN, create=_NONE, change=_NONE, delete=_NONE),
    Thing.VERSION: _reach(see=_OWN, create=_NONE, change=_NONE, delete=_NONE),
    Thing.STATION: _reach(see=_OWN, create=_NONE, change=_NONE, delete=_NONE),
    Thing.OTHERS: _reach(see=_NONE, create=_NONE, change=_NONE, delete=_NONE),
    # No user is a station's own: it gets an empty list.
    Thing.USER: _reach(see=_OWN, create=_NONE, change=_NONE, delete=_NONE),
    # What the server can do, and whose key is shown.
    Thing.SERVER: _reach(see=_ALL, create=_NONE, change=_NONE, delete=_NONE),
}
"""How far the key of a station reaches, by object and verb."""

_RUN, _UNIT = "/runs/{run_id:str}", "/units/{serial_number:str}"
_PART, _BATCH = "/parts/{number:str}", "/batches/{number:str}"
_REVISION = "/parts/{part_number:str}/revisions/{revision_number:str}"
_PROCEDURE = "/procedures/{procedure_id:str}"
_STATION = "/stations/{station_id:str}"
_VERSION = f"{_PROCEDURE}/versions/{{tag:str}}"

CALLS: Mapping[tuple[str, str], Action] = {
    (method, path): Action(verb, thing)
    for thing, verb, method, path in (
        (Thing.RUN, Verb.SEE, "GET", "/runs"),
        (Thing.RUN, Verb.SEE, "GET", _RUN),
        (Thing.RUN, Verb.CREATE, "POST", "/runs"),
        (Thing.RUN, Verb.CREATE, "POST", "/import"),
        (Thing.RUN, Verb.CREATE, "POST", "/imports/structured"),
        (Thing.RUN, Verb.CREATE, "POST", "/imports/tabular"),
        (Thing.RUN, Verb.CHANGE, "PUT", _RUN),
        (Thing.RUN, Verb.CHANGE, "PATCH", _RUN),
        (Thing.RUN, Verb.CHANGE, "PATCH", f"{_RUN}/metadata"),
        (Thing.RUN, Verb.SEE, "GET", "/reading/listed"),
        (Thing.RUN, Verb.SEE, "GET", "/reading/runs"),
        (Thing.RUN, Verb.SEE, "GET", "/reading/rows"),
        # What a deletion would take is told only to those who may delete.
        (Thing.RUN, Verb.DELETE, "GET", f"{_RUN}/deletion"),
        (Thing.RUN, Verb.DELETE, "DELETE", "/runs"),
        (Thing.RUN, Verb.DELETE, "DELETE", _RUN),
        (Thing.RUN, Verb.SEE, "GET", "/phases"),
        (Thing.RUN, Verb.SEE, "GET", "/phases/{phase_id:str}"),
        (Thing.RUN, Verb.SEE, "GET", "/measurements"),
        (Thing.RUN, Verb.SEE, "GET", "/measurements/{measurement_id:str}"),
        (Thing.RUN, Verb.SEE, "GET", "/logs"),
        (Thing.RUN, Verb.SEE, "GET", "/logs/{log_id:str}"),
        (Thing.FILE, Verb.CREATE, "POST", "/uploads/initialize"),
        (Thing.FILE, Verb.CHANGE, "POST", "/uploads/sync"),
        (Thing.FILE, Verb.CREATE, "POST", "/attachments"),
        # Answered to senders about their own uploads, which changes nothing.
        (Thing.FILE, Verb.SEE, "POST", "/attachments/{upload_id:str}/finalize"),
        (Thing.FILE, Verb.SEE, "POST", "/attachments/{upload_id:str}/confirm"),
        (Thing.FILE, Verb.SEE, "GET", "/attachments/{attachment_id:str}/download"),
        (Thing.FILE, Verb.CREATE, "POST", f"{_RUN}/attachments"),
        (Thing.FILE, Verb.CREATE, "POST", f"{_UNIT}/attachments"),
        (Thing.FILE, Verb.DELETE, "DELETE", "/attachments"),
        (Thing.FILE, Verb.DELETE, "DELETE", f"{_UNIT}/attachments"),
        (Thing.UNIT, Verb.SEE, "GET", "/units"),
        (Thing.UNIT, Verb.SEE, "GET", _UNIT),
        (Thing.UNIT, Verb.CREATE, "POST", "/units"),
        (Thing.UNIT, Verb.CHANGE, "PATCH", "/units"),
        (Thing.UNIT, Verb.CHANGE, "PATCH", _UNIT),
        (Thing.UNIT, Verb.CHANGE, "PUT", f"{_UNIT}/children"),
        (Thing.UNIT, Verb.CHANGE, "DELETE", f"{_UNIT}/children"),
        (Thing.UNIT, Verb.DELETE, "DELETE", "/units"),
        (Thing.UNIT, Verb.DELETE, "DELETE", _UNIT),
        (Thing.PART, Verb.SEE, "GET", "/parts"),
        (Thing.PART, Verb.SEE, "GET", _PART),
        (Thing.PART, Verb.CREATE, "POST", "/parts"),
        (Thing.PART, Verb.CHANGE, "PATCH", _PART),
        (Thing.PART, Verb.DELETE, "DELETE", _PART),
        (Thing.REVISION, Verb.CREATE, "POST", "/parts/{part_number:str}/revisions"),
        (Thing.REVISION, Verb.SEE, "GET", _REVISION),
        (Thing.REVISION, Verb.CHANGE, "PATCH", _REVISION),
        (Thing.REVISION, Verb.DELETE, "DELETE", _REVISION),
        (Thing.BATCH, Verb.SEE, "GET", "/batches"),
        (Thing.BATCH, Verb.SEE, "GET", _BATCH),
        (Thing.BATCH, Verb.CREATE, "POST", "/batches"),
        (Thing.BATCH, Verb.CHANGE, "PATCH", _BATCH),
        (Thing.BATCH, Verb.DELETE, "DELETE", _BATCH),
        (Thing.PROCEDURE, Verb.SEE, "GET", "/procedures"),
        (Thing.PROCEDURE, Verb.SEE, "GET", _PROCEDURE),
        (Thing.PROCEDURE, Verb.CREATE, "POST", "/procedures"),
        (Thing.PROCEDURE, Verb.CHANGE, "PATCH", _PROCEDURE),
        (Thing.PROCEDURE, Verb.DELETE, "DELETE", _PROCEDURE),
        (Thing.VERSION, Verb.CREATE, "POST", f"{_PROCEDURE}/versions"),
        (Thing.VERSION, Verb.SEE, "GET", _VERSION),
        (Thing.VERSION, Verb.DELETE, "DELETE", _VERSION),
        (Thing.STATION, Verb.SEE, "GET", "/stations/current"),
        (Thing.STATION, Verb.SEE, "GET", _STATION),
        (Thing.STATION, Verb.CREATE, "POST", "/stations"),
        (Thing.STATION, Verb.CHANGE, "POST", "/stations/link"),
        (Thing.STATION, Verb.CHANGE, "POST", "/stations/unlink"),
        (Thing.STATION, Verb.CHANGE, "PATCH", _STATION),
        (Thing.STATION, Verb.DELETE, "DELETE", _STATION),
        (Thing.OTHERS, Verb.SEE, "GET", "/stations"),
        (Thing.USER, Verb.SEE, "GET", "/users"),
        (Thing.USER, Verb.SEE, "GET", "/users/current"),
        (Thing.SERVER, Verb.SEE, "GET", "/whoami"),
        (Thing.SERVER, Verb.SEE, "GET", "/capabilities"),
        (Thing.SERVER, Verb.SEE, "GET", "/deployments"),
        (Thing.SERVER, Verb.SEE, "GET", "/deployments/{deployment_id:str}"),
        (Thing.SERVER, Verb.SEE, "GET", "/streaming"),
        (Thing.SERVER, Verb.SEE, "GET", "/rooms"),
    )
}
"""What each call does, by its method and its path behind the version."""


def action_of(method: str, path: str) -> Action:
    """
    Tell what a call does.

    Raises:
        LookupError: the table does not know it, so that nobody may call it.
    """
    try:
        # A call without a row is a mistake of ours and fails at the start of the
        # server, not open.
        return CALLS[method.upper(), path]
    except KeyError:
        raise LookupError(
            f"{method} {path} has no row in {__name__}.CALLS: say what it does there"
        ) from None
