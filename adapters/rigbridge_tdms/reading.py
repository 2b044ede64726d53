"""A file as a run: groups as phases, channels as series, properties as fields."""

from __future__ import annotations

from datetime import datetime

from rigbridge.adapters import ConversionReport, Place, ReadContext, Source
from rigbridge.adapters.text.verdicts import RUN_OUTCOMES, LoggedVerdict, find_verdict
from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge.model import (
    Measurement,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge_tdms.library import Channel, Group, OpenFile, open_file
from rigbridge_tdms.points import channel_series
from rigbridge_tdms.settings import FIELDS, TDMSSettings, plain_name
from rigbridge_tdms.values import is_time, plain_properties, time_of

__all__ = ["read_run"]

_FORMAT = "TDMS"
_TIMES = ("started_at", "ended_at")


def read_run(source: Source, context: ReadContext, settings: TDMSSettings) -> Run:
    """
    Read the run of a file.

    Raises:
        UnrecognizedSourceError: the library is not installed.
        MalformedSourceError: it is damaged, or its verdict is a word that nobody knows.
        NoRunError: it holds no channel.
        SourceUnreadableError: its bytes cannot be read.
    """
    with open_file(source, context.spool) as file:
        return _FileReading(file, source, context, settings).run()


class _FileReading:
    """One file that is read."""

    def __init__(
        self,
        file: OpenFile,
        source: Source,
        context: ReadContext,
        settings: TDMSSettings,
    ) -> None:
        self._file = file
        self._source = source
        self._context = context
        self._settings = settings
        self._report: ConversionReport = context.report
        self._used: set[str] = set()
        self._starts: list[datetime] = []

    def run(self) -> Run:
        """Make the run."""
        groups = self._file.groups()
        if not groups:
            raise NoRunError("holds no group of channels", source=self._source.uri)
        self._check_end()
        texts = {
            field: self._property(field) for field in FIELDS if field not in _TIMES
        }
        outcome = self._outcome(texts["outcome"])
        phases = [
            self._phase(group, number, outcome)
            for number, group in enumerate(groups, start=1)
        ]
        times = {field: self._time(field) for field in _TIMES}
        started = times["started_at"]
        if started is None and self._starts:
            started = min(self._starts)
            self._report.coerced(
                "started_at",
                "not written: the earliest start of a channel",
                place=Place(path="/"),
                detail=started.isoformat(),
            )
        metadata = plain_properties(
            self._file.properties, self._used, "/", self._report
        )
        self._report.mapped("run")
        provenance = self._context.provenance(
            self._source,
            0,
            format=_FORMAT,
            format_version=str(self._file.tdms_version),
        )
        return Run(
            id=provenance.run_id,
            outcome=outcome,
            procedure=ProcedureRef(
                name=texts["procedure"] or self._settings.procedure,
                version=texts["procedure_version"],
            ),
            unit=Unit(
                serial_number=texts["serial_number"],
                part_number=texts["part_number"],
                revision=texts["revision"],
                batch_number=texts["batch_number"],
            ),
            started_at=started,
            ended_at=times["ended_at"],
            operator=texts["operator"],
            station=texts["station"],
            phases=phases,
            metadata=metadata,
            source=provenance,
        )

    def _check_end(self) -> None:
        if not self._file.file_status.incomplete_final_segment:
            return
        words = "the last segment is cut off: the points that are there are kept"
        if self._context.strict:
            raise MalformedSourceError(
                words.partition(":")[0],
                source=self._source.uri,
                remedy="import it without --strict to keep the points that are there",
            )
        self._report.coerced("file", words, place=Place(path="/"))

    def _named(self, field: str) -> str | None:
        """Find the property that holds a field: the first declared name counts."""
        known = {plain_name(name): name for name in self._file.properties}
        return next(
            (known[name] for name in self._settings.names_of(field) if name in known),
            None,
        )

    def _property(self, field: str) -> str | None:
        name = self._named(field)
        value = None if name is None else self._file.properties[name]
        if name is None or is_time(value) or isinstance(value, float):
            return None
        text = str(value).strip()
        if not text:
            return None
        self._used.add(name)
        return text

    def _time(self, field: str) -> datetime | None:
        name = self._named(field)
        found = None if name is None else time_of(self._file.properties[name])
        if name is not None and found is not None:
            self._used.add(name)
        return found

    def _outcome(self, word: str | None) -> RunOutcome:
        place = Place(path="/")
        if word is None:
            verdict = self._settings.outcome or LoggedVerdict.ERROR
            self._report.coerced(
                "run outcome",
                "no verdict in the file"
                if self._settings.outcome is None
                else "declared by the settings, not written in the file",
                place=place,
                detail=verdict,
            )
        else:
            found = find_verdict(word, self._settings.outcomes)
            if found is None:
                raise MalformedSourceError(
                    f"{word!r} is no verdict that is known",
                    source=self._source.uri,
                    place=f"property {self._named('outcome')}",
                    remedy="declare it in adapters.tdms.outcomes",
                )
            verdict = found
        outcome = RUN_OUTCOMES.get(verdict)
        if outcome is None:
            self._report.coerced(
                "run outcome", "judges nothing: an error", place=place, detail=verdict
            )
            return RunOutcome.ERROR
        return outcome

    def _phase(self, group: Group, number: int, outcome: RunOutcome) -> Phase:
        place = f"/{group.name}"
        measurements: list[Measurement] = []
        starts: list[datetime] = []
        for at, channel in enumerate(group.channels(), start=1):
            measurements.extend(self._measurements(channel, place, at))
            started = time_of(channel.properties.get("wf_start_time"))
            if started is not None:
                starts.append(started)
        self._starts.extend(starts)
        passed = outcome is RunOutcome.PASS
        phase_outcome = PhaseOutcome.PASS if passed else PhaseOutcome.ERROR
        self._report.coerced(
            "phase outcome",
            "none written: its run passed" if passed else "no verdict at all",
            place=Place(path=place),
            detail=phase_outcome,
        )
        self._report.mapped("phase")
        return Phase(
            name=self._name(group.name, f"group {number}", place),
            outcome=phase_outcome,
            started_at=min(starts, default=None),
            measurements=measurements,
            attributes=plain_properties(group.properties, set(), place, self._report),
        )

    def _measurements(
        self, channel: Channel, group: str, number: int
    ) -> list[Measurement]:
        place = f"{group}/{channel.name}"
        series, used = channel_series(channel, place, self._report)
        name = self._name(channel.name, f"channel {number}", place)
        attributes = plain_properties(channel.properties, used, place, self._report)
        if not series:
            self._report.coerced(
                "measurement", "a channel without points", place=Place(path=place)
            )
            return [Measurement(name=name, attributes=attributes)]
        self._report.mapped("measurement", len(series))
        return [
            Measurement(name=name + suffix, value=value, attributes=attributes)
            for suffix, value in series.items()
        ]

    def _name(self, name: str, instead: str, place: str) -> str:
        if name.strip():
            return name
        self._report.coerced(
            "name", "blank, numbered", place=Place(path=place), detail=instead
        )
        return instead
