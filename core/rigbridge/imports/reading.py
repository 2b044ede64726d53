"""
Reads the runs of a source, and applies the site's rules to each.

A kept run has its times in UTC, so a mended time zone does not change them any more.
Its source says what the station printed, and is read again: a copy that was kept as an
attachment, or the file itself as long as it is there and the same.
"""

from __future__ import annotations

import errno
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import attrs

from rigbridge.adapters import (
    ConversionReport,
    ReadContext,
    Source,
    Spool,
    TimeZonePolicy,
)
from rigbridge.adapters.identity import source_name
from rigbridge.configuration import Configuration, command_line
from rigbridge.errors import (
    AdapterFailedError,
    NoRunError,
    SourceError,
    SourceUnreadableError,
)
from rigbridge.imports.detection import AdapterSet, InstalledAdapter
from rigbridge.model import JSONObject, Run

__all__ = [
    "ReadRun",
    "read_again",
    "read_source",
    "zones_document",
    "zones_mended",
]

_LOGGER = logging.getLogger("rigbridge.imports")


@attrs.frozen(kw_only=True)
class ReadRun:
    """
    A run as it was read.

    Attributes:
        run: the run, completed by the rules of identity.
        report: what was recorded while it was read and completed.
        raw: the run before the rules, which may be mended later.
    """

    run: Run
    report: ConversionReport
    raw: Run
    raw_report: ConversionReport


def read_source(
    source: Source,
    installed: InstalledAdapter,
    configuration: Configuration,
    spool: Spool,
    *,
    strict: bool = False,
    remainder: ConversionReport | None = None,
) -> Iterator[ReadRun | SourceError]:
    """
    Read the runs of a source, one after the other.

    What goes wrong is given in its place among the runs, so that the runs before and
    after it are not lost.

    Args:
        spool: takes the bytes of embedded attachments; close it after the last run.
        strict: refuse what would otherwise be salvaged from a damaged source.
    """
    name = installed.adapter.name
    context = ReadContext(
        adapter=name,
        adapter_version=installed.version,
        spool=spool,
        time_zone=configuration.time_zone,
        strict=strict,
    )
    # The adapter notes failures in the context; they are passed on in their place.
    seen = reported = 0
    try:
        for run in installed.adapter.read(source, context):
            seen += 1
            yield from context.failures[reported:]
            reported = len(context.failures)
            # What was recorded since the run before belongs to this one.
            raw_report = context.report.split()
            report = ConversionReport()
            report.merge(raw_report)
            # A run that was exported or kept bears the name that its report had.
            exported = run.source is not None and run.source.adapter != name
            completed = configuration.identity.apply(
                run,
                name=source_name(run) if exported else source.name,
                report=report,
            )
            given = [
                ReadRun(run=completed, report=report, raw=run, raw_report=raw_report)
            ]
            # A large run goes as soon as its taker has no more need of it.
            del run, completed
            yield given.pop()
    except SourceError as error:
        # What the adapter noted before it broke off happened before the error.
        yield from context.failures[reported:]
        yield error
    except OSError as error:
        yield from context.failures[reported:]
        remedy = "check the disk or the network of the file"
        # Not the file: the bytes of attachments are put aside while it is read.
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            remedy = "free the disks of the data folder and of the temporary folder"
        yield SourceUnreadableError(
            f"cannot be read: {error.strerror or error}",
            source=source.uri,
            remedy=remedy,
        )
    except Exception as error:  # noqa: BLE001 - whatever a third party's code raises
        yield from context.failures[reported:]
        yield _broken_down(name, source, error)
    else:
        yield from context.failures[reported:]
        if not seen and not context.failures:
            yield NoRunError("holds no run", source=source.uri)
    finally:
        # Also when the caller stops in the middle: what was recorded belongs to the
        # source.
        if remainder is not None:
            remainder.merge(context.report)


def _broken_down(name: str, source: Source, error: Exception) -> AdapterFailedError:
    """Say where an adapter failed; its traceback is that of the cause."""
    _LOGGER.debug("adapter %s broke down", name, exc_info=error)
    # The last frame is the place in the adapter, not in this module.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    failure = AdapterFailedError(
        f"adapter {name} broke down at {Path(frame.filename).name}:{frame.lineno}: "
        f"{type(error).__name__}: {error}",
        source=source.uri,
        remedy=f"report it to the authors of {name}",
    )
    failure.__cause__ = error
    return failure


def zones_document(zones: TimeZonePolicy) -> JSONObject:
    """Write down by which time zones a run is read."""
    return {"time_zone": zones.default, "time_zones": dict(zones.stations)}


def zones_mended(before: object, zones: TimeZonePolicy) -> bool:
    """
    Whether a run that was read by other zones is to be read again.

    Args:
        before: what :func:`zones_document` gave then; None where nobody knows.
        zones: those of now. Where the site names none, they may have been given to the
            import itself: then its times stay.
    """
    after = zones_document(zones)
    is_named = zones.default is not None or bool(zones.stations)
    return before is not None and is_named and after != before


def read_again(run: Run, configuration: Configuration) -> tuple[Run, ConversionReport]:
    """
    Read a run anew from its source, by the settings as they are now.

    Args:
        run: the run as it was kept; its attachments stay the kept ones.

    Returns:
        The run before the rules of identity, and what its reading recorded.

    Raises:
        SourceUnreadableError: its source is gone or was changed.
        PluginError: its adapter is not installed any more.
    """
    uri = "" if run.source is None else run.source.uri or ""
    for source in _sources(run):
        with Spool() as spool:
            found = _found_again(source, run, configuration, spool)
        if found is not None:
            report = found.raw_report
            report.coerced("run", "read again, since the time zones were mended")
            return attrs.evolve(found.raw, attachments=run.attachments), report
    raise SourceUnreadableError(
        "the time zones were mended since this run was read, and its file is not there "
        "any more, or was changed",
        source=uri or None,
        remedy=f"'{command_line(configuration, 'import', '--again', uri or 'FILE')}' "
        "once the file is there",
    )


def _sources(run: Run) -> Iterator[Source]:
    """Give where the source may be read, the file itself last."""
    if run.source is None or run.source.uri is None:
        return
    for item in run.attachments:
        if item.opener is not None and item.sha256 == run.source.digest:
            yield Source(name=source_name(run), uri=run.source.uri, opener=item.opener)
    path = Path(run.source.uri)
    if path.is_file():
        yield Source.from_path(path)


def _found_again(
    source: Source, run: Run, configuration: Configuration, spool: Spool
) -> ReadRun | None:
    """Find a run in a source; its id follows from the bytes, and from its place."""
    adapter = None if run.source is None else run.source.adapter
    try:
        installed = AdapterSet(configuration, only=adapter).choose(source)
    except SourceError:
        return None  # something else has its name now
    for item in read_source(source, installed, configuration, spool):
        if isinstance(item, ReadRun) and item.raw.id == run.id:
            return item
    return None
