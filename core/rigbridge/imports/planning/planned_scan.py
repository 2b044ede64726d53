"""The sources of a plan, found again and compared with what the plan says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from rigbridge.imports.planning.plan_file import PlannedSource, PlanReader
from rigbridge.imports.results import SourceResult
from rigbridge.sources import FoundSource, Scan, ScanCounts

__all__ = ["PlannedScan"]

MOST_NAMED = 1000
"""How many differences are kept in words; what comes after is only counted."""


class PlannedScan:
    """
    The sources of a plan, as far as they are still what they were.

    Attributes:
        changes: the sources that are not imported, each with its reason.
        changed: how many those are.
        others: the sources of which something else came than was planned.
    """

    def __init__(self, plan: PlanReader) -> None:
        self._plan = plan
        self._scan = Scan(())
        self._in_hand: dict[bytes, PlannedSource] = {}
        self.changes: list[str] = []
        self.changed = 0
        self.others: list[str] = []

    @property
    def counts(self) -> ScanCounts:
        """What was passed over."""
        return self._scan.counts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete temporary copies."""
        self._scan.close()

    def __iter__(self) -> Iterator[FoundSource]:
        members: dict[bytes, PlannedSource] = {}
        archive: bytes | None = None
        for planned in self._plan:
            if planned.archive != archive:
                yield from self._members(archive, members)
                archive, members = planned.archive, {}
            if planned.archive is None:
                yield from self._one(planned)
            else:
                members[planned.key] = planned
        yield from self._members(archive, members)

    def _one(self, planned: PlannedSource) -> Iterator[FoundSource]:
        is_there = False
        for found in self._found(planned.key):
            # An archive that could not be opened then may give members now.
            if not is_there and found.key == planned.key:
                is_there = True
                if self._is_same(found, planned):
                    yield found
            else:
                found.release()
        if not is_there:
            self._leave(planned.name, "is another one")

    def _members(
        self, archive: bytes | None, members: dict[bytes, PlannedSource]
    ) -> Iterator[FoundSource]:
        """Open an archive once, and give the members that the plan names."""
        if archive is None:
            return
        for found in self._found(archive):
            planned = members.pop(found.key, None)
            if planned is None:
                found.release()
            elif self._is_same(found, planned):
                yield found
        for planned in members.values():
            self._leave(planned.name, "is gone")

    def _found(self, key: bytes) -> Iterator[FoundSource]:
        return self._scan.again(key.decode("utf-8", "surrogateescape"))

    def _is_same(self, found: FoundSource, planned: PlannedSource) -> bool:
        if found.path is not None and found.size is None and planned.size is not None:
            self._leave(found.uri, "is gone")
        elif (found.size, found.mtime_ns) != (planned.size, planned.mtime_ns):
            # By size and time, as the ledger does; reading every file for its digest
            # would take as long as the import.
            self._leave(found.uri, "was changed")
        else:
            self._in_hand[found.key] = planned
            return True
        found.release()
        return False

    def _leave(self, name: str, reason: str) -> None:
        self.changed += 1
        if len(self.changes) < MOST_NAMED:
            self.changes.append(f"{name}: {reason} since the plan was made")

    def note(self, result: SourceResult) -> None:
        """Compare what came of a source with what the plan says."""
        planned = self._in_hand.pop(result.key or b"", None)
        words = None if planned is None else planned.other_verdict(result)
        if words is not None and len(self.others) < MOST_NAMED:
            self.others.append(f"{result.source}: {words}")
