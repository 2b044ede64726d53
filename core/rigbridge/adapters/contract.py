"""The contract of an adapter: what a third party implements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import attrs

if TYPE_CHECKING:
    from rigbridge.adapters.context import ReadContext
    from rigbridge.adapters.source import Source
    from rigbridge.model import Run

__all__ = ["ADAPTER_GROUP", "Adapter", "Match"]

ADAPTER_GROUP = "rigbridge.adapters"
"""The entry-point group in which distributions offer their adapters."""


@attrs.frozen
class Match:
    """
    An adapter's claim on a source.

    Attributes:
        score: how sure it is, above 0 and up to 1. Use 0.9 and more for a format's
            own unmistakable mark, about 0.5 for a likely shape, 0.1 for a guess by
            the file name alone.
        reason: what it saw, for a person (``root element Reports of TestStand``).
    """

    score: float = attrs.field(
        validator=[attrs.validators.gt(0), attrs.validators.le(1)]
    )
    reason: str


@runtime_checkable
class Adapter(Protocol):
    """
    Reads one format.

    An adapter is a class that is made with its settings. It keeps no state between
    two sources, so that one instance may serve many threads.

    Attributes:
        name: what a user types (``teststand-xml``); equals the entry point's name.
        settings_type: an attrs class of the adapter's settings, each with a default.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[Any]]

    def __init__(self, settings: Any = None) -> None:
        """Take the settings, an instance of ``settings_type``, or None for defaults."""

    def detect(self, head: bytes, name: str) -> Match | None:
        """
        Say whether a source is of this format, without reading further.

        Args:
            head: up to the first 64 KiB of the source, decompressed.
            name: its file name, without folders.

        Returns:
            A score with a reason, or None. Never raises, whatever the bytes are.
        """
        ...

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """
        Read the runs of a source, one after the other.

        Everything in the source is recorded in ``context.report`` as mapped, coerced
        or dropped. A run that cannot be read is reported with
        ``context.failed(error)`` and does not stop its neighbours.

        Raises:
            MalformedSourceError: the source breaks the format; names the place.
            UnsafeSourceError: it holds something that is refused.
            NoRunError: it is well formed but holds no unit.
        """
        ...
