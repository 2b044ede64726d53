"""
TofuPilot's column mapping as a profile.

The mapping is the one of its tabular import: ``fields`` with a column or a value each,
``measurements`` with a ``layout`` (``none``, ``wide``, ``long``), ``phases`` and
``metadata``. Its keys may be written as JSON has them (``nameColumn``) or as Python
does (``name_column``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rigbridge_csv.profiles.checks import check_choice, setting_error, table

__all__ = ["from_column_mapping", "is_column_mapping"]

_FIELDS = {
    "serial_number": "serial_number",
    "outcome": "run_outcome",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "part_number": "part_number",
    "revision_number": "revision",
    "batch_number": "batch_number",
    "operated_by": "operator",
    "docstring": "docstring",
}
_LONG = {
    "name_column": "measurement",
    "value_column": "value",
    "units_column": "unit",
    "lower_column": "lower_limit",
    "upper_column": "upper_limit",
    "outcome_column": "outcome",
    "phase_column": "phase",
}
_PHASES = {
    "name_column": "phase",
    "outcome_column": "phase_outcome",
    "started_column": "phase_started_at",
    "ended_column": "phase_ended_at",
}
_PARTS = ("fields", "measurements", "phases", "metadata", "unit_metadata")
_CALL = ("procedure_id", "upload_id", "template_id")
_COLUMN = {
    "column": "column",
    "name": "name",
    "units": "unit",
    "lower_limit": "lower",
    "upper_limit": "upper",
    "phase": "phase",
}
_TEXT = {"key": "name", "column": "column", "value": "value"}


def is_column_mapping(value: object) -> bool:
    """Say whether a document is a column mapping, or the call that holds one."""
    if not isinstance(value, Mapping):
        return False
    document = cast("Mapping[str, object]", value)
    inner = document.get("mapping", document)
    if not isinstance(inner, Mapping):
        return False
    measurements = cast("Mapping[str, object]", inner).get("measurements")
    return isinstance(measurements, Mapping) and "layout" in measurements


def _snake(name: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)


def _plain(value: object, place: str) -> dict[str, Any]:
    return {_snake(key): item for key, item in table(value, place).items()}


def _renamed(
    given: Mapping[str, Any], names: Mapping[str, str], place: str
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, item in given.items():
        check_choice(key, names, "key", f"{place}.{key}")
        if item is not None:
            made[names[key]] = item
    return made


def from_column_mapping(name: str, document: object, place: str = "") -> dict[str, Any]:
    """
    Give the plain table of a profile for a column mapping.

    Args:
        document: the mapping, or the call that holds it with its procedure's id.

    Raises:
        ConfigurationError: it is no column mapping; names the key.
    """
    call = _plain(document, place)
    mapping = _plain(call["mapping"], f"{place}.mapping") if "mapping" in call else call
    outcomes: dict[str, str] = {}
    fields: dict[str, Any] = {}
    for key in mapping:
        if mapping is not call or key not in _CALL:
            check_choice(key, _PARTS, "part of a mapping", f"{place}.{key}")
    for key, source in _plain(mapping.get("fields") or {}, f"{place}.fields").items():
        check_choice(key, _FIELDS, "field", f"{place}.fields.{key}")
        if source is None:
            continue
        inner = f"{place}.fields.{key}"
        given = _plain(source, inner)
        _take_words(given, outcomes, inner)
        fields[_FIELDS[key]] = given
    if procedure := call.get("procedure_id"):
        fields["procedure_id"] = {"value": procedure}
    profile: dict[str, Any] = {"name": name, "fields": fields}
    profile.update(_measurements(mapping, fields, place))
    if phases := mapping.get("phases"):
        inner = f"{place}.phases"
        given = _plain(phases, inner)
        _take_words(given, outcomes, inner)
        named = _renamed(given, _PHASES, inner)
        if fields.get("phase", named.get("phase")) != named.get("phase"):
            raise setting_error(
                "is another column than that of measurements.phase_column",
                f"{inner}.name_column",
                "name one column for the phases",
            )
        fields.update(named)
    if outcomes:
        profile["outcomes"] = outcomes
    profile["metadata"] = _kept(mapping, place)
    return profile


def _kept(mapping: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    """Give what is kept with the run; what is said of its unit stands there as well."""
    kept: dict[object, dict[str, Any]] = {}
    for part in ("metadata", "unit_metadata"):
        for index, item in enumerate(mapping.get(part) or ()):
            inner = f"{place}.{part}[{index}]"
            made = _renamed(_plain(item, inner), _TEXT, inner)
            if part == "unit_metadata" and made.get("name") in kept:
                made["name"] = f"unit {made['name']}"
            kept[made.get("name", inner)] = made
    return list(kept.values())


def _take_words(given: dict[str, Any], outcomes: dict[str, Any], place: str) -> None:
    """Add the words of a verdict column to those of the profile, which has one list."""
    inner = f"{place}.value_map"
    for word, verdict in table(given.pop("value_map", None) or {}, inner).items():
        if outcomes.setdefault(word, verdict) != verdict:
            raise setting_error(
                f"is {verdict} here and {outcomes[word]} elsewhere in the mapping",
                f"{inner}.{word}",
                "one word has one meaning in a file",
            )


def _measurements(
    mapping: Mapping[str, Any], fields: dict[str, Any], place: str
) -> dict[str, Any]:
    inner = f"{place}.measurements"
    given = _plain(mapping.get("measurements", {}), inner)
    layout = check_choice(
        given.pop("layout", None), ("none", "wide", "long"), "layout", f"{inner}.layout"
    )
    if layout == "long":
        fields.update(_renamed(given, _LONG, inner))
        return {"form": "long"}
    columns: object = [] if layout == "none" else given.get("columns")
    if not isinstance(columns, list):
        raise setting_error("is missing", f"{inner}.columns")
    made = [
        _renamed(
            _plain(item, f"{inner}.columns[{index}]"),
            _COLUMN,
            f"{inner}.columns[{index}]",
        )
        for index, item in enumerate(cast("list[object]", columns))
    ]
    return {"form": "wide", "measurements": {"columns": made}}
