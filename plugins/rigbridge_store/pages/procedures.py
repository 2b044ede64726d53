"""The pages about procedures: all of them, and one with its yields and failures."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from rigbridge_store.pages.charts import spark, yield_chart
from rigbridge_store.pages.periods import PERIODS, chosen_period
from rigbridge_store.pages.site import AnyRequest, Site
from rigbridge_store.reading import RunSearch

__all__ = ["list_procedures", "show_procedure"]

_LATEST = 8


@get("/", sync_to_thread=True, include_in_schema=False)
def list_procedures(request: AnyRequest) -> Response[str]:
    """Show every procedure with its yields, and the latest runs."""
    site = Site.of(request)
    reader = site.store.reader
    chosen = chosen_period(request, reader)
    course = reader.course(
        chosen.period, days=chosen.days_each(reader.earliest_moment())
    )
    yields = reader.yields(chosen.period)
    sparks = {public: spark(buckets) for public, buckets in course.items()}
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
        latest=reader.search(RunSearch(), limit=_LATEST).rows,
    )


@get("/procedures/{procedure_id:str}", sync_to_thread=True, include_in_schema=False)
def show_procedure(procedure_id: FromPath[str], request: AnyRequest) -> Response[str]:
    """
    Show one procedure: its yields over time, what fails, and what it measures.

    Raises:
        NotFoundError: there is none of that id.
    """
    site = Site.of(request)
    reader = site.store.reader
    procedure = reader.procedure(procedure_id)
    chosen = chosen_period(request, reader)
    buckets = reader.course(
        chosen.period,
        days=chosen.days_each(reader.earliest_moment()),
        procedure_id=procedure.id,
    ).get(procedure.id, ())
    yields = reader.yields(chosen.period, procedure.id)
    failing = reader.failing_measurements(procedure.id, chosen.period)
    phases = reader.failing_phases(procedure.id, chosen.period)
    found = yields[0]
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
        measurements=reader.measurement_names(procedure.id),
        latest=reader.search(RunSearch(procedure=procedure.id), limit=_LATEST).rows,
    )
