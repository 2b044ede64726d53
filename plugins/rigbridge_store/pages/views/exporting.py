"""Lists of runs as files: a row a measurement, or whole runs as JSON lines."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Iterator

import attrs
from litestar import get
from litestar.response import Stream

from rigbridge.destinations import RunRows
from rigbridge.errors import NotFoundError, RunProblemsError
from rigbridge.export import ExportFormat, stream_rows
from rigbridge.kept import encode_run
from rigbridge.model import Run
from rigbridge_store.pages.security import (
    FILE_HEADERS,
    AnyRequest,
    attachment_disposition,
)
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.runs import read_form
from rigbridge_store.reading.rows import rows_of_runs
from rigbridge_store.reading.searching import RunSearch, found_runs
from rigbridge_store.reading.unit_history import unit_key
from rigbridge_store.refusals import FieldIssue, invalid
from rigbridge_store.store import RunStore

__all__ = ["export_list"]

_LOGGER = logging.getLogger("rigbridge_store.pages")

_KINDS = {
    ExportFormat.CSV: "text/csv",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
    ExportFormat.JSONL: "application/jsonl",
}


@get("/export", sync_to_thread=True, include_in_schema=False)
def export_list(request: AnyRequest) -> Stream:
    """
    Send the runs of a search as a file, in the order in which they were stored.

    Raises:
        BadRequestError: an unknown format, or one whose library is not installed.
        NotFoundError: there is no such unit.
    """
    site = Site.of(request)
    form = _requested_format(request)
    search = read_form(request).search
    serial = request.query_params.get("unit", "")
    if serial:
        with site.store.reading() as connection:
            search = attrs.evolve(search, unit_key=unit_key(connection, serial))
    return Stream(
        # Little is held: the first bytes go before the last run is read.
        _pieces(site.store, search, form),
        media_type=_KINDS[form],
        headers={
            **FILE_HEADERS,
            "Content-Disposition": attachment_disposition(f"runs.{form.value}"),
        },
    )


def _requested_format(request: AnyRequest) -> ExportFormat:
    known = ", ".join(ExportFormat)
    try:
        form = ExportFormat(request.query_params.get("format", "csv"))
    except ValueError as error:
        raise invalid([FieldIssue("format", f"is none of {known}")]) from error
    # Asked before the first byte: later an error could only cut the file off.
    if form is ExportFormat.PARQUET and importlib.util.find_spec("pyarrow") is None:
        words = "needs a library on the server: pip install 'rigbridge[parquet]'"
        raise invalid([FieldIssue("format", words)])
    return form


def _pieces(store: RunStore, search: RunSearch, form: ExportFormat) -> Iterator[bytes]:
    found = found_runs(store.reading, search)
    if form is ExportFormat.JSONL:
        return (encode_run(run) + b"\n" for run in _runs(store, found))
    return stream_rows(_rows(store, found), form)


def _rows(store: RunStore, found: Iterable[tuple[int, str]]) -> Iterator[RunRows]:
    for run in rows_of_runs(store.reading, store.contents, found):
        if run.rows is not None:
            yield run.rows
        elif run.problem is not None:
            _warn(run.id, run.problem)


def _runs(store: RunStore, found: Iterable[tuple[int, str]]) -> Iterator[Run]:
    for _, run_id in found:
        try:
            yield store.get_run(run_id)
        except NotFoundError:
            # Deleted since it was found.
            continue
        except RunProblemsError as error:
            _warn(run_id, error)


def _warn(run_id: str, problem: RunProblemsError) -> None:
    _LOGGER.warning("run %s is left out of an export: %s", run_id, problem)
