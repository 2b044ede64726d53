"""
URLs of files that are good for a while without a key, as storage services sign them.

The v2 client downloads without its key. The signature covers the file and the moment
until which it holds, under a secret of the store.
"""

from __future__ import annotations

import hashlib
import hmac
import time

from rigbridge_store.refusals import forbidden

__all__ = ["FileLinks"]

_VALID_SECONDS = 15 * 60


class FileLinks:
    """
    Signs the URLs of files, and knows its own signatures.

    Args:
        secret: of the store, so that a link holds at each of its servers.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def path(self, attachment_id: str) -> str:
        """Give the path and query under which a file can be had for a while."""
        expires = int(time.time()) + _VALID_SECONDS
        signature = self._signature(attachment_id, expires)
        return f"/api/v2/files/{attachment_id}?expires={expires}&signature={signature}"

    def require(self, attachment_id: str, expires: int, signature: str) -> None:
        """
        Check a signature.

        Raises:
            ForbiddenError: it is not ours, or holds no longer.
        """
        own = self._signature(attachment_id, expires)
        # In constant time, so that nobody finds a signature digit by digit.
        genuine = hmac.compare_digest(own.encode(), signature.encode())
        # Both in one answer, so that a guess is not told that only its time was wrong.
        if not genuine or expires < time.time():
            raise forbidden("The link is not valid, or no longer. Ask for a new one.")

    def _signature(self, attachment_id: str, expires: int) -> str:
        words = f"{attachment_id}:{expires}".encode()
        return hmac.new(self._secret, words, hashlib.sha256).hexdigest()
