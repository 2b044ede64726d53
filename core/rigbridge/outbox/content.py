"""The bytes of attachments, each kept once under its digest."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeAlias
from uuid import uuid4

import attrs

from rigbridge.errors import SourceUnreadableError
from rigbridge.machine.files import past_scanners, sync_file, sync_folder
from rigbridge.machine.folders import file_chunks, make_folder, read_chunks, share
from rigbridge.machine.threads import run_in_threads
from rigbridge.model import Attachment, FileOpener, Run, SettledFile
from rigbridge.model.report import ConversionReport, Place

__all__ = ["ContentFolder"]

_PARTIAL = ".part-"
_WIDTH = 4
# A copy of a very large file that is still under way must not be swept.
_ABANDONED = 24 * 3600.0

_Taken: TypeAlias = tuple[str, int]
"""Digest and size of a file that is here now."""


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
        return self._folder / sha256

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

        All files are synced first, in threads, then all are renamed, then the folder is
        synced once: a disk commits what is synced together in one go.

        Returns:
            The run with every attachment as it was kept. One whose bytes are not those
            that were described is described anew, and that is recorded.

        Raises:
            SourceUnreadableError: an attachment cannot be read.
            OSError: the folder cannot be written.
        """
        embedded = [item for item in run.attachments if item.opener is not None]
        described = iter(self._take(embedded) if embedded else ())
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

    def _take(self, embedded: Sequence[Attachment]) -> list[_Taken]:
        intake = _Intake(self._folder)
        try:
            taken = [intake.find(item) or intake.link(item) for item in embedded]
            # Links are quick; copies wait for the disk, which is worth threads.
            left = [
                item for item, done in zip(embedded, taken, strict=True) if not done
            ]
            rest = iter(run_in_threads(left, intake.bring, _WIDTH))
            # All renames after all syncs: a name on the disk always has its bytes.
            intake.settle()
        finally:
            intake.clear()
        return [done or next(rest) for done in taken]

    def remove(self, sha256: str) -> None:
        """Delete the bytes of a digest, if they are there."""
        self.path(sha256).unlink(missing_ok=True)

    def sweep(self, wanted: Collection[str]) -> None:
        """Delete what nobody wants, and what an interrupted copy left a day ago."""
        yesterday = time.time() - _ABANDONED
        for path in self._folder.glob("*"):
            partial = path.name.startswith(_PARTIAL)
            try:
                # The queue is locked meanwhile, so nobody adds an entry.
                if path.name not in wanted and not (
                    partial and path.stat().st_mtime >= yesterday
                ):
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was faster


class _Intake:
    """The files of one run while they are taken into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partials: dict[Path, Path] = {}
        self._made = not folder.is_dir()
        if self._made:
            make_folder(folder)

    def find(self, attachment: Attachment) -> _Taken | None:
        """Give what is known of a file whose bytes are here; None for any other."""
        if attachment.sha256 is None:
            return None
        # Read anew: a file that the disk has damaged must not stand for a sound one.
        size = _sound_size(self._folder / attachment.sha256)
        return None if size is None else (attachment.sha256, size)

    def link(self, attachment: Attachment, *, sync: bool = False) -> _Taken | None:
        """
        Take over a file that nobody writes to any more, without copying.

        The owner may still change any other file, and a link would change with it.

        Args:
            sync: whether to bring its bytes to the disk, if they are not there yet.

        Returns:
            Digest and size; None where that cannot be done.
        """
        opener = attachment.opener
        if not isinstance(opener, SettledFile) or opener.sha256 != attachment.sha256:
            return None
        if not (opener.synced or sync):
            return None
        path = self._folder / opener.sha256
        try:
            if not opener.synced:
                sync_file(opener.path)
            size = opener.path.stat().st_size
            if path.exists() and _sound_size(path) is None:
                return None  # damaged: the copy takes its place
            with suppress(FileExistsError):  # another process was faster
                os.link(opener.path, path)
                share(path)
        except OSError:
            return None  # another file system, or one without links: copied instead
        return opener.sha256, size

    def bring(self, attachment: Attachment) -> _Taken:
        """Bring a file's bytes to the disk; gives their digest and their number."""
        return self.link(attachment, sync=True) or self._copy(attachment)

    def _copy(self, attachment: Attachment) -> _Taken:
        partial = self._folder / f"{_PARTIAL}{uuid4().hex}"
        digest = hashlib.sha256()
        size = 0
        try:
            # A random name: several threads and processes may copy the same bytes.
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
        self._partials[partial] = self._folder / digest.hexdigest()
        return digest.hexdigest(), size

    def settle(self) -> None:
        """
        Give all files their names, and bring those to the disk.

        That includes files that were there already: the one who copied them may not
        have synced the folder yet. One sync of the folder is enough for all files.
        """
        for partial, path in self._partials.items():
            # A sound file is left alone, since others may be reading it. A damaged one
            # is replaced, which mends it for every run that shares it.
            if _sound_size(path) is None:
                past_scanners(partial.replace, path)
        sync_folder(self._folder)
        if self._made:
            # The folder itself is new: its own name must reach the disk as well.
            sync_folder(self._folder.parent)

    def clear(self) -> None:
        """Remove what did not get its name."""
        for partial in self._partials:
            partial.unlink(missing_ok=True)


def _sound_size(path: Path) -> int | None:
    """Give the size of a file whose bytes have the digest that names it, or None."""
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as stream:
            for chunk in read_chunks(stream):
                digest.update(chunk)
                size += len(chunk)
    except OSError:
        return None  # not there, or not to be read: then it is no use to a new run
    return size if digest.hexdigest() == path.name else None


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
    opener = attachment.opener or _no_bytes
    # Exactly: another class may open something else than a file, a gzip stream say.
    is_file = type(opener) in (FileOpener, SettledFile)
    try:
        with opener() as stream:
            yield from (file_chunks if is_file else read_chunks)(stream)
    except MemoryError:
        raise
    # Whatever else the opener of a caller raises is about its file as well.
    except Exception as error:
        words = error.strerror if isinstance(error, OSError) else None
        raise SourceUnreadableError(
            f"the attachment cannot be read: {words or error}",
            source=attachment.name,
            remedy="keep files in place until the run is handed over",
        ) from error


def _no_bytes() -> IO[bytes]:
    raise FileNotFoundError("it has no bytes")
