"""A draft that has been tried on its own example, and says what came of it."""

from __future__ import annotations

import tomllib

from rigbridge.adapters import Source
from rigbridge.errors import RigbridgeError, UnrecognizedSourceError
from rigbridge.model.report import Disposition
from rigbridge_csv.learning.draft import draft_profile
from rigbridge_csv.learning.trial import try_profile
from rigbridge_csv.limits import AS_TEXT
from rigbridge_csv.profiles.profile import make_profile
from rigbridge_csv.selection import best_claims
from rigbridge_csv.text.foreign import foreign_format, is_workbook
from rigbridge_csv.text.workbook import can_read_workbooks

__all__ = ["checked_draft"]

_MOST = 3


def checked_draft(source: Source) -> tuple[str, bool]:
    """
    Make a draft for an example, and try it.

    Returns:
        The draft as TOML, and whether it reads the example with nothing left to
        declare.

    Raises:
        UnrecognizedSourceError: the file is no delimited text.
        SourceUnreadableError: its bytes cannot be read.
    """
    head = source.head
    found = foreign_format(head)
    if found is not None and not (is_workbook(head) and can_read_workbooks()):
        raise UnrecognizedSourceError(
            f"is {found}, not a delimited log",
            source=source.uri,
            remedy="pip install 'rigbridge[excel]' reads workbooks"
            if is_workbook(head)
            else "give it its right name",
        )
    built_in = best_claims((), head, source.name)
    if len(built_in) == 1 and found is None:
        name = built_in[0].profile.name
        words = (
            f"# The built-in profile {name!r} reads it: nothing has to be declared.\n"
            f"# 'rigbridge csv try {name} FILE' shows what it makes of it."
        )
        return f"{words}\n", True
    draft = draft_profile(source)
    lines = ["# A draft of a profile, made of one example: read it before you use it."]
    try:
        profile = make_profile(tomllib.loads(draft.text), "")
        tried = try_profile(profile, source)
    except RigbridgeError as error:
        lines.append(f"# It does not read the example yet: {error}")
        return "\n".join([*lines, draft.text]), False
    lines.append(f"# Of the example it reads: {tried.counts}.")
    lines.extend(f"# Left out: {error}" for error in tried.failures[:_MOST])
    lines.extend(f"# DECLARE: {words}" for words in draft.asks)
    entries = tried.report.entries
    lost = [each for each in entries if each.disposition is Disposition.DROPPED]
    lines.extend(f"# Lost: {entry}" for entry in lost[:_MOST])
    # Nothing is lost of them, but a range that a pattern would give.
    unread = [each for each in entries if each.rule == AS_TEXT]
    lines.extend(f"# DECLARE: fields.limits: {entry}" for entry in unread[:_MOST])
    asked = tried.failures or draft.asks or lost or unread
    ready = bool(tried.runs) and not asked
    return "\n".join([*lines, "", draft.text]), ready
