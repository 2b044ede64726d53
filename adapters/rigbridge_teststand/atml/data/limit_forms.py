"""What is read of limits, as tables; `limits` reads it."""

from __future__ import annotations

from rigbridge_teststand.atml.data.properties import PROPERTY
from rigbridge_teststand.atml.data.values import DATUM
from rigbridge_teststand.atml.forms import Form

__all__ = [
    "LIMIT_PROPERTIES",
    "LIMIT_SHAPES",
    "PROPERTY_NAMES",
    "RAW_SIDES",
    "TEST_LIMITS",
]

PROPERTY_NAMES = {
    "ThresholdType": "threshold_type",
    "IsComparisonTypeLog": "log_only",
    "IsTestMeasurement": "test_measurement",
    "ThresholdLow": "limit.ThresholdLow",
    "ThresholdHigh": "limit.ThresholdHigh",
}
"""The key of each property of TestStand about limits."""

RAW_SIDES = ("Nominal", "Low", "High")
"""The properties in ``RawLimits``."""

LIMIT_PROPERTIES = Form(
    children={
        **dict.fromkeys(PROPERTY_NAMES, PROPERTY),
        "RawLimits": Form(
            children=dict.fromkeys(RAW_SIDES, PROPERTY), once=frozenset(RAW_SIDES)
        ),
    },
    once=frozenset({*PROPERTY_NAMES, "RawLimits"}),
    others=True,
)
"""What is read of ``TSLimitProperties``; its children of other names are kept whole."""

_ONE_DATUM = frozenset({"Datum"})
_COMPARED = frozenset({"comparator", "name"})
_BOUND = Form(attributes=_COMPARED, children={"Datum": DATUM}, once=_ONE_DATUM)
_PAIR = Form(
    attributes=frozenset({"operator", "name"}),
    children={
        "Limit": _BOUND,
        "Nominal": Form(children={"Datum": DATUM}, once=_ONE_DATUM),
    },
    once=frozenset({"Nominal"}),
)
_EXTENSION = Form(
    children={"TSLimitProperties": LIMIT_PROPERTIES},
    once=frozenset({"TSLimitProperties"}),
    others=True,
)
_SHAPE_FORMS = {
    "Expected": _BOUND,
    "SingleLimit": _BOUND,
    "LimitPair": _PAIR,
    # A mask and a description are kept whole.
    "Mask": None,
}
_LIMITS = Form(
    attributes=frozenset({"operator", "name", "comparator"}),
    children={
        **_SHAPE_FORMS,
        "LimitLow": DATUM,
        "LimitHigh": DATUM,
        "Extension": _EXTENSION,
        "Description": None,
    },
    once=frozenset({"Extension", "LimitLow", "LimitHigh"}),
    others=True,
)
LIMIT_SHAPES: dict[str, Form | None] = {"Limits": _LIMITS, "Limit": _BOUND}
"""What some exporters write right inside a result."""

TEST_LIMITS = Form(
    children={
        **_SHAPE_FORMS,
        "Extension": _EXTENSION,
        **LIMIT_SHAPES,
    },
    once=frozenset({"Extension"}),
)
"""What is read of ``TestLimits``."""
