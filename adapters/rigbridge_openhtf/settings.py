"""What a site can choose about the reading of OpenHTF records."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rigbridge.model import LogLevel

__all__ = ["OpenHTFSettings"]


def _texts(values: str | Iterable[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


def _level(value: str | LogLevel) -> LogLevel:
    return LogLevel(value.upper())


@attrs.frozen(kw_only=True)
class OpenHTFSettings:
    """
    The settings of the reader of JSON records and of the output callback alike.

    Attributes:
        framework_phases: keep the framework's own ``trigger_phase``, which waits for
            the unit, also where nothing happened in it.
        framework_logs: keep the framework's own debug lines in the log.
        log_level: the lowest level of log lines to keep (``DEBUG``, ``INFO``,
            ``WARNING``, ``ERROR`` or ``CRITICAL``); all by default.
        procedure_id: the store's id of the procedure, where the metadata of a test name
            none.
        source_code: keep the source code that a record may hold of the test and of
            each phase.
        measurement_times: keep when each measurement was set; only a live record
            knows.
        canceled_starts: hand over tests, too, that were canceled while they waited for
            the unit; nothing was tested then, and no store takes a run without a
            serial number. Only the output callback asks; a log line says what was
            left out.
        config_kept: keys of OpenHTF's configuration whose values are kept although they
            look secret (``token``, ``password``...), by name or pattern
            (``*_token_count``); any other such value is masked.
        config_left_out: keys of OpenHTF's configuration that are left out, likewise;
            ``*`` leaves out all.
        unknown_serial_numbers: the texts that stand for "no serial number", in any
            case; OpenHTF's own by default.
    """

    framework_phases: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )
    framework_logs: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )
    log_level: LogLevel = attrs.field(default=LogLevel.DEBUG, converter=_level)
    procedure_id: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.instance_of(str)),
    )
    source_code: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )
    measurement_times: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )
    canceled_starts: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )
    config_kept: tuple[str, ...] = attrs.field(
        default=(),
        converter=_texts,
        validator=attrs.validators.deep_iterable(attrs.validators.instance_of(str)),
    )
    config_left_out: tuple[str, ...] = attrs.field(
        default=(),
        converter=_texts,
        validator=attrs.validators.deep_iterable(attrs.validators.instance_of(str)),
    )
    unknown_serial_numbers: tuple[str, ...] = attrs.field(
        default=("UNKNOWN_DUT", "UNKNOWN_DUT_ID"),
        converter=_texts,
        validator=attrs.validators.deep_iterable(attrs.validators.instance_of(str)),
    )

    def as_table(self) -> dict[str, object]:
        """Write the settings as they would stand in a configuration."""
        return {**attrs.asdict(self), "log_level": self.log_level.value}
