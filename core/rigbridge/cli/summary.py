"""What an import shows at its end, gathered source by source."""

# ruff: noqa: PLC0415 - each command imports what it needs: --help must stay fast

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rigbridge.cli.output import (
    count_of,
    error_document,
    own_call,
    say,
    say_error,
    say_json,
    say_table,
    say_warning,
)
from rigbridge.errors import RigbridgeError

if TYPE_CHECKING:
    from rigbridge.adapters import ConversionReport
    from rigbridge.imports import ImportedRun, SourceResult
    from rigbridge.sources import ScanCounts

__all__ = ["ImportSummary"]

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
_THERE = ("known", "differs")


class ImportSummary:
    """
    Keeps what is shown in the end of each source, and lets its runs go.

    Years of reports do not fit into memory; their rows in a table do.

    Args:
        as_json: whether a program reads it: then as one document.
        dry_run: whether nothing is stored, which the last line says.
        retry: spells the command that tries again what is in quarantine.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        dry_run: bool = False,
        retry: Callable[[], str] = lambda: "rigbridge quarantine retry",
    ) -> None:
        self._retry = retry
        self._as_json = as_json
        self._dry_run = dry_run
        self._documents: list[dict[str, object]] = []
        self._rows: list[tuple[str, ...]] = []
        self._errors: list[RigbridgeError] = []
        self._known = 0
        self._lost = 0
        self._omitted = 0
        self._in_assumed_zone = 0
        self._partial: list[str] = []
        self._failed = 0
        self._empty = 0
        self._left = 0
        self._is_out = False
        self._quarantined = 0
        self._quarantine: Path | None = None
        self._first: tuple[bool, str] | None = None
        self.passed_over: ScanCounts | None = None
        """What the scan passed over, where there was one."""
        self.sources = 0
        """How many sources there were, tried or not."""

    @property
    def succeeded(self) -> bool:
        """Whether all of every source arrived, or there was nothing in it."""
        return not self._failed and not self._left

    @property
    def example(self) -> str | None:
        """The id of the first run that did not pass, else of the first; or None."""
        return None if self._first is None else self._first[1]

    def add(self, result: SourceResult) -> None:
        """Take what came of a source."""
        self.sources += 1
        if self._as_json:
            errors = map(error_document, result.errors)
            self._documents.append(_result_document(result, errors))
        else:
            self._rows += map(_run_row, result.runs)
        self._known += sum(item.status in _THERE for item in result.runs)
        if not result.tried:
            self._left += 1
            # Without an error it was not tried because of an interrupt.
            self._is_out |= bool(result.errors)
            return
        self._errors += result.errors
        self._failed += not result.succeeded
        self._empty += result.is_empty
        self._account(result.report)
        self._quarantined += len(result.quarantined)
        if result.quarantined and self._quarantine is None:
            # The document of an item lies in the folder of that item.
            self._quarantine = result.quarantined[0].parents[1]
        if result.succeeded and any(item.partial for item in result.runs):
            self._partial.append(result.source)
        for item in result.runs:
            passed = item.outcome.value == "PASS"
            # A failed run is the better example: it shows limits and verdicts.
            if self._first is None or (self._first[0] and not passed):
                self._first = (passed, str(item.id))

    def _account(self, report: ConversionReport) -> None:
        from rigbridge.adapters import ASSUMED_ZONE, Disposition

        self._lost += report.count(Disposition.DROPPED)
        self._omitted += report.count(Disposition.OMITTED)
        self._in_assumed_zone += bool(
            report.count(Disposition.COERCED, rule=ASSUMED_ZONE)
        )

    def show(self) -> None:
        """Show it: the runs to standard output, what went wrong to standard error."""
        if self._as_json:
            say_json({"sources": self._documents, **self._passed_over_document()})
        elif self._rows:
            say_table(_RUN_COLUMNS, self._rows, named=True)
        for error in self._errors:
            say_error(error)
        for source in self._partial:
            say_warning(
                f"{source}: is cut off or damaged; only what is complete of it was "
                "taken (export or copy it again; --strict refuses such files)"
            )
        if self._in_assumed_zone:
            zone = f"{datetime.now().astimezone():%Z, UTC%z}"
            say_warning(
                f"times of {count_of(self._in_assumed_zone, 'file')} state no zone and "
                f"were read in that of this machine ({zone}); if the station stood "
                "elsewhere, set time_zone in rigbridge.toml or give --time-zone"
            )
        if self._lost:
            say_warning(
                f"{count_of(self._lost, 'element')} of the reports could not be kept; "
                f"{own_call()} convert --format report FILE names each, and --strict "
                "refuses such runs"
            )
        if self._quarantine is not None:
            say_warning(
                f"{count_of(self._quarantined, 'run')} in quarantine, each with its "
                f"reason, in {self._quarantine} (mend the cause, then "
                f"'{self._retry()}')"
            )
        if self._left:
            why = (
                "the destination is out"
                if self._is_out
                else "the import was interrupted"
            )
            say_warning(
                f"{count_of(self._left, 'file')} not tried, since {why}; "
                "repeat the same command later"
            )
        self._show_passed_over()
        if not self._as_json:
            say(self._total())

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
        known = f", {self._known} of them there already" if self._known else ""
        empty = (
            f"{count_of(self._empty, 'file')} without a run, " if self._empty else ""
        )
        omitted = self._omitted
        excluded = "" if self.passed_over is None else self.passed_over.excluded_words()
        ruled = f"; {count_of(omitted, 'element')} left out by rule" if omitted else ""
        return (
            f"{count_of(len(self._rows), 'run')} of "
            f"{count_of(self.sources, 'file')}{known}; "
            f"{empty}{count_of(self._failed, 'file')} failed{ruled}{excluded}"
            f"{'; a dry run, nothing was stored' if self._dry_run else ''}"
        )


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


def _imported_document(item: ImportedRun) -> dict[str, object]:
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
        "warnings": list(item.warnings),
    }


def _result_document(
    result: SourceResult, errors: Iterable[object]
) -> dict[str, object]:
    """Give what came of a source as JSON values."""
    return {
        "source": result.source,
        "adapter": result.adapter,
        "tried": result.tried,
        "runs": [_imported_document(item) for item in result.runs],
        "errors": list(errors),
        "quarantined": [str(path) for path in result.quarantined],
        "report": result.report.as_document(),
    }
