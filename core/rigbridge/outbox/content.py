"""The bytes of attachments, each kept once under its digest."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO
from uuid import uuid4

import attrs

from rigbridge.errors import SourceUnreadableError
from rigbridge.model import Attachment, FileOpener, Run
from rigbridge.reporting import ConversionReport, Place
from rigbridge.sharing import make_folder, share
from rigbridge.threads import run_beside

__all__ = ["ContentFolder"]

_CHUNK = 1 << 20
_PARTIAL = ".part-"
_WIDTH = 4
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
        Keep the bytes of a run's attachments, several files at once.

        First all bytes are brought to the disk, then all get their names, and last the
        names are brought there: a disk that commits several things together does so.

        Returns:
            The run with every attachment as it was kept. One whose bytes are not those
            that were described is described anew, and that is recorded.

        Raises:
            SourceUnreadableError: an attachment cannot be read.
            OSError: the folder cannot be written.
        """
        embedded = [item for item in run.attachments if item.opener is not None]
        intake = _Intake(self._folder)
        try:
            described = iter(run_beside(embedded, self._take(intake), _WIDTH))
            intake.settle()
        finally:
            intake.clear()
        attachments: list[Attachment] = []
        for index, attachment in enumerate(run.attachments):
            kept = attachment
            if attachment.opener is not None:
                sha256, size = next(described)
                opener = FileOpener(self.path(sha256))
                kept = attrs.evolve(attachment, sha256=sha256, size=size, opener=opener)
            if attachment.sha256 not in (None, kept.sha256):
                report.coerced(
                    "attachment",
                    "its bytes had changed since it was described",
                    place=Place(path=f"$.attachments[{index}]"),
                    detail=attachment.name,
                )
            attachments.append(kept)
        return attrs.evolve(run, attachments=tuple(attachments))

    def describe(self, run: Run) -> Run:
        """
        Describe a run's attachments as :meth:`keep` would, without keeping them.

        Raises:
            SourceUnreadableError: an attachment cannot be read.
        """
        return attrs.evolve(run, attachments=tuple(map(_described, run.attachments)))

    def _take(self, intake: _Intake) -> Callable[[Attachment], tuple[str, int]]:
        def take(attachment: Attachment) -> tuple[str, int]:
            sha256 = attachment.sha256
            if sha256 is not None:
                path = self.path(sha256)
                if path.is_file():
                    intake.found(path)
                    return sha256, path.stat().st_size
                size = intake.link(attachment, path)
                if size is not None:
                    return sha256, size
            return intake.copy(attachment, self.path)

        return take

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


class _Intake:
    """
    The files of one run on their way into a folder.

    Args:
        folder: the folder; what is not complete yet lies right in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partials: dict[Path, Path] = {}
        self._changed: set[Path] = set()

    def found(self, path: Path) -> None:
        """Note that a file is there, though perhaps its name not on the disk yet."""
        self._changed.add(path.parent)

    def link(self, attachment: Attachment, path: Path) -> int | None:
        """
        Take over a file that bears its digest as its name, without copying.

        That is how spools name their files, which nobody writes to again. Any other
        file may still be changed by its owner, and a link would change with it.

        Returns:
            Its size; None where that cannot be done.
        """
        opener = attachment.opener
        if not isinstance(opener, FileOpener) or opener.path.name != path.name:
            return None
        self._make_folder(path.parent)
        size = None
        try:
            with opener.path.open("rb+") as stream:
                os.fsync(stream.fileno())
                size = os.fstat(stream.fileno()).st_size
            os.link(opener.path, path)
            share(path)
        except FileExistsError:
            pass  # another process was faster
        except OSError:
            return None  # another file system, or one without links: copied instead
        self._changed.add(path.parent)
        return size

    def copy(
        self, attachment: Attachment, path_of: Callable[[str], Path]
    ) -> tuple[str, int]:
        """
        Copy a file's bytes to the disk; gives their digest and how many they are.

        Args:
            attachment: the file.
            path_of: tells where the bytes of a digest belong.
        """
        self._make_folder(self._folder)
        partial = self._folder / f"{_PARTIAL}{uuid4().hex}"
        digest = hashlib.sha256()
        size = 0
        try:
            with partial.open("xb") as target:
                share(partial)
                for chunk in _chunks(attachment):
                    digest.update(chunk)
                    size += target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        self._partials[partial] = path_of(digest.hexdigest())
        return digest.hexdigest(), size

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            make_folder(folder)
            self._changed.add(folder.parent)

    def settle(self) -> None:
        """Give all files their names, and bring those to the disk."""
        for partial, path in self._partials.items():
            self._make_folder(path.parent)
            if not path.is_file():
                partial.replace(path)
            self._changed.add(path.parent)
        for folder in self._changed:
            _sync_folder(folder)

    def clear(self) -> None:
        """Remove what did not get its name."""
        for partial in self._partials:
            partial.unlink(missing_ok=True)


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
