"""How rows become runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import attrs

from rigbridge_csv.profiles.checks import (
    check_texts,
    from_mapping,
    members,
    setting_error,
    texts,
)
from rigbridge_csv.profiles.fields import Field

__all__ = ["RunRule", "run_rule"]


@attrs.frozen(kw_only=True)
class RunRule:
    """
    How rows become runs.

    Attributes:
        key: fields or header names whose change starts a new run.
        join: rows of one key are one run wherever they stand (``"by key"``).
        whole: the whole table is one run (``"file"``).
    """

    key: tuple[str, ...] = attrs.field(
        default=(Field.SERIAL_NUMBER, Field.STARTED_AT),
        converter=members,
        validator=texts,
    )
    join: bool = False
    whole: bool = False

    def __attrs_post_init__(self) -> None:
        for index, name in enumerate(self.key):
            if not name.strip():
                raise setting_error("must not be blank", f"key[{index}]")


def run_rule(value: object) -> RunRule | None:
    """
    Make the rule of what a profile says under ``runs``.

    Raises:
        ConfigurationError: it is no way to make runs; names the key.
    """
    if value is None or isinstance(value, RunRule):
        return value
    if value == "by key":
        return RunRule(join=True)
    if value == "file":
        return RunRule(key=(), whole=True)
    if isinstance(value, Mapping):
        return from_mapping(RunRule, cast("Mapping[str, object]", value), "runs")
    if isinstance(value, str):
        raise setting_error(
            f"{value!r} is no way to make runs",
            "runs",
            'write "by key", "file", or a list of fields and header names',
        )
    names = members(value)
    check_texts(names, "runs")
    for index, name in enumerate(names):
        if not name.strip():
            raise setting_error("must not be blank", f"runs[{index}]")
    return RunRule(key=names)
