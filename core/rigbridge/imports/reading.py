"""One source to its runs, completed by the site's rules, each with its report."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import attrs

from rigbridge.adapters import ConversionReport, ReadContext, Source, Spool
from rigbridge.configuration import Configuration
from rigbridge.errors import AdapterFailedError, NoRunError, SourceError
from rigbridge.imports.detection import InstalledAdapter
from rigbridge.model import Run

__all__ = ["ReadRun", "read_source"]

_LOGGER = logging.getLogger("rigbridge.imports")


@attrs.frozen(kw_only=True)
class ReadRun:
    """
    A run as it was read.

    Attributes:
        run: the run.
        report: what was recorded while it was read.
    """

    run: Run
    report: ConversionReport


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
        source: the source.
        installed: the adapter that reads it.
        configuration: the site's settings.
        spool: takes the bytes of embedded attachments; close it after the last run.
        strict: refuse what would otherwise be salvaged from a damaged source.
        remainder: takes what was recorded after the last run.
    """
    name = installed.adapter.name
    context = ReadContext(
        adapter=name,
        adapter_version=installed.version,
        spool=spool,
        time_zone=configuration.time_zone,
        strict=strict,
    )
    seen = reported = 0
    try:
        for run in installed.adapter.read(source, context):
            seen += 1
            yield from context.failures[reported:]
            reported = len(context.failures)
            report = context.report.split()
            completed = configuration.identity.apply(
                run, name=source.name, report=report
            )
            yield ReadRun(run=completed, report=report)
    except SourceError as error:
        yield from context.failures[reported:]
        yield error
    except Exception as error:
        _LOGGER.exception("adapter %s broke down on %s", name, source.uri)
        yield from context.failures[reported:]
        yield AdapterFailedError(
            f"adapter {name} broke down: {type(error).__name__}: {error}",
            source=source.uri,
            remedy=f"report it to the authors of {name}",
        )
    else:
        yield from context.failures[reported:]
        if not seen and not context.failures:
            yield NoRunError("holds no run", source=source.uri)
    finally:
        if remainder is not None:
            remainder.merge(context.report)
