"""
Files behind URLs: ``s3://``, ``sftp://``, ``smb://``, ``https://`` and others.

fsspec reaches them. Credentials come from where every program finds them (the
environment, ``~/.ssh``, fsspec's own configuration); a password in a URL is used, and
shown nowhere.
"""

from __future__ import annotations

import io
import tempfile
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import attrs

from rigbridge.errors import (
    ConfigurationError,
    RigbridgeError,
    SourceUnreadableError,
)
from rigbridge.machine.folders import CHUNK_SIZE, read_chunks
from rigbridge.sources.archives import is_archive
from rigbridge.sources.found import FoundSource
from rigbridge.sources.patterns import Selection, has_pattern, split_pattern

__all__ = ["RemoteFileOpener", "has_secret", "is_url", "remote_files", "shown_url"]

_EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "sftp": "sftp",
    "ssh": "sftp",
    "smb": "smb",
    "http": "http",
    "https": "http",
}
_TIMES = ("LastModified", "last_modified", "mtime", "modified", "last_write_time")
# Smaller files are held in memory while they are read.
_IN_MEMORY = 1 << 22


def is_url(text: str) -> bool:
    """Tell a URL from a path; a drive letter of Windows is no scheme."""
    # A scheme of one letter is a drive of Windows.
    scheme, found, _ = text.partition("://")
    return bool(found) and len(scheme) > 1 and scheme.replace("+", "").isalnum()


def shown_url(url: str) -> str:
    """Give a URL without its password and its query, which may hold a secret."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    shown = f"{user.partition(':')[0]}{at}{host}"
    query = "..." if parts.query else ""
    return urlunsplit((parts.scheme, shown, parts.path, query, ""))


def has_secret(url: str) -> bool:
    """Tell whether a URL holds a password, or a query that may be one."""
    parts = urlsplit(url)
    # A query may be a signature of a storage service.
    return parts.password is not None or bool(parts.query)


class _Copy:
    """The temporary copy of a file, which several streams read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._file: IO[bytes] | None = None

    def fill(self, write: Callable[[IO[bytes]], None]) -> None:
        """Write it, if that was not done yet."""
        with self.lock:
            if self._file is not None:
                return
            # In memory while it is small, on the disk beyond that.
            file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - kept
            copy = cast("IO[bytes]", file)
            try:
                write(copy)
            except BaseException:
                copy.close()
                raise
            self._file = copy
            # Who holds an opener cannot be asked to close it.
            weakref.finalize(self, copy.close)

    def size(self) -> int:
        """Give its length."""
        with self.lock:
            return 0 if self._file is None else self._file.seek(0, io.SEEK_END)

    def read(self, at: int, count: int) -> bytes:
        """Read from a place."""
        with self.lock:
            if self._file is None:
                return b""
            self._file.seek(at)
            return self._file.read(count)


class _View(io.RawIOBase):
    """A stream with a place of its own in a copy that others read as well."""

    def __init__(self, copy: _Copy) -> None:
        super().__init__()
        self._copy = copy
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence == io.SEEK_END:
            offset += self._copy.size()
        if offset < 0:
            raise ValueError("a place in front of the beginning")
        self._at = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        # Under the lock of the copy: several readers share one place in the file.
        block = self._copy.read(self._at, len(buffer))
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)


@attrs.frozen
class RemoteFileOpener:
    """
    Opens a file behind a URL; can be sent to another process.

    It is fetched once, when it is opened first: what is recognized, hashed and read is
    one content. Large ones lie in a temporary file that goes away with this.

    Attributes:
        url: the address that a person gave; with its password.
        place: the file, as its file system names it.
        uri: what a person recognizes it by.
    """

    url: str = attrs.field(repr=False)
    place: str
    uri: str
    _copy: _Copy = attrs.field(factory=_Copy, init=False, eq=False, repr=False)

    def __call__(self) -> IO[bytes]:
        """
        Open the file.

        Raises:
            SourceUnreadableError: it cannot be fetched.
            ConfigurationError: the address needs what is not installed.
        """
        self._copy.fill(self._fetch)
        return cast("IO[bytes]", io.BufferedReader(_View(self._copy), CHUNK_SIZE))

    def _fetch(self, copy: IO[bytes]) -> None:
        files = _file_system(self.url)[0]
        with _reached(self.url, self.uri), files.open(self.place, "rb") as stream:
            for chunk in read_chunks(stream):
                copy.write(chunk)

    def __reduce__(self) -> tuple[type[RemoteFileOpener], tuple[str, str, str]]:
        # Another process fetches it itself: the temporary file stays here.
        return RemoteFileOpener, (self.url, self.place, self.uri)


def remote_files(
    url: str, selection: Selection, excluded: Callable[[], None]
) -> Iterator[FoundSource]:
    """
    Go through the files behind a URL: a file itself, a folder all files below it.

    Names that begin with a dot are skipped. Of a folder that cannot be listed, and of
    what is not there, one is given that raises the error when it is read.

    Args:
        url: the address, which may hold a pattern.
        excluded: called for each file that is not.

    Raises:
        ConfigurationError: the address needs what is not installed.
    """
    base, pattern = split_pattern(url) if has_pattern(urlsplit(url).path) else (url, "")
    shown = shown_url(base)
    try:
        # Wrong addresses and missing libraries are told as of a source, so that the
        # others of the same call go on.
        files, root = _file_system(base)
    except SourceUnreadableError as error:
        yield _found(base, urlsplit(base).path, shown, {}).refused(error)
        return
    try:
        with _reached(base, shown):
            # A page of the web may be a list of links: only its slash tells.
            is_page = urlsplit(base).scheme in {"http", "https"}
            is_file = not base.endswith("/") if is_page else files.isfile(root)
            if not is_file and not is_page and not files.exists(root):
                raise FileNotFoundError(root)
            known: dict[str, Any] = files.info(root) if is_file else {}
    except SourceUnreadableError as error:
        yield _found(base, root, shown, {}).refused(error)
        return
    if is_file:
        yield _found(base, root, shown, known)
        return
    anchored = Selection(include=(pattern,)) if pattern else Selection()
    for place, info in _below(files, root, base, shown):
        relative = place[len(root) :].strip("/")
        uri = f"{shown.rstrip('/')}/{relative}"
        found = _found(base, place, uri, {} if isinstance(info, Exception) else info)
        if isinstance(info, SourceUnreadableError):
            yield found.refused(info)
        elif "/." in f"/{relative}" or not anchored.takes(relative):
            # Hidden files and folders, as on this machine.
            continue
        elif _takes(selection, relative):
            yield found
        else:
            excluded()


