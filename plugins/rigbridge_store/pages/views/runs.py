"""The search for runs, the history of a unit, and what instruments were used for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
from litestar import Response, get

from rigbridge.model import RunOutcome
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.periods import requested_days
from rigbridge_store.pages.views.query import (
    COLUMNS,
    PAGE_SIZE,
    Address,
    chosen_columns,
    pager,
    requested_order,
    requested_place,
)
from rigbridge_store.reading.instruments import instrument_uses, named_instruments
from rigbridge_store.reading.run_search import (
    RunOrder,
    named_procedures,
    named_stations,
    search_runs,
)
from rigbridge_store.reading.searching import NOT_PASSED, PASSED_LATER, RunSearch
from rigbridge_store.reading.unit_history import read_unit
from rigbridge_store.tables.fragments import FRAGMENT

__all__ = ["RunForm", "list_instruments", "read_form", "show_runs", "show_unit"]

_TEXTS = (
    "serial",
    "part",
    "revision",
    "batch",
    "procedure",
    "station",
    "instrument",
    "operator",
    "outcome",
    "failed_phase",
    "failed_measurement",
)
# Seldom used; what is filled in is shown all the same.
_SELDOM = (
    "part",
    "revision",
    "batch",
    "instrument",
    "overdue",
    "operator",
    "failed_phase",
    "failed_measurement",
)


@attrs.frozen(kw_only=True)
class RunForm:
    """
    What a search form holds.

    Attributes:
        values: what was filled in, by name.
        problems: what is wrong with it, by name.
        search: the search that it asks for.
    """

    values: dict[str, str]
    problems: dict[str, str]
    search: RunSearch

    @property
    def is_filtered(self) -> bool:
        """Whether anything is asked for."""
        return any(self.values.values())

    @property
    def has_seldom_used(self) -> bool:
        """Whether a field is filled in that is folded away otherwise."""
        return any(self.values[name] for name in _SELDOM)


def read_form(request: AnyRequest) -> RunForm:
    """Read the search that an address asks for."""
    values = {
        name: request.query_params.get(name, "").strip()
        for name in (*_TEXTS, "overdue", "q", "since", "until")
    }
    period, problems = requested_days(values)
    texts: dict[str, Any] = {name: values[name] for name in _TEXTS}
    search = RunSearch(
        text=values["q"], period=period, overdue=bool(values["overdue"]), **texts
    )
    return RunForm(values=values, problems=problems, search=search)


@get("/runs", sync_to_thread=True, include_in_schema=False)
def show_runs(request: AnyRequest) -> Response[str]:
    """
    Show the runs that a search asks for, newest first unless asked otherwise.

    Raises:
        BadRequestError: the address names a page that cannot be.
    """
    site = Site.of(request)
    form = read_form(request)
    order = requested_order(request)
    place = requested_place(request, order)
    with site.store.reading() as connection:
        page = search_runs(
            connection, form.search, limit=PAGE_SIZE, order=order, **place
        )
        procedures = named_procedures(connection)
        stations = named_stations(connection)
        instruments = named_instruments(connection)
    return site.render(
        request,
        "runs.html",
        page=page,
        pager=pager(request, page, order),
        here=Address.of(request),
        form=form,
        values=form.values,
        problems=form.problems,
        procedures=procedures,
        stations=stations,
        instruments=instruments,
        outcomes={
            NOT_PASSED: "all that did not pass",
            PASSED_LATER: "passed after a failure",
            **{outcome.value: outcome.value for outcome in RunOutcome},
        },
        order=order,
        orders=list(RunOrder),
        columns=chosen_columns(request),
        all_columns=COLUMNS,
        fragment=FRAGMENT,
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
    return site.render(
        request,
        "unit.html",
        unit=unit,
        pager=pager(request, unit.page),
        columns=chosen_columns(request),
    )


@get("/instruments", sync_to_thread=True, include_in_schema=False)
def list_instruments(request: AnyRequest) -> Response[str]:
    """
    Show every instrument that a run names.

    That a calibration has ended is told by the clock; which runs were after the end of
    it, by what the runs themselves say of the instrument.
    """
    site = Site.of(request)
    with site.store.reading() as connection:
        uses = instrument_uses(connection)
    return site.render(
        request, "instruments.html", uses=uses, today=datetime.now(UTC).date()
    )
