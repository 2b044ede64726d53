"""A plan in a file: JSON lines, one for each source that an import would take."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import attrs

from rigbridge.errors import ConfigurationError
from rigbridge.imports.results import SourceResult
from rigbridge.sources import is_archive

__all__ = ["PlanReader", "PlanWriter", "PlannedSource"]

_VERSION = 1
_INSIDE = b"!/"


class PlanWriter:
    """
    Writes a plan beside its place, and puts it there when it is complete.

    Raises:
        ConfigurationError: it cannot be written.
    """

    def __init__(self, path: Path, heading: Mapping[str, object]) -> None:
        self._path = path
        # Under another name until it is complete: half a plan would import half the
        # files without a word.
        self._part = path.with_name(f"{path.name}.part")
        try:
            self._stream: IO[str] = self._part.open("w", encoding="utf-8")
        except OSError as error:
            raise _unusable(path, error) from error
        self._write({"event": "plan", "version": _VERSION, **heading})

    def add(self, result: SourceResult, document: Mapping[str, object]) -> None:
        """
        Write what would come of a source.

        Args:
            document: the same for a person or another program.
        """
        if result.key is None or not result.tried:
            return
        archive = None if result.path is not None else _container(result.key)
        reasons = [
            {"disposition": what, "item": item, "rule": rule, "count": count}
            for (what, item, rule), count in result.report.amounts().items()
            if what != "mapped"
        ]
        self._write(
            {
                **document,
                "address": _text(result.key),
                "archive": None if archive is None else _text(archive),
                "size": result.size,
                "mtime_ns": result.mtime_ns,
                "digest": result.digest,
                "adapter_version": result.adapter_version,
                "reasons": reasons,
                "imported_before": result.skipped,
            }
        )

    def finish(self, sums: Mapping[str, object]) -> None:
        """
        Write the sums, and put the plan into its place.

        Raises:
            ConfigurationError: it cannot be written.
        """
        self._write({**sums, "event": "summary"})
        try:
            self._stream.close()
            self._part.replace(self._path)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def abandon(self) -> None:
        """Take a plan away that was not completed; nothing after :meth:`finish`."""
        with suppress(OSError):
            self._stream.close()
            self._part.unlink(missing_ok=True)

    def _write(self, document: Mapping[str, object]) -> None:
        try:
            # Lone surrogates, which stand for bytes that are no text, are escaped.
            self._stream.write(json.dumps(document) + "\n")
        except OSError as error:
            raise _unusable(self._path, error) from error


@attrs.frozen(kw_only=True)
class PlannedSource:
    """
    What a plan says of a source.

    Attributes:
        key: what a scan and the ledger know it by.
        name: what a person recognizes it by.
        archive: the key of the archive that it is a member of, or None.
        size, mtime_ns: its length in bytes and the time of its last change, in
            nanoseconds of Unix time; None where that was not known.
        adapter: the adapter that would read it, or None.
        runs: how many runs it would give.
        failed: whether it would fail, as a whole or in part.
        imported_before: whether the ledger had it already.
    """

    key: bytes
    name: str
    archive: bytes | None
    size: int | None
    mtime_ns: int | None
    adapter: str | None
    runs: int
    failed: bool
    imported_before: bool

    def other_verdict(self, result: SourceResult) -> str | None:
        """Say how what came of the source differs from what was planned, if it does."""
        if result.skipped or self.imported_before or not result.tried:
            return None
        if self.adapter != result.adapter:
            return f"was to be read by {self.adapter}, was by {result.adapter}"
        if self.runs != len(result.runs):
            return f"was to give {self.runs} runs, gave {len(result.runs)}"
        if self.failed == result.succeeded:
            return "was to fail, did not" if self.failed else "was to succeed, failed"
        return None


class PlanReader:
    """
    Reads a plan; holds nothing of its sources but where members of archives stand.

    Raises:
        ConfigurationError: it cannot be read, or is no complete plan.

    Attributes:
        heading: what holds of the whole plan.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.heading: Mapping[str, Any] = {}
        # Members come as they were read, those of several archives among each other.
        # Eight bytes for each member instead of its line: archives may have millions.
        self._members: dict[bytes, array[int]] = {}
        try:
            self._check()
        except OSError as error:
            raise _unusable(path, error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                "is no complete plan of an import",
                source=str(path),
                remedy="make one with 'rigbridge import --plan FILE PATH...'",
            ) from error

    def _check(self) -> None:
        with self._path.open("rb") as stream:
            self.heading = json.loads(stream.readline())
            if self.heading["version"] != _VERSION:
                raise ValueError(self.heading["version"])
            # Bytes and not characters: seek takes bytes.
            at = stream.tell()
            for line in stream:
                document = json.loads(line)
                if document["event"] == "summary":
                    return
                planned = _planned(document)
                if planned.archive is not None:
                    places = self._members.setdefault(planned.archive, array("Q"))
                    places.append(at)
                at += len(line)
        # The summary is the last line. Without it the writer was cut off.
        raise ValueError("the last line is missing")

    def __iter__(self) -> Iterator[PlannedSource]:
        """
        Give the sources as they stand, those of an archive together.

        Raises:
            ConfigurationError: the file changed meanwhile.
        """
        given: set[bytes] = set()
        try:
            with self._path.open("rb") as stream:
                stream.readline()
                for line in stream:
                    document = json.loads(line)
                    if document["event"] == "summary":
                        return
                    planned = _planned(document)
                    if planned.archive is None:
                        yield planned
                    elif planned.archive not in given:
                        # An archive is opened once, wherever its members stand in the
                        # plan.
                        given.add(planned.archive)
                        yield from self._together(planned.archive)
        except (OSError, ValueError, KeyError) as error:
            raise ConfigurationError(
                f"the plan changed while it was followed: {error}",
                source=str(self._path),
                remedy="make a new one",
            ) from error

    def _together(self, archive: bytes) -> Iterator[PlannedSource]:
        with self._path.open("rb") as stream:
            for at in self._members[archive]:
                stream.seek(at)
                yield _planned(json.loads(stream.readline()))


def _planned(line: Mapping[str, Any]) -> PlannedSource:
    archive = line["archive"]
    return PlannedSource(
        key=_bytes(line["address"]),
        name=line["source"],
        archive=None if archive is None else _bytes(archive),
        size=line["size"],
        mtime_ns=line["mtime_ns"],
        adapter=line["adapter"],
        runs=len(line["runs"]),
        failed=any(error["kind"] != "NoRunError" for error in line["errors"]),
        imported_before=line["imported_before"],
    )


def _container(key: bytes) -> bytes | None:
    """Give the key of the archive that a source is a member of."""
    at = key.find(_INSIDE)
    # The name of a folder may end in an exclamation mark, too.
    while at >= 0 and not is_archive(_text(key[:at])):
        at = key.find(_INSIDE, at + 1)
    return None if at < 0 else key[:at]


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the plan cannot be used: {error.strerror or error}",
        source=str(path),
        remedy="check the path and its permissions",
    )
