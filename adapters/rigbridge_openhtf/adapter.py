"""The reader of OpenHTF's JSON records, of every era, without OpenHTF itself."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import attrs

from rigbridge.adapters import HandedOverRecord, Match, ReadContext, Source
from rigbridge.errors import (
    MalformedSourceError,
    ModelError,
    NoRunError,
    SourceError,
    SourceUnreadableError,
)
from rigbridge.machine.folders import read_chunks
from rigbridge.model import Run
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge_openhtf.documents.parsing import Parsed

__all__ = ["OpenHTFJSONAdapter"]

_OWN_MARKS = (
    "dut_id",
    "station_id",
    "outcome_details",
    "log_records",
    "codeinfo",
    "code_info",
    "descriptor_id",
    "phase_result",
)
_ENOUGH = 3
_SURE, _LIKELY, _FRAGMENT = 0.95, 0.7, 0.3


class OpenHTFJSONAdapter:
    """
    Reads the JSON that OpenHTF's ``OutputToJSON`` writes.

    A file may hold one record, a list of them or several in a row.

    Args:
        settings: what the site chose; the defaults by default.
    """

    name: ClassVar[str] = "openhtf-json"
    settings_type: ClassVar[type[OpenHTFSettings]] = OpenHTFSettings

    def __init__(self, settings: OpenHTFSettings | None = None) -> None:
        self.settings = OpenHTFSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:  # noqa: ARG002 - OpenHTF gives its files any name
        """Count the keys that only OpenHTF's records have."""
        # No parsing: the head of a long record ends in the middle of a value.
        text = _text(head)
        if not text.startswith(("{", "[")):
            return None
        marks = [mark for mark in _OWN_MARKS if f'"{mark}"' in text]
        reason = f"keys of an OpenHTF record: {', '.join(marks)}"
        if len(marks) >= _ENOUGH:
            return Match(_SURE, reason)
        if len(marks) > 1 or (marks and '"start_time_millis"' in text):
            return Match(_LIKELY, reason)
        if '"uom_code"' in text:
            return Match(_FRAGMENT, "units as OpenHTF writes them, but no whole record")
        return None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """
        Read the runs of a source.

        Raises:
            SourceUnreadableError: it cannot be opened or read.
            MalformedSourceError: it is no JSON, or a part has the wrong shape.
            NoRunError: it holds no test record.
        """
        # Imported here: most files that are looked at are no such records.
        from rigbridge_openhtf.documents.long_texts import LongTexts
        from rigbridge_openhtf.documents.parsing import parse

        # The file outlives the loop: attachments are decoded from it run by run.
        with context.spool.aside() as file:
            texts = LongTexts(file)
            documents = parse(
                texts.take_out(_chunks(source)),
                source.uri,
                uncounted="long attachments" if texts else None,
            )
            if not documents:
                raise NoRunError("holds an empty list of records", source=source.uri)
            for index, parsed in enumerate(documents):
                whole = attrs.evolve(parsed, document=texts.put_back(parsed.document))
                try:
                    given = [self._run(whole, index, source, context)]
                except SourceError as error:
                    # A single record is the source; one of many costs only itself.
                    if len(documents) == 1:
                        raise
                    context.failed(error)
                    continue
                # A large run goes as soon as its taker has no more need of it.
                yield given.pop()

    def translate(self, record: HandedOverRecord, context: ReadContext) -> Run:
        """
        Make the run of a record that the output callback wrote.

        Raises:
            MalformedSourceError: it is no such record.
            ModelError: a value does not fit the model.
        """
        # Imported here, as in read.
        from rigbridge_openhtf.handed_over import (
            translate_handed_over,
        )

        return translate_handed_over(
            record.content,
            record.file,
            spool=context.spool,
            report=context.report,
            settings=self.settings,
            run_id=record.id,
        )

    def _run(
        self, parsed: Parsed, index: int, source: Source, context: ReadContext
    ) -> Run:
        if parsed.error is not None:
            raise parsed.error
        from rigbridge_openhtf.documents.json_record import (
            read_document,
        )
        from rigbridge_openhtf.scope import Scope
        from rigbridge_openhtf.translation.runs import translate

        scope = Scope(
            report=context.report,
            spool=context.spool,
            settings=self.settings,
            strict=context.strict,
            source=source.uri,
            path=parsed.path,
        )
        provenance = context.provenance(source, index, format="OpenHTF JSON")
        if parsed.constants:
            rule = "NaN and Infinity, which are no JSON, read as numbers"
            scope.coerced("value", rule, f"{parsed.constants} times")
        try:
            record = read_document(parsed.document, scope)
            return translate(record, scope, run_id=provenance.run_id, source=provenance)
        except ModelError as error:
            raise MalformedSourceError(
                error.message,
                source=source.uri,
                place=f"{parsed.path}: {error.path}",
                remedy="look at the record",
            ) from error


def _chunks(source: Source) -> Iterator[bytes]:
    """
    Read a source piece by piece.

    Raises:
        SourceUnreadableError: it cannot be opened or read.
    """
    try:
        with source.open() as stream:
            yield from read_chunks(stream)
    except OSError as error:
        raise SourceUnreadableError(
            f"cannot be read: {error}",
            source=source.uri,
            remedy="check the disk or network",
        ) from error


def _text(head: bytes) -> str:
    head = head.removeprefix(codecs.BOM_UTF8)
    encoding = json.detect_encoding(head) if head else "utf-8"
    return head.decode(encoding, "ignore").lstrip()
