"""
A live OpenHTF test record to a run, straight from its objects.

Nothing is serialized on the way, and OpenHTF itself is not imported: the record's
objects are read by their attributes, so that every release from 1.5 on will do.

A live record knows a few things that its JSON lacks, and they are kept: the bounds of
validators that print themselves in words, ``marginal`` and ``allow_fail`` of a
measurement where they are set, the verdict of a phase that was repeated after a failed
measurement, checkpoints, and the phase groups around a phase as long as its test is at
hand (:mod:`rigbridge_openhtf.live.phase_groups`).
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import rigbridge
from rigbridge.adapters import ConversionReport, Spool
from rigbridge.model import Provenance, Run
from rigbridge_openhtf.live.phase_groups import group_paths
from rigbridge_openhtf.raw_record import (
    ABSENT,
    BytesUnreadableError,
    RawAttachment,
    RawCode,
    RawLog,
    RawMeasurement,
    RawPhase,
    RawRecord,
    RawUnit,
    RawValidator,
)
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.settings import OpenHTFSettings
from rigbridge_openhtf.translation.runs import translate

if TYPE_CHECKING:
    from rigbridge_openhtf.live.openhtf_types import (
        LiveAttachment,
        LiveMeasurement,
        LivePhase,
        LiveRecord,
    )

__all__ = ["LIVE_NAME", "to_run"]

LIVE_NAME = "openhtf"
"""What the provenance of a live run calls the adapter."""

# Fields without a place in the model. Not every release has all of them.
_OTHER_FIELDS = (
    "marginal",
    "subtests",
    "branches",
    "checkpoints",
    "diagnosers",
    "diagnoses",
)
_OTHER_PHASE_FIELDS = (
    "descriptor_id",
    "marginal",
    "diagnosers",
    "diagnosis_results",
    "failure_diagnosis_results",
)


def to_run(
    record: object,
    *,
    spool: Spool,
    report: ConversionReport | None = None,
    settings: OpenHTFSettings | None = None,
    run_id: UUID | None = None,
) -> Run:
    """
    Translate a test record that OpenHTF gives its output callbacks.

    Args:
        record: the ``openhtf.core.test_record.TestRecord``; it is not changed.
        spool: takes copies of the attachments, since OpenHTF deletes its own files
            together with the record.
        report: where everything is recorded.
        settings: what the site chose.
        run_id: the id of the run; a new one by default.
    """
    live = cast("LiveRecord", record)
    # Threads read the files while this one translates.
    spool.expect(_files(live))
    scope = Scope(
        report=ConversionReport() if report is None else report,
        spool=spool,
        settings=OpenHTFSettings() if settings is None else settings,
    )
    provenance = Provenance(
        adapter=LIVE_NAME,
        adapter_version=rigbridge.__version__,
        format="OpenHTF test record",
        format_version=_openhtf_version(),
    )
    return translate(
        _record(live),
        scope,
        run_id=uuid4() if run_id is None else run_id,
        source=provenance,
    )


def _files(record: LiveRecord) -> list[Path]:
    attached = [
        item for phase in record.phases for item in (phase.attachments or {}).values()
    ]
    return [file for item in attached if (file := _file(item)) is not None]


def _file(attachment: LiveAttachment) -> Path | None:
    """Give the temporary file of an attachment, which OpenHTF writes once."""
    # Some attachments have only bytes in memory; None where OpenHTF closed the file.
    name = getattr(attachment, "_filename", None)
    return Path(name) if name else None


# Looking for a distribution reads the folders of the whole path.
@cache
def _openhtf_version() -> str | None:
    try:
        return version("openhtf")
    except PackageNotFoundError:
        return None


def _record(record: LiveRecord) -> RawRecord:
    return RawRecord(
        dut_id=record.dut_id,
        station_id=record.station_id,
        outcome=_name(record.outcome),
        outcome_details=[
            {"code": detail.code, "description": detail.description}
            for detail in record.outcome_details
        ],
        start_millis=record.start_time_millis,
        end_millis=record.end_time_millis,
        metadata=record.metadata,
        code=_code(record.code_info),
        phases=[
            _phase(phase, around)
            for phase, around in zip(record.phases, group_paths(record), strict=True)
        ],
        logs=[_log(line) for line in record.log_records],
        rest={name: getattr(record, name, None) for name in _OTHER_FIELDS},
    )


def _name(value: object) -> object:
    # As OpenHTF's JSON has members of its enumerations.
    return value.name if isinstance(value, Enum) else value


def _code(code: Any) -> RawCode:
    if code is None:
        return RawCode()
    return RawCode(
        name=code.name, docstring=code.docstring, source_code=code.sourcecode
    )


def _log(line: Any) -> RawLog:
    return RawLog(
        level=line.level,
        logger=line.logger_name,
        source=line.source,
        line=line.lineno,
        millis=line.timestamp_millis,
        message=line.message,
    )


def _phase(phase: LivePhase, around: Sequence[str]) -> RawPhase:
    # OpenHTF's default for measurements and attachments is None.
    return RawPhase(
        name=phase.name,
        outcome=_name(phase.outcome),
        result=None if phase.result is None else _result(phase.result),
        start_millis=phase.start_time_millis,
        end_millis=phase.end_time_millis,
        subtest=getattr(phase, "subtest_name", None),
        around=around,
        code=_code(phase.codeinfo),
        measurements=[
            _measurement(item) for item in (phase.measurements or {}).values()
        ],
        attachments=[
            _attachment(name, item) for name, item in (phase.attachments or {}).items()
        ],
        options=_fields(phase.options),
        rest={name: getattr(phase, name, None) for name in _OTHER_PHASE_FIELDS},
    )


def _fields(options: object) -> Mapping[str, object]:
    if options is None:
        return {}
    names = [field.name for field in getattr(type(options), "__attrs_attrs__", ())]
    return {name: getattr(options, name) for name in names}


def _result(result: Any) -> Mapping[str, object]:
    """Write what a phase returned the way OpenHTF's JSON has it."""
    returned = result.phase_result
    if isinstance(returned, Enum):
        returned = returned.name
    elif hasattr(returned, "exc_val"):
        # OpenHTF's ExceptionInfo; its JSON has the traceback as text, too.
        returned = {
            "exc_type": str(returned.exc_type),
            "exc_val": _text(returned.exc_val),
            "exc_tb": "".join(
                traceback.format_exception(
                    returned.exc_type, returned.exc_val, returned.exc_tb
                )
            ),
        }
    elif isinstance(returned, BaseException):
        # The phase was killed because the test was aborted.
        returned = _text(returned)
    return {"phase_result": returned}


