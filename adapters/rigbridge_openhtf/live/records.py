"""
A live OpenHTF test record as plain JSON, straight from its objects.

This is what a hand-over writes; it is translated later, by whoever sends. OpenHTF
itself is not imported: the record's objects are read by their attributes, so that every
release from 1.5 on will do.

A live record knows a few things that OpenHTF's JSON lacks, and they are kept: the
bounds of validators that print themselves in words, ``marginal`` and ``allow_fail`` of
a measurement where they are set, the verdict of a phase that was repeated after a
failed measurement, checkpoints, and the phase groups around a phase as long as its test
is at hand (:mod:`rigbridge_openhtf.live.phase_groups`).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from uuid import UUID, uuid4

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.model import Run
from rigbridge_openhtf.guarded import Guard, ask, told_error
from rigbridge_openhtf.handed_over import translate_handed_over
from rigbridge_openhtf.live.phase_groups import group_paths
from rigbridge_openhtf.packed_values import encode_packed, pack
from rigbridge_openhtf.raw_document import RAW_VERSION
from rigbridge_openhtf.raw_record import ABSENT
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge_openhtf.live.openhtf_types import (
        LiveAttachment,
        LiveMeasurement,
        LivePhase,
        LiveRecord,
    )

__all__ = [
    "CLOSED",
    "KeepFile",
    "attachment_file",
    "encode_record",
    "is_closed",
    "openhtf_version",
    "read_bytes",
    "to_run",
]

CLOSED = "OpenHTF had closed the file: add this callback before CloseAttachments"
"""What is wrong with an attachment whose file is deleted."""

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

# What makes an object a record: one that has none of these is none.
_NEEDED = ("dut_id", "outcome", "phases")

_Read = TypeVar("_Read")
_Document: TypeAlias = dict[str, object]
_KeptFiles: TypeAlias = "Sequence[tuple[object, LiveAttachment, Mapping[str, str]]]"
_KeptPhases: TypeAlias = "Sequence[tuple[LivePhase, _KeptFiles]]"

KeepFile: TypeAlias = "Callable[[LiveAttachment], Mapping[str, str]]"
"""Keeps the bytes of an attachment; says under which name, or what was wrong."""


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
        run_id: the id of the run; a new one by default.
    """
    found: dict[str, Path | Callable[[], Iterator[bytes]]] = {}

    def keep(attachment: LiveAttachment) -> Mapping[str, str]:
        try:
            if ask(is_closed, attachment):
                return {"problem": CLOSED}
            file = ask(attachment_file, attachment)
        except Exception as error:  # noqa: BLE001 - a class of the test's own
            return {"problem": f"its bytes cannot be read: {told_error(error)}"}
        name = str(len(found))
        found[name] = partial(read_bytes, attachment) if file is None else file
        return {"file": name}

    return translate_handed_over(
        encode_record(record, keep),
        found.get,
        spool=spool,
        report=ConversionReport() if report is None else report,
        settings=OpenHTFSettings() if settings is None else settings,
        run_id=uuid4() if run_id is None else run_id,
    )


def encode_record(
    record: object,
    keep: KeepFile,
    *,
    settings: OpenHTFSettings | None = None,
    begun: Callable[[], object] | None = None,
    finish: Callable[[], object] | None = None,
) -> bytes:
    """
    Write a record as JSON.

    Args:
        record: the ``openhtf.core.test_record.TestRecord``; it is not changed.
        keep: keeps the bytes of an attachment; may change what it gave until the end.
        settings: the settings that the program gave itself, which travel along.
        begun: is called when all attachments were given to ``keep``.
        finish: is called when all is read, right before it is written.
    """
    if not any(map(partial(Guard().has, record), _NEEDED)):
        raise TypeError(f"{type(record).__name__} is no test record of OpenHTF")
    live = cast("LiveRecord", record)
    guard = Guard()
    document = _head(settings)
    # The files first: threads bring them to the disk while this one reads the rest.
    kept = _kept_phases(live, keep, guard)
    if begun is not None:
        begun()
    document["record"] = _record(live, kept, guard)
    if finish is not None:
        finish()
    return encode_packed(document)


def _head(settings: OpenHTFSettings | None) -> _Document:
    return {
        "version": RAW_VERSION,
        "openhtf_version": openhtf_version(),
        "settings": None if settings is None else settings.as_table(),
    }


def attachment_file(attachment: LiveAttachment) -> Path | None:
    """Give the temporary file of an attachment, which OpenHTF writes once."""
    # Some attachments have only bytes in memory.
    name = getattr(attachment, "_filename", None)
    return Path(name) if name else None


def is_closed(attachment: LiveAttachment) -> bool:
    """Whether OpenHTF has deleted the file of an attachment."""
    return getattr(attachment, "_filename", "") is None


def read_bytes(attachment: LiveAttachment) -> Iterator[bytes]:
    """Give the bytes of an attachment without a file of its own."""
    yield attachment.data


