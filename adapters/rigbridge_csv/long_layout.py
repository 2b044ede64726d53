"""
The long layout: a row a measurement, the rows of a run one below the other.

A run ends where its *key* changes: the cells of ``run_key``, by default serial number
and start. The log is read twice, as a stream. The first pass collects the keys, because
a key may come again further down:

- With a start time in it, it is the same run, interrupted by rows of other runs. Its
  parts would look like whole runs with a verdict each. So that run is refused, the
  error names the lines, and its neighbours are read.
- Without one, it is a retest of the same unit: another run, recorded as coerced.

Where the log writes no verdict for a run, it is derived from the verdicts that are
written (never from numbers and limits), and that is recorded as coerced:

- no verdict column for runs: the worst of the verdicts of its phases and measurements,
  ERROR if there is none;
- a verdict column whose cells are blank for this run: ERROR, the test was not finished;
- a phase without one: the worst of its measurements; SKIP if none has a value; PASS if
  the log says that the run passed; else ERROR.

A row that does not fit the header, holds NUL or undecodable bytes, or a quote that is
never closed, fails the run that its key names. Where its key is damaged, it fails the
runs before and after it. All other runs arrive.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import attrs

from rigbridge.adapters import ReadContext, Source
from rigbridge.errors import MalformedSourceError, NoRunError, SourceError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.cells import CellReader
from rigbridge_csv.profiles.matching import ProfileClaim, claim_by_header
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.rows import Row, read_rows
from rigbridge_csv.runs import RunBuilder
from rigbridge_csv.tables.decoding import find_decoding
from rigbridge_csv.tables.table import open_table, readable

__all__ = ["LongLayout"]

_CHUNK = 1 << 16


@attrs.define
class _OpenRun:
    """
    The rows of one run, while they are read.

    ``refused`` marks another part of a run that was refused already: it is no run of
    its own, neither in the count nor among the failures.
    """

    key: tuple[str, ...]
    builder: RunBuilder
    error: SourceError | None = None
    refused: bool = False

    def fail(self, error: SourceError) -> None:
        """Remember the first of its errors; the rest usually follows from it."""
        self.error = self.error or error


class LongLayout:
    """Reads logs that have a row a measurement."""

    def claim(self, profile: CSVProfile, head: bytes, name: str) -> ProfileClaim | None:
        """ProfileClaim by header and file name."""
        return claim_by_header(profile, head, name)

    def read(
        self, claim: ProfileClaim, source: Source, context: ReadContext
    ) -> Iterator[Run]:
        """Read the runs of a log."""
        reading = _Reading(claim, source, context)
        yield from reading.runs(reading.find_repeated_keys())


class _Reading:
    """One reading of one log."""

    def __init__(
        self, claim: ProfileClaim, source: Source, context: ReadContext
    ) -> None:
        self.claim = claim
        self.profile = claim.profile
        self.source = source
        self.context = context
        self.cells = CellReader(claim.profile, context, source.uri)
        self.encoding = self._find_encoding()

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
    def _rows(self, report: ConversionReport) -> Generator[Iterator[Row]]:
        with open_table(
            self.source,
            encoding=self.encoding,
            delimiter=self.claim.delimiter,
            quote=self.profile.quote,
        ) as table:
            yield read_rows(table, self.profile, uri=self.source.uri, report=report)

    def find_repeated_keys(self) -> dict[int, int]:
        """
        Find the keys whose rows are not all together.

        Returns:
            By the hash of such a key, the line in which it comes again.
        """
        # Hashes, so that a log of a million runs does not keep their keys in memory.
        seen: set[int] = set()
        repeated: dict[int, int] = {}
        last: tuple[str, ...] | None = None
        # The report is thrown away: the second pass records the same columns.
        with self._rows(ConversionReport()) as rows:
            for row in rows:
                if row.key is None or row.key == last:
                    continue
                last = row.key
                # 64 bits: two keys of one hash do not happen within a log.
                digest = hash(last)
                if digest in seen:
                    repeated.setdefault(digest, row.line)
                seen.add(digest)
        return repeated

    def runs(self, repeated: dict[int, int]) -> Iterator[Run]:
        """Go through the runs, reporting those that cannot be read."""
        index = 0
        open_run: _OpenRun | None = None
        # A damaged row whose run is unknown also fails the run that begins after it.
        orphan: SourceError | None = None
        # Only repeated keys are kept: seldom any.
        known: set[tuple[str, ...]] = set()
        with self._rows(self.context.report) as rows:
            for row in rows:
                if row.key is None:
                    orphan = self._damaged(row)
                    if open_run is not None:
                        open_run.fail(orphan)
                    continue
                if open_run is None or row.key != open_run.key:
                    if open_run is not None:
                        yield from self._finish(open_run, index)
                        index += not open_run.refused
                    open_run = self._begin(row, repeated, known)
                    if orphan is not None:
                        open_run.fail(orphan)
                orphan = None
                self._add(open_run, row)
            if open_run is not None:
                yield from self._finish(open_run, index)
            elif orphan is not None:
                self.context.failed(orphan)
            else:
                raise NoRunError("holds a header but no rows", source=self.source.uri)

    def _begin(
        self, row: Row, repeated: dict[int, int], known: set[tuple[str, ...]]
    ) -> _OpenRun:
        key = row.key or ()
        builder = RunBuilder(self.cells, self.context, self.source, line=row.line)
        open_run = _OpenRun(key, builder)
        if not key or hash(key) not in repeated:
            return open_run
        again = repeated[hash(key)]
        if row.timed:
            open_run.refused = key in known
            open_run.fail(
                MalformedSourceError(
                    f"the rows of the run of {' '.join(filter(None, key))} do not "
                    f"stand together: other runs come before line {again}",
                    source=self.source.uri,
                    place=f"line {row.line}",
                    remedy="sort the log by run, or declare a run_key that tells "
                    "the runs apart",
                )
            )
        elif key in known:
            builder.report.coerced(
                "run",
                "the same key again, read as another run of the unit",
                place=Place(line=row.line),
                detail=" ".join(filter(None, key)) or None,
            )
        known.add(key)
        return open_run

    def _add(self, open_run: _OpenRun, row: Row) -> None:
        if row.problem is not None:
            open_run.fail(self._damaged(row))
        if open_run.error is None:
            try:
                open_run.builder.add(row.line, row.cells, row.columns)
            except SourceError as error:
                open_run.fail(error)

    def _finish(self, open_run: _OpenRun, index: int) -> Iterator[Run]:
        if open_run.error is None:
            try:
                run = open_run.builder.build(index)
            except SourceError as error:
                open_run.fail(error)
            else:
                # Only now: else the account of the next run would hold what was
                # recorded of a run that failed.
                self.context.report.merge(open_run.builder.report)
                yield run
        if open_run.error is not None and not open_run.refused:
            self.context.failed(open_run.error)

    def _damaged(self, row: Row) -> MalformedSourceError:
        return MalformedSourceError(
            row.problem or "cannot be read",
            source=self.source.uri,
            place=f"line {row.line}",
            remedy="repair or remove the row, or give rows of another shape a file "
            "and a profile of their own",
        )
