"""The checks that several v2 calls make of their bodies."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UnsetType

from rigbridge_store.fields import MAX_NUMBER, MAX_TEXT, FieldChecks, text_or_none
from rigbridge_store.intake.metadata import MAX_ENTRIES
from rigbridge_store.intake.preparation import MAX_NAME
from rigbridge_store.server.v2.bodies.sent_runs import MetadataValue

__all__ = ["RESERVED", "check_metadata", "require_valid", "trimmed"]

RESERVED = "tofupilot.v2"
"""The name under which a run's metadata keeps what only v2 has."""


def trimmed(value: str | UnsetType | None) -> str | None:
    """Give a text without the blanks around it, which v2 never tells apart."""
    text = text_or_none(value)
    return None if text is None else text.strip()


def check_metadata(
    values: Mapping[str, MetadataValue | None], path: str, checks: FieldChecks
) -> None:
    """Check the names of custom metadata."""
    if len(values) > MAX_ENTRIES:
        checks.report(path, f"has {len(values)} keys, at most {MAX_ENTRIES} allowed")
    for name in values:
        # The reserved name would overwrite what only v2 has of the run.
        if not name.strip() or len(name) > MAX_NAME or name == RESERVED:
            # Cut, since a name may be as long as the body.
            checks.report(f"{path}.{name[:40]}", "is no name that can be given")


def require_valid(
    *,
    numbers: Mapping[str, str | None] | None = None,
    name: str | None = None,
    metadata: Mapping[str, MetadataValue | None] | None = None,
) -> None:
    """
    Check what names something; None is not given.

    Args:
        numbers: numbers of parts, revisions, batches or units, by their fields.
        name: the field ``name``.
        metadata: the field ``metadata``.

    Raises:
        BadRequestError: something is blank or too long, or no name of metadata.
    """
    checks = FieldChecks()
    texts = [(path, text, MAX_NUMBER) for path, text in (numbers or {}).items()]
    for path, text, limit in (*texts, ("name", name, MAX_TEXT)):
        if text is not None:
            checks.filled(text, path)
            checks.bounded(text, path, limit=limit)
    check_metadata(metadata or {}, "metadata", checks)
    checks.refuse_any()
