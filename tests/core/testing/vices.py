# ruff: noqa: E501 - a table, a row each
"""
Deliberate vices: the example rig's adapter, each time with one thing done wrong.

A vice is a few replacements in the text of the sound adapter, and the check of the
conformance suite that is to catch it. ``docs/reference/conformance.md`` shows the table.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

__all__ = ["LOG", "SOUND", "VICES", "Vice", "adapter_of"]

SOUND = Path(__file__).parents[3] / (
    "docs/examples/rigbridge-example-rig/src/rigbridge_example_rig.py"
)

LOG = """BURNIN 2;BB-2
UNIT;B2-0141;DRV-350;2024-03-14 09:12:05
STEP;Warm-up;OK
MEAS;zone;41.25;degC;20;60;OK
MEAS;case;40.5;degC;20;60;OK
END;OK;2024-03-14 09:42:06
UNIT;B2-0142;DRV-351;2024-03-14 09:45:10
STEP;Full load;BAD
MEAS;current;0.3121;A;0.3395;0.3605;BAD
NOTE;lamp flickers
END;BAD;2024-03-14 10:02:44
UNIT;B2-0143;DRV-352;2024-03-14 10:12:05
STEP;Soak;OK
MEAS;current;0.3502;A;0.3395;;OK
END;OK;2024-03-14 10:42:09
"""


@dataclass(frozen=True)
class Vice:
    """A thing done wrong: what, the check that catches it, and the replacements."""

    what: str
    check: str
    changes: tuple[tuple[str, str], ...]


def _vice(what: str, check: str, *changes: str) -> Vice:
    pairs = tuple(zip(changes[::2], changes[1::2], strict=True))
    return Vice(what, check, pairs)


_READ = "        with source.open() as stream:\n"
_INIT = (
    "        self.settings = ExampleRigSettings() if settings is None else settings\n"
)
_DETECT = (
    'return Match(0.95, "begins with BURNIN 2") if head.startswith(_MARK) else None'
)
_MEAS = '        name, value, unit, lower, upper, verdict = self.fields(number, line, "MEAS", 6)\n'
_VALUE = "value=self.number(value, number),"
_SERIAL = "serial_number=serial_number or None"
_YIELD = "                    yield run\n"
_FAILED = "                        context.failed(error)\n"
_NOTE = "            self.notes.append(LogEntry(level=LogLevel.INFO, message=text))\n"
_TOP = "_Lines = list[tuple[int, bytes]]\n"
_PHASES = "            phases=self.phases,\n"
_DROPPED = """            report.dropped(
                "line",
                "not a line of a step",
                place=Place(line=number),
                detail=line.decode(errors="replace").strip(),
            )
