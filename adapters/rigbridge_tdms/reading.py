"""A file as a run: groups as phases, channels as series, properties as fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from rigbridge.adapters import ConversionReport, Place, ReadContext, Source
from rigbridge.adapters.text.verdicts import (
    MEASUREMENT_OUTCOMES,
    PHASE_OUTCOMES,
    RUN_OUTCOMES,
    LoggedVerdict,
    find_verdict,
    worst_verdict,
)
from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge.model import (
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge_tdms.judged import judge_channel
from rigbridge_tdms.library import Channel, Group, OpenFile, open_file
from rigbridge_tdms.points import channel_series
from rigbridge_tdms.settings import FIELDS, OF_CHANNEL, TDMSSettings, named_property
from rigbridge_tdms.values import is_time, plain_properties, time_of

__all__ = ["read_runs"]

_FORMAT = "TDMS"
_TIMES = ("started_at", "ended_at")


def read_runs(
    source: Source, context: ReadContext, settings: TDMSSettings
) -> Iterator[Run]:
    """
    Read the run of a file, or the runs of its groups.

    Raises:
        UnrecognizedSourceError: the library is not installed.
        MalformedSourceError: it is damaged, or its verdict is a word that nobody knows.
        NoRunError: it holds no channel.
        SourceUnreadableError: its bytes cannot be read.
    """
    with open_file(source, context.spool) as file:
        groups = file.groups()
        if not groups:
            raise NoRunError("holds no group of channels", source=source.uri)
        if settings.runs == "file":
            with context.run():
                run = _RunReading(file, source, context, settings, groups=groups).run()
            yield run
            return
        for index, group in enumerate(groups):
            made: Run | None = None
            with context.run():
                reading = _RunReading(
                    file, source, context, settings, groups=[group], index=index
                )
                try:
                    made = reading.run()
                except MalformedSourceError as error:
                    # A verdict of one unit that nobody knows costs no other unit.
                    context.failed(error)
            if made is not None:
                yield made


class _RunReading:
    """One run that is read: all groups of a file, or one of them."""

    def __init__(
        self,
        file: OpenFile,
        source: Source,
        context: ReadContext,
        settings: TDMSSettings,
        *,
        groups: list[Group],
        index: int = 0,
    ) -> None:
        self._file = file
        self._source = source
        self._context = context
        self._settings = settings
        self._groups = groups
        self._index = index
        own: Mapping[str, object] = {}
        if settings.runs == "group":
            own = groups[0].properties
        self._own = frozenset(own)
        self._properties: Mapping[str, object] = {**file.properties, **own}
        self._report: ConversionReport = context.report
        self._used: set[str] = set()
        self._starts: list[datetime] = []
        self._verdicts: list[LoggedVerdict] = []

    def run(self) -> Run:
        """Make the run."""
        self._check_end()
        texts = {
            field: self._property(field)
            for field in FIELDS
            if field not in (*_TIMES, *OF_CHANNEL)
        }
        written = self._written_outcome(texts["outcome"])
        phases = [
            self._phase(group, self._index + number, written)
            for number, group in enumerate(self._groups, start=1)
        ]
        outcome = self._derived_outcome() if written is None else written
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
            self._file.properties, self._used - self._own, "/", self._report
        )
        self._report.mapped("run")
        provenance = self._context.provenance(
            self._source,
            self._index,
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
        return named_property(self._properties, self._settings.names_of(field))

    def _property(self, field: str) -> str | None:
        name = self._named(field)
        value = None if name is None else self._properties[name]
        if name is None or is_time(value) or isinstance(value, float):
            return None
        text = str(value).strip()
        if not text:
            return None
        self._used.add(name)
        return text

    def _time(self, field: str) -> datetime | None:
        name = self._named(field)
        found = None if name is None else time_of(self._properties[name])
        if name is not None and found is not None:
            self._used.add(name)
        return found

    def _derived_outcome(self) -> RunOutcome:
        """Give the verdict that the settings declare, or the worst of the channels."""
        worst = worst_verdict(self._verdicts)
        verdict = self._settings.outcome or worst or LoggedVerdict.ERROR
        rule = "no verdict in the file"
        if self._settings.outcome is not None:
            rule = "declared by the settings, not written in the file"
        elif worst is not None:
            rule = "none written: the worst of its channels"
        self._report.coerced("run outcome", rule, place=Place(path="/"), detail=verdict)
        return RUN_OUTCOMES.get(verdict, RunOutcome.ERROR)

    def _written_outcome(self, word: str | None) -> RunOutcome | None:
        if word is None:
            return None
        place = Place(path="/")
        verdict = find_verdict(word, self._settings.outcomes)
        if verdict is None:
            raise MalformedSourceError(
                f"{word!r} is no verdict that is known",
                source=self._source.uri,
                place=f"property {self._named('outcome')}",
                remedy="declare it in adapters.tdms.outcomes",
            )
        outcome = RUN_OUTCOMES.get(verdict)
        if outcome is None:
            self._report.coerced(
                "run outcome", "judges nothing: an error", place=place, detail=verdict
            )
            return RunOutcome.ERROR
        return outcome

    def _phase(self, group: Group, number: int, written: RunOutcome | None) -> Phase:
        before = len(self._verdicts)
        place = f"/{group.name}"
        measurements: list[Measurement] = []
        starts: list[datetime] = []
        for at, channel in enumerate(group.channels(), start=1):
            measurements.extend(self._measurements(channel, place, at))
            started = time_of(channel.properties.get("wf_start_time"))
            if started is not None:
                starts.append(started)
        self._starts.extend(starts)
        worst = worst_verdict(self._verdicts[before:])
        declared = written or RUN_OUTCOMES.get(
            self._settings.outcome or LoggedVerdict.UNSET
        )
        if worst is not None:
            phase_outcome = PHASE_OUTCOMES[worst]
            rule = "none written: the worst of its channels"
        elif declared is RunOutcome.PASS:
            phase_outcome, rule = PhaseOutcome.PASS, "none written: its run passed"
        else:
            phase_outcome, rule = PhaseOutcome.ERROR, "no verdict at all"
        self._report.coerced(
            "phase outcome", rule, place=Place(path=place), detail=phase_outcome
        )
        self._report.mapped("phase")
        return Phase(
            name=self._name(group.name, f"group {number}", place),
            outcome=phase_outcome,
            started_at=min(starts, default=None),
            measurements=measurements,
            attributes=plain_properties(
                group.properties, self._used & self._own, place, self._report
            ),
        )

    def _measurements(
        self, channel: Channel, group: str, number: int
    ) -> list[Measurement]:
        place = f"{group}/{channel.name}"
        series, used = channel_series(channel, place, self._report)
        judged = judge_channel(channel.properties, self._settings, used)
        name = self._name(channel.name, f"channel {number}", place)
        attributes = plain_properties(channel.properties, used, place, self._report)
        if not series:
            self._report.coerced(
                "measurement", "a channel without points", place=Place(path=place)
            )
            return [Measurement(name=name, attributes=attributes)]
        self._report.mapped("measurement", len(series))
        if judged.verdict is not None:
            self._verdicts.append(judged.verdict)
        outcome = MeasurementOutcome.UNSET
        if judged.verdict is not None:
            outcome = MEASUREMENT_OUTCOMES[judged.verdict]
        made: list[Measurement] = []
        for suffix, points in series.items():
            value = judged.value(points)
            made.append(
                Measurement(
                    name=name + suffix,
                    outcome=outcome,
                    value=value,
                    # That of a series stands with its points.
                    unit=None if value is points else points.measured.unit,
                    limits=judged.limits,
                    attributes=attributes,
                )
            )
        return made

    def _name(self, name: str, instead: str, place: str) -> str:
        if name.strip():
            return name
        self._report.coerced(
            "name", "blank, numbered", place=Place(path=place), detail=instead
        )
        return instead
