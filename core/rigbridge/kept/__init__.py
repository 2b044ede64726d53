"""
Runs in files, with their attachments beside them.

:mod:`rigbridge.kept.documents` holds the format, which exports share. A data folder
uses it for two folders outside the outbox: ``unsent`` for runs that could not be
queued, ``quarantine`` for runs that no store takes as they are.
"""

from rigbridge.kept.documents import (
    RUN_MARK,
    KeptRun,
    attachment_folder,
    decode_run,
    encode_run,
    saved_attachment,
)
from rigbridge.kept.errors_log import HandOverErrors
from rigbridge.kept.quarantine import Quarantine
from rigbridge.kept.run_folder import RunFolder
from rigbridge.kept.unsent import Recovery, UnsentFolder, unsent_folders

__all__ = [
    "RUN_MARK",
    "HandOverErrors",
    "KeptRun",
    "Quarantine",
    "Recovery",
    "RunFolder",
    "UnsentFolder",
    "attachment_folder",
    "decode_run",
    "encode_run",
    "saved_attachment",
    "unsent_folders",
]
