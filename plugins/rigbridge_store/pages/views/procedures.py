"""The pages about procedures: all of them, and one with its yields and failures."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from rigbridge_store.pages.charts.yields import sparkline, yield_chart
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.query import PERIODS, chosen_period
from rigbridge_store.reading.run_search import named_procedure, search_runs
from rigbridge_store.reading.selecting import RunSearch
from rigbridge_store.reading.trends import measurement_names
from rigbridge_store.reading.yields import (
    earliest_and_latest,
    failing_measurements,
    failing_phases,
    procedure_yields,
    yield_course,
)

__all__ = ["list_procedures", "show_procedure"]

_LATEST = 8
_WORST = 12


@get("/", sync_to_thread=True, include_in_schema=False)
def list_procedures(request: AnyRequest) -> Response[str]:
    """Show every procedure with its yields, and the latest runs."""
    site = Site.of(request)
    with site.store.reading() as connection:
        chosen = chosen_period(request, earliest_and_latest(connection))
        course = yield_course(connection, chosen.period, days=chosen.days_each)
        yields = procedure_yields(connection, chosen.period)
        latest = search_runs(connection, RunSearch(), limit=_LATEST).rows
    sparks = {public: sparkline(buckets) for public, buckets in course.items()}
    return site.render(
        request,
        "procedures.html",
        chosen=chosen,
        periods=PERIODS,
        yields=[row for row in yields if row.runs],
        idle=[row for row in yields if not row.runs],
        sparks=sparks,
        total_runs=sum(row.runs for row in yields),
        total_passed=sum(row.passed for row in yields),
        latest=latest,
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
        chosen = chosen_period(request, earliest_and_latest(connection))
        period = chosen.period
        # A procedure without runs in the period has a row all the same.
        (found,) = procedure_yields(connection, period, procedure_id=known)
        buckets = yield_course(
            connection, period, days=chosen.days_each, procedure_id=known
        ).get(known, ())
        failing = failing_measurements(connection, known, period, limit=_WORST)
        phases = failing_phases(connection, known, period, limit=_WORST)
        names = measurement_names(connection, known)
        latest = search_runs(connection, RunSearch(procedure=known), limit=_LATEST)
    return site.render(
        request,
        "procedure.html",
        procedure=procedure,
        chosen=chosen,
        periods=PERIODS,
        figures=found,
        failed_runs=found.runs - found.passed,
        course=yield_chart(buckets) if buckets else None,
        buckets=buckets,
        failing=failing,
        failing_phases=phases,
        measurements=names,
        latest=latest.rows,
    )
