"""
The folder ``incoming`` of a data folder: where everything that is handed over goes.

The folder ``quarantine`` has the same form: runs of imports that no store would take.

Handing over is one step: files and document are written under a hidden name, synced,
and renamed. The rename is the promise. Nothing else happens before it: no database, no
digest, no translation. Whoever sends takes the items from here into the queue.

On Windows no folder can be synced, so a power cut within the disk's own delay may undo
the rename; what it leaves is whole in any case.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import attrs
import msgspec

from rigbridge.errors import ModelError, SourceError
from rigbridge.machine.files import is_lasting, past_scanners, whole_file
from rigbridge.machine.folders import (
    make_folder,
    make_private_folder,
    require_folder,
)
from rigbridge.machine.threads import WaitingThreads
from rigbridge.outbox.incoming.draft import ItemDraft
from rigbridge.outbox.incoming.item import (
    UNREADABLE_KIND,
    IncomingItem,
    ItemContent,
    ItemRefusal,
    decode_item,
    encode_item,
    is_item_name,
)
from rigbridge.wire import decode

__all__ = ["IncomingFolder", "shared_threads"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_FOLDER = "incoming"
_REFUSAL = "refused.json"
# The files of one item that are brought to the disk at once.
_WIDTH = 7
# A very large file may be written for hours; what is older was interrupted.
_ABANDONED = 24 * 3600.0

_threads = WaitingThreads(_WIDTH)


def shared_threads() -> WaitingThreads:
    """Give the threads that all hand-overs of this process share; not started."""
    return _threads


class IncomingFolder:
    """
    The items that were handed over in a data folder, and are not queued yet.

    Where the data folder cannot be written, items go to a stand-in in the system's
    temporary folder. Each user and each data folder has one of its own, which nobody
    else may enter.

    Args:
        durable: whether an item survives a power cut once it is written. One that does
            not need to has no stand-in either: whoever writes it can write it again.
    """

    def __init__(
        self, data: Path, *, name: str = _FOLDER, durable: bool = True
    ) -> None:
        # Fixed now: a program that changes its working folder means the same one.
        data = data.absolute()
        self.folder = data / name
        # Hashed, since a path may be too long for a name of a folder.
        own = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
        self.stand_in = _private_root() / own / name
        self._durable = durable
        self._seen = False
        self._folders = (self.folder, self.stand_in) if durable else (self.folder,)

    def prepare(self) -> None:
        """
        Make the folder and start the threads that sync, so that nobody need wait.

        Raises:
            OSError: it cannot be made.
        """
        shared_threads().start()
        make_folder(self.folder)
        self._seen = True

    def write(self, item_id: UUID, fill: Callable[[ItemDraft], ItemContent]) -> Path:
        """
        Hand an item over: it survives a power cut once this returns, if it has to.

        One that is there already stays as it is.

        Args:
            fill: adds the files and gives the rest; called again for the stand-in.

        Returns:
            Its folder.

        Raises:
            OSError: neither folder can be written.
        """
        if not self._durable:
            return self._write(self.folder, item_id, fill)
        try:
            if self._seen:
                require_folder(self.folder.parent)
            path = self._write(self.folder, item_id, fill)
        # The data folder may be full, read-only or gone: the item must still be kept.
        except OSError as error:
            try:
                make_private_folder(_private_root())
                path = self._write(self.stand_in, item_id, fill)
            except OSError as other:
                raise other from error
            _LOGGER.warning("%s: run %s is kept in %s", error, item_id, path)
        else:
            self._seen = True
        return path

    def _write(
        self, folder: Path, item_id: UUID, fill: Callable[[ItemDraft], ItemContent]
    ) -> Path:
        name = folder / str(item_id)
        # Random: two threads may hand over one item at once.
        hidden = folder / f".{item_id}.{uuid4().hex[:8]}"
        try:
            draft = ItemDraft(hidden, shared_threads(), durable=self._durable)
            given = fill(draft)
            draft.finish(encode_item(item_id, given), name)
        except FileExistsError:
            shutil.rmtree(hidden, ignore_errors=True)
            if not name.is_dir():
                raise
        except BaseException:
            # On a full disk half an item must not take room from the next attempt.
            shutil.rmtree(hidden, ignore_errors=True)
            raise
        return name

    def items(self) -> Iterator[IncomingItem]:
        """
        Read the items, the first that was handed over first.

        One that cannot be read is given as well, without content: refused where that
        stays so, else (no descriptor is free, a share does not answer) as it waits.
        """
        for path in self._paths():
            item = _read(path)
            if item is not None:
                yield item

    def find(self, item_id: UUID) -> IncomingItem | None:
        """Read one item; None if it is not there."""
        for folder in self._folders:
            item = _read(folder / str(item_id))
            if item is not None:
                return item
        return None

    def pending(self) -> int:
        """Count the items that are still to be queued, without reading them."""
        return sum(not (path / _REFUSAL).exists() for path in self._paths())

    def is_empty(self) -> bool:
        """Whether there is nothing, refused items included."""
        return not any(True for _ in self._paths())

    def _paths(self) -> list[Path]:
        found: list[tuple[float, Path]] = []
        for folder in self._folders:
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue  # not made yet, or not ours to read
            for entry in entries:
                if entry.name.startswith(".") or not is_item_name(entry.name):
                    continue
                try:
                    found.append((entry.stat().st_mtime, Path(entry.path)))
                except OSError:
                    continue  # another process has taken it
        return [path for _, path in sorted(found)]

    def refuse(self, item: IncomingItem, reason: str) -> None:
        """
        Note why an item cannot be translated; it waits for :meth:`retry`.

        Raises:
            OSError: the folder cannot be written.
        """
        with whole_file(item.folder / _REFUSAL, durable=False) as partial:
            partial.write_bytes(msgspec.json.encode(ItemRefusal(reason=reason)))

    def is_refused(self, item: IncomingItem) -> bool:
        """Whether it is noted why an item cannot be translated."""
        return (item.folder / _REFUSAL).exists()

    def retry(self, item: IncomingItem) -> None:
        """
        Have an item translated again.

        Raises:
            OSError: the folder cannot be written.
        """
        (item.folder / _REFUSAL).unlink(missing_ok=True)

    def remove(self, item: IncomingItem) -> None:
        """
        Remove an item with its files, if it is there.

        Raises:
            OSError: the folder cannot be written.
        """
        # Random: what is left of one that was taken before would be in the way.
        hidden = item.folder.with_name(f".{item.id}.{uuid4().hex[:8]}.taken")
        try:
            # By its name first: nobody may see half an item.
            past_scanners(item.folder.rename, hidden)
        except FileNotFoundError:
            return  # another process was faster
        shutil.rmtree(hidden, ignore_errors=True)

    def sweep(self) -> None:
        """Delete what an interruption left a day ago or earlier."""
        yesterday = time.time() - _ABANDONED
        for folder in self._folders:
            for path in folder.glob(".*"):
                try:
                    abandoned = path.stat().st_mtime < yesterday
                except FileNotFoundError:
                    continue
                if abandoned or path.name.endswith(".taken"):
                    shutil.rmtree(path, ignore_errors=True)


def _read(path: Path) -> IncomingItem | None:
    try:
        item = decode_item(path)
    except (SourceError, OSError) as error:
        try:
            return _unreadable(path, error)
        except (FileNotFoundError, NotADirectoryError):
            return None  # another process has taken it
    return attrs.evolve(item, refusal=_refusal(path))


def _refusal(folder: Path) -> ItemRefusal | None:
    try:
        return decode((folder / _REFUSAL).read_bytes(), ItemRefusal)
    except FileNotFoundError:
        return None
    except (ModelError, OSError) as error:
        return ItemRefusal(reason=f"its reason cannot be read: {error}")


def _unreadable(folder: Path, error: Exception) -> IncomingItem:
    if not stat.S_ISDIR((status := folder.stat()).st_mode):
        raise NotADirectoryError(folder)
    changed = datetime.fromtimestamp(status.st_mtime, UTC)
    # What the system may get over is no reason to ask a person.
    lasting = not isinstance(error, OSError) or is_lasting(error)
    return IncomingItem(
        id=UUID(folder.name),
        given=ItemContent(kind=UNREADABLE_KIND, content=b"null"),
        handed_over_at=changed,
        folder=folder,
        refusal=ItemRefusal(reason=str(error), at=changed) if lasting else None,
    )


def _private_root() -> Path:
    # On Windows the temporary folder is the user's own already.
    user = "" if os.name == "nt" else f"-{os.geteuid()}"
    try:
        temporary = tempfile.gettempdir()
    except FileNotFoundError:
        # It writes to find one, and the disk is full: there may be room in an hour.
        temporary = os.environ.get("TMPDIR" if os.name != "nt" else "TEMP") or "/tmp"  # noqa: S108 - the folder in it is private
    return Path(temporary) / f"rigbridge{user}"
