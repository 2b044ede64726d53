"""
Runs in files, with their attachments beside them.

:mod:`rigbridge.kept.documents` holds the format, which exports share. A data folder
uses it for ``quarantine``: runs that no store takes as they are.
"""

from rigbridge.kept.documents import (
    RUN_MARK,
    KeptRun,
    attachment_folder,
    decode_run,
    encode_run,
    saved_attachment,
)
from rigbridge.kept.quarantine import Quarantine
from rigbridge.kept.run_folder import RunFolder

__all__ = [
    "RUN_MARK",
    "KeptRun",
    "Quarantine",
    "RunFolder",
    "attachment_folder",
    "decode_run",
    "encode_run",
    "saved_attachment",
]
