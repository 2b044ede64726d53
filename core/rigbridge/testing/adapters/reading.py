"""Reading a source in a test, the way the import does."""

from __future__ import annotations

import attrs

from rigbridge.adapters import (
    Adapter,
    ConversionReport,
    ReadContext,
    Source,
    Spool,
    TimeZonePolicy,
)
from rigbridge.errors import SourceError
from rigbridge.model import Run

__all__ = ["Reading", "read_all"]


@attrs.frozen(kw_only=True)
class Reading:
    """
    What came of reading a source.

    Attributes:
        runs: the runs, in order.
        report: what was recorded, of all runs together.
        failures: the runs that could not be read.
        spool: holds the bytes of the attachments; close it, or leave it to the end
            of the process.
    """

    runs: tuple[Run, ...]
    report: ConversionReport
    failures: tuple[SourceError, ...]
    spool: Spool


def read_all(
    adapter: Adapter,
    source: Source,
    *,
    time_zone: str | None = "UTC",
    strict: bool = False,
    spool: Spool | None = None,
) -> Reading:
    """
    Read every run of a source.

    Args:
        adapter: the adapter.
        source: the source.
        time_zone: the zone of wall times in it; None for that of this machine.
        strict: refuse what would otherwise be salvaged from a damaged source.
        spool: where attachments go; a new one by default.

    Raises:
        SourceError: what the adapter raised for the source as a whole.
    """
    spool = Spool() if spool is None else spool
    context = ReadContext(
        adapter=adapter.name,
        adapter_version="0",
        spool=spool,
        time_zone=TimeZonePolicy(default=time_zone),
        strict=strict,
    )
    runs = tuple(adapter.read(source, context))
    return Reading(
        runs=runs,
        report=context.report,
        failures=tuple(context.failures),
        spool=spool,
    )
