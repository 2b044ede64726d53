"""The results of the store's calls."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ["CreationResult", "StoredContent", "StoredFile", "UploadTicket"]


@attrs.frozen(kw_only=True)
class CreationResult:
    """
    The answer to a creation.

    Attributes:
        id: the run's id in the store.
        created: False if the run was there already.
        differs: whether it was there with other content, which stays unless replaced.
        differences: what of it differs, in words.
        replaced: whether this one took its place.
    """

    id: str
    created: bool
    warnings: tuple[str, ...] = ()
    differs: bool = False
    differences: tuple[str, ...] = ()
    replaced: bool = False


@attrs.frozen(kw_only=True)
class StoredContent:
    """
    Bytes that are safely on disk.

    Attributes:
        sha256: their digest in lower-case hex.
    """

    sha256: str
    size: int


@attrs.frozen(kw_only=True)
class StoredFile:
    """
    A file of a run.

    Attributes:
        mime_type: its media type, or None.
        size: its length in bytes, or None where only a reference is known.
        sha256: its digest, or None likewise.
        stored: whether the store has the bytes.
        is_report: whether it is the report that its run was read from. One that has
            grown brings the same run again, whose report stays the first one.
    """

    name: str
    mime_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    stored: bool = False
    is_report: bool = False


@attrs.frozen(kw_only=True)
class UploadTicket:
    """
    The grant of one upload.

    Attributes:
        token: the secret that the URL carries.
        expires_at: when the grant ends.
    """

    id: str
    token: str = attrs.field(repr=False)
    expires_at: datetime
