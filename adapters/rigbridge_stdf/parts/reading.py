"""The records of a file to its runs, part by part, in the memory of the open parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rigbridge.adapters import ReadContext, Source
from rigbridge.errors import (
    MalformedSourceError,
    NoRunError,
    UnsafeSourceError,
)
from rigbridge.model import Run
from rigbridge_stdf.parts.defaults import TestDefaults
from rigbridge_stdf.parts.lot import Lot
from rigbridge_stdf.parts.part import Part
from rigbridge_stdf.parts.results import ResultReader, is_definition
from rigbridge_stdf.parts.summaries import LotSummary, read_summaries
from rigbridge_stdf.parts.texts import clean_text, note_text
from rigbridge_stdf.records.ascii import NO_RECORD
from rigbridge_stdf.records.decoding import BEYOND, as_text
from rigbridge_stdf.records.files import RecordFile
from rigbridge_stdf.records.record import Fields, Record
from rigbridge_stdf.settings import STDFSettings

__all__ = ["read_parts"]

MAX_RESULTS = 1_000_000
"""Results of parts without an end: thousands for each of hundreds of sites."""

MAX_SIZE = 1 << 28
"""Bytes of the records of such parts; what is made of them takes a few times that."""

_TESTS = frozenset({"PTR", "MPR", "FTR"})
_TEXTS = frozenset({"DTR", "GDR"})
_SUMMARIES = {
    "PCR": "counts of the lot, its runs are the parts",
    "HBR": "counts of the lot, its runs have the names of their bins",
    "SBR": "counts of the lot, its runs have the names of their bins",
    "TSR": "counts of the lot, its runs have the results",
    "PGR": "names groups of pins, results name the pins",
    "PLR": "says how states of pins are displayed",
}
# Program sections are nested by hand, a few levels deep; a file that only begins some
# would grow the path without end.
_DEEPEST = 64
_UPDATE = "VUR"
_NAMELESS = "section"
_SITE_AT = {"PTR": 4, "MPR": 4, "FTR": 4, "PRR": 0, "PIR": 0}
"""The byte of a record at which its head stands, with the site behind it."""


def read_parts(
    source: Source, context: ReadContext, settings: STDFSettings
) -> Iterator[Run]:
    """
    Read the parts of a file, in the order in which they are finished.

    Raises:
        UnrecognizedSourceError: it is no file of the format, or of another version.
        MalformedSourceError: it is cut off or holds something else; what was whole
            has been given.
        UnsafeSourceError: its parts do not end.
        NoRunError: it holds no part.
    """
    summaries = read_summaries(source)
    with source.open() as stream:
        file = RecordFile.open(stream, source.head, source.uri, context.report)
        reader = _FileReader(file, source, context, settings, summaries)
        yield from reader.read()


class _FileReader:
    """A file that is being read."""

    def __init__(
        self,
        file: RecordFile,
        source: Source,
        context: ReadContext,
        settings: STDFSettings,
        summaries: list[LotSummary],
    ) -> None:
        self._file = file
        self._source = source
        self._context = context
        self._settings = settings
        self._summaries = iter(summaries)
        self._open: dict[tuple[int, int], Part] = {}
        self._sections: list[str] = []
        self._section: tuple[str, ...] = ()
        self._waiting: list[Record] = []
        self._has_lot = False
        self._index = 0
        self._results = 0
        self._size = 0
        self._finished = 0
        # Damaged PRRs of which nobody can tell the part.
        self._orphans = 0
        self._begin_lot()
        self._takers: dict[str, Callable[[Record, Fields], None]] = {
            "MIR": self._take_lot,
            "PIR": self._begin_part,
            "BPS": self._begin_section,
            "EPS": self._end_section,
        }

    def read(self) -> Iterator[Run]:
        """Go through the records."""
        why = "the file ends"
        try:
            for record in self._file.records:
                # The most frequent by far, so it is asked for first.
                if record.name in _TESTS:
                    self._take_test(record)
                elif record.name == "PRR":
                    run = self._finish_part(record)
                    if run is not None:
                        yield run
                else:
                    self._take(record)
        except MalformedSourceError:
            # What ended before the damage was given already; only parts that are open
            # are lost.
            why = "the file is cut off or damaged"
            self._fail_open(why)
            raise
        self._fail_open(why)
        self._drop_waiting()
        if not self._index:
            raise NoRunError(
                "holds no part (PRR)", source=self._source.uri, place="the whole file"
            )

    def _begin_lot(self) -> None:
        self._summary = next(self._summaries, LotSummary())
        self._lot = Lot(self._summary, self._settings, self._context)
        self._finished = 0
        self._results_reader = ResultReader(
            TestDefaults(self._summary.test_names, self._source.uri),
            self._lot.pins,
            self._source.uri,
            self._file.read_float,
        )

    def _take_lot(self, record: Record, fields: Fields) -> None:
        # Files are appended to each other: each has a MIR of its own.
        if self._has_lot:
            self._fail_open("another lot begins")
            self._drop_waiting()
            self._begin_lot()
        self._has_lot = True
        self._lot.take_information(record, fields)

    def _take(self, record: Record) -> None:
        report = self._context.report
        if record.name == _UPDATE:
            named = "".join(filter(str.isprintable, as_text(record.content)))
            rule = "only names the version of the standard"
            report.omitted("record", rule, place=record.place, detail=named[:80])
            return
        if record.decoder is None:
            report.dropped(
                "record",
                f"{record.name} is no record of STDF V4",
                place=record.place,
            )
            return
        try:
            fields = record.fields(self._source.uri)
        except MalformedSourceError as error:
            if record.name == NO_RECORD:
                # It may have been a test of any part that is open.
                self._damage(None, error)
            else:
                # It belongs to no part: the parts are whole without it.
                report.dropped("record", error.message, place=record.place)
            return
        if BEYOND in fields:
            report.dropped("bytes", BEYOND, place=record.place, detail=record.name)
            fields = {name: fields[name] for name in fields if name != BEYOND}
        if record.name in _TEXTS:
            self._take_text(record, fields)
        elif record.name in _SUMMARIES:
            rule = _SUMMARIES[record.name]
            report.omitted("summary", rule, place=record.place, detail=record.name)
        elif record.name in self._takers:
            self._takers[record.name](record, fields)
        else:
            self._lot.take(record, fields)

    def _take_text(self, record: Record, fields: Fields) -> None:
        """Give a text to the parts that are open: it does not say which it is of."""
        for part in self._open.values():
            part.add_text(record, fields)
            self._count_result(record)
            if len(self._open) > 1:
                part.report.coerced(
                    "log" if record.name == "DTR" else "metadata",
                    "names no site, given to each part that is tested",
                    place=record.place,
                )
        if not self._open:
            self._waiting.append(record)
            self._count_result(record)

    def _begin_part(self, record: Record, fields: Fields) -> None:
        key = fields["HEAD_NUM"], fields["SITE_NUM"]
        # A tester that lost a PRR goes on with the next part at the same site.
        if key in self._open:
            self._fail(key, "another part begins at its site")
        self._open[key] = self._new_part(key, record)

    def _new_part(self, key: tuple[int, int], record: Record) -> Part:
        part = Part(*key, record.place)
        # What stands before a part is said of it, as far as anyone can tell.
        for text in self._waiting:
            part.add_text(text, text.fields(self._source.uri))
        self._waiting.clear()
        return part

    def _begin_section(self, record: Record, fields: Fields) -> None:
        name = clean_text(fields.get("SEQ_NAME"))
        note_text(name, self._context.report, record.place)
        if len(self._sections) < _DEEPEST:
            self._sections.append(name or _NAMELESS)
        self._section = tuple(self._sections)

    def _end_section(self, record: Record, fields: Fields) -> None:
        del record, fields
        # An EPS without its BPS is passed over.
        if self._sections:
            self._sections.pop()
        self._section = tuple(self._sections)

    def _take_test(self, record: Record) -> None:
        key = self._key(record)
        part = None if key is None else self._open.get(key)
        # The position of head and site is fixed in these records, so the part is found
        # without decoding the rest.
        try:
            if part is None:
                part = self._part_of(record)
            if part is None:
                self._results_reader.define(record)
                return
            measurement = self._results_reader.read(record, part.report)
            part.add(measurement, self._section, len(record.content))
            self._count_result(record)
        except MalformedSourceError as error:
            self._damage(part, error)

    def _part_of(self, record: Record) -> Part | None:
        """Give the part of a test, begun by it if need be; None for a definition."""
        fields = record.fields(self._source.uri)
        key = fields["HEAD_NUM"], fields["SITE_NUM"]
        part = self._open.get(key)
        if part is None and not is_definition(fields):
            # Some testers write no PIR. The first result of a site then begins its
            # part.
            part = self._open[key] = self._new_part(key, record)
            part.report.coerced(
                "part", "has no PIR, begun by its first test", place=record.place
            )
        return part

    def _key(self, record: Record) -> tuple[int, int] | None:
        """Give head and site of a binary record; None where they cannot be told."""
        at = _SITE_AT[record.name]
        # Too short to hold a site.
        if record.is_line or len(record.content) < at + 2:
            return None
        return record.content[at], record.content[at + 1]

    def _damage(self, part: Part | None, error: MalformedSourceError) -> None:
        """Mark the part of a damaged record; all that are open where none is told."""
        for damaged in [part] if part is not None else list(self._open.values()):
            damaged.damage = damaged.damage or error
        if part is None and not self._open:
            self._context.report.dropped("record", str(error))

    def _count_result(self, record: Record) -> None:
        self._results += 1
        self._size += len(record.content)
        if self._results > MAX_RESULTS or self._size > MAX_SIZE:
            raise UnsafeSourceError(
                f"holds more than {MAX_RESULTS:,} results, or {MAX_SIZE >> 20} MiB of "
                "them, of parts without an end",
                source=self._source.uri,
                place=str(record.place),
                remedy="look at whether the file lacks its PRR",
            )

    def _finish_part(self, record: Record) -> Run | None:
        self._finished += 1
        index, self._index = self._index, self._index + 1
        try:
            fields = record.fields(self._source.uri)
        except MalformedSourceError as error:
            key = self._key(record)
            # With a single part open the damaged PRR can only be its.
            if key is None and len(self._open) == 1:
                key = next(iter(self._open))
            part = None if key is None else self._open.pop(key, None)
            if part is None and self._open:
                self._orphans += 1
            self._close(part)
            self._context.failed(error)
            return None
        key = fields["HEAD_NUM"], fields["SITE_NUM"]
        part = self._open.pop(key, None)
        if part is None:
            part = self._new_part(key, record)
            part.report.coerced("part", "has no PIR", place=record.place)
        # Texts behind the last part are most often about it: testers write them when it
        # has ended.
        if self._finished == self._summary.parts:
            for text in self._summary.trailing:
                part.add_text(text, text.fields(self._source.uri))
        self._close(part)
        if part.damage is not None:
            self._context.failed(part.damage)
            return None
        with self._context.run():
            run = part.finish(
                record,
                fields,
                lot=self._lot,
                settings=self._settings,
                context=self._context,
                source=self._source,
                index=index,
                form=self._file.format,
            )
            self._context.report.merge(part.report)
        return run

    def _close(self, part: Part | None) -> None:
        if part is not None:
            self._results = max(0, self._results - part.results)
            # Only what is open counts against the bound.
            self._size = max(0, self._size - part.size)
        if not self._open:
            # A section that a part left without its end is not one of the next part.
            self._sections.clear()
            self._section = ()

    def _fail(self, key: tuple[int, int], why: str) -> None:
        part = self._open.pop(key)
        self._close(part)
        if self._orphans:
            # Its PRR was damaged, and has been counted and reported.
            self._orphans -= 1
            return
        self._index += 1
        self._context.failed(part.damage or part.unfinished(self._source.uri, why))

    def _fail_open(self, why: str) -> None:
        for key in list(self._open):
            self._fail(key, why)

    def _drop_waiting(self) -> None:
        """Record what stands behind the last part and was not given to it."""
        if self._finished and self._finished == self._summary.parts:
            known = {record.number for record in self._summary.trailing}
            self._waiting = [r for r in self._waiting if r.number not in known]
        for record in self._waiting:
            self._context.report.dropped(
                "log", "belongs to no part", place=record.place, detail=record.name
            )
        self._results = max(0, self._results - len(self._waiting))
        size = sum(len(record.content) for record in self._waiting)
        self._size = max(0, self._size - size)
        self._waiting.clear()
