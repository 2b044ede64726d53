"""
The frames between an import and its workers: pickled objects with their lengths.

Both sides are processes of one import, on pipes that nobody else can write to.
"""

from __future__ import annotations

import pickle
import struct
from typing import IO, Any

__all__ = ["packed", "read_frame", "unpacked", "write_frame"]

# Eight bytes: a block may be longer than 4 GiB where one run holds as much.
_LENGTH = struct.Struct("<Q")


def packed(content: object) -> bytes:
    """Pickle an object."""
    return pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)


def unpacked(frame: bytes) -> Any:
    """Give back an object that a process of this import has pickled."""
    return pickle.loads(frame)  # noqa: S301 - nobody else can write to our pipes


def write_frame(stream: IO[bytes], frame: bytes) -> None:
    """
    Send a pickled object; waits until the other side takes it.

    Raises:
        OSError: the other side is gone.
    """
    stream.write(_LENGTH.pack(len(frame)))
    stream.write(frame)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Receive a pickled object; None where the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    frame = stream.read(length)
    # A process that was killed while it wrote leaves half a frame.
    return frame if len(frame) == length else None
