"""The parameters of the v2 lists of phases, measurements and log lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge_store.reading.conditions import Condition
from rigbridge_store.reading.lists.paging import Paging
from rigbridge_store.reading.lists.runs import RunFilter
from rigbridge_store.server.queries import parameter, utc
from rigbridge_store.server.v2.detail_bodies import (
    Level,
    MeasurementKind,
    PhaseOutcome2,
)
from rigbridge_store.server.v2.run_answers import Judgement, Sample
from rigbridge_store.server.v2.run_bodies import Outcome
from rigbridge_store.tables.schema import logs, measurements, phases, test_points
from rigbridge_store.tables.values import iso_from_micros, to_micros

__all__ = ["DetailQuery", "LogQuery", "MeasurementQuery", "PhaseQuery"]

_MOMENTS = ("started_after", "started_before")


@attrs.frozen(kw_only=True)
class DetailQuery:
    """What the three lists have in common."""

    procedure_versions: list[str] | None = None
    deployment_ids: list[str] | None = parameter(
        description="This store knows no deployments: any id matches nothing."
    )
    environments: list[Literal["production", "preview", "development"]] | None = (
        parameter(description="Runs here are of no deployment: matches nothing.")
    )
    serial_numbers: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    created_by_station_ids: list[str] | None = None
    created_by_user_ids: list[str] | None = None
    limit: int = parameter(50, ge=1, le=100)
    cursor: int | None = parameter(ge=0, le=2**53)
    sort_order: Literal["asc", "desc"] = "desc"

    @property
    def paging(self) -> Paging:
        """Which page is wanted."""
        return Paging(limit=self.limit, cursor=self.cursor)

    @property
    def is_of_deployments(self) -> bool:
        """Whether runs of deployments are demanded, of which there are none."""
        return self.deployment_ids is not None or self.environments is not None

    def of_runs(self, **more: Any) -> RunFilter:
        """Give what is demanded of the runs."""
        return RunFilter(
            procedure_versions=self.procedure_versions,
            serial_numbers=self.serial_numbers,
            part_numbers=self.part_numbers,
            revision_numbers=self.revision_numbers,
            batch_numbers=self.batch_numbers,
            created_by_station_ids=self.created_by_station_ids,
            created_by_user_ids=self.created_by_user_ids,
            **more,
        )


@attrs.frozen(kw_only=True)
class PhaseQuery(DetailQuery):
    """The parameters of ``GET /v2/phases``."""

    procedure_id: str
    names: list[str] | None = None
    outcomes: list[PhaseOutcome2] | None = None
    sequence_paths: list[str] | None = parameter(
        description="Of runs that were created over v2."
    )
    started_after: datetime | None = None
    started_before: datetime | None = None
    exclude_retries: bool = parameter(
        default=True, description="Only the last phase of a name within its run."
    )
    run_outcomes: list[Outcome] | None = None
    ids: list[str] | None = parameter(description="Of runs.")
    duration_min: str | None = parameter(description="An ISO 8601 duration.")
    duration_max: str | None = parameter(description="An ISO 8601 duration.")
    operated_by_ids: list[str] | None = None
    operated_by_names: list[str] | None = None
    samples: list[Literal["production", "golden", "failing", "ignored"]] | None = None
    sort_by: Literal[
        "started_at", "duration", "outcome", "serial_number", "phase_name"
    ] = "started_at"

    @property
    def filter(self) -> RunFilter:
        """What is demanded of the runs."""
        return self.of_runs(
            procedure_ids=[self.procedure_id],
            outcomes=self.run_outcomes,
            ids=self.ids,
            duration_min=self.duration_min,
            duration_max=self.duration_max,
            operated_by_ids=self.operated_by_ids,
            operated_by_names=self.operated_by_names,
            samples=self.samples,
        )

    @property
    def conditions(self) -> list[Condition]:
        """What is demanded of the phases."""
        conditions: list[Condition] = []
        if self.names is not None:
            conditions.append(phases.c.name.in_(self.names))
        if self.outcomes is not None:
            conditions.append(phases.c.outcome.in_(list(self.outcomes)))
        after, before = utc(self.started_after), utc(self.started_before)
        if after is not None:
            conditions.append(phases.c.start_time_millis >= to_micros(after) / 1000)
        if before is not None:
            conditions.append(phases.c.start_time_millis <= to_micros(before) / 1000)
        if self.exclude_retries:
            conditions.append(_is_last())
        if self.sequence_paths is not None:
            # In our rows a phase of a sequence has its path before its name.
            prefixes = [path.replace("/", " / ") for path in self.sequence_paths]
            conditions.append(
                sa.or_(
                    *(
                        phases.c.name.startswith(f"{prefix} / ", autoescape=True)
                        for prefix in prefixes
                    )
                )
            )
        return conditions


def _is_last() -> Condition:
    """Demand the last phase of its name within its run."""
    later = phases.alias("later_phases")
    return ~sa.exists().where(
        later.c.run_key == phases.c.run_key,
        later.c.name == phases.c.name,
        later.c.position > phases.c.position,
    )


@attrs.frozen(kw_only=True)
class MeasurementQuery(DetailQuery):
    """The parameters of ``GET /v2/measurements``."""

    procedure_id: str
    phase_name: str | None = None
    measurement_name: str | None = None
    phase_names: list[str] | None = None
    outcomes: list[Outcome] | None = parameter(description="Of runs.")
    ids: list[str] | None = parameter(description="Of runs.")
    duration_min: str | None = parameter(description="An ISO 8601 duration.")
    duration_max: str | None = parameter(description="An ISO 8601 duration.")
    operated_by_ids: list[str] | None = None
    operated_by_names: list[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    exclude_retries: bool = parameter(
        default=True, description="Only of the last phase of a name within its run."
    )
    value_min: float | None = None
    value_max: float | None = None
    value_bool: bool | None = None
    value_strings: list[str] | None = None
    measurement_outcomes: list[Judgement] | None = None
    measurement_types: list[MeasurementKind] | None = None
    sort_by: Literal[
        "started_at",
        "value",
        "outcome",
        "serial_number",
        "phase_name",
        "measurement_name",
    ] = "started_at"

    @property
    def filter(self) -> RunFilter:
        """What is demanded of the runs."""
        return self.of_runs(
            procedure_ids=[self.procedure_id],
            outcomes=self.outcomes,
            ids=self.ids,
            duration_min=self.duration_min,
            duration_max=self.duration_max,
            operated_by_ids=self.operated_by_ids,
            operated_by_names=self.operated_by_names,
            started_after=utc(self.started_after),
            started_before=utc(self.started_before),
        )

    @property
    def conditions(self) -> list[Condition]:
        """What is demanded of the measurements."""
        conditions = self._of_value()
        if self.phase_name is not None:
            conditions.append(phases.c.name == self.phase_name)
        if self.phase_names is not None:
            conditions.append(phases.c.name.in_(self.phase_names))
        if self.measurement_name is not None:
            conditions.append(test_points.c.name == self.measurement_name)
        if self.exclude_retries:
            conditions.append(_is_last())
        if self.measurement_outcomes is not None:
            wanted = list(self.measurement_outcomes)
            conditions.append(measurements.c.outcome.in_(wanted))
        if self.measurement_types is not None:
            conditions.append(sa.or_(*map(_of_kind, self.measurement_types)))
        return conditions

    def _of_value(self) -> list[Condition]:
        value, number = measurements.c.value, measurements.c.number
        conditions: list[Condition] = []
        if self.value_min is not None:
            conditions.append(number >= self.value_min)
        if self.value_max is not None:
            conditions.append(number <= self.value_max)
        if self.value_bool is not None:
            conditions.append(value == ("true" if self.value_bool else "false"))
        if self.value_strings is not None:
            texts = [_as_json(text) for text in self.value_strings]
            conditions.append(value.in_(texts))
        return conditions


def _as_json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _of_kind(kind: MeasurementKind) -> Condition:
    value = measurements.c.value
    return {
        "numeric": measurements.c.number.is_not(None),
        "boolean": value.in_(["true", "false"]),
        "string": value.startswith('"', autoescape=True),
        "multidimensional": value.startswith("[[", autoescape=True),
        "empty": sa.and_(value.is_(None), measurements.c.number.is_(None)),
        "json": sa.or_(
            value.startswith("{", autoescape=True),
            sa.and_(
                value.startswith("[", autoescape=True),
                ~value.startswith("[[", autoescape=True),
            ),
        ),
    }[kind]


@attrs.frozen(kw_only=True)
class LogQuery(DetailQuery):
    """The parameters of ``GET /v2/logs``."""

    procedure_ids: list[str] | None = None
    search_query: str | None = parameter(description="Within the message.")
    levels: list[Level] | None = None
    timestamp_after: datetime | None = None
    timestamp_before: datetime | None = None
    source_files: list[str] | None = None
    run_ids: list[str] | None = None
    run_outcomes: list[Outcome] | None = None
    samples: list[Sample] | None = None
    sort_by: Literal["created_at", "level", "run_id", "outcome"] = "created_at"

    @property
    def filter(self) -> RunFilter:
        """What is demanded of the runs."""
        return self.of_runs(
            procedure_ids=self.procedure_ids,
            ids=self.run_ids,
            outcomes=self.run_outcomes,
            samples=self.samples,
        )

    @property
    def conditions(self) -> list[Condition]:
        """What is demanded of the log lines."""
        conditions: list[Condition] = []
        if self.search_query is not None and self.search_query.strip():
            words = self.search_query.strip()
            conditions.append(logs.c.message.icontains(words, autoescape=True))
        if self.levels is not None:
            conditions.append(logs.c.level.in_(list(self.levels)))
        if self.source_files is not None:
            conditions.append(logs.c.source_file.in_(self.source_files))
        after, before = utc(self.timestamp_after), utc(self.timestamp_before)
        # Kept as ISO 8601 text in UTC, which sorts.
        if after is not None:
            conditions.append(logs.c.timestamp >= iso_from_micros(to_micros(after)))
        if before is not None:
            conditions.append(logs.c.timestamp <= iso_from_micros(to_micros(before)))
        return conditions
