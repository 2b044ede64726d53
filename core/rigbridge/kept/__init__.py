"""
Runs in files, with their attachments beside them.

:mod:`rigbridge.kept.documents` is the format, which exports share. On it stand the
folders of a data folder for runs that wait outside the outbox: ``unsent`` for what
could not be queued, ``quarantine`` for what no store takes as it is.
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
