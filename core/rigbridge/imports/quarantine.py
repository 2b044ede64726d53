"""
The folder for runs that were read and cannot be stored as they are.

Such a run (it lacks a serial number, say) is neither sent under a made-up name nor
forgotten: it lies as ``quarantine/ID.json`` in the data folder, as
:func:`rigbridge.convert.to_document` writes it, with the reason in ``ID.txt`` beside.
The file it came from stays where it is. Once an import has stored the run, both are
removed.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import msgspec

from rigbridge.convert import to_document
from rigbridge.errors import RigbridgeError
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
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(run.id)
        source = "unknown" if run.source is None else run.source.uri
        words = (
            f"{reason}\n\n"
            f"Read from: {source}\n"
            "Mend the cause, as the brackets above say, and import the file again.\n"
        )
        _write(path.with_suffix(".txt"), words.encode())
        _write(path, msgspec.json.encode(to_document(run)))
        return path

    def release(self, run_id: UUID) -> None:
        """Remove a run that is stored now, if it was kept here."""
        if not self.folder.is_dir():
            return
        path = self._path(run_id)
        path.unlink(missing_ok=True)
        path.with_suffix(".txt").unlink(missing_ok=True)

    def _path(self, run_id: UUID) -> Path:
        return self.folder / f"{run_id}.json"


def _write(path: Path, content: bytes) -> None:
    # Whoever looks into the folder meanwhile sees whole files only.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