def _takes(selection: Selection, relative: str) -> bool:
    folders = relative.split("/")[:-1]
    # What is excluded as a folder is excluded with all that is in it.
    above = ("/".join(folders[: at + 1]) for at in range(len(folders)))
    if any(map(selection.bars, above)):
        return False
    if is_archive(relative):
        return not selection.bars(relative)
    return selection.takes(relative)


def _below(
    files: Any, root: str, url: str, shown: str
) -> Iterator[tuple[str, dict[str, Any] | SourceUnreadableError]]:
    waiting, seen = [root], {root.rstrip("/")}
    while waiting:
        folder = waiting.pop()
        try:
            uri = f"{shown.rstrip('/')}{folder[len(root) :]}"
            with _reached(url, uri):
                listed = sorted(files.ls(folder, detail=True), key=itemgetter("name"))
        except SourceUnreadableError as error:
            yield folder, error
            continue
        below: list[str] = []
        for info in listed:
            place: str = info["name"]
            # Some list the folder itself; a page of the web links to any other.
            if place.rstrip("/") in seen or not place.startswith(root.rstrip("/")):
                continue
            if info.get("type") == "directory":
                seen.add(place.rstrip("/"))
                below.append(place)
            elif not place.endswith("/"):
                yield place, info
        waiting += reversed(below)


def _found(url: str, place: str, uri: str, info: dict[str, Any]) -> FoundSource:
    size = info.get("size")
    return FoundSource(
        name=place.rstrip("/").rpartition("/")[2],
        uri=uri,
        key=uri.encode("utf-8", "surrogateescape"),
        opener=RemoteFileOpener(url, place, uri),
        size=size if isinstance(size, int) else None,
        mtime_ns=_changed(info),
        has_secret=has_secret(url),
    )


def _changed(info: dict[str, Any]) -> int | None:
    for name in _TIMES:
        found = info.get(name)
        if isinstance(found, datetime):
            return int(found.timestamp() * 1_000_000) * 1000
        if isinstance(found, (int, float)):
            return int(found * 1_000_000) * 1000
    return None


def _file_system(url: str) -> tuple[Any, str]:
    scheme = urlsplit(url).scheme
    try:
        if scheme in {"sftp", "ssh"}:
            return _ssh_files(url)
        from fsspec.core import (  # pyright: ignore[reportMissingTypeStubs]
            url_to_fs,  # pyright: ignore[reportUnknownVariableType]
        )

        # A list that was remembered would hide what is new.
        found = cast("tuple[Any, str]", url_to_fs(url, use_listings_cache=False))
    except ImportError as error:
        raise _not_installed(scheme, url) from error
    except ValueError as error:
        raise ConfigurationError(
            f"is no address that can be read: {error}",
            source=shown_url(url),
            remedy="write one such as s3://BUCKET/FOLDER or sftp://HOST/FOLDER",
        ) from error
    return found


def _ssh_files(url: str) -> tuple[Any, str]:
    import sshfs  # pyright: ignore[reportMissingTypeStubs]

    parts = urlsplit(url)
    given = {
        "port": parts.port,
        "username": parts.username and unquote(parts.username),
        "password": parts.password and unquote(parts.password),
    }
    named = {key: value for key, value in given.items() if value}
    kind: Any = sshfs.SSHFileSystem
    with _reached(url, shown_url(url)):
        # Left to itself, it trusts whoever answers; () means ~/.ssh/known_hosts.
        files = kind(parts.hostname, known_hosts=(), **named)
    return files, unquote(parts.path) or "/"


def _not_installed(scheme: str, url: str) -> ConfigurationError:
    extra = _EXTRAS.get(scheme)
    return ConfigurationError(
        f"{scheme}:// needs a library that is not installed",
        source=shown_url(url),
        remedy=f"pip install 'rigbridge[{extra}]'"
        if extra
        else f"install fsspec and its file system for {scheme}",
    )


@contextmanager
def _reached(url: str, uri: str) -> Generator[None]:
    """Turn the errors of a file system into ours, without the secrets of the URL."""
    try:
        yield
    except RigbridgeError:
        raise
    except FileNotFoundError as error:
        raise SourceUnreadableError(
            "there is no such file", source=uri, remedy="check the address"
        ) from error
    except Exception as error:  # noqa: BLE001 - they have no base in common
        # Each file system has errors of its own, few of them an OSError.
        words = str(error) or type(error).__name__
        parts = urlsplit(url)
        for secret in (parts.password, unquote(parts.password or ""), parts.query):
            words = words.replace(secret, "...") if secret else words
        raise SourceUnreadableError(
            f"cannot be reached: {words}",
            source=uri,
            remedy="check the address, its credentials and the connection",
        ) from None
