"""The formats of an export, and what writes rows in one of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar

from rigbridge.destinations import MeasurementKind, RunRows
from rigbridge.errors import ConfigurationError

__all__ = ["ExportFormat", "FormatWriter", "make_room"]

_Known = TypeVar("_Known")

_MOST_KINDS = 10_000


class ExportFormat(StrEnum):
    """
    What an exported file is.

    CSV and PARQUET have one row a measurement; JSONL has whole runs, one a line, and
    the contents of their attachments in a folder beside.
    """

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"

    @classmethod
    def of(cls, path: Path) -> ExportFormat:
        """
        Tell the format by a file's name.

        Raises:
            ConfigurationError: the name ends with none of them.
        """
        try:
            return cls(path.suffix.lower().removeprefix("."))
        except ValueError as error:
            known = ", ".join(f".{item}" for item in cls)
            raise ConfigurationError(
                "the file's name does not tell the format",
                source=str(path),
                remedy=f"let it end with one of {known}, or use --format",
            ) from error


class FormatWriter(Protocol):
    """Writes rows to a stream, in the order in which they are added."""

    def add(self, rows: RunRows) -> None:
        """Write the rows of a run."""
        ...

    def finish(self) -> None:
        """Write what is still held back."""
        ...


def make_room(known: dict[MeasurementKind, _Known]) -> None:
    """Forget kinds of measurements if they are many, as those of restored runs are."""
    if len(known) >= _MOST_KINDS:
        # All at once: nothing tells which of them come again.
        known.clear()
