"""
The ledger of imports: what came of each file, so that no file is imported twice.

:class:`Ledger` is one SQLite file in the data folder. Each source has an entry for each
destination, found by path, size and time, or by the digest of its content. An entry is
written only once its runs are durable; one that is missing costs an import that stores
nothing new. :class:`Account` adds up what the entries say.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.ledger.account import Account, AdapterTotal, ProblemGroup
    from rigbridge.ledger.entry import (
        Amounts,
        KnownSource,
        LedgerEntry,
        LedgerProblem,
        LedgerRun,
        RunStatus,
        Verdict,
    )
    from rigbridge.ledger.ledger import Ledger
    from rigbridge.ledger.lookup import LedgerLookup
    from rigbridge.ledger.paths import ledger_path, shown_path
    from rigbridge.ledger.statement import (
        DISPOSITIONS,
        account_document,
        account_page,
        account_sections,
    )
    from rigbridge.ledger.trusting import note_store, store_doubt
    from rigbridge.ledger.verifying import StoreComparison, compare_with_store

__all__ = [
    "DISPOSITIONS",
    "Account",
    "AdapterTotal",
    "Amounts",
    "KnownSource",
    "Ledger",
    "LedgerEntry",
    "LedgerLookup",
    "LedgerProblem",
    "LedgerRun",
    "ProblemGroup",
    "RunStatus",
    "StoreComparison",
    "Verdict",
    "account_document",
    "account_page",
    "account_sections",
    "compare_with_store",
    "ledger_path",
    "note_store",
    "shown_path",
    "store_doubt",
]

__getattr__ = deferred_names(
    __name__,
    {
        "account": "Account AdapterTotal ProblemGroup",
        "entry": (
            "Amounts KnownSource LedgerEntry LedgerProblem LedgerRun RunStatus Verdict"
        ),
        "ledger": "Ledger",
        "lookup": "LedgerLookup",
        "paths": "ledger_path shown_path",
        "statement": "DISPOSITIONS account_document account_page account_sections",
        "trusting": "note_store store_doubt",
        "verifying": "StoreComparison compare_with_store",
    },
)
