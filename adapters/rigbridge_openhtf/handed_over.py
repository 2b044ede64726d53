"""
What a program handed over becomes a run: in the process that sends, or at once.

The output callback writes a record down and returns. Whoever sends finds it in the
outbox and has it translated here, by the rules of
:mod:`rigbridge_openhtf.translation.runs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast
from uuid import UUID

import attrs

import rigbridge
from rigbridge.adapters import ConversionReport, Spool
from rigbridge.model import Provenance, Run, RunOutcome
from rigbridge_openhtf.raw_document import FindBytes, read_raw_document
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.settings import OpenHTFSettings
from rigbridge_openhtf.translation.runs import translate

__all__ = ["LIVE_NAME", "translate_handed_over"]

LIVE_NAME = "openhtf-json"
"""The adapter in the provenance of a live run: its settings count for it."""

_SETTINGS = frozenset(field.name for field in attrs.fields(OpenHTFSettings))


def translate_handed_over(
    content: bytes,
    find: FindBytes,
    *,
    spool: Spool,
    report: ConversionReport,
    settings: OpenHTFSettings,
    run_id: UUID,
) -> Run:
    """
    Translate what a hand-over wrote.

    Args:
        find: gives the bytes of its files.
        settings: what the site chose; what the program gave itself wins.

    Raises:
        MalformedSourceError: it is no record of a hand-over.
        ModelError: a value does not fit the model.
    """
    document = read_raw_document(content, find)
    if document.settings is not None:
        settings = _made(document.settings)
    scope = Scope(report=report, spool=spool, settings=settings)
    record = document.record
    if record.outcome is None:
        # Releases of OpenHTF before 1.6.3 give a test that Ctrl-C ended to its
        # callbacks before it has a verdict. Nobody will ever give it one.
        place = scope.at(".outcome")
        place.coerced("outcome", "handed over without a verdict: taken as ABORTED")
        record = attrs.evolve(record, outcome=RunOutcome.ABORTED.value)
    # Threads read the files while this one translates.
    spool.expect(
        [
            item.file
            for phase in record.phases
            for item in phase.attachments
            if item.file
        ]
    )
    provenance = Provenance(
        adapter=LIVE_NAME,
        adapter_version=rigbridge.__version__,
        format="OpenHTF test record",
        format_version=document.openhtf_version,
    )
    return translate(record, scope, run_id=run_id, source=provenance)


def _made(given: Mapping[str, object]) -> OpenHTFSettings:
    # Another release may have settings that this one does not know.
    known = {name: value for name, value in given.items() if name in _SETTINGS}
    make = cast("Callable[..., OpenHTFSettings]", OpenHTFSettings)
    return make(**known)
