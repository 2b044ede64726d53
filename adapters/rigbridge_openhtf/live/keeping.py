"""
A record that could not even be translated is written as OpenHTF's own JSON.

``rigbridge import`` reads such a file. The bytes of attachments stand in it as base64,
as OpenHTF writes them, but are streamed: a placeholder stands in the text where they
belong, and is replaced piece by piece while the text is written. So a file of gigabytes
never lies in memory.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from rigbridge.kept import UnsentFolder

__all__ = ["keep_record"]

_LOGGER = logging.getLogger("rigbridge.openhtf")
_CHUNK = 3 << 18
"""Bytes read at once; a multiple of three, so that the pieces of base64 join."""


def keep_record(record: Any, data: Path) -> Path:
    """
    Write a live record as OpenHTF's own JSON, its attachments inline.

    Returns:
        The file: in the data folder, or in the system's temporary folder where that
        cannot be written.

    Raises:
        OSError: neither folder can be written.
    """
    files = _InlineFiles()
    plain = dict(record.as_base_types())
    live = list(record.phases)
    given: list[Any] = list(plain.get("phases") or ())
    phases = [
        # OpenHTF caches what it gave: it is copied, never changed.
        {**phase, "attachments": files.describe(live[index].attachments)}
        if index < len(live)
        else phase
        for index, phase in enumerate(given)
    ]
    if len(live) != len(given):
        # A phase that came or went meanwhile: what both know is whole.
        _LOGGER.warning(
            "the record has %d phases, its plain form %d", len(live), len(given)
        )
        phases.extend(
            {**phase.as_base_types(), "attachments": files.describe(phase.attachments)}
            for phase in live[len(given) :]
        )
    text = json.dumps({**plain, "phases": phases}, default=str)
    return UnsentFolder(data).keep_record(
        f"{uuid4()}.openhtf.json", lambda: files.pieces_of(text)
    )


class _InlineFiles:
    """The files of one record."""

    def __init__(self) -> None:
        # Random, so that no text of the record can hold it by chance.
        self._placeholder = f"inline {uuid4().hex} "
        self._attachments: list[Any] = []

    def describe(self, attachments: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Describe the attachments of a phase, placeholders instead of their bytes."""
        return {name: self._describe(item) for name, item in attachments.items()}

    def _describe(self, attachment: Any) -> dict[str, str]:
        described = {"mimetype": attachment.mimetype, "sha1": attachment.sha1}
        if not _is_there(attachment):
            _LOGGER.warning("an attachment of a record that is kept was closed before")
            return described
        self._attachments.append(attachment)
        number = len(self._attachments) - 1
        return {**described, "data": f"{self._placeholder}{number}"}

    def pieces_of(self, text: str) -> Iterator[bytes]:
        """Give JSON text piece by piece, bytes of files instead of placeholders."""
        pattern = re.compile(re.escape(self._placeholder) + r"(\d+)")
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
