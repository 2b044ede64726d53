"""The settings of the adapter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import attrs

from rigbridge.errors import ConfigurationError

__all__ = ["JUnitSettings", "same_name"]

_RUNS = ("file", "suite")
_NO_LETTER = re.compile(r"[\W_]+")


def same_name(name: str) -> str:
    """Give what two spellings of a name have in common: letters and digits."""
    return _NO_LETTER.sub("", name).casefold()


def _names(value: object, self_: object, attribute: Any) -> tuple[str, ...]:
    del self_
    given: object = (value,) if isinstance(value, str) else value
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise ConfigurationError("must be a list of names", place=attribute.name)
    names: list[str] = []
    for index, name in enumerate(cast("Iterable[object]", given)):
        if not isinstance(name, str) or not same_name(name):
            raise ConfigurationError(
                f"{name!r} is no name of a property",
                place=f"{attribute.name}[{index}]",
            )
        names.append(name)
    return tuple(names)


def _properties(*names: str) -> Any:
    converter = attrs.Converter(_names, takes_self=True, takes_field=True)
    return attrs.field(default=names, converter=converter)


def _run(instance: object, attribute: object, value: str) -> None:
    del instance, attribute
    if value not in _RUNS:
        raise ConfigurationError(
            f"{value!r} is not one of {', '.join(_RUNS)}", place="run"
        )


@attrs.frozen(kw_only=True)
class JUnitSettings:
    """
    What the site declares about its JUnit reports.

    Names of properties are compared without case, blanks and punctuation.

    Attributes:
        run: ``file``: a file is one run; ``suite``: each outermost suite is one.
        procedure_name: the name of the procedure, whatever a report says.
        serial_number: the properties that hold the serial number of the unit.
        part_number: likewise its part number.
        part_name: likewise the name of its part.
        revision: likewise its revision.
        batch_number: likewise its batch.
        operator: likewise the operator.
        station: likewise the station; without one it is the host name.
        procedure: likewise the procedure.
        procedure_version: likewise its version.
        properties_kept: patterns of properties whose names look secret and are not
            (``token_count``); the values of all others are masked.

    Raises:
        ConfigurationError: a setting is wrong; the error names its path.
    """

    run: str = attrs.field(default="file", validator=_run)
    procedure_name: str | None = None
    serial_number: tuple[str, ...] = _properties(
        "serial_number",
        "serial",
        "sn",
        "unit_serial_number",
        "dut_serial_number",
        "dut_id",
        "uut_serial_number",
    )
    part_number: tuple[str, ...] = _properties("part_number", "pn")
    part_name: tuple[str, ...] = _properties("part_name")
    revision: tuple[str, ...] = _properties("revision", "part_revision")
    batch_number: tuple[str, ...] = _properties("batch_number", "batch", "lot")
    operator: tuple[str, ...] = _properties("operator", "operator_name")
    station: tuple[str, ...] = _properties("station", "station_id", "station_name")
    procedure: tuple[str, ...] = _properties("procedure", "procedure_name")
    procedure_version: tuple[str, ...] = _properties("procedure_version")

    properties_kept: tuple[str, ...] = _properties()

    def fields(self) -> dict[str, str]:
        """Give the field of a run that each property fills, by its bare name."""
        found: dict[str, str] = {}
        for field in attrs.fields(JUnitSettings):
            if field.name not in {"run", "procedure_name", "properties_kept"}:
                names: tuple[str, ...] = getattr(self, field.name)
                for name in names:
                    found.setdefault(same_name(name), field.name)
        return found
