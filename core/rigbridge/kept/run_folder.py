"""A folder of runs, each in a file of its own beside its attachments and a reason."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import UUID

from rigbridge.errors import MalformedSourceError
from rigbridge.kept.documents import (
    KeptRun,
    attachment_folder,
    decode_run,
    encode_run,
)
from rigbridge.machine.files import whole_file
from rigbridge.machine.folders import CHUNK_SIZE, make_folder
from rigbridge.model import FileOpener, Run
from rigbridge.model.report import ConversionReport

__all__ = ["RunFolder", "run_id_of"]


class RunFolder:
    """
    Runs as ``ID.json``, with the bytes of their files in ``ID.json.attachments``.

    A run is there once its JSON file is: that file is written last and removed last.
    Hidden files are still being written.

    Args:
        folder: the folder; made when a run is written.
        durable: whether what is written is synced, so that it survives a power cut.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self._durable = durable

    def write(
        self,
        run: Run,
        report: ConversionReport | None = None,
        *,
        reason: str | None = None,
        attachments: bool = True,
    ) -> Path:
        """
        Write a run; one of the same id is replaced.

        Args:
            run: the run.
            report: what its conversion recorded, or None.
            reason: why it is kept, for a person; goes to ``ID.txt``.
            attachments: whether the bytes of its files are copied.

        Returns:
            The JSON file.

        Raises:
            OSError: the folder cannot be written, or an attachment not be read.
        """
        make_folder(self.folder)
        path = self.path(run.id)
        files = attachment_folder(path)
        try:
            if attachments:
                self._write_attachments(run, files)
            # The reason comes first: a run in the folder always has its reason.
            if reason is not None:
                with self._new(path.with_suffix(".txt")) as stream:
                    stream.write(reason.encode())
            with self._new(path) as stream:
                stream.write(encode_run(run, report))
        except BaseException:
            # On a full disk half a run must not take room from the next attempt.
            shutil.rmtree(files, ignore_errors=True)
            raise
        return path

    def _write_attachments(self, run: Run, files: Path) -> None:
        for attachment in run.attachments:
            # Without these two it is a mere reference to a file that nobody gave us.
            if attachment.opener is None or attachment.sha256 is None:
                continue
            make_folder(files)
            with (
                attachment.opener() as source,
                self._new(files / attachment.sha256) as copy,
            ):
                shutil.copyfileobj(source, copy, CHUNK_SIZE)

    @contextmanager
    def _new(self, path: Path) -> Generator[IO[bytes]]:
        with (
            whole_file(path, durable=self._durable) as partial,
            partial.open("wb") as stream,
        ):
            yield stream

    def read(self, path: Path) -> KeptRun:
        """
        Read a run, with openers for the files that lie beside it.

        Args:
            path: its JSON file.

        Raises:
            MalformedSourceError: it is no run, another one than its name says, or the
                bytes of a file have changed.
            RunProblemsError: fields that are missing or of the wrong kind.
            OSError: it cannot be read.
        """
        # Checked before anything is queued: a damaged file must not replace a good one.
        files = {file.name: file for file in attachment_folder(path).glob("*")}
        for sha256, file in files.items():
            with file.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                    raise MalformedSourceError(
                        "the attachment is damaged", place=file.name
                    )
        openers = {sha256: FileOpener(file) for sha256, file in files.items()}
        try:
            kept = decode_run(path.read_bytes(), openers)
        except ValueError as error:
            raise MalformedSourceError(f"is no run: {error}") from error
        # Removing is by id: a renamed copy would remove another run's file.
        if str(kept.run.id) != path.stem:
            raise MalformedSourceError("holds another run than its name says")
        return kept

    def remove(self, run_id: UUID) -> None:
        """
        Remove a run with all that lies beside it, if it is there.

        Raises:
            OSError: a file cannot be removed.
        """
        path = self.path(run_id)
        files = attachment_folder(path)
        # The JSON file goes last: without it nobody would find the rest.
        if files.is_dir():
            shutil.rmtree(files)
        path.with_suffix(".txt").unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    def path(self, run_id: UUID) -> Path:
        """Name the JSON file of a run."""
        return self.folder / f"{run_id}.json"

    def runs(self) -> list[Path]:
        """List the JSON files of all runs, by name."""
        return [path for path in self.files() if run_id_of(path) is not None]

    def files(self) -> list[Path]:
        """List all JSON files, those that are no runs as well, by name."""
        return sorted(
            path
            for path in self.folder.glob("*.json")
            if path.is_file() and not path.name.startswith(".")
        )


def run_id_of(path: Path) -> UUID | None:
    """Tell the run by the name of its JSON file; None where it is none of a run."""
    try:
        return UUID(path.stem)
    except ValueError:
        return None
