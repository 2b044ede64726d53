"""
What a test is called and judged by, where a record leaves it to an earlier one.

Only the first record of a test number has to say its limits, units and scales. A later
one may say its own, for itself alone. Testers use a number for several tests, too: each
name of a number then has defaults of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from rigbridge.errors import MalformedSourceError
from rigbridge_stdf.parts.summaries import MAX_TESTS
from rigbridge_stdf.parts.texts import clean_text
from rigbridge_stdf.records.record import Fields

__all__ = ["Notes", "TestDefaults"]

Notes: TypeAlias = list[tuple[str, str, str | None]]
"""What was changed: the kind of element, the rule and a detail."""

# OPT_FLAG of PTR and MPR (STDF V4): each bit says that a field of the record itself
# does not count.
_NO_SCALE, _NO_INPUT, _NO_LOW_SPEC, _NO_HIGH_SPEC = 1, 2, 4, 8
_LOW_BY_DEFAULT, _HIGH_BY_DEFAULT, _NO_LOW, _NO_HIGH = 16, 32, 64, 128

# Fields with the bits that make a record's own value invalid, and those that say there
# is none at all.
_NUMBERS: tuple[tuple[str, int, int], ...] = (
    ("RES_SCAL", _NO_SCALE, 0),
    ("LLM_SCAL", _LOW_BY_DEFAULT, _NO_LOW),
    ("LO_LIMIT", _LOW_BY_DEFAULT, _NO_LOW),
    ("HLM_SCAL", _HIGH_BY_DEFAULT, _NO_HIGH),
    ("HI_LIMIT", _HIGH_BY_DEFAULT, _NO_HIGH),
    # Those of the specification are set once, and never change.
    ("LO_SPEC", _NO_LOW_SPEC, 0),
    ("HI_SPEC", _NO_HIGH_SPEC, 0),
)
_INPUT = ("START_IN", "INCR_IN")
_TEXTS = ("UNITS", "UNITS_IN", "C_RESFMT", "C_LLMFMT", "C_HLMFMT")
_ARRAYS = ("RTN_INDX",)
_FUNCTIONAL = ("PATG_NUM", "SPIN_MAP")
_NOTHING: Mapping[str, Any] = {}
_OTHER_NAME = "limits of another test of the same number"


class TestDefaults:
    """
    The defaults of the tests of one lot.

    Args:
        names: the names of tests by number, of the summary of the lot.
    """

    # pytest would take a class of this name for tests.
    __test__ = False

    def __init__(self, names: Mapping[int, str], source: str) -> None:
        self._names = names
        self._source = source
        self._first: dict[tuple[str, int, str | None], Mapping[str, Any]] = {}

    def complete(self, kind: str, fields: Fields, notes: Notes) -> Mapping[str, Any]:
        """
        Complete the fields of a test's record.

        Args:
            kind: ``PTR``, ``MPR`` or ``FTR``.
            notes: takes what was changed.

        Returns:
            The fields by name, without those that are missing or invalid, and ``name``.

        Raises:
            MalformedSourceError: the lot has more tests than any program has.
        """
        number: int = fields["TEST_NUM"]
        own = clean_text(fields.get("TEST_TXT"))
        same = self._first.get((kind, number, own)) if own else None
        first = same or self._first.get((kind, number, None), _NOTHING)
        found = dict(fields)
        found["name"] = own or first.get("name") or self._name(number, notes)
        if kind == "FTR":
            _inherit(found, first, _FUNCTIONAL)
        else:
            inherited = _complete_parametric(found, first)
            if inherited and own and same is None and own != first.get("name"):
                notes.append(("limit", _OTHER_NAME, own))
        self._keep((kind, number, None), found)
        if own:
            self._keep((kind, number, own), found)
        return found

    def _name(self, number: int, notes: Notes) -> str:
        known = self._names.get(number)
        if known is not None:
            notes.append(("name", "that of the summary of its test", known))
            return known
        notes.append(("name", "the test has none, made of its number", str(number)))
        return f"Test {number}"

    def _keep(self, key: tuple[str, int, str | None], found: Mapping[str, Any]) -> None:
        if key in self._first:
            return
        # Bounded: a program that writes the number of the part into TEST_TXT would
        # otherwise define a test for each part.
        if len(self._first) >= 2 * MAX_TESTS:
            raise MalformedSourceError(
                f"a lot defines more than {MAX_TESTS:,} tests",
                source=self._source,
                remedy="see whether TEST_TXT counts parts; the runs before are kept",
            )
        kept = (*(name for name, _, _ in _NUMBERS), *_INPUT, *_TEXTS, *_ARRAYS)
        self._first[key] = {
            name: found[name] for name in ("name", *kept, *_FUNCTIONAL) if name in found
        }


def _complete_parametric(found: dict[str, Any], first: Mapping[str, Any]) -> bool:
    """Complete limits, units and scales; tell whether a limit was inherited."""
    # A record that ends before OPT_FLAG has no field that it could make invalid.
    flags: int = found.get("OPT_FLAG", 0)
    inherited = False
    for name, invalid, none in _NUMBERS:
        if flags & none:
            found.pop(name, None)
        elif name not in found or flags & invalid:
            found.pop(name, None)
            if name in first:
                found[name] = first[name]
                inherited = inherited or name in {"LO_LIMIT", "HI_LIMIT"}
    # START_IN and INCR_IN have one bit for both: a start without its step means
    # nothing.
    if flags & _NO_INPUT:
        for name in _INPUT:
            found.pop(name, None)
    else:
        _inherit(found, first, _INPUT)
    for name in _TEXTS:
        written = found.pop(name, None)
        # A single zero overrides the default by nothing.
        text = clean_text(written) or (None if written == "\0" else first.get(name))
        if text is not None:
            found[name] = text
    _inherit(found, first, _ARRAYS)
    return inherited


def _inherit(
    found: dict[str, Any], first: Mapping[str, Any], names: tuple[str, ...]
) -> None:
    for name in names:
        if found.get(name) in (None, [], "") and name in first:
            found[name] = first[name]
