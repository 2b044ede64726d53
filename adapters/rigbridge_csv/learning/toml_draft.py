"""A profile as it is drafted: keys as TOML, reasons, and what has to be declared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import cast

import attrs

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

__all__ = ["ProfileDraft", "as_configuration", "toml_key", "toml_value"]


@attrs.define
class ProfileDraft:
    """
    A draft of a profile.

    Attributes:
        lines: the profile as TOML, with comments.
        asks: what nobody can tell from the example and has to be declared.
    """

    name: str
    lines: list[str] = attrs.field(factory=list[str])
    asks: list[str] = attrs.field(factory=list[str])

    def say(self, key: str, value: object, why: str | None = None) -> None:
        """Add a key, with the reason for it."""
        if why is not None:
            self.lines.append(f"# {why}")
        if any(line.startswith(f"{key}.") for line in self.lines):
            # TOML allows no inline table where one of its keys stands alone.
            for name, part in cast("Mapping[str, object]", value).items():
                self.say(f"{key}.{name}", part)
            return
        self.lines.append(f"{key} = {toml_value(value)}")

    def ask(self, words: str, line: str | None = None) -> None:
        """Add what has to be declared, and how that would be written."""
        self.asks.append(words)
        self.lines.append(f"# DECLARE: {words}")
        if line is not None:
            self.lines.append(f"# {line}")

    @property
    def text(self) -> str:
        """The profile as a file."""
        # What TOML forbids in comments, where lines of the example are shown.
        return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", "\n".join(self.lines)) + "\n"


def as_configuration(text: str) -> str:
    """
    Write a draft as one of the profiles of a configuration.

    Args:
        text: the draft; one that only names a built-in profile has no keys.
    """
    keys = any(line and not line.startswith("#") for line in text.splitlines())
    table = "adapters.csv.profiles"
    nested = re.sub(r"^\[(?=\w)", f"[{table}.", text, flags=re.MULTILINE)
    return f"\n[[{table}]]\n{nested}" if keys else f"\n{text}"


def toml_value(value: object) -> str:
    """Write a value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        table = cast("Mapping[object, object]", value)
        inner = ", ".join(
            f"{toml_key(str(k))} = {toml_value(v)}" for k, v in table.items()
        )
        return f"{{ {inner} }}"
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        return f"[{', '.join(toml_value(item) for item in items)}]"
    text = str(value)
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    # A text of JSON is one of TOML, but for one sign.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(text: str) -> str:
    """Write a key as TOML has it."""
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else toml_value(text)
