"""
A kept run is read once more where the site's time zones were mended since.

A run keeps its times in UTC, so its zone cannot be changed afterwards. Its source says
what the station printed: a copy that was kept as an attachment, or the file itself as
long as it is there and the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from rigbridge.adapters import ConversionReport, Source, Spool, TimeZonePolicy
from rigbridge.adapters.identity import source_name
from rigbridge.configuration import Configuration, command_line
from rigbridge.errors import SourceError, SourceUnreadableError
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.reading import ReadRun, read_source
from rigbridge.model import JSONObject, Run

__all__ = ["read_again", "zones_document", "zones_mended"]


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
        configuration: the site's settings.

    Returns:
        The run before the rules of identity, and what its reading recorded.

    Raises:
        SourceUnreadableError: its source is gone or was changed.
        PluginError: its adapter is not installed any more.
    """
    uri = "" if run.source is None else run.source.uri or ""
    for source in _sources(run):
        with Spool() as spool:
            found = _found(source, run, configuration, spool)
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


def _found(
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
