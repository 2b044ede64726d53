"""The page of one measurement over time."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from rigbridge_store.pages.charts.trend import (
    control_chart,
    histogram_chart,
    marked_points,
)
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.periods import PERIODS, chosen_period
from rigbridge_store.pages.views.query import Address
from rigbridge_store.reading.run_search import named_procedure
from rigbridge_store.reading.statistics import capability, histogram, summarize
from rigbridge_store.reading.trends import (
    MAX_POINTS,
    MeasurementName,
    measurement_names,
    point_sources,
    read_trend,
)
from rigbridge_store.reading.yields import earliest_and_latest

__all__ = ["show_measurement"]

_LISTED = 50


@get(
    "/procedures/{procedure_id:str}/measurement",
    sync_to_thread=True,
    include_in_schema=False,
)
def show_measurement(procedure_id: FromPath[str], request: AnyRequest) -> Response[str]:
    """
    Show what a measurement of a procedure was over time.

    Raises:
        NotFoundError: there is no such procedure.
    """
    site = Site.of(request)
    measured = MeasurementName(
        phase=request.query_params.get("phase", ""),
        name=request.query_params.get("name", ""),
    )
    with site.store.reading() as connection:
        procedure = named_procedure(connection, procedure_id)
        chosen = chosen_period(request, earliest_and_latest(connection))
        # Points and their runs are read in one transaction, so each run is there.
        trend = read_trend(connection, procedure.id, measured, chosen.period)
        marked = marked_points(trend)
        # The newest points, as a table for who reads the chart by words.
        listed = list(range(len(trend.values)))[: -_LISTED - 1 : -1]
        sources = point_sources(
            connection, [trend.run_keys[index] for index in (*marked, *listed)]
        )
        siblings = measurement_names(connection, procedure.id)
    summary = summarize(trend.values)
    control = distribution = indices = None
    if summary is not None:
        name = measured.name
        control = control_chart(trend, summary, sources, name=name)
        distribution = histogram_chart(
            histogram(trend.values), trend, summary, name=name
        )
        indices = capability(summary, trend.lower, trend.upper)
    return site.render(
        request,
        "measurement.html",
        procedure=procedure,
        measured=measured,
        siblings=siblings,
        chosen=chosen,
        periods=PERIODS,
        here=Address.of(request),
        trend=trend,
        summary=summary,
        indices=indices,
        control=control,
        distribution=distribution,
        listed=listed,
        sources=sources,
        max_points=MAX_POINTS,
    )
