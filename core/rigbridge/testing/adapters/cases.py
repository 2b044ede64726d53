"""What an adapter is tried on: samples, and the case of an adapter with its samples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import attrs

from rigbridge.adapters import Adapter, Source

__all__ = ["AdapterCase", "Sample"]


@attrs.frozen(kw_only=True)
class Sample:
    """
    A well-formed source that an adapter must read.

    Attributes:
        content: its bytes.
        runs: how many runs it holds; None where that is not known.
        unread: regular expressions of lines that say nothing by the rules of the
            format, such as ``^#`` for comments: what they match may change without
            that anything differs. State in your documentation what they leave out.
        padding: of a sample that is no text, the bytes that say nothing by the rules of
            the format, as ranges of their positions: ``((12, 16),)``.
    """

    name: str
    content: bytes = attrs.field(repr=False)
    runs: int | None = 1
    unread: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    padding: tuple[tuple[int, int], ...] = attrs.field(
        default=(), converter=tuple[tuple[int, int], ...]
    )

    @classmethod
    def from_path(
        cls, path: Path, *, runs: int | None = 1, unread: tuple[str, ...] = ()
    ) -> Sample:
        """Make a sample of a file."""
        content = path.read_bytes()
        return cls(name=path.name, content=content, runs=runs, unread=unread)

    def source(self) -> Source:
        """Make a source of it."""
        return Source.from_bytes(self.content, self.name)

    def says_nothing(self, line: str) -> bool:
        """Tell whether a line is one of those that ``unread`` names."""
        return any(re.search(pattern, line) for pattern in self.unread)


@attrs.frozen(kw_only=True)
class AdapterCase:
    """
    An adapter and what it is tried on.

    Attributes:
        adapter: an instance, with the settings that the samples need.
        samples: at least one well-formed source; one of them with three runs and more,
            if the format has several runs in a file.
        exempt: checks that do not apply to this adapter, each with the reason.
    """

    adapter: Adapter
    samples: tuple[Sample, ...] = attrs.field(
        converter=tuple[Sample, ...], validator=attrs.validators.min_len(1)
    )
    exempt: Mapping[str, str] = attrs.field(factory=dict[str, str])