# Looking for a distribution reads the folders of the whole path.
@cache
def openhtf_version() -> str | None:
    """Give the version of OpenHTF; None where it is no distribution."""
    try:
        return version("openhtf")
    except PackageNotFoundError:
        return None


def _kept_phases(record: LiveRecord, keep: KeepFile, guard: Guard) -> _KeptPhases:
    """List the phases, each with its attachments and what is kept of their bytes."""
    return [
        (
            phase,
            [
                (name, item, keep(item))
                for name, item in guard.at(f".phases[{index}]").items(
                    phase, "attachments"
                )
            ],
        )
        for index, phase in enumerate(guard.members(record, "phases"))
    ]


def _record(record: LiveRecord, kept: _KeptPhases, guard: Guard) -> _Document:
    paths = guard.part(
        ".phases.groups", lambda: group_paths(record), list[tuple[str, ...]]()
    )
    around = [*paths, *([()] * len(kept))]
    rest = {name: pack(guard.optional(record, name)) for name in _OTHER_FIELDS}
    document: _Document = {
        "dut_id": pack(guard.field(record, "dut_id")),
        "station_id": pack(guard.field(record, "station_id")),
        "outcome": _outcome(record, guard),
        "outcome_details": [
            guard.part(
                f".outcome_details[{index}]",
                partial(_detail, detail),
                dict[str, object](),
            )
            for index, detail in enumerate(guard.members(record, "outcome_details"))
        ],
        "start_millis": pack(guard.field(record, "start_time_millis")),
        "end_millis": pack(guard.field(record, "end_time_millis")),
        "metadata": _metadata(record, guard),
        "code": guard.part(".code_info", lambda: _code(record.code_info), None),
        "phases": [
            _phase(phase, around[index], files, guard.at(f".phases[{index}]"))
            for index, (phase, files) in enumerate(kept)
        ],
        "logs": _logs(guard.members(record, "log_records"), guard),
        "rest": rest,
    }
    if guard.unread:
        document["unread"] = [pack(list(each)) for each in guard.unread]
    return document


def _outcome(owner: LiveRecord | LivePhase, guard: Guard) -> object:
    # What cannot be read must never become a PASS.
    return guard.part(".outcome", lambda: pack(_name(owner.outcome)), "ERROR")


def _metadata(record: LiveRecord, guard: Guard) -> object:
    return guard.part(
        ".metadata", lambda: pack(dict(record.metadata)), dict[str, object]()
    )


def _detail(detail: Any) -> _Document:
    return {"code": pack(detail.code), "description": pack(detail.description)}


def _name(value: object) -> object:
    # As OpenHTF's JSON has members of its enumerations.
    return value._name_ if isinstance(value, Enum) else value


def _code(code: Any) -> _Document | None:
    if code is None:
        return None
    return {
        "name": pack(code.name),
        "docstring": pack(code.docstring),
        "source_code": pack(code.sourcecode),
    }


def _logs(lines: list[Any], guard: Guard) -> list[_Document]:
    try:
        # One guard for all of them: a record has thousands.
        return ask(_all, _log, lines)
    except Exception:  # noqa: BLE001 - the guards below note what it is
        return [
            guard.part(
                f".log_records[{index}]", partial(_log, line), dict[str, object]()
            )
            for index, line in enumerate(lines)
        ]


def _all(write: Callable[[_Read], _Document], given: list[_Read]) -> list[_Document]:
    return [write(each) for each in given]


def _log(line: Any) -> _Document:
    # An author may append anything to the list.
    if not hasattr(line, "message"):
        return {"message": pack(line)}
    return {
        "level": pack(line.level),
        "logger": pack(line.logger_name),
        "source": pack(line.source),
        "line": pack(line.lineno),
        "millis": pack(line.timestamp_millis),
        "message": pack(line.message),
    }


def _phase(
    phase: LivePhase, around: Sequence[str], files: _KeptFiles, guard: Guard
) -> _Document:
    return {
        "name": pack(guard.field(phase, "name")),
        "outcome": _outcome(phase, guard),
        "result": guard.part(".result", lambda: _result(phase.result), None),
        "start_millis": pack(guard.field(phase, "start_time_millis")),
        "end_millis": pack(guard.field(phase, "end_time_millis")),
        "subtest": pack(guard.optional(phase, "subtest_name")),
        "around": list(around),
        "code": guard.part(".codeinfo", lambda: _code(phase.codeinfo), None),
        "measurements": _measurements(guard.items(phase, "measurements"), guard),
        "attachments": [
            _attachment(name, item, file, guard) for name, item, file in files
        ],
        "options": guard.part(
            ".options", lambda: _fields(phase.options), dict[str, object]()
        ),
        "rest": {
            name: pack(guard.optional(phase, name)) for name in _OTHER_PHASE_FIELDS
        },
    }


