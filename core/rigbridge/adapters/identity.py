r"""
A site's rules for the identity of a unit, a procedure and an operator.

Reports often lack what a store needs: the serial number stands only in the file name,
only batch and socket tell the units of a panel apart, the operator is a login and not
an e-mail address. The rules fill that in, by named groups of regular expressions, and
every field that they supplied is recorded as coerced. They never replace what the
report itself says of the unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import attrs

from rigbridge.errors import ConfigurationError
from rigbridge.model.report import ConversionReport, Place

if TYPE_CHECKING:
    from rigbridge.model import JSONObject, Run

__all__ = ["UNIT_GROUPS", "FieldRule", "IdentityRules", "source_name"]

_Patterns: TypeAlias = tuple[re.Pattern[str], ...]
_NAMED = re.compile(r"\{([^{}]+)\}")

UNIT_GROUPS = ("serial_number", "part_number", "revision", "batch_number")
"""The named groups that an expression may have: fields of the unit."""


def _from_file_name(value: Iterable[str | re.Pattern[str]]) -> _Patterns:
    return _compiled(value, "identity.file_name")


def _from_serial_number(value: Iterable[str | re.Pattern[str]]) -> _Patterns:
    return _compiled(value, "identity.serial_number")


def _from_fields(value: Iterable[FieldRule | Mapping[str, str]]) -> _FieldRules:
    rules: list[FieldRule] = []
    for index, given in enumerate(value):
        if isinstance(given, FieldRule):
            rules.append(given)
            continue
        key = f"identity.fields[{index}]"
        strange = sorted(given.keys() ^ {"text", "expression"})
        if strange:
            said = "is no known setting" if strange[0] in given else "is missing"
            raise ConfigurationError(
                said,
                place=f"{key}.{strange[0]}",
                remedy="give text and expression",
            )
        (expression,) = _compiled(given["expression"], f"{key}.expression")
        rules.append(FieldRule(text=given["text"], expression=expression))
    return tuple(rules)


def _compiled(expressions: Iterable[str | re.Pattern[str]], key: str) -> _Patterns:
    if isinstance(expressions, (str, re.Pattern)):
        expressions = (expressions,)
    compiled: list[re.Pattern[str]] = []
    for expression in expressions:
        try:
            pattern = re.compile(expression)
        except re.error as error:
            raise ConfigurationError(
                f"{expression!r} is no regular expression: {error}", place=key
            ) from error
        strange = sorted(set(pattern.groupindex) - set(UNIT_GROUPS))
        if strange or not pattern.groupindex:
            named = f"the group {strange[0]!r}" if strange else "no named group"
            raise ConfigurationError(
                f"{pattern.pattern!r} has {named}",
                place=key,
                remedy=f"use groups named {', '.join(UNIT_GROUPS)}",
            )
        compiled.append(pattern)
    return tuple(compiled)


@attrs.frozen(kw_only=True)
class FieldRule:
    """
    Searches in a text that is made of fields of the run.

    Attributes:
        text: the text, with the names of fields in braces
            (``{batch_number}-{test_socket_index}``): those of the unit, ``procedure``,
            ``station``, ``operator``, ``file_name``, and every key of the metadata. A
            run that lacks one of them is left as it is.
        expression: is searched in it; its named groups are those of ``UNIT_GROUPS``.
    """

    text: str
    expression: re.Pattern[str]

    def searched(self, run: Run, file_name: str) -> str | None:
        """Give the text for a run; None where the run lacks a field of it."""
        known: dict[str, object] = {
            **run.metadata,
            **attrs.asdict(run.unit),
            "procedure": run.procedure.name,
            "station": run.station,
            "operator": run.operator,
            "file_name": file_name,
        }
        named = {name: known.get(name) for name in _NAMED.findall(self.text)}
        if any(value is None or value == "" for value in named.values()):
            return None
        return _NAMED.sub(lambda match: str(named[match[1]]), self.text)


_FieldRules: TypeAlias = tuple[FieldRule, ...]


@attrs.frozen(kw_only=True)
class IdentityRules:
    """
    How to complete the identity of a run.

    Attributes:
        file_name: expressions searched in the file name, in order; what a named group
            (see ``UNIT_GROUPS``) finds fills that field where the report has none.
        fields: expressions searched in texts made of other fields of the run, likewise.
        serial_number: expressions searched in the serial number, likewise.
        procedures: the store's procedure id by procedure name.
        operators: the e-mail address by operator name.

    Raises:
        ConfigurationError: an expression that is none, or has other groups.
    """

    file_name: _Patterns = attrs.field(default=(), converter=_from_file_name)
    fields: _FieldRules = attrs.field(default=(), converter=_from_fields)
    serial_number: _Patterns = attrs.field(default=(), converter=_from_serial_number)
    procedures: Mapping[str, str] = attrs.field(factory=dict[str, str])
    operators: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def apply(self, run: Run, *, name: str, report: ConversionReport) -> Run:
        """
        Complete a run.

        Args:
            run: what the adapter read.
            name: the file name of its source.
            report: where each field that was supplied is recorded.
        """
        run = self._fill(
            run, self.file_name, name, "supplied from the file name", report
        )
        for rule in self.fields:
            text = rule.searched(run, name)
            if text is not None:
                said = f"supplied from {rule.text}"
                run = self._fill(run, (rule.expression,), text, said, report)
        number = run.unit.serial_number
        if number is not None:
            run = self._fill(
                run,
                self.serial_number,
                number,
                "supplied from the serial number",
                report,
            )
        procedure = self.procedures.get(run.procedure.name or "")
        if procedure is not None and run.procedure.id is None:
            report.coerced(
                "procedure",
                "id supplied from the name",
                place=Place(path="$.procedure.id"),
                detail=procedure,
            )
            run = attrs.evolve(run, procedure=attrs.evolve(run.procedure, id=procedure))
        operator = self.operators.get(run.operator or "")
        if operator is not None:
            report.coerced(
                "operator",
                "e-mail address supplied from the name",
                place=Place(path="$.operator"),
                detail=run.operator,
            )
            run = attrs.evolve(
                run,
                operator=operator,
                metadata={**run.metadata, "operator_name": run.operator},
            )
        return run

    def as_table(self) -> JSONObject:
        """Write the rules as they would stand in a configuration."""
        return {
            "file_name": [pattern.pattern for pattern in self.file_name],
            "fields": [
                {"text": rule.text, "expression": rule.expression.pattern}
                for rule in self.fields
            ],
            "serial_number": [pattern.pattern for pattern in self.serial_number],
            "procedures": dict(self.procedures),
            "operators": dict(self.operators),
        }

    def told_by_serial_number(self, serial_number: str) -> dict[str, str]:
        """Tell the fields of a unit (see ``UNIT_GROUPS``) that its number holds."""
        return _found(self.serial_number, serial_number)

    @staticmethod
    def _fill(
        run: Run,
        patterns: _Patterns,
        text: str,
        rule: str,
        report: ConversionReport,
    ) -> Run:
        supplied = {
            field: value
            for field, value in _found(patterns, text).items()
            if not getattr(run.unit, field)
        }
        for field, value in supplied.items():
            report.coerced(
                field.replace("_", " "),
                rule,
                place=Place(path=f"$.unit.{field}"),
                detail=value,
            )
        if not supplied:
            return run
        return attrs.evolve(run, unit=attrs.evolve(run.unit, **supplied))


def source_name(run: Run) -> str:
    """Name the file that a run was read from, without folders; empty if from none."""
    uri = "" if run.source is None else run.source.uri or ""
    return uri.replace("\\", "/").rpartition("/")[2]


def _found(patterns: _Patterns, text: str) -> dict[str, str]:
    """Search the expressions in order; the first to fill a field wins."""
    found: dict[str, str] = {}
    for pattern in patterns:
        match = pattern.search(text)
        for field, value in (match.groupdict() if match else {}).items():
            if value and not value.isspace():
                found.setdefault(field, value)
    return found
