"""Restores from the ledger the result of a file that is skipped."""

from __future__ import annotations

import attrs

from rigbridge.errors import SourceError
from rigbridge.imports.results import ImportedRun, SourceResult, begun
from rigbridge.ledger import KnownSource, Ledger, shown_path
from rigbridge.model import RunOutcome
from rigbridge.sources import FoundSource

__all__ = ["remembered"]


def remembered(ledger: Ledger, found: FoundSource, known: KnownSource) -> SourceResult:
    """
    Make the result of a source again that an earlier import has noted.

    An import that was cut off behind its note has not come to what is to be done with
    the file. Of the runs only what the ledger holds is known.
    """
    result = attrs.evolve(begun(found), skipped=True)
    entry = ledger.entry(known.key)
    if entry is None:
        # Another import has just replaced it, and does what is to be done.
        return attrs.evolve(result, tried=False)
    runs = tuple(
        ImportedRun(
            id=run.id,
            serial_number=None,
            procedure=None,
            outcome=RunOutcome.PASS,
            started_at=None,
            phases=0,
            measurements=run.measurements,
            attachments=run.attachments,
            status=run.status,
            stored_id=run.stored_id,
        )
        for run in entry.runs
    )
    # What was wrong before a run left the quarantine is of no more account.
    problems = () if entry.verdict.is_complete else entry.problems
    errors = tuple(
        SourceError(
            f"{problem.message} (noted by an earlier import)",
            source=shown_path(entry.path),
            place=problem.place,
            remedy=problem.remedy,
        )
        for problem in problems
    )
    return attrs.evolve(result, runs=runs, errors=errors)
