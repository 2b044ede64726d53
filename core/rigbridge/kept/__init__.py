"""
Runs written with their files, and read back; and runs as rows of a table.

:mod:`rigbridge.kept.documents` holds the format.
"""

from rigbridge.kept.documents import (
    RUN_MARK,
    KeptRun,
    attachment_folder,
    decode_run,
    decode_with_files,
    encode_run,
    run_line,
    saved_attachment,
)

__all__ = [
    "RUN_MARK",
    "KeptRun",
    "attachment_folder",
    "decode_run",
    "decode_with_files",
    "encode_run",
    "run_line",
    "saved_attachment",
]
