"""The rules for values of any kind."""

from __future__ import annotations

import array
import dataclasses
import json
import math
from collections import namedtuple
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.adapters import ConversionReport, Disposition, Spool
from rigbridge.model import Measurement
from rigbridge_openhtf import OpenHTFSettings
from rigbridge_openhtf.packed_values import encode_packed, pack, unpack
from rigbridge_openhtf.raw_record import RawMeasurement
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.measurements import read_measurement
from rigbridge_openhtf.translation.values import free_form, simplify, text_of

Point = namedtuple("Point", "x y")  # noqa: PYI024 - as test authors write them


class _Mode(Enum):
    FAST = 2


class _Level(IntEnum):
    HIGH = 3


class _Word(StrEnum):
    YES = "yes"


@dataclasses.dataclass
class _Reading:
    volts: float
    note: str


@attrs.frozen
class _Fixture:
    slot: int


class _LibraryNumber:
    """Gives its plain value as the scalars and arrays of numpy do."""

    def __init__(self, plain: Any) -> None:
        self._plain = plain

    def tolist(self) -> Any:
        """Give plain numbers."""
        return self._plain


class _Broken:
    def __str__(self) -> str:
        raise RuntimeError("no words")


class _Endless:
    def as_base_types(self) -> Any:
        return self


class _Text(str):
    __slots__ = ()


def _told(value: Any) -> Any:
    """Write a value down as a hand-over does, and read it as a translation does."""
    return unpack(msgspec.json.decode(encode_packed(pack(value))))


