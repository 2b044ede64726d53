"""The stations of a large file, which it names after the steps that they tested."""

from __future__ import annotations

from contextlib import suppress

from lxml import etree

from rigbridge.adapters import HEAD_SIZE, ConversionReport, Source
from rigbridge_teststand.atml.account import Account
from rigbridge_teststand.atml.header import read_header
from rigbridge_teststand.atml.layout import RESULTS, is_of_a_unit
from rigbridge_teststand.atml.names import local
from rigbridge_teststand.xml.streaming import Event, stream_events

__all__ = ["stations_of"]

# What is emptied as soon as it is complete.
_EMPTIED = ("{*}Test", "{*}SessionAction", "{*}TestGroup", "{*}TestResults")


def stations_of(source: Source) -> list[str | None]:
    """
    Find the station of each unit's results, in their order.

    What is behind a damage is not found.

    Args:
        source: the file.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
    """
    found: list[str | None] = []
    # The file is read once more later, which is when everything is accounted for.
    report = ConversionReport()
    ends: tuple[Event] = ("end",)
    with source.open() as stream, suppress(etree.XMLSyntaxError):
        head = stream.read(HEAD_SIZE)
        for _, element in stream_events(
            ends, _EMPTIED, head, stream, uri=source.uri, report=report
        ):
            if local(element) == RESULTS and is_of_a_unit(element):
                found.append(read_header(element, Account()).station)
            element.clear()
    return found
