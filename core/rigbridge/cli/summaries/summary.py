"""What an import shows: totals, failures by their reason, and the runs when asked."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rigbridge.cli.output import (
    count_of,
    error_document,
    own_call,
    say,
    say_json,
    say_table,
    say_warning,
)
from rigbridge.cli.summaries.differing import DifferingRuns
from rigbridge.cli.summaries.grouping import MessageGroups
from rigbridge.errors import RigbridgeError, SourceError

if TYPE_CHECKING:
    from rigbridge.imports import ImportedRun, SourceResult
    from rigbridge.ledger import KnownSource
    from rigbridge.sources import ScanCounts

__all__ = ["ImportSummary", "source_document"]

_RUN_COLUMNS = (
    "Outcome",
    "Procedure",
    "Unit",
    "Phases",
    "Measurements",
    "Attachments",
    "Run",
)
_UNKNOWN = "-"


@attrs.define(kw_only=True)
class _Totals:
    """How many there were of what; its names are those that programs read."""

    sources: int = 0
    failed: int = 0
    without_run: int = 0
    imported_before: int = 0
    imported_otherwise: int = 0
    failed_before: int = 0
    duplicates: int = 0
    not_tried: int = 0
    runs: int = 0
    there_already: int = 0
    different: int = 0
    beside: int = 0
    replaced: int = 0
    quarantined: int = 0
    measurements: int = 0
    attachments: int = 0
    mapped: int = 0
    coerced: int = 0
    omitted: int = 0
    dropped: int = 0


class ImportSummary:
    """
    Adds up what came of each source, and lets the rest go.

    Years of reports do not fit into memory; their sums do. A program is told of each
    source as it ends.

    Args:
        as_json: whether a program reads it: a line for each source, then the sums.
        dry_run: whether nothing is stored, which the last line says.
        runs: whether the runs are shown in a table; they are held until then.
        quiet: whether only what went wrong is shown.
        spell: gives a command for this import's data folder and destination, of the
            words behind the program's name.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        dry_run: bool = False,
        runs: bool = False,
        quiet: bool = False,
        spell: Callable[..., str] = lambda *words: " ".join(("rigbridge", *words)),
    ) -> None:
        self._spell = spell
        self._as_json = as_json
        self._dry_run = dry_run
        self._shows_runs = runs and not as_json
        self._quiet = quiet
        self._totals = _Totals()
        self._rows: list[tuple[str, ...]] = []
        self._messages = MessageGroups()
        self._differing = DifferingRuns()
        self._beside: tuple[str, str] | None = None
        self._in_assumed_zone = 0
        self._partial = 0
        self._partial_example: str | None = None
        self._is_out = False
        self._gone: list[str] = []
        self._quarantine: Path | None = None
        self._first: tuple[bool, str] | None = None
        self.passed_over: ScanCounts | None = None
        """What the scan passed over, where there was one."""
        self.forecast: Mapping[str, object] = {}
        """What a dry run foretells, for programs."""

    @property
    def sources(self) -> int:
        """How many sources there were, tried or not."""
        return self._totals.sources

    @property
    def succeeded(self) -> bool:
        """Whether all of every source arrived, or there was nothing in it."""
        totals = self._totals
        return not (totals.failed or totals.failed_before or totals.not_tried)

    @property
    def is_interrupted(self) -> bool:
        """Whether it did not come to all sources."""
        return self._totals.not_tried > 0

    @property
    def sums(self) -> dict[str, object]:
        """How many there were of what, for programs."""
        return attrs.asdict(self._totals)

    @property
    def example(self) -> str | None:
        """The id of the first run that did not pass, else of the first; or None."""
        return None if self._first is None else self._first[1]

    def add(self, result: SourceResult) -> None:
        """Take what came of a source."""
        totals = self._totals
        totals.sources += 1
        if self._as_json:
            say_json(source_document(result))
        if not result.tried:
            totals.not_tried += 1
            # Without an error it was not tried because of an interrupt.
            for error in result.errors:
                self._add_left(error)
            return
        for error in result.errors:
            self._messages.add(result.source, error)
        totals.failed += not result.succeeded
        totals.without_run += result.is_empty
        totals.quarantined += len(result.quarantined)
        if result.quarantined and self._quarantine is None:
            # The document of an item lies in the folder of that item.
            self._quarantine = result.quarantined[0].parents[1]
        totals.beside += len(result.beside)
        if result.beside and self._beside is None:
            self._beside = (result.source, result.beside[0])
        if result.succeeded and any(item.partial for item in result.runs):
            self._partial += 1
            self._partial_example = self._partial_example or result.source
        self._add_elements(result)
        for item in result.runs:
            self._add_run(result.source, item)

    def _add_left(self, error: RigbridgeError) -> None:
        """Take why a source was not tried, which is the same for many."""
        if not isinstance(error, SourceError):
            self._is_out = True
        elif error.source not in self._gone:
            self._gone.append(error.source or "")
            self._messages.add(error.source or "", error)

    def pass_over(self, known: KnownSource, *, as_now: bool = True) -> None:
        """
        Take a source that the ledger knows, which was not read.

        Args:
            as_now: whether it was read under the settings and options of this import.
        """
        self._totals.sources += 1
        if known.verdict.is_complete or known.verdict == "empty":
            self._totals.imported_before += 1
            self._totals.imported_otherwise += not as_now
        else:
            self._totals.failed_before += 1

    def _add_run(self, source: str, item: ImportedRun) -> None:
        totals = self._totals
        totals.runs += 1
        totals.measurements += item.measurements
        totals.attachments += item.attachments
        totals.there_already += item.status in {"known", "differs"}
        totals.different += item.status == "differs"
        totals.replaced += item.status == "replaced"
        if item.status in {"differs", "replaced"}:
            self._differing.add(source, item)
        if self._shows_runs:
            self._rows.append(_run_row(item))
        passed = item.outcome.value == "PASS"
        # A failed run is the better example: it shows limits and verdicts.
        if self._first is None or (self._first[0] and not passed):
            self._first = (passed, str(item.id))

    def _add_elements(self, result: SourceResult) -> None:
        from rigbridge.adapters import ASSUMED_ZONE, Disposition

        report, totals = result.report, self._totals
        for name in _dispositions():
            count = report.count(Disposition(name))
            setattr(totals, name, getattr(totals, name) + count)
        self._in_assumed_zone += bool(
            report.count(Disposition.COERCED, rule=ASSUMED_ZONE)
        )

    def show(self) -> None:
        """Show it: the runs to standard output, what went wrong to standard error."""
        if self._rows:
            say_table(_RUN_COLUMNS, self._rows, named=True)
        retry = None if self._quarantine is None else self._retry()
        self._messages.show(retry, report=self._spell("ledger", "report"))
        if not self._quiet:
            self._differing.show(self._spell("import", "--again", "--replace"))
            self._show_warnings()
        if self._as_json:
            document = self.sums
            say_json(
                {
                    "event": "summary",
                    **document,
                    **self._passed_over_document(),
                    **self.forecast,
                    "dry_run": self._dry_run,
                }
            )
        elif not self._quiet:
            say(self._total())

    def _show_warnings(self) -> None:
        totals = self._totals
        if self._partial:
            one = self._partial == 1
            which = "" if one else f" and {count_of(self._partial - 1, 'more file')}"
            say_warning(
                f"{self._partial_example}{which}: {'is' if one else 'are'} cut off or "
                "damaged; only what is complete of it was taken (export or copy it "
                "again; --strict refuses such files)"
            )
        if self._beside is not None:
            source, first = self._beside
            say_warning(
                f"{count_of(totals.beside, 'run')} that changed files held before "
                f"{'stays' if totals.beside == 1 else 'stay'} stored beside their runs "
                f"of now: a file that was written on may count a test twice; the "
                f"first: {first} of {source} ('{self._spell('runs', 'delete', 'ID')}' "
                "takes one out)"
            )
        if self._in_assumed_zone:
            zone = f"{datetime.now().astimezone():%Z, UTC%z}"
            say_warning(
                f"times of {count_of(self._in_assumed_zone, 'file')} state no zone and "
                f"were read in that of this machine ({zone}); if the station stood "
                "elsewhere, set time_zone in rigbridge.toml or give --time-zone"
            )
        if totals.dropped:
            say_warning(
                f"{count_of(totals.dropped, 'element')} of the reports could not be "
                f"kept; {own_call()} convert --format report FILE names each, and "
                "--strict refuses such runs"
            )
        if self._quarantine is not None:
            say_warning(
                f"{count_of(totals.quarantined, 'run')} in quarantine, each with its "
                f"reason, in {self._quarantine} (mend the cause, then "
                f"'{self._retry()}')"
            )
        if totals.not_tried:
            say_warning(
                f"{count_of(totals.not_tried, 'file')} not tried, since "
                f"{self._why_left()}; repeat the same command later"
            )
        if totals.imported_otherwise:
            say_warning(
                f"{count_of(totals.imported_otherwise, 'file')} imported before under "
                "other settings, options or versions of adapters stay as they are "
                "(--again compares them with what is read now)"
            )
        if totals.failed_before:
            say_warning(
                f"{count_of(totals.failed_before, 'file')} failed before; neither they "
                "nor the settings were changed since, so they were not tried "
                f"('{self._spell('ledger', 'report')}' says why, --again tries them)"
            )
        self._show_passed_over()

    def _retry(self) -> str:
        return self._spell("quarantine", "retry")

    def _why_left(self) -> str:
        if self._is_out:
            return "the destination is out"
        if self._gone:
            return f"{' and '.join(self._gone)} went away"
        return "the import was interrupted"

    def _show_passed_over(self) -> None:
        passed_over = self.passed_over
        if passed_over is not None and passed_over.special:
            say_warning(
                f"{count_of(passed_over.special, 'file')} passed over that can hold no "
                f"report; the first: {passed_over.example}"
            )

    def _passed_over_document(self) -> dict[str, object]:
        found = self.passed_over
        return {} if found is None else {"passed_over": found.as_document()}

    def _total(self) -> str:
        totals = self._totals
        runs = f"{count_of(totals.runs, 'run')} of {count_of(totals.sources, 'file')}"
        if totals.there_already:
            runs += f", {totals.there_already} of them there already"
        if totals.different:
            runs += f" ({totals.different} with other content)"
        if totals.replaced:
            runs += f", {totals.replaced} of them replaced"
        parts = [runs]
        if totals.imported_before:
            files = count_of(totals.imported_before, "file")
            parts.append(f"{files} imported before")
        if totals.failed_before:
            files = count_of(totals.failed_before, "file")
            parts.append(f"{files} failed before and not changed since")
        empty = (
            f"{count_of(totals.without_run, 'file')} without a run, "
            if totals.without_run
            else ""
        )
        parts.append(f"{empty}{count_of(totals.failed, 'file')} failed")
        if totals.runs:
            parts.append(
                f"{count_of(totals.measurements, 'measurement')}, "
                f"{count_of(totals.attachments, 'attachment')}"
            )
        changed = (
            (totals.coerced, "changed by rule"),
            (totals.omitted, "left out by rule"),
            (totals.dropped, "lost"),
        )
        parts += [
            f"{count_of(count, 'element')} {what}" for count, what in changed if count
        ]
        text = "; ".join(parts)
        if self.passed_over is not None:
            text += self.passed_over.excluded_words()
        return f"{text}; a dry run, nothing was stored" if self._dry_run else text