class TestRules:
    """Each kind of object has one rule, and its use is recorded."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (Decimal("1.25"), 1.25),
            (Fraction(1, 4), 0.25),
            (datetime(2024, 1, 15, 10, 30, tzinfo=UTC), "2024-01-15 10:30:00+00:00"),
            (date(2024, 1, 15), "2024-01-15"),
            (timedelta(minutes=1.5), 90.0),
            (_Mode.FAST, "FAST"),
            (_Level.HIGH, "HIGH"),
            (_Word.YES, "yes"),
            (b"OK 12", "OK 12"),
            (b"\x00\x1a\xff", "001aff"),
            (bytearray(b"ok"), "ok"),
            ({3, 1, 2}, [1, 2, 3]),
            (_Reading(4.5, "warm"), {"volts": 4.5, "note": "warm"}),
            (_Fixture(3), {"slot": 3}),
            (_Text("plain"), "plain"),
            (array.array("d", [1.5, 2.0]), [1.5, 2.0]),
            (PurePosixPath("/dev/a"), "/dev/a"),
            (2 + 1j, "(2+1j)"),
            (1 << 5000, hex(1 << 5000)),
        ],
    )
    def test_coerced(self, scope: Scope, value: Any, expected: Any) -> None:
        """The value is what its rule says, and the rule is recorded."""
        found = simplify(_told(value), scope, "value")
        assert found == expected
        assert type(found) is type(expected)
        assert scope.report.count(Disposition.COERCED, "value") == 1

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ((1, 2), [1, 2]),
            (Point(1, 2), {"x": 1, "y": 2}),
            (MappingProxyType({"a": 1}), {"a": 1}),
        ],
    )
    def test_containers_of_json(self, scope: Scope, value: Any, expected: Any) -> None:
        """What JSON writes as a list or an object is no change."""
        assert simplify(_told(value), scope, "value") == expected
        assert scope.report.count(Disposition.COERCED) == 0

    def test_array_libraries(self, scope: Scope) -> None:
        """A number or an array of numpy and its like becomes plain, by its own word."""
        assert simplify(_told(_LibraryNumber(0.5)), scope, "value") == 0.5
        assert simplify(_told(_LibraryNumber([0, 1])), scope, "value") == [0, 1]
        assert scope.report.count(Disposition.COERCED, "value") == 2

    @pytest.mark.parametrize("value", [_Broken(), _Endless()])
    def test_objects_that_cannot_be_read(self, scope: Scope, value: Any) -> None:
        """An object that fails is left out, and said to be."""
        assert simplify(_told(value), scope, "value") is None
        assert scope.report.count(Disposition.DROPPED, "value") == 1

    def test_surrogates(self, scope: Scope) -> None:
        """Half a surrogate pair is replaced, since nothing can write it."""
        assert simplify(_told("a\udc80b"), scope, "value") == "a\ufffdb"


class TestFreeForm:
    """Metadata and containers become strict JSON whatever they hold."""

    def test_keys(self, scope: Scope) -> None:
        """Keys are spelled as JSON spells them, and none is lost."""
        found = free_form(
            _told({1: "a", False: "b", None: "c", 1.5: "d"}), scope, "metadata"
        )
        assert found == {"1": "a", "false": "b", "null": "c", "1.5": "d"}

    def test_keys_that_spell_alike(self, scope: Scope) -> None:
        """Keys that become the same text are told apart."""
        assert free_form(_told({2: "a", "2": "b"}), scope, "m") == {"2": "a", "2'": "b"}

    def test_non_finite(self, scope: Scope) -> None:
        """Numbers that JSON cannot hold are spelled, and recorded."""
        value = {"a": math.nan, "b": [math.inf, -math.inf]}
        assert free_form(_told(value), scope, "metadata") == {
            "a": "NaN",
            "b": ["Infinity", "-Infinity"],
        }
        assert scope.report.count(Disposition.COERCED, "metadata") == 3

    def test_a_cycle_ends(self, scope: Scope) -> None:
        """A list that holds itself is cut off as text."""
        endless: list[Any] = [1]
        endless.append(endless)
        json.dumps(free_form(_told(endless), scope, "metadata"))
        assert scope.report.count(Disposition.COERCED, "metadata") > 0


class TestText:
    """Fields that are text."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [(None, None), ("", None), ("  ", None), ("a ", "a "), (3, "3"), (1.5, "1.5")],
    )
    def test_scalars(self, scope: Scope, value: Any, expected: str | None) -> None:
        """Null and blank are None, numbers are spelled, text stays as it is."""
        assert text_of(_told(value), scope, "text") == expected

    def test_a_list_is_no_text(self, scope: Scope) -> None:
        """A list where text belongs is left out, and said to be."""
        assert text_of(_told([1]), scope, "text") is None
        assert scope.report.count(Disposition.DROPPED, "text") == 1


class TestMeasuredValues:
    """Any measured value makes a measurement."""

    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text()
            | st.binary()
            | st.decimals()
            | st.datetimes()
            | st.timedeltas()
            | st.complex_numbers()
            | st.fractions(),
            lambda inner: (
                st.lists(inner)
                | st.tuples(inner, inner)
                | st.dictionaries(st.text() | st.integers() | st.booleans(), inner)
            ),
            max_leaves=8,
        )
    )
    def test_any_value(self, value: Any) -> None:
        """The measurement is made, and what it holds can be written."""
        scope = Scope(
            report=ConversionReport(), spool=Spool(), settings=OpenHTFSettings()
        )
        raw = RawMeasurement(name="m", outcome="PASS", value=_told(value))
        measurement = read_measurement(raw, 1, scope)
        assert isinstance(measurement, Measurement)
        json.dumps(measurement.value)

    @given(st.floats() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.text())
    def test_plain_values_stay(self, value: Any) -> None:
        """A number, a boolean or a text that can be written is not changed."""
        scope = Scope(
            report=ConversionReport(), spool=Spool(), settings=OpenHTFSettings()
        )
        raw = RawMeasurement(name="m", outcome="PASS", value=_told(value))
        found = read_measurement(raw, 1, scope).value
        assert type(found) is type(value)
        assert repr(found) == repr(value)
        assert scope.report.count(Disposition.COERCED) == 0
