"""
Seals: digests of rows, by which a check finds a changed byte.

A database that is damaged below it, by a disk or by another program, may still be well
formed. A seal is taken of the values as they are written, and taken again of the values
as they are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import cast

import msgspec

from rigbridge_store.tables.values import Row

__all__ = ["RUN_COLUMNS", "file_seal", "run_seal", "text_seal", "with_texts"]

RUN_COLUMNS = (
    "id",
    "created_at",
    "started_at",
    "ended_at",
    "duration",
    "outcome",
    "docstring",
    "procedure_key",
    "version_key",
    "unit_key",
    "part_key",
    "revision_key",
    "operator_key",
    "operator_name",
    "station_name_key",
    "creator_user_key",
    "creator_station_key",
    "head",
    "digest",
)
"""The columns of a run that are sealed: all that never change."""

# Enough to tell damage; nobody who could forge one needs to.
_SIZE = 16
_BLOCK = 4096

_encode = msgspec.json.Encoder().encode


def run_seal(
    run: Row,
    phases: Iterable[Row],
    measurements: Iterable[Row],
    logs: Iterable[Row],
) -> bytes:
    """
    Take the seal of a run.

    Args:
        phases: position, name, outcome, start, end and docstring of each.
        measurements: test point, phase, position, specification, outcome, number and
            value of each, in the order of phase and position.
        logs: position, level, timestamp, message, file and line of each.
    """
    found = hashlib.blake2b(_encode(run), digest_size=_SIZE)
    # Numbers of these columns are doubles in the database, whatever was sent. Added to
    # zero, which SQLite keeps without its sign, they are that here as well.
    found.update(
        _encode(
            [
                (
                    place,
                    name,
                    outcome,
                    None if begin is None else cast("float", begin) + 0.0,
                    None if end is None else cast("float", end) + 0.0,
                    text,
                )
                for place, name, outcome, begin, end, text in phases
            ]
        )
    )
    rest = iter(measurements)
    # In blocks, since a run may have a hundred thousand.
    while some := list(islice(rest, _BLOCK)):
        found.update(
            _encode(
                [
                    (
                        *before,
                        None if number is None else cast("float", number) + 0.0,
                        value,
                    )
                    for *before, number, value in some
                ]
            )
        )
    found.update(_encode(list(logs)))
    return found.digest()


def text_seal(text: bytes | None, place: str, *positions: int) -> int:
    """
    Take the seal of a text that is kept apart from its run, as packed; 0 without one.

    Args:
        place: the column that holds it.
        positions: of the measurement that it is the value of.
    """
    if text is None:
        return 0
    found = hashlib.blake2b(_encode((place, *positions)), digest_size=_SIZE)
    found.update(text)
    return int.from_bytes(found.digest())


def with_texts(seal: bytes, texts: Iterable[int]) -> bytes:
    """
    Take the texts of a run into its seal, or those that are in it out of it.

    A text that changes alone is so replaced without a look at the rows of its run, and
    what was damaged before stays so.
    """
    found = int.from_bytes(seal)
    for text in texts:
        found ^= text
    return found.to_bytes(_SIZE)


def file_seal(
    public: str,
    name: str,
    mime_type: str | None,
    size: int | None,
    sha256: str | None,
    *,
    stored: bool,
) -> bytes:
    """Take the seal of what a row says of a file."""
    said = (public, name, mime_type, size, sha256, bool(stored))
    return hashlib.blake2b(_encode(said), digest_size=_SIZE).digest()
