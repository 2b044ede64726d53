"""
Batch import: whole folders of reports into a destination.

:class:`AdapterSet` chooses who reads each source, and :func:`import_sources` does the
work and says what came of it. What no store takes as it is lies in the
:class:`Quarantine` until :func:`retry_runs` has stored it.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.imports.detection import AdapterSet, Claim, InstalledAdapter
    from rigbridge.imports.finishing import (
        After,
        AfterCounts,
        Afterwards,
        FileStep,
        remembered,
    )
    from rigbridge.imports.past_imports import (
        PastImports,
        destination_key,
        distrust_ledger,
        ledger_run,
        passed_over,
        settings_digest,
    )
    from rigbridge.imports.pipeline import import_sources
    from rigbridge.imports.planning import (
        PlanForecast,
        PlannedScan,
        PlanReader,
        PlanWriter,
    )
    from rigbridge.imports.quarantine import Quarantine, RetriedRun, retry_runs
    from rigbridge.imports.reading import ReadRun, read_source
    from rigbridge.imports.results import ImportedRun, SourceResult
    from rigbridge.imports.strictness import Strictness, strict_refusal

__all__ = [
    "AdapterSet",
    "After",
    "AfterCounts",
    "Afterwards",
    "Claim",
    "FileStep",
    "ImportedRun",
    "InstalledAdapter",
    "PastImports",
    "PlanForecast",
    "PlanReader",
    "PlanWriter",
    "PlannedScan",
    "Quarantine",
    "ReadRun",
    "RetriedRun",
    "SourceResult",
    "Strictness",
    "destination_key",
    "distrust_ledger",
    "import_sources",
    "ledger_run",
    "passed_over",
    "read_source",
    "remembered",
    "retry_runs",
    "settings_digest",
    "strict_refusal",
]

__getattr__ = deferred_names(
    __name__,
    {
        "detection": "AdapterSet Claim InstalledAdapter",
        "finishing": "After AfterCounts Afterwards FileStep remembered",
        "past_imports": (
            "PastImports destination_key distrust_ledger ledger_run passed_over "
            "settings_digest"
        ),
        "pipeline": "import_sources",
        "planning": "PlanForecast PlanReader PlanWriter PlannedScan",
        "quarantine": "Quarantine RetriedRun retry_runs",
        "reading": "ReadRun read_source",
        "results": "ImportedRun SourceResult",
        "strictness": "Strictness strict_refusal",
    },
)
