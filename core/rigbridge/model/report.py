"""
The conversion report: what became of every element of a source.

Adapters and converters record through one object what they *mapped* to the model,
*coerced* (kept with a change, by a named rule), *omitted* by a stated rule (the rest
of the source says the same, or nobody asked for it) or *dropped* (lost: nobody knows it
any more). All but the first have their place in the source. Nothing may be missing
without an entry here. ``--strict`` refuses a run of which anything is dropped,
``--strict=all`` also one of which anything is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Self, TypeAlias

import attrs

__all__ = ["ConversionReport", "Disposition", "Place", "ReportEntry"]

MAX_ENTRIES = 10_000
"""Entries kept a report; what comes after is still counted, and said to be."""


class Disposition(StrEnum):
    """What became of an element."""

    MAPPED = "mapped"
    COERCED = "coerced"
    OMITTED = "omitted"
    DROPPED = "dropped"


@attrs.frozen
class Place:
    """
    A place in a source.

    Attributes:
        line: the line, counted from 1, or None.
        path: an XPath, a record path (``$.phases[2]``) or a column, or None.
    """

    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        line = None if self.line is None else f"line {self.line}"
        return ", ".join(part for part in (line, self.path) if part)


@attrs.frozen(kw_only=True)
class ReportEntry:
    """
    One element that was coerced, omitted or dropped.

    Attributes:
        disposition: which of these.
        item: the kind of element, a standard term (``measurement``, ``limit``).
        rule: the name of the rule, for dropped the reason; a short phrase.
        place: where it stands.
        detail: the value or name in question, or None.
    """

    disposition: Disposition
    item: str
    rule: str
    place: Place
    detail: str | None = None

    def __str__(self) -> str:
        detail = "" if self.detail is None else f" ({self.detail})"
        where = f"{self.place}: " if self.place != Place() else ""
        return f"{where}{self.disposition} {self.item}: {self.rule}{detail}"


_NOWHERE = Place()

_Recorded: TypeAlias = tuple[Disposition, str, str, int | None, str | None, str | None]
"""An entry as it is held: disposition, item, rule, line, path, detail."""


class ConversionReport:
    """
    Counts everything, and lists all that is not mapped with its place.

    The list is bounded by ``MAX_ENTRIES``; the counts are not. ``unlisted`` says how
    many entries the list lacks.

    A ``place`` may also be given as a function that finds it. It is asked at once, and
    only where the entry is listed, so that finding costs nothing where nobody looks.
    """

    __slots__ = (
        "_coerced",
        "_dropped",
        "_entries",
        "_mapped",
        "_omitted",
        "_unlisted",
    )

    def __init__(self) -> None:
        self._mapped: Counter[str] = Counter()
        self._coerced: Counter[tuple[str, str]] = Counter()
        self._omitted: Counter[tuple[str, str]] = Counter()
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._entries: list[_Recorded] = []
        self._unlisted = 0

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(each)} {each}" for each in Disposition)
        return f"<{type(self).__name__}: {counts}>"

    def mapped(self, item: str, count: int = 1) -> None:
        """Record that elements of a kind were carried over as they stand."""
        self._mapped[item] += count

    def coerced(
        self,
        item: str,
        rule: str,
        *,
        place: Place | Callable[[], Place] = _NOWHERE,
        detail: str | None = None,
    ) -> None:
        """Record that an element was carried over with a change."""
        self._coerced[item, rule] += 1
        self._list(Disposition.COERCED, item, rule, place, detail)

    def omitted(
        self,
        item: str,
        rule: str,
        *,
        place: Place | Callable[[], Place] = _NOWHERE,
        detail: str | None = None,
    ) -> None:
        """
        Record that an element was left out by a stated rule.

        A rule is a documented default or a setting of the site: the values of a loop's
        summary whose iterations are kept, source code that nobody asked for.
        """
        self._omitted[item, rule] += 1
        self._list(Disposition.OMITTED, item, rule, place, detail)

    def dropped(
        self,
        item: str,
        reason: str,
        *,
        place: Place | Callable[[], Place] = _NOWHERE,
        detail: str | None = None,
    ) -> None:
        """Record that an element is lost: it could not be read, or has no field."""
        self._dropped[item, reason] += 1
        self._list(Disposition.DROPPED, item, reason, place, detail)

    def _list(
        self,
        disposition: Disposition,
        item: str,
        rule: str,
        place: Place | Callable[[], Place],
        detail: str | None,
    ) -> None:
        if len(self._entries) >= MAX_ENTRIES:
            self._unlisted += 1
            return
        found = place if isinstance(place, Place) else place()
        self._entries.append((disposition, item, rule, found.line, found.path, detail))

    @property
    def entries(self) -> tuple[ReportEntry, ...]:
        """What was coerced, omitted or dropped, in the order of recording."""
        return tuple(
            ReportEntry(
                disposition=disposition,
                item=item,
                rule=rule,
                place=Place(line=line, path=path),
                detail=detail,
            )
            for disposition, item, rule, line, path, detail in self._entries
        )

    @property
    def unlisted(self) -> int:
        """How many elements that are not mapped ``entries`` does not show."""
        return self._unlisted

    def count(
        self,
        disposition: Disposition,
        item: str | None = None,
        *,
        rule: str | None = None,
    ) -> int:
        """Count the elements of a disposition, of all kinds and rules or of one."""
        if disposition is Disposition.MAPPED:
            return self._mapped.total() if item is None else self._mapped[item]
        table = {
            Disposition.COERCED: self._coerced,
            Disposition.OMITTED: self._omitted,
            Disposition.DROPPED: self._dropped,
        }[disposition]
        return sum(
            count
            for (kind, by), count in table.items()
            if item in (None, kind) and rule in (None, by)
        )

    def amounts(self) -> dict[tuple[str, str, str], int]:
        """
        Count everything: by disposition, kind of element, and rule or reason.

        What is mapped has no rule (an empty text).
        """
        found = {
            (Disposition.MAPPED.value, kind, ""): count
            for kind, count in self._mapped.items()
        }
        for disposition, table in (
            (Disposition.COERCED, self._coerced),
            (Disposition.OMITTED, self._omitted),
            (Disposition.DROPPED, self._dropped),
        ):
            for (kind, rule), count in table.items():
                found[disposition.value, kind, rule] = count
        return found

    def items(self) -> frozenset[str]:
        """Name every kind of element that was recorded."""
        tables = (self._coerced, self._omitted, self._dropped)
        changed = {kind for table in tables for kind, _ in table}
        return frozenset(changed | set(self._mapped))

    def merge(self, other: ConversionReport) -> None:
        """Add what another report recorded to this one."""
        self._mapped.update(other._mapped)
        self._coerced.update(other._coerced)
        self._omitted.update(other._omitted)
        self._dropped.update(other._dropped)
        room = MAX_ENTRIES - len(self._entries)
        self._entries.extend(other._entries[:room])
        self._unlisted += other._unlisted + max(0, len(other._entries) - room)

    def split(self) -> ConversionReport:
        """Hand over what was recorded so far, and begin anew."""
        part = ConversionReport()
        for name in ConversionReport.__slots__:
            mine, fresh = getattr(self, name), getattr(part, name)
            setattr(part, name, mine)
            setattr(self, name, fresh)
        return part

    def counts(self) -> ConversionReport:
        """Give the counts alone, which take little memory; all entries are unlisted."""
        part = ConversionReport()
        part.merge(self)
        part._unlisted += len(part._entries)
        part._entries = []
        return part

    def as_document(self) -> dict[str, object]:
        """
        Give the report as JSON values.

        Returns:
            ``mapped`` (count by kind), ``coerced``, ``omitted`` and ``dropped`` (a
            list of kind, rule or reason, and count), ``entries`` (disposition, item,
            rule, line, path, detail) and ``unlisted``.
        """
        return {
            "mapped": dict(sorted(self._mapped.items())),
            "coerced": [
                {"item": item, "rule": rule, "count": count}
                for (item, rule), count in sorted(self._coerced.items())
            ],
            "omitted": [
                {"item": item, "rule": rule, "count": count}
                for (item, rule), count in sorted(self._omitted.items())
            ],
            "dropped": [
                {"item": item, "reason": reason, "count": count}
                for (item, reason), count in sorted(self._dropped.items())
            ],
            "entries": [
                {
                    "disposition": str(disposition),
                    "item": item,
                    "rule": rule,
                    "line": line,
                    "path": path,
                    "detail": detail,
                }
                for disposition, item, rule, line, path, detail in self._entries
            ],
            "unlisted": self._unlisted,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """
        Read a report from the JSON values that :meth:`as_document` gave.

        Raises:
            KeyError: a key is missing.
            TypeError: a value of the wrong kind.
            ValueError: an unknown disposition.
        """
        report = cls()
        report._mapped.update(document["mapped"])
        for table, name, key in (
            (report._coerced, "coerced", "rule"),
            (report._omitted, "omitted", "rule"),
            (report._dropped, "dropped", "reason"),
        ):
            for total in document[name]:
                table[total["item"], total[key]] += total["count"]
        report._entries = [
            (
                Disposition(entry["disposition"]),
                entry["item"],
                entry["rule"],
                entry["line"],
                entry["path"],
                entry["detail"],
            )
            for entry in document["entries"]
        ]
        report._unlisted = document["unlisted"]
        return report
