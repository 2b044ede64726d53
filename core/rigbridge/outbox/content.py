"""The bytes of attachments, each kept once under its digest."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO
from uuid import uuid4

import attrs

from rigbridge.errors import SourceUnreadableError
from rigbridge.model import Attachment, FileOpener, Run
from rigbridge.reporting import ConversionReport, Place

__all__ = ["ContentFolder"]

_CHUNK = 1 << 20
_PARTIAL = ".part-"
_ABANDONED = 24 * 3600.0


class ContentFolder:
    """
    A folder of files that are named by their SHA-256.

    A file is in its place only once its bytes are on the disk.

    Args:
        folder: the folder; made when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Say where the bytes of a digest are, or would be."""
        return self._folder / sha256[:2] / sha256

    def room_for(self, run: Run) -> int:
        """Count the bytes that the attachments of a run will need here, if known."""
        return sum(
            attachment.size or 0
            for attachment in run.attachments
            if attachment.opener is not None
            and not (attachment.sha256 and self.path(attachment.sha256).is_file())
        )

    def size(self, digests: Iterable[str]) -> int:
        """Count the bytes of some digests, as far as they are here."""
        paths = [self.path(sha256) for sha256 in digests]
        return sum(path.stat().st_size for path in paths if path.is_file())

    def keep(self, run: Run, report: ConversionReport) -> Run:
        """
        Keep the bytes of a run's attachments.

        Returns:
            The run with every attachment as it was kept. One whose bytes are not those
            that were described is described anew, and that is recorded.

        Raises:
            SourceUnreadableError: an attachment cannot be read.
            OSError: the folder cannot be written.
        """
        attachments: list[Attachment] = []
        touched: dict[Path, None] = {}
        for index, attachment in enumerate(run.attachments):
            kept = attachment
            if attachment.opener is not None:
                kept = self._keep(attachment, touched)
            if attachment.sha256 not in (None, kept.sha256):
                report.coerced(
                    "attachment",
                    "its bytes had changed since it was described",
                    place=Place(path=f"$.attachments[{index}]"),
                    detail=attachment.name,
                )
            attachments.append(kept)
        # All at once, when every name is there: one turn of the disk for all of them.
        for folder in touched:
            _sync_folder(folder)
        return attrs.evolve(run, attachments=tuple(attachments))

    def describe(self, run: Run) -> Run:
        """
        Describe a run's attachments as :meth:`keep` would, without keeping them.

        Raises:
            SourceUnreadableError: an attachment cannot be read.
        """
        return attrs.evolve(run, attachments=tuple(map(_described, run.attachments)))

    def _keep(self, attachment: Attachment, touched: dict[Path, None]) -> Attachment:
        """Keep the bytes; the folders whose names are to be synced are added."""
        sha256 = attachment.sha256
        if sha256 is not None and (
            self.path(sha256).is_file() or self._link(attachment, sha256, touched)
        ):
            size = self.path(sha256).stat().st_size
        else:
            sha256, size = self._copy(attachment, touched)
        opener = FileOpener(self.path(sha256))
        return attrs.evolve(attachment, sha256=sha256, size=size, opener=opener)

    def _link(
        self, attachment: Attachment, sha256: str, touched: dict[Path, None]
    ) -> bool:
        """
        Take over a file that bears its digest as its name, without copying.

        That is how spools name their files, which nobody writes to again. Any other
        file may still be changed by its owner, and a link would change with it.
        """
        opener = attachment.opener
        if not isinstance(opener, FileOpener) or opener.path.name != sha256:
            return False
        target = self.path(sha256)
        self._make_folder(target.parent, touched)
        try:
            with opener.path.open("rb+") as stream:
                os.fsync(stream.fileno())
            os.link(opener.path, target)
        except FileExistsError:
            return True
        except OSError:
            return False  # another file system, or one without links: copied instead
        touched[target.parent] = None
        return True

    def _copy(
        self, attachment: Attachment, touched: dict[Path, None]
    ) -> tuple[str, int]:
        partial = self._folder / f"{_PARTIAL}{uuid4().hex}"
        self._make_folder(self._folder, touched)
        digest = hashlib.sha256()
        size = 0
        try:
            with partial.open("xb") as target:
                for chunk in _chunks(attachment):
                    digest.update(chunk)
                    size += target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            path = self.path(digest.hexdigest())
            self._make_folder(path.parent, touched)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        touched[path.parent] = None
        return digest.hexdigest(), size

    def _make_folder(self, folder: Path, touched: dict[Path, None]) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent, touched)
        folder.mkdir(exist_ok=True)
        touched[folder.parent] = None

    def remove(self, sha256: str) -> None:
        """Delete the bytes of a digest, if they are there."""
        self.path(sha256).unlink(missing_ok=True)

    def sweep(self, wanted: Collection[str]) -> None:
        """Delete what nobody wants, and what an interrupted copy left a day ago."""
        yesterday = time.time() - _ABANDONED
        for path in self._folder.glob("??/*"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
        for path in self._folder.glob(f"{_PARTIAL}*"):
            try:
                if path.stat().st_mtime < yesterday:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was faster


def _described(attachment: Attachment) -> Attachment:
    if attachment.opener is None or attachment.sha256 is not None:
        return attachment
    digest = hashlib.sha256()
    size = 0
    for chunk in _chunks(attachment):
        digest.update(chunk)
        size += len(chunk)
    return attrs.evolve(attachment, sha256=digest.hexdigest(), size=size)


def _chunks(attachment: Attachment) -> Iterator[bytes]:
    try:
        with _open(attachment) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise SourceUnreadableError(
            f"the attachment cannot be read: {error.strerror or error}",
            source=attachment.name,
            remedy="keep files in place until the run is handed over",
        ) from error


def _open(attachment: Attachment) -> IO[bytes]:
    if attachment.opener is None:
        raise FileNotFoundError("it has no bytes")
    return attachment.opener()


def _sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system lets one."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
