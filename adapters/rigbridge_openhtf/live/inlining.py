"""
Attachments of a live record within JSON text, as OpenHTF writes them, but streamed.

A mark stands in the text where the bytes of a file belong, and is replaced piece by
piece while the text is written: a file of gigabytes never lies in memory.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

__all__ = ["InlinedFiles"]

_LOGGER = logging.getLogger("rigbridge.openhtf")
_CHUNK = 3 << 18
"""Bytes read at once; a multiple of three, so that the pieces of base64 join."""


class InlinedFiles:
    """The files of one record."""

    def __init__(self) -> None:
        self._mark = f"inline {uuid4().hex} "
        self._attachments: list[Any] = []

    def described(self, attachments: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Describe the attachments of a phase, marks in place of their bytes."""
        return {name: self._described(item) for name, item in attachments.items()}

    def _described(self, attachment: Any) -> dict[str, str]:
        described = {"mimetype": attachment.mimetype, "sha1": attachment.sha1}
        if not _is_there(attachment):
            _LOGGER.warning("an attachment of a record that is kept was closed before")
            return described
        self._attachments.append(attachment)
        return {**described, "data": f"{self._mark}{len(self._attachments) - 1}"}

    def put_in(self, text: str) -> Iterator[bytes]:
        """Give JSON text piece by piece, the bytes of the files in place of marks."""
        pattern = re.compile(re.escape(self._mark) + r"(\d+)")
        for number, piece in enumerate(pattern.split(text)):
            # Between two pieces of text the split gives the number of a file.
            if number % 2:
                yield from _encoded(self._attachments[int(piece)])
            else:
                yield piece.encode()


def _is_there(attachment: Any) -> bool:
    filename = getattr(attachment, "_filename", "")
    return filename == "" or (filename is not None and Path(filename).exists())


def _encoded(attachment: Any) -> Iterator[bytes]:
    try:
        for chunk in _chunks(attachment):
            yield base64.b64encode(chunk)
    except Exception:
        # One file must not cost the record; its digest tells that bytes are missing.
        _LOGGER.exception("the bytes of an attachment are missing in a kept record")


def _chunks(attachment: Any) -> Iterator[bytes]:
    filename = getattr(attachment, "_filename", "")
    if not filename:
        yield attachment.data
        return
    with Path(filename).open("rb") as stream:
        yield from iter(partial(stream.read, _CHUNK), b"")
