"""The search for runs, and the history of a unit."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta

import attrs
from litestar import Response, get

from rigbridge.model import RunOutcome
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.query import PAGE_SIZE, pager, requested_place
from rigbridge_store.reading.conditions import Period
from rigbridge_store.reading.run_search import (
    named_procedures,
    named_stations,
    search_runs,
)
from rigbridge_store.reading.selecting import RunSearch
from rigbridge_store.reading.unit_history import read_unit

__all__ = ["show_runs", "show_unit"]

_TEXTS = ("serial", "part", "procedure", "station", "outcome")


@attrs.frozen(kw_only=True)
class _Form:
    """What a form holds, as it was filled in, and what is wrong with it."""

    values: dict[str, str]
    problems: dict[str, str]
    search: RunSearch


def _read_form(request: AnyRequest) -> _Form:
    values = {
        name: request.query_params.get(name, "").strip()
        for name in (*_TEXTS, "since", "until")
    }
    problems: dict[str, str] = {}
    since = _day(values, "since", problems)
    until = _day(values, "until", problems)
    if until is not None:
        # The day that is named belongs to the period.
        until += timedelta(days=1)
    if since is not None and until is not None and since >= until:
        problems["until"] = "is before the first day"
    return _Form(
        values=values,
        problems=problems,
        search=RunSearch(
            serial=values["serial"],
            part=values["part"],
            procedure=values["procedure"],
            station=values["station"],
            outcome=values["outcome"],
            period=Period.of(since, until),
        ),
    )


def _day(
    values: dict[str, str], name: str, problems: dict[str, str]
) -> datetime | None:
    text = values[name]
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        problems[name] = "is no day like 2024-01-31"
        return None
    # The day after it would not be a date.
    if day.year == MAXYEAR:
        problems[name] = "is too far away"
        return None
    return day


@get("/runs", sync_to_thread=True, include_in_schema=False)
def show_runs(request: AnyRequest) -> Response[str]:
    """
    Show the runs that a search asks for, newest first.

    Raises:
        BadRequestError: the address names a page that cannot be.
    """
    site = Site.of(request)
    form = _read_form(request)
    place = requested_place(request)
    with site.store.reading() as connection:
        page = search_runs(connection, form.search, limit=PAGE_SIZE, **place)
        procedures = named_procedures(connection)
        stations = named_stations(connection)
    return site.render(
        request,
        "runs.html",
        page=page,
        pager=pager(request, page),
        values=form.values,
        problems=form.problems,
        is_filtered=any(form.values.values()),
        procedures=procedures,
        stations=stations,
        outcomes=[outcome.value for outcome in RunOutcome],
    )


@get("/units", sync_to_thread=True, include_in_schema=False)
def show_unit(request: AnyRequest) -> Response[str]:
    """
    Show one unit and its runs, newest first.

    Raises:
        NotFoundError: there is none of that serial number.
        BadRequestError: the address names a page that cannot be.
    """
    site = Site.of(request)
    serial = request.query_params.get("serial", "")
    place = requested_place(request)
    with site.store.reading() as connection:
        unit = read_unit(connection, serial, limit=PAGE_SIZE, **place)
    return site.render(request, "unit.html", unit=unit, pager=pager(request, unit.page))
