"""
Texts that are kept compressed: documents of runs, and values too large for their row.

Documents of one store resemble each other and are short, so that they are compressed
against the words that all of them have (a preset dictionary of zlib). Every packed text
ends with a checksum of its own, by which a changed byte is found when it is unpacked.
"""

from __future__ import annotations

import zlib

__all__ = ["LARGE", "DamagedTextError", "is_shortened", "pack", "shortened", "unpack"]

LARGE = 1000
"""From how many characters on a value does not stand in its row: SQLite's page has 4096
bytes, and a row of more than a quarter of it continues on pages of its own."""

# No JSON ends with it.
_ELLIPSIS = "…"
_KEPT = 2

# The most frequent words stand last, where zlib reaches them by the shortest way. The
# checksum of these words is in each packed text: a changed dictionary reads none.
_WORDS = (
    b'"limits":{"~":{"comparator":{"=":"block_level":"thread_id":"module_time":'
    b'"total_time":"loop_index":"num_loops":"report_text":"error_message":'
    b'"media_type":"application/octet-stream","size":null,"sha256":"'
    b'"procedure":{"unit":{"operator":{"=":"station":{"=":"started_at":{"=":"'
    b'"ended_at":{"=":"logs":{"~":{"source_file":{"=":null},"line":{"=":null}'
    b'"format_version":null}}"uri":"/","digest":"","index":0,"format":"'
    b'"source":{"=":{"adapter":"","adapter_version":"0.1.0",'
    b'"mapped":{"attribute":"limit":"log":"measurement":"phase":"property":"time":'
    b'"run":1,"unit":1}"coerced":[],"omitted":[],"dropped":[],"entries":['
    b'],"unlisted":0}{"item":"","rule":"","count":'
    b'{"disposition":"omitted","item":"{"disposition":"coerced","item":"'
    b'","rule":"","line":null,"path":"$.phases[0]","detail":"'
    b'{"rigbridge":1,"run_id":"","overlay":{"~":{"metadata":{"~":{'
    b'"attachments":[],"phases":{"~":{"0":{"~":{"path":{"=":["'
    b'"measurements":{"~":{"0":{"~":{"attributes":{"~":{"group":{"=":"Main"},'
    b'"step_id":{"=":"ID#:"step_type":{"=":"status":{"=":"Passed"},"index":{"=":'
    b'"result_id":{"=":null},"value":{"=":true},"=":false},"=":0},"=":1},"=":"'
)
_LEVEL = 6


class DamagedTextError(ValueError):
    """The bytes are not those that were stored."""


def shortened(text: str) -> str:
    """Give what stands in the row for a JSON that is kept elsewhere: how it begins."""
    return text[:_KEPT] + _ELLIPSIS


def is_shortened(text: str) -> bool:
    """Whether a text of a row stands for one that is kept elsewhere."""
    return text.endswith(_ELLIPSIS)


def pack(text: bytes) -> bytes:
    """Compress a text, given as UTF-8."""
    packer = zlib.compressobj(_LEVEL, zdict=_WORDS)
    return packer.compress(text) + packer.flush()


def unpack(packed: bytes) -> str:
    """
    Give back a text.

    Raises:
        DamagedTextError: a byte of it has changed, or some are missing.
    """
    unpacker = zlib.decompressobj(zdict=_WORDS)
    try:
        content = unpacker.decompress(packed)
        # What is cut off raises nothing, it only does not come to its end.
        if not unpacker.eof or unpacker.unused_data:
            raise DamagedTextError("a stored text is cut off or followed by others")
        return content.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedTextError(f"a stored text has changed: {error}") from error
