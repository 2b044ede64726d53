"""The bodies of the v2 calls about files."""

from __future__ import annotations

from typing import Self

import attrs

from rigbridge_store.results import UploadTicket

__all__ = ["FileURL", "UploadGrant2", "upload_url"]


def upload_url(ticket: UploadTicket, origin: str) -> str:
    """Give the URL that an upload's bytes are PUT to; the grant is within it."""
    return f"{origin}/api/v1/uploads/{ticket.id}/{ticket.token}"


@attrs.frozen(kw_only=True)
class UploadGrant2:
    """Where to PUT the bytes of a file, within a minute."""

    id: str
    upload_url: str

    @classmethod
    def of(cls, ticket: UploadTicket, origin: str) -> Self:
        """Give the grant of a ticket."""
        return cls(id=ticket.id, upload_url=upload_url(ticket, origin))


@attrs.frozen(kw_only=True)
class FileURL:
    """Where a file can be had for a while, without a key."""

    url: str
