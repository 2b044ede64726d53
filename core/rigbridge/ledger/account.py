"""The account: what came of all sources of a destination, added up."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Self, TypeAlias

import attrs

from rigbridge.ledger.entry import LedgerProblem, RunStatus, Verdict

__all__ = ["Account", "AdapterTotal", "ProblemGroup"]

_Reason: TypeAlias = tuple[str, str, str]
_Unpack: TypeAlias = Callable[
    [sqlite3.Connection, bytes], Iterable[tuple[_Reason, int]]
]
_Packed: TypeAlias = tuple[int | None, bytes]
_NO_ADAPTER = ("", "")
# Rows that are told apart in memory at a time; beyond that they are given in portions.
_MOST_DIFFERENT = 100_000


@attrs.frozen(kw_only=True)
class ProblemGroup:
    """
    What went wrong in the same way with several sources.

    Attributes:
        path: the source of the example, as the ledger names it.
    """

    verdict: Verdict
    count: int
    example: LedgerProblem
    path: bytes


@attrs.define(kw_only=True)
class AdapterTotal:
    """
    What one version of an adapter read.

    Attributes:
        name: of the adapter; empty for sources that none was chosen for.
        files: how many sources.
        runs: how many runs of them are stored.
        amounts: what became of their elements, by disposition, kind, and reason.
    """

    name: str
    version: str
    files: int = 0
    runs: int = 0
    amounts: Counter[_Reason] = attrs.field(factory=Counter[_Reason])


@attrs.frozen(kw_only=True)
class Account:
    """
    What came of all sources that were imported into a destination.

    A run that two sources hold is one run. A file that was changed counts once for each
    content whose runs are stored.

    Attributes:
        files: how many sources, by what came of them.
        size: their bytes together.
        runs: how many runs, by what came of them when they were last looked at; one
            that an import of this account has created stays so.
        stored: how many different runs the destination holds.
        measurements: how many those hold.
        attachments: likewise.
        problems: what went wrong, the most frequent first.
    """

    destination: str
    files: Mapping[Verdict, int] = attrs.field(factory=dict[Verdict, int])
    size: int = 0
    runs: Mapping[RunStatus, int] = attrs.field(factory=dict[RunStatus, int])
    stored: int = 0
    measurements: int = 0
    attachments: int = 0
    adapters: tuple[AdapterTotal, ...] = ()
    problems: tuple[ProblemGroup, ...] = ()

    @property
    def amounts(self) -> Counter[_Reason]:
        """What became of all elements, by disposition, kind, and rule or reason."""
        total: Counter[_Reason] = Counter()
        for adapter in self.adapters:
            total.update(adapter.amounts)
        return total

    def total(self, disposition: str) -> int:
        """Count the elements of a disposition (``mapped``, ``dropped``...)."""
        return sum(
            count for (kind, _, _), count in self.amounts.items() if kind == disposition
        )

    @classmethod
    def read(
        cls, connection: sqlite3.Connection, destination: str, unpack: _Unpack
    ) -> Self:
        """Add up the entries of a destination."""
        # One transaction: an import that goes on meanwhile must not be counted halfway.
        connection.execute("BEGIN")
        try:
            row = connection.execute(
                "SELECT key FROM destination WHERE name = ?", (destination,)
            ).fetchone()
            if row is None:
                return cls(destination=destination)
            return cls._of(connection, destination, int(row[0]), unpack)
        finally:
            connection.execute("COMMIT")

    @classmethod
    def _of(
        cls, connection: sqlite3.Connection, name: str, key: int, unpack: _Unpack
    ) -> Self:
        files = connection.execute(
            "SELECT verdict, count(*), sum(size) FROM source WHERE destination = ?"
            " GROUP BY verdict",
            (key,),
        ).fetchall()
        runs = connection.execute(
            "SELECT r.status, count(*) FROM run r JOIN source s ON s.key = r.source"
            " WHERE s.destination = ? GROUP BY r.status",
            (key,),
        ).fetchall()
        # The same run may stand in several sources: each id counts once, with the most
        # that a source says of it.
        stored, measurements, attachments = connection.execute(
            "SELECT count(*), coalesce(sum(m), 0), coalesce(sum(a), 0) FROM"
            " (SELECT max(r.measurements) AS m, max(r.attachments) AS a"
            "  FROM run r JOIN source s ON s.key = r.source"
            "  WHERE s.destination = ? AND r.status != ? GROUP BY r.id)",
            (key, RunStatus.QUARANTINED.value),
        ).fetchone()
        return cls(
            destination=name,
            files={Verdict(verdict): count for verdict, count, _ in files},
            size=sum(size for _, _, size in files),
            runs={RunStatus(status): count for status, count in runs},
            stored=stored,
            measurements=measurements,
            attachments=attachments,
            adapters=_adapters(connection, key, unpack),
            problems=_problems(connection, key),
        )


def _adapters(
    connection: sqlite3.Connection, destination: int, unpack: _Unpack
) -> tuple[AdapterTotal, ...]:
    names = {
        key: (name, version)
        for key, name, version in connection.execute(
            "SELECT key, name, version FROM adapter"
        )
    }
    totals: dict[int | None, AdapterTotal] = {}
    rows = connection.execute(
        "SELECT adapter, amounts FROM source WHERE destination = ?", (destination,)
    )
    for (key, packed), times in _repeated(rows):
        total = totals.get(key)
        if total is None:
            name, version = names.get(key, _NO_ADAPTER)
            total = totals[key] = AdapterTotal(name=name, version=version)
        total.files += times
        for reason, count in unpack(connection, packed):
            total.amounts[reason] += count * times
    counted = connection.execute(
        "SELECT s.adapter, count(*) FROM run r JOIN source s ON s.key = r.source"
        " WHERE s.destination = ? AND r.status != ? GROUP BY s.adapter",
        (destination, RunStatus.QUARANTINED.value),
    )
    for key, count in counted:
        totals[key].runs = count
    return tuple(sorted(totals.values(), key=lambda each: (each.name, each.version)))


def _repeated(rows: Iterable[_Packed]) -> Iterator[tuple[_Packed, int]]:
    """Count equal rows: reports of one test mostly hold as many of everything."""
    # Unpacking is the slow part, so it is done once for all equal rows.
    seen: Counter[_Packed] = Counter()
    for row in rows:
        seen[row] += 1
        if len(seen) >= _MOST_DIFFERENT:
            yield from seen.items()
            seen.clear()
    yield from seen.items()


def _problems(
    connection: sqlite3.Connection, destination: int
) -> tuple[ProblemGroup, ...]:
    # Columns beside an aggregate are those of the row that has the minimum (SQLite).
    rows = connection.execute(
        "SELECT count(*), s.verdict, f.path, s.name, p.kind, p.message, p.place,"
        " p.remedy, min(s.key) FROM problem p JOIN source s ON s.key = p.source"
        " JOIN folder f ON f.key = s.folder WHERE s.destination = ?"
        " GROUP BY s.verdict, p.kind, p.message ORDER BY count(*) DESC, p.message",
        (destination,),
    )
    return tuple(
        ProblemGroup(
            verdict=Verdict(verdict),
            count=count,
            example=LedgerProblem(
                kind=kind, message=message, place=place, remedy=remedy
            ),
            path=folder + name,
        )
        for count, verdict, folder, name, kind, message, place, remedy, _ in rows
    )
