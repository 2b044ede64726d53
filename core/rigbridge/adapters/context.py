"""What an adapter is given beside the source: the site's settings and the report."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import attrs

from rigbridge.adapters.source import Source
from rigbridge.adapters.spool import Spool
from rigbridge.adapters.time_zones import TimeZonePolicy
from rigbridge.errors import SourceError
from rigbridge.model import Provenance
from rigbridge.model.report import ConversionReport

__all__ = ["ReadContext"]


@attrs.define(kw_only=True)
class ReadContext:
    """
    The surroundings of one reading of one source.

    Attributes:
        adapter: the name of the adapter that reads, for the provenance.
        adapter_version: the version of its distribution, or None.
        spool: takes the bytes of embedded attachments.
        report: where every element is accounted for; within :meth:`run` the account
            of that run alone. Whoever reads the runs splits it between two runs, so
            hold no part of it.
        time_zone: gives wall times their zone.
        strict: refuse what would otherwise be salvaged from a damaged source.
        failures: the runs that could not be read, in order.
    """

    adapter: str
    adapter_version: str | None = None
    spool: Spool
    report: ConversionReport = attrs.field(factory=ConversionReport)
    time_zone: TimeZonePolicy = attrs.field(factory=TimeZonePolicy)
    strict: bool = False
    failures: list[SourceError] = attrs.field(factory=list[SourceError])
    _in_run: bool = attrs.field(default=False, init=False)

    def provenance(
        self,
        source: Source,
        index: int,
        *,
        content: str | None = None,
        format: str | None = None,  # noqa: A002 - the field's own name
        format_version: str | None = None,
    ) -> Provenance:
        """
        Say where the run at a position of a source comes from.

        The id of the run follows: ``provenance.run_id``.

        Args:
            source: the source that is read.
            index: the run's position in it, counted from 0; a run that fails keeps
                its number, so that the ids of its neighbours never move.
            content: for a format to which rigs append: the SHA-256 of all that is
                written of this run alone. The id then follows from it, so that a run is
                not stored again when the source has grown. Two runs of a source must
                differ in it, also where they read the same. Where tests of several
                days may read the same (no time of day), leave it out.
            format: the format's name, for a reader.
            format_version: its version, where the source tells.
        """
        return Provenance(
            adapter=self.adapter,
            adapter_version=self.adapter_version,
            uri=source.uri,
            digest=source.digest,
            index=index,
            content=content,
            format=format,
            format_version=format_version,
        )

    @contextmanager
    def run(self) -> Generator[None]:
        """
        Give what is recorded within to one run, and to no other.

        If the run fails (:meth:`failed` is called, or an error leaves the block), what
        was recorded is discarded: it must not stand in the account of the next run.
        Give the run after the block, not within::

            for index, lines in enumerate(units):
                run = None
                with context.run():
                    try:
                        run = read_unit(index, lines, context)
                    except SourceError as error:
                        context.failed(error)
                if run is not None:
                    yield run
        """
        common, own = self.report, ConversionReport()
        self.report, self._in_run = own, True
        try:
            yield
            kept = self.report is own
        finally:
            self.report, self._in_run = common, False
        if kept:
            common.merge(own)

    def failed(self, error: SourceError) -> None:
        """
        Report a run that could not be read, and go on with its neighbours.

        Within :meth:`run` what was recorded of the run is discarded.
        """
        self.failures.append(error)
        if self._in_run:
            # Another report than that of the block: what was recorded is forgotten.
            self.report = ConversionReport()
