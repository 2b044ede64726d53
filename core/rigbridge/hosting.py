"""What a destination on this machine offers beyond storing: keys, upkeep, a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

import attrs

from rigbridge.configuration import Configuration
from rigbridge.destinations import ReadableDestination
from rigbridge.destinations.administration import AdministeredDestination

__all__ = [
    "BackupResult",
    "CheckResult",
    "HostedDestination",
    "KeyKind",
    "KeyRecord",
    "PruneResult",
]


class KeyKind(StrEnum):
    """Whom an API key stands for: a user, or a station with linked procedures."""

    USER = "user"
    STATION = "station"


@attrs.frozen(kw_only=True)
class KeyRecord:
    """
    What is known of an API key; never the key itself.

    Attributes:
        prefix: its public part, by which it is revoked.
        kind: whom it stands for.
        owner: the name of the user or station.
        created_at: when it was made.
        last_used_at: when it was last used, to the minute; None for never.
        revoked_at: since when it is refused, or None.
    """

    prefix: str
    kind: KeyKind
    owner: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@attrs.frozen(kw_only=True)
class BackupResult:
    """
    What a backup holds.

    Attributes:
        runs: how many runs.
        contents: how many contents of attachments.
        copied: how many of them were not in the backup's folder before.
        missing: the digests of contents that the store itself lacks.
        damaged: what has changed in the store since it was written, a sentence each;
            damaged contents are not in the backup.
    """

    runs: int
    contents: int
    copied: int
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


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


# Checked at run time: any installed distribution may call its store "local".
@runtime_checkable
class HostedDestination(ReadableDestination, AdministeredDestination, Protocol):
    """A destination that we host ourselves: it has keys, and can be served."""

    def create_key(self, kind: KeyKind, name: str, *, email: str | None = None) -> str:
        """
        Make an API key; it is given once and kept only as a hash.

        Args:
            kind: for a user or a station, which is created when absent.
            name: whose key it is.
            email: the address by which runs name a user as their operator.

        Raises:
            ConfigurationError: a station has no address.
        """
        ...

    def list_keys(self) -> Sequence[KeyRecord]:
        """List the API keys, revoked ones too; none shows the key itself."""
        ...

    def revoke_key(self, prefix: str) -> KeyRecord:
        """
        Refuse a key from now on.

        Raises:
            NotFoundError: there is none of that public part.
        """
        ...

    def back_up(self, folder: Path) -> BackupResult:
        """
        Copy the running store to a folder, from which it can be used as it is.

        Raises:
            ConfigurationError: the folder cannot be used, or the tables are kept by
                a database server, which has its own backups.
        """
        ...

    def check(self, *, contents: bool = True) -> CheckResult:
        """
        Look for damage.

        Args:
            contents: read every content and compare its digest, too; else only its
                length.
        """
        ...

    def prune(self, before: datetime, *, dry_run: bool = False) -> PruneResult:
        """
        Delete old runs, and the contents that nothing refers to.

        Args:
            before: runs that were before this are deleted.
            dry_run: only count the runs.
        """
        ...

    def serve(
        self,
        *,
        host: str,
        port: int,
        open_stations: bool,
        ready: Callable[[str], None],
        configuration: Configuration | None = None,
    ) -> None:
        """
        Serve the v1 contract over HTTP until interrupted.

        Args:
            host: the address to listen on.
            port: the port; 0 takes any that is free.
            open_stations: let every station use every procedure.
            ready: called with the origin once the server answers.
            configuration: the site's settings, of which ``server`` is for this.

        Raises:
            ConfigurationError: the address cannot be listened on, or is reachable
                from elsewhere while no key exists; or a setting is wrong.
        """
        ...