def _text(value: object) -> str:
    """Spell an object of the test, whose own ``__str__`` may fail."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - an object of the test may do anything
        return f"<{type(value).__name__} that cannot be spelled: {error!r}>"


def _measurement(item: LiveMeasurement) -> RawMeasurement:
    dimensions = item.dimensions
    measured = item.measured_value
    value: object = ABSENT
    # Asking for a value that was not set raises in OpenHTF.
    if measured.is_value_set:
        value = [list(row) for row in measured.value] if dimensions else measured.value
    return RawMeasurement(
        name=item.name,
        outcome=_name(item.outcome),
        value=value,
        unit=None if item.units is None else _unit(item.units),
        dimensions=[_unit(axis) for axis in dimensions] if dimensions else None,
        validators=[_validator(each) for each in item.validators],
        docstring=item.docstring,
        set_millis=getattr(item, "set_time_millis", None),
        rest=_rest(item),
    )


def _rest(item: LiveMeasurement) -> dict[str, object]:
    """Give what is set of the fields that newer releases have."""
    rest: dict[str, object] = {}
    if conditional := getattr(item, "conditional_validators", None):
        rest["conditional_validators"] = [
            {"result": each.result, "validator": _text(each.validator)}
            for each in conditional
        ]
    if getattr(item, "marginal", False):
        rest["marginal"] = True
    if getattr(item, "allow_fail", False):
        rest["allow_fail"] = True
    return rest


def _unit(unit: Any) -> RawUnit:
    return RawUnit(
        name=unit.name,
        code=unit.code,
        suffix=unit.suffix,
        description=getattr(unit, "description", None),
    )


def _validator(validator: Any) -> RawValidator:
    text = _text(validator)
    bounds: tuple[object, object] | None = None
    try:
        # InRange and what is derived from it. Both may be properties that compute.
        if hasattr(validator, "minimum") and hasattr(validator, "maximum"):
            bounds = (validator.minimum, validator.maximum)
    except Exception:  # noqa: BLE001 - then the text has to do
        bounds = None
    return RawValidator(text=text, bounds=bounds)


def _attachment(name: str, attachment: LiveAttachment) -> RawAttachment:
    return RawAttachment(
        name=name,
        media_type=attachment.mimetype,
        sha1=getattr(attachment, "sha1", None),
        size=getattr(attachment, "size", None),
        chunks=partial(_chunks, attachment),
        file=_file(attachment),
    )


def _chunks(attachment: LiveAttachment) -> Iterator[bytes]:
    """Give the bytes of an attachment without a file of its own."""
    # None says that there was a file, and that it is deleted.
    if getattr(attachment, "_filename", ABSENT) is None:
        raise BytesUnreadableError(
            "OpenHTF had closed the file: add this callback before CloseAttachments"
        )
    yield attachment.data
