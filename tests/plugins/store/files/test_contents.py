"""How the bytes of a content are given to a reader."""

from __future__ import annotations

import io

from rigbridge_store.files.contents import stream_pieces


def test_pieces_are_the_content() -> None:
    """A content larger than one piece comes whole and in order."""
    content = bytes(range(256)) * 3000
    assert b"".join(stream_pieces(io.BytesIO(content))) == content


def test_a_reader_that_leaves_before_the_first_piece_leaves_nothing_open() -> None:
    """Dropping the pieces unread closes the stream."""
    stream = io.BytesIO(b"bytes")
    pieces = stream_pieces(stream)
    del pieces
    assert stream.closed


def test_a_reader_that_leaves_midway_leaves_nothing_open() -> None:
    """Dropping the pieces after the first one closes the stream."""
    stream = io.BytesIO(bytes(1_000_000))
    pieces = stream_pieces(stream)
    assert len(next(pieces)) < 1_000_000
    del pieces
    assert stream.closed
