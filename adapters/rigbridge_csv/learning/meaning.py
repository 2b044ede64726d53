"""What the columns of an example mean: fields, form, dates, decimal sign, verdicts."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files

import attrs

from rigbridge.adapters.text.dates import parse_time
from rigbridge.adapters.text.numbers import GROUPED
from rigbridge.adapters.text.verdicts import VERDICT_WORDS
from rigbridge_csv.learning.layout import LogLayout, is_unit
from rigbridge_csv.learning.sample import is_number
from rigbridge_csv.profiles.fields import Field

__all__ = [
    "DATE",
    "KEY_WORDS",
    "UNNAMED",
    "USUAL_WORDS",
    "ColumnTexts",
    "clock_of",
    "field_of",
    "find_dates",
    "find_fields",
    "find_form",
    "is_by",
    "is_clock",
    "is_counter",
    "is_x",
    "name_columns",
    "number_signs",
    "unknown_words",
]

_WORDS: Mapping[Field, Sequence[str]] = {
    Field(name): words
    for name, words in tomllib.loads(
        (files("rigbridge_csv.learning") / "words.toml").read_text("utf-8")
    ).items()
}
_PATTERNS = {field: re.compile("|".join(words)) for field, words in _WORDS.items()}
_IN_ROWS = frozenset(
    {
        Field.PHASE,
        Field.MEASUREMENT,
        Field.VALUE,
        Field.UNIT,
        Field.LOWER_LIMIT,
        Field.UPPER_LIMIT,
        Field.LIMITS,
        Field.COMPARATOR,
        Field.OUTCOME,
        Field.DOCSTRING,
    }
)
KEY_WORDS = tuple(
    field for field in _WORDS if field not in _IN_ROWS and field is not Field.PART_NAME
)
"""The fields that a line of a name and its text may hold."""

_X = re.compile(
    r"(?:x|x[ _-]?(?:axis|value|data)|time|t|time ?stamp|elapsed.*|test[ _]?time.*"
    r"|total[ _]?time.*|seconds?|sec|freq(?:uency)?|f|index|sample|point|data_?point"
    r"|iteration|n|zeit|date[ _/]?time|wavelength|angle|position|step[ _]?time|time/s"
    r"|distance|rec#?|record|date)\s*(?:[\[(].*[\])])?|date.{0,3}time\b.*"
    # Any name whose unit is one of time.
    r"|.*[\[(](?:s|sec|seconds?|ms|min|h)[\])]",
    re.IGNORECASE,
)
_NO_TIME = re.compile(
    r"\s*t\s*[\[(](?!(?:[munpµ]?s|sec|seconds?|min|h)[\])]).*", re.IGNORECASE
)
_BY = re.compile(
    r"(?:cycle|step|cycle[ _]?(?:index|number|no|id)|cyc#?|segment|loop|ns"
    r"|step[ _]?(?:index|number|no|id|name))",
    re.IGNORECASE,
)
_COUNTERS = re.compile(
    r"(?:rec(?:ord)?#?|index|sample|point|data_?point|iteration|n|rn|#|no\.?|number|scan"
    r"|row|line)",
    re.IGNORECASE,
)
USUAL_WORDS: Mapping[str, str] = {
    word: verdict
    for verdict, words in {
        "PASS": "true|t|yes|y|io|i.o.|i.o|gut|bestanden|accept|accepted|go|conforme|bon"
        "|réussi|aprobado|apto|correcto|superato|positivo|buono|aprovado|zaliczony"
        "|pozytywny|goed|geslaagd|godkänd|合格|良|良品|通过|pass (retest)|oui|si|sí|ja",
        "FAIL": "false|no|f|n|nio|n.i.o.|n.i.o|schlecht|nicht bestanden|reject|rejected"
        "|nogo|no go|no-go|defect|non conforme|mauvais|échec|échoué|rechazado|no apto"
        "|incorrecto|non superato|negativo|scarto|reprovado|niezaliczony|negatywny"
        "|fout|afgekeurd|underkänd|不合格|不良|不良品|不通过|未通过|失败|non|nein",
    }.items()
    for word in words.split("|")
}
"""What verdict words usually mean that a profile has to declare, in lower case."""

_SHORT_DATES = ("%Y%m%d%H%M%S", "%Y%m%d_%H%M%S", "%Y%m%d-%H%M%S", "%Y%m%d %H%M%S")
_DECIMAL = re.compile(r"[+-]?\d*([.,])\d+(?:[eE][+-]?\d+)?")
# A power of ten or a unit.
_BEHIND = re.compile(r"(?<=\d)\s*[^\W\d_]{1,4}$")
_WORD_SPLIT = re.compile(r"[_\-.:#*@$?~]+|\s+")
DATE = re.compile(r"\d{1,4}\D\d{1,2}\D\d|\d{8}")
"""How a date begins."""
_KIND = re.compile(r".+(?:no|nr|num|number|code|type)\W*", re.IGNORECASE)
_RESULT = re.compile(r"results?|ergebnis|resultado|risultato|résultat", re.IGNORECASE)
# Of two columns of values, the one that was measured.
_MEASURED = re.compile(
    r"meas|read|actual|act|messwert|istwert|ist|测量值|測定値", re.IGNORECASE
)


UNNAMED = "column 1"
"""What the reader calls a first column without a name."""

_CLOCKS = frozenset(
    (
        *("time", "test time", "testtime", "test_time", "start time", "time of day"),
        *("clock", "uhrzeit", "zeit", "heure", "hora", "ora", "tijd", "czas"),
        *("時刻", "时间"),
    )
)


@attrs.frozen
class ColumnTexts:
    """A column of an example: its name and its cells."""

    name: str
    texts: list[str]

    @property
    def filled(self) -> list[str]:
        """Its cells that are not blank."""
        return [text for text in self.texts if text.strip()]

    @property
    def dated(self) -> bool:
        """Whether its cells begin with a date."""
        return bool(self.filled) and DATE.match(self.filled[0].strip()) is not None

    def numbers(self, decimal: str) -> float:
        """Give the share of numbers among the filled cells."""
        filled = self.filled
        return sum(is_number(text, decimal) for text in filled) / max(1, len(filled))


def clock_of(columns: Sequence[ColumnTexts], name: str) -> str | None:
    """Give the column of the time of day for one of dates, if these are apart."""
    texts = next(column for column in columns if column.name == name).filled
    if not texts or re.search(r"\d:\d", texts[0]):
        return None
    return next(
        (
            column.name
            for column in columns
            if column.name.casefold() in _CLOCKS
            and column.filled
            and re.match(r"\s*\d{1,2}:\d{2}", column.filled[0])
        ),
        None,
    )


def is_clock(name: str) -> bool:
    """Say whether a name is one of a time of day."""
    return name.casefold() in _CLOCKS


def _plain(name: str) -> str:
    # startedAt, StartTestTime: words of their own.
    spaced = re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])", " ", name)
    spaced = re.sub(r"\s*[(\[].*?[)\]]\s*$", "", spaced)
    return " ".join(_WORD_SPLIT.sub(" ", spaced).split()).casefold()


def field_of(name: str, fields: Sequence[Field] = tuple(_PATTERNS)) -> Field | None:
    """Say which field a name stands for, if for one."""
    plain = _plain(name)
    return next((field for field in fields if _PATTERNS[field].fullmatch(plain)), None)


def is_x(name: str) -> bool:
    """Say whether a name is one of what series are taken over."""
    # T [degC] is a temperature.
    return _X.fullmatch(name.strip()) is not None and not _NO_TIME.fullmatch(name)


def is_counter(name: str) -> bool:
    """Say whether a name is one of what only counts the rows."""
    return _COUNTERS.fullmatch(name.strip()) is not None


def is_by(name: str) -> bool:
    """Say whether a name is one of what divides a series."""
    return _BY.fullmatch(name.strip()) is not None


def number_signs(texts: Sequence[str]) -> tuple[str, str | None, bool]:
    """
    Find the signs within the numbers of cells.

    Returns:
        The decimal separator, the sign of thousands or None, and whether some numbers
        have another decimal separator.
    """
    # 1,234 may be either: it counts only where nothing else does.
    sure, either, groups = Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        bare = _BEHIND.sub("", text.strip())
        found = GROUPED.fullmatch(bare)
        if found is not None and (found["rest"] or found["sign"])[0] != found["sign"]:
            sure[found["rest"][0]] += 1
            groups[" " if found["sign"].isspace() else found["sign"]] += 1
        elif found is not None:
            either[found["sign"]] += 1
        elif (plain := _DECIMAL.fullmatch(bare)) is not None:
            sure[plain[1]] += 1
    counted = sure or either
    decimal = "," if counted[","] > counted["."] else "."
    other = "." if decimal == "," else ","
    thousands = next(
        (sign for sign, _ in groups.most_common() if sign != decimal), None
    )
    mixed = bool(sure[other] or (either[other] and thousands != other))
    return decimal, thousands, mixed


def find_dates(texts: Sequence[str]) -> tuple[str | None, str]:
    """
    Find the order in which dates are written.

    Returns:
        The format, or None where the texts do not tell it; and why.
    """
    filled = [text.strip() for text in texts if text.strip()]
    if not filled:
        return None, "no date was found"
    for form in ("iso", "unix", "unix-ms", "excel"):
        if all(parse_time(text, (form,)) is not None for text in filled):
            return form, f"{filled[0]!r} is a time in the format {form}"
    return _order(filled)


def _order(texts: Sequence[str]) -> tuple[str | None, str]:
    """Find the order of the parts of dates that are in no form of their own."""
    first = texts[0]
    for form in _SHORT_DATES:
        if all(parse_time(text, (form,)) is not None for text in texts):
            return form, f"{first!r} is a time in the format {form}"
    fits = [
        form
        for form in ("day-first", "month-first", "year-first")
        if all(parse_time(text, (form,)) is not None for text in texts)
    ]
    if len(fits) == 1:
        return fits[0], f"only {fits[0]} fits all of {len(texts)} dates"
    if fits and re.search(r"[^\W\d_]{3}", first):
        return fits[0], f"{first!r} names its month"
    if "day-first" in fits and re.match(r"\d+\.\d+\.", first):
        return "day-first", f"{first!r} has dots, and with them the day is first"
    if fits:
        return None, f"{first!r} does not tell which of {' and '.join(fits)}"
    return None, f"{first!r} is in no order that is known"


def find_fields(
    columns: Sequence[ColumnTexts], form: str, taken: Sequence[str] = ()
) -> dict[Field, str]:
    """Find the field of each column by its name."""
    wanted = [field for field in _WORDS if form == "long" or field not in _IN_ROWS]
    if form == "long" and any(
        field_of(column.name, [Field.OUTCOME]) for column in columns
    ):
        wanted = [field for field in wanted if field is not Field.RUN_OUTCOME]
        outcomes = [
            c
            for c in columns
            if field_of(c.name, [Field.OUTCOME]) and _fits(Field.OUTCOME, c)
        ]
        if len(outcomes) > 1:
            wanted.insert(0, Field.RUN_OUTCOME)
    found: dict[Field, str] = {}
    names = [column.name for column in columns]
    if Field.RUN_OUTCOME in wanted and (verdict := _verdicts(columns)) is not None:
        found[Field.RUN_OUTCOME] = verdict
    for column in columns:
        if column.name in found.values():
            continue
        if not column.name or column.name in taken or names.count(column.name) > 1:
            continue
        field = field_of(column.name, [field for field in wanted if field not in found])
        if field is not None and _fits(field, column):
            found[field] = column.name
    _choose(found, columns, form)
    return found


def _verdicts(columns: Sequence[ColumnTexts]) -> str | None:
    """Of several columns with verdicts (bins beside P and F), give that to be taken."""
    verdicts = [
        column
        for column in columns
        if field_of(column.name, [Field.RUN_OUTCOME])
        and _fits(Field.RUN_OUTCOME, column)
    ]
    if verdicts:
        verdicts += [c for c in columns if c not in verdicts and c.name and _judges(c)]
    if len(verdicts) < 2:  # nothing to choose
        return None
    return min(verdicts, key=lambda column: bool(unknown_words(column.filled))).name


def _choose(found: dict[Field, str], columns: Sequence[ColumnTexts], form: str) -> None:
    """Correct what names alone tell wrong, by what the columns hold."""
    program = found.get(Field.PROCEDURE, "")
    # "Test name" is that of a program, or that of each measurement.
    named = form == "long" and field_of(program, [Field.MEASUREMENT])
    if named and Field.MEASUREMENT not in found:
        found[Field.MEASUREMENT] = found.pop(Field.PROCEDURE)
    value = found.get(Field.VALUE)
    if value is None and form == "long":
        # "Result" is a verdict or, where it is a number, what was measured.
        values = [c.name for c in columns if _RESULT.fullmatch(c.name)]
        if values:
            found[Field.VALUE] = values[0]
    if value is not None and not _MEASURED.search(value):
        values = [
            c.name
            for c in columns
            if field_of(c.name, [Field.VALUE]) and c.name not in found.values()
        ]
        better = (name for name in values if _MEASURED.search(name))
        found[Field.VALUE] = next(better, value)
    if form != "series" and not {Field.OUTCOME, Field.RUN_OUTCOME} & found.keys():
        judging = [c.name for c in columns if c.name and _judges(c)]
        if judging:
            verdict = Field.OUTCOME if form == "long" else Field.RUN_OUTCOME
            found[verdict] = judging[0]
    if Field.SERIAL_NUMBER not in found:
        _choose_parts(found, columns, form)


def _choose_parts(
    found: dict[Field, str], columns: Sequence[ColumnTexts], form: str
) -> None:
    """Say what a column "Part" or "Type" is, where nothing else tells the unit."""
    part = found.get(Field.PART_NUMBER)
    filled = [text for c in columns if c.name == part for text in c.filled]
    if part is None or len(set(filled)) == 1:
        return
    if form == "long":
        # The type of each part of a board is none of the board.
        del found[Field.PART_NUMBER]
    elif len(filled) == len(set(filled)) and not _KIND.fullmatch(part):
        # "Part" is a number of a kind, or that of each piece.
        found[Field.SERIAL_NUMBER] = found.pop(Field.PART_NUMBER)


def _judges(column: ColumnTexts) -> bool:
    """Say whether a column holds nothing but verdicts, whatever it is called."""
    words = {text.strip().casefold() for text in column.filled}
    known = {word for word in words if word in VERDICT_WORDS or word in USUAL_WORDS}
    # T and F are many things.
    told = all(len(word) > 2 or word in ("ok", "ng", "io") for word in words)
    return bool(words) and words == known and told


def name_columns(columns: Sequence[ColumnTexts]) -> list[ColumnTexts]:
    """Name the columns of a table without names, where each row has a verdict."""
    judging = [column for column in columns if _judges(column)]
    texts = [
        column
        for column in columns
        if column not in judging and column.filled and column.numbers(".") == 0
    ]
    tests = [c for c in texts if len(set(c.filled)) > len(c.filled) / 2]
    numbers = [c for c in columns if c.numbers(".") == 1 and c not in columns[:1]]
    if not (judging and tests and numbers):
        return list(columns)
    names = {judging[0].name: "outcome", tests[0].name: "measurement"}
    names[numbers[0].name] = "value"
    if len(numbers) > 2:  # a value and two limits
        low, high = numbers[1], numbers[2]
        pairs = zip(low.filled, high.filled, strict=False)
        if all(float(a) <= float(b) for a, b in pairs):
            names |= {low.name: "lower_limit", high.name: "upper_limit"}
    units = [c for c in texts if c is not tests[0] and all(map(is_unit, c.filled))]
    if units:
        names[units[0].name] = "unit"
    return [attrs.evolve(c, name=names.get(c.name, c.name)) for c in columns]


def _known_words(column: ColumnTexts) -> bool:
    words = {text.strip().casefold() for text in column.filled}
    return any(word in VERDICT_WORDS or word in USUAL_WORDS for word in words)


def _fits(field: Field, column: ColumnTexts) -> bool:
    filled = column.filled
    if not filled:
        return False
    if field in (Field.STARTED_AT, Field.ENDED_AT):
        return _is_time(filled[:50])
    if field in (Field.RUN_OUTCOME, Field.OUTCOME):
        # A reading has a decimal sign, and below the range of a meter it is <0.5.
        return len(set(filled)) <= 12 and not all(  # few words
            is_number(bare := text.strip().lstrip("<>"))
            and ("." in bare or bare != text)
            for text in filled
        )
    if field is Field.SERIAL_NUMBER and _plain(column.name) == "vin":
        # The number of a vehicle has 17 signs; else it is an input voltage.
        return all(len(text.strip()) == 17 for text in filled)
    if field is Field.SERIAL_NUMBER:
        return not all(is_number(text) and "." in text for text in filled)
    # Steps are numbered, and named in another column.
    return field is not Field.MEASUREMENT or not all(map(is_number, filled))


def _is_time(texts: Sequence[str]) -> bool:
    first = texts[0].strip()
    # 12.5 is a number and 1.0s is how long it took; 14.03.2026 is a date.
    if re.fullmatch(r"[\d.,]+\s*(?:[^\W\d]{1,3})?", first) and first.count(".") < 2:
        return find_dates(texts)[0] is not None
    return find_dates(texts)[0] is not None or bool(
        re.match(r"\D{0,12}\d{1,4}[-/. ]", first)
    )


def unknown_words(texts: Sequence[str]) -> list[str]:
    """Give the verdict words of cells that nobody knows without a declaration."""
    words = dict.fromkeys(text.strip() for text in texts if text.strip())
    return [word for word in words if word.casefold() not in VERDICT_WORDS]


def find_form(layout: LogLayout, columns: Sequence[ColumnTexts]) -> tuple[str, str]:
    """
    Find what a row is.

    Returns:
        The form and why.
    """
    if layout.kinds:
        return "record", layout.reasons[0]
    names = [column.name for column in columns]
    measures = [n for n in names if field_of(n, [Field.MEASUREMENT])]
    values = [n for n in names if field_of(n, [Field.VALUE])]
    values += [c.name for c in columns if _RESULT.fullmatch(c.name) and c.numbers(".")]
    texts = [
        column
        for column in columns
        if column.name in measures and column.numbers(".") < 0.5  # names are texts
    ]
    if texts and values and len(columns) > 2:  # a name, a value and more
        return (
            "long",
            f"{texts[0].name!r} names what is measured, {values[0]!r} its value",
        )
    serials = [c for c in columns if field_of(c.name, [Field.SERIAL_NUMBER])]
    serial = next((c for c in serials if _fits(Field.SERIAL_NUMBER, c)), None)
    judging = [c for c in columns if field_of(c.name, [Field.RUN_OUTCOME])]
    # A status of an instrument is no verdict: PAU, CHA, 0000000.
    over = any(is_x(name) or is_by(name) for name in names)
    outcome = any(not over or _known_words(column) for column in judging)
    if serial is not None and len(set(serial.filled)) > max(
        1, len(serial.filled) // 10
    ):
        return "wide", f"{serial.name!r} tells a unit each row"
    if outcome and len(layout.data) < 2000:  # points have no verdicts
        return "wide", "each row has a verdict"
    return "series", "no column tells a unit or a verdict, and the rows are numbers"
