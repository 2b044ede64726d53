"""One reading of one log: its encoding, its records, its tables, its account."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from rigbridge.adapters import ReadContext, Source
from rigbridge.adapters.text.decoding import find_decoding
from rigbridge.errors import MalformedSourceError, SourceError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.assembly import RunAssembly
from rigbridge_csv.forms.phases import PhaseRows
from rigbridge_csv.matching import make_signs
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.profiles.signs import plain_sign
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.head import TableHead
from rigbridge_csv.tables.keys import FilledCell, KeyLines
from rigbridge_csv.tables.table import Bound, TableReader
from rigbridge_csv.text.foreign import is_workbook
from rigbridge_csv.text.records import (
    Records,
    open_records,
    readable,
)
from rigbridge_csv.text.workbook import WorkbookRecords, open_workbook

__all__ = ["LogReading"]

_CHUNK = 1 << 16
_Columns = TypeVar("_Columns", bound=Bound)


class LogReading:
    """
    One reading of one log by one profile.

    Attributes:
        index: the position of the next run in the log, counted from 0.
        last_mark: the last line that began with a byte order mark, where a program
            has appended to the log; 0 if there was none.
    """

    def __init__(
        self,
        profile: CSVProfile,
        delimiter: str,
        source: Source,
        context: ReadContext,
    ) -> None:
        self.profile = profile
        self.delimiter = delimiter
        self.source = source
        self.context = context
        self.cells = CellReader(profile, context, source.uri, source.content_name)
        self.index = 0
        self.last_mark = 0
        self._content: str | None = None
        self._repeats = 0
        self._workbook = is_workbook(source.head)
        self._encoding = "" if self._workbook else self._find_encoding()

    def assemble(
        self,
        line: int,
        constants: Mapping[Field, FilledCell],
        keys: KeyLines | None,
    ) -> RunAssembly:
        """Begin a run; takes what :class:`RunAssembly` does."""
        return RunAssembly(
            self.cells,
            self.context,
            self.source,
            line=line,
            constants=constants,
            keys=keys,
        )

    def _find_encoding(self) -> str:
        # A pass of its own: the last byte of a log may show that it is not UTF-8.
        with readable(self.source), self.source.open() as stream:
            chunks = iter(lambda: stream.read(_CHUNK), b"")
            decoding = find_decoding(self.profile.encoding, chunks)
        if decoding.rule is not None:
            self.context.report.coerced(
                "encoding",
                decoding.rule,
                place=Place(line=1),
                detail=f"{decoding.encoding}; declare it in profile "
                f"{self.profile.name} to be sure",
            )
        return decoding.encoding

    @contextmanager
    def tables(
        self,
        bind: Callable[[TableHead, ConversionReport], _Columns],
        report: ConversionReport,
        footers: list[KeyLines] | None = None,
    ) -> Generator[TableReader[_Columns]]:
        """
        Open the tables of the log.

        Args:
            footers: the keys behind the rows of each table, if they are known.
        """
        taker: list[TableReader[_Columns]] = []

        def on_comment(line: int, text: str) -> None:
            taker[0].on_comment(line, text)

        with self.records(on_comment, report) as records:
            reader = TableReader(
                records,
                self.profile,
                lambda head: bind(head, report),
                uri=self.source.uri,
                delimiter=plain_sign(self.delimiter),
                report=report,
                footers=footers,
            )
            taker.append(reader)
            yield reader

    @contextmanager
    def records(
        self, on_comment: Callable[[int, str], None], report: ConversionReport
    ) -> Generator[Records]:
        """
        Open the records of the log.

        Args:
            report: where byte order marks amid the text are recorded.
        """
        marked: list[int] = []

        def on_mark(line: int) -> None:
            self.last_mark = line
            if not marked:
                report.coerced(
                    "line",
                    "a byte order mark at its beginning, left out",
                    place=Place(line=line),
                )
            marked.append(line)

        if self._workbook:
            with open_workbook(self.source, self.profile.sheet) as rows:
                self._record_sheet(rows, report)
                yield rows
            return
        with open_records(
            self.source,
            encoding=self._encoding,
            signs=make_signs(self.profile, self.delimiter),
            on_comment=on_comment,
            on_mark=on_mark,
        ) as records:
            yield records

    def _record_sheet(self, rows: WorkbookRecords, report: ConversionReport) -> None:
        """Record what of a workbook is not read, and what is read in another way."""
        for name in rows.others:
            report.omitted(
                "sheet",
                f"another one is read: {rows.name}; a profile names it by sheet",
                place=Place(path=name),
                detail=name,
            )
        if rows.merges:
            report.coerced(
                "cell",
                "merged with those below it, taken for each of these rows",
                place=Place(path=rows.name),
                detail=f"{rows.merges} cells",
            )

    def find_footers(
        self, bind: Callable[[TableHead, ConversionReport], _Columns]
    ) -> list[KeyLines] | None:
        """Find the keys behind or beside the rows of each table, if there may be."""
        beside = self.profile.header.beside
        if self.profile.keys is None or not (self.profile.data.end or beside):
            return None
        with self.tables(bind, ConversionReport()) as reader:
            found: list[KeyLines] = []
            for table in reader.tables():
                for _ in table.rows():
                    pass
                found.append(table.head.keys)
            return found if beside else reader.behind

    def finish(
        self, assembly: RunAssembly, phases: Callable[[], list[PhaseRows]]
    ) -> Iterator[Run]:
        """Make a run, or report why it cannot be made."""
        index = self.index
        self.index += 1
        try:
            run = assembly.build(index, phases(), self._told_apart(assembly))
        except SourceError as error:
            self.context.failed(error)
            return
        # Only now: else the account of the next run would hold what was recorded of a
        # run that failed.
        self.context.report.merge(assembly.report)
        yield run

    def _told_apart(self, assembly: RunAssembly) -> str | None:
        content = assembly.content()
        if content is None:
            return None
        # The same rows twice are two runs of the log. They stand together, since both
        # bear one time: so nothing of the runs before has to be remembered.
        repeated = content == self._content
        self._content, self._repeats = content, self._repeats + 1 if repeated else 0
        if not self._repeats:
            return content
        return hashlib.sha256(f"{content}\n{self._repeats}".encode()).hexdigest()

    def fail(self, error: SourceError) -> None:
        """Report a run that cannot be read."""
        self.index += 1
        self.context.failed(error)

    def damaged(self, line: int, problem: str | None) -> MalformedSourceError:
        """Make the error for a row that cannot be used."""
        return MalformedSourceError(
            problem or "cannot be read",
            source=self.source.uri,
            place=f"line {line}",
            remedy=_remedy(problem or ""),
        )


_PATTERN = "fields.serial_number a pattern that its numbers fit"
# By words of the problem: what is to be done.
_REMEDIES = {
    "formula whose result": "open the workbook in a program that calculates it, and "
    "save it again",
    "and no line end": "the file may still be written; import it again when it is "
    "complete",
    "spreadsheet": f"export the log again with the column as text, or give {_PATTERN}",
    "below the table": "declare data.end or data.skip for lines that are no rows, or "
    f"give {_PATTERN}",
    "nobody sees": f"export the log again, or give {_PATTERN}",
    "pattern": "correct the pattern, or declare data.end or data.skip for lines that "
    "are no rows",
    "cells where the header": "repair the row; declare comment, data.skip or data.end "
    "for lines that are no rows, data.short for cells that a row lacks",
    "": "repair or remove the row, or give rows of another shape a file and a profile "
    "of their own",
}


def _remedy(problem: str) -> str:
    return next(text for words, text in _REMEDIES.items() if words in problem)
