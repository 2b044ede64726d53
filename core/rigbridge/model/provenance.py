"""Where a run came from, and the identity that follows from it."""

from __future__ import annotations

from uuid import UUID, uuid5

import attrs

from rigbridge.errors import ModelError
from rigbridge.model.values import (
    as_path_text,
    count_or_none,
    optional_text,
    sha256_or_none,
    text,
)

__all__ = ["Provenance", "run_id"]

_NAMESPACE = UUID("6d7d4dd2-3d4f-5a53-9d0a-6f2a3c1d9b60")


def run_id(digest: str, adapter: str, index: int) -> UUID:
    """
    Derive the id of a run that stands in a file.

    Any machine that reads the same bytes with the same adapter makes the same id,
    so that a store can tell a repeated import from a second run.

    Args:
        digest: the SHA-256 of the file's bytes, in lower-case hex.
        adapter: the name of the adapter.
        index: the run's position in the file, counted from 0.
    """
    return uuid5(_NAMESPACE, f"{digest}\n{adapter}\n{index}")


@attrs.frozen(kw_only=True)
class Provenance:
    """
    The source of a run.

    Attributes:
        adapter: the name of the adapter that read it.
        adapter_version: the version of the distribution that holds the adapter.
        uri: the path or address of the source, or None for a live test.
        digest: the SHA-256 of the source's bytes, as it was when this run was read, or
            None for a live test.
        index: the run's position in the source, counted from 0, or None.
        content: the SHA-256 of what the source says of this run alone, where that tells
            it apart from every other run; None where its position does. The id then
            stays the same when a source grows.
        format: the name of the format (``TestStand XML``), or None.
        format_version: its version, or None.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    adapter: str = attrs.field(validator=text)
    adapter_version: str | None = attrs.field(default=None, validator=optional_text)
    uri: str | None = attrs.field(
        default=None, converter=as_path_text, validator=optional_text
    )
    digest: str | None = attrs.field(default=None, validator=sha256_or_none)
    index: int | None = attrs.field(default=None, validator=count_or_none)
    content: str | None = attrs.field(default=None, validator=sha256_or_none)
    format: str | None = attrs.field(default=None, validator=optional_text)
    format_version: str | None = attrs.field(default=None, validator=optional_text)

    @property
    def run_id(self) -> UUID:
        """
        The id of the run, as it follows from where the run stands.

        Raises:
            ModelError: the digest or the index is unknown.
        """
        if self.content is not None:
            return uuid5(_NAMESPACE, f"{self.content}\n{self.adapter}")
        if self.digest is None or self.index is None:
            raise ModelError(
                "a run has a derived id only if its source is a file",
                path="Provenance.digest",
            )
        return run_id(self.digest, self.adapter, self.index)
