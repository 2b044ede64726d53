"""
Cleaning: uploads that came to nothing, and bytes that nothing refers to.

A content is only deleted when nobody has touched it for a while, since another
process may have found it a moment ago and be about to refer to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from rigbridge_store.files.contents import ContentStore
from rigbridge_store.files.stored_files import unused_digests
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import uploads
from rigbridge_store.tables.values import to_micros

__all__ = ["sweep_contents", "sweep_digests", "sweep_uploads"]

# Well above the life of a grant, and of a transaction that is about to refer to bytes.
_GRACE = timedelta(minutes=10)
# A sender may come back for its upload after a long break of the network.
_UNLINKED = timedelta(days=1)
_AT_ONCE = 500


def sweep_uploads(database: StoreDatabase, contents: ContentStore) -> int:
    """
    Forget grants that expired unused, and bytes that were never linked.

    Returns:
        How many contents were deleted.
    """
    now = datetime.now(UTC)
    contents.sweep_incoming(untouched_for=_UNLINKED.total_seconds())
    stale = sa.and_(
        # A grant without bytes goes soon after it expired, one with bytes only after
        # the sender had time to link it.
        uploads.c.attachment_key.is_(None),
        uploads.c.expires_at
        < sa.case(
            (uploads.c.sha256.is_(None), to_micros(now - _GRACE)),
            else_=to_micros(now - _UNLINKED),
        ),
    )
    with database.writing() as connection:
        found = connection.execute(sa.select(uploads.c.sha256).where(stale))
        digests = [digest for digest in found.scalars() if digest is not None]
        connection.execute(uploads.delete().where(stale))
    # After the rows are gone, and outside of their transaction.
    return sweep_digests(database, contents, digests)


def sweep_digests(
    database: StoreDatabase, contents: ContentStore, digests: Iterable[str]
) -> int:
    """
    Delete those contents that nothing refers to any more.

    Returns:
        How many were deleted; one that was touched a moment ago stays.
    """
    count = 0
    waiting = iter(digests)
    # In portions, so that writers wait for one portion at most.
    while some := list(islice(waiting, _AT_ONCE)):
        # Held against writers, so that none of them can begin to refer to one.
        with database.writing() as connection:
            for digest in unused_digests(connection, some):
                count += contents.remove(digest, untouched_for=_GRACE.total_seconds())
    return count


def sweep_contents(database: StoreDatabase, contents: ContentStore) -> int:
    """
    Delete every content that nothing refers to; walks through all of them.

    Returns:
        How many were deleted.
    """
    return sweep_digests(database, contents, contents.digests())
