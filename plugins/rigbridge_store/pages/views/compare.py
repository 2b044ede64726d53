"""Some runs side by side: what they measured, and where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs
from litestar import Response, get

from rigbridge.convert import MAX_NAME, PATH_SEPARATOR
from rigbridge.model import Measurement, Phase, Run, Series
from rigbridge_store.pages.charts.limit_bar import describe_limit
from rigbridge_store.pages.formatting import format_number, format_value
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views.query import Address
from rigbridge_store.reading.one_run import RunInContext, read_in_context
from rigbridge_store.refusals import FieldIssue, invalid

__all__ = ["show_comparison"]

# More columns fit on no screen.
_MOST = 6
_ROWS = 2000
_LONGEST = 200

_Place = tuple[str, int, str | None, int]
"""A phase, how often it came before; a measurement or None, and likewise."""


@attrs.frozen(kw_only=True)
class _Cell:
    """
    What a run has at a place.

    Attributes:
        text: the value, or how long a phase took; blank where unknown.
        change: by how much a number differs from that of the first run, or None.
    """

    text: str
    outcome: str
    change: str | None = None


@attrs.frozen(kw_only=True)
class _Line:
    """
    A place that some of the runs have.

    Attributes:
        phase: the phase's name, with those of its ancestors.
        measurement: the measurement's name, or None for the phase as such.
        criterion: what values must be, of the first run that says so.
        cells: what each run has there; None where it has nothing.
    """

    phase: str
    measurement: str | None
    criterion: str
    cells: Sequence[_Cell | None]

    @property
    def differs(self) -> bool:
        """Whether the runs differ there; a phase by its verdict only."""
        told = {
            None
            if cell is None
            else (cell.outcome, "" if self.measurement is None else cell.text)
            for cell in self.cells
        }
        return len(told) > 1


@get("/compare", sync_to_thread=True, include_in_schema=False)
def show_comparison(request: AnyRequest) -> Response[str]:
    """
    Show some runs side by side.

    Raises:
        BadRequestError: fewer than two runs are named, or more than fit.
        NotFoundError: one of them is not there.
    """
    site = Site.of(request)
    asked = list(dict.fromkeys(request.query_params.getall("run", [])))
    if not 1 < len(asked) <= _MOST:
        words = f"tick two to {_MOST} runs in a list, then compare them"
        raise invalid([FieldIssue("run", words)])
    with site.store.reading() as connection:
        found = [
            read_in_context(connection, site.store.contents, run_id) for run_id in asked
        ]
    lines = _lines([details.stored.run for details in found])
    differing = [line for line in lines if line.differs]
    only = request.query_params.get("only") == "differences"
    shown = differing if only else lines
    return site.render(
        request,
        "compare.html",
        found=found,
        facts=_facts(found),
        lines=shown[:_ROWS],
        hidden=max(0, len(shown) - _ROWS),
        total=len(lines),
        differing=len(differing),
        only=only,
        here=Address.of(request),
    )


def _facts(found: Sequence[RunInContext]) -> list[tuple[str, list[str | None]]]:
    """Tell what the runs are, name by name."""
    runs = [details.stored.run for details in found]
    return [
        ("Procedure", [details.procedure for details in found]),
        ("Version", [run.procedure.version for run in runs]),
        ("Part", [run.unit.part_number for run in runs]),
        ("Revision", [run.unit.revision for run in runs]),
        ("Batch", [run.unit.batch_number for run in runs]),
        (
            "Station",
            [details.stored.run.station or details.station for details in found],
        ),
        ("Operator", [run.operator for run in runs]),
    ]


def _lines(runs: Sequence[Run]) -> list[_Line]:
    places: dict[_Place, list[tuple[Phase, Measurement | None] | None]] = {}
    for number, run in enumerate(runs):
        for place, item in _items(run):
            # The first run gives the order; what only later ones have comes behind it.
            row = places.setdefault(place, [None] * len(runs))
            row[number] = item
    return [_line(place, items) for place, items in places.items()]


def _items(run: Run) -> Iterator[tuple[_Place, tuple[Phase, Measurement | None]]]:
    phases: Counter[str] = Counter()
    for phase in run.phases:
        # The name by which the store knows it.
        name = PATH_SEPARATOR.join((*phase.path, phase.name))[:MAX_NAME]
        turn = phases[name]
        phases[name] += 1
        yield (name, turn, None, 0), (phase, None)
        measured: Counter[str] = Counter()
        for item in phase.measurements:
            yield (name, turn, item.name, measured[item.name]), (phase, item)
            measured[item.name] += 1


def _line(
    place: _Place, items: Sequence[tuple[Phase, Measurement | None] | None]
) -> _Line:
    name, turn, measurement, _ = place
    measured = [None if given is None else given[1] for given in items]
    numbers = [None if item is None else _number(item) for item in measured]
    first = next((number for number in numbers if number is not None), None)
    criteria = (_criterion(item) for item in measured if item is not None)
    return _Line(
        phase=f"{name} ({turn + 1})" if turn else name,
        measurement=measurement,
        criterion=next(filter(None, criteria), ""),
        cells=[
            _cell(given, number, first)
            for given, number in zip(items, numbers, strict=True)
        ],
    )


def _cell(
    given: tuple[Phase, Measurement | None] | None,
    number: float | None,
    first: float | None,
) -> _Cell | None:
    if given is None:
        return None
    phase, item = given
    if item is None:
        return _Cell(text="", outcome=phase.outcome.value)
    change = None
    if number is not None and first is not None and number != first:
        change = f"{'+' if number > first else ''}{format_number(number - first, 4)}"
    return _measured(item, change)


def _number(item: Measurement) -> float | None:
    if isinstance(item.value, bool) or not isinstance(item.value, (int, float)):
        return None
    try:
        return float(item.value)
    except OverflowError:
        return None


def _criterion(item: Measurement) -> str:
    limits = "" if item.limits is None else describe_limit(item.limits)
    return "; ".join(filter(None, (limits, *item.validators)))


def _measured(item: Measurement, change: str | None) -> _Cell:
    if isinstance(item.value, Series):
        text = f"{len(item.value)} points"
    else:
        text = format_value(item.value)[:_LONGEST]
        text = f"{text} {item.unit}" if item.unit else text
    return _Cell(text=text, outcome=item.outcome.value, change=change)
