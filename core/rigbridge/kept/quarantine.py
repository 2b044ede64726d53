"""
The folder for runs that were read and cannot be stored as they are.

Such a run (it lacks a serial number, say) is neither sent under a made-up name nor
forgotten: it lies as ``quarantine/ID.json`` in the data folder, with the reason in
``ID.txt`` beside it. The file it came from stays where it is, and so do its
attachments. Once an import has stored the run, both files are removed.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from rigbridge.errors import RigbridgeError
from rigbridge.kept.run_folder import RunFolder
from rigbridge.model import Run

__all__ = ["Quarantine"]


class Quarantine:
    """
    The quarantine of a data folder.

    Args:
        data: the data folder; nothing is made there before a run has to be kept.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "quarantine"
        # Not synced: the source is still there, and importing it again repeats this.
        self._runs = RunFolder(self.folder, durable=False)

    def keep(self, run: Run, reason: RigbridgeError) -> Path:
        """
        Keep a run and the reason.

        Args:
            run: the run as it was read.
            reason: why it cannot be stored.

        Returns:
            The file of the run.

        Raises:
            OSError: the folder cannot be written.
        """
        source = "unknown" if run.source is None else run.source.uri
        words = (
            f"{reason}\n\n"
            f"Read from: {source}\n"
            "Mend the cause, as the brackets above say, and import the file again.\n"
        )
        return self._runs.write(run, reason=words, attachments=False)

    def release(self, run_id: UUID) -> None:
        """Remove a run that is stored now, if it was kept here."""
        # Asked for every run that an import stores: mostly there is no folder at all.
        if self.folder.is_dir():
            self._runs.remove(run_id)
