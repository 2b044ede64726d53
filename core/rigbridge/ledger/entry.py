"""One source as the ledger knows it: when it was read, by what, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from uuid import UUID

import attrs

__all__ = [
    "DOUBTED",
    "VERDICTS",
    "Amounts",
    "KnownSource",
    "LedgerEntry",
    "LedgerProblem",
    "LedgerRun",
    "RunStatus",
    "Verdict",
    "storable_time",
]

_MOST = (1 << 63) - 1

DOUBTED = -1
"""The time of a source that is to be read again, whatever its file says."""

Amounts: TypeAlias = Mapping[tuple[str, str, str], int]
"""
How many elements, by disposition, kind of element, and rule or reason; what is mapped
has no rule (an empty text).
"""


class Verdict(StrEnum):
    """What came of a source as a whole: the worst of what came of its runs."""

    IMPORTED = "imported"
    EMPTY = "empty"
    """It holds no run."""
    DUPLICATE = "duplicate"
    """Another source of the same content was imported."""
    QUARANTINED = "quarantined"
    """At least one run lies in quarantine."""
    REFUSED = "refused"
    """It was read, and at least one run was not stored."""
    FAILED = "failed"
    """At least a part of it could not be read."""

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to do, whatever the settings become."""
        return self in {Verdict.IMPORTED, Verdict.DUPLICATE}


VERDICTS: Mapping[str, Verdict] = {each.value: each for each in Verdict}
"""Each verdict by its value; asking the class itself takes as long as the look-up."""


class RunStatus(StrEnum):
    """What came of a run."""

    CREATED = "created"
    KNOWN = "known"
    """It was stored before, and is the same."""
    DIFFERS = "differs"
    """It was stored before, and would be another one today."""
    REPLACED = "replaced"
    """It was stored before, and has made way for this one."""
    QUARANTINED = "quarantined"
    """No store takes it as it is."""
    PLANNED = "planned"
    """It was read, and nothing was sent."""

    @property
    def is_stored(self) -> bool:
        """Whether the destination holds a run of this id."""
        return self not in {RunStatus.QUARANTINED, RunStatus.PLANNED}


@attrs.frozen(kw_only=True)
class LedgerRun:
    """
    A run of a source.

    Attributes:
        measurements: how many it holds.
        attachments: likewise.
        stored_id: by which the destination knows it; None where that is its own.
    """

    id: UUID
    status: RunStatus = RunStatus.CREATED
    measurements: int = 0
    attachments: int = 0
    stored_id: str | None = None


@attrs.frozen(kw_only=True)
class LedgerProblem:
    """
    What went wrong with a source, or with one of its runs.

    Attributes:
        message: what it says, without the source.
        place: where in the source, or None.
        remedy: what helps, or None.
    """

    kind: str
    message: str
    place: str | None = None
    remedy: str | None = None


def storable_time(nanoseconds: int) -> int:
    """
    Give a time as a column can hold it.

    File systems know times from the year 1601 to 60000. A clock that was wrong when a
    file was written leaves some that 64 bits of nanoseconds do not reach.
    """
    return max(-_MOST, min(nanoseconds, _MOST))


class KnownSource(NamedTuple):
    """
    What an import has to know of a source that it may pass over.

    Attributes:
        size: in bytes.
        mtime_ns: when it was modified, in nanoseconds of Unix time.
        seen_ns: when size and time were asked for; likewise.
        settings: the digest of the settings that were in force.
        digest: the SHA-256 of the stored bytes, or None.
    """

    # A tuple, since it is made in a third of the time: there is one for every file.
    key: int
    size: int
    mtime_ns: int
    seen_ns: int
    verdict: Verdict
    settings: str
    digest: bytes | None


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """
    What the ledger holds of a source.

    Attributes:
        path: the source, as :func:`ledger_path` gives it.
        destination: the name of the destination that its runs are for.
        size: its size in bytes.
        mtime_ns: when it was modified, in nanoseconds of Unix time.
        seen_ns: when size and time were asked for, before anything was read; likewise.
        digest: the SHA-256 of the stored bytes in hex; None where nothing was read.
        adapter: the adapter that read it, or None.
        adapter_version: the version of its distribution, or None.
        settings: the digest of the settings that were in force.
        same_as: for a duplicate, the source that was imported.
    """

    path: bytes
    destination: str
    size: int
    mtime_ns: int = attrs.field(converter=storable_time)
    seen_ns: int
    digest: str | None = None
    adapter: str | None = None
    adapter_version: str | None = None
    settings: str = ""
    verdict: Verdict = Verdict.IMPORTED
    runs: tuple[LedgerRun, ...] = ()
    amounts: Amounts = attrs.field(factory=dict[tuple[str, str, str], int])
    problems: tuple[LedgerProblem, ...] = ()
    same_as: bytes | None = None