"""
_DECODE = 'line.decode().strip().split(";")'
_STATION = "            station=self.station,\n            phases"


def _on_reading(code: str) -> tuple[str, str]:
    """Do something at the start of each reading."""
    return _READ, f"        {code}\n{_READ}"


def _each_measurement(code: str) -> tuple[str, str]:
    return _MEAS, f"{_MEAS}        {code}\n"


VICES: tuple[Vice, ...] = (
    # What is lost.
    _vice(
        "drops a kind of line",
        "every-line",
        'kind == b"NOTE"',
        'kind == b"NOTES"',
        _DROPPED,
        "            pass\n",
    ),
    _vice("drops notes, and counts them as mapped", "every-cell", _NOTE, ""),
    _vice(
        "drops the lower limit",
        "every-cell",
        "Limit(lower=low, upper=high)",
        "Limit(upper=high)",
    ),
    _vice(
        "drops limits of one side alone",
        "every-cell",
        "if low is None and high is None",
        "if low is None or high is None",
    ),
    _vice("drops the unit", "every-cell", "unit=unit or None", "unit=None"),
    _vice(
        "drops the end time",
        "every-cell",
        "ended_at=self.time(end, last)",
        "ended_at=None",
    ),
    _vice(
        "drops the part number",
        "every-cell",
        "part_number=part_number or None",
        "part_number=None",
    ),
    _vice("drops the station", "every-cell", _STATION, "            phases"),
    _vice(
        "drops the last measurement of a step",
        "every-cell",
        "(*phase.measurements, self.measurement(number, line))",
        "(*phase.measurements, self.measurement(number, line))[:1]",
    ),
    _vice(
        "keeps measurements by name, so the second of a name is lost",
        "repeated-lines",
        "(*phase.measurements, self.measurement(number, line))",
        "tuple({m.name: m for m in (*phase.measurements, self.measurement(number, line))}.values())",
    ),
    _vice(
        "skips a line that it has seen before",
        "repeated-lines",
        "        for number, line in rest:\n",
        "        for number, line in {line: (number, line) for number, line in rest}.values():\n",
    ),
    _vice(
        "loses a last line without a line end",
        "line-ends",
        "        if line.strip():\n            lines",
        '        if line.strip() and line.endswith(b"\\n"):\n            lines',
    ),
    _vice("cuts texts at 40 signs", "long-texts", "message=text", "message=text[:40]"),
    _vice(
        "drops the last field where there is one too many",
        "every-line",
        "len(fields) != count",
        "len(fields) < count",
        "return [field.strip() for field in fields]",
        "return [field.strip() for field in fields][:count]",
        "_units(stream)",
        "list(_units(stream))[:-1]",
    ),
    # What is changed.
    _vice(
        "rounds values",
        "every-cell",
        _VALUE,
        "value=None if not value else round(float(value), 1),",
    ),
    _vice(
        "takes values as integers",
        "every-cell",
        _VALUE,
        "value=None if not value else int(float(value)),",
    ),
    _vice(
        "scales values to another unit",
        "nothing-invented",
        _VALUE,
        "value=None if not value else float(value) * 1000,",
    ),
    _vice(
        "takes the amount of a value",
        "nothing-invented",
        _VALUE,
        "value=None if not value else abs(float(value)) + 1e-9,",
    ),
    _vice(
        "writes names in capitals",
        "every-cell",
        "name=name,\n            # The bench's",
        "name=name.upper()[:2],\n            # The bench's",
    ),
    _vice(
        "takes the serial number as an integer",
        "serial-numbers-are-text",
        _SERIAL,
        "serial_number=(str(int(serial_number)) if serial_number.isdigit() else serial_number) or None",
    ),
    _vice(
        "takes the serial number as a number where it is one",
        "serial-numbers-are-text",
        _SERIAL,
        "serial_number=(f'{float(serial_number):g}' if serial_number.replace('.', '').replace('E', '').isdigit() else serial_number) or None",
    ),
    _vice(
        "sorts the measurements by name",
        "source-order",
        _PHASES,
        "            phases=[attrs.evolve(p, measurements=tuple(sorted(p.measurements, key=lambda m: m.name))) for p in self.phases],\n",
    ),
    _vice(
        "passes every run",
        "every-cell",
        "outcome=self.verdict(verdict, last, _RUN)",
        "outcome=RunOutcome.PASS",
    ),
    _vice(
        "passes every measurement",
        "every-cell",
        "outcome=self.verdict(verdict, number, _MEASUREMENT)",
        "outcome=MeasurementOutcome.PASS",
    ),
    _vice(
        "judges values by their limits, against the source",
        "verdicts-of-the-source",
        "            outcome=self.verdict(verdict, number, _MEASUREMENT),\n",
        "            outcome=MeasurementOutcome.FAIL if value and upper and float(value) > float(upper) else self.verdict(verdict, number, _MEASUREMENT),\n",
    ),
    _vice(
        "derives the verdict of a step from its values",
        "verdicts-of-the-source",
        "            self.phases.append(attrs.evolve(phase, measurements=measurements))\n",
        "            worse = any(m.value and m.limits and m.limits.upper and m.value > m.limits.upper for m in measurements)\n            self.phases.append(attrs.evolve(phase, measurements=measurements, outcome=PhaseOutcome.FAIL if worse else phase.outcome))\n",
    ),
    # What is made up.
    _vice(
        "UNKNOWN for a missing serial number",
        "unknown-is-none",
        _SERIAL,
        'serial_number=serial_number or "UNKNOWN"',
    ),
    _vice(
        "a part number where there is none",
        "unknown-is-none",
        "part_number=part_number or None",
        'part_number=part_number or "N/A"',
    ),
    _vice(
        "0 for a missing value",
        "unknown-is-none",
        _VALUE,
        "value=self.number(value, number) if value else 0,",
    ),
    _vice(
        "NaN for a missing value",
        "unknown-is-none",
        _VALUE,
        'value=self.number(value or "nan", number),',
    ),
    _vice(
        "now for a missing time",
        "unknown-is-none",
        "        try:\n            # The log tells no zone",
        "        if not text:\n            import datetime as clock\n            return clock.datetime.now(clock.UTC)\n        try:\n            # The log tells no zone",
    ),
    _vice(
        "1970 for a missing time",
        "unknown-is-none",
        "        try:\n            # The log tells no zone",
        "        if not text:\n            import datetime as clock\n            return clock.datetime.fromtimestamp(0, clock.UTC)\n        try:\n            # The log tells no zone",
    ),
    _vice(
        "the name of this machine as operator",
        "asks-nothing-of-the-system",
        _STATION,
        "            operator=__import__('socket').gethostname(),\n" + _STATION,
    ),
    _vice(
        "an operator that the log does not name",
        "nothing-invented",
        _STATION,
        "            operator='smith',\n" + _STATION,
    ),
    _vice(
        "naive times taken as UTC",
        "zones",
        "return self.context.time_zone.localize(\n                datetime.fromisoformat(text),\n                report=self.context.report,\n                place=Place(line=number),\n                station=self.station,\n            )",
        "return datetime.fromisoformat(text).replace(tzinfo=__import__('datetime').UTC)",
    ),
    _vice(
        "naive times taken in the zone of the machine",
        "same-everywhere",
        "datetime.fromisoformat(text),\n",
        "datetime.fromisoformat(text).astimezone(),\n",
    ),
    # Encodings.
    _vice(
        "ignores bytes that are no text",
        "encodings",
        _DECODE,
        'line.decode(errors="ignore").strip().split(";")',
    ),
    _vice(
        "replaces bytes that are no text",
        "encodings",
        _DECODE,
        'line.decode(errors="replace").strip().split(";")',
    ),
    _vice(
        "reads UTF-8 as Latin-1",
        "encodings",
        _DECODE,
        'line.decode("latin-1").strip().split(";")',
    ),
    _vice(
        "decodes by the locale of the machine",
        "same-everywhere",
        _TOP,
        _TOP + "import locale\n",
        'station = first.removeprefix(_MARK).decode(errors="replace").strip()',
        "station = locale.getpreferredencoding(False)",
    ),
    _vice(
        "leaves the carriage return of DOS in the last field",
        "line-ends",
        '.strip().split(";")',
        '.rstrip("\\n").split(";")',
        "return [field.strip() for field in fields]",
        "return fields",
    ),
    _vice(
        "takes the byte order mark for data",
        "encodings",
        "if not first.startswith(_MARK):",
        "if _MARK not in first:",
        'first.removeprefix(_MARK).decode(errors="replace").strip()',
        'first.decode(errors="replace").replace("BURNIN 2;", "").strip()',
    ),
    # Runs beside each other.
    _vice(
        "one bad unit stops the rest",
        "one-bad-run",
        _FAILED,
        "                        raise\n",
    ),
    _vice(
        "one bad unit ends the reading without a word",
        "one-bad-run",
        _FAILED,
        "                        return\n",
    ),
    _vice(
        "a bad unit is skipped without a word",
        "one-bad-run",
        _FAILED,
        "                        pass\n",
    ),
    _vice(
        "the index moves after a failure",
        "one-bad-run",
        "            for index, lines in enumerate(_units(stream)):\n",
        "            index = -1\n            for lines in _units(stream):\n                index += 1\n",
        _FAILED,
        _FAILED + "                        index -= 1\n",
    ),
    _vice(
        "every run has the index 0",
        "identity",
        "unit.read(index, lines)",
        "unit.read(0, lines)",
    ),
    _vice(
        "a new id at each reading",
        "identity",
        "id=provenance.run_id",
        "id=__import__('uuid').uuid4()",
    ),
    _vice(
        "the account of a bad unit stays in the report",
        "one-bad-run",
        "                with context.run():\n",
        "                if True:\n",
    ),
    _vice(
        "a KeyError for an unknown verdict",
        "one-bad-run",
        '        if word not in words:\n            raise self.malformed(f"{word!r} is no verdict", number)\n',
        "",
    ),
    _vice(
        "a ValueError for what is no number",
        "one-bad-run",
        '        except ValueError as error:\n            raise self.malformed(f"{text!r} is no number", number) from error',
        "        finally:\n            pass",
    ),
    _vice(
        "an error that names neither file nor place",
        "clear-errors",
        '            source=self.source.uri,\n            place=f"line {number}",\n            remedy="copy the log from the bench again",\n',
        "",
    ),
    _vice(
        "exits the process for a bad log",
        "clear-errors",
        '                raise MalformedSourceError(\n                    "does not begin with BURNIN 2", source=source.uri, place="line 1"\n                )',
        "                raise SystemExit(2)",
    ),
    _vice(
        "gives nothing for a file of another kind",
        "clear-errors",
        '                raise MalformedSourceError(\n                    "does not begin with BURNIN 2", source=source.uri, place="line 1"\n                )',
        "                return",
    ),
    # State.
    _vice(
        "the station of the last log where one is missing",
        "keeps-nothing",
        "station or None)",
        "station or getattr(self, 'last', None))\n                self.last = station or getattr(self, 'last', None)",
    ),
    _vice(
        "notes carried over to the next file, in the module",
        "keeps-nothing",
        _TOP,
        _TOP + "_NOTES: list = []\n",
        "self.notes: list[LogEntry] = []",
        "self.notes = _NOTES",
    ),
    _vice(
        "the index goes on from file to file",
        "keeps-nothing",
        _INIT,
        _INIT + "        self.index = -1\n",
        "            for index, lines in enumerate(_units(stream)):\n",
        "            for lines in _units(stream):\n                self.index += 1\n                index = self.index\n",
    ),
    _vice(
        "reads by attributes of the instance",
        "reads-at-once",
        "station = first",
        "self.source = source\n            station = first",
        "_UnitReader(self.settings, source,",
        "_UnitReader(self.settings, self.source,",
    ),
    _vice(
        "lines gathered on the instance",
        "reads-in-threads",
        "            for index, lines in enumerate(_units(stream)):\n",
        "            self.units = []\n            for lines in _units(stream):\n                self.units.append(lines)\n            for index, lines in enumerate(self.units):\n",
    ),
    _vice(
        "gives a list",
        "reads-every-run",
        "    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:\n",
        "    def read(self, source, context):\n        return list(self.runs(source, context))\n\n    def runs(self, source: Source, context: ReadContext) -> Iterator[Run]:\n",
    ),
    _vice(
        "reads all into memory before the first run",
        "streams",
        "enumerate(_units(stream))",
        "enumerate(_units(stream.read().splitlines(keepends=True)))",
    ),
    _vice(
        "reads all runs before it gives the first",
        "streams",
        "            for index, lines in enumerate(_units(stream)):\n",
        "            every = list(_units(stream))\n            for index, lines in enumerate(every):\n",
    ),
    _vice(
        "keeps every run",
        "keeps-no-memory",
        _TOP,
        _TOP + "_KEPT: list = []\n",
        _YIELD,
        "                    _KEPT.append(run)\n" + _YIELD,
    ),
    _vice(
        "keeps every line",
        "keeps-no-memory",
        _TOP,
        _TOP + "_KEPT: list = []\n",
        "        for number, line in rest:\n",
        "        for number, line in rest:\n            _KEPT.append(line)\n",
    ),
    _vice(
        "leaves the source open",
        "closes-its-streams",
        _READ,
        "        stream = source.open()\n        if stream:\n",
    ),
    _vice(
        "depends on the seed of hashes",
        "same-everywhere",
        _PHASES,
        "            phases=self.phases,\n            metadata={'seed': hash(serial_number)},\n",
    ),
    _vice(
        "the order of a set",
        "same-everywhere",
        _PHASES,
        "            phases=self.phases,\n            metadata={'names': list({p.name for p in self.phases} | {'alpha', 'beta', 'gamma', 'delta', verdict})},\n",
    ),
    # The process.
    _vice("prints", "writes-no-output", *_on_reading("print('reading', source.uri)")),
    _vice(
        "writes to the descriptor of standard error",
        "writes-no-output",
        *_on_reading("__import__('os').write(2, b'reading')"),
    ),
    _vice(
        "sets an environment variable",
        "changes-no-state",
        *_on_reading("__import__('os').environ['RIG'] = '1'"),
    ),
    _vice(
        "changes the folder",
        "changes-no-state",
        *_on_reading("__import__('os').chdir('/')"),
    ),
    _vice(
        "sets the locale",
        "changes-no-state",
        *_on_reading(
            "lc = __import__('locale'); lc.setlocale(lc.LC_NUMERIC, 'C.UTF-8')"
        ),
    ),
    _vice(
        "sets the time zone",
        "changes-no-state",
        *_on_reading(
            "__import__('os').environ['TZ'] = 'Asia/Tokyo'; __import__('time').tzset()"
        ),
    ),
    _vice(
        "configures logging",
        "changes-no-state",
        *_on_reading("__import__('logging').basicConfig(level=10)"),
    ),
    _vice(
        "switches logging off",
        "changes-no-state",
        *_on_reading("__import__('logging').disable(50)"),
    ),
    _vice(
        "ignores warnings",
        "changes-no-state",
        *_on_reading("__import__('warnings').simplefilter('ignore')"),
    ),
    _vice(
        "seeds random", "changes-no-state", *_on_reading("__import__('random').seed(1)")
    ),
    _vice(
        "raises the limit of csv",
        "changes-no-state",
        *_on_reading("__import__('csv').field_size_limit(1 << 24)"),
    ),
    _vice(
        "handles a signal",
        "changes-no-state",
        *_on_reading(
            "__import__('signal').signal(__import__('signal').SIGTERM, lambda *_: None)"
        ),
    ),
    _vice(
        "sets the precision of decimals",
        "changes-no-state",
        *_on_reading("__import__('decimal').getcontext().prec = 6"),
    ),
    _vice(
        "opens a socket",
        "asks-nothing-of-the-system",
        *_on_reading("__import__('socket').socket().close()"),
    ),
    _vice(
        "looks a name up",
        "asks-nothing-of-the-system",
        *_on_reading("__import__('socket').getaddrinfo('localhost', 80)"),
    ),
    _vice(
        "starts a program",
        "asks-nothing-of-the-system",
        *_on_reading("__import__('subprocess').run(['true'], check=False)"),
    ),
    _vice(
        "writes a file",
        "asks-nothing-of-the-system",
        *_on_reading("open('/tmp/rigbridge-vice', 'w').close()"),
    ),
    _vice(
        "starts a thread",
        "asks-nothing-of-the-system",
        *_on_reading(
            "t = __import__('threading').Thread(target=id, args=(1,)); t.start(); t.join()"
        ),
    ),
    # Detection.
    _vice(
        "claims everything",
        "leaves-the-foreign",
        _DETECT,
        'return Match(0.95, "may be")',
    ),
    _vice(
        "claims an empty file",
        "leaves-the-foreign",
        _DETECT,
        'return Match(0.3, "may be") if head.startswith(_MARK) or not head else None',
    ),
    _vice(
        "claims by a word that any text may hold",
        "leaves-the-foreign",
        _DETECT,
        'return Match(0.9, "has OK") if b"OK" in head else None',
    ),
    _vice(
        "claims what comes after its own",
        "detection-keeps-nothing",
        _DETECT,
        'self.seen = getattr(self, "seen", False) or head.startswith(_MARK); return Match(0.95, "as before") if self.seen else None',
    ),
    _vice(
        "breaks down on bytes that are no text",
        "detection-never-raises",
        _DETECT,
        'return Match(0.95, "begins with BURNIN 2") if head.decode().startswith("BURNIN 2;") else None',
    ),
    # The contract.
    _vice(
        "a name with a blank",
        "protocol",
        'name: ClassVar[str] = "example-rig"',
        'name: ClassVar[str] = "Example Rig"',
    ),
    _vice(
        "demands settings",
        "protocol",
        "settings: ExampleRigSettings | None = None",
        "settings: ExampleRigSettings",
    ),
    _vice(
        "records nothing", "accounts", '            report.mapped("measurement")\n', ""
    ),
    _vice(
        "records a loss without its place",
        "accounts",
        "                station=self.station,\n            )\n        except (ValueError, Over",
        "                station=self.station,\n            ) if text else None\n        except (ValueError, Over",
        '            report.mapped("log")\n',
        '            report.mapped("log")\n            report.coerced("log", "level unknown")\n',
    ),
    _vice(
        "opens the file by its path",
        "reads-every-run",
        _READ,
        "        with open(source.uri, 'rb') as stream:\n",
    ),
    _vice(
        "reads the stored bytes, packed or not",
        "reads-gzip",
        _READ,
        "        with source.stored() as stream:\n",
    ),
)

_numbers = count()


def adapter_of(vice: Vice | None, folder: Path) -> Any:
    """Make the adapter with a vice, from a module of its own in a folder."""
    text = SOUND.read_text(encoding="utf-8")
    for old, new in () if vice is None else vice.changes:
        assert old in text, f"the sound adapter has no {old!r} any more"
        text = text.replace(old, new)
    name = f"rigbridge_vice_{next(_numbers)}"
    file = folder / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # One of the vices demands settings.
    return module.ExampleRigAdapter(None)
