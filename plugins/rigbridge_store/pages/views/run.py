"""The page of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs
from litestar import Response, get
from litestar.params import FromPath

from rigbridge.model import (
    Instrument,
    JSONObject,
    LogEntry,
    LogLevel,
    PhaseOutcome,
    Run,
)
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.attachments import view_file
from rigbridge_store.pages.views.causes import find_causes
from rigbridge_store.pages.views.phase_tree import (
    build_tree,
    choose_phases,
    find_phase,
    unfold,
)
from rigbridge_store.pages.views.query import Address
from rigbridge_store.reading.one_run import read_in_context
from rigbridge_store.refusals import not_found

__all__ = ["show_phase", "show_run"]

# Some rigs log every bus message; a browser lays out a few thousand rows.
_MAX_LOGS = 2000
# Each preview opens a file, remote ones over the network.
_MAX_PREVIEWS = 24
_MAX_ENTRIES = 200
_LEVELS = [level.value for level in LogLevel]
_ITEM_NAMES = (
    "count",
    "detail",
    "disposition",
    "item",
    "line",
    "path",
    "reason",
    "rule",
)


@attrs.frozen(kw_only=True)
class _LogView:
    """The log lines of a level and above."""

    level: str
    shown: Sequence[LogEntry]
    total: int
    hidden: int
    counts: dict[str, int]


@attrs.frozen
class _InstrumentView:
    """An instrument, listed by the run or only named by measurements."""

    instrument: Instrument
    is_listed: bool
    is_overdue: bool | None


@get("/runs/{run_id:str}", sync_to_thread=True, include_in_schema=False)
def show_run(run_id: FromPath[str], request: AnyRequest) -> Response[str]:
    """
    Show everything that is known of one run.

    Raises:
        NotFoundError: there is none of that id.
    """
    site = Site.of(request)
    contents = site.store.contents
    with site.store.reading() as connection:
        details = read_in_context(connection, contents, run_id)
    # The transaction has ended: drawing a large run holds no reader up.
    stored = details.stored
    run = stored.run
    tree = build_tree(run)
    asked = request.query_params
    if (opened := find_phase(tree, asked.get("phase", ""))) is not None:
        opened.is_open = opened.is_loaded = True
    if asked.get("open") == "all":
        unfold(tree)
    find = asked.get("find", "")
    hides_skipped = asked.get("hide") == "skipped"
    return site.render(
        request,
        "run.html",
        details=details,
        run=run,
        problem=stored.problem,
        tree=choose_phases(tree, text=find, hides_skipped=hides_skipped),
        here=Address.of(request),
        find=find,
        hides_skipped=hides_skipped,
        skipped=sum(phase.outcome is PhaseOutcome.SKIP for phase in run.phases),
        causes=find_causes(run, tree),
        instruments=_instrument_views(run),
        measurement_count=sum(len(phase.measurements) for phase in run.phases),
        files=[
            view_file(contents, file, looks_inside=index < _MAX_PREVIEWS)
            for index, file in enumerate(stored.files)
        ],
        logs=_log_view(run.logs, asked.get("level", "")),
        levels=_LEVELS,
        report=_report_view(stored.report) if stored.report else None,
    )


@get("/runs/{run_id:str}/{anchor:str}", sync_to_thread=True, include_in_schema=False)
def show_phase(
    run_id: FromPath[str], anchor: FromPath[str], request: AnyRequest
) -> Response[str]:
    """
    Show what is in one phase of a run: a part of its page, which comes on demand.

    Raises:
        NotFoundError: there is no such run or phase.
    """
    site = Site.of(request)
    with site.store.reading() as connection:
        details = read_in_context(connection, site.store.contents, run_id)
    node = find_phase(build_tree(details.stored.run), anchor)
    if node is None:
        raise not_found(f"The run has no phase {anchor}.")
    return site.render(request, "phase.html", details=details, node=node)


def _instrument_views(run: Run) -> list[_InstrumentView]:
    moment = run.started_at or run.ended_at
    named = {item.instrument for phase in run.phases for item in phase.measurements}
    listed = {instrument.name for instrument in run.instruments}
    return [
        *(
            _InstrumentView(instrument, True, instrument.is_overdue(moment))
            for instrument in run.instruments
        ),
        *(
            _InstrumentView(Instrument(name=name), False, None)
            for name in sorted(name for name in named if name and name not in listed)
        ),
    ]


def _log_view(entries: Sequence[LogEntry], asked: str) -> _LogView:
    level = asked.upper() if asked.upper() in _LEVELS else _LEVELS[0]
    wanted = frozenset(_LEVELS[_LEVELS.index(level) :])
    found = [entry for entry in entries if entry.level.value in wanted]
    counts = Counter(entry.level.value for entry in entries)
    return _LogView(
        level=level,
        shown=found[:_MAX_LOGS],
        total=len(entries),
        hidden=max(0, len(found) - _MAX_LOGS),
        counts={name: counts[name] for name in _LEVELS},
    )


def _report_view(report: JSONObject) -> dict[str, object]:
    """Take what a report holds as far as it is one; anybody may have sent it."""
    mapped = report.get("mapped")
    entries = _items(report, "entries")
    return {
        "mapped": mapped if isinstance(mapped, dict) else {},
        "coerced": _items(report, "coerced"),
        "omitted": _items(report, "omitted"),
        "dropped": _items(report, "dropped"),
        "entries": entries[:_MAX_ENTRIES],
        "unshown": max(0, len(entries) - _MAX_ENTRIES),
    }


def _items(report: JSONObject, name: str) -> list[JSONObject]:
    found = report.get(name)
    items = found if isinstance(found, list) else []
    # The template refuses a name that is not there, so each item gets them all.
    blank: JSONObject = dict.fromkeys(_ITEM_NAMES, "")
    return [{**blank, **item} for item in items if isinstance(item, dict)]
