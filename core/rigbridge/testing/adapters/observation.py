"""What an adapter makes of some bytes, in a form that can be compared."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import attrs
import msgspec

from rigbridge.adapters import (
    Adapter,
    ConversionReport,
    Disposition,
    ReadContext,
    Source,
    Spool,
    TimeZonePolicy,
)
from rigbridge.convert import to_document
from rigbridge.errors import ModelError, RigbridgeError, SourceError
from rigbridge.model import Run

__all__ = [
    "NonconformityError",
    "NotTriedError",
    "Observation",
    "observe",
    "readings",
    "surprising",
]

_OURS = str(Path(__file__).parents[2])


class NonconformityError(AssertionError):
    """An adapter does not do what the contract asks for."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}. What to do: {remedy}")
        self.message = message
        self.remedy = remedy


class NotTriedError(Exception):
    """A check has nothing to try here; its text is the reason."""


@attrs.frozen
class Observation:
    """
    What came of reading some bytes.

    Attributes:
        accounts: what was recorded of each run, and at the end of what belongs to none.
        failures: the runs that could not be read, and the error that ended the reading.
        raised: whether an error ended the reading.
    """

    runs: tuple[Run, ...]
    accounts: tuple[ConversionReport, ...]
    failures: tuple[SourceError, ...]
    raised: bool

    @cached_property
    def documents(self) -> tuple[dict[str, Any], ...]:
        """The runs as JSON values, without what follows from the bytes of the file."""
        documents = tuple(to_document(run) for run in self.runs)
        for run, document in zip(self.runs, documents, strict=True):
            # Every change of a byte changes them, and what a check asks is what else
            # changed.
            if run.source is not None and run.id == run.source.run_id:
                del document["id"], document["source"]
        return documents

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The documents as texts."""
        return tuple(
            json.dumps(document, ensure_ascii=False, sort_keys=True)
            for document in self.documents
        )

    @cached_property
    def report(self) -> ConversionReport:
        """The account of everything together."""
        whole = ConversionReport()
        for account in self.accounts:
            whole.merge(account)
        return whole

    @cached_property
    def trace(self) -> str:
        """Everything that a user could see: runs, report and failures."""
        failures = [str(each) for each in self.failures]
        # The version of a format is told with the source, whose other parts follow from
        # the bytes.
        versions = [run.source and run.source.format_version for run in self.runs]
        said = (self.report.as_document(), failures, self.positions, versions)
        return "\n".join((*self.texts, msgspec.json.encode(said).decode()))

    @property
    def positions(self) -> tuple[int | None, ...]:
        """The index of each run in its source."""
        return tuple(
            None if run.source is None else run.source.index for run in self.runs
        )

    def left(self) -> int:
        """Count what was recorded as dropped or omitted."""
        count = self.report.count
        return count(Disposition.DROPPED) + count(Disposition.OMITTED)

    def admits(self, other: Observation) -> bool:
        """Tell whether it says that something is amiss which ``other`` does not say."""
        mine = (self.left(), self.report.count(Disposition.COERCED))
        theirs = (other.left(), other.report.count(Disposition.COERCED))
        return len(self.failures) > len(other.failures) or mine > theirs


def observe(
    adapter: Adapter,
    source: Source,
    *,
    spool: Spool,
    trial: str,
    zone: str | None = "UTC",
) -> Observation:
    """
    Read a source as an import does, and take what came of it.

    Args:
        trial: what is being tried, for the text of an error.
        zone: the zone of times without one.

    Raises:
        NonconformityError: reading ended with another error than the contract knows.
    """
    context = _context(adapter, spool, zone)
    runs: list[Run] = []
    accounts: list[ConversionReport] = []
    error: SourceError | None = None
    try:
        for run in readings(adapter, source, context):
            runs.append(run)
            accounts.append(context.report.split())
    except SourceError as raised:
        error = raised
    except NonconformityError:
        raise
    # An adapter that ends the process would end the import of all other files.
    except (Exception, SystemExit) as surprise:
        raise surprising(surprise, trial) from surprise
    accounts.append(context.report)
    failures = [*context.failures, *([] if error is None else [error])]
    return Observation(tuple(runs), tuple(accounts), tuple(failures), error is not None)


def readings(adapter: Adapter, source: Source, context: ReadContext) -> Iterator[Any]:
    """
    Begin to read, and make sure that it is an iterator.

    Raises:
        NonconformityError: ``read`` gave something else, such as a list.
    """
    found: Any = adapter.read(source, context)
    if not hasattr(found, "__next__"):
        raise NonconformityError(
            f"read() gives a {type(found).__name__}, which holds all runs at once",
            "make read() a generator: yield each run as soon as it is complete",
        )
    return cast("Iterator[Any]", found)


def _context(adapter: Adapter, spool: Spool, zone: str | None) -> ReadContext:
    return ReadContext(
        adapter=adapter.name,
        adapter_version="0",
        spool=spool,
        time_zone=TimeZonePolicy(default=zone),
    )


def surprising(error: BaseException, trial: str) -> NonconformityError:
    """
    Say what to do about an error that the contract does not know.

    Args:
        trial: what was being tried.
    """
    frames = traceback.extract_tb(error.__traceback__)
    call = next((f.name for f in frames if f.name in {"detect", "read"}), "read")
    words = f"{type(error).__name__}: {error}"
    # The author's line, not that of the model which refuses what it gives.
    last = next((f for f in reversed(frames) if not f.filename.startswith(_OURS)), None)
    place = frames[-1] if last is None else last
    if call == "detect":
        remedy = (
            "give None for what it does not understand; decode with errors='replace'"
        )
    else:
        remedy = (
            "let the run fail there with raise MalformedSourceError(message, "
            "source=source.uri, place='line N') from error; give it to "
            "context.failed(), so that the other runs of the file are read"
        )
        if isinstance(error, ModelError):
            remedy = (
                "give what docs/reference/model.md asks for (id=provenance.run_id and "
                "source=provenance of context.provenance(source, index)); where the "
                f"log is at fault, {remedy}"
            )
        elif isinstance(error, RigbridgeError):
            remedy = f"raise a SourceError instead: {remedy}"
        elif isinstance(error, OSError):
            remedy = (
                "read by 'with source.open() as stream:'; a source may have no path"
            )
        elif isinstance(error, (TypeError, NameError, AttributeError, ImportError)):
            # Mostly a slip of the author, which no error of the source should hide.
            remedy = f"mend the code there; if the source lacks something, {remedy}"
    return NonconformityError(
        f"{call}() ended with {words} ({place.filename}:{place.lineno}) for {trial}",
        remedy,
    )