def _fields(options: object) -> _Document:
    if options is None:
        return {}
    fields = getattr(type(options), "__attrs_attrs__", ())
    return {field.name: pack(getattr(options, field.name)) for field in fields}


def _result(result: Any) -> _Document | None:
    """Write what a phase returned the way OpenHTF's JSON has it."""
    if result is None:
        return None
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
    return {"phase_result": pack(returned)}


def _text(value: object) -> str:
    """Spell an object of the test, whose own ``__str__`` may fail."""
    try:
        return "".join(ask(str, value))
    except Exception as error:  # noqa: BLE001 - an object of the test may do anything
        return f"<{type(value).__name__} that cannot be spelled: {told_error(error)}>"


def _measurements(
    items: list[tuple[object, LiveMeasurement]], guard: Guard
) -> list[_Document]:
    try:
        # One guard for all of them, likewise.
        return ask(_all, _measurement, [item for _, item in items])
    except Exception:  # noqa: BLE001 - the guards of each note what it is
        return [_read_measurement(item, name, guard) for name, item in items]


def _read_measurement(item: LiveMeasurement, name: object, guard: Guard) -> _Document:
    """Write a measurement, or what can be read of one whose objects fail."""
    try:
        return ask(_measurement, item)
    except Exception:  # noqa: BLE001 - the guards below note what it is
        within = guard.at(f".measurements[{_text(name)}]")
    return {
        "name": pack(name),
        "outcome": within.part(".outcome", lambda: pack(_name(item.outcome)), None),
        "docstring": pack(within.field(item, "docstring")),
        "set_millis": pack(within.optional(item, "set_time_millis")),
        "validators": [
            *map(_read_validator, within.members(item, "validators")),
        ],
        "unit": within.part(".units", lambda: _unit(item.units), None),
        "dimensions": within.part(".dimensions", lambda: _axes(item), None),
        "rest": within.part("", lambda: _rest(item), dict[str, object]()),
        **within.part(".measured_value", lambda: _value(item), dict[str, object]()),
    }


def _measurement(item: LiveMeasurement) -> _Document:
    return {
        "name": pack(item.name),
        "outcome": pack(_name(item.outcome)),
        "docstring": pack(item.docstring),
        "set_millis": pack(getattr(item, "set_time_millis", None)),
        "validators": [_validator(each) for each in item.validators],
        "unit": _unit(item.units),
        "dimensions": _axes(item),
        "rest": _rest(item),
        **_value(item),
    }


def _value(item: LiveMeasurement) -> _Document:
    measured = item.measured_value
    # Asking for a value that was not set raises in OpenHTF.
    if not measured.is_value_set:
        return {}
    value = measured.value
    return {"value": pack([*map(list, value)] if item.dimensions else value)}


def _axes(item: LiveMeasurement) -> list[_Document | None] | None:
    return [_unit(axis) for axis in item.dimensions] if item.dimensions else None


def _rest(item: LiveMeasurement) -> _Document:
    """Give what is set of the fields that newer releases have."""
    rest: _Document = {}
    if conditional := getattr(item, "conditional_validators", None):
        rest["conditional_validators"] = [
            {"result": pack(each.result), "validator": _text(each.validator)}
            for each in conditional
        ]
    if getattr(item, "marginal", False):
        rest["marginal"] = True
    if getattr(item, "allow_fail", False):
        rest["allow_fail"] = True
    return rest


def _unit(unit: Any) -> _Document | None:
    if unit is None:
        return None
    return {
        "name": pack(unit.name),
        "code": pack(unit.code),
        "suffix": pack(unit.suffix),
        "description": pack(getattr(unit, "description", None)),
    }


def _read_validator(validator: object) -> _Document:
    """Write a validator, or what can be read of one that fails."""
    document: _Document = {"text": _text(validator)}
    with suppress(Exception):  # then the text has to do
        document["bounds"] = ask(_bounds, validator)
    return document


def _validator(validator: object) -> _Document:
    return {"text": "".join(str(validator)), "bounds": _bounds(validator)}


def _bounds(validator: object) -> list[object] | None:
    # InRange and what is derived from it. Both may be properties that compute.
    low = getattr(validator, "minimum", ABSENT)
    high = getattr(validator, "maximum", ABSENT)
    if low is ABSENT or high is ABSENT:
        return None
    return [_bound(low), _bound(high)]


def _bound(bound: object) -> object:
    # Spelled as OpenHTF prints them, so that its JSON gives the same.
    return bound if bound is None or isinstance(bound, bool) else f"{bound}"


def _attachment(
    name: object, attachment: LiveAttachment, file: Mapping[str, str], guard: Guard
) -> _Document:
    within = guard.at(f".attachments[{_text(name)}]")
    size = within.optional(attachment, "size")
    return {
        "name": pack(name),
        "media_type": pack(within.field(attachment, "mimetype")),
        "sha1": pack(within.optional(attachment, "sha1")),
        "size": size if type(size) is int else None,
        "bytes": file,
    }
