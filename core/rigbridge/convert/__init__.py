"""
Runs to payloads of the v1 contract and back, with nothing lost.

:func:`dump` makes the payload and its sidecar, :func:`load` restores the run from the
two; :func:`to_document` and :func:`from_document` write and read a whole run as JSON.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.convert.document import (
        Openers,
        document_of_value,
        encode_document,
        from_document,
        to_document,
    )
    from rigbridge.convert.payload import MAX_NAME, PATH_SEPARATOR, Payload, dump
    from rigbridge.convert.plain import read_plain
    from rigbridge.convert.sidecar import (
        SIDECAR_NAME,
        SIDECAR_VERSION,
        load,
        lost_without,
    )

__all__ = [
    "MAX_NAME",
    "PATH_SEPARATOR",
    "SIDECAR_NAME",
    "SIDECAR_VERSION",
    "Openers",
    "Payload",
    "document_of_value",
    "dump",
    "encode_document",
    "from_document",
    "load",
    "lost_without",
    "read_plain",
    "to_document",
]

__getattr__ = deferred_names(
    __name__,
    {
        "document": (
            "Openers document_of_value encode_document from_document to_document"
        ),
        "payload": "MAX_NAME PATH_SEPARATOR Payload dump",
        "plain": "read_plain",
        "sidecar": "SIDECAR_NAME SIDECAR_VERSION load lost_without",
    },
)
