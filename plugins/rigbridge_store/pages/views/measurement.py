"""The page of one measurement over time."""

from __future__ import annotations

from collections import Counter, defaultdict

import attrs
from litestar import Response, get
from litestar.params import FromPath

from rigbridge_store.pages.charts.trend import (
    MAX_MARKS,
    control_chart,
    histogram_chart,
    marked_points,
    series_of_stations,
)
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.periods import PERIODS, chosen_period
from rigbridge_store.pages.views.query import Address, requested_filter
from rigbridge_store.reading.conditions import DAY
from rigbridge_store.reading.instruments import named_instruments
from rigbridge_store.reading.run_search import named_procedure, named_stations
from rigbridge_store.reading.statistics import (
    Capability,
    Summary,
    capability,
    drift,
    histogram,
    out_of_control,
    summarize,
)
from rigbridge_store.reading.trends import (
    MAX_POINTS,
    MeasurementName,
    MeasurementTrend,
    measurement_names,
    point_sources,
    read_trend,
)
from rigbridge_store.reading.yields import earliest_and_latest

__all__ = ["show_measurement"]

# Whoever cannot see the chart reads these; the list of runs has the others.
_LISTED = 50


@attrs.frozen(kw_only=True)
class _Share:
    """
    The points of one station.

    Attributes:
        name: the station, or None where the runs name none.
        series: the number of its colour.
        failed: how many points failed.
    """

    name: str | None
    series: int
    failed: int
    summary: Summary
    indices: Capability


def _by_station(trend: MeasurementTrend) -> list[_Share]:
    values: dict[int, list[float]] = defaultdict(list)
    failed: Counter[int] = Counter()
    for place, station in enumerate(trend.stations):
        values[station].append(trend.values[place])
        failed[station] += trend.failed[place]
    found: list[_Share] = []
    for station, series in series_of_stations(trend).items():
        summary = summarize(values[station])
        if summary is not None:
            found.append(
                _Share(
                    name=trend.station_names.get(station),
                    series=series,
                    failed=failed[station],
                    summary=summary,
                    indices=capability(summary, trend.lower, trend.upper),
                )
            )
    return found


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
        wanted = requested_filter(request, chosen.period)
        # Points and their runs are read in one transaction, so each run is there.
        trend = read_trend(
            connection,
            procedure.id,
            measured,
            wanted.search,
        )
        summary = summarize(trend.values)
        odd = [] if summary is None else out_of_control(trend.values, summary)
        marked = marked_points(trend, odd)
        # The newest points, as a table for who reads the chart by words.
        listed = list(range(len(trend.values)))[: -_LISTED - 1 : -1]
        sources = point_sources(
            connection, [trend.run_keys[index] for index in (*marked, *listed)]
        )
        siblings = measurement_names(connection, procedure.id)
        stations = named_stations(connection)
        instruments = named_instruments(connection)
    control = distribution = indices = line = None
    if summary is not None:
        name = measured.name
        days = [(moment - trend.moments[0]) / DAY for moment in trend.moments]
        line = drift(days, trend.values)
        # A line that chance could have drawn is none.
        line = line if line is not None and line.is_real else None
        control = control_chart(trend, summary, sources, name=name, odd=odd, line=line)
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
        odd=odd,
        line=line,
        by_station=_by_station(trend),
        wanted=wanted,
        stations=stations,
        instruments=instruments,
        control=control,
        distribution=distribution,
        listed=listed,
        sources=sources,
        max_points=MAX_POINTS,
        max_marks=MAX_MARKS,
    )
