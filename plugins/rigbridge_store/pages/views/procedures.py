"""
The pages about procedures: all of them, and one with its yields and failures.

Their figures follow new runs: a script asks now and then whether there are any.
"""

from __future__ import annotations

import attrs
from litestar import MediaType, Response, get
from litestar.params import FromPath

from rigbridge_store.pages.charts.yields import sparkline, yield_chart
from rigbridge_store.pages.security import PAGE_HEADERS, AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.periods import (
    PERIODS,
    ChosenPeriod,
    chosen_period,
)
from rigbridge_store.pages.views.query import Address, requested_filter
from rigbridge_store.reading.capabilities import read_figures
from rigbridge_store.reading.conditions import Period
from rigbridge_store.reading.failures import frequent_failures
from rigbridge_store.reading.instruments import named_instruments
from rigbridge_store.reading.run_search import (
    named_procedure,
    named_stations,
    newest_key,
    search_runs,
)
from rigbridge_store.reading.trends import measurement_names
from rigbridge_store.reading.yields import (
    YieldFilter,
    YieldSplit,
    earliest_and_latest,
    latest_runs,
    procedure_yields,
    yield_course,
    yield_shares,
)

__all__ = ["list_procedures", "show_procedure", "show_process", "show_state"]

_LATEST = 8
_UNCHANGED = 304
_WORST = 12
_LISTED = 50


def _requested(
    request: AnyRequest,
    stored: tuple[int | None, int | None],
    procedure_id: str | None = None,
) -> tuple[ChosenPeriod, YieldFilter]:
    chosen = chosen_period(request, stored)
    return chosen, requested_filter(request, chosen.period, procedure_id)


@get("/", sync_to_thread=True, include_in_schema=False)
def list_procedures(request: AnyRequest) -> Response[str]:
    """Show every procedure with its yields, and the latest runs."""
    site = Site.of(request)
    with site.store.reading() as connection:
        chosen, wanted = _requested(request, earliest_and_latest(connection))
        course = yield_course(connection, wanted, days=chosen.days_each)
        yields = procedure_yields(connection, wanted)
        shares = {
            split: yield_shares(connection, wanted, split)
            for split in (YieldSplit.STATION, YieldSplit.PART)
        }
        last = latest_runs(connection)
        # The latest of all: a period that is long over would show none.
        newest = attrs.evolve(wanted.search, period=Period())
        latest = search_runs(connection, newest, limit=_LATEST).rows
        stations = named_stations(connection)
        instruments = named_instruments(connection)
        state = newest_key(connection)
    return site.render(
        request,
        "procedures.html",
        chosen=chosen,
        periods=PERIODS,
        here=Address.of(request),
        wanted=wanted,
        yields=[row for row in yields if row.runs],
        idle=[row for row in yields if not row.runs],
        shares=shares,
        last=last,
        sparks={public: sparkline(buckets) for public, buckets in course.items()},
        total_runs=sum(row.runs for row in yields),
        total_passed=sum(row.passed for row in yields),
        latest=latest,
        stations=stations,
        instruments=instruments,
        state=state,
        store_address=f"{request.url.scheme}://{request.headers.get('host', '')}",
        data_folder=site.store.data,
    )


@get("/procedures/{procedure_id:str}", sync_to_thread=True, include_in_schema=False)
def show_procedure(procedure_id: FromPath[str], request: AnyRequest) -> Response[str]:
    """
    Show one procedure: its yields over time, what fails, and what it measures.

    Raises:
        NotFoundError: there is none of that id.
    """
    site = Site.of(request)
    with site.store.reading() as connection:
        procedure = named_procedure(connection, procedure_id)
        known = procedure.id
        stored = earliest_and_latest(connection)
        chosen, wanted = _requested(request, stored, known)
        # A procedure without runs in the period has a row all the same.
        (found,) = procedure_yields(connection, wanted)
        buckets = yield_course(connection, wanted, days=chosen.days_each).get(known, ())
        shares = {
            split: yield_shares(connection, wanted, split) for split in YieldSplit
        }
        failing = frequent_failures(connection, wanted.search, limit=_WORST)
        names = measurement_names(connection, known)
        newest = attrs.evolve(wanted.search, period=Period())
        latest = search_runs(connection, newest, limit=_LATEST)
        stations = named_stations(connection)
        instruments = named_instruments(connection)
        state = newest_key(connection)
    return site.render(
        request,
        "procedure.html",
        procedure=procedure,
        chosen=chosen,
        periods=PERIODS,
        here=Address.of(request),
        wanted=wanted,
        # What leads from here to the runs that are counted here.
        runs_of={
            "procedure": known,
            **wanted.narrowing,
            **chosen.days,
        },
        figures=found,
        failed_runs=found.runs - found.passed,
        course=yield_chart(buckets) if buckets else None,
        buckets=buckets,
        shares=shares,
        failing=failing,
        measurements=names,
        latest=latest.rows,
        stations=stations,
        instruments=instruments,
        state=state,
    )


@get(
    "/procedures/{procedure_id:str}/process",
    sync_to_thread=True,
    include_in_schema=False,
)
def show_process(procedure_id: FromPath[str], request: AnyRequest) -> Response[str]:
    """
    Show how well the measurements of a procedure keep their limits, and its times.

    Raises:
        NotFoundError: there is none of that id.
    """
    site = Site.of(request)
    with site.store.reading() as connection:
        procedure = named_procedure(connection, procedure_id)
        stored = earliest_and_latest(connection)
        chosen, wanted = _requested(request, stored, procedure.id)
        figures = read_figures(connection, wanted.search)
        stations = named_stations(connection)
        instruments = named_instruments(connection)
    return site.render(
        request,
        "process.html",
        procedure=procedure,
        chosen=chosen,
        periods=PERIODS,
        here=Address.of(request),
        wanted=wanted,
        figures=figures,
        most=None if request.query_params.get("all") else _LISTED,
        whole=sum(item.total for item in figures.durations),
        stations=stations,
        instruments=instruments,
    )


@get("/state", sync_to_thread=True, include_in_schema=False)
def show_state(request: AnyRequest) -> Response[bytes]:
    """Tell a number that grows with each run; nothing to who knows it already."""
    with Site.of(request).store.reading() as connection:
        newest = newest_key(connection)
    tag = f'"{newest}"'
    # The browser asks each time, and is answered without a body.
    headers = {**PAGE_HEADERS, "Cache-Control": "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=_UNCHANGED, headers=headers)
    return Response(
        b'{"newest": %d}' % newest, media_type=MediaType.JSON, headers=headers
    )
