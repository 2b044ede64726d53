"""One source to its runs, completed by the site's rules, each with its report."""

from __future__ import annotations

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
)
from rigbridge.adapters.identity import source_name
from rigbridge.configuration import Configuration
from rigbridge.errors import (
    AdapterFailedError,
    NoRunError,
    SourceError,
    SourceUnreadableError,
)
from rigbridge.imports.detection import InstalledAdapter
from rigbridge.model import Run

__all__ = ["ReadRun", "read_source"]

_LOGGER = logging.getLogger("rigbridge.imports")


@attrs.frozen(kw_only=True)
class ReadRun:
    """
    A run as it was read.

    Attributes:
        run: the run, completed by the rules of identity.
        report: what was recorded while it was read and completed.
        raw: the run before the rules, which may be mended later.
        raw_report: what was recorded until then.
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
            yield ReadRun(run=completed, report=report, raw=run, raw_report=raw_report)
    except SourceError as error:
        yield from context.failures[reported:]
        yield error
    except OSError as error:
        yield from context.failures[reported:]
        yield SourceUnreadableError(
            f"cannot be read: {error}",
            source=source.uri,
            remedy="check the file and the space in the temporary folder",
        )
    except Exception as error:  # noqa: BLE001 - whatever a third party's code raises
        yield from context.failures[reported:]
        yield _broken_down(name, source, error)
    else:
        yield from context.failures[reported:]
        if not seen and not context.failures:
            yield NoRunError("holds no run", source=source.uri)
    finally:
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
