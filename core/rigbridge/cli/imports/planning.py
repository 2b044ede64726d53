"""``import --dry-run``, ``--plan`` and ``--from-plan``: plans are made and followed."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rigbridge.cli.output import count_of, say, say_table, say_warning
from rigbridge.errors import ConfigurationError, RigbridgeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigbridge.cli.summaries.summary import ImportSummary
    from rigbridge.configuration import Configuration
    from rigbridge.imports import PlanForecast, PlannedScan, PlanWriter, SourceResult
    from rigbridge.sources import Scan, Selection

__all__ = ["ImportPlan"]

_MOST_NAMED = 20
_MOST_ASKED = 200
"""How many procedures the store is asked for, one by one."""


class ImportPlan:
    """
    What an import has to do with plans, which is nothing mostly.

    Args:
        options: those options that decide what comes of a source.
        write: where its plan is to be written, or None.
        read: the plan that it is to follow, or None.
        dry_run: whether nothing is to be stored; also where a plan is written.
        shown: whether a person is told.

    Raises:
        ConfigurationError: the options contradict each other, or a plan cannot be used.
    """

    def __init__(
        self,
        configuration: Configuration,
        paths: Sequence[str],
        options: Mapping[str, object],
        *,
        write: Path | None,
        read: Path | None,
        dry_run: bool,
        shown: bool,
    ) -> None:
        if bool(paths) == (read is not None):
            raise ConfigurationError(
                "what to import is named by paths or by a plan",
                remedy="give PATH... or --from-plan FILE, one of them",
            )
        self.dry_run = dry_run or write is not None
        self._configuration = configuration
        self._paths = paths
        self._write = write
        self._shown = shown
        self._began: float | None = None
        self._planned: PlannedScan | None = None
        self._writer: PlanWriter | None = None
        self._forecast: PlanForecast | None = None
        if read is not None:
            self._read(read, options)
        if self.dry_run:
            self._begin(options)

    def _begin(self, options: Mapping[str, object]) -> None:
        from rigbridge.imports import PlanForecast, PlanWriter, destination_key
        from rigbridge.sources import is_url

        self._forecast = PlanForecast()
        if self._write is None:
            return
        heading = {
            "destination": destination_key(self._configuration),
            # A URL may have a password, which belongs into no file.
            "paths": [path for path in self._paths if not is_url(path)],
            "options": options,
        }
        self._writer = PlanWriter(self._write, heading)

    def _read(self, file: Path, options: Mapping[str, object]) -> None:
        from rigbridge.imports import PlannedScan, PlanReader, destination_key

        reader = PlanReader(file)
        planned_for = reader.heading.get("destination")
        if planned_for != destination_key(self._configuration):
            raise ConfigurationError(
                f"the plan was made for the destination {planned_for}",
                source=str(file),
                remedy=f"give --to {planned_for}, or make a plan for this one",
            )
        planned: Mapping[str, object] = reader.heading.get("options") or {}
        others = [
            f"{name.replace('_', ' ')} {planned.get(name)}"
            for name, value in options.items()
            if planned.get(name) != value
        ]
        if others:
            say_warning(
                f"the plan was made with other options ({', '.join(others)}), so that "
                "something else may come of its files"
            )
        self._paths = [str(path) for path in reader.heading.get("paths") or ()]
        self._planned = PlannedScan(reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            # Of a plan that was not finished; one that was is in its place.
            self._writer.abandon()

    @property
    def roots(self) -> list[Path]:
        """The folders and files that are named, here or in the plan."""
        from rigbridge.sources import is_url

        return [Path(path) for path in self._paths if not is_url(path)]

    @property
    def is_used(self) -> bool:
        """Whether :meth:`note` has anything to do; telling it takes time."""
        return self._planned is not None or self._forecast is not None

    def scan(self, selection: Selection) -> Scan | PlannedScan:
        """Give the sources: those of the plan, or those that the command names."""
        from rigbridge.sources import Scan

        if self._planned is not None:
            return self._planned
        return Scan(self._paths, selection)

    def note(self, result: SourceResult) -> None:
        """Take what came of a source, or would come of it."""
        if self._planned is not None:
            self._planned.note(result)
        if self._forecast is not None:
            self._forecast.add(result)
            if self._began is None and not result.skipped:
                # Not before: programs and adapters are loaded once.
                self._began = time.monotonic() - result.seconds
        if self._writer is not None:
            from rigbridge.cli.summaries.summary import source_document

            self._writer.add(result, source_document(result))

    def finish(self, summary: ImportSummary) -> bool:
        """
        Complete the plan, or say what was not as planned.

        Returns:
            Whether all files were as planned.
        """
        if self._forecast is not None:
            self._show_forecast(self._forecast, summary)
        planned = self._planned
        if planned is None:
            return True
        for line in (*planned.changes[:_MOST_NAMED], *planned.others[:_MOST_NAMED]):
            say_warning(line)
        if planned.changed:
            say_warning(
                f"{count_of(planned.changed, 'file')} of the plan not imported; make a "
                "new plan, or import them by their names"
            )
        return not planned.changed

    def _show_forecast(self, forecast: PlanForecast, summary: ImportSummary) -> None:
        seconds = 0.0 if self._began is None else time.monotonic() - self._began
        self._look_up(forecast)
        estimate = forecast.estimate(seconds)
        if self._writer is not None:
            if summary.is_interrupted:
                say_warning(
                    f"{self._write}: not written, since it would be no plan of all"
                )
            else:
                self._writer.finish({**summary.sums, **estimate.as_document()})
        summary.forecast = estimate.as_document()
        if not self._shown:
            return
        for title, columns, rows in forecast.sections():
            if rows:
                say(title)
                say_table(columns, rows)
                say("")
        say(estimate.words)

    def _look_up(self, forecast: PlanForecast) -> None:
        """Ask an embedded store which of the procedures it has."""
        from rigbridge.destinations import ReadableDestination, foreign_failures
        from rigbridge.destinations.selection import RunSelection
        from rigbridge.opening import open_destination

        configuration = self._configuration
        if not configuration.is_local or len(forecast.procedures) > _MOST_ASKED:
            return
        if configuration.is_without_store:
            # A look makes no store.
            for each in forecast.procedures.values():
                each.is_known = False
            return
        try:
            destination = open_destination(configuration)
            with foreign_failures(destination, "recent_runs"):
                if isinstance(destination, ReadableDestination):
                    # The contract has no call for names, so that each is asked for a
                    # run.
                    for name, each in forecast.procedures.items():
                        selection = RunSelection(procedure=name)
                        each.is_known = bool(destination.recent_runs(1, selection))
            destination.close()
        except RigbridgeError as error:
            say_warning(f"which procedures there are cannot be asked: {error}")