def _dispositions() -> tuple[str, ...]:
    from rigbridge.adapters import Disposition

    return tuple(each.value for each in Disposition)


def _run_row(item: ImportedRun) -> tuple[str, ...]:
    """Give the cells of an imported run, in the order of ``_RUN_COLUMNS``."""
    return (
        item.outcome.value,
        item.procedure or _UNKNOWN,
        item.serial_number or _UNKNOWN,
        str(item.phases),
        str(item.measurements),
        str(item.attachments),
        item.stored_id or str(item.id),
    )


def _run_document(item: ImportedRun) -> dict[str, object]:
    """Give an imported run as JSON values."""
    planned = item.status == "planned"
    return {
        "id": str(item.id),
        "stored_id": item.stored_id,
        "status": item.status.value,
        "created": None if planned else item.status == "created",
        "outcome": item.outcome.value,
        "procedure": item.procedure,
        "serial_number": item.serial_number,
        "phases": item.phases,
        "measurements": item.measurements,
        "attachments": item.attachments,
        "differences": list(item.differences),
        "warnings": list(item.warnings),
    }


def source_document(result: SourceResult) -> dict[str, object]:
    """Give what came of a source as JSON values: counts, not each element."""
    from rigbridge.adapters import Disposition

    return {
        "event": "source",
        "source": result.source,
        "adapter": result.adapter,
        "score": result.score,
        "reason": result.reason,
        "tried": result.tried,
        "runs": [_run_document(item) for item in result.runs],
        "errors": [error_document(error) for error in result.errors],
        "quarantined": [str(path) for path in result.quarantined],
        "beside": list(result.beside),
        "elements": {
            each.value: count
            for each in Disposition
            if (count := result.report.count(each))
        },
    }
