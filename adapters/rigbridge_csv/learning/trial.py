"""What a profile makes of a file: each cell with its meaning, and what is left."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import attrs

from rigbridge.adapters import ReadContext, Source, Spool, TimeZonePolicy
from rigbridge.errors import ConfigurationError, SourceError
from rigbridge.model import Measurement, Run, Series
from rigbridge.model.report import ConversionReport
from rigbridge_csv.profiles.choice import built_in_profiles, declared_profiles
from rigbridge_csv.profiles.column_mapping import is_column_mapping
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.selection import read_log

__all__ = [
    "ProfileTrial",
    "load_profile",
    "shown_run",
    "stated_zone",
    "try_profile",
]

_MOST_POINTS = 4


@attrs.frozen(kw_only=True)
class ProfileTrial:
    """
    What came of reading a file by a profile.

    Attributes:
        failures: the runs that could not be read.
    """

    runs: list[Run]
    failures: list[SourceError]
    report: ConversionReport

    @property
    def counts(self) -> str:
        """How much came of it, in words: ``1 run, 12 measurements, 0 left out``."""
        measured = sum(len(p.measurements) for run in self.runs for p in run.phases)
        words = [
            f"{count} {noun if count == 1 else noun + 's'}"
            for count, noun in ((len(self.runs), "run"), (measured, "measurement"))
        ]
        return ", ".join([*words, f"{len(self.failures)} left out"])


def load_profile(path: Path) -> CSVProfile:
    """
    Read a profile from a file of its own.

    Args:
        path: a TOML file with the keys of a profile, or a configuration with one
            profile of the adapter; or a JSON file with TofuPilot's column mapping; or
            the name of a built-in profile.

    Raises:
        ConfigurationError: it cannot be read, or holds no single profile.
    """
    built_in = next((p for p in built_in_profiles() if p.name == str(path)), None)
    if built_in is not None and not path.exists():
        return built_in
    try:
        content = path.read_text(encoding="utf-8")
        given: object = (
            json.loads(content)
            if path.suffix.lower() == ".json"
            else tomllib.loads(content)
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"cannot be read: {error}", source=str(path), remedy="see the reference"
        ) from error
    try:
        (profile,) = declared_profiles([_single(given, path)])
    except ConfigurationError as error:
        place = (error.place or "").removeprefix("profiles[0]").removeprefix(".")
        raise ConfigurationError(
            error.message, source=str(path), place=place or None, remedy=error.remedy
        ) from error
    return profile


def stated_zone(path: Path) -> str | None:
    """Give the time zone of a configuration that holds a profile, or None."""
    if path.suffix.lower() != ".toml" or not path.is_file():
        return None
    zone = tomllib.loads(path.read_text(encoding="utf-8")).get("time_zone")
    return zone if isinstance(zone, str) else None


def _single(given: object, path: Path) -> object:
    if is_column_mapping(given):
        return {"name": path.stem, "column_mapping": given}
    found: object = given
    for key in ("adapters", "csv", "profiles"):
        table = found
        if isinstance(table, Mapping) and key in table:
            found = cast("Mapping[str, object]", table)[key]
    if isinstance(found, list):
        profiles = cast("list[object]", found)
        if len(profiles) != 1:
            raise ConfigurationError(
                f"holds {len(profiles)} profiles",
                source=str(path),
                remedy="give the one to try a file of its own",
            )
        return profiles[0]
    return found


def try_profile(
    profile: CSVProfile, source: Source, *, time_zone: str | None = None
) -> ProfileTrial:
    """
    Read a file by one profile, whatever its name is.

    Args:
        time_zone: the zone of wall times; None for that of this machine.

    Raises:
        SourceError: the file as a whole cannot be read.
    """
    with Spool() as spool:
        context = ReadContext(
            adapter="csv", spool=spool, time_zone=TimeZonePolicy(default=time_zone)
        )
        runs = list(read_log([profile], source, context, only=True))
        return ProfileTrial(runs=runs, failures=context.failures, report=context.report)


def shown_run(run: Run) -> Iterator[tuple[str, str]]:
    """Go through what a run holds, name by name, as a person reads it."""
    unit, procedure = run.unit, run.procedure
    yield "outcome", run.outcome.value
    for name, value in (
        ("serial_number", unit.serial_number),
        ("part_number", unit.part_number),
        ("part_name", unit.part_name),
        ("revision", unit.revision),
        ("batch_number", unit.batch_number),
        ("procedure", procedure.name),
        ("procedure_id", procedure.id),
        ("procedure_version", procedure.version),
        ("station", run.station),
        ("operator", run.operator),
        ("started_at", run.started_at),
        ("ended_at", run.ended_at),
    ):
        if value is not None:
            yield name, str(value)
    for name, text in run.metadata.items():
        yield f"metadata {name}", str(text)
    for entry in run.logs:
        yield f"log, line {entry.line}", entry.message
    for phase in run.phases:
        yield f"phase {phase.name}", phase.outcome.value
        for name, text in phase.attributes.items():
            yield f"  {name}", str(text)
        for measurement in phase.measurements:
            yield f"  {measurement.name}", _shown(measurement)


def _shown(measurement: Measurement) -> str:
    parts = [_value(measurement)]
    if measurement.unit is not None:
        parts.append(measurement.unit)
    if (limits := measurement.limits) is not None:
        low = "" if limits.lower is None else f"{limits.lower:g}"
        high = "" if limits.upper is None else f"{limits.upper:g}"
        parts.append(f"[{low}..{high}]")
    parts.extend(measurement.validators)
    parts.append(measurement.outcome.value)
    parts.extend(f"{name}={text}" for name, text in measurement.attributes.items())
    return " ".join(parts)


def _value(measurement: Measurement) -> str:
    value = measurement.value
    if not isinstance(value, Series):
        return repr(value)
    axes = ", ".join(
        f"{axis.name}{f' in {axis.unit}' if axis.unit else ''}: "
        + " ".join(str(point) for point in axis.values[:_MOST_POINTS])
        for axis in value.axes
    )
    return f"series of {len(value)} points ({axes} ...)"
