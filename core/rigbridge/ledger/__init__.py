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
    "shown_path",
]

__getattr__ = deferred_names(
    __name__,
    {
        "Account": "account",
        "AdapterTotal": "account",
        "Amounts": "entry",
        "DISPOSITIONS": "statement",
        "KnownSource": "entry",
        "Ledger": "ledger",
        "LedgerEntry": "entry",
        "LedgerLookup": "lookup",
        "LedgerProblem": "entry",
        "LedgerRun": "entry",
        "ProblemGroup": "account",
        "RunStatus": "entry",
        "StoreComparison": "verifying",
        "Verdict": "entry",
        "account_document": "statement",
        "account_page": "statement",
        "account_sections": "statement",
        "compare_with_store": "verifying",
        "ledger_path": "paths",
        "shown_path": "paths",
    },
)
