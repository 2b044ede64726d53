"""
Runs in a file, one a line, with their attachments beside it: what exports write.

:mod:`rigbridge.kept.documents` holds the format.
"""

from rigbridge.kept.documents import (
    RUN_MARK,
    KeptRun,
    attachment_folder,
    decode_run,
    encode_run,
    run_line,
    saved_attachment,
)

__all__ = [
    "RUN_MARK",
    "KeptRun",
    "attachment_folder",
    "decode_run",
    "encode_run",
    "run_line",
    "saved_attachment",
]
