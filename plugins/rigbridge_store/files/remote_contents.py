"""
The bytes of attachments behind a URL: in S3, or in whatever else fsspec reaches.

A content comes in as a file of the data folder, since its name, the digest, is known at
its end. Then it is uploaded as a whole: under its name there is all of it or nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import attrs

from rigbridge.errors import ConfigurationError, ServerUnavailableError
from rigbridge.wire import CODES
from rigbridge_store.files.contents import ContentStore, DiskContents
from rigbridge_store.results import StoredContent

__all__ = ["RemoteContents", "RemoteOpener", "contents_of"]

_FRESH_SECONDS = 300.0
"""How old a content may be to be found again; well below the wait of a sweep."""

_EXTRAS = {"s3": "s3", "s3a": "s3"}


class RemoteContents(ContentStore):
    """
    The contents under a URL.

    Args:
        data: the data folder, for contents that are coming in.
        url: the address (``s3://bucket/path``). The credentials of S3 come from where
            every program finds them (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``).

    Raises:
        ConfigurationError: the address is none, or needs what is not installed.
    """

    def __init__(self, data: Path, url: str) -> None:
        super().__init__(data)
        self.url = url
        self._files, self._root = _file_system(url)

    def _place(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def path(self, sha256: str) -> None:
        """Tell that a content is no file of this machine."""
        del sha256

    def opener(self, sha256: str) -> Callable[[], IO[bytes]]:
        """Give what opens a content."""
        return RemoteOpener(self._files, self._place(sha256))

    def open(self, sha256: str) -> IO[bytes]:
        """
        Open a content for reading.

        Raises:
            FileNotFoundError: it is not there.
            ServerUnavailableError: it cannot be reached for now.
        """
        with _reached(self.url):
            stream: IO[bytes] = self._files.open(self._place(sha256), "rb")
            return stream

    def holds(self, content: StoredContent) -> bool:
        """
        Whether a content is there already, whole, and safe from sweeping.

        An old one is not: it cannot be marked as wanted again except by writing it
        again, in its place.
        """
        place = self._place(content.sha256)
        with _reached(self.url):
            try:
                if self._files.info(place)["size"] != content.size:
                    return False
                return self._age(place) < _FRESH_SECONDS
            except FileNotFoundError:
                return False

    def _age(self, place: str) -> float:
        modified: float = self._files.modified(place).timestamp()
        return time.time() - modified

    def adopt(self, path: Path, content: StoredContent) -> None:
        """
        Upload a written file.

        Raises:
            ServerUnavailableError: it cannot be uploaded for now.
        """
        if not self.holds(content):
            place = self._place(content.sha256)
            with _reached(self.url):
                # S3 has no folders, but other file systems want them.
                self._files.makedirs(self._files._parent(place), exist_ok=True)  # noqa: SLF001 - what its own methods use
                self._files.put_file(str(path), place)
        # Last: until the upload is complete this is the only copy.
        path.unlink()

    def remove(self, sha256: str, *, untouched_for: float) -> bool:
        """Delete a content that has not been written for some seconds."""
        place = self._place(sha256)
        with _reached(self.url):
            try:
                if self._age(place) < untouched_for:
                    return False
                self._files.rm_file(place)
            except FileNotFoundError:
                return False
        return True

    def digests(self) -> Iterator[str]:
        """Go through the digests of all contents."""
        with _reached(self.url):
            found: list[str] = self._files.find(self._root)
        for place in found:
            yield place.rpartition("/")[2]


@attrs.frozen
class RemoteOpener:
    """Opens one content for reading bytes; can be sent to another process."""

    files: Any
    place: str

    def __call__(self) -> IO[bytes]:
        """Open the content."""
        stream: IO[bytes] = self.files.open(self.place, "rb")
        return stream


def _file_system(url: str) -> tuple[Any, str]:
    # Only where contents are elsewhere.
    try:
        from fsspec.core import (  # pyright: ignore[reportMissingTypeStubs]
            url_to_fs,  # pyright: ignore[reportUnknownVariableType]
        )
    except ImportError as error:
        raise _not_installed(url) from error
    try:
        # Others write there too, so that no listing can be remembered.
        found = cast("tuple[Any, str]", url_to_fs(url, use_listings_cache=False))
    except ImportError as error:
        raise _not_installed(url) from error
    except ValueError as error:
        raise ConfigurationError(
            f"the address of the attachments is not valid: {error}",
            source=url,
            remedy="write s3://BUCKET/PATH",
        ) from error
    return found[0], found[1].rstrip("/")


def _not_installed(url: str) -> ConfigurationError:
    scheme = url.partition("://")[0]
    extra = _EXTRAS.get(scheme)
    return ConfigurationError(
        f"attachments behind {scheme}:// need a library that is not installed",
        source=url,
        remedy=(
            f"pip install 'rigbridge[{extra}]'"
            if extra
            else f"install fsspec's file system for {scheme}"
        ),
    )


@contextmanager
def _reached(url: str) -> Generator[None]:
    """Turn the errors of a file system into ours; what is not there stays so."""
    try:
        yield
    except FileNotFoundError:
        # What is missing is an answer, and not an outage.
        raise
    except Exception as error:
        # Each file system has errors of its own, few of them an OSError.
        raise ServerUnavailableError(
            f"the attachments cannot be reached: {error}",
            source=url,
            remedy="check the address, its credentials and the connection, "
            "then try again",
            status=503,
            code=CODES[503],
        ) from error


def contents_of(data: Path, attachments: str | None) -> ContentStore:
    """
    Open the contents of a store.

    Args:
        attachments: the URL under which they are kept, or None for the folder.

    Raises:
        ConfigurationError: the URL cannot be used.
        OSError: the folder cannot be written.
    """
    if attachments is None:
        return DiskContents(data)
    return RemoteContents(data, attachments)
