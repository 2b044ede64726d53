"""
The files of a record: one flat list, each name once, the bytes in the spool.

OpenHTF names attachments within their phase. Where two phases use one name, each gets
its phase's name in front (``calibrate/scope.png``); a phase that ran more than once is
told apart by a number. What each phase attached is kept in its attributes.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from rigbridge.errors import MalformedSourceError
from rigbridge.machine.files import is_lasting
from rigbridge.model import Attachment, JSONValue
from rigbridge_openhtf.raw_record import BytesUnreadableError, RawAttachment
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.values import text_of

__all__ = ["NamedFile", "PhaseFiles", "name_attachments", "read_attachments"]

# As RFC 9110 has it, its parameters on one line of ASCII.
_MEDIA_TYPE = re.compile(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\s*;[ -~]*)?"
)


@attrs.frozen(kw_only=True)
class PhaseFiles:
    """What a phase attached."""

    phase: str
    scope: Scope
    attachments: Sequence[RawAttachment]


@attrs.frozen
class NamedFile:
    """
    An attachment that has its name in the run, and is still to be read.

    Attributes:
        raw: what the record says about it.
        name: its name, which no other has.
    """

    raw: RawAttachment
    name: str
    scope: Scope


def name_attachments(
    phases: Sequence[PhaseFiles],
) -> tuple[list[NamedFile], list[dict[str, JSONValue]]]:
    """
    Name the files of all phases.

    Returns:
        The files, and for each phase what its attributes say about its own: by the
        file's name its SHA-1, and the name it was attached under where that differs.
    """
    names = _names(phases)
    files: list[NamedFile] = []
    notes: list[dict[str, JSONValue]] = []
    for phase in phases:
        noted: dict[str, JSONValue] = {}
        for raw in phase.attachments:
            name, given = next(names)
            scope = phase.scope.at(f".attachments[{given!r}]")
            if name != given:
                scope.coerced("attachment", "name made unique by its phase's", name)
            files.append(NamedFile(raw, name, scope))
            note = {"name": given} if name != given else {}
            sha1 = text_of(raw.sha1, scope, "attachment digest")
            noted[name] = note if sha1 is None else {**note, "sha1": sha1}
        notes.append(noted)
    return files, notes


def read_attachments(files: Sequence[NamedFile]) -> list[Attachment]:
    """
    Read the files; wait for those that threads of the spool are reading already.

    Call this last: the disk works while the rest of a record is translated.
    """
    return [_read(file.raw, file.name, file.scope) for file in files]


def _names(phases: Sequence[PhaseFiles]) -> Iterator[tuple[str, str]]:
    """Give the unique and the given name of each file, in order."""
    given = [
        (phase.phase, _given_name(raw, phase.scope))
        for phase in phases
        for raw in phase.attachments
    ]
    counts = Counter(name for _, name in given)
    # A name that occurs once is never changed, so a made-up name must not take it.
    taken = {name for name, count in counts.items() if count == 1}
    for phase_name, name in given:
        if counts[name] == 1:
            yield name, name
            continue
        unique, number = f"{phase_name}/{name}", 1
        while unique in taken:
            number += 1
            unique = f"{phase_name} ({number})/{name}"
        taken.add(unique)
        yield unique, name


def _given_name(raw: RawAttachment, scope: Scope) -> str:
    name = text_of(raw.name, scope, "attachment name")
    if name is None:
        scope.coerced("attachment name", "blank, called attachment")
    return name or "attachment"


def _read(raw: RawAttachment, name: str, scope: Scope) -> Attachment:
    media_type = _media_type(raw, scope)
    if raw.file is not None or raw.chunks is not None:
        try:
            found = _spooled(raw, name, media_type, scope)
        except BytesUnreadableError as error:
            if scope.strict:
                raise MalformedSourceError(
                    str(error),
                    source=scope.source,
                    place=scope.path,
                    remedy="read it without strict to have the rest of the record",
                ) from error
            scope.dropped("attachment bytes", str(error), name)
        else:
            if media_type is None and found.media_type is not None:
                scope.coerced("media type", "guessed from the name", found.media_type)
            scope.mapped("attachment")
            return found
    scope.coerced("attachment", "known by name only, the record has no bytes", name)
    return Attachment(name=name, media_type=media_type, size=raw.size)


def _media_type(raw: RawAttachment, scope: Scope) -> str | None:
    """Give the media type where a header can carry it."""
    given = text_of(raw.media_type, scope, "media type")
    cleaned = None if given is None else given.strip()
    if cleaned is None or _MEDIA_TYPE.fullmatch(cleaned) is None:
        if given is not None:
            scope.dropped("media type", "cannot stand in a header", given)
        return None
    return cleaned


def _spooled(
    raw: RawAttachment, name: str, media_type: str | None, scope: Scope
) -> Attachment:
    if raw.file is None:
        return scope.spool.add(_checked(raw, scope), name=name, media_type=media_type)
    try:
        return scope.spool.adopt(raw.file, name=name, media_type=media_type)
    except OSError as error:
        # Both files can fail. Only that of the record costs no more than its bytes, and
        # only if it stays so: a process may be out of descriptors for a moment.
        if error.filename != str(raw.file) or not is_lasting(error):
            raise
        raise BytesUnreadableError(
            f"OpenHTF's own file cannot be read: {error}"
        ) from error


def _checked(raw: RawAttachment, scope: Scope) -> Iterator[bytes]:
    """Pass the bytes on, and compare them with the digest that the record states."""
    chunks = () if raw.chunks is None else raw.chunks()
    if not (raw.verify and isinstance(raw.sha1, str)):
        yield from chunks
        return
    # OpenHTF's choice; it only shows damage here, nobody relies on it for security.
    digest = hashlib.sha1(usedforsecurity=False)
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != raw.sha1.strip().lower():
        scope.coerced("attachment", "its bytes do not have the SHA-1 stated", raw.sha1)
