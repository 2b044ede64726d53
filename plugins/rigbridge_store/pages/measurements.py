"""The page of one measurement over time."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from rigbridge_store.pages.charts import control_chart, histogram_chart
from rigbridge_store.pages.charts.control import marked_points
from rigbridge_store.pages.periods import PERIODS, chosen_period
from rigbridge_store.pages.site import AnyRequest, Site
from rigbridge_store.reading import MeasurementName
from rigbridge_store.reading.measurement_trend import MAX_POINTS
from rigbridge_store.reading.statistics import capability, histogram, summarize

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
    reader = site.store.reader
    procedure = reader.procedure(procedure_id)
    measured = MeasurementName(
        phase=request.query_params.get("phase", ""),
        name=request.query_params.get("name", ""),
    )
    chosen = chosen_period(request, reader)
    trend = reader.trend(procedure.id, measured, chosen.period)
    summary = summarize(trend.values)
    marked = marked_points(trend)
    # The newest points, as a table for who reads the chart by words.
    listed = list(range(len(trend.values)))[: -_LISTED - 1 : -1]
    sources = reader.point_sources(
        [trend.run_keys[index] for index in (*marked, *listed)]
    )
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
        siblings=reader.measurement_names(procedure.id),
        chosen=chosen,
        periods=PERIODS,
        trend=trend,
        summary=summary,
        indices=indices,
        control=control,
        distribution=distribution,
        listed=listed,
        sources=sources,
        max_points=MAX_POINTS,
    )
