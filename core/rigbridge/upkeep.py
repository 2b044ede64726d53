"""What the upkeep of a hosted store tells: backups, checks and pruning."""

from __future__ import annotations

import attrs

__all__ = ["BackupResult", "CheckResult", "PruneResult"]


@attrs.frozen(kw_only=True)
class BackupResult:
    """
    What a backup holds.

    Attributes:
        runs: how many runs.
        contents: how many contents of attachments.
        copied: how many of them were not in the backup's folder before.
        missing: the digests of contents that the store itself lacks.
    """

    runs: int
    contents: int
    copied: int
    missing: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class CheckResult:
    """
    What a check of a store found.

    Attributes:
        runs: how many runs.
        contents: how many contents of attachments were looked at.
        unused: how many contents nothing refers to; no fault, pruning deletes them.
        problems: what is wrong, a sentence each.
    """

    runs: int
    contents: int
    unused: int
    problems: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class PruneResult:
    """
    What pruning deleted, or would delete.

    Attributes:
        runs: how many runs.
        contents: how many contents that nothing refers to any more; those that were
            touched in the last minutes stay until the next time.
    """

    runs: int
    contents: int
