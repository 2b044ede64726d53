"""The totals of a planned import, by adapter, procedure and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import attrs

from rigbridge.errors import PermanentError, RunProblemsError
from rigbridge.imports.results import ImportedRun, SourceResult
from rigbridge.ledger import DISPOSITIONS
from rigbridge.machine.close_names import folded

__all__ = ["PlanEstimate", "PlanForecast", "ProcedureForecast"]

_Section: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]

_MOST = 1_000_000
"""How many different units and runs are told apart; a number takes 60 bytes."""

_MOST_PROCEDURES = 10_000

_WRITER_SECONDS = 0.0008
"""What the one writer needs for a run of 50 measurements; measured on two cores."""

_RUN_BYTES = 1_200
_MEASUREMENT_BYTES = 220
"""What the embedded store needs at least; measured on imported reports."""


@attrs.define
class _AdapterForecast:
    files: int = 0
    runs: int = 0
    size: int = 0
    scores: Counter[float] = attrs.field(factory=Counter[float])
    reason: str = ""


@attrs.define
class ProcedureForecast:
    """
    What an import would bring of a procedure.

    Attributes:
        runs: how many runs.
        id: the id that a rule or the report gives; None where the store finds it by
            its name, or makes it.
        is_known: whether the store has it; None where it was not asked.
    """

    runs: int = 0
    id: str | None = None
    is_known: bool | None = None

    @property
    def becomes(self) -> str:
        """What the store would do with it, in words."""
        if self.id is not None:
            return f"mapped to {self.id}"
        if self.is_known is None:
            return "found by its name or created"
        return "is there" if self.is_known else "to be created"


@attrs.frozen(kw_only=True)
class PlanEstimate:
    """
    What an import would take; seconds and bytes are estimates.

    Attributes:
        files_to_import: how many files are not imported yet.
        bytes_to_read: how long they are together, as they are stored.
        units: how many different serial numbers their runs have.
        runs_repeated: how many runs are there twice, in copies of a report.
        to_quarantine: how many runs no store would take as they are.
        reading_seconds: how long it took to read them.
        estimated_seconds: how long the import would take on this machine, without the
            time of a network.
        estimated_store_bytes: what the embedded store would need at least.
    """

    files_to_import: int
    bytes_to_read: int
    units: int
    runs_repeated: int
    to_quarantine: int
    reading_seconds: float
    estimated_seconds: int
    estimated_store_bytes: int
    procedures: list[dict[str, object]]

    def as_document(self) -> dict[str, object]:
        """Give it as JSON values."""
        return attrs.asdict(self)

    @property
    def words(self) -> str:
        """The same in a sentence."""
        return (
            f"{self.files_to_import} to import, {self.bytes_to_read / 1e6:.1f} MB; "
            f"different units: {self.units}; runs that are there twice: "
            f"{self.runs_repeated}; runs for quarantine: {self.to_quarantine}; "
            f"the import takes about {self.estimated_seconds} s on this machine and "
            f"{self.estimated_store_bytes / 1e6:.1f} MB at least of a store"
        )


class PlanForecast:
    """
    Adds up what would come of sources; holds no source.

    Attributes:
        procedures: what would come of each, by its name or else its id.
    """

    def __init__(self) -> None:
        self.procedures: dict[str, ProcedureForecast] = {}
        self._adapters: dict[str, _AdapterForecast] = {}
        self._reasons: Counter[tuple[str, str, str, str]] = Counter()
        self._units: set[int] = set()
        self._ids: set[int] = set()
        self._files = self._size = self._runs = 0
        self._measurements = self._attached = 0
        self._repeated = self._quarantined = 0

    def add(self, result: SourceResult) -> None:
        """Take what would come of a source; one that is imported already adds none."""
        if result.skipped or not result.tried:
            return
        self._files += 1
        self._size += result.size or 0
        name = result.adapter or ""
        adapter = self._adapters.setdefault(name, _AdapterForecast())
        adapter.files += 1
        adapter.runs += len(result.runs)
        adapter.size += result.size or 0
        if result.score is not None:
            adapter.scores[result.score] += 1
            adapter.reason = adapter.reason or result.reason or ""
        for (what, item, rule), count in result.report.amounts().items():
            if what != "mapped":
                self._reasons[name, what, item, rule] += count
        # What no repetition can mend: an import keeps such a run aside.
        refused = (PermanentError, RunProblemsError)
        self._quarantined += sum(isinstance(error, refused) for error in result.errors)
        for run in result.runs:
            self._add_run(run)

    def _add_run(self, run: ImportedRun) -> None:
        self._runs += 1
        self._measurements += run.measurements
        self._attached += run.attached_bytes
        if len(self._ids) < _MOST:
            # The hash, since ids would take more memory. Two runs of one hash count as
            # one, which an estimate can bear.
            number = hash(run.id)
            self._repeated += number in self._ids
            self._ids.add(number)
        if len(self._units) < _MOST:
            # Stores tell serial numbers apart without regard to case.
            self._units.add(hash(folded(run.serial_number or "")))
        name = run.procedure or ""
        known = self.procedures.get(name)
        if known is None and len(self.procedures) < _MOST_PROCEDURES:
            known = self.procedures[name] = ProcedureForecast(id=run.procedure_id)
        if known is not None:
            known.runs += 1

    def estimate(self, seconds: float) -> PlanEstimate:
        """
        Say how long the import would take, and what it would need.

        Args:
            seconds: how long it took to read and convert everything.
        """
        writing = self._runs * _WRITER_SECONDS
        return PlanEstimate(
            files_to_import=self._files,
            bytes_to_read=self._size,
            units=len(self._units),
            runs_repeated=self._repeated,
            to_quarantine=self._quarantined,
            reading_seconds=round(seconds, 1),
            # The writer works beside those who read, until it is the slower one.
            estimated_seconds=round(max(seconds, writing) + min(seconds, writing) / 4),
            estimated_store_bytes=self._runs * _RUN_BYTES
            + self._measurements * _MEASUREMENT_BYTES
            + self._attached,
            procedures=[
                {
                    "name": name,
                    "runs": each.runs,
                    "id": each.id,
                    "becomes": each.becomes,
                }
                for name, each in sorted(self.procedures.items())
            ],
        )

    def sections(self) -> Iterable[_Section]:
        """Give the tables of the plan: title, columns, and rows of text."""
        yield (
            "To be read by",
            ("Adapter", "Files", "Runs", "Bytes", "Score", "Reason, for example"),
            [
                (
                    name or "none",
                    str(each.files),
                    str(each.runs),
                    str(each.size),
                    _scores(each.scores),
                    each.reason,
                )
                for name, each in sorted(self._adapters.items())
            ],
        )
        yield (
            "Procedures",
            ("Procedure", "Runs", "What becomes of it"),
            [
                (name or "none", str(each.runs), each.becomes)
                for name, each in sorted(self.procedures.items())
            ],
        )
        yield (
            "What would not be taken as it stands, by reason",
            ("Adapter", "What becomes of it", "Element", "Rule or reason", "Count"),
            [
                (name or "none", DISPOSITIONS.get(what, what), item, rule, str(count))
                for (name, what, item, rule), count in sorted(self._reasons.items())
            ],
        )


def _scores(scores: Mapping[float, int]) -> str:
    """Give the range of the scores: a low one is worth a look."""
    if not scores:
        return "-"
    low, high = min(scores), max(scores)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
