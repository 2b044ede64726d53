"""Checks that nothing of a source is lost, and nothing is made up."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from rigbridge.adapters import Disposition
from rigbridge.model import Measurement, Run
from rigbridge.testing.adapters.anatomy import SampleText, spread
from rigbridge.testing.adapters.bench import Bench, Trial
from rigbridge.testing.adapters.observation import NonconformityError, Observation

__all__ = [
    "every_byte",
    "every_cell",
    "every_line",
    "long_texts",
    "nothing_invented",
    "repeated_lines",
    "serial_numbers_are_text",
    "source_order",
    "unknown_is_none",
    "verdicts_of_the_source",
]

_RECORD = (
    "map it, or record it with context.report.dropped(item, reason, "
    "place=Place(line=N)); for lines that say nothing by the format's rules, name them "
    "in Sample.unread"
)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_FEW = 24
_MOST_BYTES = 250
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ALIKE = 3
"""Lines that begin alike and have the same signs hold the same kinds of cells."""
_DAY = timedelta(days=1)
_EPOCH_YEAR = 1970


def _told(base: Observation, trial: Trial) -> bool:
    """Tell whether a change can be seen, or the line is known to be left out."""
    if trial.found.trace != base.trace:
        return True
    return any(
        entry.place.line == trial.line
        for entry in base.report.entries
        if entry.disposition in {Disposition.DROPPED, Disposition.OMITTED}
    )


def every_line(bench: Bench) -> None:
    """Without any line, the runs, the report or the failures are others."""
    for text, base in bench.texts():
        _refuse_untold(text, base, bench.without_lines(text))


def every_cell(bench: Bench) -> None:
    """With any cell changed, the runs, the report or the failures are others."""
    for text, base in bench.texts():
        _refuse_untold(text, base, bench.changed_cells(text))


def every_byte(bench: Bench) -> None:
    """With any byte of a sample that is no text changed, something differs."""
    binary = [
        sample
        for sample in bench.case.samples
        if b"\0" in sample.content and not sample.content.startswith(_UTF_16)
    ]
    # Of text, each cell is changed.
    for sample in binary:
        padding = {at for first, end in sample.padding for at in range(first, end)}
        told = [at for at in range(len(sample.content)) if at not in padding]
        base, untold = bench.plain(sample), list[int]()
        for at in spread(told, _MOST_BYTES):
            changed = bytearray(sample.content)
            # A letter and a figure stay such; of a number it is the last sign.
            changed[at] ^= 1
            found = bench.read(bytes(changed), sample.name, f"with byte {at} changed")
            if found.trace == base.trace:
                untold.append(at)
        if untold:
            raise NonconformityError(
                f"{sample.name} with another byte at {str(untold[:9])[1:-1]}: neither "
                f"runs nor report nor failures differ ({len(untold)} bytes)",
                "map what stands there, or record what it holds with "
                "context.report.dropped(item, reason, detail=...); for bytes that say "
                "nothing by the format's rules, name them in Sample.padding",
            )


def _refuse_untold(text: SampleText, base: Observation, trials: list[Trial]) -> None:
    untold = [trial for trial in trials if not _told(base, trial)]
    if untold:
        line = text.lines[untold[0].line - 1].strip()
        others = ", ".join(trial.change for trial in untold[1:4])
        raise NonconformityError(
            f"{text.sample.name} {untold[0].change} ({line[:60]!r}): neither runs nor "
            f"report nor failures differ; nor do they in {len(untold) - 1} other trials"
            f" {others}".rstrip(),
            _RECORD,
        )


def _parts(found: Observation) -> int:
    return sum(
        len(run.phases) + len(run.logs) + sum(len(p.measurements) for p in run.phases)
        for run in found.runs
    )


def repeated_lines(bench: Bench) -> None:
    """A line that stands twice is there twice, or its repetition is recorded."""
    for text, base in bench.texts():
        for trial in bench.without_lines(text):
            if _parts(trial.found) >= _parts(base) or trial.found.failures:
                continue
            again = bench.try_line(text, trial.line, 2)
            same = _parts(again.found) <= _parts(base)
            if same and not again.found.admits(base):
                raise NonconformityError(
                    f"{text.sample.name} {again.change}: the second is lost",
                    "keep both, in a list rather than a dict by name; or record the "
                    "second with context.report.dropped",
                )


def long_texts(bench: Bench) -> None:
    """A long text is kept to its end, or its cut is recorded."""
    ending = "long" * 75 + "End"
    for text, base in bench.texts():
        for trial in spread(bench.kept_words(text), _FEW):
            assert trial.cell is not None
            new = trial.cell.text + ending
            found = bench.try_cell(text, trial.cell, new).found
            kept = any("longEnd" in run for run in found.texts)
            if not kept and found.texts and not found.admits(base):
                raise NonconformityError(
                    f"{text.sample.name} with a text of {len(new)} signs in line "
                    f"{trial.line}: its end is lost",
                    "keep texts whole; the store's limits are the converter's concern",
                )


def source_order(bench: Bench) -> None:
    """Measurements stand in the order of the source."""
    for text, base in bench.texts():
        last = (-1, -1, -1)
        told = list(bench.of_one_run(text))
        if _by_turns([(number, trial.line) for number, trial in told]):
            # Runs are given as they end; what counts is the order within each.
            told.sort(key=lambda item: item[0])
        for number, trial in told:
            old, new = base.documents[number], trial.found.documents[number]
            place = (number, *_only_value(old, new))
            if -1 in place:
                continue
            if place < last:
                raise NonconformityError(
                    f"{text.sample.name}: the measurement of line {trial.line} stands "
                    "before one of an earlier line",
                    "append phases and measurements as they come; never sort them",
                )
            last = place


def _by_turns(lines: list[tuple[int, int]]) -> bool:
    """Tell whether lines of one run stand among those of another."""
    spans: dict[int, list[int]] = {}
    for number, line in lines:
        spans.setdefault(number, []).append(line)
    ends = sorted((min(span), max(span)) for span in spans.values())
    return any(first[1] > second[0] for first, second in pairwise(ends))


def _only_value(old: dict[str, Any], new: dict[str, Any]) -> tuple[int, int]:
    """Find the one measurement whose value differs; (-1, -1) if there is none."""
    if _names(old) != _names(new):
        return -1, -1
    differing = [
        (at, index)
        for at, (one, other) in enumerate(
            zip(old["phases"], new["phases"], strict=False)
        )
        for index, (a, b) in enumerate(
            zip(one["measurements"], other["measurements"], strict=False)
        )
        if a["value"] != b["value"]
    ]
    return differing[0] if len(differing) == 1 else (-1, -1)


def _names(document: dict[str, Any]) -> list[object]:
    return [
        (phase["name"], [each["name"] for each in phase["measurements"]])
        for phase in document["phases"]
    ]


def serial_numbers_are_text(bench: Bench) -> None:
    """A serial number keeps its leading zeros, its point and its letters."""
    for text, base in bench.texts():
        for serial in sorted({run.unit.serial_number or "" for run in base.runs}):
            places = [cell for cell in text.cells if cell.text == serial and cell.free]
            if not places or not serial:
                continue
            for new in ("0001230", "12.50", "1E5"):
                changed = text.text
                for cell in reversed(places):
                    at = cell.start
                    changed = changed[:at] + new + changed[at + len(serial) :]
                trial = f"with the serial number {new!r}"
                found = bench.read(changed, text.sample.name, trial)
                if found.admits(base) or new in {
                    run.unit.serial_number for run in found.runs
                }:
                    continue
                raise NonconformityError(
                    f"{text.sample.name} {trial}: no run has exactly this one",
                    "take identifiers as the text that stands there, never as a number",
                )


def _identity(run: Run) -> Iterator[tuple[str, str]]:
    values = {
        "unit.serial_number": run.unit.serial_number,
        "unit.part_number": run.unit.part_number,
        "unit.part_name": run.unit.part_name,
        "unit.revision": run.unit.revision,
        "unit.batch_number": run.unit.batch_number,
        "operator": run.operator,
        "station": run.station,
    }
    yield from ((field, value) for field, value in values.items() if value is not None)


def _numbers(measurement: Measurement) -> Iterator[tuple[str, float]]:
    limits = measurement.limits
    values: dict[str, object] = {
        "value": measurement.value,
        "limits.lower": None if limits is None else limits.lower,
        "limits.upper": None if limits is None else limits.upper,
    }
    for field, value in values.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield field, value


def _plain(text: str) -> str:
    """Give a text beside what it spells by the escapes of XML and JSON."""
    escaped = re.sub(r"\\u[0-9a-fA-F]{4}", lambda m: json.loads(f'"{m[0]}"'), text)
    return "\n".join((text, html.unescape(text), escaped))


def _spelled_numbers(text: str) -> set[float]:
    found: set[float] = set()
    for word in _NUMBER.findall(text):
        if word[:2] in {"0x", "0X"}:
            found.add(int(word, 16))
        else:
            found.add(float(word))
    found.update(float(word.replace(",", ".")) for word in _COMMA.findall(text))
    return found | {-number for number in found}


def nothing_invented(bench: Bench) -> None:
    """Identifiers and numbers of the runs stand in the source."""
    for text, base in bench.texts():
        name, plain = text.sample.name, _plain(text.text)
        spelled = _spelled_numbers(plain)
        # What was changed by a rule is recorded, and need not be spelled.
        changed = base.report.count(Disposition.COERCED) > 0
        for run in base.runs:
            for field, value in _identity(run):
                if value not in plain and value not in name and not changed:
                    raise NonconformityError(
                        f"{name}: {field} is {value!r}, which does not stand there",
                        "take it as it is spelled; what is not there is None",
                    )
            for phase in run.phases:
                for measurement in phase.measurements:
                    for field, number in _numbers(measurement):
                        if number in spelled or not math.isfinite(number) or changed:
                            continue
                        raise NonconformityError(
                            f"{name}: {field} of {measurement.name!r} is {number!r}, "
                            "a number that does not stand there",
                            "keep numbers as they are: no rounding, no scaling, no "
                            "default; record a change with context.report.coerced",
                        )


def unknown_is_none(bench: Bench) -> None:
    """What the source leaves blank is None: not a word, not 0, not now."""
    for text, base in bench.texts():
        told = text.telling_lines_of_a_kind(_ALIKE)
        cells = [
            trial.cell
            for trial in bench.changed_cells(text)
            if trial.cell is not None and trial.cell.line in told
        ]
        for cell in (*cells, *spread(text.fields, _FEW)):
            if not cell.free:
                continue
            trial = bench.try_cell(text, cell, "")
            found = trial.found
            if len(found.runs) != len(base.runs):
                continue
            plain = _plain(text.with_cell(cell, ""))
            line = _spelled_numbers(text.lines[cell.line - 1])
            for old, run in zip(base.runs, found.runs, strict=True):
                for wrong in _made_up(old, run, plain + text.sample.name, line):
                    raise NonconformityError(
                        f"{text.sample.name} with nothing in place of {cell.text!r} in "
                        f"line {cell.line}: {wrong}",
                        "give None for what the source does not say",
                    )


def _made_up(old: Run, run: Run, plain: str, line: set[float]) -> Iterator[str]:
    known = dict(_identity(old))
    for field, value in _identity(run):
        if known.get(field) != value and value not in plain:
            yield f"{field} is {value!r}"
    for field in ("started_at", "ended_at"):
        time: datetime | None = getattr(run, field)
        if time is not None and time != getattr(old, field):
            now = datetime.now(UTC)
            if abs(now - time) < _DAY or time.year <= _EPOCH_YEAR:
                yield f"{field} is {time.isoformat()}"
    before = [m for phase in old.phases for m in phase.measurements]
    after = [m for phase in run.phases for m in phase.measurements]
    if len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            number = other.value
            made_up = repr(number) in {"0", "0.0", "-1", "-1.0", "nan"}
            if isinstance(number, (int, float)) and number in line:
                continue
            if made_up and repr(number) != repr(one.value):
                yield f"the value of {other.name!r} is {number!r}"


def verdicts_of_the_source(bench: Bench) -> None:
    """A value far off changes no verdict that the source states."""
    for text, base in bench.texts():
        for _, mild in bench.of_one_run(text):
            cell = mild.cell
            if (
                cell is None
                or not cell.is_number
                or _outcomes(mild.found) != _outcomes(base)
            ):
                continue
            trial = bench.try_cell(text, cell, f"99999{cell.text.lstrip('+-')}")
            derived = any(
                entry.item in {"outcome", "verdict"}
                and entry.disposition is Disposition.COERCED
                for entry in trial.found.report.entries
            )
            if len(trial.found.runs) != len(base.runs) or derived:
                continue
            if _outcomes(trial.found) != _outcomes(base):
                raise NonconformityError(
                    f"{text.sample.name} {trial.change}: a verdict is another one",
                    "take verdicts from the source; where it has none, record what you "
                    "derived it from with context.report.coerced('outcome', ...)",
                )


def _outcomes(found: Observation) -> list[object]:
    return [
        (
            run.outcome,
            [(p.outcome, [m.outcome for m in p.measurements]) for p in run.phases],
        )
        for run in found.runs
    ]
