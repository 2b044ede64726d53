"""
The functions that ``rigbridge`` itself offers: reading reports, opening the outbox.

They are for programs and notebooks. What they do is made of the same parts as the
command line, with the same configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import attrs

from rigbridge import opening
from rigbridge.adapters import Source, Spool
from rigbridge.configuration import Configuration, load_configuration
from rigbridge.errors import (
    ConfigurationError,
    SourceError,
    SourceUnreadableError,
    UnrecognizedSourceError,
)
from rigbridge.imports import (
    AdapterSet,
    InstalledAdapter,
    Strictness,
    read_source,
    strict_refusal,
)
from rigbridge.model import JSONValue, Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox import Outbox

__all__ = ["open_outbox", "read"]

_ACCEPT = "read without strict to accept that"


def read(
    path: str | os.PathLike[str],
    *,
    adapter: str | None = None,
    settings: Mapping[str, JSONValue] | None = None,
    configuration: Configuration | str | os.PathLike[str] | None = None,
    report: ConversionReport | None = None,
    strict: Strictness = False,
) -> Iterator[Run]:
    """
    Read the runs of a report file, with any installed adapter.

    The file is opened and its adapter chosen at once; runs are read one by one as the
    iterator is asked for them. The bytes of their attachments lie in a temporary
    folder, which goes when neither the iterator nor any attachment needs it.

    Example::

        for run in rigbridge.read("report.xml"):
            print(run.unit.serial_number, run.outcome)

    Args:
        path: the file; it may be compressed by gzip.
        adapter: the name of the adapter; by default the one that knows the format.
        settings: settings of that adapter, over those of the configuration.
        configuration: the configuration, or a file to read it from; by default it is
            gathered as for the command line. Its rules complete each run's identity.
        report: takes what is recorded while reading.
        strict: a run of which anything is lost is an error, and so is a report that
            was cut off; otherwise ``metadata["partial"]`` marks its run. With ``"all"``
            so is a run of which anything is left out by a stated rule.

    Raises:
        SourceError: the file cannot be read; names it, the place in it, and a remedy.
            Where only some of its runs cannot be read, this comes after the others.
        ConfigurationError: a wrong setting, or an adapter that is not installed.
        PluginError: the adapter that was asked for does not load.
    """
    # A program without a type checker may give anything.
    given = cast("object", path)
    if not isinstance(given, (str, os.PathLike)):
        raise ConfigurationError(
            f"read takes the path of a file, not {type(given).__name__}",
            remedy="give it as a str or a Path",
        )
    if strict not in (False, True, "all"):
        raise ConfigurationError(
            f"strict is {strict!r}", remedy='give True, False or "all"'
        )
    site = _configuration(configuration)
    if settings is not None:
        if adapter is None:
            raise ConfigurationError(
                "settings are those of one adapter", remedy="name it with adapter="
            )
        known = site.adapters.get(adapter, {})
        site = attrs.evolve(
            site, adapters={**site.adapters, adapter: {**known, **settings}}
        )
    source = Source.from_path(Path(path))
    try:
        chosen = AdapterSet(site, only=adapter).choose(source)
    except UnrecognizedSourceError as error:
        error.remedy = "name one with adapter=, or declare a profile for a CSV log"
        raise
    except SourceUnreadableError as error:
        if Path(path).is_dir():
            error.remedy = "read the files in it one by one"
        raise
    return _runs(source, chosen, site, report, strict=strict)


def _runs(
    source: Source,
    chosen: InstalledAdapter,
    site: Configuration,
    report: ConversionReport | None,
    *,
    strict: Strictness,
) -> Iterator[Run]:
    errors: list[SourceError] = []
    with Spool(lasting=True) as spool:
        for item in read_source(
            source, chosen, site, spool, strict=bool(strict), remainder=report
        ):
            if isinstance(item, SourceError):
                # Raised now, it would cost the runs behind it.
                errors.append(item)
                continue
            if report is not None:
                report.merge(item.report)
            refusal = strict_refusal(item, source, strict, remedy=_ACCEPT)
            if refusal is not None:
                errors.append(refusal)
                continue
            yield item.run
    if errors:
        # One error is raised; the others must not be lost for it.
        for other in errors[1:]:
            errors[0].add_note(f"nor can this be read: {other}")
        raise errors[0]


def open_outbox(
    data: str | os.PathLike[str] | None = None,
    to: str | None = None,
    *,
    api_key: str | None = None,
    configuration: str | os.PathLike[str] | None = None,
    send: bool = True,
) -> Outbox:
    """
    Open the outbox, in which a run is safe at once, and sent when that is possible.

    Example::

        with rigbridge.open_outbox() as outbox:
            outbox.submit(run)
            outbox.flush(30)

    Args:
        data: the data folder that holds it; over the configuration.
        to: where its runs go, ``local``, a URL or a destination; over the
            configuration.
        api_key: the key for the store; over the configuration.
        configuration: the file to read it from; by default it is gathered as for the
            command line.
        send: send in the background while it is open. Otherwise runs wait for a
            ``flush``, for ``rigbridge outbox flush`` or for the agent.

    Raises:
        ConfigurationError: the folder cannot be used, or a setting is wrong.
    """
    site = _load(
        configuration,
        to=to,
        data=None if data is None else Path(data),
        api_key=api_key,
    )
    # Now, not in the thread that sends: nobody would see it there.
    opening.check_destinations(site)
    outbox = opening.open_outbox(site)
    if send:
        outbox.start()
    return outbox


def _configuration(
    given: Configuration | str | os.PathLike[str] | None,
) -> Configuration:
    if isinstance(given, Configuration):
        return given
    return _load(given)


def _load(
    file: str | os.PathLike[str] | None,
    *,
    to: str | None = None,
    data: Path | None = None,
    api_key: str | None = None,
) -> Configuration:
    path = None if file is None else Path(file)
    if path is not None and not path.exists():
        raise ConfigurationError(
            "there is no such file", source=str(path), remedy="check configuration="
        )
    return load_configuration(to=to, data=data, api_key=api_key, file=path)
