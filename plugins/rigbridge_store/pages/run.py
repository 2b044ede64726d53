"""The page of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
from litestar import Response, get
from litestar.params import FromPath

from rigbridge.model import LogEntry, LogLevel
from rigbridge.wire import ListedAttachment
from rigbridge_store.pages.phase_tree import build_tree, failed_measurements
from rigbridge_store.pages.previews import (
    HEAD_BYTES,
    Preview,
    image_kind,
    preview_text,
)
from rigbridge_store.pages.site import AnyRequest, Site
from rigbridge_store.reading import RunReader

__all__ = ["show_run"]

_MAX_LOGS = 2000
_MAX_PREVIEWS = 24
_MAX_ENTRIES = 200
_LEVELS = [level.value for level in LogLevel]


@attrs.frozen(kw_only=True)
class _FileView:
    """A file, and what of it may be shown."""

    file: ListedAttachment
    stored: bool
    is_image: bool = False
    preview: Preview | None = None
    missing: bool = False


@attrs.frozen(kw_only=True)
class _LogView:
    """The log lines of a level and above."""

    level: str
    lines: Sequence[LogEntry]
    total: int
    hidden: int
    counts: dict[str, int]


@get("/runs/{run_id:str}", sync_to_thread=True, include_in_schema=False)
def show_run(run_id: FromPath[str], request: AnyRequest) -> Response[str]:
    """
    Show everything that is known of one run.

    Raises:
        NotFoundError: there is none of that id.
    """
    site = Site.of(request)
    reader = site.store.reader
    details = reader.run(run_id)
    run = details.run
    tree = build_tree(run)
    report = details.report or {}
    return site.render(
        request,
        "run.html",
        details=details,
        run=run,
        tree=tree,
        failed=list(failed_measurements(tree)),
        measurement_count=sum(len(phase.measurements) for phase in run.phases),
        files=[
            _file_view(reader, file, index) for index, file in enumerate(details.files)
        ],
        logs=_log_view(run.logs, request.query_params.get("level", "")),
        levels=_LEVELS,
        report=_report_view(report) if report else None,
    )


def _file_view(reader: RunReader, file: ListedAttachment, index: int) -> _FileView:
    if file.download_url is None:
        return _FileView(file=file, stored=False)
    if index >= _MAX_PREVIEWS:
        return _FileView(file=file, stored=True)
    try:
        _, stream = reader.open_file(file.id)
    except FileNotFoundError:
        # The table knows it, the disk does not: said on the page, not hidden.
        return _FileView(file=file, stored=False, missing=True)
    with stream:
        head = stream.read(HEAD_BYTES)
    is_image = image_kind(head) is not None
    preview = None
    if not is_image and head:
        preview = preview_text(head, file.size or 0)
    return _FileView(file=file, stored=True, is_image=is_image, preview=preview)


def _log_view(entries: Sequence[LogEntry], asked: str) -> _LogView:
    level = asked.upper() if asked.upper() in _LEVELS else _LEVELS[0]
    wanted = frozenset(_LEVELS[_LEVELS.index(level) :])
    lines = [entry for entry in entries if entry.level.value in wanted]
    counts = Counter(entry.level.value for entry in entries)
    return _LogView(
        level=level,
        lines=lines[:_MAX_LOGS],
        total=len(entries),
        hidden=max(0, len(lines) - _MAX_LOGS),
        counts={name: counts[name] for name in _LEVELS},
    )


def _report_view(report: dict[str, Any]) -> dict[str, Any]:
    """Take what a report holds as far as it is one; anybody may have sent it."""

    def dicts(name: str) -> list[dict[str, Any]]:
        found = report.get(name)
        items = found if isinstance(found, list) else []
        return [item for item in items if isinstance(item, dict)]

    mapped = report.get("mapped")
    entries = dicts("entries")
    return {
        "mapped": mapped if isinstance(mapped, dict) else {},
        "coerced": dicts("coerced"),
        "dropped": dicts("dropped"),
        "entries": entries[:_MAX_ENTRIES],
        "unshown": max(0, len(entries) - _MAX_ENTRIES),
    }
